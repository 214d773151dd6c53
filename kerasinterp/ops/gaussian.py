"""One Gaussian for a set of latents."""

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
