"""Settings, of a caller or of JSON, as values of the types that the code states for them."""

import dataclasses
import functools
import math
import os
import types
import typing
from typing import Any

from kerasinterp.errors import InputError, suggest

_DEEPEST = 10  # dictionaries and lists within each other
_LARGEST = 2**32  # options are far below it


def check_fields(group: Any) -> None:
    """Makes every field of a frozen dataclass a value of its type, for its `__post_init__`.

    Raises:
        InputError: a field that cannot be one.
    """
    for name, kind in _fields(type(group)).items():
        object.__setattr__(group, name, as_type(kind, getattr(group, name), name))


def changed(group: Any, settings: dict[str, Any], where: str) -> Any:
    """The dataclass with other values of some fields.

    Raises:
        InputError: it has no such field, or a field cannot have the value.
    """
    known = _fields(type(group))
    for name in settings:
        if name not in known:
            raise InputError(f"{where} has no setting {name!r}.{suggest(name, known)}")
    return dataclasses.replace(group, **settings)


def as_type(kind: Any, given: Any, where: str) -> Any:
    """`given` as a value of the annotated type `kind`: lists become tuples, whole numbers floats, paths strings.

    Args:
        where: what to call it in an error.

    Raises:
        InputError: it is none; a number that is not finite or too large; or options nested too deeply.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        _check_plain(given, where)
        return given
    if dataclasses.is_dataclass(kind):
        return given if isinstance(given, kind) else _made(kind, given, where)
    if origin in (typing.Union, types.UnionType):
        for one in inner:
            try:
                return as_type(one, given, where)
            except InputError:
                continue
    elif origin is tuple and isinstance(given, list | tuple):
        kinds = [inner[0]] * len(given) if inner[-1] is ... else inner
        if len(kinds) == len(given):
            return tuple(as_type(one, value, where) for one, value in zip(kinds, given, strict=True))
    elif origin is dict and isinstance(given, dict) and all(isinstance(key, str) for key in given):
        return {key: as_type(inner[1], value, f"{where}.{key}") for key, value in given.items()}
    elif kind is float and type(given) in (int, float) and _in_range(given):
        return float(given)
    elif kind is str and isinstance(given, os.PathLike):
        return os.fspath(given)
    elif origin is None and type(given) is kind and _in_range(given):
        return given
    raise InputError(f"{where} cannot be {_shown(given)}.")


def _made(kind: Any, given: Any, where: str) -> Any:
    if not isinstance(given, dict):
        raise InputError(f"{where} is {_shown(given)}, not a group of settings.")
    for name in given:
        if name not in _fields(kind):
            raise InputError(f"{where} has no setting {name!r}.{suggest(name, _fields(kind))}")
    for field in dataclasses.fields(kind):
        if field.default is field.default_factory is dataclasses.MISSING and field.name not in given:
            raise InputError(f"{where} has no {field.name}.")
    return kind(**given)


@functools.cache
def _fields(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _in_range(value: Any, below: int = 2**63) -> bool:
    return abs(value) < below if type(value) is int else type(value) is not float or math.isfinite(value)


def _check_plain(given: Any, where: str, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise InputError(f"{where} is nested too deeply.")
    if not _in_range(given, _LARGEST):
        raise InputError(f"{where} cannot be {_shown(given)}.")
    if isinstance(given, dict | list | tuple):
        for value in given.values() if isinstance(given, dict) else given:
            _check_plain(value, where, depth + 1)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 40 else f"{text[:36]} ..."
