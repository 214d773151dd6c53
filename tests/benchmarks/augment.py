"""What `augment` costs a classifier's training step: the same steps on plain batches and on augmented ones.

    python tests/benchmarks/augment.py --json augment.json

Batches of 64 images of 28 x 28 out of 520 (20 of each of 26 classes); the classifier is InfoGAN's encoder with a
softmax (`--width` 32, half the paper's), the model AugIntAE with the paper's networks, untrained. Milliseconds a step,
medians over rounds in which all ways alternate: of processor time, of all threads, the batches that are made ahead
among it; and of the clock. `kept` is with the mixes of `variants` made, `making` what making them once costs, spread
over `--passes` passes over the images.
"""

import argparse
import json
import pathlib
import statistics
import time

import keras
import numpy as np

from kerasinterp import processor
from kerasinterp.data import Examples, batches
from kerasinterp.generation import augment
from kerasinterp.nn import infogan
from kerasinterp.objectives import AugIntAE

COUNT, CLASSES, BATCH, VARIANTS = 520, 26, 64, 8
_SETTLED = 0.5  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are written; otherwise they are printed")
    parser.add_argument("--width", type=int, default=32, help="of the classifier")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=10, help="of each way in a round")
    parser.add_argument("--passes", type=int, default=100, help="over the images, of a whole training (AugIntAE A.1)")
    options = parser.parse_args()
    figures = measure(options.width, options.rounds, options.steps, options.passes)
    text = json.dumps({"processor": processor.describe(), "width": options.width, **figures}, indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    print(text)


def measure(width: int, rounds: int, steps: int, passes: int) -> dict:
    """Figures by way."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (COUNT, 28, 28, 1), dtype=np.uint8)
    examples = Examples(images, np.arange(COUNT) % CLASSES)
    model = AugIntAE(infogan.encoder(seed=1), infogan.decoder(seed=2), infogan.discriminator(seed=3))
    classifier = infogan.classifier((28, 28, 1), CLASSES, width=width)
    classifier.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy")
    classifier.make_train_function()
    datasets = {
        "none": batches(examples, BATCH).map(lambda batch: (batch["c"], batch["labels"])),
        "mixup": augment(examples, None, "pixels", batch_size=BATCH),
        "kept": augment(examples, None, model, batch_size=BATCH, variants=VARIANTS),
        "not_kept": augment(examples, None, model, batch_size=BATCH, variants=None),
    }
    turns = VARIANTS * COUNT // (BATCH // 2)
    made = _timed(lambda: [None for _ in augment(examples, None, model, batch_size=BATCH, steps=turns)])
    for _ in datasets["kept"].take(turns):
        pass
    iterators = {name: iter(dataset) for name, dataset in datasets.items()}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in datasets}
    for number in range(rounds + 1):
        for name, batches_of in iterators.items():
            began = time.process_time()
            _, clock = _timed(lambda taken=batches_of: [classifier.train_function(taken) for _ in range(steps)])
            time.sleep(_SETTLED)  # until as many batches are ready as before
            if number:  # the first traces
                found[name].append((1000 * (time.process_time() - began) / steps, 1000 * clock / steps))
    figures = {}
    for name, spent in found.items():
        medians = [statistics.median(column) for column in zip(*spent, strict=True)]
        figures[name] = dict(zip(("processor_ms", "clock_ms"), (round(one, 2) for one in medians), strict=True))
    plain = figures["none"]
    trained = passes * COUNT / (BATCH // 2)  # steps
    spread = [1000 * one / trained for one in made]
    figures["making"] = dict(zip(("processor_ms", "clock_ms"), (round(one, 2) for one in spread), strict=True))
    for name in ("mixup", "kept", "not_kept"):
        own = figures[name]
        own |= {
            f"{kind}_more": round(own[f"{kind}_ms"] / plain[f"{kind}_ms"] - 1, 3) for kind in ("processor", "clock")
        }
    whole = figures["kept"]["processor_ms"] + figures["making"]["processor_ms"]
    figures["kept"]["processor_more_with_making"] = round(whole / plain["processor_ms"] - 1, 3)
    return figures | {"passes": passes, "variants": VARIANTS}


def _timed(work) -> tuple[float, float]:
    """Seconds of processor time and of the clock."""
    began = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - began[0], time.perf_counter() - began[1]


if __name__ == "__main__":
    main()
