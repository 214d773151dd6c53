"""What the shared figures draw."""

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import figures

ROWS = {"AE": {"fid": 3.0, "fid_std": 0.5, "l2": 20.0}, "pixel_fade": {"fid": None, "l2": 0.25}}


@pytest.fixture
def saved(monkeypatch):
    """Figures in place of files."""
    found = []
    monkeypatch.setattr(figures, "save", lambda figure, path: found.append(figure) or path)
    return found


def test_a_bar_a_system_and_a_panel_a_measure(saved):
    titles = {"fid": "distance_of mixes", "other": "unknown", "l2": "error"}
    figures.draw_bars(ROWS, "bars.png", titles, errors={"fid": "fid_std"})
    (figure,) = saved
    distance, error = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["distance of mixes", "error"]
    assert [bar.get_width() for bar in distance.patches] == [3.0]
    assert [bar.get_width() for bar in error.patches] == [20.0, 0.25]
    assert [round(bar.get_y() + bar.get_height() / 2, 6) for bar in error.patches] == [0, 1]
    (whisker,) = distance.collections
    np.testing.assert_allclose(whisker.get_segments()[0], [[2.5, 0], [3.5, 0]])
    assert not error.collections
    assert [text.get_text() for text in distance.texts] == ["3", " none"]
    assert [label.get_text() for label in distance.get_yticklabels()] == ["AE", "pixel fade"]
    assert distance.get_ylim() == (1.6, -0.6)  # the first system on top
    assert {bar.get_facecolor() for bar in distance.patches}.isdisjoint({error.patches[1].get_facecolor()})


def test_one_look_a_system():
    looks = [figures.look(index) for index in range(21)]
    assert len({tuple(one.values()) for one in looks}) == 21
    assert len({one["color"] for one in looks[:7]}) == 7
    assert [len({one["linestyle"] for one in looks[start : start + 7]}) for start in (0, 7, 14)] == [1, 1, 1]
    assert len({(one["linestyle"], one["marker"]) for one in looks}) == 3
    assert figures.look(21) == figures.look(0)


@pytest.mark.parametrize(("count", "columns", "grid"), [(3, None, (1, 3)), (5, 4, (2, 4)), (2, 4, (1, 2))])
def test_panels_in_rows(count, columns, grid):
    figure, axes = figures.panels([f"a_{n}" for n in range(count)], columns)
    assert len(axes) == len(figure.axes) == count
    assert axes[0].get_gridspec().get_geometry() == grid
    assert [axis.get_title() for axis in axes] == [f"a {n}" for n in range(count)]


def test_numbers_of_images_are_short():
    _, (axis,) = figures.panels(["curve"])
    figures.against_images_seen(axis)
    assert [axis.xaxis.get_major_formatter()(value) for value in (50_000, 1_000_000)] == ["50k", "1M"]
    assert axis.get_xlabel() == "images seen"


def test_nothing_is_refused():
    assert figures.required(ROWS) is ROWS
    with pytest.raises(InputError, match="no systems"):
        figures.required({})
