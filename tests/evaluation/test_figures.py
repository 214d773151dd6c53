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


def test_a_measure_that_one_system_has_is_drawn(saved):
    figures.draw_bars({"AE": {"l2": 1.0}, "GLO": {"fid": 2.0, "l2": 1.0}}, "bars.png", {"fid": "fid", "other": "?"})
    assert [axis.get_title() for axis in saved[0].axes] == ["fid"]


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


LONG = "AAE test_a_run_whose_folder_has_a_very_long_name_0/" + 40 * "models/" + "model"


def _drawn(figure, path, recwarn):
    """Width in pixels of each panel; matplotlib warns where it gives up."""
    figures.save(figure, path / "figure.png")
    assert not [one for one in recwarn if "constrained_layout" in str(one.message)]
    return [axis.get_window_extent().width for axis in figure.axes]


@pytest.mark.parametrize("name", ["AE", LONG[:100]])
def test_panels_keep_their_room_beside_long_names(name, tmp_path, recwarn):
    figure, (axis,) = figures.panels([name])
    axis.plot([0, 1], label=name)
    figures.legend(figure, axis)
    (width,) = _drawn(figure, tmp_path, recwarn)
    assert width > 180
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1


def test_bars_keep_their_room_beside_long_names(monkeypatch, tmp_path, recwarn):
    save, kept = figures.save, []
    monkeypatch.setattr(figures, "save", lambda figure, path: kept.append(figure) or save(figure, path))
    title = "distance of mixes from the images that they are mixed of"
    figures.draw_bars({LONG: {"fid": 3.0}, "AE": {"fid": 2.0}}, tmp_path / "bars.png", {"fid": title})
    (width,) = _drawn(kept[0], tmp_path, recwarn)
    assert width > 180
    lines = kept[0].axes[0].get_title().split("\n")
    assert " ".join(lines) == title and max(map(len, lines)) <= 42


def test_numbers_of_images_are_short():
    _, (axis,) = figures.panels(["curve"])
    figures.against_images_seen(axis)
    assert [axis.xaxis.get_major_formatter()(value) for value in (50_000, 1_000_000)] == ["50k", "1M"]
    assert axis.get_xlabel() == "images seen"


def test_axes_begin_at_zero_and_hold_all_that_is_drawn():
    _, (level, below, empty) = figures.panels(["level", "below zero", "empty"])
    level.plot([0, 1], [0.97, 0.973])
    below.plot([0, 1], [-0.5, 2.0])
    figures.from_zero(level, below, empty)
    bottom, top = level.get_ylim()
    assert bottom == 0.0 and 1.0 < top < 1.1  # room above a level line
    bottom, top = below.get_ylim()
    assert -1.0 < bottom < -0.5 and 2.0 < top < 2.5
    _, shared = figures.panels(["few", "many"], sharey=True)
    for axis, most in zip(shared, (2.0, 9.0), strict=True):
        axis.plot([0, 1], [1.0, most])
    figures.from_zero(*shared)
    for axis in shared:
        assert axis.get_ylim()[0] == 0.0 and 9.0 < axis.get_ylim()[1] < 10.0


def test_nothing_is_refused():
    assert figures.required(ROWS) is ROWS
    with pytest.raises(InputError, match="no systems"):
        figures.required({})
