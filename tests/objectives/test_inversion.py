import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import COUNT, LATENT, apply, squared
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.errors import InputError
from kerasinterp.generation import sample
from kerasinterp.objectives import GLO, VAE, Inversion, PlainAE
from kerasinterp.ops.mixing import Spherical


def test_contract(tmp_path):
    run_objective_test(lambda: networks.make(Inversion), networks.image_batch(), tmp_path)


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(lambda: networks.make(Inversion), networks.image_batch())


@pytest.mark.parametrize("on_sphere", [False, True])
def test_terms_follow_the_paper(on_sphere, monkeypatch):
    """AugIntAE A.2: the mean squared error of a generated image's code; the images of the batch have no say in it."""
    model = networks.make(Inversion)
    model.on_sphere.assign(on_sphere)
    rng = np.random.default_rng(0)
    normal, mean, root = (rng.normal(size=size) for size in ((COUNT, LATENT), LATENT, (LATENT, LATENT)))
    model.prior_mean.assign(mean)
    model.prior_root.assign(root)
    monkeypatch.setattr(keras.random, "normal", lambda *_, **__: tf.constant(normal, tf.float32))
    z = mean + normal @ root.T
    z = z / np.linalg.norm(z, axis=1, keepdims=True) if on_sphere else z
    expected = squared(z - apply(model.encoder, apply(model.decoder, z)))
    for images in (networks.image_batch()["c"], np.zeros((COUNT, *networks.SHAPE), np.float32)):
        found = model.terms({"c": tf.constant(images)}, training=True)
        assert set(found) == {"code"}
        np.testing.assert_allclose(found["code"], expected, rtol=1e-4)


def test_a_vaes_decoder_and_prior_are_taken_over(tmp_path):
    vae, model = networks.make(VAE), networks.make(Inversion)
    vae.decoder.weights[0].assign(2.0 * vae.decoder.weights[0])
    model.take_over(vae)
    z = np.random.default_rng(0).normal(size=(5, LATENT)).astype(np.float32)
    np.testing.assert_array_equal(model.decode(z), vae.decode(z))
    drawn = model.prior(20_000, seed=1).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(LATENT), atol=0.06)
    assert not model.on_sphere.numpy() and sample(model, 3).shape == (3, *networks.SHAPE)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.prior(7, seed=1), model.prior(7, seed=1))


def test_unit_latents_stay_on_the_sphere(tmp_path):
    class OnSphere(GLO):
        def prior(self, count, seed=0):
            return tf.math.l2_normalize(tf.random.stateless_normal((count, LATENT), (seed, 0)), axis=-1)

    model = networks.make(Inversion)
    model.take_over(networks.make(OnSphere))
    drawn = model.prior(20_000).numpy()
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(LATENT) / LATENT, atol=0.01)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").on_sphere.numpy()


def test_latents_of_other_lengths_are_not_mixed_on_the_sphere():
    model = networks.make(Inversion, normalised=True, mixing=Spherical())
    before = model.decoder.weights[0].numpy()
    with pytest.raises(InputError, match="The latents of VAE are not of length 1: choose linear mixing"):
        model.take_over(networks.make(VAE))
    np.testing.assert_array_equal(model.decoder.weights[0], before)
    with pytest.raises(InputError, match="leave reconstruction_loss out"):
        networks.make(Inversion, reconstruction_loss="squared")


def test_a_prior_that_is_neither_is_taken_over_as_its_gaussian():
    glo = networks.make(GLO)
    table = 0.05 * np.random.default_rng(0).normal(size=(6, LATENT)) + [0.3, -0.2, 0.0, 0.1]
    glo.table.weights[0].assign(table)
    model = networks.make(Inversion)
    model.take_over(glo)
    drawn = model.prior(20_000).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), table.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(table.T, bias=True), atol=2e-4)


def test_what_has_no_prior_or_other_layers_is_not_taken_over():
    model = networks.make(Inversion)
    with pytest.raises(InputError, match="PlainAE has no generator with a prior to invert"):
        model.take_over(networks.make(PlainAE))
    wide = networks.linear((LATENT + 1,), networks.SHAPE, 0)
    posterior = networks.linear(networks.SHAPE, (2 * LATENT + 2,), 1)
    with pytest.raises(InputError, match="The decoder of VAE has other layers than the decoder"):
        model.take_over(VAE(posterior=posterior, decoder=wide))


def test_an_encoder_learns_to_invert():
    """The least error of a linear encoder of N(0, 1) codes of 4 numbers in images of 64 is 0."""
    model = networks.make(Inversion)
    model.compile(keras.optimizers.SGD(0.3, momentum=0.5))
    data = tf.data.Dataset.from_tensors(networks.image_batch(64)).repeat(200)
    history = model.fit(data, epochs=2, verbose=0, shuffle=False).history["code"]
    assert history[1] < 0.1 * history[0]
