"""Loss curves of AugIntAE in bfloat16 and in float32, against the spread of seeds, as JSON.

    python tests/benchmarks/precision.py --json precision.json

Trains on MNIST (`TFDS_DATA_DIR`), the same seeds in both precisions. bfloat16 is "within seed noise" where the mean
curves differ by less than two standard errors of the difference of two means over as many seeds.
"""

import argparse
import json
import pathlib

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are written; otherwise they are printed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6, help="points of the curves")
    parser.add_argument("--steps", type=int, default=50, help="training steps between two points")
    parser.add_argument("--width", type=int, default=32, help="maps of the networks' first layer")
    options = parser.parse_args()
    text = json.dumps(measure(options.seeds, options.epochs, options.steps, options.width), indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    print(text)


def measure(seeds: int, epochs: int, steps: int, width: int) -> dict:
    """The curves (seeds, epochs) by precision and term, and the gaps between their means."""
    from kerasinterp import data, training
    from kerasinterp.recipe import find

    images = data.images("mnist", "train[:20000]")
    curves: dict[str, dict[str, list]] = {}
    for precision in ("float32", "bfloat16"):
        for seed in range(seeds):
            recipe = find("augintae_mnist").change(width=width, precision=precision, seed=seed)
            batches = data.triplets(images, recipe.schedule.batch_size, seed=seed)
            history = training.build(recipe).fit(
                batches, steps_per_epoch=steps, epochs=epochs, verbose=0, shuffle=False
            )
            for term in ("reconstruction", "adversarial", "real", "fake"):
                curves.setdefault(term, {}).setdefault(precision, []).append(history.history[term])
    gaps = {}
    for term, both in curves.items():
        plain, mixed = np.array(both["float32"]), np.array(both["bfloat16"])
        gap = np.abs(plain.mean(axis=0) - mixed.mean(axis=0))
        error = np.sqrt((plain.var(axis=0, ddof=1) + mixed.var(axis=0, ddof=1)) / seeds)
        gaps[term] = {
            "float32": plain.mean(axis=0).round(5).tolist(),
            "bfloat16": mixed.mean(axis=0).round(5).tolist(),
            "standard_errors": (gap / error).round(2).tolist(),
            "within_noise": bool((gap < 2 * error).all()),
        }
    seen = [steps * (n + 1) * recipe.schedule.batch_size for n in range(epochs)]
    return {"seeds": seeds, "images_seen": seen, "terms": gaps}


if __name__ == "__main__":
    main()
