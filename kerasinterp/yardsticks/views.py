"""Views of known azimuth: in-betweens against the true ones (AEAI section 4.3), and whether paths are admissible."""

import pathlib
from collections.abc import Mapping

import numpy as np

from kerasinterp import data, evaluation, generation
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Judge, paths

READS = ("source", "source_options")  # of a recipe's data and target
_INTERVAL = 80  # degrees, AEAI 4.3


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool, seed: int) -> Judge:
    one = recipe.data.source_options.get("where", {}).get("object_id")
    views = data.views(
        recipe.data.source, recipe.data.size, recipe.data.channels, series=None if one is None else [one]
    )
    steps = round(_INTERVAL / views.step)
    every = 8 if smoke else 1
    real = evaluation.near(views.images.reshape(-1, *views.images.shape[2:]))
    first, second = (
        data.to_float(images[:, ::every].reshape(-1, *images.shape[2:]))
        for images in (views.images, np.roll(views.images, -steps, axis=1))
    )

    def measure(model: Objective | None, own: Recipe | None) -> dict:
        interpolate = paths.interpolation(model)
        found = evaluation.in_between(interpolate, views, every=every)
        if own is None:
            found["mse_unseen"] = found["mse"]
        elif own.data.share < 1.0:
            unseen = ~own.trained_on(views.places.size)[views.places]
            # All intervals, in the small form too: of few, some alpha might have no view that is unseen.
            only = {"length": _INTERVAL, "retrieval_length": _INTERVAL, "judged": unseen}
            found["mse_unseen"] = evaluation.in_between(interpolate, views, [_INTERVAL], **only)["mse"]
        found |= evaluation.departure(interpolate, views, pairs=64 if smoke else 256)
        return found | evaluation.admissibility(interpolate, first, second, real)

    # The picture: one pair from the first series, one from the last, half a turn on.
    turns = (views.images[0], np.roll(views.images[-1], -views.images.shape[1] // 2, axis=0))
    true = data.to_float(np.stack([turn[: steps + 1 : 2] for turn in turns]))

    # AEAI appendix A's square: two series, or two halves of a turn, across; the interval downwards.
    corners = data.to_float(np.stack([turns[0][0], turns[1][0], turns[0][steps], turns[1][steps]]))

    def picture(models: Mapping[str, Objective], path: pathlib.Path) -> None:
        paths.draw(true[:, 0], true[:, -1], {"truth": true}, true.shape[1], models, path)
        generation.save_corners(path.with_name("corners.png"), corners, models)

    return Judge(
        measure=measure,
        bases=paths.fade(measure),
        columns={
            "mse": f"MSE, {_INTERVAL} degrees",
            "mse_unseen": "the same, views not trained on",
            "mse_std": "its deviation over intervals",
            "alpha_error": "error of predicted alpha",
            "departure_error": "departure error",
            "boundary": "boundary",
            "monotonicity": "monotonicity",
            "lipschitz": "Lipschitz constant",
            "credibility": "credibility",
        },
        picture=picture,
        figures={
            "in_between.png": evaluation.draw_in_between,
            "retrieval.png": evaluation.draw_retrieval,
            "departure.png": evaluation.draw_departure,
            "admissibility.png": evaluation.draw_admissibility,
        },
    )
