"""Do generated images lie among the real ones, and do they reach all of them? Measures of nearest neighbours."""

from collections.abc import Iterator

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.evaluation.distances import as_features

_VALUES = 2**22  # distances in a block: 32 MB, and some times that while it is worked on
_EQUAL = 1e-12  # of the squared lengths: a squared distance below it is rounding, of features in float32


def precision_recall(real_features: np.ndarray, generated_features: np.ndarray, k: int = 3) -> dict[str, float]:
    """How many generated images lie within the real images' manifold, and the other way round.

    A set's manifold is all that is as near to one of its rows as that row's k-th nearest other row is. Values depend on
    the numbers of rows and on k: compare at equal ones, beside a row of real images against others. That row comes
    out near 1, the lower the fewer the images and the more directions they vary in. One outlier among the real images
    raises the precision, one among the generated ones the recall: `density_coverage` mends that.

    Args:
        real_features: (N, D), N above k.
        generated_features: (M, D), M above k.
        k: which neighbour; 3 is the paper's.

    Returns:
        "precision", the share of generated images within the real manifold, and "recall", the share of real images
        within the generated one, both in 0..1.

    Raises:
        InputError: k below 1, no more rows than k, other ranks, different D, values that are not finite.

    Source: Kynkaanniemi et al. (2019), section 2, equations 1 and 2.
    """
    real, generated = _checked(real_features, generated_features, k)
    real_radii, generated_radii = _radii(real, k), _radii(generated, k)
    within, reached = 0, np.zeros(len(real), bool)
    for _, squared in _squared_distances(generated, real):
        within += (squared <= real_radii).any(axis=1).sum()
    for rows, squared in _squared_distances(real, generated):
        reached[rows] = (squared <= generated_radii).any(axis=1)
    return {"precision": float(within / len(generated)), "recall": float(reached.mean())}


def density_coverage(real_features: np.ndarray, generated_features: np.ndarray, k: int = 5) -> dict[str, float]:
    """How densely generated images lie among the real ones, and how many real images they come near to.

    Outliers among the real images weigh little here, those among the generated ones nothing. For equal distributions
    the density is 1 in the mean, and the coverage 1 - (N - 1) ... (N - k) / ((N + M - 1) ... (N + M - k)): with
    N = M large, 1 - 2**-k, or 0.97 at k = 5. Compare at equal N and M.

    Args:
        real_features, generated_features: as `precision_recall`.
        k: which neighbour; 5 is the paper's.

    Returns:
        Of the balls about the real images that reach to their k-th nearest other real image:
        - "density": in how many of them a generated image lies, in the mean over the generated ones, divided by k: 0 or
          more, above 1 where generated images crowd where real ones are dense;
        - "coverage": the share of them, in 0..1, that hold a generated image.

    Raises:
        InputError: as `precision_recall`.

    Source: Naeem et al. (2020), section 3.
    """
    real, generated = _checked(real_features, generated_features, k)
    radii = _radii(real, k)
    held = np.concatenate(
        [(squared <= radii[rows, None]).sum(1) for rows, squared in _squared_distances(real, generated)]
    )
    return {"density": float(held.sum() / (k * len(generated))), "coverage": float((held > 0).mean())}


def _checked(real: np.ndarray, generated: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, about the real features' mean: what they all share would fill the digits."""
    if not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k is the number of a neighbour, a whole number from 1 on, not {k!r}.")
    real, generated = as_features(real, generated, k + 1)
    centre = real.mean(axis=0)
    return real - centre, generated - centre


def _radii(features: np.ndarray, k: int) -> np.ndarray:
    """The squared distance of each row from its k-th nearest other one."""
    # The row itself is nearest, at 0, so that the k-th other one is number k of all; a view would keep all.
    return np.concatenate(
        [np.partition(squared, k, axis=1)[:, k].copy() for _, squared in _squared_distances(features, features)]
    )


def _squared_distances(rows: np.ndarray, others: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances of rows (N, D) from others (M, D), some rows after another: which, and (n, M)."""
    lengths = np.square(others).sum(axis=1)
    step = max(1, _VALUES // len(others))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        both = np.square(rows[part]).sum(axis=1)[:, None] + lengths
        squared = both - 2 * rows[part] @ others.T
        squared[squared <= _EQUAL * both] = 0.0
        yield part, squared
