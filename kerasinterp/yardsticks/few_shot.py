"""Classes never trained on: what models make of pairs of their images (AugIntAE section 5, A.3)."""

import functools
import pathlib
from collections.abc import Mapping

import numpy as np

from kerasinterp import data, evaluation, generation
from kerasinterp.errors import InputError
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Judge

READS = (
    "source",
    "split",
    "source_options",
    "invert",
    "target",
    "target_split",
    "target_without",
    "domain_by_class",
    "judge_steps",
    "samples",
)  # of a recipe's data and target
_PAIRS = 8  # of the picture


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool, seed: int) -> Judge:
    source = _images(recipe, recipe.data.source, recipe.data.split, **recipe.data.source_options)
    target = recipe.target
    return of_images(
        source,
        target_images(recipe),
        samples=target.samples,
        seed=seed,
        steps=target.judge_steps,
        domain_by_class=target.domain_by_class,
        precision="mixed_bfloat16" if recipe.schedule.precision == "bfloat16" else "float32",
        cache_dir=cache_dir,
    )


def of_images(
    source: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray], seed: int = 0, **settings: object
) -> Judge:
    """The judge of images and labels of the source and the target; `settings` as `evaluation.FewShot`."""
    comparison = evaluation.FewShot(*source, *target, seed=seed, **settings)
    images, labels = target
    pairs = same_class_pairs(labels, _PAIRS, seed=0)
    few = comparison.protocol["fid_unreliable"]
    return Judge(
        measure=lambda model, _: comparison.measure(model, type(model).__name__),
        bases=comparison.without_model,
        columns={
            "fid": "FID mixes",
            "fid_reconstruction": "FID reconstructions",
            "kernel": "kernel distance",
            "misclassification": "taken for the source",
            "l2": "L2 (0 to 255)",
        },
        picture=functools.partial(draw_pairs, images, pairs),
        figures={"measures.png": evaluation.draw_few_shot},
        protocol=comparison.protocol,
        note="The target has too few images for a Frechet distance: its FIDs tell little." if few else "",
    )


def draw_pairs(images: np.ndarray, pairs: np.ndarray, models: Mapping[str, Objective], path: pathlib.Path) -> None:
    """What each model makes between the images of each pair, indices (N, 2)."""
    first, second = (data.to_float(images[side]) for side in pairs.T)
    generation.save_interpolations(path, first, second, models)


def target_images(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """The recipe's target as uint8 images and labels, without the classes that it leaves out.

    Raises:
        InputError: it has none, or leaves all out.
    """
    if recipe.target.target is None:
        raise InputError(f"{recipe.name or 'The recipe'} has no target to be measured on: give one by --target.")
    images, labels = _images(recipe, recipe.target.target, recipe.target.target_split)
    kept = ~np.isin(labels, recipe.target.target_without)
    if not kept.any():
        raise InputError(f"target_without leaves no image of {recipe.target.target}: leave some class in.")
    return images[kept], labels[kept]


def same_class_pairs(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Indices (count, 2) of two different images of one class, the classes in turn, drawn by `seed`.

    Raises:
        InputError: no class has two images.
    """
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    classes = [members for members in classes if len(members) > 1]
    if not classes:
        raise InputError("The target has no class with two images: pairs are made within a class.")
    order = rng.permutation(len(classes))
    return np.stack([rng.choice(classes[order[n % len(order)]], 2, replace=False) for n in range(count)])


def _images(recipe: Recipe, what: str, split: str, **options: object) -> tuple[np.ndarray, np.ndarray]:
    own = recipe.data
    return data.images(
        what, split=split, image_size=own.size, channels=own.channels, invert=own.invert, labels=True, **options
    )
