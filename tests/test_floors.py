"""Imports run downwards only: a module never imports from a floor above its own."""

import ast
import pathlib

import kerasinterp

FLOORS = {
    "errors": 0,
    "files": 0,
    "_keras": 0,
    "processor": 0,
    "_tensorflow_gan": 0,
    "ops": 0,
    "nn": 1,
    "data": 1,
    "objectives": 2,
    "generation": 3,
    "evaluation": 4,
    "recipe": 5,
    "recipes": 5,
    "exporting": 5,
    "callbacks": 5,
    "training": 6,
    "comparison": 7,
    "yardsticks": 6,
    "systems": 7,
    "quickstart": 7,
    "cli": 8,
}
ROOT = pathlib.Path(kerasinterp.__file__).parent


def imported(path: pathlib.Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("kerasinterp.")}


def test_every_module_has_a_floor():
    parts = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.rglob("*.py")}
    assert parts - {"__init__"} <= set(FLOORS)


def test_imports_run_downwards():
    upward = []
    for path in ROOT.rglob("*.py"):
        own = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        upward += [f"{path.name} -> {name}" for name in imported(path) if FLOORS.get(name, -1) > FLOORS[own]]
    assert not upward
