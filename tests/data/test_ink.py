import numpy as np
import pytest
from PIL import Image

from kerasinterp.data import fit_ink, glyphs, ink_note, read_ink
from kerasinterp.errors import InputError


def _drawing(ink, paper, channels=1):
    images = np.full((3, 20, 20, channels), paper, np.uint8)
    images[:, 5:15, 9:12] = ink
    return images


@pytest.mark.parametrize("paper", [170, 200, 255])
def test_dark_on_white_is_told(paper):
    assert "dark on white" in ink_note(_drawing(0, paper)) and "--invert" in ink_note(_drawing(0, paper))


@pytest.mark.parametrize("images", [_drawing(255, 0), _drawing(255, 150), _drawing(0, 255, channels=3)])
def test_light_on_black_grey_paper_and_colour_are_not(images):
    assert ink_note(images) is None


def test_points_have_no_ink():
    assert ink_note(np.ones((3, 2), np.float32)) is None


@pytest.mark.parametrize("side", [np.s_[:, 0], np.s_[:, -1], np.s_[:, :, 0], np.s_[:, :, -1]])
def test_every_side_counts(side):
    for paper, told in ((240, True), (205, False)):  # a black side of four, less the corners: 174 or 149 on average
        images = _drawing(255, paper)
        images[side] = 0
        assert bool(ink_note(images)) == told


def _photo(ink=0.75, shadow=0.0, noise=0.01, pen=4, place=(20, 30)):
    """A T of 60 x 40 pixels on paper (150, 200) whose light falls off to the right; uint8."""
    strokes = np.zeros((150, 200))
    top, left = place
    strokes[top : top + pen, left : left + 40] = strokes[top : top + 60, left + 18 : left + 18 + pen] = 1.0
    y, x = np.mgrid[:150, :200]
    edge = 1.0 / (1.0 + np.exp(-(x + 0.5 * y - 90)))  # a few pixels of half shadow
    light = (0.95 - 0.4 * x / 200) * (1.0 - shadow * edge)
    photo = light * (1.0 - ink * strokes) + np.random.default_rng(0).normal(0.0, noise, strokes.shape)
    return np.uint8(255 * np.clip(photo, 0.0, 1.0))


@pytest.mark.parametrize(
    "options", [{}, {"shadow": 0.4, "place": (60, 50)}, {"noise": 0.04}, {"ink": 0.3}, {"place": (85, 150)}]
)
def test_photos_become_strokes_on_black_as_mnist_has_them(options):
    image, done = fit_ink(_photo(**options), 28)
    assert image.shape == (28, 28, 1) and image.dtype == np.uint8
    lit = image[..., 0] > 127
    rows, columns = (np.flatnonzero(lit.any(axis)) for axis in (1, 0))
    assert np.ptp(rows) + 1 in (19, 20, 21) and np.ptp(columns) + 1 in (12, 13, 14, 15)
    y, x = np.argwhere(lit).mean(0)
    assert abs(y - 13.5) < 1 and abs(x - 13.5) < 1  # the centre of mass
    stem = lit[rows[0] + 6 : rows[-1] - 1].sum(1)
    assert set(stem) <= {1, 2, 3} and lit[rows[0] + 1].sum() >= 12  # one stem, one bar
    assert (image[:3] == 0).all() and (image[:, :3] == 0).all() and image.max() == 255
    assert done.startswith("inverted, light evened, cropped to ") and done.endswith("centred")


def test_thin_strokes_of_large_photos_are_thickened_and_that_is_told():
    large = np.full((1500, 2000), 220, np.uint8)
    large[300:1200, 995:1001] = large[300:306, 700:1300] = 40
    image, done = fit_ink(large, 28)
    assert "strokes thickened from 0.1 to 2.0 pixels" in done and "cropped to " in done
    stem = image[10:20, :, 0].astype(float) / 255
    assert (np.abs(stem.sum(1) - 2.0) < 0.4).all()
    marker, done = fit_ink(_photo(pen=9), 28)
    assert "thickened" not in done and marker.max() == 255


def test_other_sizes_in_proportion():
    image, _ = fit_ink(_photo(), (56, 70))
    assert image.shape == (56, 70, 1)
    assert np.ptp(np.flatnonzero((image > 127).any((1, 2)))) + 1 in (39, 40, 41)


def test_what_is_clean_already_stays():
    for character in "Fg8":
        for clean in glyphs.render("DejaVuSans", character).values():
            image, done = fit_ink(clean, 28)
            assert done == "kept as it is"
            np.testing.assert_array_equal(image[..., 0], clean)


def test_light_on_black_of_another_size_is_not_inverted():
    large = np.kron(glyphs.render("DejaVuSans", "F")["regular"], np.ones((5, 5), np.uint8))
    image, done = fit_ink(large, 28)
    assert "inverted" not in done and "evened" not in done
    assert np.abs(image[..., 0].astype(int) - np.roll(glyphs.render("DejaVuSans", "F")["regular"], 2, 1)).mean() < 25


def test_a_table_at_the_border_is_left_out():
    photo = _photo(place=(60, 90))
    photo[:, :15] //= 4
    assert (fit_ink(photo, 28)[0] == fit_ink(photo[:, 20:], 28)[0]).mean() > 0.8


def test_empty_pages_are_told(tmp_path):
    for page in (_photo(ink=0.0), _photo(ink=0.0, shadow=0.4), np.zeros((28, 28), np.uint8)):
        with pytest.raises(InputError, match=r"^no ink is found"):
            fit_ink(page, 28)
    Image.fromarray(_photo(ink=0.0)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png: no ink is found"):
        read_ink(tmp_path / "a.png", 28)


def test_files_are_read_whole_and_named(tmp_path):
    photo = _photo(place=(5, 5))  # which a centre crop would cut
    Image.fromarray(photo).save(tmp_path / "a.png")
    image, done = read_ink(tmp_path / "a.png", 28)
    expected, told = fit_ink(photo, 28)
    np.testing.assert_array_equal(image, expected)
    assert done == f"a.png: {told}"


@pytest.mark.parametrize("photo", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), np.zeros((0, 4), np.uint8)])
def test_other_photos_are_refused(photo):
    with pytest.raises(InputError, match="photos are uint8"):
        fit_ink(photo, 28)
