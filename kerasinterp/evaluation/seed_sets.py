"""Images made from many sets of seeds at once: by a model, and by the ways that need none.

Each function takes `images`, uint8 (M, H, W, C) or float32 in [-1, 1]; `sets`, integers (G, S), the seeds of each set;
how many images `n` a set; and `seed`, 0 to 2**32 - 1. It returns float32 (G * n, H, W, C) in [-1, 1], set after set.
The same `seed` mixes the same pairs at the same weights, whoever mixes them.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from kerasinterp.data.forms.triplets import Transformations, transformed_at_random, usual_ranges
from kerasinterp.data.ink import has_light_border
from kerasinterp.evaluation.paths import as_float, finite
from kerasinterp.generation import decode, encode, few_shot, mix
from kerasinterp.generation.samples import pairs_and_weights
from kerasinterp.objectives import Objective

Make = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]  # (images, sets, n, seed) -> images

_AT_ONCE = 1024  # transformed


def few_shot_of_sets(model: Objective, images: np.ndarray, sets: np.ndarray, n: int, seed: int) -> np.ndarray:
    """What `generation.few_shot(model, images[sets[g]], n, seeds_of_sets(seed, G)[g])` makes, for each set g.

    All seeds are encoded at once and all mixes decoded at once: the values differ by rounding alone. A model with a
    `few_shot` of its own is called set by set.

    Raises:
        InputError: as `few_shot`, or a model whose images are not finite.
    """
    numbers = seeds_of_sets(seed, len(sets))
    name = "few-shot images"
    if hasattr(model, "few_shot"):
        made = [few_shot(model, images[one], n, int(number)) for one, number in zip(sets, numbers, strict=True)]
        return finite(np.concatenate(made), name)
    used, place = np.unique(sets, return_inverse=True)
    codes = encode(model, images[used])
    first, second, alphas = _pairs(place.reshape(sets.shape), n, numbers)
    return np.clip(finite(decode(model, mix(model, codes[first], codes[second], alphas), clip=False), name), -1.0, 1.0)


def fade_of_sets(images: np.ndarray, sets: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The pixel fade: the pairs that `few_shot_of_sets` mixes, blended pixel by pixel at the same weights."""
    first, second, alphas = _pairs(sets, n, seeds_of_sets(seed, len(sets)))
    weight = alphas.astype(np.float32).reshape(-1, 1, 1, 1)
    return (1.0 - weight) * as_float(images[first]) + weight * as_float(images[second])


def augmented_of_sets(
    images: np.ndarray, sets: np.ndarray, n: int, seed: int, transformations: Transformations | None = None
) -> np.ndarray:
    """Seeds drawn from each set, each under a random transformation: what one does without a model.

    Args:
        transformations: by default `usual_transformations(images)`.
    """
    random = np.random.default_rng([seed, 7])
    drawn = np.take_along_axis(sets, random.integers(0, sets.shape[1], (len(sets), n)), axis=1).reshape(-1)
    ranges = transformations or usual_transformations(images)
    made = []
    for start in range(0, len(drawn), _AT_ONCE):
        chosen = tf.constant(as_float(images[drawn[start : start + _AT_ONCE]]))
        made.append(transformed_at_random(chosen, ranges, tf.constant([seed, start], tf.int64)))
    return np.clip(np.concatenate(made), -1.0, 1.0)


def usual_transformations(images: np.ndarray) -> Transformations:
    """`data.usual_ranges` of such images, AugIntAE A.1's; paper is continued.

    Args:
        images: uint8 (N, H, W, C).
    """
    ranges = usual_ranges(images.shape[1:])
    on_paper = ranges.padding == "constant" and has_light_border(images)
    return dataclasses.replace(ranges, padding="symmetric") if on_paper else ranges


def seeds_of_sets(seed: int, sets: int) -> np.ndarray:
    """A seed of its own for each set, int64 (sets,) in [0, 2**32)."""
    return np.random.default_rng([seed, 6]).integers(0, 2**32, sets)


def _pairs(sets: np.ndarray, n: int, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two sides of each mix, as elements of `sets`, and the weights of the second; (G * n,) each."""
    drawn = [pairs_and_weights(sets.shape[1], n, int(number)) for number in numbers]
    first, second, alphas = (np.stack(part) for part in zip(*drawn, strict=True))
    sides = (np.take_along_axis(sets, side, axis=1).reshape(-1) for side in (first, second))
    return *sides, alphas.reshape(-1)
