"""An evaluation as files: `report.json` and `report.png`."""

import json
import os
import pathlib
from collections.abc import Sequence

from matplotlib.figure import Figure

from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import against_images_seen, legend, look, panels, readable, save
from kerasinterp.files import written_whole

_METRICS = {
    "fid": "Frechet distance, mixes",
    "fid_reconstruction": "Frechet distance, reconstructions",
    "misclassification": "taken for the source domain",
    "l2": "reconstruction L2 (0 to 255)",
}


def write_report(report: dict | Sequence[dict], directory: str | os.PathLike) -> tuple[pathlib.Path, pathlib.Path]:
    """Writes `report.json` and `report.png` into `directory`, which is made if it is missing.

    Args:
        report: a dict of `evaluate`: one bar a model and metric; or a list of such dicts, each with "images_seen":
            one curve a model and metric. The row "real" is drawn as a dashed line.

    Returns:
        The paths of the two files.

    Raises:
        InputError: an empty report, or one of a list without "images_seen".
        OSError: the directory cannot be written.
    """
    reports = [report] if isinstance(report, dict) else list(report)
    if not reports or not any(_rows(one) for one in reports):
        raise InputError("the report is empty: give what `evaluate` returned.")
    curves = not isinstance(report, dict)
    if curves and any("images_seen" not in one for one in reports):
        raise InputError("a report in the list has no images_seen: add it to each report to draw curves.")
    directory = pathlib.Path(directory)
    text, picture = directory / "report.json", directory / "report.png"
    with written_whole(text) as partial:
        partial.write_text(json.dumps(reports if curves else report, indent=2) + "\n")
    figure = _curves(reports) if curves else _bars(reports[0])
    return text, save(figure, picture)


def _rows(report: dict) -> dict[str, dict]:
    """The models' rows and that of the pixel fade."""
    return {name: row for name, row in report.items() if isinstance(row, dict) and "fid" in row and name != "real"}


def _floor(axis, report: dict, metric: str) -> None:
    floor = report.get("real", {}).get(metric)
    if floor is not None:
        axis.axhline(floor, color="black", linestyle="--", linewidth=1, label="real images")


def _bars(report: dict) -> Figure:
    figure, axes = panels(list(_METRICS.values()))
    for axis, metric in zip(axes, _METRICS, strict=True):
        rows = {name: row[metric] for name, row in _rows(report).items() if metric in row}
        # Reconstructions of the model-free row are the real images themselves.
        if metric in ("fid_reconstruction", "l2"):
            rows.pop("pixel_fade", None)
        names = list(map(readable, rows))
        bars = axis.bar(names, list(rows.values()), color=[look(index)["color"] for index in range(len(rows))])
        axis.bar_label(bars, fmt="%.3g", fontsize=8)
        _floor(axis, report, metric)
    return figure


def _curves(reports: list[dict]) -> Figure:
    figure, axes = panels(list(_METRICS.values()))
    reports = sorted(reports, key=lambda one: one["images_seen"])
    names = list(dict.fromkeys(name for one in reports for name in _rows(one)))
    for axis, metric in zip(axes, _METRICS, strict=True):
        for index, name in enumerate(names):
            if name == "pixel_fade" and metric in ("fid_reconstruction", "l2"):
                continue
            points = [(one["images_seen"], one[name][metric]) for one in reports if metric in one.get(name, {})]
            axis.plot(*zip(*points, strict=True), **look(index), markersize=3, label=name)
        _floor(axis, reports[-1], metric)
        axis.set_ylim(bottom=0)
        against_images_seen(axis)
    legend(figure, axes[0])
    return figure
