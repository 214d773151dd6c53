"""Laplacian pyramids of images."""

import tensorflow as tf

_BLUR = (1.0, 4.0, 6.0, 4.0, 1.0)  # of 16: Burt and Adelson's (1983) 5 x 5 kernel, near a Gaussian of deviation 1


def laplacian(images: tf.Tensor, levels: int = 3) -> list[tf.Tensor]:
    """Images (B, H, W, C) as what each blur takes away, at half the size each time, and what is left at last, float32.

    Three levels (mtyka/laploss, tneumann/minimal_glo), or as many as there are with sides of at least two pixels.
    """
    rest, found = tf.cast(images, tf.float32), []
    for _ in range(levels):
        if min(rest.shape[1:3]) < 2:
            break
        blurred = _blurred(rest)
        found.append(rest - blurred)
        rest = tf.nn.avg_pool2d(blurred, 2, 2, "VALID")
    return [*found, rest]


def _blurred(images: tf.Tensor) -> tf.Tensor:
    """Beyond its border an image goes on as it ends: nothing dark comes in."""
    channels = images.shape[-1]
    line = tf.constant(_BLUR, images.dtype) / 16.0
    for axis, shape in ((1, [5, 1]), (2, [1, 5])):
        kernel = tf.tile(tf.reshape(line, [*shape, 1, 1]), [1, 1, channels, 1])
        first, last = (tf.gather(images, [place], axis=axis) for place in (0, images.shape[axis] - 1))
        framed = tf.concat([first, first, images, last, last], axis=axis)
        images = tf.nn.depthwise_conv2d(framed, kernel, [1, 1, 1, 1], "VALID")
    return images
