import importlib
import pkgutil
import types

from kerasinterp import generation


def test_no_function_shadows_a_module():
    names = [name for name in generation.__all__ if isinstance(getattr(generation, name), types.FunctionType)]
    assert len(names) == len(generation.__all__)
    for room in (generation, generation.pictures):
        for module in pkgutil.iter_modules(room.__path__):
            assert module.name not in names
            full_name = f"{room.__name__}.{module.name}"
            assert getattr(room, module.name) is importlib.import_module(full_name)
