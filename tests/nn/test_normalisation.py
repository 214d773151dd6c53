"""What every normalisation with statistics makes of a batch, keeps of it, and does when it is frozen."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import infogan
from kerasinterp.nn.batch_normalization import BatchNormalization
from kerasinterp.nn.exact_batch_normalization import ExactBatchNormalization
from kerasinterp.nn.spectral_convolution import SpectralConv2D

# The moving variance follows the unbiased estimate in the fused layer, the biased one in the other, as in Keras.
BATCH_NORMALISATIONS = [(BatchNormalization, 1), (ExactBatchNormalization, 0)]
SHAPES = [(6, 5, 4, 3), (8, 3)]


def draws(shape, seed=0):
    return (2.0 * np.random.default_rng(seed).normal(size=shape) + 1.0).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kind", "lost"), BATCH_NORMALISATIONS)
def test_batch_normalisation_against_numpy(kind, lost, shape):
    layer = kind(momentum=0.9, epsilon=0.25)
    layer.build(shape)
    gamma, beta = draws(3, 1), draws(3, 2)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    axes, mean, variance = tuple(range(len(shape) - 1)), np.zeros(3), np.ones(3)
    for seed in range(3):
        x = draws(shape, seed)
        count = x.size // 3
        expected = gamma * (x - x.mean(axes)) / np.sqrt(x.var(axes) + 0.25) + beta
        np.testing.assert_allclose(layer(x, training=True), expected, rtol=1e-4, atol=1e-4)
        mean = 0.9 * mean + 0.1 * x.mean(axes)
        variance = 0.9 * variance + 0.1 * x.var(axes) * count / (count - lost)
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-4)
    expected = gamma * (x - mean) / np.sqrt(variance + 0.25) + beta
    np.testing.assert_allclose(layer(x, training=False), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-4)  # inference keeps nothing


@pytest.mark.parametrize(("kind", "_"), BATCH_NORMALISATIONS)
@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"scale": False, "center": False}])
def test_batch_normalisation_without_scale_or_offset(kind, _, options):
    x = draws((6, 5, 4, 3))
    layer = kind(epsilon=1e-3, **options)
    expected = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-3)
    np.testing.assert_allclose(layer(x, training=True), expected, rtol=1e-4, atol=1e-4)


def test_options_that_are_not_offered_are_refused():
    for options in ({"axis": 1}, {"synchronized": True}, {"renorm": True}):
        with pytest.raises(InputError, match="last axis"):
            ExactBatchNormalization(**options)(draws((2, 3, 4, 5)))


@pytest.mark.parametrize(("kind", "_"), BATCH_NORMALISATIONS)
def test_the_gradient_passes_through_the_statistics(kind, _):
    """At the images, of a sum of weighted outputs: against finite differences in float64."""
    x, weights = draws((4, 2, 2, 3)), draws((4, 2, 2, 3), 1)
    layer, images = kind(epsilon=0.25), tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_sum(weights * layer(images, training=True))
    found = tape.gradient(loss, images).numpy()

    def at(place, step):
        moved = x.astype(np.float64)
        moved[place] += step
        return np.sum(weights * (moved - moved.mean((0, 1, 2))) / np.sqrt(moved.var((0, 1, 2)) + 0.25))

    for place in ((0, 0, 0, 0), (1, 0, 1, 2), (3, 1, 1, 1)):
        assert found[place] == pytest.approx((at(place, 1e-4) - at(place, -1e-4)) / 2e-4, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("kind", [BatchNormalization, ExactBatchNormalization, SpectralConv2D])
def test_a_frozen_layer_runs_in_inference_mode(kind):
    layer, x = kind(5, 3) if kind is SpectralConv2D else kind(momentum=0.5), draws((6, 5, 4, 3))
    layer(x, training=True)
    layer.trainable = False
    before = [variable.numpy() for variable in layer.variables]
    outputs = layer(x, training=True)
    for variable, value in zip(layer.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    np.testing.assert_allclose(outputs, layer(x, training=False), rtol=1e-6)
    layer.trainable = True  # as Keras has it: it learns again
    layer(x, training=True)
    assert any(not np.array_equal(v, value) for v, value in zip(layer.variables, before, strict=True))


def test_a_frozen_network_does_not_move():
    encoder, x = infogan.encoder((8, 8, 1), width=2), draws((6, 8, 8, 1))
    encoder.trainable = False
    before = encoder.get_weights()
    np.testing.assert_allclose(encoder(x, training=True), encoder(x, training=False), rtol=1e-5)
    assert all(np.array_equal(one, other) for one, other in zip(before, encoder.get_weights(), strict=True))


def test_a_synchronised_layer_takes_keras_statistics():
    x = draws((6, 5, 4, 3))
    ours, theirs = (kind(synchronized=True) for kind in (BatchNormalization, keras.layers.BatchNormalization))
    np.testing.assert_array_equal(ours(x, training=True), theirs(x, training=True))
    np.testing.assert_array_equal(ours.moving_variance, theirs.moving_variance)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("kind", "_"), BATCH_NORMALISATIONS)
def test_two_devices_normalise_as_one(kind, _, shape, two_devices):
    """Outputs, gradients at images and at gamma, and moving statistics."""
    x, weights = draws(shape), draws(shape, 1)
    shares = np.split(x, 2), np.split(weights, 2)

    def made():
        layer = kind(momentum=0.5, epsilon=0.25)
        layer.build(shape)
        return layer

    def step(layer, images, weights):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=True)
            loss = tf.reduce_sum(weights * outputs**2)
        return outputs, *tape.gradient(loss, [images, layer.gamma.value])

    one = made()
    outputs, at_images, at_gamma = step(one, tf.constant(x), weights)
    with two_devices.scope():
        two = made()
    images, of_images = (
        two_devices.experimental_distribute_values_from_function(
            lambda context, parts=parts: tf.constant(parts[context.replica_id_in_sync_group])
        )
        for parts in shares
    )
    found = two_devices.run(lambda images, weights: step(two, images, weights), args=(images, of_images))
    found = [list(map(np.asarray, two_devices.experimental_local_results(value))) for value in found]
    np.testing.assert_allclose(np.concatenate(found[0]), outputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.concatenate(found[1]), at_images, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(sum(found[2]), at_gamma, rtol=1e-4, atol=1e-4)
    for ours, theirs in ((two.moving_mean, one.moving_mean), (two.moving_variance, one.moving_variance)):
        for copy in two_devices.experimental_local_results(ours.value):
            np.testing.assert_allclose(copy, theirs, rtol=1e-4)
