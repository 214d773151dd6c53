"""Dense networks: for points in the plane (AMR 5.2), for latents (ACAI's AAE baseline), and AMR's label mixer.

Leaky ReLUs of slope 0.2; initial weights as in ACAI's networks, for there is no normalisation here either.
"""

import keras

from kerasinterp.errors import InputError
from kerasinterp.nn import layers
from kerasinterp.nn.layers import Weights


def encoder(
    image_shape: tuple[int] = (2,),
    latent_size: int = 2,
    width: int = 128,
    seed: int = 0,
    name: str = "encoder",
    depth: int = 3,
) -> keras.Model:
    """Points (B, features) -> unbounded latents (B, latent_size); `depth` hidden layers of `width` units."""
    return _network(_features(image_shape), latent_size, width, seed, name, depth, "points", "code")


def decoder(
    image_shape: tuple[int] = (2,),
    latent_size: int = 2,
    width: int = 128,
    seed: int = 0,
    name: str = "decoder",
    depth: int = 3,
) -> keras.Model:
    """Latents (B, latent_size) -> unbounded points (B, features); `depth` hidden layers of `width` units."""
    return _network((latent_size,), *_features(image_shape), width, seed, name, depth, "latent", "points")


def discriminator(
    image_shape: tuple[int] = (2,), width: int = 128, seed: int = 0, name: str = "discriminator", depth: int = 3
) -> keras.Model:
    """Points (B, features) -> an unbounded score (B, 1), large for real points."""
    return _network(_features(image_shape), 1, width, seed, name, depth, "points", "score")


def critic(
    image_shape: tuple[int] = (2,), width: int = 128, seed: int = 0, name: str = "critic", depth: int = 3
) -> keras.Model:
    """Points (B, features) -> an unbounded estimate of the mixing coefficient (B, 1)."""
    return discriminator(image_shape, width, seed, name, depth)


def latent_discriminator(
    latent_shape: tuple[int, ...], units: int = 100, seed: int = 0, name: str = "latent_discriminator"
) -> keras.Model:
    """Latents (B, *latent_shape), flattened -> an unbounded score (B, 1), large for the prior's draws.

    Two hidden layers of `units`: the AAE baseline of ACAI (official aae.py).
    """
    return _network(tuple(latent_shape), 1, units, seed, name, 2, "latent", "score")


def label_mixer(
    labels: int, maps: int, width: int | None = None, seed: int = 0, name: str = "label_mixer"
) -> keras.Model:
    """Labels (B, labels) in [0, 1] -> the parameters (B, maps) of a Bernoulli mask over the latents' maps (AMR 2.1).

    Three dense layers, the first two with a ReLU and `width` units (by default `maps`), then a sigmoid. The released
    code has a third ReLU before the sigmoid, which keeps every parameter above 0.5 and which its authors call a bug.
    """
    weights = Weights(seed, 2.0)  # He et al. (2015)
    x = inputs = keras.Input((labels,), name="labels")
    for number in (1, 2):
        x = keras.layers.Dense(width or maps, kernel_initializer=weights(), name=f"dense_{number}")(x)
        x = layers.activated(x, "relu", number)
    x = keras.layers.Dense(maps, kernel_initializer=weights(), name="output")(x)
    return keras.Model(inputs, keras.layers.Activation("sigmoid", dtype="float32", name="parameters")(x), name=name)


def linear_head(representations: int, outputs: int, seed: int = 0, name: str = "linear_head") -> keras.Model:
    """Representations (B, n) of a trunk -> unbounded outputs (B, outputs), by one dense layer."""
    inputs = keras.Input((representations,), name="representations")
    return keras.Model(inputs, layers.head(inputs, outputs, Weights(seed, 1.0), "outputs"), name=name)


def _network(
    shape: tuple[int, ...], units: int, width: int, seed: int, name: str, depth: int, start: str, end: str
) -> keras.Model:
    weights = Weights(seed, 1.0 / (1.0 + 0.2**2))
    x = inputs = keras.Input(shape, name=start)
    x = keras.layers.Flatten(name="flatten")(x)
    for number in range(1, depth + 1):
        x = keras.layers.Dense(width, kernel_initializer=weights(), name=f"dense_{number}")(x)
        x = layers.activated(x, "leaky_relu", number)
    return keras.Model(inputs, layers.head(x, units, weights, end), name=name)


def _features(image_shape: tuple[int, ...]) -> tuple[int]:
    if len(image_shape) != 1 or image_shape[0] < 1:
        raise InputError(
            f"The dense networks take points of shape (features,), got {tuple(image_shape)}: for images take another "
            "backbone."
        )
    return (int(image_shape[0]),)
