"""Times the AugIntAE training step against the same step in PyTorch, and writes the figures as JSON.

    python tests/benchmarks/step.py --json step.json

Two processes, one with TensorFlow and one with PyTorch, take turns in blocks of a few steps; a round is one block of
everything. Other work on the machine hurts the two unequally, so a round counts only while others used little of it.
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
QUIET = 0.05  # share of the machine's cores that others may use in a round that counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are written; otherwise they are printed")
    parser.add_argument("--rounds", type=int, default=12, help="rounds to measure")
    parser.add_argument("--steps", type=int, default=4, help="timed steps in a block")
    parser.add_argument("--minutes", type=float, default=8.0, help="give up on quiet rounds after this time")
    parser.add_argument("--skip-compiled", action="store_true", help="leave XLA and torch.compile out")
    parser.add_argument("--worker", choices=("keras", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _serve({"keras": _keras_blocks, "torch": _torch_blocks}[options.worker]())
        return
    figures = measure(options.rounds, options.steps, options.minutes, compiled=not options.skip_compiled)
    text = json.dumps(figures, indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    print(text if not options.json else json.dumps({k: v for k, v in figures.items() if k != "raw"}, indent=1))


def measure(rounds: int, steps: int, minutes: float, compiled: bool) -> dict:
    """Runs the rounds and returns the figures; see README.md for what each means."""
    ours, theirs = Worker("keras"), Worker("torch")
    setting = theirs.ask("settings")
    blocks = [(ours, f"peak_{p}", 10) for p in PRECISIONS] + [(ours, "pipeline", 20)]
    for precision in PRECISIONS:
        blocks += [(ours, precision, steps), (theirs, precision, steps), (ours, f"{precision}_fed", steps)]
    slow = [(w, f"{p}_{kind}", steps) for p in PRECISIONS for w, kind in ((ours, "xla"), (theirs, "compiled"))]
    seconds, cpu, foreign = {}, {}, []
    started, counted, tried = time.monotonic(), 0, 0
    for worker, block, _ in blocks:
        worker.ask(block, 2)  # builds and traces
    while counted < rounds and (time.monotonic() - started < 60 * minutes):
        results, others = _round(blocks if tried % 2 else blocks[::-1], steps)
        tried += 1
        foreign.append(others)
        if others > QUIET and not (counted == 0 and time.monotonic() - started > 45 * minutes):
            continue
        counted += 1
        for name, (wall, own) in results.items():
            seconds.setdefault(name, []).append(wall)
            cpu.setdefault(name, []).append(own)
        print(f"round {counted}/{rounds} ({tried} tried)", file=sys.stderr)
    if compiled:
        for worker, block, _ in slow:
            if worker.ask(block, 2)["seconds"] is None:
                continue
            answers = [worker.ask(block, steps) for _ in range(4)]
            seconds[f"{worker.name}_{block}"] = [a["seconds"] for a in answers]
            cpu[f"{worker.name}_{block}"] = [a["cpu"] for a in answers]
    operations = ours.ask("operations")["value"]
    ours.close()
    theirs.close()
    return _figures(seconds, cpu, operations, foreign, counted, tried, setting)


def _round(blocks: list, steps: int) -> tuple[dict, float]:
    """One block of each; and the share of all cores that other processes used meanwhile."""
    busy, began = _busy_seconds(), time.perf_counter()
    results, own = {}, 0.0
    for worker, block, count in blocks:
        answer = worker.ask(block, count)
        own += answer["total_cpu"]
        results[f"{worker.name}_{block}"] = (answer["seconds"], answer["cpu"])
    elapsed = time.perf_counter() - began
    return results, max(0.0, _busy_seconds() - busy - own) / (elapsed * os.cpu_count())


def _busy_seconds() -> float:
    """CPU seconds of all processes since boot, and those that the host took away."""
    user, nice, system, _, _, irq, soft, steal = (int(n) for n in open("/proc/stat").readline().split()[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def _figures(seconds, cpu, operations, foreign, counted, tried, setting) -> dict:
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    figures = {}
    for p in PRECISIONS:
        pairs = zip(seconds[f"torch_{p}"], seconds[f"keras_{p}"], strict=True)
        figures[f"ratio_{p}"] = statistics.median(theirs / ours for theirs, ours in pairs)
    peak = {p: 2 * 2048**3 / min(seconds[f"keras_peak_{p}"]) for p in PRECISIONS}
    for p in PRECISIONS:
        suffix = "" if p == "float32" else f"_{p}"
        step = medians[f"keras_{p}"]
        figures[f"peak_share{suffix}"] = operations * BATCH / step / peak[p]
        figures[f"pipeline_share{suffix}"] = medians["keras_pipeline"] / (medians["keras_pipeline"] + step)
    compiled = [name for name in medians if name.endswith(("_xla", "_compiled"))]
    steps = [f"{side}_{p}{fed}" for side in ("keras", "torch") for p in PRECISIONS for fed in ("", "_fed")]
    raw = {
        "images_per_second": {n: BATCH / medians[n] for n in [*steps, *compiled] if n in medians},
        "cpu_seconds_per_step": {n: statistics.median(cpu[n]) for n in [*steps, *compiled] if n in cpu},
        "pipeline_images_per_second": BATCH / medians["keras_pipeline"],
        "peak_gflops": {p: value / 1e9 for p, value in peak.items()},
        "gflop_per_image": operations / 1e9,
        "batch_size": BATCH,
        "rounds": counted,
        "rounds_tried": tried,
        "quiet": statistics.median(foreign) <= QUIET or counted < tried,
        "share_used_by_others": foreign,
        "torch_settings": setting["value"],
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "seconds": seconds,
    }
    return {**figures, "raw": raw}


def _processor() -> str:
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else platform.processor()


class Worker:
    """A process that runs one block at a time and otherwise sleeps."""

    def __init__(self, name: str):
        self.name = name
        command = [sys.executable, __file__, "--worker", name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, block: str, count: int = 0) -> dict:
        self._process.stdin.write(json.dumps([block, count]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"The {self.name} side stopped at {block}: see its message above.")
        return json.loads(answer)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def _serve(blocks) -> None:
    """Answers each line `[block, count]` with the median wall and CPU seconds of `count` calls, after one untimed call."""
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


def _keras_blocks():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np
    import tensorflow as tf
    from keras_step import KerasStep, operations

    from kerasinterp.data.triplets import triplets

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
            return lambda: next(batches)["c"].numpy()
        precision, _, kind = name.partition("_")
        if name not in steps:
            one = tf.data.Dataset.from_tensors(next(batches)).repeat()
            steps[name] = KerasStep(precision == "bfloat16", kind == "xla", pipeline if kind == "fed" else one)
        return steps[name]

    return block


def _torch_blocks():
    try:
        import torch
    except ImportError:
        raise SystemExit("PyTorch is missing: pip install -e .[benchmark]") from None
    from torch_step import TorchStep

    torch.set_num_threads(os.cpu_count())
    generator = torch.Generator().manual_seed(0)
    batch = [torch.rand(BATCH, 1, 28, 28, generator=generator) * 2 - 1 for _ in range(3)]
    alpha = torch.rand(BATCH, generator=generator)
    steps, fastest = {}, {}

    def cpu_seconds(step) -> float:
        images = step.prepare(*batch)
        for _ in range(2):
            step(*images, alpha)
        times = []
        for _ in range(5):
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
        precision, _, kind = name.partition("_")
        if name not in steps:
            step = TorchStep(precision == "bfloat16", fastest[precision], compiled=kind == "compiled")
            images = step.prepare(*batch)
            steps[name] = lambda: step(*images, alpha)
            try:
                steps[name]()
            except Exception as error:  # torch.compile needs a C++ compiler
                if kind != "compiled":
                    raise
                print(f"torch.compile failed: {error}", file=sys.stderr)
                steps[name] = None
        return steps[name]

    return block


if __name__ == "__main__":
    main()
