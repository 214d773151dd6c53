import numpy as np
import pytest
from PIL import Image
from stand_in import SHAPE, images

from kerasinterp.errors import InputError
from kerasinterp.generation import (
    interpolate,
    pixel_fade,
    save_few_shot,
    save_grid,
    save_interpolations,
)


def tiles(path, expected, scale):
    """Where the enlarged image lies in the picture: the upper left corners of its exact copies."""
    with Image.open(path) as file:
        picture = np.asarray(file.convert("RGB"))
    tile = np.rint((np.clip(expected, -1, 1) + 1) * 127.5).astype(np.uint8)
    tile = np.broadcast_to(tile.repeat(scale, 0).repeat(scale, 1), (*(side * scale for side in tile.shape[:2]), 3))
    windows = np.lib.stride_tricks.sliding_window_view(picture, tile.shape)[:, :, 0]
    return [tuple(int(n) for n in place) for place in np.argwhere((windows == tile).all(axis=(2, 3, 4)))]


def size(path):
    with Image.open(path) as picture:
        return picture.size


def test_grid_keeps_order_and_pixels(tmp_path):
    rows = [images(3, 1), images(2, 2)]
    path = save_grid(tmp_path / "new" / "grid.png", rows, ["a", "a longer label"], scale=3)
    places = [[tiles(path, image, 3) for image in row] for row in rows]
    assert all(len(found) == 1 for row in places for found in row)
    (top, left), (same_top, second) = places[0][0][0], places[0][1][0]
    assert top == same_top and second > left + 12 - 1
    assert places[1][0][0][0] > top + 12 - 1 and places[1][0][0][1] == left
    assert left > 60  # room for the labels


def test_small_images_are_enlarged_and_colour_is_kept(tmp_path):
    small = save_grid(tmp_path / "small.png", [images(1, shape=(28, 28, 3))])
    assert tiles(small, images(1, shape=(28, 28, 3))[0], 3)
    large = save_grid(tmp_path / "large.png", [images(1, shape=(80, 80, 1))])
    assert tiles(large, images(1, shape=(80, 80, 1))[0], 1)


def test_interpolations_have_seeds_at_the_ends_and_a_row_a_model(model, tmp_path):
    a, b = images(2, 1), images(2, 2)
    path = save_interpolations(tmp_path / "paths.png", a, b, {"AE": model}, steps=3, scale=4)
    alphas = [0.25, 0.5, 0.75]
    fade, mixed = pixel_fade(a, b, alphas), interpolate(model, a, b, alphas)
    for pair in range(2):
        (first,), (second,) = tiles(path, a[pair], 4), tiles(path, b[pair], 4)
        fades = [tiles(path, image, 4)[0] for image in fade[pair]]
        mixes = [tiles(path, image, 4)[0] for image in mixed[pair]]
        assert first[0] == second[0]
        assert first[1] < fades[0][1] < fades[1][1] < fades[2][1] < second[1]
        assert [x for _, x in fades] == [x for _, x in mixes] and fades[0][0] < mixes[0][0]
    assert tiles(path, a[0], 4)[0][0] < tiles(path, a[1], 4)[0][0]
    wide = save_interpolations(tmp_path / "wide.png", a, b, {"AE": model}, steps=3, scale=4, columns=2)
    assert size(wide)[0] > size(path)[0] and size(wide)[1] < size(path)[1]


def test_few_shot_of_one_set_and_of_several(model, tmp_path):
    sets, made = images(6).reshape(2, 3, *SHAPE), images(8, 1).reshape(2, 4, *SHAPE)
    path = save_few_shot(tmp_path / "sets.png", sets, {"AE": made}, scale=4)
    rows = [[tiles(path, image, 4)[0] for image in (*sets[k], *made[k])] for k in range(2)]
    for row in rows:
        assert len({y for y, _ in row}) == 1 and [x for _, x in row] == sorted({x for _, x in row})
    assert rows[0][0][0] < rows[1][0][0]
    path = save_few_shot(tmp_path / "set.png", sets[0], {"AE": made[0], "AugIntAE": made[1]}, scale=4)
    places = [tiles(path, image, 4)[0] for image in (*sets[0], *made[0], *made[1])]
    called = save_few_shot(
        tmp_path / "called.png", sets[0], {"AE": made[0], "AugIntAE": made[1]}, heading="real", scale=4
    )
    assert [tiles(called, image, 4)[0] for image in (*sets[0], *made[0], *made[1])] == places
    assert called.read_bytes() != path.read_bytes()
    assert (
        max(x for _, x in places[:3])
        < min(x for _, x in places[3:7])
        <= max(x for _, x in places[3:7])
        < min(x for _, x in places[7:])
    )


def test_the_same_images_give_the_same_file(tmp_path):
    first, second = (save_grid(tmp_path / name, [images(3)], ["row"]) for name in ("1.png", "2.png"))
    assert first.read_bytes() == second.read_bytes()


def test_a_failed_write_keeps_the_old_picture(tmp_path, monkeypatch):
    path = save_grid(tmp_path / "grid.png", [images(1)])
    before = path.read_bytes()

    def full(self, file, **options):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="No space"):
        save_grid(path, [images(2)])
    assert path.read_bytes() == before and [file.name for file in tmp_path.iterdir()] == ["grid.png"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda path: save_grid(path / "grid.jpg", [images(1)]), "does not end in .png"),
        (lambda path: save_grid(path / "grid.png", []), "no rows"),
        (lambda path: save_grid(path / "grid.png", [images(1)], ["a", "b"]), "2 labels for 1 rows"),
        (lambda path: save_grid(path / "grid.png", [images(1), images(1, shape=(8, 8, 1))]), "different shapes"),
        (lambda path: save_grid(path / "grid.png", [images(1)], scale=-1), "whole factor"),
        (lambda path: save_interpolations(path / "x.png", images(1), images(1), {}, fade=False), "no row to draw"),
        (lambda path: save_interpolations(path / "x.png", images(1), images(1), {}, steps=0), "at least 1"),
        (lambda path: save_few_shot(path / "x.png", images(2), {}), "no generated images"),
        (lambda path: save_few_shot(path / "x.png", images(2), {"AE": images(4, shape=(8, 8, 1))}), "one shape"),
        (
            lambda path: save_few_shot(path / "x.png", images(2), {"AE": images(4)}, columns=0),
            "columns must be at least",
        ),
        (lambda path: save_few_shot(path / "x.png", images(2), {"AE": images(4)[None]}), "sets"),
        (lambda path: save_few_shot(path / "x.png", images(2), {"seeds": images(4)}), "heading 'seeds' is taken"),
        (lambda path: save_few_shot(path / "x.png", images(2), {"a": images(4)}, heading="a"), "heading 'a' is taken"),
        (lambda path: save_few_shot(path / "x.png", images(2)[None], {"AE": images(4)[:, None]}), "numbers of sets"),
        (lambda path: save_grid(path / "x.png", [images(1, shape=(1000, 1000, 1))], scale=20), "24998 x 24998 pixels"),
    ],
)
def test_bad_input_gets_a_sentence_and_no_file(tmp_path, draw, message):
    with pytest.raises(InputError, match=message):
        draw(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_picture_that_nobody_could_open_is_refused_before_a_model_works(tmp_path):
    with pytest.raises(InputError, match=r"750\d+ x \d+ pixels: draw fewer"):
        save_interpolations(tmp_path / "x.png", images(1), images(1), {"AE": None}, steps=100_000)
    assert not list(tmp_path.iterdir())


def test_panels_stand_on_lines_each_with_the_seeds_at_its_left(tmp_path):
    sets, made = np.stack([images(2)] * 3), np.stack([images(4)] * 3)
    panels = dict.fromkeys(("AE", "IntAE", "VAE"), made)
    one, two = (
        np.asarray(Image.open(save_few_shot(tmp_path / f"{columns}.png", sets, panels, columns=columns, scale=4)))
        for columns in (None, 2)
    )
    assert two.shape[0] > 1.8 * one.shape[0] and two.shape[1] < 0.8 * one.shape[1]
    top = one.shape[0] // 2  # the first line, seeds and two panels, is that of a single line
    np.testing.assert_array_equal(two[:top, : two.shape[1] - 20], one[:top, : two.shape[1] - 20])
