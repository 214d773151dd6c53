"""Lines: do in-betweens look like lines, and do they turn evenly (ACAI section 4.1)?"""

import functools
import pathlib

import numpy as np

from kerasinterp import data, evaluation
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Yardstick, paths

_ENDS = np.array([[0.3, 2.6], [5.5, 3.6]])  # radians, of the picture's pairs
_POINTS = 11


def yardstick(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool) -> Yardstick:
    size = recipe.image_size
    form = {"size": size, "width": size / 16}  # ACAI's 2 pixels of 32
    fewer = {"paths": 64, "references": 2_000} if smoke else {}
    drawn = data.lines.render(np.linspace(*_ENDS.T, _POINTS, axis=1).ravel(), **form)
    true = data.to_float(drawn).reshape(len(_ENDS), _POINTS, *drawn.shape[1:])
    return Yardstick(
        measure=lambda model, _: evaluation.lines(paths.interpolation(model), **form, **fewer),
        columns={
            "mean_distance": "mean distance",
            "smoothness": "smoothness (corrected)",
            "smoothness_official": "smoothness (official)",
        },
        picture=functools.partial(paths.draw, true[:, 0], true[:, -1], {"truth": true}, _POINTS),
        figures={"measures.png": evaluation.draw_lines},
    )
