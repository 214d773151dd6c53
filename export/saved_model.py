"""Exports a trained model as a SavedModel and checks every float signature against Keras.

python saved_model.py runs/augintae_mnist/model.keras exported/augintae
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.exporting import export_saved_model
from kerasinterp.generation import decode, load_model


def compare(model, signatures) -> dict[str, float]:
    """The largest absolute difference from Keras of each float signature, on random images."""
    random = np.random.default_rng(0)
    shape = (4, *model.image_shape)
    a, b = (tf.constant(random.uniform(-1, 1, shape), tf.float32) for _ in range(2))
    alpha = tf.constant([0.0, 0.3, 0.7, 1.0])
    latent = model.encoder(a, training=False)
    mixed = model.mixing(latent, model.encoder(b, training=False), alpha)
    pairs = {
        "encode": (signatures["encode"](images=a)["latent"], latent),
        "decode": (signatures["decode"](latent=latent)["images"], decode(model, latent)),
        "interpolate": (
            signatures["interpolate"](image_a=a, image_b=b, alpha=alpha)["images"],
            decode(model, mixed),
        ),
        "serving_default": (signatures["serving_default"](images=a)["images"], decode(model, latent)),
    }
    return {name: float(tf.reduce_max(tf.abs(ours - keras))) for name, (ours, keras) in pairs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Export a trained model as a SavedModel and check it against Keras.")
    parser.add_argument("model", type=Path, help="a .keras file that kerasinterp wrote")
    parser.add_argument("output", type=Path, help="the folder to make")
    arguments = parser.parse_args()
    try:
        model = load_model(arguments.model)
        path = export_saved_model(model, arguments.output)
    except (InputError, OSError) as error:
        sys.exit(str(error))
    for name, difference in compare(model, tf.saved_model.load(str(path)).signatures).items():
        print(f"{name:16} differs from Keras by at most {difference:.1e}")
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    print(f"{path}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
