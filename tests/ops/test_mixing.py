import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.ops import mixing


def reference(a, b, t):
    """SLERP in float64 with lengths interpolated linearly."""
    a, b = a.astype(float), b.astype(float)
    length_a, length_b = np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(b, axis=1, keepdims=True)
    a, b = a / length_a, b / length_b
    angle = np.arccos(np.clip(np.sum(a * b, axis=1, keepdims=True), -1, 1))
    direction = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return direction * ((1 - t) * length_a + t * length_b)


def test_slerp_against_float64():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 500, 32)).astype(np.float32)
    t = rng.uniform(size=(500, 1))
    np.testing.assert_allclose(mixing.slerp(tf.constant(a), tf.constant(b), t[:, 0]), reference(a, b, t), atol=5e-6)


def test_slerp_of_near_latents():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(50, 32))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    for distance in (1e-2, 1e-3, 1e-5):
        b = a + distance * np.roll(a, 1, axis=1)
        b /= np.linalg.norm(b, axis=1, keepdims=True)
        found = mixing.slerp(tf.constant(a, tf.float32), tf.constant(b, tf.float32), 0.3)
        np.testing.assert_allclose(found, reference(a, b, 0.3), atol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_ends_and_degenerate_pairs_are_finite(t):
    a = tf.constant([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 0.0]])
    for b in (a, -a, tf.zeros_like(a)):
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            mixed = mixing.slerp(a, b, t)
        gradients = tape.gradient(mixed, [a, b])
        assert np.isfinite(mixed).all()
        assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_the_weight_is_the_second_latents():
    a, b = tf.constant([[1.0, 0.0]]), tf.constant([[0.0, 1.0]])
    for mix in (mixing.Linear(), mixing.Spherical()):
        np.testing.assert_allclose(mix(a, b, 0.0), a, atol=1e-6)
        np.testing.assert_allclose(mix(a, b, tf.constant([1.0])), b, atol=1e-6)
    np.testing.assert_allclose(mixing.slerp(a, b, 0.5), [[0.5**0.5, 0.5**0.5]], atol=1e-6)
    np.testing.assert_allclose(mixing.lerp(a, b, 0.25), [[0.75, 0.25]], atol=1e-6)


# What each kind draws, followed by hand from the uniform numbers that it gets.

MAPS = (6, 2, 2, 5)


@pytest.fixture
def draws(monkeypatch):
    """Every uniform number drawn, in float64, an array a call."""
    seen, rng = [], np.random.default_rng(3)

    def uniform(shape, minval=0.0, maxval=1.0, seed=None):
        seen.append(rng.uniform(minval, maxval, [int(size) for size in shape]))
        return tf.constant(seen[-1], tf.float32)

    monkeypatch.setattr(keras.random, "uniform", uniform)
    return seen


@pytest.mark.parametrize("shape", [(6, 5), MAPS])
@pytest.mark.parametrize("kind", [mixing.Linear(), mixing.PerFeature(), mixing.Bernoulli(), mixing.Dirichlet(3)])
def test_draws_follow_the_paper(kind, shape, draws):
    """AMR eq. 3 and 4, and its code's two others: which latents meet, and at what weights."""
    h = np.random.default_rng(4).normal(size=shape).astype(np.float32)
    found = kind.draw(tf.constant(h), keras.random.SeedGenerator(0)).numpy()
    ones = [1] * (len(shape) - 1)
    match kind:
        case mixing.Linear():  # a = one number an example, the weight of its own latent
            a = draws[0].reshape(6, *ones)
            expected = a * h + (1 - a) * h[::-1]
        case mixing.PerFeature():
            assert draws[0].shape == (6, *ones[1:], 5)
            expected = draws[0] * h + (1 - draws[0]) * h[::-1]
        case mixing.Bernoulli():  # p an example, then a number a feature
            p, numbers = draws
            assert p.shape == (6, *ones) and numbers.shape == (6, *ones[1:], 5)
            expected = np.where(numbers < p, h, h[::-1])
        case mixing.Dirichlet():
            weights = -np.log(draws[0]) / -np.log(draws[0]).sum(axis=0)
            np.testing.assert_allclose(weights.sum(axis=0), 1.0)
            expected = sum(weights[n].reshape(6, *ones) * np.roll(h, n, axis=0) for n in range(3))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_dirichlet_weights_have_their_law():
    """Of Dirichlet(1, 1, 1) each weight has mean 1/3 and variance 1/18; within five standard errors of 3,000 draws."""
    one_hot = tf.reshape(tf.tile(tf.eye(3), [1000, 1]), [3000, 3])  # rolled, the three are all kinds: weights show
    weights = mixing.Dirichlet(3).draw(one_hot, keras.random.SeedGenerator(0)).numpy()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(weights.mean(axis=0), 1 / 3, atol=5 * np.sqrt(1 / 18 / 3000))
    np.testing.assert_allclose(weights.var(axis=0), 1 / 18, rtol=0.15)
