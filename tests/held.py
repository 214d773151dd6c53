"""Tables that are held as JSON files beside tests, a row a line: what has changed, and writing them anew."""

import functools
import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


@functools.cache
def read(path: pathlib.Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def cases(module: dict[str, Any]) -> dict[str, Callable]:
    """The functions `of_...` of a test file, each of which makes a row, by its name."""
    return {name[3:].replace("_", " "): make for name, make in module.items() if name.startswith("of_")}


def changed(path: pathlib.Path, now: dict[str, dict[str, Any]]) -> dict[str, tuple]:
    """By row and column, what differs: as kept, as now; `...` where one of them has nothing."""
    kept = read(path)
    return {
        f"{row}: {column}": found
        for row in kept | now
        for column in kept.get(row, {}) | now.get(row, {})
        if (found := tuple(table.get(row, {}).get(column, ...) for table in (kept, now)))[0] != found[1]
    }


def write(path: pathlib.Path, now: dict[str, dict[str, Any]]) -> None:
    rows = (f"{json.dumps(row)}: {json.dumps(columns)}" for row, columns in now.items())
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """What a measure or a function gave as one row: each number, or list of numbers, by where it stands."""
    if isinstance(value, dict):
        parts = [flat(one, f"{name}, {key}" if name else str(key)) for key, one in value.items()]
        return {key: one for part in parts for key, one in part.items()}
    if isinstance(value, str) or np.ndim(value) == 0:
        return {name: _short(value)}
    return {name: [_short(one) for one in np.ravel(value)]}


def check_numbers(path: pathlib.Path, row: str, now: dict, rel: float = 2e-3, abs: float = 1e-5) -> None:
    """Fails where what `flat` makes of `now` differs from the file's row by more than other processors' rounding."""
    kept, found = read(path)[row], flat(now)
    assert set(found) == set(kept)
    for key, value in kept.items():
        if isinstance(value, str | None):
            assert found[key] == value, key
        else:
            assert found[key] == pytest.approx(value, rel=rel, abs=abs), key


def _short(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if np.isfinite(value) else str(value)
    return value.item() if isinstance(value, np.generic) else value
