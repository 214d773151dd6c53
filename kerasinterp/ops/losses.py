"""Losses, one value an image, always float32."""

from collections.abc import Callable

import tensorflow as tf

from kerasinterp import _tensorflow_gan
from kerasinterp.errors import InputError
from kerasinterp.ops.pyramid import laplacian


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


def squared_error(target: tf.Tensor | float, image: tf.Tensor) -> tf.Tensor:
    """Mean squared error of each image (or code, score), (B, ...) -> (B,)."""
    difference = tf.square(tf.cast(target, tf.float32) - tf.cast(image, tf.float32))
    return tf.reduce_mean(difference, axis=list(range(1, difference.shape.rank)))


def distance(target: tf.Tensor | float, code: tf.Tensor) -> tf.Tensor:
    """Euclidean distance of each code or image, (B, ...) -> (B,) (AMR eq. 2 and 5's norms)."""
    difference = tf.square(tf.cast(target, tf.float32) - tf.cast(code, tf.float32))
    # The root has no gradient at 0: without this it is NaN there.
    return tf.sqrt(tf.reduce_sum(difference, axis=list(range(1, difference.shape.rank))) + 1e-12)


def cross_entropy(scores: tf.Tensor, label: float | tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy of logits (B, ...) with `label` in 0..1, a mean over all axes but the first: (B,).

    The loss of the original GAN: the discriminator minimises it with label 1 on real and 0 on fake images, the
    generator with label 1 on fake ones (Goodfellow et al., 2014; AMR eq. 2).
    """
    scores = tf.cast(scores, tf.float32)
    label = tf.broadcast_to(tf.cast(label, tf.float32), tf.shape(scores))
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=scores)
    return tf.reduce_mean(losses, axis=list(range(1, losses.shape.rank)))


def hinge(scores: tf.Tensor, side: float) -> tf.Tensor:
    """max(0, 1 - side * score) of each, (B, 1) -> (B,).

    The discriminator minimises it with side 1 on real and -1 on fake images (Lim and Ye, 2017; Miyato et al., 2018).
    """
    return tf.nn.relu(1.0 - side * tf.reshape(tf.cast(scores, tf.float32), [-1]))


def orientation_error(logits: tf.Tensor) -> tf.Tensor:
    """The mean cross-entropy of each image's four orientations, one behind the other, (4 B, 4) -> (B,).

    Row q B + i has the logits of image i turned by q quarters (RotNet; Gidaris et al., 2018, eq. 3).
    """
    logits = tf.cast(logits, tf.float32)
    quarters = tf.repeat(tf.range(4), tf.shape(logits)[0] // 4)
    errors = tf.nn.sparse_softmax_cross_entropy_with_logits(quarters, logits)
    return tf.reduce_mean(tf.reshape(errors, [4, -1]), axis=0)


def divergence(
    mean: tf.Tensor, log_variance: tf.Tensor, of: tuple[tf.Tensor | float, tf.Tensor | float] = (0.0, 0.0)
) -> tf.Tensor:
    """KL(N(mean, variance) | N(m, v)) in nats, of independent features (B, ...) -> (B,).

    Args:
        of: m and log v; by default N(0, 1).
    """
    other, other_log_variance = (tf.cast(one, mean.dtype) for one in of)
    distance = (tf.square(mean - other) + tf.exp(log_variance)) * tf.exp(-other_log_variance)
    each = 0.5 * (distance - 1.0 + other_log_variance - log_variance)
    return tf.reduce_sum(each, axis=list(range(1, each.shape.rank)))


def laplacian_error(target: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """The absolute errors of the levels of two images' Laplacian pyramids, added, (B, H, W, C) -> (B,).

    Each is a mean over a level's pixels, of which it has a quarter of those of the level below: sum_l 4^l |L_l(x) -
    L_l(x')|_1 of COLA eq. 3.5, divided by the number of the image's pixels and channels.
    """
    levels = zip(laplacian(target), laplacian(image), strict=True)
    return tf.add_n([absolute_error(*level) for level in levels])


def feature_error(
    network: Callable,
    target: tf.Tensor,
    image: tf.Tensor,
    error: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = absolute_error,
) -> tf.Tensor:
    """The errors of what a fixed network makes of two images, added over its outputs, (B, H, W, C) -> (B,).

    Absolute ones are COLA's eq. 3.4, sum_i |xi_i(x) - xi_i(x')|_1, each a mean over a layer's features, as in
    yedidh/glann (Johnson et al., 2016).
    """
    # One after the other: no gradient passes through the target's, and none is computed.
    features = [tf.nest.flatten(network(one, training=False)) for one in (target, image)]
    return tf.add_n([error(*pair) for pair in zip(*features, strict=True)])


RECONSTRUCTION = {
    "absolute": absolute_error,
    "squared": squared_error,
    "euclidean": distance,
    "laplacian": laplacian_error,
}


def check_reconstruction(name: str) -> None:
    """Raises InputError unless there is a reconstruction loss of that name."""
    if name not in RECONSTRUCTION:
        raise InputError(f"reconstruction_loss is {' or '.join(RECONSTRUCTION)}, not {name!r}.")
