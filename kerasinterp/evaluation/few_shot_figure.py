"""A few-shot comparison as a figure."""

import os
import pathlib
from collections.abc import Mapping

from kerasinterp.evaluation.figures import look, panels, readable, save

METRICS = {
    "fid": "Frechet distance, mixes",
    "fid_reconstruction": "Frechet distance, reconstructions",
    "misclassification": "taken for the source domain",
    "l2": "reconstruction L2 (0 to 255)",
}


def draw_few_shot(table: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws the rows of `FewShot`, a bar a model and metric; the row "real" as a dashed line.

    Raises:
        InputError: another file type.
    """
    figure, axes = panels(list(METRICS.values()))
    floor = table.get("real", {})
    for axis, metric in zip(axes, METRICS, strict=True):
        rows = {name: row[metric] for name, row in table.items() if metric in row and name != "real"}
        # Reconstructions of the model-free row are the real images themselves.
        if metric in ("fid_reconstruction", "l2"):
            rows.pop("pixel_fade", None)
        names = list(map(readable, rows))
        bars = axis.bar(names, list(rows.values()), color=[look(index)["color"] for index in range(len(rows))])
        axis.bar_label(bars, fmt="%.3g", fontsize=8)
        if floor.get(metric) is not None:
            axis.axhline(floor[metric], color="black", linestyle="--", linewidth=1, label="real images")
    return save(figure, path)
