"""An evaluation as files: `report.json` and `report.png`."""

import json
import os
import pathlib
from collections.abc import Sequence

from matplotlib.figure import Figure

from kerasinterp.errors import InputError

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
    directory.mkdir(parents=True, exist_ok=True)
    text, picture = directory / "report.json", directory / "report.png"
    _replace(text, lambda path: path.write_text(json.dumps(report if not curves else reports, indent=2) + "\n"))
    figure = _curves(reports) if curves else _bars(reports[0])
    _replace(picture, lambda path: figure.savefig(path, format="png", dpi=120))
    return text, picture


def _rows(report: dict) -> dict[str, dict]:
    """The models' rows and that of the pixel fade."""
    return {name: row for name, row in report.items() if isinstance(row, dict) and "fid" in row and name != "real"}


def _axes() -> tuple[Figure, list]:
    # A figure without pyplot: no display and no global state.
    figure = Figure(figsize=(4 * len(_METRICS), 3.6), layout="constrained")
    axes = figure.subplots(1, len(_METRICS))
    for axis, title in zip(axes, _METRICS.values(), strict=True):
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(axes)


def _floor(axis, report: dict, metric: str) -> None:
    floor = report.get("real", {}).get(metric)
    if floor is not None:
        axis.axhline(floor, color="black", linestyle="--", linewidth=1, label="real images")


def _bars(report: dict) -> Figure:
    figure, axes = _axes()
    for axis, metric in zip(axes, _METRICS, strict=True):
        rows = {name: row[metric] for name, row in _rows(report).items() if metric in row}
        # Reconstructions of the model-free row are the real images themselves.
        if metric in ("fid_reconstruction", "l2"):
            rows.pop("pixel_fade", None)
        names = [name.replace("_", " ") for name in rows]
        bars = axis.bar(names, list(rows.values()), color=[f"C{index}" for index in range(len(rows))])
        axis.bar_label(bars, fmt="%.3g", fontsize=8)
        _floor(axis, report, metric)
    return figure


def _curves(reports: list[dict]) -> Figure:
    figure, axes = _axes()
    reports = sorted(reports, key=lambda one: one["images_seen"])
    names = list(dict.fromkeys(name for one in reports for name in _rows(one)))
    for axis, metric in zip(axes, _METRICS, strict=True):
        for index, name in enumerate(names):
            if name == "pixel_fade" and metric in ("fid_reconstruction", "l2"):
                continue
            points = [(one["images_seen"], one[name][metric]) for one in reports if metric in one.get(name, {})]
            style = "-" if name == "pixel_fade" else "o-"
            axis.plot(*zip(*points, strict=True), style, color=f"C{index}", markersize=3, label=name.replace("_", " "))
        _floor(axis, reports[-1], metric)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("images seen")
        axis.ticklabel_format(axis="x", style="sci", scilimits=(0, 4))
    axes[0].legend(fontsize=8)
    return figure


def _replace(path: pathlib.Path, write) -> None:
    """Writes through a temporary file, so that a failure leaves the earlier report whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
