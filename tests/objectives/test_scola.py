import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import absolute, apply
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp import generation, training
from kerasinterp.data import Examples, batches
from kerasinterp.errors import InputError
from kerasinterp.objectives import SCOLA
from kerasinterp.recipe import Optimizer, find

K = 2
LABELS = np.array([0, 1, 1, 0, 1, 0])


def make(**options):
    return networks.make(SCOLA, classes=K, **options)


def examples(labels=LABELS, classes=("a", "b"), seed: int = 0) -> Examples:
    images = np.random.default_rng(seed).integers(0, 256, (networks.COUNT, *networks.SHAPE), np.uint8)
    return Examples(images, labels, classes)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_contract(tmp_path):
    run_objective_test(make, networks.batch_for(SCOLA), tmp_path)


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(make, networks.batch_for(SCOLA))


def test_terms_follow_the_paper():
    """Eq. 3.3 at the codes as they are: algorithm 1 brings them to their spheres after each epoch, not in a step."""
    model, batch = make(reconstruction_loss="absolute"), networks.batch_for(SCOLA)
    batch["place"] = batch["place"][::-1]
    z = model.latents.numpy()[batch["place"]]
    found = model.terms({key: tf.constant(value) for key, value in batch.items()}, training=True)
    expected = absolute(batch["c"] - apply(model.generator, z))
    np.testing.assert_allclose(found["reconstruction"], expected, rtol=1e-4)


def test_codes_begin_as_classes_and_unit_variations():
    model = make(seed=3)
    model.begin(examples())
    z = model.latents.numpy()
    np.testing.assert_array_equal(z[:, :K], np.eye(K)[LABELS])
    drawn = np.random.default_rng(3).standard_normal((6, networks.LATENT - K), np.float32)
    np.testing.assert_allclose(z[:, K:], unit(drawn), rtol=1e-5)
    np.testing.assert_array_equal(model.clusters.numpy(), LABELS)


def test_variations_may_begin_as_principal_components():
    model, own = make(initialisation="pca"), examples()
    model.begin(own)
    rows = own.images.reshape(6, -1) / 127.5 - 1
    rows = rows - rows.mean(axis=0)
    expected = unit(rows @ np.linalg.svd(rows, full_matrices=False)[2][: networks.LATENT - K].T)
    np.testing.assert_allclose(np.abs(model.latents.numpy()[:, K:]), np.abs(expected), atol=1e-4)


def test_both_parts_are_on_their_spheres_after_an_epoch():
    model, own = make(), examples()
    model.begin(own)
    model.compile("adam")
    before = model.latents.numpy()
    model.fit(batches(own.images, 3, places=True), epochs=1, steps_per_epoch=2, verbose=0)
    after = model.latents.numpy()
    assert np.abs(after - before).max() > 1e-4
    for part in (after[:, :K], after[:, K:]):
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1.0, rtol=1e-5)


def test_only_codes_that_are_drawn_move():
    model = make()
    model.compile("adam")
    before = model.latents.numpy()
    batch = {key: value[:2] for key, value in networks.batch_for(SCOLA).items()}
    batch["place"] = np.array([4, 1], np.int32)
    for _ in range(3):
        model.train_on_batch(batch)
    moved = np.abs(model.latents.numpy() - before).max(axis=1) > 0
    np.testing.assert_array_equal(moved, [False, True, False, False, True, False])


def test_new_codes_have_each_class_s_mean_and_covariance():
    """3.3, before they are brought to their spheres; narrow classes, so that this changes little."""
    model, rng = make(), np.random.default_rng(0)
    centres = np.array([[1, 0, 0.8, 0.6], [0, 1, -0.6, 0.8]])
    codes = centres[LABELS] + 0.02 * rng.normal(size=(6, 4))
    model.latents.assign(codes)
    model.clusters.assign(LABELS)
    classes = np.arange(20_000) % K
    drawn = model.prior(20_000, seed=1).numpy()
    for one in range(K):
        own = codes[one == LABELS]
        made = rng.multivariate_normal(own.mean(axis=0), np.cov(own.T, bias=True), 10_000)
        made = np.concatenate([unit(made[:, :K]), unit(made[:, K:])], axis=1)
        np.testing.assert_allclose(drawn[classes == one].mean(axis=0), made.mean(axis=0), atol=2e-3)
        np.testing.assert_allclose(np.cov(drawn[classes == one].T), np.cov(made.T), atol=3e-5)
    assert model.prior(7, seed=2).numpy().tobytes() == model.prior(7, seed=2).numpy().tobytes()


def test_spread_concentrates_or_scatters():
    model, rng = make(), np.random.default_rng(0)
    model.latents.assign(np.array([1, 0, 0.8, 0.6]) + 0.05 * rng.normal(size=(6, 4)))
    at_mean = model.prior_of(np.zeros(50, int), 0, spread=0.0).numpy()
    assert np.ptp(at_mean, axis=0).max() < 1e-6
    deviations = [
        model.prior_of(np.zeros(500, int), 0, spread=spread).numpy().std(axis=0).max() for spread in (0.5, 1, 2)
    ]
    assert deviations[1] == pytest.approx(2 * deviations[0], rel=0.1)
    assert deviations[2] == pytest.approx(2 * deviations[1], rel=0.1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="learns from classes, and there are none"):
        make().begin(examples(None, ()))
    with pytest.raises(InputError, match="Labels are below 2, the number of classes, not 2"):
        make().begin(examples(LABELS + 1, ("a", "b", "c")))
    with pytest.raises(InputError, match="at least one beside those of 4 classes"):
        networks.make(SCOLA, classes=4)
    with pytest.raises(InputError, match="knows no image of class 5"):
        make().prior_of(np.array([5]))
    with pytest.raises(InputError, match="initialisation is random or pca, not 'none'"):
        make(initialisation="none")


def test_a_saved_model_makes_the_same_images(tmp_path):
    model = make()
    model.begin(examples())
    model.save(tmp_path / "model.keras")
    again = generation.load_model(tmp_path / "model.keras")
    assert again.classes == K
    np.testing.assert_array_equal(again.clusters.numpy(), LABELS)
    assert generation.sample(again, 5, 1).tobytes() == generation.sample(model, 5, 1).tobytes()


def test_a_recipe_s_codes_have_a_number_for_each_class_of_the_data():
    recipe = training.with_objective(find("augintae_mnist"), "SCOLA").change(width=2, latent_size=3, image_size=16)
    recipe = recipe.change(optimizers={"all": Optimizer(cuts=(0.5,), factor=0.5)})
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 1), np.uint8)
    model = training.build(recipe, Examples(images, np.arange(6), tuple("abcdef")))
    assert (model.classes, model.latent_shape) == (6, (9,))
    assert not any("normalization" in layer.name for layer in model.generator.layers)
    rate, steps = model.optimizer_of(model.players[0])._learning_rate, recipe.schedule.steps
    assert [float(rate(step)) for step in (0, steps - 1)] == pytest.approx([1e-3, 5e-4])


def test_codes_of_given_images_are_found_by_descent():
    model = make(reconstruction_loss="squared")
    model.begin(examples())
    wanted = model.prior(3, seed=5)
    images = model.decode(wanted).numpy()
    found = model.codes_of(images)
    for part in (found[:, :K], found[:, K:]):
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1.0, rtol=1e-5)
    before = model.decode(model.latents[:3]).numpy()
    assert np.square(model.decode(found).numpy() - images).mean() < 0.05 * np.square(before - images).mean()


def test_codes_of_given_images_are_found_by_the_error_that_is_minimised():
    """Features of one pixel, a hundredfold, of images that cannot be made as they are."""
    images = np.random.default_rng(3).uniform(-1, 1, (3, *networks.SHAPE)).astype(np.float32)
    given = keras.Input(networks.SHAPE)
    errors = {}
    for name, features in (("with", keras.Model(given, 100.0 * given[:, :1, :1])), ("without", None)):
        model = make(perceptual=features, reconstruction_loss="absolute")
        model.begin(examples())
        errors[name] = np.abs(model.decode(model.codes_of(images)).numpy() - images)[:, 0, 0].mean()
    assert errors["with"] < 0.5 * errors["without"]


def test_new_images_of_seeds_are_of_a_gaussian_of_their_codes():
    model = make()
    model.begin(examples())
    seeds = 0.5 * model.decode(model.prior(4, seed=5)).numpy()
    made = generation.few_shot(model, seeds, 300, seed=2)
    assert made.tobytes() == generation.few_shot(model, seeds, 300, seed=2).tobytes()
    codes = model.codes_of(seeds).numpy()
    drawn = np.random.default_rng(0).multivariate_normal(codes.mean(axis=0), np.cov(codes.T, bias=True), 20_000)
    expected = np.concatenate([unit(drawn[:, :K]), unit(drawn[:, K:])], axis=1)
    images = np.clip(apply(model.generator, expected), -1, 1)
    np.testing.assert_allclose(made.mean(axis=0), images.mean(axis=0), atol=0.1)
    same = generation.few_shot(model, np.repeat(seeds[:1], 2, axis=0), 3)
    np.testing.assert_allclose(same, np.repeat(same[:1], 3, axis=0), atol=1e-3)
