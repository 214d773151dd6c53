"""The smallest networks that an objective takes: linear, so that a test can follow them by hand."""

import keras
import numpy as np

SHAPE = (8, 8, 1)
LATENT = 4


def linear_networks(seed: int = 0) -> dict[str, keras.Model]:
    images, latent = keras.Input(SHAPE), keras.Input((LATENT,))

    def dense(units, offset, **kwargs):
        initializer = keras.initializers.RandomNormal(stddev=0.3, seed=10 * seed + offset)
        return keras.layers.Dense(units, kernel_initializer=initializer, **kwargs)

    flat = keras.layers.Flatten()(images)
    code = keras.layers.UnitNormalization(dtype="float32")(dense(LATENT, 1)(flat))
    decoded = keras.layers.Reshape(SHAPE, dtype="float32")(dense(int(np.prod(SHAPE)), 2)(latent))
    score = keras.layers.Activation("linear", dtype="float32")(dense(1, 3)(flat))
    return {
        "encoder": keras.Model(images, code, name="encoder"),
        "decoder": keras.Model(latent, decoded, name="decoder"),
        "discriminator": keras.Model(images, score, name="discriminator"),
    }


def triplet_batch(count: int = 6, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    batch = {key: rng.uniform(-1, 1, (count, *SHAPE)).astype(np.float32) for key in "abc"}
    return batch | {"alpha": rng.uniform(size=count).astype(np.float32)}
