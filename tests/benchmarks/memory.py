"""What training on many images costs in memory and speed, held in memory or read from the cache, as JSON.

    python tests/benchmarks/memory.py --json memory.json

Makes a folder of 200,000 PNG files (64 x 64, in colour; names of few files, the decoder does not mind) and trains
AugIntAE on maps on it: the most that was resident, decoding, the batches alone and the training step, each way in a
process of its own. The two ways take turns in blocks of steps: other work on the machine then meets both.
"""

import argparse
import functools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from kerasinterp import processor

SIZE = 64
DISTINCT = 500  # files; more names than this are links to them
# How much the images may hold, in each way.
MEMORY = {"memory": "1TB", "cache": "10MB"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are written; otherwise they are printed")
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--few", type=int, default=1000, help="images of what the memory is compared with")
    parser.add_argument("--blocks", type=int, default=20, help="pairs of blocks of steps")
    parser.add_argument("--steps", type=int, default=3, help="in a block; few, so that other work meets both ways")
    parser.add_argument("--batches", type=int, default=400, help="in a block of batches alone")
    parser.add_argument("--width", type=int, default=32, help="maps of the networks' first layer")
    parser.add_argument("--folder", type=pathlib.Path, help="for images and cache, kept; by default a temporary one")
    parser.add_argument("--worker", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _serve(*options.worker, options.width)
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        figures = measure(options, options.folder or pathlib.Path(temporary))
    text = json.dumps(figures, indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    print(text)


def measure(options: argparse.Namespace, place: pathlib.Path) -> dict:
    """Megabytes resident at most, images a second, and the ratios of cache to memory."""
    shutil.rmtree(place / "cache", ignore_errors=True)
    folders = {count: _draw(place / f"images-{count}", count) for count in (options.few, options.images)}
    peaks, speeds = {}, {}
    for name, way, count in (
        ("few_in_memory", "memory", options.few),
        ("many_decoding_into_cache", "cache", options.images),
        ("many_from_cache", "cache", options.images),
        ("many_in_memory", "memory", options.images),
    ):
        worker = Worker(way, folders[count], place, options.width)
        speeds[f"{name}_load_seconds"] = worker.ask("load")["seconds"]
        worker.ask("triplets", options.batches // 10)
        worker.ask("step", options.steps)
        peaks[name] = worker.close()
        print(f"{name}: {peaks[name]:.0f} MB", file=sys.stderr)
    both = {way: Worker(way, folders[options.images], place, options.width) for way in MEMORY}
    if len({worker.ask("load")["value"] for worker in both.values()}) > 1:
        raise SystemExit("The images from the cache are others than those in memory.")
    figures = {}
    for what, count in (("images", options.batches), ("triplets", options.batches // 10), ("step", options.steps)):
        seconds = {way: [] for way in both}
        cpu = {way: [] for way in both}
        for block in range(options.blocks + 1):
            for way in list(both)[:: 1 if block % 2 else -1]:
                answer = both[way].ask(what, count)
                if block:  # the first one traces
                    seconds[way].append(answer["seconds"])
                    cpu[way].append(answer["cpu"])
        batch = both["memory"].ask("size")["value"]
        for way in both:
            speeds[f"{what}_images_per_second_{way}"] = count * batch / statistics.median(seconds[way])
        for name, found in (("throughput", seconds), ("processor_time", cpu)):
            pairs = zip(found["memory"], found["cache"], strict=True)
            figures[f"{what}_{name}_ratio"] = statistics.median(memory / cache for memory, cache in pairs)
    for worker in both.values():
        worker.close()
    least = peaks["few_in_memory"]
    return {
        "images": options.images,
        "processor": processor.describe(),
        "more_resident_MB": {name: round(peak - least, 1) for name, peak in peaks.items() if name.startswith("many")},
        **figures,
        "resident_MB": peaks,
        "speeds": speeds,
    }


def _draw(folder: pathlib.Path, count: int) -> pathlib.Path:
    """A folder of so many PNG files, in sub-folders of a thousand."""
    import numpy as np
    from PIL import Image

    if folder.exists():
        return folder
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number // 1000:03}" / f"{number:06}.png"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        if number < DISTINCT:
            small = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
            small.resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(path, compress_level=1)
        else:
            os.link(folder / "000" / f"{number % DISTINCT:06}.png", path)
    return folder


class Worker:
    """A process that does one thing at a time and otherwise sleeps."""

    def __init__(self, way: str, images: pathlib.Path, place: pathlib.Path, width: int):
        command = [sys.executable, __file__, "--worker", way, str(images), "--width", str(width)]
        environment = os.environ | {"KERASINTERP_CACHE": str(place / "cache"), "TF_CPP_MIN_LOG_LEVEL": "2"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, what: str, count: int = 0) -> dict:
        self._process.stdin.write(json.dumps([what, count]) + "\n")
        self._process.stdin.flush()
        if not (answer := self._process.stdout.readline()):
            raise SystemExit(f"A process stopped at {what}: see its message above.")
        return json.loads(answer)

    def close(self) -> float:
        """Ends it, and returns the megabytes that it had resident at most, pages of files included."""
        peak = self.ask("peak")["value"]
        self._process.stdin.close()
        self._process.wait()
        return peak


def _serve(way: str, folder: str, width: int) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the libraries print is no answer
    processor.prepare()
    from kerasinterp import data, training
    from kerasinterp.recipe import Target, find
    from kerasinterp.reproducible import reproducible

    recipe = find("augintae_maps_mnist").change(
        data={
            "source": folder,
            "source_options": {},
            "image_size": SIZE,
            "channels": 3,
            "form_options": {
                "rotation": data.NATURAL.rotation,
                "translation": data.NATURAL.translation,
                "padding": "symmetric",
            },
        },
        target=Target(),
        latent_size=16,
        width=width,
    )
    begun = {}
    with reproducible(recipe.seed, deterministic=True):
        for line in sys.stdin:
            what, count = json.loads(line)
            wall, cpu, value = time.perf_counter(), time.process_time(), None
            if what == "load":
                examples, batches = training.training_batches(recipe, MEMORY[way])
                value = examples.fingerprint
            elif what in ("images", "triplets"):
                if what not in begun:
                    begun.clear()  # each has a copy of the array
                    plain = functools.partial(data.batches, examples, recipe.schedule.batch_size)
                    begun[what] = iter(plain() if what == "images" else batches())
                for _ in range(count):
                    value = next(begun[what])["c"].shape[0]
            elif what == "step":
                if what not in begun:
                    begun.clear()
                    model = training.build(recipe, examples)
                    model.make_train_function()
                    begun[what] = iter(batches())
                for _ in range(count):
                    logs = model.train_function(begun[what])
                value = float(next(iter(logs.values())))
            elif what == "size":
                value = recipe.schedule.batch_size
            elif what == "peak":
                lines = pathlib.Path("/proc/self/status").read_text().splitlines()
                value = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000
            answer = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "value": value}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
