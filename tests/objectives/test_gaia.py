import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import absolute, apply
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.objectives import GAIA


def test_contract(tmp_path):
    run_objective_test(lambda: networks.make(GAIA), networks.image_batch(), tmp_path, held="self._squashed")


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(lambda: networks.make(GAIA), networks.image_batch())


def sigmoid(x):
    return 1 / (1 + np.exp(-20 * x))


def half_as_large(x):
    """The error of images in [0, 1], given that of images in [-1, 1]."""
    return absolute(x).mean() / 2


@pytest.fixture
def alpha(monkeypatch):
    """The weights (6, 1) of the mix, ~ N(0.5, 0.25), drawn once."""
    draws = np.random.default_rng(1).normal(size=6)
    monkeypatch.setattr(keras.random, "normal", lambda *args, **kwargs: tf.constant(draws, tf.float32))
    return 0.5 + 0.25 * draws[:, None]


def test_terms_follow_the_authors(alpha):
    model, batch = networks.make(GAIA), networks.image_batch()
    x = batch["c"].astype(float)
    z = apply(model.encoder, x)
    reconstruction, mix = apply(model.decoder, z), apply(model.decoder, alpha * z + (1 - alpha) * z[::-1])

    def judged(images):
        return apply(model.judge_decoder, apply(model.judge_encoder, images))

    real = half_as_large(x - judged(x))
    of_mix, of_reconstruction = half_as_large(mix - judged(mix)), half_as_large(x - judged(reconstruction))
    fake = (of_mix + of_reconstruction) / 2
    w, p = np.clip(sigmoid(0.5 * of_mix - real), 0, 0.9), sigmoid(of_mix - of_reconstruction)

    def logarithms(a):
        d = ((a.reshape(6, 1, -1) - a.reshape(1, 6, -1)) ** 2).mean(axis=2)
        return np.log(1 + d / d.mean())

    expected = {
        "generation": p * of_mix + (1 - p) * of_reconstruction,
        "distances": ((logarithms(x) - logarithms(z)) ** 2).mean(axis=1),
        "judgement": real - w * fake,
        "reconstruction": absolute(x - reconstruction),
        "balance": sigmoid(real - fake),
    }
    found = model.terms({"c": tf.constant(batch["c"])}, training=True)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-3, atol=1e-5, err_msg=name)
    assert model.term_weights == {"generation": 1.0, "distances": 5e-5, "judgement": 1.0}


@pytest.mark.parametrize("error, w", [(0.2, sigmoid(0.1)), (0.8, 0.9)])
def test_spoiling_what_is_generated_is_rewarded_by_at_most_nine_tenths(error, w):
    model = networks.make(GAIA)
    errors = iter((0.0, error, error, 0.0))  # of real images, reconstructions and mixes; the measure's
    model.reconstruction_error = lambda target, image: tf.fill([6], next(errors))
    judgement = model.terms({"c": tf.constant(networks.image_batch()["c"])}, training=True)["judgement"]
    np.testing.assert_allclose(judgement, -w * error, rtol=1e-5)


def test_weights_of_a_step_are_constants(alpha):
    """No gradient follows w and p: a player cannot lower its loss by what they depend on."""
    model, batch = networks.make(GAIA), {"c": tf.constant(networks.image_batch()["c"])}
    mixes = tf.constant(alpha, tf.float32)

    def error(target, image):
        return tf.reduce_mean(tf.abs(target - image)) / 2

    with tf.GradientTape(persistent=True) as tape:
        found = model.terms(batch, training=True)
        images, latents = batch["c"], model.encoder(batch["c"])
        reconstruction = model.decoder(latents)
        mix = model.decoder(mixes * latents + (1 - mixes) * latents[::-1])
        real, of_reconstruction, of_mix = (
            error(target, model.judge_decoder(model.judge_encoder(image)))
            for target, image in ((images, images), (images, reconstruction), (mix, mix))
        )
        w, p = (sigmoid(float(d)) for d in (0.5 * of_mix - real, of_mix - of_reconstruction))
        judgement = real - min(w, 0.9) * 0.5 * (of_mix + of_reconstruction)
        generation = p * of_mix + (1 - p) * of_reconstruction
    for name, expected in {"judgement": judgement, "generation": generation}.items():
        for network in (model.encoder, model.decoder, model.judge_encoder, model.judge_decoder):
            mine, theirs = (tape.gradient(end, network.weights[0].value) for end in (found[name], expected))
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-6, err_msg=f"{name}: {network.name}")


def test_losses_beyond_one_move_nobody():
    model = networks.make(GAIA, weights={"distances": 0.0})
    kernel = model.judge_decoder.weights[0]
    kernel.assign(100.0 * kernel)  # all it gives is wrong by far
    model.compile(keras.optimizers.SGD(1.0))
    before = [variable.numpy() for variable in model.trainable_variables]
    logs = model.train_on_batch(networks.image_batch(), return_dict=True)
    assert (logs["generation"], logs["judgement"]) == (1.0, 1.0)
    for variable, start in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), start, err_msg=variable.path)


def test_the_discriminator_needs_no_bottleneck():
    """Its latent is its own: of another size and shape than the autoencoder's."""
    own = networks.linear_networks()
    own["judge_encoder"] = networks.linear(networks.SHAPE, (4, 4, 8), 7)
    own["judge_decoder"] = networks.linear((4, 4, 8), networks.SHAPE, 8)
    own["judge_decoder"].weights[0].assign(0.1 * own["judge_decoder"].weights[0])
    model = GAIA(**{name: own[name] for name in GAIA.network_names()})
    model.compile(keras.optimizers.SGD(0.1))
    before = model.judge_encoder.weights[0].numpy()
    assert np.isfinite(model.train_on_batch(networks.image_batch(), return_dict=True)["judgement"])
    assert not np.array_equal(before, model.judge_encoder.weights[0].numpy())


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


@pytest.mark.slow
def test_devices_step_alike(two_devices):
    with two_devices.scope():
        model = networks.make(GAIA)
        model.compile(keras.optimizers.Adam(1e-2))
    for batch_size in (6, 4):  # the second is traced anew
        model.fit(networks.image_batch()["c"], batch_size=batch_size, epochs=3, verbose=0)
    for variable in model.trainable_variables:
        first, second = (copy.numpy() for copy in variable.value.values)
        np.testing.assert_array_equal(first, second, err_msg=variable.path)
