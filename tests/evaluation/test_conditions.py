"""AEAI's four conditions against paths whose values are known, and a plain computation."""

import itertools
import json

import numpy as np
import PIL.Image
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import admissibility, draw_admissibility, near, pixel_distance
from tests.evaluation.toys import fade, switch

POINTS = 5


def _images(count, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 6, 6, 1)).astype(np.float32)


A, B = _images(4, 1), _images(4, 2)
DATA = np.concatenate([A, B])


def test_a_straight_line_meets_three_conditions():
    result = admissibility(fade, A, B, lambda images: np.zeros(len(images), bool), points=POINTS)
    assert result == pytest.approx(
        {"boundary": 0.0, "monotonicity": 1.0, "lipschitz": 1.0, "lipschitz_max": 1.0, "credibility": 0.0}, abs=1e-6
    )
    assert json.loads(json.dumps(result)) == result


def test_a_switch_is_credible_but_not_smooth():
    result = admissibility(switch, A, B, DATA, points=POINTS)
    assert result["lipschitz"] == pytest.approx(POINTS - 1)
    assert result["credibility"] == result["monotonicity"] == 1.0


def test_a_path_the_wrong_way_meets_neither_end_nor_order():
    result = admissibility(lambda a, b, alphas: fade(b, a, alphas), A, B, DATA, points=POINTS)
    assert result["monotonicity"] == 0.0
    assert result["boundary"] == pytest.approx(np.sqrt(np.mean((A - B) ** 2 / 4, axis=(1, 2, 3))).mean())


def test_any_path_has_the_values_of_a_plain_computation():
    paths = np.random.default_rng(3).uniform(-1.2, 1.2, (4, POINTS, 6, 6, 1))

    def bright(a, b):
        return np.abs(a.mean(axis=(1, 2, 3)) - b.mean(axis=(1, 2, 3)))

    result = admissibility(
        lambda a, b, alphas: paths, A, B, lambda images: images[:, 0, 0, 0] > 0, points=POINTS, distance=bright
    )
    forward, speeds, ends = [], [], []
    for path, a, b in zip(paths, A, B, strict=True):
        span = np.linalg.norm(b - a)
        ends += [np.linalg.norm(path[0] - a) / 12, np.linalg.norm(path[-1] - b) / 12]  # 36 values, in halves
        speeds.append(max(np.linalg.norm(y - x) * (POINTS - 1) for x, y in itertools.pairwise(path)) / span)
        for x, y in itertools.pairwise(path):
            off = [abs(one.mean() - other.mean()) for one in (x, y) for other in (a, b)]
            forward.append(off[2] >= off[0] and off[3] <= off[1])
    assert result["boundary"] == pytest.approx(np.mean(ends))
    assert result["monotonicity"] == pytest.approx(np.mean(forward))
    assert 0 < np.mean(forward) < 1
    assert result["lipschitz"] == pytest.approx(np.median(speeds))
    assert result["lipschitz_max"] == pytest.approx(max(speeds))
    assert result["credibility"] == pytest.approx(np.mean(paths[:, :, 0, 0, 0] > 0))


def test_near_accepts_what_neighbours_would():
    """Grey levels 0.1 apart, but for one: the median distance of neighbours is 0.1."""
    levels = np.array([-0.5, -0.4, -0.3, -0.2, 0.5], np.float32)
    images = np.ones((5, 4, 4, 1), np.float32) * levels.reshape(-1, 1, 1, 1)
    made = np.ones((4, 4, 4, 1), np.float32) * np.array([-0.11, -0.09, 0.59, 0.61]).reshape(-1, 1, 1, 1)
    made = made.astype(np.float32)
    assert near(images)(made).tolist() == [True, False, True, False]
    assert near(images, tolerance=1.2)(made).tolist() == [True, True, True, True]


def test_real_images_are_near_at_the_median_of_their_neighbours_distances():
    """Of at most a thousand of them, spread over all; each one's nearest is another one."""
    levels = np.concatenate([np.arange(1500) * 1e-4, 0.5 + np.arange(300) * 1e-3])
    images = np.ones((1800, 2, 2, 1)) * levels.reshape(-1, 1, 1, 1)
    made = (np.array([-0.9e-4, -1.1e-4]).reshape(-1, 1, 1, 1) * np.ones((2, 2, 2, 1))).astype(np.float32)
    assert near(images.astype(np.float32))(made).tolist() == [True, False]
    assert near(images[::-1].astype(np.float32))(made).tolist() == [True, False]
    assert near(images[[0, 1]].astype(np.float32))(made).tolist() == [True, False]  # two are enough
    three = images[[0, 1, 1799]].astype(np.float32)  # of few all are looked at
    assert near(three)(made).tolist() == near(three[::-1])(made).tolist() == [True, False]


def test_the_distance_gets_the_paths_images_first():
    """An image of a path, then the end of that path, one for one."""
    asked = []

    def watched(made, ends):
        asked.append((made, ends))
        return pixel_distance(made, ends)

    admissibility(fade, A, B, lambda images: np.ones(len(images), bool), points=3, distance=watched)
    weights = np.array([0.0, 0.5, 1.0]).reshape(1, 3, 1, 1, 1)
    path = ((1 - weights) * A[:, np.newaxis] + weights * B[:, np.newaxis]).reshape(12, 6, 6, 1)
    for (made, ends), side in zip(asked, (A, B), strict=True):
        np.testing.assert_allclose(made, path, atol=1e-6)
        np.testing.assert_array_equal(ends, side.repeat(3, axis=0))


def test_a_path_has_17_images_its_ends_among_them_unless_told_otherwise():
    seen = []
    admissibility(lambda a, b, t: seen.append(t) or fade(a, b, t), A, B, lambda images: np.ones(len(images), bool))
    np.testing.assert_allclose(seen[0], np.arange(17) / 16)


def test_a_step_back_by_rounding_is_none():
    """Shorter than a millionth, of a distance on the scale [0, 1]."""

    def steps(back):
        def distance(made, ends):
            place = (made[:, 0, 0, 0] - A[:, 0, 0, 0].repeat(3)) * 0 + np.tile([0.0, 0.5, 0.5 - back], len(A))
            return place if np.array_equal(ends, A.repeat(3, axis=0)) else 1 - place

        return admissibility(fade, A, B, DATA, points=3, distance=distance)["monotonicity"]

    assert (steps(5e-7), steps(2e-6)) == (1.0, 0.5)


def test_bad_calls_get_one_sentence():
    assert admissibility(fade, A, B, DATA, points=2)["monotonicity"] == 1.0
    for tolerance in (0.0, -1.0):
        with pytest.raises(InputError, match="above 0"):
            near(DATA, tolerance)
    with pytest.raises(InputError, match="at least 2"):
        admissibility(fade, A, B, DATA, points=1)
    with pytest.raises(InputError, match="two equal images"):
        admissibility(fade, A, A, DATA)
    with pytest.raises(InputError, match="remove the copies"):
        near(np.concatenate([A, A]))
    with pytest.raises(InputError, match="two or more"):
        near(A[:1])


def test_pixel_distance_is_that_of_images_in_0_to_1():
    assert pixel_distance(np.full((2, 3, 3, 1), -1.0), np.full((2, 3, 3, 1), 1.0)) == pytest.approx([1.0, 1.0])


def test_the_figure_is_drawn(tmp_path):
    results = {name: admissibility(path, A, B, DATA, points=POINTS) for name, path in [("a", fade), ("b", switch)]}
    with PIL.Image.open(draw_admissibility(results, tmp_path / "conditions.png")) as picture:
        assert picture.width > 2 * picture.height
