"""Where everything lies on the paper, to the pixel: tiles of 16 x 16, gaps of 2, so steps of 18 and margins of 6."""

import numpy as np
import pytest
from PIL import Image
from stand_in import images

from kerasinterp.generation import save_corners, save_few_shot, save_grid, save_interpolations
from kerasinterp.generation.pictures.sheet import Sheet, most_images

ORANGE = (214, 96, 0)
GAP, STEP, MARGIN, BETWEEN, HEADING = 2, 18, 6, 10, 22
SHEET = Sheet((4, 4, 1), scale=4)


def picture(path):
    with Image.open(path) as file:
        return np.asarray(file.convert("RGB"))


def is_at(paper, image, x, y, scale=4):
    """Whether the enlarged image lies there; positions count from inside the margin."""
    tile = np.rint((np.clip(image, -1, 1) + 1) * 127.5).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)
    side = len(tile)
    return np.array_equal(
        paper[MARGIN + y : MARGIN + y + side, MARGIN + x : MARGIN + x + side], tile.repeat(3, 2)[..., :3]
    )


def ink(paper, left, top, right, bottom):
    """The bounding box of what is drawn within these bounds, from inside the margin: left, top, right, bottom."""
    part = paper[MARGIN + top : MARGIN + bottom, max(0, MARGIN + left) : MARGIN + right]
    rows, columns = np.nonzero((part < 128).all(-1))
    return left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1


@pytest.mark.parametrize(
    ("shape", "scale", "tile", "gap", "font"),
    [
        ((28, 28, 1), None, (84, 84), 3, 28),  # three times, to reach 72 pixels
        ((80, 80, 3), None, (80, 80), 3, 26),
        ((36, 72, 1), None, (144, 72), 6, 24),  # the shorter side counts
        ((4, 4, 1), 4, (16, 16), 2, 11),  # letters and gaps that can be seen
        ((200, 200, 3), 2, (400, 400), 16, 32),
    ],
)
def test_measures(shape, scale, tile, gap, font):
    sheet = Sheet(shape, scale)
    assert (sheet.tile_x, sheet.tile_y) == tile and sheet.gap == gap and sheet.font.size == font
    assert (sheet.step_x, sheet.step_y) == (tile[0] + gap, tile[1] + gap) and sheet.line_height == 2 * font
    assert sheet.text_width(["a", "longer"]) - sheet.text_width(["longer"], margin=0) == 4 * gap


def test_an_overview_is_a_quarter_picture_at_most():
    assert most_images((28, 28, 1)) == 1024
    assert most_images((400, 400, 3)) == 2 * 89_478_485 // 4 // 416**2
    assert most_images((9000, 9000, 3)) == 1


def test_grid(tmp_path):
    rows = [images(3, 1), images(2, 2)]
    paper = picture(save_grid(tmp_path / "plain.png", rows, scale=4))
    assert paper.shape == (2 * STEP - GAP + 2 * MARGIN, 3 * STEP - GAP + 2 * MARGIN, 3)
    assert all(is_at(paper, image, c * STEP, r * STEP) for r, row in enumerate(rows) for c, image in enumerate(row))
    paper = picture(save_grid(tmp_path / "labels.png", rows, ["aa", "longer"], scale=4))
    left = SHEET.text_width(["longer"])
    assert paper.shape[1] == left + 3 * STEP - GAP + 2 * MARGIN
    assert is_at(paper, rows[1][1], left + STEP, STEP)
    for row in range(2):
        _, top, right, bottom = ink(paper, -MARGIN, row * STEP - MARGIN // 2, left, row * STEP + 16)
        assert abs((top + bottom) / 2 - (row * STEP + 8)) <= 2 and abs(right - (left - 4 * GAP)) <= 1  # beside its row


@pytest.mark.parametrize("columns", [1, 2])
def test_interpolations(model, tmp_path, columns):
    a, b = images(2, 1), images(2, 2)
    path = save_interpolations(tmp_path / "x.png", a, b, {"AE": model}, steps=1, scale=4, columns=columns)
    paper = picture(path)
    left = SHEET.text_width(["pixel fade", "AE"])
    width, height = 2 * (STEP + 2 * GAP) + STEP - GAP, 2 * STEP - GAP
    lines = 2 // columns
    assert paper.shape[1] == left + columns * width + (columns - 1) * 4 * BETWEEN + 2 * MARGIN
    assert paper.shape[0] == lines * height + (lines - 1) * BETWEEN + 2 * MARGIN
    for pair in range(2):
        x = left + (pair % columns) * (width + 4 * BETWEEN)
        y = (pair // columns) * (height + BETWEEN)
        assert is_at(paper, a[pair], x, y + 9) and is_at(paper, b[pair], x + width - 16, y + 9)  # half way down
        assert is_at(paper, (a[pair] + b[pair]) / 2, x + STEP + 2 * GAP, y)  # one step is the middle
    frames = (paper == ORANGE).all(-1).sum()
    assert frames == 4 * (18**2 - 16**2)  # a frame of one pixel around each seed
    labelled = [ink(paper, -MARGIN, y, left - GAP, y + 16) for y in (0, STEP)]
    assert labelled[0][0] < labelled[1][0]  # "pixel fade" is the longer


def test_four_pairs_are_drawn_in_one_column_and_five_in_two(model, tmp_path):
    def drawn(pairs):
        path = save_interpolations(tmp_path / "x.png", images(pairs), images(pairs, 1), {}, steps=1, scale=4)
        return picture(path).shape[:2]

    height = 16 + BETWEEN
    (tall, narrow), (short, wide) = drawn(4), drawn(5)
    assert tall == 4 * height - BETWEEN + 2 * MARGIN and short == 3 * height - BETWEEN + 2 * MARGIN
    assert wide - narrow == 2 * (STEP + 2 * GAP) + STEP - GAP + 4 * BETWEEN


def test_few_shot(tmp_path):
    seeds, made = images(3), images(7, 1)
    paper = picture(save_few_shot(tmp_path / "x.png", seeds, {"A": made}, scale=4))
    # Seven images stand in three rows, sqrt(7) rounded, so of three, three and one; the seeds in one column.
    seeds_wide = max(16, SHEET.text_width(["seeds"], margin=0))
    assert paper.shape[:2] == (
        HEADING + 3 * STEP - GAP + 2 * MARGIN,
        seeds_wide + BETWEEN + 3 * STEP - GAP + 2 * MARGIN,
    )
    assert all(is_at(paper, image, 0, HEADING + r * STEP) for r, image in enumerate(seeds))
    x = seeds_wide + BETWEEN
    assert all(is_at(paper, image, x + n % 3 * STEP, HEADING + n // 3 * STEP) for n, image in enumerate(made))
    assert (paper == ORANGE).all(-1).sum() >= 3 * (18 * 18 - 16 * 16) - 2 * 18  # the seeds alone are framed
    right = ink(paper, x, -MARGIN, x + 3 * STEP - GAP, HEADING - GAP)
    assert abs((right[0] + right[2]) / 2 - (x + (3 * STEP - GAP) / 2)) <= 1.5  # a heading is in its panel's middle


def test_corners(model, tmp_path):
    four = images(4)
    models = {"AE": model, "AA": model, "AB": model}
    paper = picture(save_corners(tmp_path / "x.png", four, models, steps=3, scale=4, columns=2))
    width, height = 3 * STEP - GAP, HEADING + 3 * STEP - GAP
    assert paper.shape[:2] == (2 * height + BETWEEN + 2 * MARGIN, 2 * width + BETWEEN + 2 * MARGIN)
    for block in range(3):
        x, y = block % 2 * (width + BETWEEN), block // 2 * (height + BETWEEN)
        for corner, image in enumerate(four):
            assert is_at(paper, image, x + corner % 2 * 2 * STEP, y + HEADING + corner // 2 * 2 * STEP)
        left, top, right, bottom = ink(paper, x, y - 3, x + width, y + HEADING - GAP)
        assert abs((left + right) / 2 - (x + width / 2)) <= 1.5 and y - 3 <= top and bottom <= y + HEADING - GAP
