"""What a folder of images is, before they are read."""

import numpy as np
import pytest
from PIL import Image

from kerasinterp import data
from kerasinterp.errors import InputError


def write(path, size, colour=False, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (*size, 3) if colour else size
    Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8)).save(path, **options)


def test_size_and_colour_are_those_of_most(tmp_path):
    for n in range(5):
        write(tmp_path / f"{n}.png", (30, 40), colour=n < 3)
    write(tmp_path / "large.png", (300, 400))
    assert data.looks(tmp_path) == ((30, 40), True)
    for n in range(3):
        (tmp_path / f"{n}.png").unlink()
    assert data.looks(tmp_path)[1] is False


def test_grey_stored_as_rgb_is_grey(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (20, 20, 1), np.uint8)
    Image.fromarray(np.repeat(grey, 3, axis=-1)).save(tmp_path / "a.jpg")
    assert data.looks(tmp_path) == ((20, 20), False)


def test_a_photo_taken_on_its_side_is_as_it_is_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write(tmp_path / "a.jpg", (30, 40), exif=exif)
    assert data.looks(tmp_path)[0] == (40, 30)


def test_only_some_of_many_are_looked_at(tmp_path, monkeypatch):
    for n in range(70):
        write(tmp_path / f"{n}.png", (4, 4))
    opened, open_image = [], Image.open
    monkeypatch.setattr(Image, "open", lambda path: opened.append(path.stem) or open_image(path))
    data.looks(tmp_path)
    assert opened == [str(n) for n in range(0, 70, 3)]


def test_what_cannot_be_read_is_passed_over(tmp_path):
    (tmp_path / "0.png").write_text("no image")
    assert data.looks(tmp_path) is None
    write(tmp_path / "1.png", (5, 6))
    assert data.looks(tmp_path) == ((5, 6), False)
    with pytest.raises(InputError, match="There is no folder"):
        data.looks(tmp_path / "none")


def test_classes_are_counted_in_the_order_of_their_labels(tmp_path):
    for name in ("10/a.png", "10/deep/b.png", "2/a.png", "2/notes.txt"):
        write(tmp_path / name, (4, 4), format="png")
    (tmp_path / "empty").mkdir()
    assert data.classes_of(tmp_path) == {"2": 1, "10": 2}
    with pytest.warns(data.Note, match="1 folders without images"):
        assert tuple(data.classes_of(tmp_path)) == data.load_examples(tmp_path, labels=True).classes
    assert data.classes_of(tmp_path / "10" / "deep") == {"deep": 1}
    assert data.classes_of(tmp_path / "2" / "a.png") == {"2": 1}
    write(tmp_path / "beside.png", (4, 4))
    with pytest.raises(InputError, match="1 images beside the folders of its classes"):
        data.classes_of(tmp_path)
