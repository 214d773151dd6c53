"""Times the AugIntAE training step against the same step in PyTorch, and writes the figures as JSON.

    python tests/benchmarks/step.py --json step.json

Two processes, one with TensorFlow and one with PyTorch, take turns in blocks of a few steps. Other work on the machine
hurts the two unequally (PyTorch's thread teams more), so a block counts only if others used little of the machine.
bfloat16 is left out where the processor has no instructions for it.
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

from kerasinterp import processor

BATCH = 128
QUIET = 0.05  # the share of the machine's cores that others may use during a block that counts
PIPELINE_BATCHES = 60  # drawn from a new iterator each time, or its buffer would give them for nothing
ENOUGH = 3  # with fewer quiet blocks than this all blocks count, and the figures say so
LOWERS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")  # what makes a newer processor an older one, for a trial


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are written; otherwise they are printed")
    parser.add_argument("--blocks", type=int, default=30, help="pairs of blocks to measure (a fifth of the rest)")
    parser.add_argument("--steps", type=int, default=3, help="timed steps in a block")
    parser.add_argument("--minutes", type=float, default=10.0, help="stop after this time, with what there is")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of either side")
    parser.add_argument("--xla", action="store_true", help="the XLA-compiled step too, which is slow on CPUs")
    parser.add_argument("--worker", choices=("keras", "keras_xla", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        threads = options.threads
        _serve(
            _torch_blocks(threads) if options.worker == "torch" else _keras_blocks(threads, options.worker != "keras")
        )
        return
    print(f"{processor.describe()}; precisions: {', '.join(_precisions())}", file=sys.stderr)
    figures = measure(options.blocks, options.steps, options.minutes, options.threads, options.xla)
    text = json.dumps(figures, indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    print(
        json.dumps({key: value for key, value in figures.items() if key != "raw"}, indent=1) if options.json else text
    )


def _precisions() -> tuple[str, ...]:
    return ("float32", "bfloat16") if processor.fast_bfloat16() else ("float32",)


def measure(blocks: int, steps: int, minutes: float, threads: int, xla: bool = False) -> dict:
    """Measures everything and returns the figures; README.md says what each means."""
    began = time.monotonic()
    deadline = began + 60 * minutes
    ours, theirs = Worker("keras", threads), Worker("torch", threads)
    compiled = Worker("keras_xla", threads) if xla else None
    workers = [worker for worker in (ours, theirs, compiled) if worker]
    settings = {worker.name: worker.ask("settings")["value"] for worker in workers}
    # What is compared is measured side by side; the rest block by block.
    precisions = _precisions()
    groups = [[(ours, p, steps), (theirs, p, steps)] for p in precisions]
    alone = [*(f"peak_{p}" for p in precisions), "pipeline", *(f"{p}_fed" for p in precisions)]
    counts = {"pipeline": 1, **{f"peak_{p}": 10 for p in precisions}}
    groups += [[(ours, name, counts.get(name, steps))] for name in alone]
    groups += [[(compiled, p, steps)] for p in precisions] if xla else []
    wanted = [blocks if len(group) > 1 else max(1, blocks // 5) for group in groups]
    samples, longest = [[] for _ in groups], [0.0] * len(groups)
    turn, ran = 0, True
    while ran:
        turn, ran = turn + 1, False
        for i, group in enumerate(groups):
            if _quiet(samples[i]) >= wanted[i]:
                continue
            _wait_for_quiet(began + 30 * minutes)  # in the second half of the time it is taken as it comes
            start = time.monotonic()
            if samples[0] and start + (longest[i] or longest[0]) > deadline:
                continue
            if not samples[i]:
                for worker, name, _ in group:
                    worker.ask(name)  # builds and traces
            samples[i].append(_sample(group if turn % 2 else group[::-1]))
            longest[i], ran = max(longest[i], time.monotonic() - start), True
        if turn % 5 == 0:
            print(f"{turn} turns, {deadline - time.monotonic():.0f} s to go", file=sys.stderr)
    operations = ours.ask("operations")["value"]
    for worker in workers:
        worker.close()
    enough = all(_quiet(found) >= min(ENOUGH, n) for found, n in zip(samples, wanted, strict=True) if found)
    kept = [[s for s in found if s["others"] <= QUIET] for found in samples] if enough else samples
    seconds = {key: [s["wall"][key] for s in found] for found in kept if found for key in found[0]["wall"]}
    cpu = {key: [s["cpu"][key] for s in found] for found in kept if found for key in found[0]["cpu"]}
    figures = _figures(seconds, cpu, operations)
    figures["raw"] |= {
        "cpu_seconds_per_step": {key: statistics.median(found) for key, found in cpu.items()},
        "quiet": enough,
        "blocks": {key: len(found) for key, found in seconds.items()},
        "share_used_by_others": [round(s["others"], 3) for found in samples for s in found],
        "threads": threads,
        "settings": settings,
        "machine": {
            "processor": processor.describe(),
            "features": processor.features(),
            "lowered_by": {name: os.environ[name] for name in LOWERS if name in os.environ},
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
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


def _figures(seconds: dict[str, list[float]], cpu: dict[str, list[float]], operations: int) -> dict:
    """Ratios and shares, of what there was time for."""
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    peak = {p: 2 * 2048**3 / min(seconds[f"keras_peak_{p}"]) for p in _precisions() if f"keras_peak_{p}" in seconds}
    figures = {}
    for p in _precisions():
        for name, found in ((f"ratio_{p}", seconds), (f"ratio_{p}_processor_time", cpu)):
            pairs = zip(found[f"torch_{p}"], found[f"keras_{p}"], strict=True)
            figures[name] = statistics.median(theirs / ours for theirs, ours in pairs)
    for p in _precisions():
        suffix, step = "" if p == "float32" else f"_{p}", medians[f"keras_{p}"]
        if p in peak:
            figures[f"peak_share{suffix}"] = operations * BATCH / step / peak[p]
        if "keras_pipeline" in medians:
            pipeline = medians["keras_pipeline"] / PIPELINE_BATCHES
            figures[f"pipeline_share{suffix}"] = pipeline / (pipeline + step)
    steps = [name for name in medians if "peak" not in name and "pipeline" not in name]
    figures["raw"] = {
        "images_per_second": {name: BATCH / medians[name] for name in steps},
        "peak_gflops": {p: value / 1e9 for p, value in peak.items()},
        "gflop_per_image": operations / 1e9,
        "batch_size": BATCH,
    }
    return figures


def _lines(path: str) -> list[str]:
    return pathlib.Path(path).read_text().splitlines()


class Worker:
    """A process that runs one block at a time and otherwise sleeps."""

    def __init__(self, name: str, threads: int, script: str = __file__):
        self.name = name
        command = [sys.executable, script, "--worker", name, "--threads", str(threads)]
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
    """Answers each line `[block, count]`: median wall and CPU seconds of `count` (or no) calls after an untimed one."""
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
            answer = {"seconds": statistics.median(walls), "cpu": statistics.median(cpus)} if count else {}
        answers.write(json.dumps({**answer, "total_cpu": time.process_time() - began}) + "\n")
        answers.flush()


def _keras_blocks(threads: int, xla: bool):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    settings = processor.prepare()
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
        if name == "settings":
            return {"version": tf.__version__, "threads": threads, **settings}
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
            fastest.update({precision: choose(precision) for precision in _precisions()})
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
