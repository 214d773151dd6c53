"""Each map of each image alone, values and derivatives against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.nn.instance_normalization import InstanceNormalization

IMAGES = 2.0 * np.random.default_rng(0).normal(size=(3, 4, 5, 2)) + 7.0


def normalised(x, epsilon):
    mean, variance = x.mean(axis=(1, 2), keepdims=True), x.var(axis=(1, 2), keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.parametrize("epsilon", [1e-5, 0.5])
def test_the_values(epsilon):
    layer = InstanceNormalization(epsilon=epsilon)
    x = tf.constant(IMAGES, tf.float32)
    np.testing.assert_allclose(layer(x), normalised(IMAGES, epsilon), atol=1e-4)
    layer.gamma.assign([2.0, 3.0])
    layer.beta.assign([-1.0, 0.5])
    np.testing.assert_allclose(layer(x), normalised(IMAGES, epsilon) * [2, 3] + [-1, 0.5], atol=1e-3)


def test_the_gradient_of_a_directional_derivative():
    """Against differences of the exact derivative: TensorFlow's own moments get the second order wrong."""
    layer = InstanceNormalization(epsilon=1e-5, dtype="float64")
    x, direction = (tf.constant(np.random.default_rng(n).normal(size=(2, 4, 4, 1)) + n) for n in (1, 2))

    def slope(x):
        with tf.autodiff.ForwardAccumulator(x, direction) as accumulator:
            y = layer(x)
        return accumulator.jvp(y)

    step = 1e-6
    ahead, behind = (normalised(x.numpy() + s * direction.numpy(), 1e-5) for s in (step, -step))
    np.testing.assert_allclose(slope(x), (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-7)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(slope(x) ** 2)
    gradient = tape.gradient(loss, x).numpy()
    other = np.random.default_rng(5).normal(size=x.shape)

    def squared(x):
        ahead, behind = (normalised(x + s * direction.numpy(), 1e-5) for s in (1e-5, -1e-5))
        return np.sum(((ahead - behind) / 2e-5) ** 2)

    found = (squared(x.numpy() + 1e-4 * other) - squared(x.numpy() - 1e-4 * other)) / 2e-4
    assert np.sum(gradient * other) == pytest.approx(found, rel=1e-3)
