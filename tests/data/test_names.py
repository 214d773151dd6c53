"""What the package offers."""

import importlib
import pkgutil
import types

import pytest

from kerasinterp import data


def test_no_function_hides_a_module():
    modules = {module.name for module in pkgutil.iter_modules(data.__path__)}
    hidden = {
        name for name in data.__all__ if name in modules and not isinstance(getattr(data, name), types.ModuleType)
    }
    assert not hidden
    assert all(hasattr(data, name) for name in data.__all__)


@pytest.mark.parametrize("name", ["glyphs", "glyphs_scripts", "lines", "pole", "spiral"])
def test_generated_datasets_are_found_at_both_places(name):
    assert importlib.import_module(f"kerasinterp.data.{name}") is getattr(data, name)
    assert importlib.import_module(f"kerasinterp.data.generated.{name}") is getattr(data, name)
