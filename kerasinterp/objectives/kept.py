"""Trained models as presets, after keras-hub's conventions."""

import os
from typing import TypeVar

from kerasinterp.presets import storing

_Kept = TypeVar("_Kept", bound="Kept")


class Kept:
    """What a model gains that can be kept as a preset (`kerasinterp.presets`)."""

    @classmethod
    def from_preset(cls: type[_Kept], preset: str | os.PathLike) -> _Kept:
        """A trained model: to generate, interpolate, export and evaluate, or to be compiled and trained on.

        Args:
            preset: the name of a preset that ships with the package (`kerasinterp presets` lists them), or the folder
                of one.

        Raises:
            InputError: no such preset, one of another class or format, or a folder that is incomplete or damaged.
        """
        return storing.load(preset, cls)

    def save_to_preset(self, preset_dir: str | os.PathLike) -> None:
        """Writes the model as a preset, in place of one that is there: all weights, in float16.

        Networks that only training needs are kept too; optimizers and the state of random draws are not.

        Args:
            preset_dir: the folder.

        Raises:
            InputError: a folder with anything but a preset in it; weights that are not finite, that float16 cannot
                hold, or that are more than 5 MB.
        """
        storing.save(self, preset_dir)
