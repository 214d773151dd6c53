"""Gradients at images: balanced, and held to a length of 1."""

from collections.abc import Callable

import tensorflow as tf

from kerasinterp.ops import losses, replicas


def image_norms(gradient: tf.Tensor) -> tf.Tensor:
    """Euclidean norm of each image's gradient, (B, ...) -> (B, 1, ..., 1)."""
    axes = list(range(1, gradient.shape.rank))
    return tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=axes, keepdims=True))


def balance(reconstruction: tf.Tensor, adversarial: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
    """The gradient of `L_recon + k * gamma * L_adv` at the decoded images (AugIntAE eq. 2-3).

    gamma is the ratio of the two gradients' norms, image by image. Where more images are decoded than have a target of
    their own (IntAE's interpolations), each adversarial gradient is matched to the mean norm of those that have one,
    times their share: so the two losses weigh the same in sum (ours: A.1 says that adversarial gradients match those of
    the reconstruction loss, and that at k = 1 the losses are equally weighted).

    Args:
        reconstruction: gradient of the reconstruction loss at the decoded images, (B, H, W, C).
        adversarial: gradient of the adversarial loss at the same images.
        k: the weight of eq. 4-6, a scalar in [0, 1].
    """
    target, norm = image_norms(reconstruction), image_norms(adversarial)
    has_target = tf.cast(target > 0.0, target.dtype)
    share = replicas.mean(tf.reduce_mean(has_target))
    mean = replicas.mean(tf.reduce_mean(target)) / tf.maximum(share, 1e-12)
    gamma = share * tf.where(target > 0.0, target, mean) / tf.maximum(norm, 1e-12)
    return reconstruction + k * gamma * adversarial


def penalty(
    critic: Callable[[tf.Tensor], tf.Tensor], real: tf.Tensor, fake: tf.Tensor, epsilon: tf.Tensor
) -> tf.Tensor:
    """How far a critic's slope at each point between a real and a fake image is from 1 (WGAN-GP).

        (|grad C(x)| - 1)^2,  x = epsilon real + (1 - epsilon) fake

    The norm is over all of an image, with 1e-12 inside its root (`losses.distance`; ours): where the slope is 0, at a
    critic's first steps, the root would give NaN.

    Args:
        critic: images -> scores (B, 1), each of its own image alone.
        real, fake: images (B, ...).
        epsilon: (B,) in [0, 1], one an image.

    Returns:
        float32 (B,), differentiable at the critic's weights.

    Source: Gulrajani et al. (2017), equation 3 and algorithm 1.
    """
    epsilon = tf.reshape(epsilon, [-1] + [1] * (real.shape.rank - 1))
    between = epsilon * real + (1.0 - epsilon) * fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        scores = critic(between)
    return tf.square(losses.distance(0.0, tape.gradient(scores, between)) - 1.0)
