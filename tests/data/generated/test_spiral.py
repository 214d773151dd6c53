import numpy as np
import pytest

from kerasinterp import data
from kerasinterp.data import spiral
from kerasinterp.errors import InputError


def test_points_lie_on_the_curve_but_for_the_noise():
    exact, angles = spiral.points(2000, seed=3, noise=0.0), spiral.angles(2000, seed=3)
    assert exact.dtype == np.float32
    # Archimedes' spiral: the radius is proportional to the angle.
    np.testing.assert_allclose(np.hypot(*exact.T), 0.9 * angles / (4 * np.pi), atol=1e-6)
    np.testing.assert_allclose(np.angle(exact @ [1, 1j] * np.exp(-1j * angles)), 0, atol=1e-5)
    noise = spiral.points(2000, seed=3, noise=0.02) - exact
    assert noise.std() == pytest.approx(0.02, rel=0.1)


def test_within_the_square():
    assert np.abs(spiral.points(5000, noise=0.2)).max() == 1.0
    assert np.abs(spiral.points(5000)).max() < 1.0


def test_a_function_of_the_seed():
    np.testing.assert_array_equal(spiral.points(100, seed=1), spiral.points(100, seed=1))
    assert not np.array_equal(spiral.points(100, seed=1), spiral.points(100, seed=2))


def test_nearly_evenly_dense_along_the_curve():
    """Half of the length of r = a t lies below t = last / sqrt(2), the start's bend aside."""
    angles = spiral.angles(20_000)
    assert (angles < spiral.LAST_ANGLE / np.sqrt(2)).mean() == pytest.approx(0.5, abs=0.015)
    assert angles.max() < spiral.LAST_ANGLE


def test_as_a_dataset(tmp_path):
    builder = spiral.Spiral(data_dir=tmp_path)
    builder.download_and_prepare()
    for seed, (split, count) in enumerate((("train", 10_000), ("test", 2_000))):
        stored = [*builder.as_dataset(split=split).as_numpy_iterator()]
        np.testing.assert_array_equal([example["point"] for example in stored], spiral.points(count, seed))
        np.testing.assert_array_equal([example["angle"] for example in stored], spiral.angles(count, seed))
    with pytest.raises(InputError, match="no images"):
        data.load("spiral", data_dir=tmp_path)


@pytest.mark.parametrize("arguments", [(0,), (10, 0, -0.1)])
def test_impossible_points(arguments):
    with pytest.raises(InputError, match="or more"):
        spiral.points(*arguments)
