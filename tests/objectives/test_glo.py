import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import absolute, apply, squared
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.data import Examples
from kerasinterp.data.components import principal_components
from kerasinterp.errors import InputError
from kerasinterp.objectives import GLO
from kerasinterp.ops import losses


def test_contract(tmp_path):
    run_objective_test(lambda: networks.make(GLO), networks.batch_for(GLO), tmp_path)


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(lambda: networks.make(GLO), networks.batch_for(GLO))


def in_ball(z):
    return z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1.0)


def test_terms_follow_the_paper():
    """Bojanowski et al., section 3: |x_i - G(z_i)|_1 at the latents of the images, brought into the unit ball."""
    model, batch = networks.make(GLO, reconstruction_loss="absolute"), networks.batch_for(GLO)
    batch["place"] = batch["place"][::-1]
    z = model.table.weights[0].numpy()[batch["place"]]
    lengths = np.linalg.norm(z, axis=1)
    assert lengths.min() < 1.0 < lengths.max()
    found = model.terms({key: tf.constant(value) for key, value in batch.items()}, training=True)
    assert set(found) == {"reconstruction"}
    expected = absolute(batch["c"] - apply(model.generator, in_ball(z)))
    np.testing.assert_allclose(found["reconstruction"], expected, rtol=1e-4)


def test_new_latents_have_the_mean_and_covariance_of_the_learnt_ones():
    """Section 3.3, for latents that the ball does not cut."""
    model = networks.make(GLO)
    table = 0.05 * np.random.default_rng(0).normal(size=(6, 4)) + [0.3, -0.2, 0.0, 0.1]
    model.table.weights[0].assign(table)
    drawn = model.prior(20_000, seed=1).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), table.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(np.cov(drawn.T, bias=True), np.cov(table.T, bias=True), atol=1e-4)
    assert not np.array_equal(drawn[:10], model.prior(10, seed=2))


def test_new_latents_lie_in_the_ball_of_latents_in_it():
    model = networks.make(GLO)
    table = np.random.default_rng(0).normal(size=(6, 4))  # most of them longer than 1
    model.table.weights[0].assign(table)
    drawn = model.prior(20_000).numpy()
    assert np.linalg.norm(drawn, axis=1).max() <= 1.0 + 1e-6
    learnt = in_ball(table)
    gaussian = np.random.default_rng(1).multivariate_normal(learnt.mean(axis=0), np.cov(learnt.T, bias=True), 20_000)
    np.testing.assert_allclose(drawn.mean(axis=0), in_ball(gaussian).mean(axis=0), atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(in_ball(gaussian).T), atol=0.02)


def test_a_generator_states_its_shapes_and_a_normal_prior():
    model = networks.make(GLO)
    assert (model.image_shape, model.latent_shape) == (networks.SHAPE, (networks.LATENT,))
    drawn = super(GLO, model).prior(20_000, seed=3).numpy()
    assert drawn.shape == (20_000, networks.LATENT)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(networks.LATENT), atol=0.04)


def test_images_without_places_are_refused():
    model = networks.make(GLO)
    model.compile("adam", run_eagerly=True)
    with pytest.raises(InputError, match="places=True"):
        model.train_on_batch(networks.image_batch())


def test_its_loss_is_of_pyramids_unless_another_is_named():
    model, batch = networks.make(GLO), networks.batch_for(GLO)
    found = model.terms({key: tf.constant(value) for key, value in batch.items()}, training=True)["reconstruction"]
    images = apply(model.generator, in_ball(model.latents.numpy()[batch["place"]])).astype(np.float32)
    np.testing.assert_allclose(found, losses.laplacian_error(batch["c"], images), rtol=1e-4)
    with pytest.raises(InputError, match="reconstruction_loss is absolute or squared or euclidean or laplacian"):
        networks.make(GLO, reconstruction_loss="sharp")


def test_latents_may_begin_as_principal_components():
    images = np.random.default_rng(0).integers(0, 256, (networks.COUNT, *networks.SHAPE), np.uint8)
    model = networks.make(GLO, initialisation="pca")
    model.begin(Examples(images))
    expected = in_ball(principal_components(images, networks.LATENT))
    np.testing.assert_allclose(model.latents.numpy(), expected, rtol=1e-5)
    random = networks.make(GLO)
    before = random.latents.numpy()
    random.begin(Examples(images))
    np.testing.assert_array_equal(random.latents.numpy(), before)


def features():
    """A fixed network of two outputs, one of them maps."""
    maps, flat = networks.linear(networks.SHAPE, (3, 3, 2), seed=77), networks.linear(networks.SHAPE, (5,), seed=78)
    images = keras.Input(networks.SHAPE)
    return maps, flat, keras.Model(images, [maps(images), flat(images)])


@pytest.mark.parametrize(("named", "pixels"), [(None, absolute), ("squared", squared)])
def test_features_are_added_to_pixels(named, pixels):
    """COLA eq. 3.4."""
    maps, flat, both = features()
    model, batch = networks.make(GLO, perceptual=both, reconstruction_loss=named), networks.batch_for(GLO)
    made = apply(model.generator, in_ball(model.latents.numpy()[batch["place"]]))
    expected = pixels(batch["c"] - made)
    expected += sum(absolute(apply(one, batch["c"]) - apply(one, made)) for one in (maps, flat))
    found = model.terms({key: tf.constant(value) for key, value in batch.items()}, training=True)["reconstruction"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_features_teach_the_generator():
    """The slope of L in an image, along a line, against finite differences; pixels alone have another."""
    _, _, both = features()
    model, batch = networks.make(GLO, perceptual=both), networks.batch_for(GLO)
    rng, target = np.random.default_rng(5), tf.constant(batch["c"])
    image, step = (tf.constant(rng.uniform(-1, 1, target.shape), tf.float32) for _ in range(2))

    def slope(loss):
        with tf.GradientTape() as tape:
            tape.watch(image)
            total = tf.reduce_sum(loss(target, image))
        return float(tf.reduce_sum(tape.gradient(total, image) * step))

    ahead, behind = (tf.reduce_sum(model.reconstruction_error(target, image + e * step)) for e in (1e-3, -1e-3))
    found = slope(model.reconstruction_error)
    assert found == pytest.approx(float(ahead - behind) / 2e-3, rel=0.05)
    assert abs(found - slope(losses.absolute_error)) > 0.1 * abs(found)


def test_nobody_trains_the_features_and_they_are_saved(tmp_path):
    _, _, both = features()
    before = [weight.numpy() for weight in both.weights]
    model, batch = networks.make(GLO, perceptual=both), networks.batch_for(GLO)
    assert len(model.trainable_variables) == len(networks.make(GLO).trainable_variables) == 2
    model.compile("sgd")
    model.train_on_batch(batch)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one in (both, loaded.perceptual):
        for weight, old in zip(one.weights, before, strict=True):
            np.testing.assert_array_equal(weight, old)
    assert loaded.reconstruction_loss == "absolute"
    given = {key: tf.constant(value) for key, value in batch.items()}
    again, first = (one.terms(given, training=False)["reconstruction"] for one in (loaded, model))
    np.testing.assert_array_equal(again, first)


def test_features_of_images_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"takes shape \(8, 8, 3\), and images are \(8, 8, 1\)"):
        networks.make(GLO, perceptual=networks.linear((8, 8, 3), (5,), seed=77))


def test_a_mixture_has_a_gaussian_for_each_cluster_of_latents():
    """Two clouds of latents: each is a component, and what is drawn of one has its mean and deviations."""
    rng, model = np.random.default_rng(0), networks.make(GLO)
    count, size = model.latents.shape
    centres = np.zeros((2, size), np.float32)
    centres[:, 0] = (-0.5, 0.5)
    clouds = rng.permutation(np.arange(count) % 2)
    latents = centres[clouds] + rng.normal(0, 0.02, (count, size)).astype(np.float32)
    latents[clouds == 1, 1] *= 3
    model.latents.assign(latents)
    mixture = model.mixture(2, seed=3)
    assert (mixture == clouds).mean() in (0.0, 1.0)
    np.testing.assert_array_equal(model.mixture(2, seed=3), mixture)
    one = mixture[clouds == 1][0]
    wanted = np.array([one, 1 - one] * 2000)
    drawn = model.of_mixture(mixture, wanted, seed=1).numpy()
    for component, cloud in ((one, 1), (1 - one, 0)):
        own, known = drawn[wanted == component], latents[clouds == cloud]
        np.testing.assert_allclose(own.mean(axis=0), known.mean(axis=0), atol=0.01)
        np.testing.assert_allclose(own.std(axis=0), known.std(axis=0), atol=0.005)
    with pytest.raises(InputError, match="No latent is of Gaussian 2 of the mixture"):
        model.of_mixture(mixture, np.array([0, 2, 1]))
