"""A run folder: every path in it, once, and what may be done with it."""

import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import re
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

import kerasinterp
from kerasinterp.errors import InputError
from kerasinterp.files import read_text, write_text
from kerasinterp.recipe import Recipe

try:
    import fcntl
except ImportError:  # Windows has no such locks: there two runs into one folder are not told apart
    fcntl = None

# What a resumed run may have another value of; its steps are the same.
_FREE = {"name", "summary", "target", "schedule.epochs", "schedule.snapshot_every"}


class Run:
    """One training run's folder.

    Attributes:
        folder: where it is.
        recipe_file: the recipe with versions, the processor's settings and what was trained on (JSON).
        history: terms and measures, a row an epoch (CSV).
        logs: for TensorBoard.
        samples: pictures, one an epoch.
        checkpoints: the newest two models with their optimizers, `step-<number>.keras`.
        snapshots: models kept for figures, `epoch-<number>.keras`.
        model: the trained model, for use.
        measures: what the snapshots and the model were measured at (JSON).
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = pathlib.Path(folder)
        self.recipe_file = self.folder / "recipe.json"
        self.history = self.folder / "history.csv"
        self.logs = self.folder / "logs"
        self.samples = self.folder / "samples"
        self.checkpoints = self.folder / "checkpoints"
        self.snapshots = self.folder / "snapshots"
        self.model = self.folder / "model.keras"
        self.measures = self.folder / "measures.json"

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def exists(self) -> bool:
        return self.recipe_file.exists()

    @property
    def written(self) -> dict:
        """The content of `recipe.json`, dictionaries: "recipe", "versions", "processor", "examples".

        Raises:
            InputError: the folder has none, or it is damaged.
        """
        try:
            found = json.loads(read_text(self.recipe_file))
            if not isinstance(found, dict) or not isinstance(found.get("recipe"), dict):
                raise ValueError("it holds no recipe")
            if odd := [name for name, part in found.items() if not isinstance(part, dict)]:
                raise ValueError(f"its {odd[0]} is of another form")
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"{self} is no run folder: it has no recipe.json.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise self._unreadable(error) from error
        return found

    @property
    def recipe(self) -> Recipe:
        """The recipe that the run was begun with.

        Raises:
            InputError: as `written`, or it is of a version whose recipes are not read.
        """
        written = self.written
        if "source" in written["recipe"]:  # a flat list of settings, as they were up to 0.1
            version = written.get("versions", {}).get("kerasinterp", "0.1.0")
            raise InputError(
                f"{self} is a run of kerasinterp {version}, whose recipes this version ({kerasinterp.__version__}) "
                "does not read: use its model.keras, which is read, or choose another folder and train anew."
            )
        try:
            return Recipe.from_dict(written["recipe"])
        except InputError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> InputError:
        why = " ".join(str(error).split()).rstrip(".")
        return InputError(f"{self.recipe_file} cannot be read ({why}): bring it back, or choose another folder.")

    # Beginning and going on

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Holds the folder for this process; if the run then does not begin, nothing of it is left.

        Raises:
            InputError: another process trains into it, or it cannot be written.
        """
        made = [path for path in (self.checkpoints, self.folder, *self.folder.parents) if not path.exists()]
        lock = self.folder / ".lock"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = lock.open("a")
        except OSError as error:
            raise InputError(f"Cannot write to {self} ({error.strerror}): choose another --output.") from error
        try:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise InputError(
                        f"Another process is training into {self}: wait for it, or choose another --output."
                    ) from None
                except OSError:  # a file system without locks: as on Windows
                    pass
            try:
                yield
            finally:
                if not self.exists:  # refused before it began: no trace
                    for remove in (lock.unlink, *(path.rmdir for path in made)):  # only folders that are empty
                        with contextlib.suppress(OSError):
                            remove()
        finally:
            file.close()

    def check_free(self, recipe: Recipe, resume: bool) -> None:
        """Raises InputError if the folder holds a run that is not to be resumed, or another one."""
        if self.exists:
            if not resume:
                raise InputError(
                    f"{self} already holds a run: add --resume to go on with it, or choose another --output."
                )
            self.check_same(recipe)
        elif resume and self.folder.exists() and any(one.name != ".lock" for one in self.folder.iterdir()):
            raise InputError(f"{self} holds no run to resume (no recipe.json): choose the folder of a run.")

    def check_same(self, recipe: Recipe, examples: dict | None = None) -> None:
        """Raises InputError if the run was begun with other settings than those that may change, or other images."""
        before, now = _flat(dataclasses.asdict(self.recipe)), _flat(dataclasses.asdict(recipe))
        free = set(_FREE)
        if any(optimizer.cuts for optimizer in recipe.optimizers.values()):
            free.discard("schedule.epochs")  # they decide when the step size is cut
        # Settings before options: an image size before how far images of that size move, which follows from it.
        for key in sorted(before.keys() | now.keys(), key=lambda key: (key.count(".") > 1, key)):
            if before.get(key) != now.get(key) and not any(key == one or key.startswith(f"{one}.") for one in free):
                if key == "data.source" and os.path.realpath(before[key]) == os.path.realpath(now[key]):
                    continue
                raise InputError(
                    f"{self} was begun with {key.split('.')[-1]} = {before.get(key)!r}, not {now.get(key)!r}: resume "
                    "it with the same, or choose another --output."
                )
        seen = self.written.get("examples")
        if examples and seen and _told(seen) != _told(examples):
            raise InputError(
                f"{self} was begun with {_told(seen)}, and {recipe.data.source} now gives {_told(examples)}: bring "
                "the images back as they were, or choose another --output."
            )

    def begin(self, recipe: Recipe, examples: dict, processor: dict) -> None:
        """Writes `recipe.json`, and removes what a killed process left.

        Args:
            examples: what is trained on: "count", "shape", "fingerprint", and the "notes" that reading it gave.
            processor: the settings that the processor is used with.
        """
        for left_over in self.folder.rglob(".partial-*"):
            if left_over.is_file():
                left_over.unlink()
        versions = {
            "kerasinterp": kerasinterp.__version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        }
        written = {
            "recipe": dataclasses.asdict(recipe),
            "versions": versions,
            "processor": processor,
            "examples": examples,
        }
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            write_text(self.recipe_file, json.dumps(written, indent=1) + "\n")
        except OSError as error:
            raise InputError(f"Cannot write to {self} ({error.strerror}): choose another --output.") from error

    # What is in it

    def all_checkpoints(self) -> dict[int, pathlib.Path]:
        """By number of steps, oldest first."""
        return _numbered(self.checkpoints, r"step-(\d+)\.keras")

    def all_snapshots(self) -> dict[int, pathlib.Path]:
        """By epoch, oldest first."""
        return _numbered(self.snapshots, r"epoch-(\d+)\.keras")

    def checkpoint(self, step: int) -> pathlib.Path:
        return self.checkpoints / f"step-{step:09d}.keras"

    def snapshot(self, epoch: int) -> pathlib.Path:
        return self.snapshots / f"epoch-{epoch:04d}.keras"

    def is_finished(self, recipe: Recipe) -> bool:
        """Whether it holds the whole run of `recipe`, its final model included.

        Raises:
            InputError: it holds a run of other settings, or one that was trained for longer.
        """
        if not self.exists:
            return False
        self.check_same(recipe)
        found = self.all_checkpoints()
        newest = max(found, default=0)
        if newest > recipe.schedule.steps:
            raise InputError(
                f"{self} was trained for more than {recipe.schedule.epochs} epochs: choose another --output."
            )
        # A final model older than the newest checkpoint is that of fewer epochs.
        return (
            newest == recipe.schedule.steps
            and self.model.exists()
            and self.model.stat().st_mtime_ns >= found[newest].stat().st_mtime_ns
        )


def _numbered(folder: pathlib.Path, name: str) -> dict[int, pathlib.Path]:
    if not folder.is_dir():
        return {}
    found = ((re.fullmatch(name, path.name), path) for path in folder.iterdir())
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def _told(examples: dict) -> str:
    return "{} images of shape {} (fingerprint {})".format(
        *(examples.get(k) for k in ("count", "shape", "fingerprint"))
    )


def _flat(settings: dict, before: str = "") -> dict[str, object]:
    """Settings by their dotted names, values as JSON has them."""
    flat = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{before}{key}.")
        elif value not in ({}, [], ()):  # as if it were left out
            flat[f"{before}{key}"] = json.loads(json.dumps(value))
    return flat
