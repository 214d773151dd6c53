"""Times SCOLA's training step with few and with many images' codes, and prints the figures as JSON.

    python tests/benchmarks/codes.py --threads 1

InfoGAN's generator at width 8, 28 x 28, batches of 128, so that a cost of the table would show beside the networks'.
Both models are in one process, and blocks of steps take turns, each on images of its own from anywhere in the table.
"""

import argparse
import json
import os
import statistics
import time

from kerasinterp import processor

SIZES, BATCH, CLASSES, LATENT, WIDTH = (1_000, 50_000), 128, 10, 64, 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=40, help="pairs of blocks to measure")
    parser.add_argument("--steps", type=int, default=50, help="timed steps in a block")
    parser.add_argument("--minutes", type=float, default=3.0, help="stop after this time, with what there is")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    models = _models(options.threads)
    samples = []
    while len(samples) < options.blocks and time.monotonic() < deadline:
        order = SIZES if len(samples) % 2 else SIZES[::-1]
        timed = {size: _timed(models[size].step, options.steps) for size in order}
        samples.append({kind: {size: timed[size][kind] for size in SIZES} for kind in ("wall", "cpu")})
    ends = {size: statistics.median(_timed(models[size].end, 1)["wall"] for _ in range(20)) for size in SIZES}
    few, many = SIZES

    def ratio(kind: str) -> float:
        return statistics.median(sample[kind][many] / sample[kind][few] for sample in samples)

    figures = {
        "ratio": ratio("wall"),
        "ratio_processor_time": ratio("cpu"),
        "milliseconds_a_step": {
            size: 1000 * statistics.median(sample["wall"][size] for sample in samples) for size in SIZES
        },
        "milliseconds_an_epoch's_end": {size: 1000 * seconds for size, seconds in ends.items()},
        "epoch's_end_a_step": {
            size: ends[size] / (size / BATCH) / statistics.median(sample["wall"][size] for sample in samples)
            for size in SIZES
        },
        "blocks": len(samples),
        "threads": options.threads,
        "processor": processor.describe(),
        "features": processor.features(),
    }
    print(json.dumps(figures, indent=1))


def _timed(call, count: int) -> dict[str, float]:
    """Wall and processor seconds of a call, of `count` that follow each other."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        call()
    return {"wall": (time.perf_counter() - wall) / count, "cpu": (time.process_time() - cpu) / count}


class _Model:
    def __init__(self, size: int):
        import numpy as np
        import tensorflow as tf

        from kerasinterp.data import Examples, batches
        from kerasinterp.nn import infogan
        from kerasinterp.nn.latent_table import latent_table
        from kerasinterp.objectives import SCOLA
        from kerasinterp.ops.adam import Adam

        images = np.random.default_rng(0).integers(0, 256, (size, 28, 28, 1), np.uint8)
        examples = Examples(images, np.arange(size) % CLASSES, tuple(map(str, range(CLASSES))))
        self._model = SCOLA(
            classes=CLASSES,
            generator=infogan.decoder((28, 28, 1), CLASSES + LATENT, WIDTH, seed=1),
            table=latent_table(size, CLASSES + LATENT, seed=2),
        )
        self._model.begin(examples)
        self._model.compile(Adam(1e-3))
        self._model.make_train_function()
        # As many batches for either, held in memory: the input's cost is not what is compared.
        held = list(batches(examples, BATCH, places=True, steps=100))
        held = {key: tf.stack([batch[key] for batch in held]) for key in held[0]}
        self._batches = iter(tf.data.Dataset.from_tensor_slices(held).repeat())
        for _ in range(10):
            self.step()

    def step(self) -> float:
        return float(self._model.train_function(self._batches)["loss"])

    def end(self) -> float:
        self._model.after_epoch()
        return float(self._model.latents[0, 0])


def _models(threads: int) -> dict[int, _Model]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    processor.prepare()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()  # as `kerasinterp train`
    tf.random.set_seed(0)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    return {size: _Model(size) for size in SIZES}


if __name__ == "__main__":
    main()
