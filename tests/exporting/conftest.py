import pathlib
import sys

import numpy as np
import pytest
import tensorflow as tf

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # tests are imported by path: trained_networks.py is found here

from trained_networks import noise, trained


@pytest.fixture(scope="session")
def model():
    return trained()


@pytest.fixture(scope="session")
def batch(model):
    """Inputs and what Keras makes of them."""
    a, b, alpha = noise(1), noise(2), np.linspace(0, 1, 5, dtype=np.float32)
    latent_a, latent_b = (model.encoder(images, training=False) for images in (a, b))
    interpolated = model.decoder(model.mixing(latent_a, latent_b, tf.constant(alpha)), training=False)
    return {
        "a": a,
        "b": b,
        "alpha": alpha,
        "latent_a": latent_a.numpy(),
        "latent_b": latent_b.numpy(),
        "decoded": model.decoder(latent_a, training=False).numpy(),
        "interpolated": interpolated.numpy(),
    }
