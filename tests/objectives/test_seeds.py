"""Draws within a step: other ones on each replica, Keras' own on one device."""

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.objectives import OBJECTIVES
from kerasinterp.objectives.seeds import ReplicaSeeds
from kerasinterp.ops.mixing import BY_NAME

DRAWING = {"AAE", "ACAI", "AEAI", "AMR", "BetaVAE", "DenoisingAE", "GAIA", "IntAE", "SupervisedAMR", "VAE"}
UNDRAWN = {"AE", "ARAE", "AugIntAE", "GLO", "PlainAE"}


def on_each(strategy, function):
    return [np.asarray(value) for value in strategy.experimental_local_results(strategy.run(function))]


def test_one_device_draws_what_keras_draws():
    ours, keras_own = ReplicaSeeds(3), keras.random.SeedGenerator(3)
    for draw in (keras.random.uniform, keras.random.normal):
        np.testing.assert_array_equal(draw((5,), seed=ours), draw((5,), seed=keras_own))
    model = networks.make(OBJECTIVES["AAE"], seed=3)
    keras_own = keras.random.SeedGenerator(3)
    np.testing.assert_array_equal(model.uniform(5), keras.random.uniform((5,), seed=keras_own))
    np.testing.assert_array_equal(model.normal(5, 2), keras.random.normal((5, 2), seed=keras_own))


def test_devices_draw_different_values(two_devices):
    with two_devices.scope():
        seeds = ReplicaSeeds(3)
    first, second = on_each(two_devices, lambda: keras.random.uniform((1000,), seed=seeds))
    assert np.abs(first - second).min() < 1e-2 < np.abs(first - second).mean()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    again, _ = on_each(two_devices, lambda: keras.random.uniform((1000,), seed=seeds))
    assert not np.array_equal(first, again)
    np.testing.assert_array_equal(first, keras.random.uniform((1000,), seed=keras.random.SeedGenerator(3)))


@pytest.mark.parametrize("kind", BY_NAME)
def test_devices_mix_at_different_weights(kind, two_devices):
    latents = tf.constant(np.random.default_rng(0).normal(size=(6, 8)), tf.float32)
    with two_devices.scope():
        seeds = ReplicaSeeds(3)
    first, second = on_each(two_devices, lambda: BY_NAME[kind].draw(latents, seeds))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_system_draws_on_each_device_for_itself(name, two_devices):
    """Two devices that are given the same images have the same terms only if the system draws nothing."""
    with two_devices.scope():
        model = networks.make(OBJECTIVES[name])
    batch = {key: tf.constant(value) for key, value in networks.batch_for(type(model)).items()}
    state = model.seed_generator.state.numpy()

    def terms():
        outputs = model.terms(batch, training=True)
        return tf.concat([tf.reshape(outputs[term], [-1]) for term in model.term_names()], 0)

    found = on_each(two_devices, terms)
    draws = not np.array_equal(state, model.seed_generator.state.numpy())
    assert draws == (name in DRAWING) or name not in DRAWING | UNDRAWN  # a new system
    assert np.array_equal(*found) != draws
