"""Exports a trained model as LiteRT (TFLite) files and reports size, error and time of each precision.

    python tflite.py runs/augintae_mnist/model.keras exported/ --images drawings/

Needs `ai-edge-litert` (`pip install kerasinterp[litert]`) for the report. `int8` needs `--images`, a folder of images
like those that the model will see.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from kerasinterp import data
from kerasinterp.errors import InputError
from kerasinterp.exporting import PRECISIONS, export_tflite
from kerasinterp.generation import decode, load_model


def milliseconds(runner, inputs: dict[str, np.ndarray], repeats: int = 50) -> float:
    """The median time of one call, one thread, after a first one."""
    runner(**inputs)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        runner(**inputs)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def report(model, path: Path, image: np.ndarray) -> str:
    """One line: size, then largest difference from Keras and time of each signature, at batch 1."""
    interpreter = Interpreter(str(path), num_threads=1)
    latent = model.encoder(image, training=False)
    other = tf.roll(latent, 1, axis=1)
    half = tf.fill([1], 0.5)
    cases = {
        "encode": ({"images": image}, latent),
        "decode": ({"latent": latent}, decode(model, latent)),
        "interpolate": (
            {"latent_a": latent, "latent_b": other, "alpha": half},
            decode(model, model.mixing(latent, other, half)),
        ),
    }
    parts = [f"{path.name:20} {path.stat().st_size / 1e6:6.1f} MB"]
    for name in interpreter.get_signature_list():
        inputs, expected = cases[name]
        inputs = {key: np.asarray(value) for key, value in inputs.items()}
        runner = interpreter.get_signature_runner(name)
        (output,) = runner(**inputs).values()
        parts.append(f"{name} {np.abs(output - expected).max():.1e} {milliseconds(runner, inputs):.2f} ms")
    return " | ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description="Export a trained model as LiteRT files and report on them.")
    parser.add_argument("model", type=Path, help="a .keras file that kerasinterp wrote")
    parser.add_argument("output", type=Path, help="the folder for PRECISION.tflite")
    parser.add_argument("--precision", choices=PRECISIONS, nargs="+", help="default: all that can be made")
    parser.add_argument("--images", type=Path, help="a folder of images: int8's calibration, and the report's example")
    arguments = parser.parse_args()
    precisions = arguments.precision or [p for p in PRECISIONS if p != "int8" or arguments.images]
    try:
        model = load_model(arguments.model)
        height, width, channels = model.image_shape
        images = None
        if arguments.images:
            images = data.images(arguments.images, image_size=height, channels=channels)
        image = np.random.default_rng(0).uniform(-1, 1, (1, height, width, channels)).astype(np.float32)
        if images is not None:
            image = images[:1].astype(np.float32) / 127.5 - 1.0
        for precision in precisions:
            representative = images if precision == "int8" else None
            path = export_tflite(model, arguments.output / f"{precision}.tflite", precision, representative)
            print(report(model, path, image), flush=True)
    except (InputError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
