"""No function shadows its module: what a package offers is never named as one of its own files."""

import importlib
import pkgutil
import types

import pytest

import kerasinterp

PACKAGES = [
    module.name for module in pkgutil.walk_packages(kerasinterp.__path__, f"{kerasinterp.__name__}.") if module.ispkg
]


@pytest.mark.parametrize("name", PACKAGES)
def test_no_function_shadows_its_module(name):
    package = importlib.import_module(name)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    shadowing = {
        public
        for public in getattr(package, "__all__", vars(package))
        if public in modules and not isinstance(getattr(package, public), types.ModuleType)
    }
    assert not shadowing


def test_the_packages_are_found():
    assert {"kerasinterp.ops", "kerasinterp.nn", "kerasinterp.evaluation", "kerasinterp.objectives"} <= set(PACKAGES)
