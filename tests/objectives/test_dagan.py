import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import apply
from objective_test_case import run_objective_test, run_slow_objective_test
from test_wgan_gp import COUNT, fixed

from kerasinterp import data, generation
from kerasinterp.errors import InputError
from kerasinterp.evaluation import few_shot_of_sets
from kerasinterp.nn import infogan
from kerasinterp.objectives import DAGAN


def batch():
    return networks.batch_for(DAGAN)


def test_contract(tmp_path):
    run_objective_test(lambda: networks.make(DAGAN), batch(), tmp_path)


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(lambda: networks.make(DAGAN), batch())


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def made(model, images, noise):
    """G(E(x), z), code and noise of length 1 (AugIntAE A.1) one behind the other."""
    return apply(model.decoder, np.concatenate([unit(apply(model.encoder, images)), unit(noise)], 1))


def test_terms_follow_the_paper(monkeypatch):
    """WGAN-GP's of pairs (x_i, x_j) and (x_i, G(x_i, z)), Antoniou et al. (2017), section 2; AugIntAE A.5."""
    model, rng, images = networks.make(DAGAN), np.random.default_rng(5), batch()
    noise = rng.normal(size=(COUNT, networks.LATENT))
    fixed(monkeypatch, model, normal=noise, uniform=rng.uniform(size=COUNT))
    found = model.terms({key: tf.constant(images[key]) for key in ("c", "other")}, training=True)
    fakes = made(model, images["c"], noise)
    real, fake = (apply(model.critic, np.concatenate([images["c"], x], -1))[:, 0] for x in (images["other"], fakes))
    np.testing.assert_allclose(found["difference"], fake - real, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["fooling"], -fake, rtol=1e-4, atol=1e-5)
    slope = np.linalg.norm(model.critic.weights[0].numpy().astype(float))  # over both images of the pair
    np.testing.assert_allclose(found["penalty"], np.full(COUNT, (slope - 1.0) ** 2), rtol=1e-4)


def test_new_images_are_of_one_seed_and_noise_each():
    model, seeds = networks.make(DAGAN), batch()["c"][:3]
    found = model.few_shot(seeds, 300, seed=4)
    assert found.shape == (300, *networks.SHAPE) and found.dtype == np.float32
    np.testing.assert_array_equal(found, model.few_shot(seeds, 300, seed=4))
    np.testing.assert_allclose(found[:7], model.few_shot(seeds, 7, seed=4), atol=1e-6)
    assert not np.array_equal(found, model.few_shot(seeds, 300, seed=5))
    # The decoder is a matrix: without the part of the noise, an image tells its seed.
    codes, noise = (model.decoder.weights[0].numpy()[part] for part in (slice(0, 4), slice(4, 8)))
    parts = np.linalg.lstsq(np.concatenate([codes, noise]).T, found.reshape(300, -1).T, rcond=None)[0].T
    of_seeds = unit(apply(model.encoder, seeds))
    chosen = np.argmin(np.linalg.norm(parts[:, np.newaxis, :4] - of_seeds, axis=-1), axis=1)
    np.testing.assert_allclose(parts[:, :4], of_seeds[chosen], atol=1e-4)
    assert (np.bincount(chosen) > 60).all()
    np.testing.assert_allclose(np.linalg.norm(parts[:, 4:], axis=1), 1.0, atol=1e-4)
    assert len(np.unique(parts[:, 4:].round(4), axis=0)) == 300


def test_it_generates_from_seeds_alone():
    model, images = networks.make(DAGAN), batch()["c"]
    found = generation.few_shot(model, images[:2], 5, seed=1)
    np.testing.assert_array_equal(found, np.clip(model.few_shot(images[:2], 5, 1), -1.0, 1.0))
    sets = np.array([[0, 1], [2, 3], [4, 5]])
    assert few_shot_of_sets(model, images, sets, 4, seed=0).shape == (12, *networks.SHAPE)
    with pytest.raises(InputError, match="DAGAN has no prior to draw codes from: give it seed images"):
        generation.sample(model, 2)
    with pytest.raises(
        InputError, match="DAGAN has no encoder to take images: it makes images of seeds in a way of its"
    ):
        generation.midpoints(model, images[:2])


def test_images_without_another_of_their_class_are_refused():
    model = networks.make(DAGAN)
    model.compile("adam", run_eagerly=True)
    with pytest.raises(InputError, match="DAGAN learns from pairs of a class: pass kerasinterp"):
        model.train_on_batch(networks.image_batch(COUNT))


def test_it_learns_from_pairs_by_the_papers_networks(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    model = DAGAN(
        critic=infogan.critic((8, 8, 2), width=2),
        encoder=infogan.encoder((8, 8, 1), 3, width=2),
        decoder=infogan.decoder((8, 8, 1), 6, width=2),
    )
    model.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
    logs = model.fit(data.pairs(images, 10, labels=np.arange(20) % 2, steps=1), verbose=0, shuffle=False).history
    assert np.isfinite(logs["loss"]).all()
    model.save(tmp_path / "model.keras")
    loaded = generation.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.few_shot(images[:2] / 255.0, 3), model.few_shot(images[:2] / 255.0, 3))


def test_a_decoder_of_other_latents_is_refused():
    with pytest.raises(InputError, match="its last axis holds 2 latents, a multiple of 2"):
        networks.make(DAGAN, decoder=networks.linear((5,), networks.SHAPE, 0))
    with pytest.raises(InputError, match="build both with the same image_shape"):
        networks.make(DAGAN, decoder=networks.linear((10,), networks.SHAPE, 0))
