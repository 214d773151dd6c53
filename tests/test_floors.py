"""Imports run downwards only: a module never imports from a floor above its own, nor in a circle within it."""

import ast
import graphlib
import pathlib

import kerasinterp.recipes

import kerasinterp

FLOORS = {
    "errors": 0,
    "files": 0,
    "processor": 0,
    "progress": 0,
    "quiet": 0,
    "typed": 0,
    "reproducible": 0,
    "_keras": 0,
    "_tensorflow_gan": 0,
    "_unloadable": 0,
    "ops": 0,
    "nn": 1,
    "data": 1,
    "presets": 1,
    "objectives": 2,
    "generation": 3,
    "evaluation": 4,
    "recipe": 5,
    "recipes": 5,
    "yardsticks": 5,
    "exporting": 5,
    "run": 6,
    "callbacks": 6,
    "cluster": 6,
    "training": 6,
    "compare": 7,
    "generalisation": 7,
    "publishing": 7,
    "quickstart": 7,
    "enlarging": 7,
    "cli": 8,
    "experiments": 8,
}
# `recipes/` is a folder of its own at the top level; a recipe run as a script trains and measures itself.
FOLDERS = {"kerasinterp": pathlib.Path(kerasinterp.__file__).parent}
FOLDERS["kerasinterp.recipes"] = pathlib.Path(kerasinterp.recipes.__path__[0])


def modules() -> dict[str, pathlib.Path]:
    """Every module's dotted name and file."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in folder.rglob("*.py"):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def is_script(node: ast.AST) -> bool:
    """Whether it is an `if __name__ == "__main__":`."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported(tree: ast.AST, known: set[str], inside: bool) -> set[str]:
    """The package's modules that a module imports; `inside` its functions too."""
    names: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if is_script(node) or is_for_types(node):
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in known else node.module for name in whole}
        elif inside or not isinstance(node, ast.FunctionDef):
            names |= imported(node, known, inside)
    return {name for name in names if name.split(".")[0] == "kerasinterp"}


def room(module: str) -> str:
    """A recipe is a value that training is given; a table or figure in its folder trains and measures."""
    _, *parts = module.split(".")
    if parts[:1] == ["recipes"] and len(parts) == 3 and parts[2] != "recipe":
        return "experiments"
    return parts[0] if parts else ""


def test_every_module_has_a_floor():
    rooms = {room(name) for name in modules()}
    assert rooms - {""} == set(FLOORS)


def test_imports_run_downwards():
    known, upward = modules(), []
    for name, path in known.items():
        if room(name):
            for other in imported(ast.parse(path.read_text()), set(known), inside=True):
                if room(other) and FLOORS[room(other)] > FLOORS[room(name)]:
                    upward.append(f"{name} -> {other}")
    assert not upward


def test_no_room_is_part_of_a_circle():
    known = modules()
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        others = {room(other) for other in imported(ast.parse(path.read_text()), set(known), inside=True)}
        if room(name):
            graph.setdefault(room(name), set()).update(others - {"", room(name)})
    list(graphlib.TopologicalSorter(graph).static_order())


def test_no_module_is_part_of_a_circle():
    """Of what is imported when a module is; a package's `__init__` comes before its modules, and collects them."""
    known = modules()
    packages = {name for name, path in known.items() if path.name == "__init__.py"}
    graph = {
        name: imported(ast.parse(path.read_text()), set(known), inside=False) - packages - {name}
        for name, path in known.items()
        if name not in packages
    }
    list(graphlib.TopologicalSorter(graph).static_order())


def test_no_player_is_named_above_the_systems():
    above = [
        f"{name}: {line}"
        for name, path in modules().items()
        if room(name) and FLOORS[room(name)] > FLOORS["objectives"]
        for line in path.read_text().splitlines()
        if '"autoencoder"' in line or "'autoencoder'" in line
    ]
    assert not above
