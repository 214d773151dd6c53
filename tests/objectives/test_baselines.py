"""VAE, BetaVAE, AAE and DenoisingAE."""

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import LATENT, SHAPE, apply, cross_entropy, linear, squared
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.errors import InputError
from kerasinterp.generation import sample
from kerasinterp.nn import acai
from kerasinterp.objectives import AAE, VAE, BetaVAE, DenoisingAE, PlainAE

CLASSES = [PlainAE, VAE, BetaVAE, AAE, DenoisingAE]


@pytest.mark.parametrize("cls", [VAE, AAE, DenoisingAE, pytest.param(BetaVAE, marks=pytest.mark.slow)])
def test_contract(cls, tmp_path):
    run_objective_test(lambda: networks.make(cls), networks.image_batch(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("cls", CLASSES)
def test_contract_compiled(cls):
    run_slow_objective_test(lambda: networks.make(cls), networks.image_batch())


@pytest.fixture
def noise(monkeypatch):
    """What `keras.random.normal` draws: the same values for a shape."""

    def normal(shape, *args, **kwargs):
        return np.random.default_rng(5).normal(size=tuple(int(n) for n in shape)).astype(np.float32)

    monkeypatch.setattr(keras.random, "normal", lambda shape, *args, **kwargs: tf.constant(normal(shape)))
    return normal


def check(model, expected):
    found = model.terms({"c": tf.constant(networks.image_batch()["c"])}, training=True)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


def test_vae_follows_the_paper(noise):
    """Kingma and Welling: the KL divergence of two Gaussians in closed form, the reparameterised decoder."""
    model, x = networks.make(VAE), networks.image_batch()["c"]
    mean, log_variance = np.split(apply(model.posterior, x), 2, axis=1)
    z = mean + np.exp(log_variance / 2) * noise(mean.shape)
    divergence = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1) / np.prod(SHAPE)
    check(model, {"reconstruction": squared(x - apply(model.decoder, z)), "divergence": divergence})
    assert model.term_weights == {"reconstruction": 0.5, "divergence": 1.0}
    assert networks.make(BetaVAE).term_weights["divergence"] == 4.0
    np.testing.assert_allclose(model.encode(x), mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model(x), apply(model.decoder, mean), rtol=1e-4, atol=1e-5)


def test_aae_follows_the_paper(noise):
    model, x = networks.make(AAE), networks.image_batch()["c"]
    z = apply(model.encoder, x)
    of_prior, of_codes = (apply(model.latent_discriminator, codes) for codes in (noise(z.shape), z))
    expected = {
        "reconstruction": squared(x - apply(model.decoder, z)),
        "fooling": cross_entropy(of_codes, 1.0),
        "prior": cross_entropy(of_prior, 1.0),
        "code": cross_entropy(of_codes, 0.0),
    }
    check(model, expected)


def test_denoising_follows_the_paper(noise):
    model, x = networks.make(DenoisingAE, sigma=0.5), networks.image_batch()["c"]
    restored = apply(model.decoder, apply(model.encoder, x + 0.5 * noise(x.shape)))
    check(model, {"reconstruction": squared(x - restored)})


@pytest.mark.parametrize("cls", [VAE, BetaVAE, AAE])
def test_new_latents_are_normal(cls):
    model = networks.make(cls)
    drawn = model.prior(20_000, seed=3).numpy()
    assert drawn.shape == (20_000, LATENT)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(LATENT), atol=0.04)
    np.testing.assert_array_equal(drawn, model.prior(20_000, seed=3))
    made = sample(model, 5, seed=3)
    np.testing.assert_allclose(made, np.clip(apply(model.decoder, model.prior(5, 3)), -1, 1), rtol=1e-4, atol=1e-6)


def test_the_size_of_latents_is_their_last_side():
    """Of maps how many there are."""
    assert networks.make(PlainAE).latent_size == LATENT
    encoder, decoder = (build((8, 8, 1), 3, width=2, scales=1) for build in (acai.encoder, acai.decoder))
    maps = PlainAE(encoder=encoder, decoder=decoder)
    assert maps.latent_shape == (4, 4, 3) and maps.latent_size == 3


def test_unsuitable_parts_are_refused():
    with pytest.raises(InputError, match="even number"):
        VAE(posterior=linear(SHAPE, (5,), 1), decoder=linear((LATENT,), SHAPE, 2))
    with pytest.raises(InputError, match="sigma"):
        networks.make(DenoisingAE, sigma=-1.0)
