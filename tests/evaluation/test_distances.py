"""Distances against references in float64 NumPy and SciPy, written from the papers."""

import warnings

import numpy as np
import pytest
import scipy.linalg

from kerasinterp.errors import InputError
from kerasinterp.evaluation import (
    distances,
    frechet_distance,
    kernel_distance,
    kernel_distance_and_deviation,
    sliced_wasserstein,
)
from kerasinterp.evaluation.distances import gaussian_distance, reliable


def _features(seed, rows=400, size=12, shift=0.0):
    random = np.random.default_rng(seed)
    return (random.normal(size=(rows, size)) @ random.normal(size=(size, size)) + shift).astype(np.float32)


def test_frechet_distance_is_equation_7():
    real, generated = _features(0), _features(1, rows=300, shift=0.5)
    mean_r, mean_g = real.mean(0, dtype=np.float64), generated.mean(0, dtype=np.float64)
    cov_r, cov_g = (np.cov(x.astype(np.float64), rowvar=False) for x in (real, generated))  # by N - 1, as Heusel's code
    root = scipy.linalg.sqrtm(cov_r @ cov_g).real
    expected = np.sum((mean_r - mean_g) ** 2) + np.trace(cov_r + cov_g - 2 * root)
    assert frechet_distance(real, generated) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_a_set_from_itself_is_nought():
    features = _features(0)
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-6)


def test_frechet_distance_survives_units_that_are_always_nought():
    features = _features(0)
    features[:, 3:] = 0.0
    assert frechet_distance(features, features + 1.0) == pytest.approx(12.0, rel=1e-5)


@pytest.mark.parametrize(("real", "generated"), [(12, 12), (60, 30), (128, 128), (300, 40)])
def test_fewer_images_than_features_give_a_real_number(real, generated):
    """Singular covariances: the root's trace is the sum of the singular values of one centred set times the other."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(real, 128)), random.normal(0.3, 2.0, (generated, 128))
    a, b = ((z - z.mean(axis=0)) / np.sqrt(len(z) - 1) for z in (x, y))
    root = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    expected = np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2) + np.sum(a**2) + np.sum(b**2) - 2 * root
    assert gaussian_distance(x, y) == pytest.approx(expected, rel=1e-6)


def test_few_images_are_told_and_many_are_not():
    random = np.random.default_rng(0)
    with pytest.warns(UserWarning, match="of 12 images and 128 features .* 256 images or more") as told:
        frechet_distance(random.normal(size=(300, 128)), random.normal(size=(12, 128)))
    assert len(told) == 1 and told[0].filename == __file__
    with pytest.warns(UserWarning, match="of 12 images"):
        frechet_distance(random.normal(size=(12, 128)), random.normal(size=(300, 128)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frechet_distance(random.normal(size=(256, 128)), random.normal(size=(256, 128)))
        gaussian_distance(random.normal(size=(12, 128)), random.normal(size=(12, 128)))


def test_a_distance_is_reliable_from_two_images_a_feature_on():
    """There the excess of a distance whose true value is 0 is a quarter of the features' variance (and falls)."""
    assert reliable(256, 128) and not reliable(255, 128)
    random = np.random.default_rng(1)
    found = [gaussian_distance(*random.normal(size=(2, rows, 64))) / 64 for rows in (128, 1280)]
    assert found == pytest.approx([0.25, 0.025], rel=0.15)


def test_kernel_distance_is_the_unbiased_mmd_of_the_cubic_kernel():
    real, generated = (_features(seed, shift=seed / 10).astype(np.float64) for seed in (0, 1))
    expected = _unbiased_mmd(real, generated)
    assert kernel_distance(real, generated) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("rows", "columns"), [(9, 7), (5, 3)])
def test_the_deviation_is_that_of_the_distances_without_each_row(rows, columns):
    """The jackknife of two samples, each distance computed anew."""
    real, generated = _features(0, rows, 4), _features(1, columns, 4, shift=0.5)
    without_real = [kernel_distance(np.delete(real, n, axis=0), generated) for n in range(rows)]
    without_generated = [kernel_distance(real, np.delete(generated, n, axis=0)) for n in range(columns)]
    variance = sum((len(left) - 1) * np.var(left) for left in (without_real, without_generated))
    value, deviation = kernel_distance_and_deviation(real, generated)
    assert value == kernel_distance(real, generated)
    assert deviation == pytest.approx(variance**0.5, rel=1e-9)


def _unbiased_mmd(real, generated):
    """Binkowski et al. (2018), section 4: k(x, y) = (x y / D + 1)^3, diagonals left out."""

    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x):
        values = kernel(x, x)
        return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))

    return within(real) + within(generated) - 2 * kernel(real, generated).mean()


@pytest.mark.parametrize(("shift", "least", "most"), [(0.0, 1.3, 1.7), (0.5, 0.9, 1.1)])
def test_the_deviation_is_how_much_distances_vary(shift, least, most):
    """Over fresh draws; where the distributions are equal it is too large by a factor of about the root of two."""
    random = np.random.default_rng(0)
    values, variances = [], []
    for _ in range(400):
        real, generated = random.normal(size=(80, 8)), random.normal(shift, 1, (60, 8))
        values.append(_unbiased_mmd(real, generated))
        variances.append(distances._jackknife(real, generated))
    assert least < np.sqrt(np.mean(variances)) / np.std(values, ddof=1) < most


def test_the_deviation_of_blocks_is_that_of_their_mean():
    real, generated = _features(0, 1100, 4), _features(1, 800, 4)  # two blocks
    parts = zip(np.array_split(real, 2), np.array_split(generated, 2), strict=True)
    each = [kernel_distance_and_deviation(*part) for part in parts]
    value, deviation = kernel_distance_and_deviation(real, generated)
    assert value == pytest.approx(np.mean([one for one, _ in each]))
    assert deviation == pytest.approx(np.sqrt(np.sum([one**2 for _, one in each])) / 2)
    assert 0.5 < deviation / each[0][1] < 0.95


def test_few_images_against_many_have_a_kernel_distance():
    """No block is left without two rows of the smaller set."""
    many, few = _features(0, 2100, 4), _features(1, 4, 4)
    assert np.isfinite(kernel_distance(many, few[:2]))
    assert np.isfinite(kernel_distance_and_deviation(many, few)).all()


def test_equal_constant_features_have_no_distance_and_no_deviation():
    constant = np.full((20, 3), 0.5)
    assert kernel_distance_and_deviation(constant, constant) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_a_deviation_needs_three_rows():
    with pytest.raises(InputError, match="needs 3 or more rows a set, got 2 and 5"):
        kernel_distance_and_deviation(np.zeros((2, 3)), np.zeros((5, 3)))


def test_sliced_wasserstein_orders_images_and_leaves_global_randomness_alone():
    random = np.random.default_rng(0)
    real = np.full((64, 28, 28, 1), -1.0, np.float32)  # flat patches: deviation 0
    real[:, 8:20, 8:20] = random.uniform(-1, 1, (64, 12, 12, 1))
    near, far = real[::-1], np.repeat(np.repeat(real[:, ::4, ::4], 4, 1), 4, 2)
    state = np.random.get_state()[1].copy()
    first = sliced_wasserstein(real, near)
    assert first < sliced_wasserstein(real, far)
    assert first == sliced_wasserstein(real, near)
    assert first != sliced_wasserstein(real, near, seed=1)
    assert sliced_wasserstein(real, far, limit=16) == sliced_wasserstein(real[:16], far[:16])
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_patches_of_sliced_wasserstein_are_drawn_by_the_seed(monkeypatch):
    images, seeded, seed = np.zeros((4, 8, 8, 1), np.float32), [], np.random.seed
    monkeypatch.setattr(np.random, "seed", lambda number: seeded.append(number) or seed(number))
    for number in (5, 2**32 + 7):
        sliced_wasserstein(images, images, seed=number)
    assert seeded == [5, 7]


@pytest.mark.parametrize(
    ("real", "generated", "message"),
    [
        (np.zeros((4, 3)), np.zeros((4, 2)), "shapes"),
        (np.zeros((1, 3)), np.zeros((4, 3)), "or more rows"),
        (np.full((4, 3), np.nan), np.zeros((4, 3)), "not finite"),
    ],
)
def test_bad_features_get_one_sentence(real, generated, message):
    for distance in (frechet_distance, kernel_distance, kernel_distance_and_deviation):
        with pytest.raises(InputError, match=message):
            distance(real, generated)


def test_levels_of_grey_are_blurred_for_sliced_wasserstein():
    """Flat patches have no deviation to be divided by; half a level of noise gives them one."""
    flat = np.zeros((8, 16, 16, 1), np.float32)
    assert sliced_wasserstein(flat, flat) > 0.0


def test_the_smallest_images_of_sliced_wasserstein():
    images = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)
    assert np.isfinite(sliced_wasserstein(images, -images))
    with pytest.raises(InputError, match="at least 8"):
        sliced_wasserstein(images[:, :7, :7], images[:, :7, :7])


def test_grey_images_count_as_colour_images_with_equal_channels():
    grey = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 16, 1)).astype(np.float32)
    assert sliced_wasserstein(*grey) == pytest.approx(sliced_wasserstein(*grey.repeat(3, axis=-1)), rel=0.05)


def test_oblong_images_are_refused_by_sliced_wasserstein():
    with pytest.raises(InputError, match="square"):
        sliced_wasserstein(np.zeros((2, 28, 24, 1)), np.zeros((2, 28, 24, 1)))


def test_distances_are_of_as_many_of_either():
    """Of equal distributions none is seen, however many more there are of one; and the order says nothing."""
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(2000, 4)), rng.normal(size=(200, 4))
    found = distances.distances(made, real, seed=1)
    assert found["fid"] < 0.2 and abs(found["kid"]) < 3 * found["kid_deviation"]
    chosen = real[np.random.default_rng(1).permutation(2000)[:200]]
    assert found["fid"] == pytest.approx(distances.gaussian_distance(chosen, made), rel=1e-6)
    assert distances.distances(made + 1.0, real, seed=1)["fid"] == pytest.approx(4.0, abs=1.0)
    assert distances.distances(real, made, seed=1)["fid"] == pytest.approx(found["fid"], abs=0.2)
