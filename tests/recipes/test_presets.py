"""The presets that ship are those that their recipes make, by one command."""

import pytest
from click.testing import CliRunner
from kerasinterp.recipes.presets import make, recipe

from kerasinterp import from_preset, presets, training
from kerasinterp.objectives import AugIntAE
from kerasinterp.recipe import Recipe, find


def test_every_preset_has_a_recipe_and_a_card():
    assert set(presets.shipped()) == set(make.CARDS) == {one.name.removeprefix("preset_") for one in recipe.RECIPES}


@pytest.mark.parametrize("name", make.CARDS)
def test_what_ships_is_what_its_recipe_makes(name):
    card = presets.read_card(presets.shipped()[name])
    trained, asked = Recipe.from_dict(card["training"]["recipe"]), find(f"preset_{name}")
    assert trained == asked.change(precision=trained.schedule.precision)
    assert card["training"]["images_seen"] == asked.schedule.steps * asked.schedule.batch_size
    assert [one["shots"] for one in card["measures"]] == list(make.SHOTS)
    said = make.CARDS[name]
    assert (card["description"], card["data"]["description"], card["data"]["licence"], tuple(card["limits"])) == (
        said["description"],
        said["data"],
        said["licence"],
        said["limits"],
    )


@pytest.mark.slow
def test_a_preset_is_made_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    asked = ["glyphs", "--smoke", "--precision", "float32", "-o", str(tmp_path)]
    shown = CliRunner().invoke(make.main, asked, catch_exceptions=False)
    assert shown.exit_code == 0 and shown.output.strip().endswith(str(tmp_path / "glyphs"))
    assert type(from_preset(tmp_path / "glyphs")) is AugIntAE
    card = presets.read_card(tmp_path / "glyphs")
    assert [(one["target"], one["split"], one["shots"]) for one in card["measures"]] == [
        ("glyphs_scripts", "scripts_test", 5),
        ("glyphs_scripts", "scripts_test", 2),
    ]
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("it was trained already"))
    assert make.make("glyphs", tmp_path, "float32", smoke=True) == tmp_path / "glyphs"
