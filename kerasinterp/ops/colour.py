"""Colour jitter of image batches, each image with its own parameters."""

import tensorflow as tf

# ITU-R BT.601 luma, as `tf.image.rgb_to_grayscale`.
_LUMA = (0.2989, 0.587, 0.114)


def jitter(
    images: tf.Tensor, brightness: tf.Tensor, contrast: tf.Tensor, saturation: tf.Tensor, hue: tf.Tensor
) -> tf.Tensor:
    """Brightness, contrast, saturation and hue of RGB images, in this order, clipped to the range after each.

    Args:
        images: float32 (B, H, W, 3) in [-1, 1].
        brightness, contrast, saturation: factors (B,), 1 changes nothing.
        hue: shift in turns (B,), 0 changes nothing.
    """
    brightness, contrast, saturation = (tf.reshape(f, [-1, 1, 1, 1]) for f in (brightness, contrast, saturation))
    images = (images + 1.0) / 2.0
    images = _clip(brightness * images)
    mean = tf.reduce_mean(grey(images), axis=[1, 2, 3], keepdims=True)
    images = _clip(mean + contrast * (images - mean))
    luma = grey(images)
    images = _clip(luma + saturation * (images - luma))
    hsv = tf.image.rgb_to_hsv(images)
    shifted = tf.math.floormod(hsv[..., :1] + tf.reshape(hue, [-1, 1, 1, 1]), 1.0)
    return 2.0 * tf.image.hsv_to_rgb(tf.concat([shifted, hsv[..., 1:]], axis=-1)) - 1.0


def grey(images: tf.Tensor) -> tf.Tensor:
    """The luma (B, H, W, 1) of RGB images, of any range."""
    return tf.reduce_sum(images * tf.constant(_LUMA), axis=-1, keepdims=True)


def _clip(images: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(images, 0.0, 1.0)
