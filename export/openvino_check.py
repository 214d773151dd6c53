"""Runs a trained model's LiteRT files and SavedModel in OpenVINO and prints how far each is from Keras.

    python openvino_check.py runs/augintae_mnist/model.keras

Needs `pip install openvino`. OpenVINO reads one signature of a file of several: `decode` of the LiteRT files and
`serving_default` of the SavedModel. Nothing is kept.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from openvino import Core

from kerasinterp.errors import InputError
from kerasinterp.exporting import export_saved_model, export_tflite
from kerasinterp.generation import load_model

PRECISIONS = ("float32", "float16", "dynamic")


def difference(path: Path, values: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference from `expected` of what OpenVINO makes of `values`, on the processor."""
    (made,) = Core().compile_model(str(path), "CPU")(values).values()
    return float(np.abs(made - expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a trained model's exports in OpenVINO and compare with Keras.")
    parser.add_argument("model", type=Path, help="a .keras file that kerasinterp wrote")
    arguments = parser.parse_args()
    try:
        model = load_model(arguments.model)
        images = np.random.default_rng(0).uniform(-1, 1, (1, *model.image_shape)).astype(np.float32)
        latent = np.asarray(model.encoder(images, training=False))
        expected = np.clip(np.asarray(model.decoder(latent, training=False)), -1.0, 1.0)
        with tempfile.TemporaryDirectory() as folder:
            for precision in PRECISIONS:
                path = export_tflite(model, Path(folder) / f"{precision}.tflite", precision)
                print(f"LiteRT {precision:8} decode          {difference(path, latent, expected):.1e}")
            path = export_saved_model(model, Path(folder) / "saved_model")
            print(f"SavedModel      serving_default {difference(path, images, expected):.1e}")
    except (InputError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
