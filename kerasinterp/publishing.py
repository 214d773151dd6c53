"""A preset of a finished run, with a card that is made from the run's own files: no figure is typed by hand."""

import dataclasses
import datetime
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasinterp import generation, processor
from kerasinterp.errors import InputError
from kerasinterp.files import read_text
from kerasinterp.presets import storing
from kerasinterp.presets.finding import CONFIG
from kerasinterp.recipe import Recipe
from kerasinterp.run import Run


def publish(
    run: str | os.PathLike,
    folder: str | os.PathLike,
    *,
    description: str,
    data: str,
    licence: str,
    name: str | None = None,
    limits: Sequence[str] = (),
    reports: Sequence[str | os.PathLike] = (),
    overwrite: bool = False,
) -> tuple[Path, list[str]]:
    """Makes a preset of a run's final model.

    Args:
        run: the run folder; its `recipe.json`, `model.keras` and, if there is one, `report.json` are read.
        folder: where the preset is written.
        description: one line on what the model is for.
        data, licence: what it was trained on, in words, and under which licence that is.
        name: the preset's; by default the folder's.
        limits: where the model should not be used, a sentence each.
        reports: `report.json` files of `kerasinterp.compare.evaluate` on the run, in place of the run's own.
        overwrite: replace a preset that is in the folder.

    Returns:
        The folder, and what the user should know.

    Raises:
        InputError: no finished run, a report that did not measure this model, or a folder that cannot be used.
    """
    run, folder = Run(run), Path(folder)
    storing.check_folder(folder)
    if (folder / CONFIG).exists() and not overwrite:
        raise InputError(f"{folder} already holds a preset: choose another --output, or add --overwrite.")
    recipe, written = run.recipe, run.written
    if not run.model.exists():
        raise InputError(f"{run} has no final model ({run.model.name}): finish its training first.")
    own = run.folder / "report.json"
    files = [Path(report) for report in reports] or [own] * own.exists()
    model = generation.load_model(run.model)
    seen = int(model.step) * recipe.schedule.batch_size
    measures = [_measured(file, type(model).__name__, seen) for file in files]
    card = {
        "name": name or folder.absolute().name,
        "description": description,
        "data": {
            "description": data,
            "licence": licence,
            "source": _portable(recipe.data.source),
            "split": recipe.data.split,
            "images": written.get("examples", {}).get("count"),
            "fingerprint": written.get("examples", {}).get("fingerprint"),
        },
        "training": {
            "images_seen": seen,
            "date": datetime.date.fromtimestamp(run.model.stat().st_mtime).isoformat(),
            "versions": written.get("versions", {}),
            "recipe": _portable_recipe(recipe),
        },
        "processor": processor.describe(),
        "limits": list(limits),
        "measures": measures,
    }
    notes = [] if files else [f"{run} has no report.json, so the card has no measures: add a --report."]
    return storing.save(model, folder, card), notes


def _measured(file: Path, system: str, seen: int) -> dict[str, Any]:
    """What a report says of the run's final model: its row, those without a model, and the protocol."""
    try:
        report = json.loads(read_text(file))
        protocol, target = report["protocol"], report["protocol"]["target"]
        rows = {key: row for key, row in report.items() if key != "protocol"}
        own = [key for key, row in rows.items() if row.get("images_seen") == seen and key.split(" ")[0] == system]
        others = [key for key, row in rows.items() if "images_seen" not in row]
        shown = {key: _scalars(rows[key]) for key in (*own, *others)}
        found = {"target": _portable(target["target"]), "split": target["target_split"], "shots": target["shots"]}
    except FileNotFoundError:
        raise InputError(f"there is no report {file}.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{file} is no few-shot report of this version of kerasinterp: evaluate the run anew."
        ) from error
    if len(own) != 1:
        raise InputError(f"{file} does not measure one {system} of {seen:,} images, as the run's: evaluate it anew.")
    protocol = _scalars(protocol) | {"source": _portable(protocol.get("source"))}
    return found | {"model": own[0], "rows": shown, "protocol": protocol}


def _scalars(row: dict) -> dict:
    return {key: value for key, value in row.items() if value is None or isinstance(value, int | float | str)}


def _portable_recipe(recipe: Recipe) -> dict:
    """Without the places of this machine."""
    source, target = _portable(recipe.data.source), _portable(recipe.target.target)
    return dataclasses.asdict(recipe.change(source=source, target={"target": target}, after=_portable(recipe.after)))


def _portable(source: str | None) -> str | None:
    """A dataset's name, or the last part of a folder's path."""
    return Path(source).name if source and Path(source).is_absolute() else source
