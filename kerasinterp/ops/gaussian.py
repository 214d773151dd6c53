"""One Gaussian for a set of latents, or one for each of several."""

import numpy as np
import tensorflow as tf


def fitted(latents: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(B, n) -> the mean (n,) and a root R (n, n) of the covariance, R R^T, both exactly those of the latents."""
    mean = tf.reduce_mean(latents, axis=0)
    covariance = tf.matmul(latents - mean, latents - mean, transpose_a=True) / tf.cast(len(latents), tf.float32)
    # The root of a singular matrix too: there may be fewer latents than features.
    values, vectors = tf.linalg.eigh(covariance)
    return mean, vectors * tf.sqrt(tf.maximum(values, 0.0))


def transformed(normal: tf.Tensor, mean: tf.Tensor, root: tf.Tensor) -> tf.Tensor:
    """Draws (B, n) from N(0, 1) made draws from the Gaussian of that mean and root."""
    mean, root = tf.cast(mean, normal.dtype), tf.cast(root, normal.dtype)
    return mean + tf.matmul(normal, root, transpose_b=True)


def of_sets(noise: np.ndarray, wanted: np.ndarray, latents: tf.Tensor, sets: np.ndarray, spread: float = 1.0):
    """Draws of several Gaussians, float32 (B, n), each fitted to a set of latents.

    Args:
        noise: N(0, 1), float32 (B, n).
        wanted: the set that each is of, integers (B,).
        latents: (N, n), each of one of the `sets` (N,).
        spread: a factor of every deviation.
    """
    drawn = np.empty_like(noise)
    for one in np.unique(wanted):
        mean, root = fitted(tf.boolean_mask(latents, sets == one))
        drawn[wanted == one] = transformed(tf.constant(noise[wanted == one]), mean, spread * root)
    return tf.constant(drawn)
