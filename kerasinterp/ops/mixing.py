"""Mixing two latents: functions, and the frozen values that objectives carry.

Everywhere in the package `t` (or `alpha`) is the weight of the second latent: 0 gives `a`, 1 gives `b`.
"""

import dataclasses

import keras
import tensorflow as tf


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


def _length(x: tf.Tensor) -> tf.Tensor:
    # A floor of 1e-6 on the square, not smaller: float16 flushes 1e-12 to zero.
    return tf.sqrt(tf.maximum(tf.reduce_sum(tf.square(x), axis=-1, keepdims=True), 1e-6))


class _Mixing:
    def get_config(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)


@keras.saving.register_keras_serializable("kerasinterp")
@dataclasses.dataclass(frozen=True)
class Linear(_Mixing):
    """Linear mixing of two latents of any shape."""

    def __call__(self, a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        return lerp(a, b, t)


@keras.saving.register_keras_serializable("kerasinterp")
@dataclasses.dataclass(frozen=True)
class Spherical(_Mixing):
    """Spherical mixing (SLERP) of two latent vectors (AugIntAE A.1)."""

    def __call__(self, a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        return slerp(a, b, t)
