"""A few-shot comparison as figures."""

import os
import pathlib
import re
from collections.abc import Mapping

from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import legend, look, panels, readable, save

METRICS = {
    "class_fidelity": "class fidelity",
    "turning_error": "turning error",
    "diversity": "diversity",
    "novelty": "novelty",
    "fid": "Frechet distance, mixes",
    "fid_reconstruction": "Frechet distance, reconstructions",
    "misclassification": "taken for the source domain",
    "l2": "reconstruction L2 (0 to 255)",
}
_WITHOUT_LOSS = ("fid_reconstruction", "l2")  # the model-free row's reconstructions are the real images themselves


def draw_few_shot(table: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws the rows of a few-shot comparison, a bar a model and metric; the row "real" as a dashed line.

    Metrics that no row has are left out.

    Raises:
        InputError: another file type.
    """
    known = {key: title for key, title in METRICS.items() if any(row.get(key) is not None for row in table.values())}
    figure, axes = panels(list(known.values()), columns=4)
    names = [name for name in table if name != "real"]
    floor = table.get("real", {})
    for axis, metric in zip(axes, known, strict=True):
        rows = {name: table[name][metric] for name in names if table[name].get(metric) is not None}
        if metric in _WITHOUT_LOSS:
            rows.pop("pixel_fade", None)
        colours = [look(names.index(name))["color"] for name in rows]
        bars = axis.bar([readable(name) for name in rows], list(rows.values()), color=colours)
        axis.bar_label(bars, fmt="%.3g", fontsize=8)
        axis.tick_params(axis="x", labelsize=8)
        if floor.get(metric) is not None:
            axis.axhline(floor[metric], color="black", linestyle="--", linewidth=1, label="real images")
    return save(figure, path)


def draw_usefulness(table: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws the accuracy of classifiers against seeds a class, a line a row of `Usefulness`, with its 95% intervals.

    Raises:
        InputError: no row has usefulness, or another file type.
    """
    figure, axes = panels(["seeds and new images", "the same, augmented"], columns=2, sharey=True)
    drawn = False
    for axis, suffix in zip(axes, ("", "_augmented"), strict=True):
        for index, (name, row) in enumerate(table.items()):
            found = {int(key.split("_")[1]): key for key in row if re.fullmatch(rf"usefulness_\d+{suffix}", key)}
            if not found and suffix and name in ("seeds", "augmented"):  # what the panel's others are compared with
                found = {int(key.split("_")[1]): key for key in row if re.fullmatch(r"usefulness_\d+", key)}
            if not found:
                continue
            drawn = True
            values = [[row[key + end] for key in found.values()] for end in ("", "_low", "_high")]
            below, above = ([abs(a - b) for a, b in zip(values[0], side, strict=True)] for side in values[1:])
            places = [shots * 1.02**index for shots in found]  # beside each other
            axis.errorbar(places, values[0], (below, above), **look(index), markersize=4, capsize=2, label=name)
        axis.set_xscale("log")
        axis.set_xlabel("seeds a class")
        axis.set_ylabel("accuracy on real images")
    if not drawn:
        raise InputError("no row has usefulness: give what `Usefulness` returned.")
    ticks = sorted({int(key.split("_")[1]) for row in table.values() for key in row if key.startswith("usefulness_")})
    for axis in axes:
        axis.set_xticks(ticks, list(map(str, ticks)))
        axis.minorticks_off()
    legend(figure, axes[0])
    return save(figure, path)
