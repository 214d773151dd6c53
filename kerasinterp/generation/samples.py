"""New images: of an unseen class from as few as two seed images, or from what a model's prior draws."""

import inspect

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images, check_memory, check_seed, needs
from kerasinterp.generation.codes import decode, encode, mix
from kerasinterp.objectives import Objective


def few_shot(model: Objective, seeds: object, n: int, seed: int = 0) -> np.ndarray:
    """Generates `n` images between random pairs of distinct seeds, at alpha uniform in [0, 1].

    The first images of a longer draw are those of a shorter one with the same `seed`. A model that has a way of its own
    to make images from seeds, a method `few_shot(seeds, n, seed)`, makes them by that.

    Args:
        model: an objective with `encode`, `decode`, `mixing` and `image_shape`, such as every autoencoder; or with
            `few_shot` and `image_shape`.
        seeds: at least two images (S, H, W, C) of one class, float in [-1, 1] or uint8.
        n: how many images, at least 1.
        seed: of the random pairs and weights, 0 to 2**32 - 1.

    Returns:
        float32 (n, H, W, C) in [-1, 1].

    Raises:
        InputError: a model that takes no seeds, fewer than two seeds, seeds of another shape or range than the model's,
            `n` below 1 or more images than memory holds, `seed` out of range.

    Source: AugIntAE section 4, "Few-shot generation".
    """
    seeds = _check_seeds(model, seeds, "few_shot")
    _check_number(model, n, seed)
    if hasattr(model, "few_shot"):
        return np.clip(np.asarray(model.few_shot(seeds, n, seed), np.float32), -1.0, 1.0)
    return _between(model, seeds, *pairs_and_weights(len(seeds), n, seed))


def pairs_and_weights(seeds: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `few_shot` mixes: the numbers of two distinct seeds, (n,) each, and the weights of the second, in [0, 1)."""
    draws = np.random.default_rng(seed).random((n, 3))
    first = (draws[:, 0] * seeds).astype(int)
    second = (first + 1 + (draws[:, 1] * (seeds - 1)).astype(int)) % seeds  # never the first again
    return first, second, draws[:, 2]


def midpoints(model: Objective, seeds: object) -> np.ndarray:
    """Decodes the midpoint of every pair of seeds, in the order (0, 1), (0, 2), ..., (S-2, S-1).

    Args:
        model, seeds: as for `few_shot`.

    Returns:
        float32 (S (S - 1) / 2, H, W, C) in [-1, 1].

    Raises:
        InputError: as `few_shot`.

    Source: AugIntAE figure 9 (version 2; figure 8 of version 1).
    """
    seeds = _check_seeds(model, seeds)
    check_memory(len(seeds) * (len(seeds) - 1) // 2, model.image_shape)
    first, second = np.triu_indices(len(seeds), k=1)
    return _between(model, seeds, first, second, np.full(len(first), 0.5))


def sample(model: Objective, n: int, seed: int = 0, spread: float | None = None) -> np.ndarray:
    """Generates `n` images from the model's prior.

    Args:
        model: an objective with `prior`, `decode` and `image_shape`, such as every generator.
        n: how many images, at least 1.
        seed: of the codes, 0 to 2**32 - 1.
        spread: of the codes of each class about their mean, for a model of classes whose prior takes it: below 1
            concentrated, above 1 sparse (COLA appendix A).

    Returns:
        float32 (n, H, W, C) in [-1, 1].

    Raises:
        InputError: a model without a prior, `n` below 1 or more images than memory holds, `seed` out of range; `spread`
            below 0 or not finite, or for a model whose prior takes none.
    """
    needs(model, "prior")
    _check_number(model, n, seed)
    if spread is None:
        return decode(model, model.prior(n, seed))
    if "spread" not in inspect.signature(model.prior).parameters:
        raise InputError(f"The prior of {type(model).__name__} takes no spread: leave it out.")
    if not 0.0 <= spread < np.inf:
        raise InputError(f"spread is {spread}: give a factor of 0 or more, 0.3 say.")
    return decode(model, model.prior(n, seed, spread))


def _check_number(model: Objective, n: int, seed: int) -> None:
    if n < 1:
        raise InputError(f"n is {n}: ask for at least one image.")
    check_memory(n, model.image_shape)
    check_seed(seed)


def _check_seeds(model: Objective, seeds: object, instead: str = "") -> np.ndarray:
    """The seeds as float32 (S, H, W, C), for a model that encodes, or has the method `instead`."""
    if not (instead and hasattr(model, instead)):
        needs(model, "encode")
    seeds = as_images(seeds, model.image_shape, "seeds")
    if len(seeds) < 2:
        raise InputError("one seed image is not enough: give at least two images of the class.")
    return seeds


def _between(
    model: Objective, seeds: np.ndarray, first: np.ndarray, second: np.ndarray, alphas: np.ndarray
) -> np.ndarray:
    codes = encode(model, seeds)
    return decode(model, mix(model, codes[first], codes[second], alphas))
