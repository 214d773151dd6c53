import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import absolute, apply, cross_entropy, euclidean, squared
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.objectives import AMR, ARAE
from kerasinterp.ops.mixing import Bernoulli, Dirichlet, Linear, PerFeature


@pytest.mark.parametrize("cls", [ARAE, AMR])
def test_contract(cls, tmp_path):
    run_objective_test(lambda: networks.make(cls), networks.image_batch(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("mixing", [Linear(), PerFeature(), Bernoulli(), Dirichlet(3)])
def test_contract_compiled(mixing):
    run_slow_objective_test(lambda: networks.make(AMR, mixing=mixing), networks.image_batch())


def check(found, expected):
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(("loss", "error"), [("euclidean", euclidean), ("absolute", absolute), ("squared", squared)])
def test_arae_follows_the_paper(loss, error):
    """AMR eq. 2, and the released code's error."""
    assert ARAE.reconstruction_loss == "euclidean"
    model, batch = networks.make(ARAE, reconstruction_loss=loss), networks.image_batch()
    x = batch["c"]
    reconstruction = apply(model.decoder, apply(model.encoder, x))
    fake = apply(model.discriminator, reconstruction)
    expected = {
        "reconstruction": error(x - reconstruction),
        "fooling": cross_entropy(fake, 1.0),
        "real": cross_entropy(apply(model.discriminator, x), 1.0),
        "fake": cross_entropy(fake, 0.0),
    }
    check(model.terms({"c": tf.constant(x)}, training=True), expected)


def test_amr_follows_the_paper(monkeypatch):
    """AMR eq. 5 for a mix that is given."""
    model, batch = networks.make(AMR), networks.image_batch()
    x, alpha = batch["c"], np.random.default_rng(1).uniform(size=(6, 1))
    z = apply(model.encoder, x)
    mixed = alpha * z + (1 - alpha) * z[::-1]
    monkeypatch.setattr(
        Linear, "draw", lambda self, latents, _: alpha.astype("f") * latents + (1 - alpha.astype("f")) * latents[::-1]
    )
    reconstruction, mix = apply(model.decoder, z), apply(model.decoder, mixed)
    fake, fake_mix = apply(model.discriminator, reconstruction), apply(model.discriminator, mix)
    expected = {
        "reconstruction": euclidean(x - reconstruction),
        "fooling": cross_entropy(fake, 1.0),
        "fooling_mix": cross_entropy(fake_mix, 1.0),
        "consistency": np.linalg.norm(mixed - apply(model.encoder, mix), axis=1),
        "real": cross_entropy(apply(model.discriminator, x), 1.0),
        "fake": cross_entropy(fake, 0.0),
        "fake_mix": cross_entropy(fake_mix, 0.0),
    }
    check(model.terms({"c": tf.constant(x)}, training=True), expected)


def test_five_discriminator_steps_to_one():
    """Appendix 5.1: the batch is cut in five, D learns from each slice, the autoencoder from the last."""
    model = networks.make(AMR, every={"autoencoder": 5})
    model.compile("adam", run_eagerly=True)
    model.train_on_batch(networks.image_batch(10))
    assert int(model.discriminator_optimizer.iterations) == 5
    assert int(model.autoencoder_optimizer.iterations) == 1
