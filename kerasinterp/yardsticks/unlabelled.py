"""Images without labels: are those never trained on reconstructed, mixed and turned as they should be?

Measured are the images that a run's recipe kept from training (`Recipe.trained_on`), or all if it kept none. Distances
take the features of a classifier that tells images from their mirror images and upside down, which needs no labels
(rotation prediction, Gidaris et al., 2018; half turns and mirrors keep the shape of images that are not square).
"""

import pathlib
from collections.abc import Mapping

import numpy as np

from kerasinterp import data, evaluation, generation
from kerasinterp.errors import InputError
from kerasinterp.evaluation.distances import gaussian_distance, kernel_distance, reliable
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Judge
from kerasinterp.yardsticks.few_shot import MOST_SOURCE, draw_pairs, same_class_sets, turning

READS = ("source", "split", "source_options", "invert", "judge_steps", "samples")  # of a recipe's data and target
_FLIPS = ((), (1,), (2,), (1, 2))  # axes of images (N, H, W, C)
_PAIRS = 8  # of the picture
_WIDTH = 8  # of the classifier whose features the distances take: 128 features


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool, seed: int) -> Judge:
    own, target = recipe.data, recipe.target
    form = {"image_size": own.size, "channels": own.channels, "invert": own.invert, **own.source_options}
    labels = own.per_class > 0
    examples = data.load_examples(own.source, own.split, memory=MOST_SOURCE, labels=labels, **form)
    some = np.asarray(examples.select(np.random.default_rng(seed).permutation(len(examples))[: target.samples]).images)
    classifier = evaluation.train_classifier(
        np.concatenate([np.flip(some, axes) for axes in _FLIPS]),
        np.repeat(np.arange(len(_FLIPS)), len(some)),
        len(_FLIPS),
        width=_WIDTH,
        steps=target.judge_steps,
        precision=recipe.schedule.judges_precision,
        seed=seed,
        cache_dir=cache_dir,
        verbose=1,
    )
    judged = _judged(recipe, examples, seed)

    def measure(model: Objective | None, run: Recipe | None) -> dict:
        real = _judged(run or recipe, examples, seed)
        first, second, alphas = generation.samples.pairs_and_weights(len(real), len(real), seed)
        floats = data.to_float(real)
        if model is None:
            weight = alphas.astype(np.float32).reshape(-1, 1, 1, 1)
            made, mixes = floats, (1.0 - weight) * floats[first] + weight * floats[second]
        else:
            codes = generation.encode(model, floats)
            made = generation.decode(model, codes)
            mixes = generation.decode(model, generation.mix(model, codes[first], codes[second], alphas))
        features, of_made, of_mixes = map(classifier.features, (real, made, mixes))
        row = {"l2": evaluation.l2_error(real, made), "images": len(real)} | turning(model, real, seed)
        for name, other in (("_reconstruction", of_made), ("", of_mixes)):
            row |= {f"fid{name}": gaussian_distance(features, other), f"kernel{name}": kernel_distance(features, other)}
        return row

    def bases() -> dict[str, dict]:
        fade = measure(None, recipe)
        return {"pixel_fade": {key: value for key, value in fade.items() if key not in _OF_RECONSTRUCTIONS}}

    def picture(models: Mapping[str, Objective], path: pathlib.Path) -> None:
        draw_pairs(judged, same_class_sets(np.zeros(len(judged), int), _PAIRS, 2, seed=0), models, path)
        able = {name: model for name, model in models.items() if model.mixing.at_any_weight}
        ranges = evaluation.usual_transformations(judged)
        evaluation.draw_turning(able, judged, path.with_name("turning.png"), ranges, seed=seed)

    few = not reliable(len(judged), 16 * _WIDTH)
    return Judge(
        measure=measure,
        bases=bases,
        columns={
            "l2": "L2 (0 to 255)",
            "turning_error": "turning error",
            "kernel_reconstruction": "kernel distance, reconstructions",
            "fid_reconstruction": "FID reconstructions",
            "kernel": "kernel distance, mixes",
            "fid": "FID mixes",
        },
        picture=picture,
        protocol={"images": len(examples), "judged": len(judged), "flips_accuracy": classifier.accuracy},
        note="There are too few images for a Frechet distance: the FIDs tell little." if few else "",
    )


_OF_RECONSTRUCTIONS = ("l2", "fid_reconstruction", "kernel_reconstruction")  # pixels that nobody reconstructs


def _judged(recipe: Recipe, examples: data.Examples, seed: int) -> np.ndarray:
    """The images that are measured, at most `samples`: those that training does not see, if there are such."""
    unseen = ~recipe.trained_on(len(examples), examples.labels)
    kept = np.flatnonzero(unseen if unseen.any() else ~unseen)
    if len(kept) < 2:
        raise InputError(f"{recipe.data.source} leaves {len(kept)} image to measure on: give more images.")
    return np.asarray(examples.select(np.random.default_rng(seed).permutation(kept)[: recipe.target.samples]).images)
