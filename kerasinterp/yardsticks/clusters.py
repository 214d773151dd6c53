"""Labelled images that were clustered without their labels: are the clusters the classes (MMDC's tables)?

Judged are images that nothing was learned from, under their own best assignment, and beside them those learned from.
Models that have codes and no clusters get those of k-means, as ACAI's (`evaluation.clustering`); so do pixels.
"""

import functools
import pathlib
from collections.abc import Mapping

import numpy as np

from kerasinterp import data, evaluation
from kerasinterp.evaluation.clusters import compared
from kerasinterp.generation import encode, save_grid
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Judge
from kerasinterp.yardsticks.classes import labelled

READS = ("source", "split", "source_options", "invert", "target_split")  # of a recipe's data and target
ALSO_TAKES = ("clusters_of",)
_SHOWN = 10  # images a cluster in the picture


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool, seed: int) -> Judge:
    many = 500 if smoke else 10_000
    parts = []
    for split in (recipe.data.split, recipe.target.target_split):
        images, labels = labelled(recipe, split)
        some = np.random.default_rng(seed).permutation(len(labels))[:many]
        parts.append((data.to_float(images[some]), labels[some]))
    learned, judged = parts

    def measure(model: Objective | None, _: Recipe | None) -> dict:
        if hasattr(model, "clusters_of"):
            of_learned, of_judged = (
                compared(model.clusters_of(images), labels) for images, labels in (learned, judged)
            )
            return of_judged | {f"{key}_learned": value for key, value in of_learned.items()}
        codes = [images if model is None else encode(model, images) for images, _ in (learned, judged)]
        return evaluation.clustering(codes[0], learned[1], codes[1], judged[1], whitened=model is not None, seed=seed)

    return Judge(
        measure=measure,
        bases=lambda: {"k-means of pixels": measure(None, None)},
        columns={
            "clustering_accuracy": "clustering accuracy",
            "clustering_nmi": "normalised mutual information",
            "clustering_accuracy_learned": "accuracy, images learned from",
        },
        picture=functools.partial(_draw, judged[0]),
    )


def _draw(images: np.ndarray, models: Mapping[str, Objective], path: pathlib.Path) -> None:
    """Some images of each cluster of a model, a row a cluster."""
    rows, titles = [], []
    for name, model in models.items():
        if hasattr(model, "clusters_of"):
            clusters = model.clusters_of(images)
            for one in np.unique(clusters):
                rows.append(images[clusters == one][:_SHOWN])
                titles.append(f"{name} {one}")
    if rows:
        save_grid(path, rows, titles)
