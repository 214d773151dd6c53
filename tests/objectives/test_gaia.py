import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import absolute, apply
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.objectives import GAIA


def test_contract(tmp_path):
    run_objective_test(lambda: networks.make(GAIA), networks.image_batch(), tmp_path)


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(lambda: networks.make(GAIA), networks.image_batch())


def sigmoid(x):
    return 1 / (1 + np.exp(-20 * x))


def test_terms_follow_the_authors(monkeypatch):
    model, batch = networks.make(GAIA), networks.image_batch()
    draws = np.random.default_rng(1).normal(0.5, 0.25, 6)
    monkeypatch.setattr(keras.random, "normal", lambda *args, **kwargs: tf.constant(draws, tf.float32))
    x, alpha = batch["c"].astype(float), draws[:, None]
    z = apply(model.encoder, x)
    reconstruction, mix = apply(model.decoder, z), apply(model.decoder, alpha * z + (1 - alpha) * z[::-1])

    def judged(images):
        return apply(model.judge_decoder, apply(model.judge_encoder, images))

    real = absolute(x - judged(x)).mean()
    of_mix, of_reconstruction = absolute(mix - judged(mix)).mean(), absolute(x - judged(reconstruction)).mean()
    fake = (of_mix + of_reconstruction) / 2
    w, p = np.clip(sigmoid(0.5 * of_mix - real), 0, 0.9), sigmoid(of_mix - of_reconstruction)

    def logarithms(a):
        d = ((a.reshape(6, 1, -1) - a.reshape(1, 6, -1)) ** 2).mean(axis=2)
        return np.log(1 + d / d.mean())

    expected = {
        "generation": p * of_mix + (1 - p) * of_reconstruction,
        "distances": np.abs(logarithms(x) - logarithms(z)).mean(axis=1),
        "judgement": real - w * fake,
        "reconstruction": absolute(x - reconstruction),
        "balance": sigmoid(real - fake),
    }
    found = model.terms({"c": tf.constant(batch["c"])}, training=True)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-3, atol=1e-5, err_msg=name)


def test_the_players_share_a_learning_rate():
    """Each moves as far as with the share of the learning rate that `balance` says."""
    steps = {}
    for rate in (1.0, None):
        model = networks.make(GAIA)
        batch = networks.image_batch()
        balance = float(model.terms({"c": tf.constant(batch["c"])}, training=True)["balance"])
        model.seed_generator.state.assign(keras.random.SeedGenerator(0).state)
        if rate is None:
            model.step_shares = lambda outputs: {}
            rates = {"autoencoder": keras.optimizers.SGD(1 - balance), "discriminator": keras.optimizers.SGD(balance)}
        else:
            rates = keras.optimizers.SGD(rate)
        model.compile(rates)
        model.train_on_batch(batch)
        steps[rate] = [variable.numpy() for variable in model.trainable_variables]
    for mine, theirs in zip(steps[1.0], steps[None], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-5)


def test_averages_are_of_the_weights_that_the_model_had():
    model = networks.make(GAIA)
    model.compile(keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.0))
    for _ in range(2):
        model.train_on_batch(networks.image_batch())
    weights = [variable.numpy() for variable in model.trainable_variables]
    model.use_averages()
    for average, last in zip(model.trainable_variables, weights, strict=True):
        np.testing.assert_array_equal(average, last)


def test_devices_use_the_share_once(two_devices):
    def moved(share):
        with two_devices.scope():
            model = networks.make(GAIA)
            model.step_shares = lambda outputs: dict.fromkeys(("autoencoder", "discriminator"), tf.constant(share))
            model.compile(keras.optimizers.SGD(1.0))
        before = [variable.numpy() for variable in model.trainable_variables]
        model.fit(networks.image_batch()["c"], batch_size=6, verbose=0, shuffle=False)
        return [variable.numpy() - start for variable, start in zip(model.trainable_variables, before, strict=True)]

    for part, whole in zip(moved(0.25), moved(1.0), strict=True):
        np.testing.assert_allclose(part, 0.25 * whole, rtol=1e-3, atol=1e-5)


def test_devices_step_alike(two_devices):
    with two_devices.scope():
        model = networks.make(GAIA)
        model.compile(keras.optimizers.Adam(1e-2))
    for batch_size in (6, 4):  # the second is traced anew
        model.fit(networks.image_batch()["c"], batch_size=batch_size, epochs=3, verbose=0)
    for variable in model.trainable_variables:
        first, second = (copy.numpy() for copy in variable.value.values)
        np.testing.assert_array_equal(first, second, err_msg=variable.path)
