"""The few-shot comparison's figure."""

import PIL.Image
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import draw_few_shot, draw_usefulness
from kerasinterp.evaluation import few_shot_figure as module

ROW = {"fid": 3.0, "fid_reconstruction": 2.0, "misclassification": 0.1, "l2": 20.0}
TABLE = {
    "AE": ROW,
    "AugIntAE": ROW | {"fid": 2.0},
    "pixel_fade": ROW | {"fid": 1.0},
    "real": {"fid": 0.5, "misclassification": 0.01},
}


def test_a_picture_of_all_metrics_is_written(tmp_path):
    picture = draw_few_shot(TABLE, tmp_path / "new" / "measures.png")
    with PIL.Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.width > image.height > 200


def test_bars_are_the_models_and_the_real_images_a_line(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure))
    draw_few_shot(TABLE, tmp_path / "measures.png")
    axes = {axis.get_title(): axis for axis in figures[0].axes}
    heights = {title: [bar.get_height() for bar in axis.patches] for title, axis in axes.items()}
    assert heights["Frechet distance, mixes"] == [3.0, 2.0, 1.0]
    assert heights["taken for the source domain"] == [0.1, 0.1, 0.1]
    # Reconstructions of the model-free row are the real images themselves.
    assert heights["reconstruction L2 (0 to 255)"] == [20.0, 20.0]
    floors = {title: [line.get_ydata()[0] for line in axis.lines] for title, axis in axes.items()}
    assert floors["Frechet distance, mixes"] == [0.5] and floors["reconstruction L2 (0 to 255)"] == []


def test_metrics_that_no_row_has_are_left_out(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure))
    table = {"AE": {"class_fidelity": 0.9, "turning_error": None}, "augmented": {"class_fidelity": 0.5}}
    draw_few_shot(table | {"real": {"class_fidelity": 0.97}}, tmp_path / "measures.png")
    (axis,) = figures[0].axes
    assert axis.get_title() == "class fidelity"
    assert [bar.get_height() for bar in axis.patches] == [0.9, 0.5]
    assert axis.lines[0].get_ydata()[0] == 0.97


def useful(**values):
    return {f"{key}{end}": value + by for key, value in values.items() for end, by in WHISKERS.items()}


WHISKERS = {"": 0.0, "_low": -0.1, "_high": 0.2}


def test_usefulness_is_drawn_against_seeds_with_its_intervals(tmp_path, monkeypatch):
    table = {
        "AE": useful(usefulness_2=0.4, usefulness_5=0.6, usefulness_2_augmented=0.5, usefulness_5_augmented=0.7),
        "augmented": useful(usefulness_2=0.45, usefulness_5=0.65),
        "real": {"fid": 0.1},
    }
    assert draw_usefulness(table, tmp_path / "usefulness.png").exists()
    figures = []
    monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure))
    draw_usefulness(table, tmp_path / "usefulness.png")
    plain, augmented = figures[0].axes
    lines = [[list(line.lines[0].get_ydata()) for line in axis.containers] for axis in (plain, augmented)]
    assert lines == [[[0.4, 0.6], [0.45, 0.65]], [[0.5, 0.7], [0.45, 0.65]]]
    (whisker,) = plain.containers[0].lines[2]
    assert whisker.get_segments()[0][:, 1] == pytest.approx([0.3, 0.6])
    assert [text.get_text() for text in plain.get_xticklabels()] == ["2", "5"]


def test_usefulness_that_nothing_has_is_not_drawn(tmp_path):
    with pytest.raises(InputError, match="no row has usefulness"):
        draw_usefulness(TABLE, tmp_path / "usefulness.png")


def test_another_file_type_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"does not end in \.png"):
        draw_few_shot(TABLE, tmp_path / "measures.jpg")
