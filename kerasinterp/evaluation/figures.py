"""How the measures draw systems side by side: one colour, line and marker a system in every figure."""

import os
import pathlib
import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from kerasinterp.data.marks import METADATA
from kerasinterp.errors import InputError
from kerasinterp.files import written_whole

IDEAL = {"color": "0.35", "linestyle": ":", "linewidth": 1.2}  # what a perfect interpolation would give
_TITLE = 42  # characters of a title in a panel's width
_NAME = 16  # characters of a name that a panel has room for beside it
_CHARACTER = 0.08  # inches, of 9 and 10 points

# Okabe and Ito (2008): told apart by colour-blind readers. Their yellow is too light for lines on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINES, _MARKERS = ("-", "--", "-."), ("o", "s", "^")


def look(index: int) -> dict:
    """Colour, line and marker of the system at `index`; 21 differ."""
    turn = index // len(_COLOURS) % len(_LINES)
    return {"color": _COLOURS[index % len(_COLOURS)], "linestyle": _LINES[turn], "marker": _MARKERS[turn]}


def readable(name: str) -> str:
    """A system's or measure's name as figures and tables write it: "pixel fade"."""
    return name.replace("_", " ")


def panels(titles: Sequence[str], columns: int | None = None, height: float = 3.2, **shared: bool) -> tuple:
    """A figure and its axes, one a title, at most `columns` in a row."""
    columns = min(columns or len(titles), len(titles))
    rows = -(-len(titles) // columns)
    # A figure without pyplot: no display and no global state.
    figure = Figure(figsize=(max(4.0, 3.6 * columns), height * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, **shared).ravel()
    for axis, title in zip(grid, titles, strict=False):
        axis.set_title(textwrap.fill(readable(title), _TITLE), fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in grid[len(titles) :]:
        axis.remove()
    return figure, list(grid[: len(titles)])


def draw_bars(
    results_by_system: Mapping[str, Mapping],
    path: str | os.PathLike,
    titles: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
) -> pathlib.Path:
    """A panel a measure, a bar a system; measures that no system has are left out.

    Args:
        results_by_system: by system and measure; a missing measure, or None, has no bar.
        path: a file ending in `.png`.
        titles: by measure.
        errors: by measure, the name of the deviation that is drawn as a whisker.

    Raises:
        InputError: nothing to draw, or another file type.
    """
    titles = {key: title for key, title in titles.items() if any(key in row for row in results_by_system.values())}
    systems = required(results_by_system) and list(results_by_system)
    if not titles:
        raise InputError("the results hold none of the measures of this figure: give what its measure returned.")
    figure, axes = panels(list(titles.values()), height=0.32 * len(systems) + 0.9, sharey=True)
    for axis, key in zip(axes, titles, strict=True):
        for index, system in enumerate(systems):
            value = results_by_system[system].get(key)
            if value is None:
                axis.text(0, index, " none", va="center", fontsize=8, color="0.35")
                continue
            error = results_by_system[system].get((errors or {}).get(key))
            bar = axis.barh(index, value, xerr=error, color=look(index)["color"], error_kw={"ecolor": "0.35"})
            axis.bar_label(bar, [f"{value:.3g}"], fontsize=8, padding=3)
        axis.margins(x=0.2)
    name_rows(figure, axes[0], list(map(readable, systems)))
    axes[0].set_ylim(len(systems) - 0.4, -0.6)
    return save(figure, path)


def legend(figure: Figure, axis: Axes) -> None:
    """One legend for all panels, beside them; the figure has room for it, however long the names are."""
    handles, names = axis.get_legend_handles_labels()
    figure.legend(handles, map(readable, names), loc="outside right upper", fontsize=9, frameon=False)
    _widen(figure, names)


def name_rows(figure: Figure, axis: Axes, names: Sequence[str]) -> None:
    """Names the rows 0, 1, ... of a panel; the figure has room for them, however long they are."""
    axis.set_yticks(range(len(names)), names)
    _widen(figure, names)


def _widen(figure: Figure, names: Sequence[str]) -> None:
    """A run's name may hold a path, and panels that have no room left are drawn one over the other."""
    beyond = max(map(len, names), default=0) - _NAME
    figure.set_figwidth(figure.get_figwidth() + max(0, beyond) * _CHARACTER)


def against_images_seen(axis: Axes) -> None:
    """Labels the horizontal axis: 50k, 1M."""
    axis.set_xlabel("images seen")
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))


def from_zero(*axes: Axes) -> None:
    """Begins vertical axes at zero, but where values are below it; called when all is drawn.

    Axes that share their limits keep the first that are set: what is drawn afterwards may lie beyond them.
    """
    for axis in axes:
        axis.update_datalim([(0.0, 0.0)], updatex=False)
        axis.autoscale_view(scalex=False)
        if min(one.dataLim.y0 for one in axis.get_shared_y_axes().get_siblings(axis)) >= 0.0:
            axis.set_ylim(bottom=0.0)


def required(results_by_system: Mapping[str, Mapping]) -> Mapping[str, Mapping]:
    """The results, if there are any.

    Raises:
        InputError: there are none.
    """
    if not results_by_system:
        raise InputError("there are no systems to draw: give their results by name.")
    return results_by_system


def save(figure: Figure, path: str | os.PathLike) -> pathlib.Path:
    """Writes a PNG; its directory is made.

    Raises:
        InputError: another file type.
        OSError: the file cannot be written; a picture that was there before stays.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"{path} does not end in .png: name the file so.")
    with written_whole(path) as partial:
        figure.savefig(partial, format="png", dpi=120, metadata=METADATA)
    return path
