"""The quick convolutions against TensorFlow's own, values and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.ops import convolution


@pytest.mark.parametrize("phases", [True, False])
@pytest.mark.parametrize("channels", [1, 3, 9])
def test_conv2d_equals_tensorflow(channels, phases, monkeypatch):
    monkeypatch.setattr(convolution, "_PHASES", phases)  # on every processor
    images, kernel = (_normal((3, 8, 12, channels), 1), _normal((4, 4, channels, 5), 2))
    _compare(lambda x, k: tf.nn.conv2d(x, k, 2, "SAME"), convolution.conv2d, images, kernel)


@pytest.mark.parametrize("channels", [1, 3, 9])
def test_conv2d_transpose_equals_tensorflow(channels):
    maps, kernel = _normal((3, 4, 6, 5), 1), _normal((4, 4, channels, 5), 2)
    shape = [3, 8, 12, channels]
    _compare(lambda x, k: tf.nn.conv2d_transpose(x, k, shape, 2, "SAME"), convolution.conv2d_transpose, maps, kernel)


def _normal(shape, seed):
    return tf.constant(np.random.default_rng(seed).standard_normal(shape), tf.float32)


def _compare(expected, found, *arguments):
    values, gradients = [], []
    for function in (expected, found):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            value = function(*arguments)
            loss = tf.reduce_sum(value * tf.cos(value))
        values.append(value)
        gradients.append(tape.gradient(loss, arguments))
    np.testing.assert_allclose(values[0], values[1], atol=1e-4)
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3, rtol=1e-4)


def test_the_gradient_of_the_weights_in_bfloat16():
    """Products of its own; against float32 within what 8 bits and a sum of 72 can round."""
    images, upstream, kernel = _normal((3, 8, 12, 9), 1), _normal((3, 4, 6, 5), 2), _normal((4, 4, 9, 5), 3)
    gradients = []
    for dtype in (tf.float32, tf.bfloat16):
        x, k = tf.cast(images, dtype), tf.cast(kernel, dtype)
        with tf.GradientTape() as tape:
            tape.watch(k)
            loss = tf.reduce_sum(convolution.conv2d(x, k) * tf.cast(upstream, dtype))
        gradients.append(tf.cast(tape.gradient(loss, k), tf.float32))
    np.testing.assert_allclose(gradients[1], gradients[0], atol=0.03 * np.abs(gradients[0]).max())
