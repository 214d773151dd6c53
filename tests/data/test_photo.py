"""Photos of pen on paper: synthetic ones, whose ink is known."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from kerasinterp import data
from kerasinterp.data import centred_ink, read_photo
from kerasinterp.errors import InputError


def strokes(height=300, width=240, top=150, left=30, size=90, thick=10):
    """An upright T, where there is ink."""
    ink = np.zeros((height, width), bool)
    ink[top : top + thick, left : left + size] = True
    ink[top : top + size, left + size // 2 - thick // 2 : left + size // 2 + thick // 2] = True
    return ink


def photo(ink, shadow=0.0, slope=0.0, noise=0.01, dark=True):
    """What a camera would see of it, uint8 (H, W, 1)."""
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    light = 0.85 - slope * (x / ink.shape[1] + y / ink.shape[0]) / 2
    light = np.where(x > 0.55 * ink.shape[1], (1 - shadow) * light, light)
    light = ndimage.gaussian_filter(light, 4)
    seen = light * (1 - 0.75 * ndimage.gaussian_filter(ink.astype(float), 1))
    seen = seen + np.random.default_rng(0).normal(0, noise, ink.shape)
    return np.rint(255 * np.clip(seen if dark else 1 - seen, 0, 1)).astype(np.uint8)[..., np.newaxis]


def expected(ink):
    """The T at 20 of 28 pixels, in the middle: its box is square."""
    rows, columns = np.nonzero(ink)
    cut = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    small = np.asarray(Image.fromarray(255 * cut.astype(np.uint8)).resize((20, 20), Image.Resampling.BOX))
    return np.pad(small, 4)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "inverted, contrast stretched, scaled by 0.22, centred"),
        ({"slope": 0.5}, "inverted, light evened, contrast stretched, scaled by 0.22, centred"),
        ({"slope": 0.4, "shadow": 0.4}, "inverted, light evened, contrast stretched, scaled by 0.22, centred"),
        ({"dark": False}, "contrast stretched, scaled by 0.22, centred"),
    ],
)
def test_ink_is_found_in_any_light(how, said):
    ink = strokes()
    made, told = centred_ink(photo(ink, **how), (28, 28))
    assert told == said
    assert made.shape == (28, 28, 1) and made.dtype == np.uint8
    assert np.abs(made[..., 0].astype(float) - expected(ink)).mean() < 12  # edges apart
    assert np.corrcoef(made.ravel(), expected(ink).ravel())[0, 1] > 0.95
    assert not made[:3].any() and not made[:, -3:].any()


def test_a_clean_picture_stays_as_it_is():
    clean = expected(strokes())[..., np.newaxis]
    made, told = centred_ink(clean, (28, 28))
    np.testing.assert_array_equal(made, clean)
    assert told == "centred"
    inverted, told = centred_ink(255 - clean, (28, 28))
    np.testing.assert_array_equal(inverted, clean)
    assert told == "inverted, centred"


def test_specks_are_dropped_and_dots_kept():
    ink = strokes()
    ink[140:150, 70:80] = True  # a dot a tenth of a stroke
    dirty = ink.copy()
    dirty[20:24, 200:204] = True
    made, told = centred_ink(photo(dirty), (28, 28))
    np.testing.assert_allclose(made, centred_ink(photo(ink), (28, 28))[0], atol=60)
    assert "specks dropped" in told


def test_hairlines_are_thickened():
    thin, told = centred_ink(photo(strokes(thick=2), noise=0.0), (28, 28))
    assert "strokes thickened" in told
    thick, _ = centred_ink(photo(strokes(thick=10), noise=0.0), (28, 28))
    assert thin.max() > 200 and 0.5 < thin.sum() / thick.sum() < 1.5


def test_other_sizes_keep_the_proportion():
    made, _ = centred_ink(photo(strokes()), (56, 64))
    rows, columns = (np.flatnonzero((made[..., 0] > 127).any(axis=axis)) for axis in (1, 0))
    assert 38 <= np.ptp(rows) + 1 <= 41 and 38 <= np.ptp(columns) + 1 <= 41
    assert abs(rows[0] + rows[-1] - 55) <= 1 and abs(columns[0] + columns[-1] - 63) <= 1


def test_an_empty_page_is_refused(tmp_path):
    Image.fromarray(photo(np.zeros((80, 90), bool))[..., 0]).save(tmp_path / "empty.png")
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
