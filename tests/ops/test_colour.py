"""Colour jitter against NumPy and the standard library's HSV."""

import colorsys

import numpy as np
import tensorflow as tf

from kerasinterp.ops import colour

IMAGES = np.random.default_rng(0).uniform(0, 1, (6, 4, 5, 3))
ONES, ZEROS = np.ones(6), np.zeros(6)
LUMA = np.array([0.2989, 0.587, 0.114])  # ITU-R BT.601


def jittered(images, *factors):
    """In [0, 1], as `images`."""
    factors = [tf.constant(factor, tf.float32) for factor in factors]
    return (colour.jitter(tf.constant(2 * images - 1, tf.float32), *factors).numpy() + 1) / 2


def test_the_neutral_factors_change_nothing():
    np.testing.assert_allclose(jittered(IMAGES, ONES, ONES, ONES, ZEROS), IMAGES, atol=1e-5)


def test_brightness_then_contrast_then_saturation_each_clipped():
    """With factors so far from 1 that every clipping shows at both ends."""
    brightness, contrast, saturation = np.random.default_rng(1).uniform(0.3, 3.0, (3, 6))
    expected = []
    for image, b, c, s in zip(IMAGES, brightness, contrast, saturation, strict=True):
        image = np.clip(b * image, 0, 1)
        mean = (image @ LUMA).mean()
        image = np.clip(mean + c * (image - mean), 0, 1)
        grey = (image @ LUMA)[..., np.newaxis]
        expected.append(np.clip(grey + s * (image - grey), 0, 1))
    np.testing.assert_allclose(jittered(IMAGES, brightness, contrast, saturation, ZEROS), expected, atol=2e-5)
    assert np.min(expected) == 0 and np.max(expected) == 1


def test_hue_is_a_shift_in_turns():
    hue = np.array([-0.9, -0.25, 0.1, 1 / 3, 0.5, 1.4])
    expected = np.empty_like(IMAGES)
    for index in np.ndindex(IMAGES.shape[:3]):
        h, s, v = colorsys.rgb_to_hsv(*IMAGES[index])
        expected[index] = colorsys.hsv_to_rgb((h + hue[index[0]]) % 1.0, s, v)
    np.testing.assert_allclose(jittered(IMAGES, ONES, ONES, ONES, hue), expected, atol=1e-4)
