"""Losses and their gradients against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.ops import losses

TARGET, IMAGE = np.random.default_rng(0).normal(size=(2, 4, 3, 2, 1))
DIFFERENCE = IMAGE - TARGET
LENGTH = np.sqrt(np.sum(DIFFERENCE**2, axis=(1, 2, 3)))

# By name: the values (4,), and their sum's gradient at the second argument, each from its equation.
ERRORS = {
    "absolute": (np.abs(DIFFERENCE).mean(axis=(1, 2, 3)), np.sign(DIFFERENCE) / 6),  # AugIntAE eq. 1
    "squared": ((DIFFERENCE**2).mean(axis=(1, 2, 3)), 2 * DIFFERENCE / 6),
    "euclidean": (LENGTH, DIFFERENCE / LENGTH.reshape(-1, 1, 1, 1)),  # AMR eq. 2
}


def value_and_gradients(loss, *arguments):
    arguments = [tf.constant(argument, tf.float32) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value = loss(*arguments)
    return value, tape.gradient(value, arguments)


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_images(name):
    """Both arguments learn: the codes of mixes are compared with those of their images (AMR eq. 5)."""
    value, (of_target, of_image) = value_and_gradients(losses.RECONSTRUCTION[name], TARGET, IMAGE)
    expected, slope = ERRORS[name]
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(of_image, slope, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(of_target, -slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_codes(name):
    found = losses.RECONSTRUCTION[name](*(tf.constant(x.reshape(4, 6), tf.float32) for x in (TARGET, IMAGE)))
    np.testing.assert_allclose(found, ERRORS[name][0], rtol=1e-5)


def test_a_number_is_a_target_too():
    np.testing.assert_allclose(losses.squared_error(0.5, tf.constant([[1.0], [-1.0]])), [0.25, 2.25])


def test_the_euclidean_distance_has_a_gradient_at_nought():
    value, gradients = value_and_gradients(losses.distance, TARGET, TARGET)
    np.testing.assert_allclose(value, 0.0, atol=2e-6)
    assert all(np.abs(gradient).max() == 0.0 for gradient in gradients)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_least_squares_is_half_the_squared_distance(label):
    """Mao et al. (2017), eq. 9."""
    scores = np.array([[-1.5], [0.0], [0.7], [3.0]])
    value, (slope,) = value_and_gradients(lambda s: losses.least_squares(s, label), scores)
    assert value.shape == (4,)
    np.testing.assert_allclose(value, 0.5 * (scores[:, 0] - label) ** 2, rtol=1e-5)
    np.testing.assert_allclose(slope, scores - label, rtol=1e-5)


@pytest.mark.parametrize("label", [0.0, 1.0, np.array([[1.0, 0.0], [0.0, 0.25], [1.0, 1.0]])])
def test_cross_entropy_is_that_of_logits(label):
    """Goodfellow et al. (2014): -y log p - (1 - y) log(1 - p), p = 1 / (1 + exp(-score)), a mean over an example."""
    scores = np.array([[-3.0, 0.4], [0.0, 2.0], [1.0, -0.7]])
    p = 1 / (1 + np.exp(-scores))
    value, (slope,) = value_and_gradients(lambda s: losses.cross_entropy(s, label), scores)
    np.testing.assert_allclose(value, np.mean(-label * np.log(p) - (1 - label) * np.log(1 - p), axis=1), rtol=1e-5)
    np.testing.assert_allclose(slope, (p - label) / 2, rtol=1e-4, atol=1e-6)


def test_a_score_of_images_positions_gives_one_value_an_image():
    scores = tf.constant(np.random.default_rng(1).normal(size=(3, 4, 4, 2)), tf.float32)
    expected = np.log1p(np.exp(-scores.numpy().astype(float))).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(losses.cross_entropy(scores, 1.0), expected, rtol=1e-5)


def test_losses_of_half_precision_are_computed_in_float32():
    low, high = (tf.constant(x, tf.bfloat16) for x in (TARGET, IMAGE))
    for loss in (*losses.RECONSTRUCTION.values(), lambda _, image: losses.cross_entropy(image, 1.0)):
        exact = loss(tf.cast(low, tf.float32), tf.cast(high, tf.float32))
        found = loss(low, high)
        assert found.dtype == tf.float32
        np.testing.assert_array_equal(found, exact)


def test_divergence_of_gaussians():
    """KL(N(m1, v1) | N(m2, v2)) = (log v2 / v1 - 1 + (v1 + (m1 - m2)^2) / v2) / 2, summed over features."""
    first, log_first, second, log_second = np.random.default_rng(1).normal(size=(4, 3, 5))
    v1, v2 = np.exp(log_first), np.exp(log_second)
    each = 0.5 * (np.log(v2 / v1) - 1 + (v1 + (first - second) ** 2) / v2)
    found, slopes = value_and_gradients(
        lambda a, b, c, d: losses.divergence(a, b, of=(c, d)), first, log_first, second, log_second
    )
    np.testing.assert_allclose(found, each.sum(axis=1), rtol=1e-5)
    expected = [(first - second) / v2, 0.5 * (v1 / v2 - 1), (second - first) / v2]
    for slope, one in zip(slopes, [*expected, 0.5 - 0.5 * (v1 + (first - second) ** 2) / v2], strict=True):
        np.testing.assert_allclose(slope, one, rtol=1e-4, atol=1e-5)
    standard = 0.5 * (first**2 + v1 - 1 - log_first).sum(axis=1)
    np.testing.assert_allclose(losses.divergence(*map(tf.constant, (first, log_first))), standard, rtol=1e-6)
    np.testing.assert_allclose(losses.divergence(tf.zeros((2, 3)), tf.zeros((2, 3))), 0.0)


def test_hinge():
    """Miyato et al. (2018), eq. 16 and 17: no more is asked for beyond a score of 1 on the right side."""
    scores = np.array([[-2.0], [-0.3], [0.4], [1.5]])
    for side in (1.0, -1.0):
        value, (slope,) = value_and_gradients(lambda x, side=side: losses.hinge(x, side), scores)
        np.testing.assert_allclose(value, np.maximum(0, 1 - side * scores[:, 0]), rtol=1e-6)
        np.testing.assert_array_equal(slope, np.where(side * scores < 1, -side, 0))


def test_features_are_compared_by_eq_3_4():
    """COLA: sum_i |xi_i(x) - xi_i(x')|_1, each a mean over the layer (yedidh/glann); or by another error."""
    first, second = np.random.default_rng(1).normal(size=(2, 6, 5))

    def network(images, training):
        flat = tf.reshape(images, [-1, 6])
        return [tf.reshape(flat @ tf.constant(first, tf.float32), [-1, 5, 1]), flat @ tf.constant(second, tf.float32)]

    value, (_, slope) = value_and_gradients(lambda *pair: losses.feature_error(network, *pair), TARGET, IMAGE)
    apart = [DIFFERENCE.reshape(4, 6) @ matrix for matrix in (first, second)]
    np.testing.assert_allclose(value, sum(np.abs(one).mean(axis=1) for one in apart), rtol=1e-5)
    expected = sum(np.sign(one) @ matrix.T / 5 for one, matrix in zip(apart, (first, second), strict=True))
    np.testing.assert_allclose(tf.reshape(slope, [4, 6]), expected, rtol=1e-4, atol=1e-5)
    pair = (tf.constant(TARGET, tf.float32), tf.constant(IMAGE, tf.float32))
    alone = losses.feature_error(lambda *x, training: network(*x, training)[0], *pair, losses.squared_error)
    np.testing.assert_allclose(alone, (apart[0] ** 2).mean(axis=1), rtol=1e-5)
