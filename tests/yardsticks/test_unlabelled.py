"""The yardstick of images without labels, on toy images."""

import dataclasses
import types

import numpy as np
import pytest

from kerasinterp import data
from kerasinterp.errors import InputError
from kerasinterp.recipe import Data, Recipe, Target
from kerasinterp.yardsticks import unlabelled
from tests.evaluation import toys

RECIPE = Recipe(
    "mine", "", Data("folder", image_size=12, share=0.6), target=Target("unlabelled", judge_steps=30, samples=100)
)


@pytest.fixture(scope="module")
def images():
    return toys.images(0, 50)[0]


@pytest.fixture(scope="module")
def judge(images):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load_examples", lambda *_, **__: data.Examples(images))
        return unlabelled.judge(RECIPE, None, smoke=True, seed=0)


def test_a_model_of_pixels_reconstructs_and_mixes_as_the_fade(judge):
    copy, (fade,) = judge.measure(toys.identity(), RECIPE), judge.bases().values()
    assert copy["l2"] == pytest.approx(0.0, abs=1e-3)
    assert copy["fid_reconstruction"] == pytest.approx(0.0, abs=1e-3)
    assert copy["fid"] > 10 * copy["fid_reconstruction"]
    for key, value in fade.items():
        assert copy[key] == pytest.approx(value, rel=1e-3, abs=1e-3), key
    assert not {"l2", "fid_reconstruction", "kernel_reconstruction"} & set(fade)
    assert judge.measure(toys.blank(), RECIPE)["l2"] > 50


def test_measured_is_what_the_run_did_not_learn_from(judge, images, monkeypatch):
    assert judge.protocol["images"] == 50 and judge.protocol["judged"] == 20
    seen = []
    monkeypatch.setattr(unlabelled.evaluation, "l2_error", lambda real, made: seen.append(real) or 0.0)
    for seed in (0, 1):
        judge.measure(toys.identity(), RECIPE.change(seed=seed))
        unseen = images[~RECIPE.change(seed=seed).trained_on(50)]
        assert sorted(one.tobytes() for one in seen[-1]) == sorted(one.tobytes() for one in unseen)
    judge.measure(toys.identity(), RECIPE.change(share=1.0))
    assert len(seen[-1]) == 50


def test_fewer_samples_are_drawn_at_random():
    """The first images of a folder are those of its first classes."""
    images = np.arange(200, dtype=np.uint8)[:, None, None, None]
    recipe = RECIPE.change(share=1.0)
    recipe = dataclasses.replace(recipe, target=dataclasses.replace(recipe.target, samples=40))
    one, other = (unlabelled._judged(recipe, data.Examples(images), seed).ravel() for seed in (0, 1))
    assert len(set(one)) == len(set(other)) == 40 and max(one) > 150 < max(other) and set(one) != set(other)


def test_the_classifier_learns_to_tell_flipped_images(images, monkeypatch):
    given = []

    def train(pictures, labels, count, **settings):
        given.append((pictures, labels, count, settings["steps"]))
        return types.SimpleNamespace(accuracy=0.5)

    monkeypatch.setattr(data, "load_examples", lambda *_, **__: data.Examples(images))
    monkeypatch.setattr(unlabelled.evaluation, "train_classifier", train)
    judge = unlabelled.judge(RECIPE.change(samples=10), None, smoke=False, seed=0)
    ((pictures, labels, count, steps),) = given
    assert (len(pictures), count, steps, judge.protocol["flips_accuracy"]) == (40, 4, 30, 0.5)
    plain, mirrored = pictures[labels == 0], pictures[labels == 2]
    np.testing.assert_array_equal(mirrored, plain[:, :, ::-1])
    np.testing.assert_array_equal(pictures[labels == 3], plain[:, ::-1, ::-1])
    assert "too few images" in judge.note


def test_one_image_is_too_few(monkeypatch):
    monkeypatch.setattr(data, "load_examples", lambda *_, **__: data.Examples(toys.images(0, 2)[0]))
    with pytest.raises(InputError, match="folder leaves 1 image to measure on"):
        unlabelled.judge(RECIPE.change(share=0.5), None, smoke=True, seed=0)


def test_a_picture_of_pairs_and_turns(judge, tmp_path):
    judge.picture({"copy": toys.identity()}, tmp_path / "comparison.png")
    assert (tmp_path / "comparison.png").exists() and (tmp_path / "turning.png").exists()


@pytest.mark.parametrize("per_class", [0, 5])
def test_classes_are_read_where_a_recipe_draws_of_each(per_class, monkeypatch):
    class Read(Exception):
        pass

    def load(*_, labels, **__):
        raise Read(labels)

    monkeypatch.setattr(data, "load_examples", load)
    with pytest.raises(Read, match=str(per_class > 0)):
        unlabelled.judge(RECIPE.change(share=1.0, per_class=per_class), None, smoke=True, seed=0)
