import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import LABELS, LATENT, apply
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp import generation, training
from kerasinterp.data import Examples, batches
from kerasinterp.errors import InputError
from kerasinterp.nn import sngan
from kerasinterp.objectives import CGANPD
from kerasinterp.ops import diff_augment
from kerasinterp.recipe import Backbone, find

ALL = ("color", "translation", "cutout")


def make(**options):
    return networks.make(CGANPD, **options)


def batch():
    return networks.batch_for(CGANPD)


def test_contract(tmp_path):
    run_objective_test(make, batch(), tmp_path)


def test_contract_of_augmented_images(tmp_path):
    run_objective_test(lambda: make(augmentation=ALL), batch(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("augmentation", [(), ALL])
def test_contract_compiled(augmentation):
    run_slow_objective_test(lambda: make(augmentation=augmentation), batch())


@pytest.mark.parametrize("augmentation", [(), ("translation", "color")])
def test_terms_follow_the_paper(augmentation, monkeypatch):
    """Miyato et al. (2018), eq. 16 and 17, of D(x, y) (Miyato and Koyama, 2018); T(x), T(fake) (Zhao et al., eq. 3)."""
    model, given, rng = make(augmentation=augmentation), batch(), np.random.default_rng(3)
    count = len(given["c"])
    uniform = [rng.uniform(size=count)]
    uniform += [rng.uniform(size=(count, 2, diff_augment.drawn(augmentation)))] if augmentation else []
    noise, drawn = rng.normal(size=(count, LATENT - LABELS)), iter(uniform)
    monkeypatch.setattr(model, "uniform", lambda *shape: tf.constant(next(drawn), tf.float32))
    monkeypatch.setattr(model, "normal", lambda *shape: tf.constant(noise, tf.float32))
    found = model.terms({key: tf.constant(given[key]) for key in ("c", "labels")}, training=True)

    eye = np.eye(LABELS)
    classes = eye[np.floor(uniform[0] * LABELS).astype(int)]
    real, fake = given["c"], apply(model.generator, np.concatenate([classes, noise], 1))
    if augmentation:
        real, fake = (
            diff_augment.augmented(tf.constant(x, tf.float32), augmentation, tf.constant(uniform[1][:, n], tf.float32))
            for n, x in enumerate((real, fake))
        )
    of_real, of_fake = (
        apply(model.discriminator, np.concatenate([np.reshape(x, (count, -1)), t], 1))[:, 0]
        for x, t in ((real, eye[given["labels"]]), (fake, classes))
    )
    assert set(found) == {"real", "fake", "fooling"}
    np.testing.assert_allclose(found["real"], np.maximum(0, 1 - of_real), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["fake"], np.maximum(0, 1 + of_fake), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["fooling"], -of_fake, rtol=1e-4, atol=1e-5)


def test_five_steps_of_the_discriminator_to_one_of_the_generator():
    model = make()
    model.compile("adam", run_eagerly=True)
    model.train_on_batch(batch())
    counts = [int(model.optimizer_of(player).iterations) for player in model.players]
    assert counts == [5, 1]


def test_classes_are_drawn_all_as_often():
    model = make()
    seen = []
    whole = model.generator

    class Watched:
        def __call__(self, codes, **kwargs):
            seen.append(codes.numpy())
            return whole(codes, **kwargs)

    object.__setattr__(model, "generator", Watched())
    model.terms({"c": tf.zeros((3000, *networks.SHAPE)), "labels": tf.zeros(3000, tf.int64)}, training=True)
    (codes,) = seen
    assert set(np.unique(codes[:, :LABELS])) == {0.0, 1.0} and (codes[:, :LABELS].sum(1) == 1).all()
    assert codes[:, :LABELS].sum(0).min() > 900
    assert codes[:, LABELS:].std() == pytest.approx(1.0, abs=0.05)


def test_new_codes_begin_with_the_classes_in_turn():
    model = make()
    codes = model.prior(7, seed=3).numpy()
    assert (codes.shape, codes.dtype) == ((7, LATENT), np.float32)
    np.testing.assert_array_equal(codes[:, :LABELS], np.eye(LABELS)[[0, 1, 2, 0, 1, 2, 0]])
    assert codes.tobytes() == model.prior(7, seed=3).numpy().tobytes() != model.prior(7, seed=4).numpy().tobytes()
    chosen = np.array([2, 2, 0])
    np.testing.assert_array_equal(model.prior_of(chosen, 1).numpy()[:, :LABELS], np.eye(LABELS)[chosen])
    noise, half = (model.prior_of(np.zeros(2000, int), 1, spread)[:, LABELS:].numpy() for spread in (1.0, 0.5))
    np.testing.assert_allclose(half, 0.5 * noise)
    assert noise.std() == pytest.approx(1.0, abs=0.05)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="augmentation is of color, translation, cutout, not 'flip'"):
        make(augmentation=("flip",))
    assert make(augmentation="cutout").augmentation == ("cutout",)
    with pytest.raises(InputError, match="Codes of 3 numbers have at least one beside those of 3 classes"):
        make(generator=networks.linear((LABELS,), networks.SHAPE, 0))
    with pytest.raises(InputError, match="knows no image of class 3: its classes are below 3"):
        make().prior_of(np.array([0, 3]))
    model = make()
    model.compile("adam")
    given, sentence = batch(), "CGANPD learns from classes: pass kerasinterp.data.batches of labelled examples to fit"
    for labels in ({}, {"labels": given["labels"].astype(np.float32)}, {"labels": np.eye(3)[given["labels"]]}):
        with pytest.raises(InputError, match=sentence):
            model.fit(tf.data.Dataset.from_tensors({"c": given["c"]} | labels), verbose=0, shuffle=False)
    with pytest.raises(InputError, match="labels are not all from 0 to the number of classes less 1"):
        model.fit(
            tf.data.Dataset.from_tensors({"c": given["c"], "labels": given["labels"] + 1}), verbose=0, shuffle=False
        )


def test_it_learns_from_labelled_examples_and_is_saved(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    model = CGANPD(
        discriminator=sngan.projection_discriminator((8, 8, 1), 2, 2),
        generator=sngan.decoder((8, 8, 1), 2 + 3, 2, classes=2),
        augmentation=ALL,
    )
    model.compile(keras.optimizers.Adam(2e-4, 0.0, 0.9), run_eagerly=True)
    data = batches(Examples(images, np.arange(20) % 2, ("a", "b")), 10, steps=1)
    assert np.isfinite(model.fit(data, verbose=0, shuffle=False).history["loss"]).all()
    model.save(tmp_path / "model.keras")
    again = generation.load_model(tmp_path / "model.keras")
    assert (again.classes, again.augmentation) == (2, ALL)
    assert generation.sample(again, 5, 1).tobytes() == generation.sample(model, 5, 1).tobytes()


def test_a_recipe_s_networks_are_for_the_data_s_classes():
    recipe = training.with_objective(find("augintae_mnist"), "CGANPD").change(image_size=16)
    recipe = recipe.change(backbone=Backbone("sngan", width=2, latent_size=3))
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), np.uint8)
    model = training.build(recipe, Examples(images, np.arange(8) % 4, tuple("abcd")))
    assert (model.classes, model.latent_shape) == (4, (7,))
    assert any(type(layer).__name__ == "ConditionalBatchNormalization" for layer in model.generator.layers)
    with pytest.raises(InputError, match="learns with labels or attributes, and the data have none"):
        training.build(recipe, Examples(images))
