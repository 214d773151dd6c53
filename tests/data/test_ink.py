import numpy as np
import pytest

from kerasinterp.data import ink_note


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
