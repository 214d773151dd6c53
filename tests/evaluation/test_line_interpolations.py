"""ACAI's measures of lines against interpolations whose values are known."""

import json

import numpy as np
import PIL.Image
import pytest

from kerasinterp.data.convert import to_float
from kerasinterp.data.generated.lines import _covered, render
from kerasinterp.errors import InputError
from kerasinterp.evaluation import draw_lines, line_interpolations, lines
from tests.evaluation.toys import fade, switch


def drawn(angles, size=32, width=2.0):
    return to_float(render(angles, size, width))


def unrounded(angles, size=32, width=2.0):
    parts = [_covered(part, size, width) for part in np.array_split(angles, 20)]
    return 2.0 * np.concatenate(parts)[..., np.newaxis] - 1.0


def turning(draw):
    """Perfect: the shortest arc between the lines that `lines` draws from seed 0."""
    start, end = np.random.default_rng(0).uniform(0, 2 * np.pi, (2, 256, 1))

    def interpolate(a, b, alphas):
        angles = start + ((end - start + np.pi) % (2 * np.pi) - np.pi) * alphas
        return draw(angles.ravel()).reshape(256, len(alphas), 32, 32, 1)

    return interpolate


def test_a_perfect_turn_has_the_known_values():
    """1.7e-7 / 4.8e-4 for unrounded lines, whose smoothness is what 10,000 angles resolve; it varies with the seed."""
    result = lines(turning(drawn))
    assert result["mean_distance"] == pytest.approx(2.7e-7, rel=0.1)  # 1.0e-7 of it by rounding to 256 grey levels
    assert result["smoothness"] == pytest.approx(4.8e-4, rel=0.25)
    assert result["paths_left_out"] == 0
    assert json.loads(json.dumps(result)) == result


def test_unrounded_lines_have_the_known_distance(monkeypatch):
    monkeypatch.setattr(line_interpolations, "render", lambda *line: 127.5 * (unrounded(*line) + 1.0))
    assert lines(turning(unrounded))["mean_distance"] == pytest.approx(1.7e-7, rel=0.15)


def test_an_abrupt_switch_has_the_known_values():
    result = lines(switch)
    assert result["mean_distance"] == pytest.approx(2.7e-7, rel=0.1)
    assert result["smoothness"] == pytest.approx(14 / 15, abs=1e-3)
    assert result["smoothness_official"] == pytest.approx(0.9333, abs=1e-3)


def test_the_pixel_fade_has_the_known_values():
    result = lines(fade)
    assert result["mean_distance"] == pytest.approx(6.17e-3, rel=0.06)
    assert result["smoothness"] == pytest.approx(0.870, rel=0.04)


def test_measures_are_those_of_a_plain_computation():
    """Cosine distances, angles and both smoothnesses in float64, path by path, with noise and a path of no turn."""
    size, paths, points, references = 16, 6, 5, 500
    random = np.random.default_rng(1)
    angles = random.uniform(0, 2 * np.pi, (paths, points))
    angles[2] = 1.0  # it does not turn
    images = drawn(angles.ravel(), size, 1.0) + 0.3 * random.normal(size=(paths * points, size, size, 1))
    images[2 * points : 3 * points] = drawn(np.ones(1), size, 1.0)
    result = lines(
        lambda a, b, alphas: images.reshape(paths, points, size, size, 1), size, 1.0, paths, points, references
    )

    grid = 2 * np.pi / references * np.arange(references)
    known = render(grid, size, 1.0).reshape(references, -1) / 127.5 - 1
    distances, uneven = [], []
    for path in images.reshape(paths, points, -1):
        cosine = np.array([known @ x / np.linalg.norm(known, axis=1) / np.linalg.norm(x) for x in path])
        distances.append(1 - cosine.max(axis=1))
        turned = np.unwrap(grid[cosine.argmax(axis=1)])
        whole = abs(turned[-1] - turned[0])
        if whole > 1e-4:
            uneven.append(np.abs(np.diff(turned)).max() / whole - 1 / (points - 1))
    assert result["mean_distance"] == pytest.approx(np.mean(distances), rel=1e-3)
    assert result["smoothness"] == pytest.approx(np.mean(uneven), rel=1e-6)
    assert result["smoothness_official"] == pytest.approx(np.sum(uneven) / paths, rel=1e-6)
    assert result["paths_left_out"] == paths - len(uneven) >= 1


@pytest.fixture
def scripted(monkeypatch):
    """Angles in place of a search: `lines` of paths whose images are nearest to the given lines of `references`."""

    def measure(index, references, squared=0.0):
        index = np.asarray(index)
        monkeypatch.setattr(line_interpolations, "render", lambda angles, size, width: np.zeros((len(angles), 1, 1, 1)))
        monkeypatch.setattr(
            line_interpolations, "nearest", lambda *_: (index.ravel(), np.broadcast_to(squared, index.size))
        )
        paths, points = index.shape
        made = np.zeros((paths, points, 1, 1, 1))
        return lines(lambda a, b, t: made[: len(a)], 1, 1.0, paths, points, references)

    return measure


def test_paths_that_turn_by_less_than_a_ten_thousandth_are_left_out(scripted):
    """The official script's limit, in radians: of 100,000 lines one step is 6.3e-5 and two are 1.26e-4."""
    result = scripted([[5, 5, 6], [5, 6, 7], [5, 7, 5], [0, 50, 500]], 100_000)
    assert result["paths_left_out"] == 2
    assert result["smoothness"] == pytest.approx((0.5 + 0.9) / 2 - 0.5)
    assert result["smoothness_official"] == pytest.approx((0.5 + 0.9 - 1.0) / 4)


def test_angles_go_on_across_the_seam(scripted):
    """Of 360 lines, one a degree: 350, 355, 0, 10 is a turn of 20 degrees, and so it is backwards."""
    for path in ([350, 355, 0, 10], [10, 0, 355, 350]):
        result = scripted([path], 360)
        assert result["smoothness"] == pytest.approx(10 / 20 - 1 / 3)
        assert result["paths_left_out"] == 0


def test_the_mean_distance_is_one_less_the_cosine(scripted):
    """Of unit vectors |u - v|^2 = 2 - 2 cos."""
    assert scripted([[0, 1], [1, 3]], 360, np.array([0.0, 0.5, 1.0, 2.0]))["mean_distance"] == 0.4375


def test_the_papers_numbers_of_paths_images_and_lines(monkeypatch):
    """Section 4.1: 256 interpolations of 16 images, 10,000 lines over the whole turn; ends drawn over it too."""
    asked = []

    def rendered(angles, size, width):
        asked.append((np.array(angles), size, width))
        return np.zeros((len(angles), 1, 1, 1))

    def counted(images, pool):
        asked.append((len(images), len(pool)))
        return np.arange(len(images)) % 7, np.zeros(len(images))

    monkeypatch.setattr(line_interpolations, "render", rendered)
    monkeypatch.setattr(line_interpolations, "nearest", counted)
    for seed in (0, 1):
        lines(lambda a, b, t: np.zeros((len(a), len(t), 1, 1, 1)), seed=seed)
    (ends, *form), (turn, *same), numbers, (others, *_), *_ = asked
    assert form == same == [32, 2.0] and numbers == (256 * 16, 10_000)
    np.testing.assert_allclose(turn, 2 * np.pi * np.arange(10_000) / 10_000)
    assert len(ends) == 512 and 0 <= ends.min() < 0.1 and 6.2 < ends.max() < 2 * np.pi
    assert not np.array_equal(ends, others)


def test_a_model_of_one_line_has_no_smoothness_but_looks_smooth_to_the_official_one(tmp_path):
    one = drawn(np.ones(1), 16, 1.0)[0]
    result = lines(
        lambda a, b, alphas: np.broadcast_to(one, (8, len(alphas), 16, 16, 1)), 16, 1.0, paths=8, references=100
    )
    assert result["smoothness"] is None
    assert result["smoothness_official"] == 0.0
    assert result["paths_left_out"] == 8
    path = draw_lines({"one line": result}, tmp_path / "lines.png")
    with PIL.Image.open(path) as picture:
        assert picture.width > picture.height


@pytest.mark.parametrize(
    ("interpolate", "settings", "message"),
    [
        (fade, {"points": 1}, "2 or more"),
        (fade, {"paths": 0}, "1 or more"),
        (fade, {"references": 1}, "2 or more"),
        (lambda a, b, alphas: a, {}, "shape"),
        (lambda a, b, alphas: fade(a, b, alphas) * np.nan, {}, "not finite"),
    ],
)
def test_bad_calls_get_one_sentence(interpolate, settings, message):
    with pytest.raises(InputError, match=message):
        lines(interpolate, 16, 1.0, **{"paths": 2, "references": 10} | settings)


def test_the_least_numbers_are_enough():
    assert np.isfinite(lines(fade, 16, 1.0, paths=1, points=2, references=2)["mean_distance"])


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(InputError, match="no systems"):
        draw_lines({}, tmp_path / "lines.png")
    with pytest.raises(InputError, match="none of the measures"):
        draw_lines({"AE": {}}, tmp_path / "lines.png")
    with pytest.raises(InputError, match=r"\.png"):
        draw_lines({"AE": {"mean_distance": 0.1}}, tmp_path / "lines.pdf")
    assert not list(tmp_path.iterdir())
