import numpy as np
import pytest
from PIL import Image
from stand_in import SHAPE, images, slerp, unit

from kerasinterp.errors import InputError
from kerasinterp.generation.corners import bilinear, save_corners


def test_a_grid_is_mixed_downwards_then_across(model):
    four = images(4)
    upper_left, upper_right, lower_left, lower_right = (code[np.newaxis] for code in unit(four))
    grid = bilinear(model, four, 3)
    assert grid.shape == (3, 3, *SHAPE)
    for r in range(3):
        left, right = slerp(upper_left, lower_left, r / 2), slerp(upper_right, lower_right, r / 2)
        for c in range(3):
            expected = slerp(unit(left), unit(right), c / 2).reshape(SHAPE)
            np.testing.assert_allclose(grid[r, c], expected, atol=1e-5)


def test_a_picture_has_a_block_a_model_with_the_given_images_in_its_corners(model, tmp_path):
    four = images(4)
    path = save_corners(tmp_path / "new" / "corners.png", four, {"AE": model, "AEAI": model}, steps=3, scale=5)
    with Image.open(path) as file:
        picture = np.asarray(file.convert("RGB"))
    places = []
    for image in four:
        tile = np.rint((image + 1) * 127.5).astype(np.uint8).repeat(5, 0).repeat(5, 1).repeat(3, 2)
        windows = np.lib.stride_tricks.sliding_window_view(picture, tile.shape)[:, :, 0]
        places.append(np.argwhere((windows == tile).all(axis=(2, 3, 4))))
    assert [len(found) for found in places] == [2] * 4  # once a block
    upper_left, upper_right, lower_left, lower_right = (found[0] for found in places)
    assert upper_left[0] == upper_right[0] < lower_left[0] == lower_right[0]
    assert upper_left[1] == lower_left[1] < upper_right[1] == lower_right[1]
    assert places[0][0][0] == places[0][1][0]  # the blocks stand side by side


def test_unusable_corners_get_one_sentence(model, tmp_path):
    with pytest.raises(InputError, match="four images"):
        bilinear(model, images(3), 3)
    with pytest.raises(InputError, match="at least 2 steps"):
        bilinear(model, images(4), 1)
    with pytest.raises(InputError, match="0 models"):
        save_corners(tmp_path / "corners.png", images(4), {})
    with pytest.raises(InputError, match=r"\.png"):
        save_corners(tmp_path / "corners.gif", images(4), {"AE": model})
