"""Codes found by descent."""

from collections.abc import Callable

import tensorflow as tf


def by_adam(
    errors_of: Callable[[tf.Tensor], tf.Tensor],
    codes: tf.Tensor,
    steps: int,
    rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
) -> tf.Tensor:
    """Codes (B, n) after that many steps of Adam on `errors_of(codes)`, (B,); each goes its own way. In one graph."""

    def step(number: tf.Tensor, codes: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tuple:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(codes)
            errors = errors_of(codes)
        gradient = tape.gradient(errors, codes)
        first = betas[0] * first + (1.0 - betas[0]) * gradient
        second = betas[1] * second + (1.0 - betas[1]) * tf.square(gradient)
        power = tf.cast(number, codes.dtype)
        rescaled = first / (1.0 - betas[0] ** power), second / (1.0 - betas[1] ** power)
        return number + 1, codes - rate * rescaled[0] / (tf.sqrt(rescaled[1]) + 1e-8), first, second

    def course(codes: tf.Tensor) -> tf.Tensor:
        start = (tf.constant(1), codes, tf.zeros_like(codes), tf.zeros_like(codes))
        return tf.while_loop(lambda number, *_: number <= steps, step, start)[1]

    return tf.function(course, autograph=False)(codes)


def nearest_image(images: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Of each image (B, ...), the place of the nearest of the others (M, ...), by squared error: int64 (B,)."""
    rows, pool = (tf.reshape(one, [tf.shape(one)[0], -1]) for one in (images, others))
    return tf.argmax(tf.matmul(rows, pool, transpose_b=True) - 0.5 * tf.reduce_sum(tf.square(pool), axis=1), axis=1)
