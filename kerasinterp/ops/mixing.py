"""Mixing two latents: functions, and the frozen values that objectives carry.

Everywhere in the package `t` (or `alpha`) is the weight of the second latent: 0 gives `a`, 1 gives `b`.
"""

import dataclasses

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.ops import replicas


def _column(t: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Shapes `t`, a scalar or one value an example, to broadcast against `like` (B, ...)."""
    t = tf.cast(t, tf.float32)
    if t.shape.rank in (0, None):
        return t
    return tf.reshape(t, [-1] + [1] * (like.shape.rank - 1))


def lerp(a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
    """Linear interpolation of `a` and `b` (B, ...) at `t` (scalar or (B,))."""
    t = _column(t, a)
    return (1.0 - t) * a + t * b


def slerp(a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
    """Spherical linear interpolation along the last axis, lengths interpolated linearly.

    The half-angle form: `acos` is neither accurate near 0 and pi nor a LiteRT builtin. Value and gradient are
    finite for equal, opposite and zero vectors.

    Args:
        a, b: float32 (B, latent_size).
        t: the weight of `b` in [0, 1], a scalar or (B,).

    Source: AugIntAE A.1 (L2-normalised latents, SLERP); Shoemake (1985).
    """
    a, b, t = tf.cast(a, tf.float32), tf.cast(b, tf.float32), _column(t, a)
    length_a, length_b = _length(a), _length(b)
    unit_a, unit_b = a / length_a, b / length_b
    angle = 2.0 * tf.atan2(_length(unit_a - unit_b), _length(unit_a + unit_b))
    # The lengths' floor of 1e-3 keeps the angle in [0.001, pi - 0.001]: no division by zero, weights exact to 1e-7.
    weight_a, weight_b = tf.sin((1.0 - t) * angle) / tf.sin(angle), tf.sin(t * angle) / tf.sin(angle)
    return (weight_a * unit_a + weight_b * unit_b) * ((1.0 - t) * length_a + t * length_b)


def on_sphere(latents: tf.Tensor) -> tf.Tensor:
    """Latents (B, ..., n) brought to length 1 (AugIntAE A.1)."""
    return tf.math.l2_normalize(latents, axis=-1)


def _length(x: tf.Tensor) -> tf.Tensor:
    # A floor of 1e-6 on the square, not smaller: float16 flushes 1e-12 to zero.
    return tf.sqrt(tf.maximum(tf.reduce_sum(tf.square(x), axis=-1, keepdims=True), 1e-6))


class Mixing:
    """A way to mix latents; the frozen dataclasses below are its kinds.

    `mixing(a, b, t)` mixes two batches at the weights `t` of the second; `mixing.draw(latents, generator)` mixes a
    batch with itself, in reverse order (so each latent meets another one), at weights that it draws; on several devices
    the whole batch, whose shares they have.
    """

    on_sphere = False  # it is meant for latents of length one
    at_any_weight = False  # what `mixing(a, b, t)` does to latents is what `draw` does, at weights that are given

    def __call__(self, a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        return lerp(a, b, t)

    def draw(self, latents: tf.Tensor, generator: keras.random.SeedGenerator) -> tf.Tensor:
        """Mixes `latents` (B, ...) with weights drawn from `generator`."""
        alpha = replicas.uniform((tf.shape(latents)[0],), generator)
        return self(replicas.reverse(latents), latents, alpha)

    def check(self, latent_shape: tuple[int, ...]) -> None:
        """Raises InputError if latents of this shape (without the batch) cannot be mixed so."""

    def get_config(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)


@keras.saving.register_keras_serializable("kerasinterp")
@dataclasses.dataclass(frozen=True)
class Linear(Mixing):
    """Linear mixing of latents of any shape, one weight an example ("mixup": AMR eq. 3)."""

    at_any_weight = True


@keras.saving.register_keras_serializable("kerasinterp")
@dataclasses.dataclass(frozen=True)
class Spherical(Mixing):
    """Spherical mixing (SLERP) of two latent vectors (AugIntAE A.1)."""

    on_sphere = True
    at_any_weight = True

    def __call__(self, a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        return slerp(a, b, t)

    def check(self, latent_shape: tuple[int, ...]) -> None:
        if len(latent_shape) != 1:
            raise InputError(
                f"Spherical mixing is for latent vectors; these latents are maps of shape {latent_shape}: use Linear()."
            )


@keras.saving.register_keras_serializable("kerasinterp")
@dataclasses.dataclass(frozen=True)
class PerFeature(Mixing):
    """Linear mixing with a weight of its own for each feature (map) (AMR section 3, `mixup2` in its code)."""

    def draw(self, latents: tf.Tensor, generator: keras.random.SeedGenerator) -> tf.Tensor:
        alpha = replicas.uniform(_per_feature(latents), generator)
        return alpha * latents + (1.0 - alpha) * replicas.reverse(latents)

    def check(self, latent_shape: tuple[int, ...]) -> None:
        _check_features(type(self).__name__, latent_shape)


@keras.saving.register_keras_serializable("kerasinterp")
@dataclasses.dataclass(frozen=True)
class Bernoulli(Mixing):
    """Each feature (map) is taken whole from one of the two latents: m h1 + (1 - m) h2 (AMR eq. 4).

    In training m ~ Bernoulli(p) with p ~ U(0, 1), an example. Between two given latents the features change sides one
    after another as `t` grows, in a fixed random order, so that a path does not flicker.
    """

    def __call__(self, a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        with tf.init_scope():  # a constant in a traced graph: LiteRT has no random numbers
            threshold = tf.random.stateless_uniform([a.shape[-1]], seed=[0, 0]).numpy()
        return tf.where(threshold < _column(t, a), b, a)

    def draw(self, latents: tf.Tensor, generator: keras.random.SeedGenerator) -> tf.Tensor:
        shape = _per_feature(latents)
        p = replicas.uniform((shape[0], *[1] * (len(shape) - 1)), generator)
        return masked(replicas.uniform(shape, generator) < p, latents, replicas.reverse(latents))

    def check(self, latent_shape: tuple[int, ...]) -> None:
        _check_features(type(self).__name__, latent_shape)


@keras.saving.register_keras_serializable("kerasinterp")
@dataclasses.dataclass(frozen=True)
class Dirichlet(Mixing):
    """Convex mixing of `k` latents, weights from Dirichlet(1, ..., 1) (AMR's code); two given latents mix linearly."""

    k: int = 3

    def __post_init__(self):
        if self.k < 2:
            raise InputError(f"Dirichlet mixing takes k = 2 latents or more, not {self.k}.")

    def draw(self, latents: tf.Tensor, generator: keras.random.SeedGenerator) -> tf.Tensor:
        # Exponentials over their sum are Dirichlet(1, ..., 1).
        draws = replicas.uniform((self.k, tf.shape(latents)[0]), generator, 1e-7, 1.0, axis=1)
        weights = -tf.math.log(draws) / tf.reduce_sum(-tf.math.log(draws), axis=0)
        return sum(_column(weights[n], latents) * replicas.roll(latents, n) for n in range(self.k))


def masked(mask: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """m h1 + (1 - m) h2 (AMR eq. 4)."""
    mask = tf.cast(mask, first.dtype)
    return mask * first + (1.0 - mask) * second


def _per_feature(latents: tf.Tensor) -> tuple:
    """(B, 1, ..., features)."""
    return (tf.shape(latents)[0], *[1] * (latents.shape.rank - 2), latents.shape[-1])


def _check_features(kind: str, latent_shape: tuple[int, ...]) -> None:
    if latent_shape[-1] < 2:
        raise InputError(f"{kind} mixing chooses among features, and these latents have one: use Linear().")


BY_NAME = {
    "linear": Linear(),
    "spherical": Spherical(),
    "per_feature": PerFeature(),
    "bernoulli": Bernoulli(),
    "dirichlet": Dirichlet(),
}
