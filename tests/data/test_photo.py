"""Photos of pen on paper: synthetic ones, whose ink is known."""

import re

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from kerasinterp import data
from kerasinterp.data import centred_ink, read_photo
from kerasinterp.data.photo import _resized
from kerasinterp.errors import InputError


def strokes(height=300, width=240, top=150, left=30, size=90, thick=10):
    """An upright T, where there is ink."""
    ink = np.zeros((height, width), bool)
    ink[top : top + thick, left : left + size] = True
    ink[top : top + size, left + size // 2 - thick // 2 : left + size // 2 + thick // 2] = True
    return ink


def photo(shape, shadow=0.0, slope=0.0, noise=0.01, dark=True, ink=0.75, soft=4):
    """What a camera would see of it, uint8 (H, W, 1)."""
    y, x = np.mgrid[: shape.shape[0], : shape.shape[1]]
    light = 0.85 - slope * (x / shape.shape[1] + y / shape.shape[0]) / 2
    light = np.where(x > 0.55 * shape.shape[1], (1 - shadow) * light, light)
    light = ndimage.gaussian_filter(light, soft)
    seen = light * (1 - ink * ndimage.gaussian_filter(shape.astype(float), 1))
    seen = seen + np.random.default_rng(0).normal(0, noise, shape.shape)
    return np.rint(255 * np.clip(seen if dark else 1 - seen, 0, 1)).astype(np.uint8)[..., np.newaxis]


def expected(ink):
    """The T at 20 of 28 pixels, in the middle: its box is square."""
    rows, columns = np.nonzero(ink)
    cut = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    small = np.asarray(Image.fromarray(255 * cut.astype(np.uint8)).resize((20, 20), Image.Resampling.BOX))
    return np.pad(small, 4)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"slope": 0.5},
        {"slope": 0.4, "shadow": 0.4},
        {"slope": 0.4, "shadow": 0.5, "soft": 1.5},
        {"noise": 0.03},
        {"ink": 0.3},
        {"dark": False},
    ],
)
def test_ink_is_found_in_any_light(how):
    shape = strokes(left=60 if "shadow" in how else 30)  # across the shadow's edge
    made, told = centred_ink(photo(shape, **how), (28, 28))
    inverted = "inverted, " if how.get("dark", True) else ""
    evened = "light evened, " if {"slope", "shadow"} & set(how) else ""
    assert re.fullmatch(rf"{inverted}{evened}cropped to 9[0-4] x 9[0-4], scaled to 20, centred", told)
    assert made.shape == (28, 28, 1) and made.dtype == np.uint8
    assert np.abs(made[..., 0].astype(float) - expected(shape)).mean() < 12  # edges apart
    assert np.corrcoef(made.ravel(), expected(shape).ravel())[0, 1] > 0.95
    assert not made[:3].any() and not made[:, -3:].any()


def test_what_lies_at_the_border_is_left_out():
    ink = strokes(left=60)
    seen = photo(ink)
    seen[:, :15] //= 4  # a table
    made, _ = centred_ink(seen, (28, 28))
    assert np.corrcoef(made.ravel(), expected(ink).ravel())[0, 1] > 0.95


def test_a_clean_picture_stays_as_it_is():
    clean = expected(strokes())[..., np.newaxis]
    made, told = centred_ink(clean, (28, 28))
    np.testing.assert_array_equal(made, clean)
    assert told == "kept as it is"
    inverted, told = centred_ink(255 - clean, (28, 28))
    np.testing.assert_array_equal(inverted, clean)
    assert told == "inverted, kept as it is"


@pytest.mark.parametrize(("size", "told"), [(18, True), (22, True), (16, False), (24, False)])
def test_clean_pictures_a_tenth_of_a_side_larger_or_smaller_stay_as_they_are(size, told):
    """A drawing has 20 of 28 pixels; a tenth of 28 is 2.8."""
    clean = np.asarray(Image.fromarray(expected(strokes())[4:-4, 4:-4]).resize((size, size)))
    clean = np.pad(clean, (28 - size) // 2)[..., np.newaxis]
    made, found = centred_ink(clean, (28, 28))
    assert np.array_equal(made, clean) == (found == "kept as it is") == told


def test_all_four_sides_tell_whether_a_small_drawing_is_dark():
    """The lower and the left side are light, and so more than half of the border."""
    image = np.zeros((28, 28, 1), np.uint8)
    image[:, 0] = image[-1] = 255
    image[10:18, 10:18] = 120
    for turns in range(4):
        assert centred_ink(np.rot90(image, turns), (28, 28))[1].startswith("inverted")


def test_a_tenth_is_of_the_shorter_side():
    clean = np.pad(np.asarray(Image.fromarray(expected(strokes())[4:-4, 4:-4]).resize((16, 16))), ((6, 6), (20, 20)))
    _, told = centred_ink(clean[..., np.newaxis], (28, 56))
    assert "scaled to 20" in told


def test_specks_are_dropped_and_dots_kept():
    ink = strokes()
    ink[140:150, 70:80] = True  # a dot a tenth of a stroke
    dirty = ink.copy()
    dirty[20:24, 200:204] = True
    made, _ = centred_ink(photo(dirty), (28, 28))
    np.testing.assert_allclose(made, centred_ink(photo(ink), (28, 28))[0], atol=60)


def test_hairlines_are_thickened():
    thin, told = centred_ink(photo(strokes(thick=2), noise=0.0), (28, 28))
    assert "strokes thickened from 0.5 to 2.0 pixels" in told
    thick, _ = centred_ink(photo(strokes(thick=10), noise=0.0), (28, 28))
    assert thin.max() > 200 and 0.78 < thin.sum() / thick.sum() < 1.2  # as if drawn with a thicker pen


@pytest.mark.parametrize("thick", [2, 10])
def test_a_mirrored_photo_gives_the_mirrored_drawing(thick):
    taken = photo(strokes(thick=thick), noise=0.0)
    made, _ = centred_ink(taken, (28, 28))
    for axis in (0, 1):
        np.testing.assert_array_equal(np.flip(centred_ink(np.flip(taken, axis), (28, 28))[0], axis), made)


@pytest.mark.parametrize("axes", [(0, 1), (1, 0)])
def test_a_thin_and_long_drawing_is_twenty_pixels_long(axes):
    ink = np.zeros((300, 300), bool)
    ink[100:190, 150:152] = ink[188:190, 120:152] = True
    made, told = centred_ink(photo(ink.transpose(axes), noise=0.0), (28, 28))
    rows, columns = (np.flatnonzero((made[..., 0].transpose(axes) > 20).any(axis=axis)) for axis in (1, 0))
    assert "thickened" in told and len(rows) == 20 and 6 <= len(columns) <= 9


def test_what_shrinks_is_averaged_and_what_grows_is_not_blocks():
    drawn = np.random.default_rng(0).random((10, 100), np.float32)
    halved = drawn.reshape(5, 2, 50, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(_resized(drawn, [5, 50]), halved, atol=1e-6)
    assert len(np.unique(_resized(halved, [10, 100]))) > halved.size


def test_other_sizes_keep_the_proportion():
    made, _ = centred_ink(photo(strokes()), (56, 64))
    rows, columns = (np.flatnonzero((made[..., 0] > 127).any(axis=axis)) for axis in (1, 0))
    assert 38 <= np.ptp(rows) + 1 <= 41 and 38 <= np.ptp(columns) + 1 <= 41
    assert abs(rows[0] + rows[-1] - 55) <= 1 and abs(columns[0] + columns[-1] - 63) <= 1


def test_an_empty_page_is_refused(tmp_path):
    Image.fromarray(photo(np.zeros((80, 90), bool))[..., 0]).save(tmp_path / "empty.png")
    with pytest.raises(InputError, match="no ink is seen"):  # nor is the end of a shadow's edge ink
        centred_ink(photo(np.zeros((300, 240), bool), shadow=0.4), (28, 28))
    with pytest.raises(InputError, match="no ink is seen"):
        centred_ink(np.zeros((28, 28, 1), np.uint8), (28, 28))
    with pytest.raises(InputError, match=r"empty\.png: no ink is seen"):
        read_photo(tmp_path / "empty.png", (28, 28))


def test_files_are_read_by_the_usual_rules(tmp_path):
    ink = strokes()
    large = Image.fromarray(photo(ink, noise=0.0)[..., 0]).resize((960, 1200))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    large.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    made, _ = read_photo(tmp_path / "turned.jpg", (28, 28))
    assert np.corrcoef(made.ravel(), expected(ink).ravel())[0, 1] > 0.93
    with pytest.raises(InputError, match=r"missing\.png"):
        read_photo(tmp_path / "missing.png", (28, 28))
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(InputError, match="is no image"):
        read_photo(tmp_path / "text.png", (28, 28))


def test_files_of_a_folder_are_those_that_are_read(tmp_path):
    for name in ("10.png", "9.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    assert [file.name for file in data.files_of(tmp_path)] == ["9.png", "10.png"]
    assert data.files_of(tmp_path / "9.png") == [tmp_path / "9.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        data.files_of(tmp_path / "empty")


def test_a_thick_pen_in_even_light_is_no_paper():
    ink = strokes(height=200, width=200, top=40, left=40, size=120, thick=50)
    made, told = centred_ink(photo(ink), (28, 28))
    assert told.startswith("inverted, cropped")
    assert np.corrcoef(made.ravel(), expected(ink).ravel())[0, 1] > 0.95
