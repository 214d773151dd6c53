"""Conditional batch normalisation against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.nn.conditional_batch_normalization import ConditionalBatchNormalization

K, MAPS = 3, 4


def draws(shape, seed=0):
    return (2.0 * np.random.default_rng(seed).normal(size=shape) + 1.0).astype(np.float32)


def made(**options):
    layer = ConditionalBatchNormalization(K, epsilon=0.25, **options)
    layer.build([(None, 5, 2, MAPS), (None, K + 2)])
    return layer


def with_weights(**options):
    layer = made(**options)
    layer.gamma.assign(draws((K, MAPS), 1))
    layer.beta.assign(draws((K, MAPS), 2))
    return layer


def codes(soft=False):
    """One-hot classes, or shares of them, and two numbers more."""
    rng = np.random.default_rng(3)
    classes = rng.dirichlet(np.ones(K), 6) if soft else np.eye(K)[rng.integers(0, K, 6)]
    return np.concatenate([classes, rng.normal(size=(6, 2))], 1).astype(np.float32)


@pytest.mark.parametrize("soft", [False, True])
def test_each_image_has_its_class_s_scale_and_shift(soft):
    """The statistics are the whole batch's, later the moving ones."""
    layer, z = with_weights(), codes(soft)
    gamma, beta = (z[:, :K] @ own.numpy() for own in (layer.gamma, layer.beta))
    if not soft:
        np.testing.assert_array_equal(gamma, layer.gamma.numpy()[z[:, :K].argmax(1)])
    mean, variance = np.zeros(MAPS), np.ones(MAPS)
    for seed in range(2):
        x = draws((6, 5, 2, MAPS), seed)
        normal = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 0.25)
        expected = gamma[:, None, None] * normal + beta[:, None, None]
        np.testing.assert_allclose(layer([x, z], training=True), expected, rtol=1e-4, atol=1e-4)
        mean, variance = 0.9 * mean + 0.1 * x.mean((0, 1, 2)), 0.9 * variance + 0.1 * x.var((0, 1, 2)) * 60 / 59
    expected = gamma[:, None, None] * (x - mean) / np.sqrt(variance + 0.25) + beta[:, None, None]
    np.testing.assert_allclose(layer([x, z], training=False), expected, rtol=1e-4, atol=1e-4)


def test_it_begins_as_batch_normalisation():
    x = draws((6, 5, 2, MAPS))
    expected = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 0.25)
    np.testing.assert_allclose(made()([x, codes()], training=True), expected, rtol=1e-4, atol=1e-4)


def test_the_gradient_at_classes_maps_and_weights():
    """Against finite differences in float64; a soft class is told how it should change."""
    layer, x, z, weights = with_weights(), draws((6, 5, 2, MAPS)), codes(soft=True), draws((6, 5, 2, MAPS), 4)
    starts = [x, z, layer.gamma.numpy(), layer.beta.numpy()]
    with tf.GradientTape() as tape:
        images, latents = tf.constant(x), tf.constant(z)
        tape.watch([images, latents])
        loss = tf.reduce_sum(weights * layer([images, latents], training=True) ** 2)
    found = tape.gradient(loss, [images, latents, layer.gamma.value, layer.beta.value])

    def at(maps, latents, gamma, beta):
        normal = (maps - maps.mean((0, 1, 2))) / np.sqrt(maps.var((0, 1, 2)) + 0.25)
        scale, shift = ((latents[:, :K] @ own)[:, None, None] for own in (gamma, beta))
        return np.sum(weights * (scale * normal + shift) ** 2)

    for number, gradient in enumerate(found):
        direction = np.random.default_rng(number).normal(size=starts[number].shape)
        sides = []
        for step in (1e-5, -1e-5):
            moved = [value.astype(np.float64) for value in starts]
            moved[number] += step * direction
            sides.append(at(*moved))
        slope = (sides[0] - sides[1]) / 2e-5
        assert np.sum(gradient.numpy() * direction) == pytest.approx(slope, rel=1e-3)


def test_it_is_saved_and_frozen_with_its_statistics(tmp_path):
    maps, z = keras.Input((5, 2, MAPS)), keras.Input((K + 2,))
    network = keras.Model([maps, z], ConditionalBatchNormalization(K, momentum=0.5, name="normalisation")([maps, z]))
    given = draws((6, 5, 2, MAPS)), codes()
    network(given, training=True)
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(again(given), network(given))
    assert again.layers[-1].get_config() == network.layers[-1].get_config()
    again.trainable = False
    before = again.get_weights()
    np.testing.assert_allclose(again(given, training=True), again(given), rtol=1e-6)
    assert all(np.array_equal(one, other) for one, other in zip(before, again.get_weights(), strict=True))


def test_in_mixed_precision():
    layer, exact = with_weights(dtype="mixed_bfloat16"), with_weights()
    x, z = draws((6, 5, 2, MAPS)), codes()
    found = layer([x, z], training=True)
    assert found.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(found, tf.float32), exact([x, z], training=True), atol=0.15)
    assert layer.gamma.dtype == layer.normalisation.moving_mean.dtype == "float32"
