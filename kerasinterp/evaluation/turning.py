"""Do models turn what they interpolate, or fade it? In-betweens of transformed images against the true ones."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from kerasinterp import generation
from kerasinterp.data import HANDWRITTEN, Transformations, triplets
from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import readable
from kerasinterp.evaluation.paths import finite
from kerasinterp.objectives import Objective

# (a, b, weights) -> images (N, H, W, C): pair n at its own weight of b; a, b float32 (N, H, W, C) in [-1, 1].
Between = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

_BATCH = 128  # pairs at once


def turning_between(model: Objective | None) -> Between:
    """(a, b, weights) -> images, by the model or, without one, by blending pixels: a pair is mixed at one weight.

    What a linear decoder gives beyond the range counts, as in the measures of paths.

    Raises:
        InputError: a model whose mixing takes no weight: Bernoulli mixing, say, takes features whole from one side.
    """
    if model is None:
        return lambda a, b, weights: a + weights.reshape(-1, 1, 1, 1) * (b - a)
    mixing = getattr(model, "mixing", None)
    if not getattr(mixing, "at_any_weight", True):
        raise InputError(
            f"{type(mixing).__name__} mixing draws weights of its own, so no mix of this model is at a known place "
            "between two images: it has no turning error, leave it out."
        )

    def mixed(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
        first, second = np.split(generation.encode(model, np.concatenate([a, b])), 2)
        return generation.decode(model, generation.mix(model, first, second, weights), clip=False)

    return mixed


def turning_error(
    interpolate: Between,
    images: np.ndarray,
    transformations: Transformations = HANDWRITTEN,
    count: int = 512,
    seed: int = 0,
) -> dict[str, float]:
    """The error of in-betweens whose truth is known: an image transformed twice, and by the mixed parameters.

    Of A = f(rho_1), B = f(rho_2) and C = f(alpha rho_1 + (1 - alpha) rho_2), the triplets of `data.triplets`, the mix
    of A and B is compared with C; alpha is the weight of A. Blending pixels doubles what has turned; a model may turn
    it. A model's reconstruction error is part of its value, so read it beside class fidelity and reconstructions.

    Args:
        interpolate: `turning_between(model)`: (a, b, weights) -> (N, H, W, C), at `weights` (N,) of b: 1 - alpha.
        images: uint8 (N, H, W, C), of classes that the model has not seen; they are gone through as often as need be.
        transformations: their ranges, as in training or not. Their crop is left out, since images come in the model's
            size: what lies outside is filled by their padding.
        count: of triplets.
        seed: of triplets; equal for models that are compared.

    Returns:
        - "turning_error": the mean squared error of images in [0, 1], a mean over pixels, channels and pairs;
        - "turning_error_deviation": its standard error over the pairs.

    Raises:
        InputError: a count below 2; transformations that leave all images as they are; images of another shape than
            asked for, or not finite; or as `triplets`.

    Source: the parameters and their mix are AugIntAE's, section 4 and A.1; their use as a measure is ours.
    """
    if count < 2:
        raise InputError(f"count is {count}: ask for at least 2 triplets.")
    errors, moved = [], False
    for a, b, c, weights in _known(images, transformations, count, seed):
        moved = moved or not np.array_equal(a, b)
        made = np.asarray(interpolate(a, b, weights), np.float32)
        if made.shape != c.shape:
            raise InputError(f"interpolate gave shape {made.shape}: it must give an image a pair, {c.shape}.")
        difference = (finite(made, "interpolated images") - c) / 2
        errors.append(np.square(difference).mean(axis=(1, 2, 3), dtype=np.float64))
    if not moved:
        raise InputError("the transformations leave these images as they are: switch on some that change them.")
    errors = np.concatenate(errors)
    return {
        "turning_error": float(errors.mean()),
        "turning_error_deviation": float(errors.std(ddof=1) / np.sqrt(len(errors))),
    }


def draw_turning(
    models: Mapping[str, Objective],
    images: np.ndarray,
    path: str | os.PathLike,
    transformations: Transformations = HANDWRITTEN,
    count: int = 8,
    seed: int = 0,
) -> pathlib.Path:
    """Draws the truth between two transformations of an image beside the pixel fade and models' mixes, into a PNG.

    A column a pair: the two ends stand above and below.

    Args:
        models: by name.
        images, transformations, seed: as `turning_error`.
        count: of pairs, at most 128.

    Raises:
        InputError: as `turning_error`, or another file type.
    """
    a, b, c, weights = next(_known(images, transformations, count, seed))
    mixes = {name: turning_between(model)(a, b, weights) for name, model in {"pixel_fade": None, **models}.items()}
    rows = {"first": a, "truth": c} | {name: np.clip(made, -1, 1) for name, made in mixes.items()} | {"second": b}
    return generation.save_grid(path, list(rows.values()), list(map(readable, rows)))


def _known(
    images: np.ndarray, transformations: Transformations, count: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Batches of A, B, their true in-betweens and the weights of B; `count` triplets in all."""
    uncropped = dataclasses.replace(transformations, crop=None)
    batch, steps = min(count, _BATCH), -(-count // _BATCH)
    for step, drawn in enumerate(triplets(images, batch, transformations=uncropped, seed=seed, steps=steps)):
        a, b, c, alpha = (drawn[key].numpy()[: count - step * batch] for key in ("a", "b", "c", "alpha"))
        yield a, b, c, 1.0 - alpha
