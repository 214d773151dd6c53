"""How well a model can represent images: encoded, and with codes found by descent (AugIntAE figure 2)."""

import os
import pathlib
from collections.abc import Mapping

import keras
import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import from_zero, legend, look, panels, required, save
from kerasinterp.evaluation.pixels import l2_error, squared_error_255
from kerasinterp.generation import decode, first_codes, refine
from kerasinterp.generation.checks import as_pairs
from kerasinterp.generation.inversion import RATE, STEPS, as_model
from kerasinterp.objectives import Objective


def mean_errors(images: np.ndarray, made: np.ndarray) -> dict[str, float]:
    """`l2` (0 to 255), `squared` (`squared_error_255`) and `l1` (a mean over pixels of a range of 2), over the images.

    Args:
        images, made: (N, H, W, C), float in [-1, 1] or uint8.
    """
    images, made = as_pairs(images, made)
    return {
        "l2": l2_error(images, made),
        "squared": squared_error_255(images, made),
        "l1": float(np.mean(np.abs(images - made), dtype=np.float64)),
    }


def representation(
    model: Objective | keras.Model, images: object, *, steps: int = STEPS, rate: float = RATE, seed: int = 0
) -> tuple[dict[str, dict[str, float]], dict[str, np.ndarray]]:
    """What a model makes of images by its encoder (or the nearest draws) and by refined codes: errors and pictures.

    Args:
        model, images, steps, rate, seed: as `generation.refine`.

    Returns:
        Errors (`mean_errors`), and images (N, H, W, C) in [-1, 1], both under `encoded` and `refined`.
    """
    model = as_model(model)
    first = first_codes(model, images, seed)
    codes = {"encoded": first, "refined": refine(model, images, first, steps=steps, rate=rate).codes}
    made = {name: decode(model, own) for name, own in codes.items()}
    return {name: mean_errors(images, own) for name, own in made.items()}, made


def draw_errors(errors_by_model: Mapping[str, np.ndarray], path: str | os.PathLike) -> pathlib.Path:
    """The L1 error against the steps of `generation.refine`, a line a model: the mean over images.

    Args:
        errors_by_model: (steps + 1, N) each, `Refined.errors`.
        path: a file ending in `.png`.

    Raises:
        InputError: nothing to draw, errors of another shape, or another file type.
    """
    figure, (axis,) = panels(["L1 error (of a range of 2)"])
    for index, (name, errors) in enumerate(required(errors_by_model).items()):
        errors = np.asarray(errors)
        if errors.ndim != 2:
            raise InputError(f"errors of {name} have shape {errors.shape}: give (steps + 1, images).")
        line = {key: value for key, value in look(index).items() if key != "marker"}
        axis.plot(errors.mean(axis=1), label=name, **line)
    axis.set_xlabel("steps")
    from_zero(axis)
    if len(errors_by_model) > 1:
        legend(figure, axis)
    return save(figure, path)
