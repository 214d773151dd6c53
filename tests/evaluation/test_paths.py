"""Generated paths block by block, and the nearest of many images, against plain loops."""

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import paths

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 5, 1), dtype=np.uint8)
FIRST, SECOND = np.array([0, 3, 5, 8, 2, 2, 7]), np.array([1, 4, 0, 7, 6, 8, 3])
ALPHAS = np.array([0.0, 0.25, 1.0])


@pytest.mark.parametrize(("values", "blocks"), [(2**24, [7]), (2 * 3 * 20, [2, 2, 2, 1]), (1, [1] * 7)])
def test_every_path_comes_once_and_in_order(values, blocks, monkeypatch):
    """At most so many values are generated at once, one path at the least."""
    monkeypatch.setattr(paths, "_VALUES", values)
    seen = []

    def fade(a, b, alphas):
        seen.append(len(a))
        assert (a.dtype, alphas.dtype) == (np.float32, np.float32)
        return a[:, np.newaxis] + alphas.reshape(-1, 1, 1, 1) * (b - a)[:, np.newaxis]

    parts = list(paths.along(fade, IMAGES, FIRST, SECOND, ALPHAS))
    assert seen == blocks
    assert np.concatenate([np.arange(7)[part] for part, _ in parts]).tolist() == list(range(7))
    known = IMAGES / 127.5 - 1
    expected = [[(1 - t) * known[i] + t * known[j] for t in ALPHAS] for i, j in zip(FIRST, SECOND, strict=True)]
    np.testing.assert_allclose(np.concatenate([made for _, made in parts]), expected, atol=1e-5)


def test_what_a_model_may_not_give():
    for made, said in [
        (lambda a, b, t: a, "must give"),
        (lambda a, b, t: np.full((7, 3, 4, 5, 1), np.inf), "diverged"),
    ]:
        with pytest.raises(InputError, match=said):
            list(paths.along(made, IMAGES, FIRST, SECOND, ALPHAS))


def test_bytes_are_scaled_and_floats_kept():
    np.testing.assert_allclose(paths.as_float(IMAGES), IMAGES / 127.5 - 1, atol=1e-6)
    for values in (np.array([[-3.0, 0.5]]), np.array([[-3, 5]])):
        found = paths.as_float(values)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_are_finite_or_told(value):
    values = np.array([1.0, value])
    assert paths.finite(values[:1], "codes") is not None
    with pytest.raises(InputError, match="codes hold values that are not finite"):
        paths.finite(values, "codes")


@pytest.mark.parametrize("background", [0.0, 1e3])
@pytest.mark.parametrize("own", [False, True])
def test_the_nearest_is_that_of_a_plain_search(own, background, monkeypatch):
    """Also where all share a large value, and in blocks of rows that do not divide the images."""
    monkeypatch.setattr(paths, "_ROWS", 3)
    random = np.random.default_rng(1)
    pool = random.normal(size=(40, 2, 3)) + background
    images = pool[:10] + (0 if own else 0.3 * random.normal(size=(10, 2, 3)))
    leave_out = np.arange(10) if own else None
    squared = np.square(images[:, np.newaxis] - pool).sum(axis=(2, 3))
    if own:
        squared[np.arange(10), np.arange(10)] = np.inf
    index, distance = paths.nearest(images, pool, leave_out)
    np.testing.assert_array_equal(index, squared.argmin(axis=1))
    np.testing.assert_allclose(distance, squared.min(axis=1), rtol=1e-6)
    assert distance.dtype == np.float64
