"""Views of known azimuth: in-betweens against the true ones (AEAI section 4.3), and whether paths are admissible."""

import functools
import pathlib

import numpy as np

from kerasinterp import data, evaluation
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Yardstick, paths

_INTERVAL = 80  # degrees, AEAI 4.3


def yardstick(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool) -> Yardstick:
    one = recipe.source_options.get("where", {}).get("object_id")
    views = data.views(recipe.source, recipe.image_size, recipe.channels, series=None if one is None else [one])
    steps = round(_INTERVAL / views.step)
    every = 8 if smoke else 1
    real = evaluation.near(views.images.reshape(-1, *views.images.shape[2:]))
    first, second = (
        data.to_float(images[:, ::every].reshape(-1, *images.shape[2:]))
        for images in (views.images, np.roll(views.images, -steps, axis=1))
    )

    def measure(model: Objective | None) -> dict:
        interpolate = paths.interpolation(model)
        found = evaluation.in_between(interpolate, views, every=every)
        found |= evaluation.departure(interpolate, views, pairs=64 if smoke else 256)
        return found | evaluation.admissibility(interpolate, first, second, real)

    # The picture: one pair from the first series, one from the last, half a turn on.
    turns = (views.images[0], np.roll(views.images[-1], -views.images.shape[1] // 2, axis=0))
    true = data.to_float(np.stack([turn[: steps + 1 : 2] for turn in turns]))
    return Yardstick(
        measure=measure,
        columns={
            "mse": f"MSE, {_INTERVAL} degrees",
            "mse_std": "its deviation over intervals",
            "alpha_error": "error of predicted alpha",
            "departure_error": "departure error",
            "boundary": "boundary",
            "monotonicity": "monotonicity",
            "lipschitz": "Lipschitz constant",
            "credibility": "credibility",
        },
        picture=functools.partial(paths.draw, true[:, 0], true[:, -1], {"truth": true}, true.shape[1]),
        figures={
            "in_between.png": evaluation.draw_in_between,
            "retrieval.png": evaluation.draw_retrieval,
            "departure.png": evaluation.draw_departure,
            "admissibility.png": evaluation.draw_admissibility,
        },
    )
