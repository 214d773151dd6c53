import numpy as np
import pytest
from PIL import Image

from kerasinterp import data
from kerasinterp.errors import InputError


def _save(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path, **options)
    return path


def _read(path, **options):
    return data.as_array(data.from_folder(path, **options))


def test_sorted_recursive_and_labelled_by_folder(tmp_path):
    for value, name in ((10, "b/2.png"), (20, "a/1.bmp"), (30, "b/1.gif"), (40, "a/deep/0.webp"), (50, "c/x.jpg")):
        options = {"lossless": True} if name.endswith("webp") else {}
        _save(tmp_path / name, np.full((28, 28), value), **options)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "a" / "._1.png").write_bytes(b"a file system's own")
    images, labels = data.as_array(data.from_folder(tmp_path, labels=True))
    np.testing.assert_array_equal(images[:, 0, 0, 0], [20, 40, 30, 10, 50])
    np.testing.assert_array_equal(labels, [0, 0, 1, 1, 2])


def test_cropped_to_the_centre_and_averaged(tmp_path):
    values = np.zeros((56, 112))
    values[:, 28:84] = np.indices((56, 56)).sum(0) % 2 * 255  # a fine checkerboard in the centre averages to grey
    image = _read(_save(tmp_path / "a.png", values))[0]
    assert image.shape == (28, 28, 1)
    assert np.abs(image.astype(int) - 127.5).max() <= 1


def test_colour_to_grey_and_back(tmp_path):
    _save(tmp_path / "red.png", np.tile([255, 0, 0], (8, 8, 1)))
    assert _read(tmp_path, image_size=8)[0, 0, 0] == [76]  # ITU-R 601: 0.299 * 255
    assert list(_read(tmp_path, image_size=8, channels=3)[0, 0, 0]) == [255, 0, 0]


def test_inverted(tmp_path):
    _save(tmp_path / "a.png", np.full((8, 8), 250))
    assert (_read(tmp_path, image_size=8, invert=True) == 5).all()


def test_transparency_is_white_paper(tmp_path):
    values = np.zeros((8, 8, 4))
    values[:4, :, 3] = 255  # black above, nothing below
    image = _read(_save(tmp_path / "a.png", values), image_size=8)[0, ..., 0]
    assert (image[:4] == 0).all()
    assert (image[4:] == 255).all()


def test_photographs_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    values = np.zeros((8, 8))
    values[:, :4] = 255  # left half
    image = _read(_save(tmp_path / "a.png", values, exif=exif), image_size=8)[0, ..., 0]
    assert (image[:4] == 255).all()
    assert (image[4:] == 0).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    Image.fromarray(np.full((8, 8), 257 * 100, np.uint16)).save(tmp_path / "a.png")
    assert (_read(tmp_path, image_size=8) == 100).all()


def test_one_file(tmp_path):
    assert _read(_save(tmp_path / "a.png", np.zeros((8, 8)))).shape == (1, 28, 28, 1)


def test_missing_and_empty(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        data.from_folder(tmp_path / "missing")
    with pytest.raises(InputError, match="holds no images"):
        data.from_folder(tmp_path)
    with pytest.raises(InputError, match="no file"):
        data.read_image(tmp_path / "a.png", 28, 1)


def test_unreadable_files_are_named(tmp_path):
    good = _save(tmp_path / "good.png", np.random.default_rng(0).integers(0, 256, (64, 64)))
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:500])
    for number in range(3):
        (tmp_path / f"text{number}.jpg").write_text("no image")
    with pytest.raises(InputError, match=r"cut\.png.*text0\.jpg.*text1\.jpg and 1 more"):
        data.from_folder(tmp_path)
    assert len(_read(tmp_path, skip_unreadable=True)) == 1
    good.unlink()
    with pytest.raises(InputError, match="None of the 4"):
        data.from_folder(tmp_path, skip_unreadable=True)


@pytest.mark.parametrize("options", [{"channels": 2}, {"image_size": 0}])
def test_impossible_forms(tmp_path, options):
    with pytest.raises(InputError, match="1 or more"):
        data.from_folder(tmp_path, **options)
