"""Where presets are: those that ship with the package by name, others by their folders."""

import os
from pathlib import Path

from kerasinterp.errors import InputError, suggest

CONFIG, WEIGHTS, CARD, TEXT = "config.json", "weights.npz", "card.json", "README.md"

_SHELF = Path(__file__).parent


def shipped() -> dict[str, Path]:
    """The folders of the presets that came with the package, by name: a new folder is all that a new preset needs."""
    return {path.parent.name: path.parent for path in sorted(_SHELF.glob(f"*/{CONFIG}"))}


def folder_of(name_or_folder: str | os.PathLike) -> Path | None:
    """A preset's folder, of its own path or of the name of a shipped one; None if it is neither.

    A file or folder of that name comes before the shipped preset.
    """
    path = Path(name_or_folder)
    if path.exists():
        return path if (path / CONFIG).is_file() else None
    return shipped().get(str(path))


def find(name_or_folder: str | os.PathLike) -> Path:
    """As `folder_of`.

    Raises:
        InputError: there is no such preset.
    """
    path = Path(name_or_folder)
    if found := folder_of(path):
        return found
    if path.is_dir():
        raise InputError(f"{path} is no preset's folder: it has no {CONFIG}.")
    if path.exists():
        raise InputError(
            f"{path} is a file, and a preset is a folder or a name: load a model's file by "
            "kerasinterp.generation.load_model."
        )
    raise InputError(no_preset(path))


def no_preset(path: Path, wanted: str = "preset") -> str:
    """The sentence for what is neither there nor a preset's name; `wanted` says what it should be."""
    known = shipped()
    choose = f"the presets are {', '.join(known)}" if known else "no presets came with this package, so give a path"
    return f"there is no {wanted} {path}: {choose}.{suggest(str(path), known)}"
