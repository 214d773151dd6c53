"""AEAI's measures on views of known parameters: generated in-between images against the true ones."""

import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from kerasinterp.data.convert import to_float
from kerasinterp.data.turns import Views
from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import IDEAL, from_zero, legend, look, panels, required, save
from kerasinterp.evaluation.paths import Interpolate, along, nearest

LENGTHS = tuple(range(15, 81, 5))  # degrees; AEAI figure 6


def in_between(
    interpolate: Interpolate,
    views: Views,
    lengths: Sequence[float] = LENGTHS,
    *,
    length: float = 80,
    retrieval_length: float = 70,
    chosen: np.ndarray | None = None,
    judged: np.ndarray | None = None,
    every: int = 1,
) -> dict:
    """Interpolates between views of one series, some degrees apart, and compares with the true views between them.

    An interval of n steps has n - 1 in-betweens, at alpha = 1/n, ..., (n - 1)/n: 15 for 80 degrees at steps of 5 (the
    paper says 14). All intervals of the closed turn are measured, those across its seam too.

    Args:
        interpolate: (a, b, alphas) -> (N, K, H, W, C).
        views: images of known azimuth.
        lengths: of the intervals, degrees: multiples of the views' step, from two steps to below half a turn.
        length: of the intervals that are measured alpha by alpha.
        retrieval_length: of those whose alpha is predicted, from the nearest real image of the same series.
        chosen: bool (S, K), the views that may be endpoints (those trained on, say); None for all.
        judged: bool (S, K), the in-betweens whose error counts (those not trained on, say); None for all.
        every: measures every n-th interval of a series only.

    Returns:
        Errors are squared, means over pixels and channels, of images in [0, 1]; deviations are over intervals.

        - "mse", "mse_std": the means over alpha of the curves at `length`; "alpha_error": the mean distance of
          predicted from true alphas; "alpha_spread": the mean of the interquartile ranges;
        - "by_alpha": "length", and lists "alphas", "mse", "std";
        - "by_length": lists "lengths", "mse", and "intervals", their numbers;
        - "retrieval": "length", and lists "alphas", "median", "lower" and "upper" (the quartiles).

    Raises:
        InputError: an unusable length, masks of another shape, no interval or nothing judged, or as `along`.

    Source: AEAI section 4.3, figures 6, 7, 14 and 15.
    """
    lengths = sorted({float(one) for one in lengths})
    measured = sorted({*lengths, float(length), float(retrieval_length)})
    steps = {one: _steps(one, views) for one in measured}
    chosen, judged = _mask(chosen, views, "chosen"), _mask(judged, views, "judged")
    if every < 1:
        raise InputError(f"every is {every}: give 1 for all intervals, 2 for each second one, and so on.")
    found = {
        one: _measure(interpolate, views, n, chosen, judged, every, retrieve=one == retrieval_length)
        for one, n in steps.items()
    }
    errors, predicted = found[length][0], found[retrieval_length][1]
    mse, std = np.nanmean(errors, axis=0), np.nanstd(errors, axis=0)
    lower, median, upper = np.percentile(predicted, [25, 50, 75], axis=0)
    alphas = _alphas(steps[retrieval_length])
    return {
        "mse": float(mse.mean()),
        "mse_std": float(std.mean()),
        "alpha_error": float(np.abs(predicted - alphas).mean()),
        "alpha_spread": float((upper - lower).mean()),
        "by_alpha": {
            "length": float(length),
            "alphas": _alphas(steps[length]).tolist(),
            "mse": mse.tolist(),
            "std": std.tolist(),
        },
        "by_length": {
            "lengths": lengths,
            "mse": [float(np.nanmean(found[one][0])) for one in lengths],
            "intervals": [len(found[one][0]) for one in lengths],
        },
        "retrieval": {
            "length": float(retrieval_length),
            "alphas": alphas.tolist(),
            "median": median.tolist(),
            "lower": lower.tolist(),
            "upper": upper.tolist(),
        },
    }


def departure(
    interpolate: Interpolate,
    views: Views,
    *,
    pairs: int = 256,
    points: int = 17,
    chosen: np.ndarray | None = None,
    seed: int = 0,
) -> dict:
    """How interpolations depart from their source and reach their target in parameter space.

    Each generated image gets the parameters of its nearest real image. Pairs are drawn among all views where the
    parameters tell the series apart (the pole's altitudes), else within a series (an object).

    Args:
        interpolate, views, chosen: as `in_between`.
        pairs: of two views each, drawn from `seed`.
        points: images on each path, the ends' reconstructions among them.

    Returns:
        - "alphas", "source", "target": lists, the mean distances from the source's and the target's parameters, in
          degrees, Euclidean, the azimuth the short way round;
        - "span": the mean distance between sources and targets: perfect are alpha * span and (1 - alpha) * span;
        - "departure_error": the mean distance of both curves from the perfect ones, as a share of the span.

    Raises:
        InputError: fewer than one pair or two points, a mask of another shape, no two chosen views, or as `along`.

    Source: AEAI section 4.3, figure 8.
    """
    if pairs < 1 or points < 2:
        raise InputError(f"pairs is {pairs} and points {points}: ask for at least 1 pair and 2 points.")
    groups = 1 if len(views.names) > 1 else len(views.images)
    images = views.images.reshape(groups, -1, *views.images.shape[2:])
    parameters = views.parameters.reshape(groups, -1, len(views.names))
    members = [np.flatnonzero(group) for group in _mask(chosen, views, "chosen").reshape(groups, -1)]
    able = [group for group in range(groups) if len(members[group]) >= 2]
    if not able:
        raise InputError("no series has two chosen views to interpolate between: choose more.")
    random, alphas = np.random.default_rng(seed), np.linspace(0, 1, points)
    drawn = random.choice(able, pairs)
    from_source, to_target, span = [], [], []
    for group in np.unique(drawn):
        ends = [random.choice(members[group], 2, replace=False) for _ in range(np.sum(drawn == group))]
        first, second = np.transpose(ends)
        pool, known = to_float(images[group]), parameters[group]
        span.append(_apart(known[first], known[second]))
        for part, made in along(interpolate, images[group], first, second, alphas):
            there = known[nearest(made.reshape(-1, *made.shape[2:]), pool)[0]].reshape(len(made), points, -1)
            from_source.append(_apart(there, known[first[part], np.newaxis]))
            to_target.append(_apart(there, known[second[part], np.newaxis]))
    source, target = (np.concatenate(curves).mean(axis=0) for curves in (from_source, to_target))
    mean_span = float(np.concatenate(span).mean())
    off = np.abs(source - alphas * mean_span) + np.abs(target - (1 - alphas) * mean_span)
    return {
        "alphas": alphas.tolist(),
        "source": source.tolist(),
        "target": target.tolist(),
        "span": mean_span,
        "departure_error": float(off.mean() / 2 / mean_span),
    }


def draw_in_between(results_by_system: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws the errors of `in_between` as curves (AEAI figure 6), into a PNG.

    Raises:
        InputError: nothing to draw, or another file type.
    """
    length = next(iter(required(results_by_system).values()))["by_alpha"]["length"]
    figure, axes = panels([f"mean MSE, {length:g} degrees", f"its deviation, {length:g} degrees", "mean MSE"])
    for index, (system, row) in enumerate(results_by_system.items()):
        style = look(index) | {"label": system, "markersize": 4, "linewidth": 1.3}
        axes[0].plot(row["by_alpha"]["alphas"], row["by_alpha"]["mse"], **style)
        axes[1].plot(row["by_alpha"]["alphas"], row["by_alpha"]["std"], **style)
        axes[2].plot(row["by_length"]["lengths"], row["by_length"]["mse"], **style)
    for axis, label in zip(axes, ["alpha", "alpha", "interval, degrees"], strict=True):
        axis.set_xlabel(label)
    from_zero(*axes)
    legend(figure, axes[0])
    return save(figure, path)


def draw_retrieval(results_by_system: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws predicted alphas, median and interquartile range, a panel a system (AEAI figure 7), into a PNG.

    Raises:
        InputError: nothing to draw, or another file type.
    """
    figure, axes = panels(list(required(results_by_system)), columns=4, sharey=True)
    for index, (axis, row) in enumerate(zip(axes, results_by_system.values(), strict=True)):
        curve, style = row["retrieval"], look(index)
        axis.fill_between(curve["alphas"], curve["lower"], curve["upper"], color=style["color"], alpha=0.3, linewidth=0)
        axis.plot(curve["alphas"], curve["median"], style["marker"], color=style["color"], markersize=4, label="median")
        axis.plot([0, 1], [0, 1], **IDEAL, label="perfect")
        axis.set_xlabel("alpha")
        axis.set_xlim(-0.03, 1.03)
    axes[0].set_ylabel("alpha of the nearest image")
    axes[0].legend(fontsize=8, frameon=False)
    return save(figure, path)


def draw_departure(results_by_system: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws the distances of `departure`, a panel a system (AEAI figure 8), into a PNG.

    Raises:
        InputError: nothing to draw, or another file type.
    """
    figure, axes = panels(list(required(results_by_system)), columns=4, sharey=True)
    for axis, row in zip(axes, results_by_system.values(), strict=True):
        axis.plot([0, 1], [0, row["span"]], **IDEAL, label="perfect")
        axis.plot([0, 1], [row["span"], 0], **IDEAL)
        for index, side in enumerate(("source", "target")):
            axis.plot(row["alphas"], row[side], color=look(index)["color"], label=f"from the {side}")
        axis.set_xlabel("alpha")
        axis.set_xlim(-0.03, 1.03)
    axes[0].set_ylabel("distance, degrees")
    legend(figure, axes[0])
    return save(figure, path)


def _measure(interpolate, views, steps, chosen, judged, every, retrieve) -> tuple[np.ndarray, np.ndarray | None]:
    """Squared errors (intervals, steps - 1), NaN where not judged, and, if asked for, predicted alphas."""
    turn, between = views.images.shape[1], np.arange(1, steps)
    errors, predicted = [], []
    for images, ends, counted in zip(views.images, chosen, judged, strict=True):
        first = np.flatnonzero(ends & np.roll(ends, -steps))[::every]
        middle = (first[:, np.newaxis] + between) % turn
        pool = to_float(images) if retrieve else None
        for part, made in along(interpolate, images, first, (first + steps) % turn, between / steps):
            error = np.square((made - to_float(images[middle[part]])) / 2).mean(axis=(2, 3, 4))
            errors.append(np.where(counted[middle[part]], error, np.nan))
            if retrieve:
                found = nearest(made.reshape(-1, *made.shape[2:]), pool)[0].reshape(error.shape)
                # Views from the interval's middle, the short way round: alpha may fall outside [0, 1].
                off = _wrapped(found - first[part, np.newaxis] - steps / 2, turn)
                predicted.append(off / steps + 0.5)
    if not errors:
        raise InputError(f"no two chosen views are {steps * views.step:g} degrees apart: choose more views.")
    errors = np.concatenate(errors)
    if np.isnan(errors).all(axis=0).any():
        raise InputError(f"no in-between is judged at some alpha of {steps * views.step:g} degrees: judge more views.")
    return errors, np.concatenate(predicted) if retrieve else None


def _steps(length: float, views: Views) -> int:
    """How many steps an interval of `length` degrees has."""
    turn = views.step * views.images.shape[1]
    steps = round(length / views.step)
    if abs(length / views.step - steps) > 1e-6:
        raise InputError(f"an interval of {length:g} degrees is no multiple of the views' step of {views.step:g}.")
    if not 2 * views.step <= length < turn / 2:
        raise InputError(
            f"an interval of {length:g} degrees has no true in-betweens here: give {2 * views.step:g} degrees or more, "
            f"and less than half of the views' turn of {turn:g}."
        )
    return steps


def _alphas(steps: int) -> np.ndarray:
    return np.arange(1, steps) / steps


def _mask(mask: np.ndarray | None, views: Views, name: str) -> np.ndarray:
    shape = views.images.shape[:2]
    mask = np.ones(shape, bool) if mask is None else np.asarray(mask)
    if mask.shape != shape or mask.dtype != bool:
        raise InputError(f"{name} is {mask.dtype} {mask.shape}: give a bool for each view, {shape}.")
    return mask


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distance of parameters (..., P) in degrees; the last is an angle of the whole turn."""
    difference = np.array(a - b, np.float64)
    difference[..., -1] = _wrapped(difference[..., -1], 360.0)
    return np.linalg.norm(difference, axis=-1)


def _wrapped(difference: np.ndarray, turn: float) -> np.ndarray:
    """Differences on a circle of `turn` units, the short way: in [-turn/2, turn/2)."""
    return (difference + turn / 2) % turn - turn / 2
