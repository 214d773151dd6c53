"""Pictures for people are told from images, whoever drew them."""

import numpy as np
import pytest
from PIL import Image

from kerasinterp import data, evaluation, generation
from kerasinterp.data.marks import is_marked, marking
from kerasinterp.errors import InputError
from kerasinterp.evaluation import figures

IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)


def _grid(path):
    return generation.save_grid(path / "grid.png", [IMAGES])


def _few_shot(path):
    return generation.save_few_shot(path / "few_shot.png", IMAGES, {"AE": IMAGES})


def _interpolations(path):
    return generation.save_interpolations(path / "paths.png", IMAGES, IMAGES, {})


def _gif(path):
    return generation.save_gif(path / "path.gif", IMAGES)


def _figure(path):
    figure, _ = figures.panels(["a"])
    return figures.save(figure, path / "figure.png")


def _bars(path):
    return evaluation.figures.draw_bars({"AE": {"l2": 1.0}}, path / "bars.png", {"l2": "L2"})


DRAWN = [_grid, _few_shot, _interpolations, _gif, _figure, _bars]


@pytest.mark.parametrize("draw", DRAWN)
def test_what_is_drawn_for_people_is_not_read_as_an_image(tmp_path, draw):
    Image.new("L", (28, 28), 90).save(tmp_path / "own.png")
    drawn = draw(tmp_path)
    with pytest.warns(data.Note, match=f"1 drawn by kerasinterp for people .{drawn.name}"):
        images = data.images(tmp_path)
    assert (images == 90).all() and len(images) == 1
    with pytest.raises(InputError, match="drew for people"):
        data.read_image(drawn, 28, 1)
    with pytest.raises(InputError, match="drew for people"):
        data.images(drawn)
    with pytest.raises(InputError, match="drew for people"):
        data.images([tmp_path / "own.png", drawn])


def test_generated_images_are_images(tmp_path):
    generation.save_images(tmp_path, IMAGES)
    assert len(data.images(tmp_path, image_size=8)) == 4
    np.testing.assert_array_equal(data.images(tmp_path, image_size=8), data.to_uint8(IMAGES))


def test_only_pictures_that_is_nothing_to_learn_from(tmp_path):
    _grid(tmp_path)
    with pytest.raises(InputError, match=r"holds no images \(but 1 drawn by kerasinterp for people"):
        data.images(tmp_path)


def test_others_pictures_are_read(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.gif", comment=b"holiday")
    Image.new("L", (8, 8)).save(tmp_path / "b.png")
    assert len(data.images(tmp_path)) == 2
    assert marking("GIF") != marking("PNG")
    with Image.open(tmp_path / "a.gif") as opened:
        assert not is_marked(opened)
