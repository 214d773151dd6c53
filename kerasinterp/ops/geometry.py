"""Affine transformations of image batches, in graph mode, each image with its own parameters."""

import math

import tensorflow as tf


def affine(
    rotation: tf.Tensor, translation: tf.Tensor, scale: tf.Tensor, shear: tf.Tensor, size: tuple[int, int]
) -> tf.Tensor:
    """The transformations `T R S_h S` about the image centre, as the eight numbers that `warp` takes.

    Args:
        rotation: degrees (B,), positive from the x axis towards the y axis.
        translation: pixels (B, 2), right and down.
        scale: factors (B,), 2 doubles the size.
        shear: degrees (B,), parallel to the x axis.
        size: height and width of the images.

    Returns:
        float32 (B, 8), the inverse maps from output to input pixels.
    """
    angle, slant = rotation * (math.pi / 180.0), tf.tan(shear * (math.pi / 180.0))
    cos, sin = tf.cos(angle), tf.sin(angle)
    # (R H S)^-1 = S^-1 H^-1 R^-1 with R = [[cos, -sin], [sin, cos]], H = [[1, -slant], [0, 1]]
    xx, xy = (cos - slant * sin) / scale, (sin + slant * cos) / scale
    yx, yy = -sin / scale, cos / scale
    centre_y, centre_x = (size[0] - 1) / 2.0, (size[1] - 1) / 2.0
    x, y = centre_x + translation[:, 0], centre_y + translation[:, 1]
    zero = tf.zeros_like(xx)
    columns = [xx, xy, centre_x - xx * x - xy * y, yx, yy, centre_y - yx * x - yy * y, zero, zero]
    return tf.stack(columns, axis=1)


def warp(images: tf.Tensor, transforms: tf.Tensor, fill: float | None) -> tf.Tensor:
    """Images (B, H, W, C) under the inverse maps (B, 8), bilinear.

    Args:
        fill: the value outside the image, or None to continue it symmetrically (AugIntAE A.1, CIFAR).
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0 if fill is None else fill,
        interpolation="BILINEAR",
        fill_mode="REFLECT" if fill is None else "CONSTANT",
    )
