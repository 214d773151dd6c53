"""Points of a spiral: do decoded mixes lie on it, and are they encoded again to what was mixed (AMR appendix 5.2)?"""

import functools
import pathlib
from collections.abc import Mapping

import keras
import numpy as np
import scipy.spatial
import tensorflow as tf

from kerasinterp import data, evaluation
from kerasinterp.evaluation.figures import look, panels, save
from kerasinterp.generation import decode, encode
from kerasinterp.objectives import Objective
from kerasinterp.ops.mixing import Linear
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Judge, paths

READS = ()  # of a recipe's data and target
_POINTS = 2_000  # drawn anew, not those of training


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool, seed: int) -> Judge:
    points = data.spiral.points(200 if smoke else _POINTS, seed=1_000_000)
    curve = scipy.spatial.KDTree(data.spiral.curve(np.linspace(0.0, data.spiral.LAST_ANGLE, 10_000)))

    def mixes(model: Objective | None) -> tuple[np.ndarray, np.ndarray]:
        codes, mixing = (points, Linear()) if model is None else (encode(model, points), model.mixing)
        mixed = mixing.draw(tf.constant(codes), keras.random.SeedGenerator(seed)).numpy()
        return mixed, mixed if model is None else decode(model, mixed)

    def measure(model: Objective | None, _: Recipe | None) -> dict:
        mixed, made = mixes(model)
        found = {"distance": float(curve.query(made)[0].mean())}
        if model is None:
            return found
        found["distance_reconstruction"] = float(curve.query(decode(model, encode(model, points)))[0].mean())
        both = (functools.partial(encode, model), functools.partial(decode, model))
        return found | evaluation.consistency(*both, mixed)

    def picture(models: Mapping[str, Objective], path: pathlib.Path) -> None:
        figure, axes = panels(["mixed points", *models], columns=4, sharex=True, sharey=True)
        for axis, model in zip(axes, (None, *models.values()), strict=True):
            axis.scatter(*points.T, s=1, color=look(0)["color"])
            axis.scatter(*mixes(model)[1].T, s=1, color=look(1)["color"])
            axis.set_aspect("equal")
        save(figure, path)

    return Judge(
        measure=measure,
        bases=paths.fade(measure),
        columns={
            "distance": "mixes' distance from the spiral",
            "distance_reconstruction": "reconstructions' distance",
            "consistency": "consistency",
            "consistency_relative": "consistency (relative)",
        },
        picture=picture,
    )
