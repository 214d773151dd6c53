"""Times the AugIntAE training step against the same step in PyTorch, and writes the figures as JSON.

    python tests/benchmarks/step.py --json step.json

Two processes, one with TensorFlow and one with PyTorch, take turns in blocks of a few steps. Other work on the machine
hurts the two unequally (PyTorch's thread teams more), so a block counts only if others used little of the machine.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

BATCH = 128
PRECISIONS = ("float32", "bfloat16")
QUIET = 0.05  # the share of the machine's cores that others may use during a block that counts
PIPELINE_BATCHES = 60  # drawn from a new iterator each time, or its buffer would give them for nothing
ENOUGH = 3  # with fewer quiet blocks than this all blocks count, and the figures say so


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are written; otherwise they are printed")
    parser.add_argument("--blocks", type=int, default=30, help="blocks to measure, of each kind")
    parser.add_argument("--steps", type=int, default=3, help="timed steps in a block")
    parser.add_argument("--minutes", type=float, default=10.0, help="stop waiting for quiet blocks after this time")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of either side")
    parser.add_argument(
        "--skip-xla", action="store_true", help="leave out the XLA-compiled step, which is slow on CPUs"
    )
    parser.add_argument("--worker", choices=("keras", "keras_xla", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        threads = options.threads
        _serve(
            _torch_blocks(threads) if options.worker == "torch" else _keras_blocks(threads, options.worker != "keras")
        )
        return
    figures = measure(options.blocks, options.steps, options.minutes, options.threads, xla=not options.skip_xla)
    text = json.dumps(figures, indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    print(
        json.dumps({key: value for key, value in figures.items() if key != "raw"}, indent=1) if options.json else text
    )


def measure(blocks: int, steps: int, minutes: float, threads: int, xla: bool = True) -> dict:
    """Measures everything and returns the figures; README.md says what each means."""
    ours, theirs = Worker("keras", threads), Worker("torch", threads)
    compiled = Worker("keras_xla", threads) if xla else None
    settings = theirs.ask("settings")["value"]
    # What is compared is measured side by side; the rest block by block.
    groups = [[(ours, p, steps), (theirs, p, steps)] for p in PRECISIONS]
    alone = [*(f"peak_{p}" for p in PRECISIONS), "pipeline", *(f"{p}_fed" for p in PRECISIONS)]
    counts = {"pipeline": 1, **{f"peak_{p}": 10 for p in PRECISIONS}}
    groups += [[(ours, name, counts.get(name, steps))] for name in alone]
    groups += [[(compiled, p, steps)] for p in PRECISIONS] if xla else []
    samples = [[] for _ in groups]
    for group in groups:
        for worker, name, _ in group:
            worker.ask(name, 1)  # builds and traces
    wanted = [max(1, blocks // 5) if group[0][0] is compiled else blocks for group in groups]
    deadline, turn = time.monotonic() + 60 * minutes, 0
    while missing := [i for i, found in enumerate(samples) if _quiet(found) < wanted[i]]:
        turn += 1
        for i in missing:
            _wait_for_quiet(deadline)
            samples[i].append(_sample(groups[i] if turn % 2 else groups[i][::-1]))
        if time.monotonic() > deadline:
            break
        if turn % 5 == 0:
            print(f"{turn} turns, {len(missing)} of {len(groups)} measurements to go", file=sys.stderr)
    operations = ours.ask("operations")["value"]
    for worker in (ours, theirs, compiled) if xla else (ours, theirs):
        worker.close()
    enough = all(_quiet(found) >= min(ENOUGH, n) for found, n in zip(samples, wanted, strict=True))
    kept = [[s for s in found if s["others"] <= QUIET] for found in samples] if enough else samples
    seconds = {key: [s["wall"][key] for s in found] for found in kept for key in found[0]["wall"]}
    cpu = {key: statistics.median(s["cpu"][key] for s in found) for found in kept for key in found[0]["cpu"]}
    figures = _figures(seconds, operations)
    figures["raw"] |= {
        "cpu_seconds_per_step": cpu,
        "quiet": enough,
        "blocks": {key: len(found) for key, found in seconds.items()},
        "share_used_by_others": [round(s["others"], 3) for found in samples for s in found],
        "threads": threads,
        "torch": settings,
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "seconds": seconds,
    }
    return figures


def _quiet(samples: list[dict]) -> int:
    return sum(sample["others"] <= QUIET for sample in samples)


def _wait_for_quiet(deadline: float) -> None:
    while time.monotonic() < deadline:
        busy = _busy_seconds()
        time.sleep(0.3)
        if _busy_seconds() - busy <= QUIET * 0.3 * os.cpu_count():
            return
        time.sleep(1.0)


def _sample(group: list) -> dict:
    """One block of each member of a group, and the share of all cores that other processes used meanwhile."""
    busy, began, own = _busy_seconds(), time.perf_counter(), 0.0
    wall, cpu = {}, {}
    for worker, name, count in group:
        answer = worker.ask(name, count)
        own += answer["total_cpu"]
        wall[f"{worker.name}_{name}"], cpu[f"{worker.name}_{name}"] = answer["seconds"], answer["cpu"]
    elapsed = time.perf_counter() - began
    return {"wall": wall, "cpu": cpu, "others": max(0.0, _busy_seconds() - busy - own) / (elapsed * os.cpu_count())}


def _busy_seconds() -> float:
    """CPU seconds of all processes since boot, with those that the host took away."""
    user, nice, system, _, _, irq, soft, steal = map(int, _lines("/proc/stat")[0].split()[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def _figures(seconds: dict[str, list[float]], operations: int) -> dict:
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    peak = {p: 2 * 2048**3 / min(seconds[f"keras_peak_{p}"]) for p in PRECISIONS}
    pipeline = medians["keras_pipeline"] / PIPELINE_BATCHES
    figures = {}
    for p in PRECISIONS:
        pairs = zip(seconds[f"torch_{p}"], seconds[f"keras_{p}"], strict=True)
        figures[f"ratio_{p}"] = statistics.median(theirs / ours for theirs, ours in pairs)
    for p in PRECISIONS:
        suffix, step = "" if p == "float32" else f"_{p}", medians[f"keras_{p}"]
        figures[f"peak_share{suffix}"] = operations * BATCH / step / peak[p]
        figures[f"pipeline_share{suffix}"] = pipeline / (pipeline + step)
    steps = [name for name in medians if "peak" not in name and "pipeline" not in name]
    figures["raw"] = {
        "images_per_second": {name: BATCH / medians[name] for name in steps},
        "pipeline_images_per_second": BATCH / pipeline,
        "peak_gflops": {p: value / 1e9 for p, value in peak.items()},
        "gflop_per_image": operations / 1e9,
        "batch_size": BATCH,
    }
    return figures


def _lines(path: str) -> list[str]:
    return pathlib.Path(path).read_text().splitlines()


def _processor() -> str:
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else platform.processor()


class Worker:
    """A process that runs one block at a time and otherwise sleeps."""

    def __init__(self, name: str, threads: int):
        self.name = name
        command = [sys.executable, __file__, "--worker", name, "--threads", str(threads)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, block: str, count: int = 0) -> dict:
        try:
            self._process.stdin.write(json.dumps([block, count]) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has said why
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"The {self.name} side stopped at {block}: see its message above.")
        return json.loads(answer)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def _serve(blocks) -> None:
    """Answers each line `[block, count]`: median wall and CPU seconds of `count` calls, after an untimed one."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the libraries print is no answer
    for line in sys.stdin:
        block, count = json.loads(line)
        began = time.process_time()
        call = blocks(block)
        if not callable(call):
            answer = {"value": call, "seconds": None}
        else:
            call()
            walls, cpus = [], []
            for _ in range(count):
                wall, own = time.perf_counter(), time.process_time()
                call()
                walls.append(time.perf_counter() - wall)
                cpus.append(time.process_time() - own)
            answer = {"seconds": statistics.median(walls), "cpu": statistics.median(cpus)}
        answers.write(json.dumps({**answer, "total_cpu": time.process_time() - began}) + "\n")
        answers.flush()


def _keras_blocks(threads: int, xla: bool):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np
    import tensorflow as tf
    from keras_step import KerasStep, operations

    from kerasinterp.data import triplets

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    if not xla:  # as `kerasinterp train` does; with either of them Keras or TensorFlow would not compile
        tf.config.experimental.enable_op_determinism()
        tf.random.set_seed(0)
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    images = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28, 1), dtype=np.uint8)
    pipeline = triplets(images, BATCH)
    batches = iter(pipeline)
    steps, products = {}, {}

    def product(precision: str):
        if precision not in products:
            matrix = tf.cast(tf.random.normal([2048, 2048]), precision)
            function = tf.function(lambda: tf.matmul(matrix, matrix))
            products[precision] = lambda: function()[0, 0].numpy()
        return products[precision]

    def block(name: str):
        if name == "operations":
            return operations(steps["float32"].model)
        if name.startswith("peak_"):
            return product(name.removeprefix("peak_"))
        if name == "pipeline":
            return lambda: [batch["c"].numpy() for batch in pipeline.take(PIPELINE_BATCHES)]
        precision, _, kind = name.partition("_")
        if name not in steps:
            one = tf.data.Dataset.from_tensors(next(batches)).repeat()
            steps[name] = KerasStep(precision == "bfloat16", xla, pipeline if kind == "fed" else one)
        return steps[name]

    return block


def _torch_blocks(threads: int):
    try:
        import torch
    except ImportError:
        raise SystemExit("PyTorch is missing: pip install -e .[benchmark]") from None
    from torch_step import TorchStep

    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    batch = [torch.rand(BATCH, 1, 28, 28, generator=generator) * 2 - 1 for _ in range(3)]
    alpha = torch.rand(BATCH, generator=generator)
    steps, fastest = {}, {}

    def cpu_seconds(step) -> float:
        images = step.prepare(*batch)
        step(*images, alpha)
        times = []
        for _ in range(3):
            began = time.process_time()
            step(*images, alpha)
            times.append(time.process_time() - began)
        return min(times)

    def choose(precision: str) -> bool:
        """PyTorch's faster memory format for this precision."""
        return min((False, True), key=lambda last: cpu_seconds(TorchStep(precision == "bfloat16", last)))

    def block(name: str):
        if name == "settings":
            fastest.update({precision: choose(precision) for precision in PRECISIONS})
            formats = {p: "channels_last" if last else "contiguous" for p, last in fastest.items()}
            return {"version": torch.__version__, "threads": torch.get_num_threads(), "memory_format": formats}
        if name not in steps:
            step = TorchStep(name == "bfloat16", fastest[name])
            images = step.prepare(*batch)
            steps[name] = lambda: step(*images, alpha)
        return steps[name]

    return block


if __name__ == "__main__":
    main()
