"""Every recipe's settings as `settings.json` has them: what the READMEs' figures were measured with.

`python tests/recipes/test_settings.py` writes the file anew after a change that is meant; its figures are to be
measured anew as well.
"""

import dataclasses
import json
import pathlib
from typing import Any

from kerasinterp import quickstart
from kerasinterp.recipe import Data, Recipe, recipes

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
    """Of each recipe what is not so by default, and the defaults."""
    plain = flat(dataclasses.asdict(Recipe("", "", Data(""))))
    found = {
        name: {key: value for key, value in flat(dataclasses.asdict(one)).items() if plain.get(key, ...) != value}
        for name, one in (recipes() | {quickstart.RECIPE.name: quickstart.RECIPE}).items()
    }
    for own in found.values():
        del own["name"], own["summary"]  # the first is the key, the second is prose
    return json.loads(json.dumps({DEFAULTS: plain} | found))


def test_recipes_have_the_settings_that_figures_were_measured_with():
    kept, now = json.loads(PATH.read_text()), settings()
    assert list(now) == list(kept)
    changed = {
        f"{name}: {key}": (kept[name].get(key), now[name].get(key))
        for name in now
        for key in kept[name] | now[name]
        if kept[name].get(key, ...) != now[name].get(key, ...)
    }
    assert not changed  # (as kept, as now)


if __name__ == "__main__":
    rows = (f"{json.dumps(name)}: {json.dumps(own)}" for name, own in settings().items())
    PATH.write_text("{\n" + ",\n".join(rows) + "\n}\n")
