"""How many generated images it takes to be worth more than the real ones that there are (COLA chapter 6).

Of a class there are m real images, and n made by a model whose mean is off by d; either's mean estimates the class's. X
is a feature of a real image, Z of a made one.
"""

import math
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import legend, look, panels, save


def sufficient_for_error(real: int, variance_real: float, variance_made: float, bias: float) -> float:
    """Made images from which on the mean of theirs has no larger expected squared error than that of the real ones.

        n >= m Var[Z] / (Var[X] - m d^2);  no n is enough once m d^2 >= Var[X]

    Args:
        real: m, at least 1.
        variance_real, variance_made: Var[X], above 0, and Var[Z], 0 or more.
        bias: d, the distance of the means of made and real images, in the unit of the features.

    Returns:
        n, not rounded; infinity if no number is enough.

    Raises:
        InputError: numbers out of range.

    Source: COLA proposition 1 and corollary 1.1.
    """
    _check(real, variance_real=variance_real, variance_made=variance_made, bias=bias)
    if variance_real <= 0.0:
        raise InputError("variance_real is above 0: of images that are all alike one tells everything.")
    left = variance_real - real * bias**2
    return real * variance_made / left if left > 0.0 else math.inf


def most_real(variance_real: float, bias: float) -> float:
    """Real images from which on made ones are of no use, however many: Var[X] / d^2; infinity without a bias.

    Raises:
        InputError: numbers out of range.

    Source: COLA proposition 1's condition.
    """
    _check(1, variance_real=variance_real, bias=bias)
    return variance_real / bias**2 if bias else math.inf


def hoeffding_bound(count: int, error: float, bias: float = 0.0) -> float:
    """Bound on the probability that the mean of `count` images, of features in [0, 1], is off by `error` or more.

        2 exp(-2 n (e - d)^2)

    Args:
        bias: d, 0 for real images, below `error`.

    Raises:
        InputError: numbers out of range.

    Source: COLA proposition 2's proof.
    """
    _check(count, error=error, bias=bias)
    _check_above(error, bias)
    return 2.0 * math.exp(-2.0 * count * (error - bias) ** 2)


def sufficient_for_confidence(real: int, error: float, bias: float) -> float:
    """Made images from which on `hoeffding_bound` is no looser for them than for the real ones: m (e / (e - d))^2.

    Raises:
        InputError: numbers out of range.

    Source: COLA proposition 2 and corollary 2.1.
    """
    _check(real, error=error, bias=bias)
    _check_above(error, bias)
    return real * (error / (error - bias)) ** 2


def draw_sample_size(
    path: str | os.PathLike,
    variance_real: float,
    variance_made: float,
    biases: Sequence[float],
    most: int = 1000,
) -> pathlib.Path:
    """Draws how many made images are enough against how many real ones there are, a line a bias.

    A line ends where no number is enough any more (`most_real`).

    Args:
        path: a file ending in `.png`.
        variance_real, variance_made, biases: as of `sufficient_for_error`.
        most: real images up to which is drawn, at least 2.

    Raises:
        InputError: numbers out of range, no bias, or another file type.
    """
    if not len(biases) or most < 2:
        raise InputError("Give at least one bias, and most of at least 2.")
    figure, (axis,) = panels(["made images that are as good as the real ones"])
    counts = np.unique(np.geomspace(1, most, 200).astype(int))
    for index, bias in enumerate(biases):
        enough = [sufficient_for_error(int(m), variance_real, variance_made, bias) for m in counts]
        axis.plot(counts, enough, **{**look(index), "marker": ""}, label=f"bias {bias:g}")
        end = most_real(variance_real, bias)
        if end <= most:
            axis.axvline(end, color=look(index)["color"], linestyle=":", linewidth=1)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("real images of the class")
    axis.set_ylabel("made images")
    legend(figure, axis)
    return save(figure, path)


def _check(count: int, **numbers: float) -> None:
    if count < 1:
        raise InputError(f"There is at least one image, not {count}.")
    for name, value in numbers.items():
        if not 0.0 <= value < math.inf:
            raise InputError(f"{name} is 0 or more, and finite, not {value}.")


def _check_above(error: float, bias: float) -> None:
    if error <= bias:
        raise InputError(f"error is above the bias, {bias:g}, not {error:g}: the mean of made images stays so far off.")
