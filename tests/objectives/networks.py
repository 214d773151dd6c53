"""The smallest networks that an objective takes: linear, so that a test can follow them by hand."""

import keras
import numpy as np

SHAPE = (8, 8, 1)
LATENT = 4
LABELS = 3


def linear(inputs: tuple, outputs: tuple, seed: int, normalised: bool = False, name: str | None = None) -> keras.Model:
    """One matrix, without bias; see `apply`."""
    x = given = keras.Input(inputs)
    initializer = keras.initializers.RandomNormal(stddev=0.3, seed=seed)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(int(np.prod(outputs)), kernel_initializer=initializer, use_bias=False)(x)
    x = keras.layers.UnitNormalization(dtype="float32")(x) if normalised else x
    return keras.Model(given, keras.layers.Reshape(outputs, dtype="float32")(x), name=name)


def apply(network: keras.Model, x: np.ndarray) -> np.ndarray:
    """What a linear network gives, in NumPy and float64."""
    x = np.asarray(x, float)
    return (x.reshape(len(x), -1) @ network.weights[0].numpy().astype(float)).reshape(-1, *network.output_shape[1:])


def linear_networks(seed: int = 0, normalised: bool = True) -> dict[str, keras.Model]:
    """Every network that some objective asks for, by name."""
    shapes = {
        "encoder": (SHAPE, (LATENT,)),
        "decoder": ((LATENT,), SHAPE),
        "discriminator": (SHAPE, (1,)),
        "critic": (SHAPE, (1,)),
        "posterior": (SHAPE, (2 * LATENT,)),
        "latent_discriminator": ((LATENT,), (1,)),
        "judge_encoder": (SHAPE, (LATENT,)),
        "judge_decoder": ((LATENT,), SHAPE),
    }
    return {
        name: linear(*shape, 10 * seed + n, normalised and name == "encoder", name)
        for n, (name, shape) in enumerate(shapes.items(), 1)
    }


def make(cls: type, normalised: bool = False, **options):
    """An objective on linear networks."""
    networks = linear_networks(normalised=normalised)
    return cls(**{name: networks[name] for name in cls.network_names()}, **options)


def image_batch(count: int = 6, seed: int = 0) -> dict[str, np.ndarray]:
    return {"c": np.random.default_rng(seed).uniform(-1, 1, (count, *SHAPE)).astype(np.float32)}


def triplet_batch(count: int = 6, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    batch = {key: rng.uniform(-1, 1, (count, *SHAPE)).astype(np.float32) for key in "abc"}
    return batch | {"alpha": rng.uniform(size=count).astype(np.float32)}


# Losses in NumPy: one value an image.


def cross_entropy(scores: np.ndarray, label: float | np.ndarray) -> np.ndarray:
    p = 1.0 / (1.0 + np.exp(-scores.reshape(len(scores), -1)))
    return -(label * np.log(p) + (1.0 - label) * np.log(1.0 - p)).mean(axis=1)


def squared(x: np.ndarray) -> np.ndarray:
    return (x.reshape(len(x), -1) ** 2).mean(axis=1)


def absolute(x: np.ndarray) -> np.ndarray:
    return np.abs(x.reshape(len(x), -1)).mean(axis=1)


def euclidean(x: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x.reshape(len(x), -1), axis=1)
