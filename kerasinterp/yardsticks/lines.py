"""Lines: do in-betweens look like lines, and do they turn evenly (ACAI section 4.1)?"""

import functools
import pathlib

import numpy as np

from kerasinterp import data, evaluation
from kerasinterp.errors import InputError
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Judge, paths

READS = ()  # of a recipe's data and target
_ENDS = np.array([[0.3, 2.6], [5.5, 3.6]])  # radians, of the picture's pairs
_POINTS = 11


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool, seed: int) -> Judge:
    size, width = recipe.data.size
    if size != width:
        raise InputError(f"Lines are drawn on square images, not on {size} x {width}: choose another yardstick.")
    form = {"size": size, "width": size / 16}  # ACAI's 2 pixels of 32
    fewer = {"paths": 64, "references": 2_000} if smoke else {}
    drawn = data.lines.render(np.linspace(*_ENDS.T, _POINTS, axis=1).ravel(), **form)
    true = data.to_float(drawn).reshape(len(_ENDS), _POINTS, *drawn.shape[1:])

    def measure(model: Objective | None, _: Recipe | None) -> dict:
        return evaluation.lines(paths.interpolation(model), seed=seed, **form, **fewer)

    return Judge(
        measure=measure,
        bases=paths.fade(measure),
        columns={
            "mean_distance": "mean distance",
            "smoothness": "smoothness (corrected)",
            "smoothness_official": "smoothness (official)",
        },
        picture=functools.partial(paths.draw, true[:, 0], true[:, -1], {"truth": true}, _POINTS),
        figures={"measures.png": evaluation.draw_lines},
    )
