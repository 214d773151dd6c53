import numpy as np
import pytest

from kerasinterp import data
from kerasinterp.data import lines
from kerasinterp.errors import InputError


def _drawn_finely(angle, size, width, samples=16):
    """The line's coverage by counting samples inside it; width along rows or columns, whichever it crosses."""
    place = (np.arange(size * samples) + 0.5) / samples - size / 2
    x, y = place, -place[:, None]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = np.abs(x * np.sin(angle) - y * np.cos(angle)) / max(abs(np.cos(angle)), abs(np.sin(angle)))
    inside = (along >= 0) & (along <= size / 2 - 1) & (across <= width / 2)
    return 255 * inside.reshape(size, samples, size, samples).mean((1, 3))


@pytest.mark.parametrize(("size", "width"), [(32, 2.0), (16, 1.0), (20, 3.0)])
def test_pixels_are_as_grey_as_they_are_covered(size, width):
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 20)
    found = lines.render(angles, size, width)[..., 0].astype(float)
    expected = np.stack([_drawn_finely(angle, size, width) for angle in angles])
    # The two differ where an edge cuts a pixel's corner, not in sum.
    assert np.abs(found - expected).mean() < 0.6
    assert np.abs(found - expected).max() < 90
    np.testing.assert_allclose(found.sum((1, 2)), expected.sum((1, 2)), rtol=0.03)


def test_angles_run_anticlockwise_from_the_right():
    right, up, left, down = (lines.render([turn * np.pi / 2])[0, ..., 0] for turn in range(4))
    expected = np.zeros((32, 32), np.uint8)
    expected[15:17, 16:31] = 255  # from the centre to one pixel before the border
    np.testing.assert_array_equal(right, expected)
    np.testing.assert_array_equal(up, np.rot90(expected))
    np.testing.assert_array_equal(left, np.rot90(expected, 2))
    np.testing.assert_array_equal(down, np.rot90(expected, 3))


@pytest.mark.parametrize("angle", [0.3, np.pi / 4, 2.0, 5.5])
def test_distance_grows_smoothly_with_the_angle(angle):
    images = data.to_float(lines.render(angle + np.arange(0, 0.12, 0.004))).reshape(30, -1).astype(np.float64)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    distance = 1 - images @ images[0]
    assert (np.diff(distance) > 0).all()
    assert np.diff(distance).max() < 2e-3


def test_pixel_fades_are_as_far_from_lines_as_officially():
    """6.17e-3, 256 random paths; here the angle between the ends is spread evenly, which varies less."""
    rng = np.random.default_rng(0)
    start, between, weight = rng.uniform(0, 2 * np.pi, 96), np.linspace(0, np.pi, 96), np.linspace(0, 1, 16)[:, None]
    first, last = (data.to_float(lines.render(angles)).reshape(96, 1, -1) for angles in (start, start + between))
    paths = ((1 - weight) * first + weight * last).reshape(96 * 16, -1)
    known = data.to_float(lines.render(np.arange(4000) * 2 * np.pi / 4000)).reshape(4000, -1)
    paths, known = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (paths, known))
    assert np.mean(1 - (paths @ known.T).max(1)) == pytest.approx(6.17e-3, abs=2.5e-4)


def test_generated_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "_COUNTS", {"train": 50, "test": 20})
    for folder in "ab":
        data.load("lines/16", data_dir=tmp_path / folder)
    first, second = (sorted((tmp_path / folder).rglob("*.tfrecord*")) for folder in "ab")
    assert len(first) == 2
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    for split, count in (("train", 50), ("test", 20)):
        stored = [*lines.Lines(config="16", data_dir=tmp_path / "a").as_dataset(split=split).as_numpy_iterator()]
        assert len(stored) == count
        angles = np.array([example["angle"] for example in stored])
        np.testing.assert_array_equal([e["image"] for e in stored], lines.render(angles, 16, 1.0))
        assert 0 <= angles.min() < 0.1 * 2 * np.pi
        assert 0.9 * 2 * np.pi < angles.max() < 2 * np.pi
    assert data.images("lines", "test", data_dir=tmp_path / "a").shape == (20, 32, 32, 1)


def test_unknown_configurations(tmp_path):
    with pytest.raises(InputError, match="choose of lines/32, lines/16"):
        data.load("lines/8", data_dir=tmp_path)


@pytest.mark.parametrize("arguments", [([[0.0]],), ([0.0], 2), ([0.0], 32, 0.5)])
def test_impossible_lines(arguments):
    with pytest.raises(InputError, match=r"give radians|or more"):
        lines.render(*arguments)
