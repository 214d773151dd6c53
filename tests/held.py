"""Tables that are held as JSON files beside tests, a row a line: what has changed, and writing them anew."""

import json
import pathlib
from typing import Any


def changed(path: pathlib.Path, now: dict[str, dict[str, Any]]) -> dict[str, tuple]:
    """By row and column, what differs: as kept, as now; `...` where one of them has nothing."""
    kept = json.loads(path.read_text())
    return {
        f"{row}: {column}": found
        for row in kept | now
        for column in kept.get(row, {}) | now.get(row, {})
        if (found := tuple(table.get(row, {}).get(column, ...) for table in (kept, now)))[0] != found[1]
    }


def write(path: pathlib.Path, now: dict[str, dict[str, Any]]) -> None:
    rows = (f"{json.dumps(row)}: {json.dumps(columns)}" for row, columns in now.items())
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n")
