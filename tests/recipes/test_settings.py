"""Every recipe's settings as `settings.json` has them: what the READMEs' figures were measured with, and its smoke's.

`python -m tests.recipes.test_settings` writes the file anew after a change that is meant; its figures are to be
measured anew as well.
"""

import dataclasses
import json
import pathlib
from typing import Any

from kerasinterp import quickstart
from kerasinterp.recipe import Data, Recipe, find, recipes
from tests import held

PATH = pathlib.Path(__file__).with_name("settings.json")
DEFAULTS = "what a recipe has where it states nothing"


def flat(given: Any, place: str = "") -> dict[str, Any]:
    """Settings by path, `data.form_options.rotation` say."""
    if not isinstance(given, dict) or not given:
        return {place: given}
    return {
        key: value for name, one in given.items() for key, value in flat(one, f"{place}.{name}".lstrip(".")).items()
    }


def settings() -> dict[str, dict[str, Any]]:
    """Of each recipe what is not so by default, of its smoke variant what is not so in the recipe, and the defaults."""
    plain = flat(dataclasses.asdict(Recipe("", "", Data(""))))
    found = {DEFAULTS: plain}
    for name, one in (recipes() | {quickstart.RECIPE.name: quickstart.RECIPE}).items():
        whole = flat(dataclasses.asdict(one))
        found[name] = differing(whole, plain)
        if one is not quickstart.RECIPE:
            found[f"{name} --smoke"] = differing(flat(dataclasses.asdict(find(name, smoke=True))), whole)
    return json.loads(json.dumps(found))


def differing(own: dict[str, Any], of: dict[str, Any]) -> dict[str, Any]:
    words = ("name", "summary")  # the first is the key, the second is prose
    return {key: value for key, value in own.items() if of.get(key, ...) != value and key not in words}


def test_recipes_have_the_settings_that_figures_were_measured_with():
    now = settings()
    assert list(now) == list(json.loads(PATH.read_text()))
    assert not held.changed(PATH, now)


if __name__ == "__main__":
    held.write(PATH, settings())
