"""The few-shot yardstick on toy images: which rows have which measures, and that all rows are measured alike."""

import types

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.evaluation.paths import as_float
from kerasinterp.ops import mixing
from kerasinterp.yardsticks import few_shot
from tests.evaluation import toys

OF_ALL = {"fid", "kernel", "misclassification", "class_fidelity", "diversity", "novelty", "copies", "precision"}

OF_TWO_STEPS = {"steps": 2, "width": 4}


@pytest.fixture(scope="module")
def judge():
    return few_shot.of_images(
        toys.images(0, 60), toys.images(1, 60, angle=1), samples=60, steps=20, shots=3, oracle={"steps": 20, "width": 4}
    )


@pytest.fixture(scope="module")
def rows(judge):
    identity, blank = toys.identity(), toys.blank()
    return judge.bases() | {name: judge.measure(model, None) for name, model in (("copy", identity), ("blank", blank))}


def test_rows_without_a_model(rows):
    assert set(rows) == {"real", "pixel_fade", "augmented", "copy", "blank"}
    for name, row in rows.items():
        assert set(row) >= OF_ALL, name
    assert all(("turning_error" in row) == (name not in ("real", "augmented")) for name, row in rows.items())


def test_a_model_of_pixels_is_the_pixel_fade(rows):
    for key, value in rows["pixel_fade"].items():
        assert rows["copy"][key] == pytest.approx(value, rel=1e-3, abs=1e-3), key


def test_what_has_no_class_is_not_faithful_and_has_no_diversity(rows):
    assert rows["blank"]["class_fidelity"] == pytest.approx(0.5)  # all images are of one class to the oracle
    assert rows["blank"]["diversity"] == pytest.approx(0.0, abs=1e-6)
    assert rows["blank"]["precision"] == 0.0
    assert rows["real"]["novelty"] == pytest.approx(1.0, abs=0.2)
    assert rows["pixel_fade"]["novelty"] < 0.8


def test_mixing_without_known_weights_has_no_turning_error(judge):
    model = toys.identity()
    model.mixing = mixing.Bernoulli()
    assert judge.measure(model, None)["turning_error"] is None


def test_few_images_leave_the_papers_measures():
    target = toys.images(1, 12, angle=1)
    judge = few_shot.of_images(toys.images(0, 30), target, samples=12, steps=2, usefulness=2)
    assert "Not everything could be measured: 0 classes have 8 images or more, of 2" in judge.note
    row = judge.measure(toys.identity(), None)
    assert row["fid"] >= 0.0 and row["turning_error"] > 0.0
    assert "class_fidelity" not in row and not any(key.startswith("usefulness") for key in row)
    assert set(judge.bases()) == {"pixel_fade", "real"}
    assert "usefulness.png" not in judge.figures


def test_usefulness_when_it_is_asked_for(monkeypatch):
    """A stand-in: what classifiers learn is tested in tests/evaluation."""
    asked = []

    class Usefulness:
        protocol = {"usefulness_draws": 2}

        def __init__(self, images, labels, draws, seed, verbose):
            asked.append((len(images), len(labels), draws, seed))

        def measure(self, make):
            made = make(target[0], np.array([[0, 2]]), 4, 0)
            return {"usefulness_2": float(np.mean(made))}

        def without_model(self):
            return {"seeds": {"usefulness_2": 0.25}, "augmented": {"usefulness_2": 0.5}}

    monkeypatch.setattr(few_shot.evaluation, "Usefulness", Usefulness)
    target = toys.images(1, 40, angle=1)
    judge = few_shot.of_images(
        toys.images(0, 30), target, samples=20, steps=2, shots=2, usefulness=2, seed=3, oracle=OF_TWO_STEPS
    )
    assert asked == [(40, 40, 2, 3)]
    assert judge.protocol["usefulness_draws"] == 2 and "usefulness_5" in judge.columns
    bases = judge.bases()
    assert bases["seeds"] == {"usefulness_2": 0.25}
    assert bases["augmented"]["usefulness_2"] == 0.5 and "class_fidelity" in bases["augmented"]
    made = judge.measure(toys.identity(), None)
    assert made["usefulness_2"] == pytest.approx(bases["pixel_fade"]["usefulness_2"], abs=1e-5)


def test_real_images_differ_as_real_ones_though_few_are_kept_for_seeds():
    """Of eleven images a class six are for seeds, so beside a set of five there is one."""
    target = toys.images(1, 22, angle=1)
    judge = few_shot.of_images(toys.images(0, 30), target, samples=20, steps=2, oracle=OF_TWO_STEPS)
    assert judge.bases()["real"]["diversity"] > 0.5


@pytest.mark.parametrize(("count", "samples"), [(16, 20), (40, 3)])
def test_few_images_or_samples_leave_the_measures_of_neighbours_out(count, samples):
    target = toys.images(1, count, angle=1)
    judge = few_shot.of_images(toys.images(0, 30), target, samples=samples, steps=2, oracle=OF_TWO_STEPS)
    row = judge.measure(toys.identity(), None)
    assert row["precision"] is None and row["coverage"] is None
    assert 0.0 <= row["class_fidelity"] <= 1.0
    assert set(judge.bases()) == {"real", "pixel_fade", "augmented"}


def test_what_is_all_alike_is_precise_and_recalls_little():
    rng = np.random.default_rng(0)
    real, alike = rng.normal(size=(120, 2)), rng.normal(0.0, 0.01, (60, 2))
    sets = types.SimpleNamespace(labels=np.zeros(120, int), seeds=np.arange(40), origins=np.arange(60))
    row = few_shot._neighbours(alike, real, sets)
    assert row["precision"] > 0.9 and row["recall"] < 0.2
    assert row["coverage"] < 0.5 < row["density"]


class OfSeeds:
    """A model that makes images of seeds in its own way: the first seed, again and again."""

    image_shape = (12, 12, 1)

    def few_shot(self, seeds, n, seed):
        return np.repeat(seeds[:1], n, axis=0)


class OfNone:
    """A model that draws the images of the target from its prior, or grey."""

    image_shape = (12, 12, 1)

    def __init__(self, images=None):
        self.images = images

    def prior(self, count, seed=0):
        return np.random.default_rng(seed).integers(0, 60, (count, 1)).astype(np.float32)

    def decode(self, latents):
        if self.images is None:
            return tf.zeros((tf.shape(latents)[0], 12, 12, 1))
        return tf.gather(tf.constant(self.images, tf.float32) / 127.5 - 1, tf.cast(latents[:, 0], tf.int32))


OF_RECONSTRUCTIONS = {"fid_reconstruction", "kernel_reconstruction", "misclassification_reconstruction", "l2"}


def test_a_model_with_its_own_way_is_measured_by_what_it_makes_of_seeds(judge, rows):
    row = judge.measure(OfSeeds(), None)
    assert row["class_fidelity"] == pytest.approx(row["seed_accuracy"], abs=0.1)  # copies of seeds
    assert row["copies"] == 1.0 and row["diversity"] == 0.0
    assert all(row[key] is None for key in OF_RECONSTRUCTIONS | {"turning_error"})
    assert row["fid"] < rows["blank"]["fid"]


def test_what_takes_no_seeds_is_measured_by_samples_of_its_prior(judge, rows):
    images, _ = toys.images(1, 60, angle=1)
    good, bad = judge.measure(OfNone(images), None), judge.measure(OfNone(), None)
    assert all(good[key] is None for key in OF_RECONSTRUCTIONS | {"turning_error"})
    assert not {"class_fidelity", "diversity"} & set(good)  # of no class
    assert good["fid"] < 0.2 * bad["fid"] and bad["precision"] == 0.0
    assert good["precision"] > 0.5 and good["recall"] > 0.5


def test_pictures_of_all_kinds_of_models(judge, tmp_path):
    models = {"codes": toys.identity(), "own way": OfSeeds(), "prior": OfNone()}
    judge.picture(models, tmp_path / "comparison.png")
    made = {"comparison.png", "turning.png", "few_shot.png", "midpoints.png", "samples.png"}
    assert {path.name for path in tmp_path.iterdir()} == made
    for path in made:
        (tmp_path / path).unlink()
    judge.picture({"prior": OfNone()}, tmp_path / "comparison.png")
    judge.picture({"codes": toys.identity()}, tmp_path / "comparison.png")
    assert {path.name for path in tmp_path.iterdir()} == made


def test_telling_pairs_are_those_where_models_differ_most():
    images, labels = toys.images(1, 16, angle=1)
    models = {"copy": toys.identity(), "blank": toys.blank()}
    found = few_shot.telling_pairs(images, labels, models, lambda x: as_float(x).reshape(len(x), -1))

    real = images.astype(np.float64).reshape(16, -1) / 127.5 - 1.0
    pairs = np.stack(np.triu_indices(16, 1), axis=1)
    pairs = pairs[labels[pairs[:, 0]] == labels[pairs[:, 1]]]  # fewer than are tried: all are
    fades = real[pairs].mean(axis=1)
    away = np.linalg.norm(fades[:, np.newaxis] - real, axis=-1).min(axis=1)
    order = np.argsort(-np.abs(away - np.linalg.norm(real, axis=-1).min()))
    np.testing.assert_array_equal(found, pairs[order[: len(found)]])


def test_one_model_has_no_telling_pairs_and_several_have(judge, tmp_path):
    judge.picture({"a": toys.identity()}, tmp_path / "one" / "comparison.png")
    judge.picture({"a": toys.identity(), "b": toys.blank()}, tmp_path / "two" / "comparison.png")
    one, two = ({path.name for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert two - one == {"telling_pairs.png"} and one < two


def test_light_pairs_are_seeds_like_others():
    """Of 160 to 200 of 255: floats of a pair would look as if they were in [0, 1]."""
    rng = np.random.default_rng(0)
    light = rng.integers(160, 200, (20, 12, 12, 1), dtype=np.uint8), np.arange(20) % 2
    judge = few_shot.of_images(toys.images(0, 30), light, samples=12, steps=2, shots=3, oracle=OF_TWO_STEPS)
    assert judge.measure(OfSeeds(), None)["fid"] >= 0.0
