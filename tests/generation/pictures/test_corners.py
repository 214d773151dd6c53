import numpy as np
import pytest
from PIL import Image
from stand_in import images

from kerasinterp.errors import InputError
from kerasinterp.generation import save_corners


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
        save_corners(tmp_path / "corners.png", images(3), {"AE": model})
    with pytest.raises(InputError, match="0 models"):
        save_corners(tmp_path / "corners.png", images(4), {})
    with pytest.raises(InputError, match=r"\.png"):
        save_corners(tmp_path / "corners.gif", images(4), {"AE": model})
