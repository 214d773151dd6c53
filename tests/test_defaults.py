"""Every default of a public function or class as `defaults.json` has it: many are the papers', all are users'.

`python tests/test_defaults.py` writes the file anew after a change that is meant.
"""

import importlib
import inspect
import json
import pathlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import kerasinterp

PATH = pathlib.Path(__file__).with_name("defaults.json")


def public(members: dict[str, Any], module: str) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        if not name.startswith("_") or name == "__init__":
            value = inspect.unwrap(getattr(value, "__func__", value))
            if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == module:
                yield name, value


def defaults_of(function: Any) -> dict[str, str]:
    given = {one.name: one.default for one in inspect.signature(function).parameters.values()}
    shown = {name: getattr(one, "__name__", repr(one)) for name, one in given.items() if one is not inspect._empty}
    return {name: text for name, text in shown.items() if " at 0x" not in text}


def defaults() -> dict[str, dict[str, str]]:
    """By place, `kerasinterp.data.turns.Turns.__init__` say; those that have some."""
    found = {}
    for one in pkgutil.walk_packages(kerasinterp.__path__, "kerasinterp."):
        if one.name.startswith("kerasinterp.recipes"):  # scripts
            continue
        module = importlib.import_module(one.name)
        for name, value in public(vars(module), one.name):
            if not inspect.isclass(value):
                found[f"{one.name}.{name}"] = defaults_of(value)
                continue
            for method, function in public(vars(value), one.name):
                found[f"{one.name}.{name}.{method}"] = defaults_of(function)
            if "__init__" in vars(value):  # a data class' too, whose own is made elsewhere
                found[f"{one.name}.{name}.__init__"] = defaults_of(vars(value)["__init__"])
    return {place: own for place, own in sorted(found.items()) if own}


def test_defaults_are_as_they_were():
    kept, now = json.loads(PATH.read_text()), defaults()
    changed = {
        f"{place}: {name}": (kept.get(place, {}).get(name), now.get(place, {}).get(name))
        for place in kept | now
        for name in kept.get(place, {}) | now.get(place, {})
        if kept.get(place, {}).get(name) != now.get(place, {}).get(name)
    }
    assert not changed  # (as kept, as now)


def test_they_are_found():
    found = defaults()
    assert found["kerasinterp.data.turns.Views.__init__"] == {"step": "5.0", "places": "None"}
    assert len(found) > 200


if __name__ == "__main__":
    rows = (f"{json.dumps(place)}: {json.dumps(own)}" for place, own in defaults().items())
    PATH.write_text("{\n" + ",\n".join(rows) + "\n}\n")
