"""Losses, one value an image, always float32."""

import tensorflow as tf

from kerasinterp import _tensorflow_gan


def absolute_error(target: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """Mean absolute error of each image, (B, ...) -> (B,): AugIntAE eq. 1's norm as a mean over pixels."""
    difference = tf.abs(tf.cast(target, tf.float32) - tf.cast(image, tf.float32))
    return tf.reduce_mean(difference, axis=list(range(1, difference.shape.rank)))


def least_squares(scores: tf.Tensor, label: float) -> tf.Tensor:
    """LSGAN's loss of each discriminator score, (B, 1) -> (B,): half the squared distance to `label`.

    The discriminator minimises it with label 1 on real and 0 on fake images, the generator with label 1 on fake
    ones (Mao et al., 2017, eq. 9; AugIntAE section 5).
    """
    loss = _tensorflow_gan.least_squares_generator_loss(scores, label, loss_collection=None, reduction="none")
    return tf.reshape(loss, [-1])
