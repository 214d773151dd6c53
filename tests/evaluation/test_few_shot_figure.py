"""The few-shot comparison's figure."""

import PIL.Image
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import draw_few_shot
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


def test_another_file_type_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"does not end in \.png"):
        draw_few_shot(TABLE, tmp_path / "measures.jpg")
