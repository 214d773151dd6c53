"""Recipes: what they are made of, changed to and refused for, and that JSON brings them back."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest

from kerasinterp import recipe as recipes_module
from kerasinterp.errors import InputError
from kerasinterp.nn.backbone import Backbone
from kerasinterp.recipe import Data, Optimizer, Recipe, Schedule, Target, find, of_systems, recipes

TINY = Recipe("tiny", "", Data("glyphs"))


def test_recipes_and_their_smoke_variants():
    assert {"augintae_mnist", "augintae_omniglot"} <= set(recipes())
    assert list(recipes()) == sorted(recipes())
    for name, one in recipes().items():
        assert one.name == name
        smoke = find(name, smoke=True)
        assert smoke.schedule.epochs * smoke.schedule.images_per_epoch <= 10_000
        assert find(name) == one != smoke
    with pytest.raises(InputError, match=r"No recipe 'augintae_mnst'.* Did you mean 'augintae_mnist'\?"):
        find("augintae_mnst")


@pytest.mark.parametrize("name", sorted(recipes()))
def test_json_brings_a_recipe_back(name):
    one = find(name)
    assert Recipe.from_dict(json.loads(json.dumps(dataclasses.asdict(one)))) == one


def test_groups_and_their_fields_are_changed_by_name():
    changed = TINY.change(
        epochs=3,
        width=8,
        source=pathlib.Path("folder"),
        target="letters",
        seed=5,
        data={"split": "test"},
        backbone=Backbone("dcgan", latent_size=4),
        optimizers={"others": {"rate": 1}},
        image_size=[16, 32],
    )
    assert changed.schedule == dataclasses.replace(TINY.schedule, epochs=3)
    assert changed.data == Data("folder", split="test", image_size=(16, 32))
    assert changed.data.shape == (16, 32, 1)
    assert changed.target == Target(target="letters")
    assert changed.backbone == Backbone("dcgan", latent_size=4)
    assert changed.optimizers == {"all": Optimizer(), "others": Optimizer(1.0)}
    assert (changed.seed, changed.name) == (5, "tiny")
    assert TINY.change(target=Target(samples=7)).target.samples == 7
    assert TINY.change(target={"samples": 7}).target == Target(samples=7)
    assert TINY.schedule == Schedule(100, 60_000, 128, "float32", False, 0)  # as it was


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epoch": 3}, r"A recipe has no setting 'epoch'\..*"),
        ({"data": {"sourc": "x"}}, r"A recipe's data has no setting 'sourc'\. Did you mean 'source'\?"),
        ({"data": "x"}, "data is 'x', not a group of settings"),
        ({"optimizers": {"all": {"rates": 1}}}, r"optimizers\.all has no setting 'rates'"),
        ({"optimizers": {"all": 0.1}}, r"optimizers\.all is 0\.1, not a group"),
        ({"optimizers": None}, "optimizers cannot be None"),
        ({"epochs": 0}, r"epochs is 1 or more and below 2\*\*31, not 0"),
        ({"epochs": 2**31}, "epochs is 1 or more and below"),
        ({"epochs": "3"}, "epochs cannot be '3'"),
        ({"epochs": True}, "epochs cannot be True"),
        ({"epochs": 3.0}, r"epochs cannot be 3\.0"),
        ({"images_per_epoch": 0}, "images_per_epoch is 1"),
        ({"batch_size": -1}, "batch_size is 1"),
        ({"batch_size": 10**400}, "batch_size cannot be 1000"),
        ({"snapshot_every": -1}, "snapshot_every is 0 or more"),
        ({"precision": "float8"}, r"Unknown precision 'float8': choose of float32, bfloat16, float16"),
        ({"jit_compile": 1}, "jit_compile cannot be 1"),
        ({"seed": -1}, r"seed is 0 or more and below 2\*\*32"),
        ({"seed": 2**32}, r"seed is 0 or more and below 2\*\*32, not 4294967296"),
        ({"seed": None}, "seed cannot be None"),
        ({"form": "imges"}, "Did you mean 'images'"),
        ({"channels": 2}, r"channels is 1 \(grey\) or 3 \(colour\), not 2"),
        ({"image_size": 0}, "image_size is 1 or more"),
        ({"image_size": (8, 0)}, "image_size is 1 or more"),
        ({"image_size": 2**31}, "image_size is 1 or more and below"),
        ({"image_size": (8, 8, 8)}, "image_size cannot be"),
        ({"image_size": ()}, "image_size cannot be"),
        ({"share": 0}, "share, of the images, is above 0"),
        ({"share": 1.5}, r"at most 1, not 1\.5"),
        ({"per_class": -1}, "per_class is 0 or more"),
        ({"per_class": 5, "share": 0.5}, "per_class draws of whole classes: leave share and attributes out"),
        ({"per_class": 5, "attributes": ("a",)}, "per_class draws of whole classes"),
        ({"share": float("nan")}, "share cannot be nan"),
        ({"attributes": {"1": (0, 1), "7": (1,)}}, "attributes have rows of different lengths"),
        ({"attributes": {"1": ("a",)}}, "attributes cannot be"),
        ({"source_options": {"where": {"id": float("inf")}}}, r"source_options\.where cannot be inf"),
        ({"form_options": {"size": 2**32}}, "form_options.size cannot be"),
        ({"form_options": {1: 2}}, "form_options cannot be"),
        ({"target_without": (2**63,)}, "target_without cannot be"),
        ({"judge_steps": 0}, "judge_steps is 1"),
        ({"usefulness": 1}, "usefulness is 2"),
        ({"samples": 0}, "samples is 1"),
        ({"domain_by_class": "no"}, "domain_by_class cannot be 'no'"),
        ({"width": 0}, "width is 1 or more and at most 65,536, not 0"),
        ({"latent_size": 2**16 + 1}, "latent_size is 1 or more"),
        ({"networks": {"decoder": 4}}, r"networks\.decoder cannot be 4"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        TINY.change(**settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"rate": 0.0}, "rate is above 0"),
        ({"rate": float("inf")}, "rate cannot be inf"),
        ({"rate": "x"}, "rate cannot be 'x'"),
        ({"kind": "lion"}, "Unknown kind 'lion': choose of adam, sgd"),
        ({"betas": (0.9,)}, "betas cannot be"),
        ({"betas": (0.9, 1.0)}, "betas are 0 or more and below 1"),
        ({"betas": (-0.1, 0.9)}, "betas are 0 or more and below 1"),
        ({"decay": -1.0}, "decay is 0 or more"),
        ({"clip": -0.5}, "clip is 0 or more"),
        ({"clip": float("inf")}, "clip cannot be inf"),
        ({"averaging": 1.0}, "averaging is 0 or more and below 1"),
        ({"averaging": -0.5}, "averaging is 0 or more and below 1"),
        ({"kind": "sgd", "momentum": 1.0}, "momentum is 0 or more and below 1"),
        ({"cuts": (0.5,), "factor": 1.0}, "factor is above 0 and below 1, not 1.0"),
        ({"cuts": (0.5,), "to_zero": True}, "rate falls by cuts or to_zero: leave one of them out"),
        ({"factor": 0.5}, "factor has no effect without cuts"),
        ({"cuts": (0.5, 0.2)}, "cuts are shares of the training above 0 and below 1, in order"),
        ({"cuts": (0.0,)}, "cuts are shares"),
        ({"cuts": (1.0,)}, "cuts are shares"),
        ({"cuts": (0.5, 0.5)}, "cuts are shares"),
        ({"momentum": 0.5}, "The optimizer adam has no momentum: leave it out"),
        ({"kind": "sgd", "betas": (0.5, 0.9)}, "The optimizer sgd has no betas"),
    ],
)
def test_optimizers_that_cannot_be_are_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        Optimizer(**settings)
    assert Optimizer(betas=(0.0, 0.0), averaging=0.0, decay=0.0, cuts=(0.1, 0.9)).betas == (0.0, 0.0)


@pytest.mark.parametrize("group", [TINY, TINY.data, TINY.backbone, TINY.schedule, TINY.target, Optimizer()])
def test_settings_are_frozen(group):
    name = dataclasses.fields(group)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(group, name, getattr(group, name))
    assert hash(Schedule()) == hash(Schedule())


def test_optimizers_are_found_by_the_nearest_name():
    first, others, everybody, critic = (Optimizer(rate) for rate in (1.0, 2.0, 3.0, 4.0))
    one = dataclasses.replace(TINY, optimizers={"all": everybody, "first": first, "others": others, "critic": critic})
    assert one.optimizer("autoencoder", first=True) == first
    assert one.optimizer("adversary", first=False) == others
    assert one.optimizer("critic", first=True) == one.optimizer("critic", first=False) == critic
    one = dataclasses.replace(TINY, optimizers={"all": everybody, "others": others})
    assert one.optimizer("autoencoder", first=True) == everybody
    one = dataclasses.replace(TINY, optimizers={"first": first})
    with pytest.raises(InputError, match="The recipe tiny names no optimizer for adversary"):
        one.optimizer("adversary", first=False)


def test_a_share_is_drawn_by_the_seed():
    some = TINY.change(share=0.8)
    kept = some.trained_on(10)
    assert kept.dtype == bool and kept.sum() == 8
    np.testing.assert_array_equal(kept, some.trained_on(10))
    assert (kept != some.change(seed=1).trained_on(10)).any()
    assert TINY.change(share=0.01).trained_on(10).sum() == 1
    assert TINY.trained_on(10).all()


def test_a_sample_has_as_many_images_of_each_class():
    """Drawn by the seed, a smaller one within a larger."""
    labels = np.random.default_rng(0).integers(0, 3, 60)
    few, more = (TINY.change(per_class=n).trained_on(60, labels) for n in (2, 7))
    assert few.dtype == bool and not (few & ~more).any()
    for kept, n in ((few, 2), (more, 7)):
        np.testing.assert_array_equal(np.bincount(labels[kept]), [n] * 3)
    np.testing.assert_array_equal(few, TINY.change(per_class=2).trained_on(60, labels))
    assert (few != TINY.change(per_class=2, seed=1).trained_on(60, labels)).any()
    places = [TINY.change(per_class=1, seed=seed).trained_on(60, labels).argmax() for seed in range(40)]
    assert len(set(places)) > 8  # of some 60 / 3
    with pytest.raises(InputError, match="per_class draws of each class, and glyphs has none"):
        TINY.change(per_class=2).trained_on(60)
    with pytest.raises(InputError, match="per_class is 50, and class 0 of glyphs has"):
        TINY.change(per_class=50).trained_on(60, labels)


def test_what_data_and_schedule_tell():
    assert Data("x").shape == (28, 28, 1)
    assert Data("spiral", form="points").shape == (2,)
    assert Data("x").number_of_attributes == 0
    assert Data("x", attributes=("a", "b")).number_of_attributes == 2
    assert Data("x", attributes={"7": (0, 1, 1)}).number_of_attributes == 3
    schedule = Schedule(epochs=3, images_per_epoch=65, batch_size=32)
    assert (schedule.steps_per_epoch, schedule.steps) == (3, 9)
    judges = {one: Schedule(precision=one).judges_precision for one in ("float32", "bfloat16", "float16")}
    assert judges == {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "float32"}


def test_what_a_recipe_has_that_says_nothing():
    assert dataclasses.asdict(Optimizer()) == {
        "rate": 1e-3,
        "kind": "adam",
        "betas": (0.9, 0.999),
        "momentum": 0.0,
        "decay": 0.0,
        "clip": 0.0,
        "cuts": (),
        "factor": 0.1,
        "averaging": 0.0,
        "to_zero": False,
    }
    assert Target() == Target("few_shot", None, "test", (), False, 2000, 5000)  # AugIntAE A.3: 5,000 samples
    assert Data("x") == Data("x", "train", {}, 1.0, False, (), 28, 1, "images", {}, 0)
    assert Recipe("tiny", "", Data("glyphs"), "AugIntAE", {}, "", Backbone(), {"all": Optimizer()}, seed=0) == TINY


def test_systems_on_one_base():
    made = of_systems(TINY, {"AAE": {}, "AEAI_without_cycle": {"epochs": 2}})
    assert [one.name for one in made] == ["aae_tiny", "aeai_without_cycle_tiny"]
    assert [one.objective for one in made] == ["AAE", "AEAI"]
    assert [one.schedule.epochs for one in made] == [100, 2]
    assert made[1].summary == "AEAI without cycle on "


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], r"recipe is \[\], not a group of settings"),
        ({"summary": "", "data": {"source": "x"}}, "recipe has no name"),
        ({"name": "", "summary": "", "data": {}}, "data has no source"),
        ({"name": "", "summary": "", "data": {"source": "x"}, "later": 1}, "recipe has no setting 'later'"),
        ({"name": 1, "summary": "", "data": {"source": "x"}}, "name cannot be 1"),
    ],
)
def test_dictionaries_that_are_no_recipe_are_refused(given, sentence):
    with pytest.raises(InputError, match=sentence):
        Recipe.from_dict(given)


def test_options_that_are_nested_too_deeply_are_refused():
    deep: dict = {}
    for _ in range(300):
        deep = {"a": deep}
    with pytest.raises(InputError, match=r"objective_options\.a is nested too deeply"):
        TINY.change(objective_options=deep)


def test_two_recipes_of_one_name_are_not_written():
    files = sorted(pathlib.Path(recipes_module.__file__).parents[1].glob("recipes/*/recipe.py"))
    names = []
    for file in files:
        module = __import__(f"kerasinterp.recipes.{file.parent.name}.recipe", fromlist=["recipe"])
        names += [one.name for one in getattr(module, "RECIPES", None) or (module.RECIPE,)]
    assert len(names) == len(set(names)) == len(recipes())


# Sizes and colour


def test_another_size_keeps_the_share_that_images_move():
    grey = find("augintae_mnist")
    assert grey.of_size() == grey
    for size, translation in ((56, 8.0), ((48, 56), 48 / 7), ((28, 64), 4.0)):
        changed = grey.of_size(size)
        assert changed.data.form_options == grey.data.form_options | {"translation": pytest.approx(translation)}
        assert changed == grey.change(image_size=size, form_options=changed.data.form_options)
    some = grey.change(form_options={"translation": 4.0, "ends": 0.5})
    assert some.of_size(56).data.form_options == {"translation": 8.0, "ends": 0.5}
    assert some.of_size(channels=3).data.form_options["ends"] == 0.5
    cropped = grey.change(form_options={"translation": 2.0, "crop": 20}).of_size(14)
    assert cropped.data.form_options == {"translation": 1.0, "crop": 10}


def test_colour_takes_the_ranges_of_natural_images_and_grey_those_of_strokes():
    grey = find("augintae_mnist")
    coloured = grey.of_size(channels=3)
    natural = {"rotation": 10.0, "translation": 3.5, "scale": 0.2, "shear": 3.0, "padding": "symmetric"}
    natural |= {"brightness": 0.25, "contrast": 0.25, "saturation": 0.25, "hue": 0.05}
    assert (coloured.data.shape, coloured.data.form_options) == ((28, 28, 3), natural)
    assert coloured.of_size(channels=1) == grey
    own = grey.change(form_options={"rotation": 5.0})
    assert own.of_size(channels=1) == own  # as it was


def test_no_recipe_for_own_images_of_that_kind():
    with pytest.raises(InputError, match=r"There is no 'gan' for own images: choose of augintae, images, .*scola"):
        recipes_module.for_own_images(kind="gan")


def test_other_forms_have_no_ranges_and_points_no_size():
    assert find("acai_lines").of_size((16, 24), 3) == find("acai_lines").change(image_size=(16, 24), channels=3)
    with pytest.raises(InputError, match="acai_spiral is for points of the plane, which have no size"):
        find("acai_spiral").of_size(64)
    with pytest.raises(InputError, match="channels is 1"):
        find("acai_lines").of_size(channels=2)


@pytest.mark.parametrize(
    ("size", "channels", "name", "shape"),
    [
        (None, None, "images28", (28, 28, 1)),
        (None, 3, "images28", (28, 28, 3)),
        (1, None, "images28", (1, 1, 1)),
        ((48, 64), None, "images64", (48, 64, 3)),
        (64, 1, "images64", (64, 64, 1)),
        ((200, 90), None, "images64", (200, 90, 3)),
        ((100, 200), None, "images128", (100, 200, 3)),
        (16_384, None, "images128", (16_384, 16_384, 3)),
    ],
)
def test_ones_own_images_take_the_recipe_of_the_nearest_size(size, channels, name, shape):
    for smoke in (False, True):
        found = recipes_module.for_own_images(size, channels, smoke=smoke)
        assert (found.name, found.data.shape, found.data.source) == (name, shape, "")
        assert found == find(name, smoke).of_size(size, channels)


def test_recipes_for_ones_own_images_are_the_recommended_variant():
    recommended = find("augintae_maps_mnist")
    assert find("images28") == recommended.change(
        name="images28", summary=find("images28").summary, source="", target=Target()
    )
    for name, size in (("images64", 64), ("images128", 128)):
        one = find(name)
        assert one.data.shape == (size, size, 3) and one.data.form_options["translation"] == size / 8
        assert one.schedule.epochs * one.schedule.images_per_epoch == 1_020_000
        assert (one.objective, one.mixing, one.optimizers) == ("AugIntAE", "linear", recommended.optimizers)
