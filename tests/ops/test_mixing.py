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
