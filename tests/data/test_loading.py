import numpy as np
import pytest
from PIL import Image

from kerasinterp import data
from kerasinterp.errors import InputError


def test_arrays():
    images = np.random.default_rng(0).integers(0, 256, (3, 56, 56, 3), np.uint8)
    np.testing.assert_array_equal(data.images(images), images)
    assert data.images(images, image_size=28, channels=1).shape == (3, 28, 28, 1)
    with pytest.raises(InputError, match="no labels"):
        data.images(images, labels=True)


def test_folders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("L", (30, 30), 100).save(tmp_path / name / "1.png")
    assert data.images(str(tmp_path)).shape == (2, 28, 28, 1)
    images, labels = data.images(tmp_path, image_size=8, channels=3, labels=True)
    assert images.shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(labels, [0, 1])


def test_a_known_name_is_the_dataset_even_beside_a_folder_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="TFDS_DATA_DIR"):
        data.images("mnist", data_dir=tmp_path / "none", download=False)
