import itertools

import numpy as np
import pytest

from kerasinterp.ops import assignment

RNG = np.random.default_rng(0)


def test_targets_are_axes_each_as_often():
    made = assignment.targets(10, 3, seed=1)
    assert made.dtype == np.float32
    assert sorted(map(tuple, made)) == sorted(map(tuple, np.eye(3)[np.arange(10) % 3]))
    assert not np.array_equal(made, np.eye(3)[np.arange(10) % 3])
    assert not np.array_equal(made, assignment.targets(10, 3, seed=2))


@pytest.mark.parametrize("deviation", [0.05, 0.3])
def test_deviating_targets_lie_on_the_sphere_about_the_axes(deviation):
    """3.1: a Gaussian mixture, normalised."""
    made = assignment.targets(30_000, 3, deviation)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1.0, rtol=1e-6)
    rng = np.random.default_rng(5)
    drawn = np.array([1.0, 0.0, 0.0]) + deviation * rng.standard_normal((30_000, 3))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    ends = np.sort(made.max(axis=1))  # by symmetry the largest coordinate is alike distributed about each axis
    np.testing.assert_allclose(np.quantile(ends, [0.1, 0.5]), np.quantile(drawn.max(axis=1), [0.1, 0.5]), atol=5e-3)


def test_the_sum_of_distances_is_least():
    codes, targets = np.random.default_rng(1).normal(size=(2, 5, 3))
    found = assignment.nearest(codes, targets, np.arange(5))
    orders = [targets[list(order)] for order in itertools.permutations(range(5))]
    best = min(orders, key=lambda order: np.linalg.norm(codes - order, axis=1).sum())
    np.testing.assert_array_equal(found, best)
    squared = min(orders, key=lambda order: (np.linalg.norm(codes - order, axis=1) ** 2).sum())
    assert not np.array_equal(best, squared)  # the norm of eq. 3.2, not its square


def test_an_image_that_comes_twice_has_one_target():
    codes, targets = RNG.normal(size=(2, 5, 3))
    places = np.array([7, 3, 7, 9, 3])
    found = assignment.nearest(codes, targets[[0, 1, 0, 3, 1]], places)
    np.testing.assert_array_equal(found[[0, 1]], found[[2, 4]])
    alone = assignment.nearest(codes[[0, 1, 3]], targets[[0, 1, 3]], np.arange(3))
    np.testing.assert_array_equal(found[[0, 1, 3]], alone)


def test_labels_agree_with_most():
    clusters, labels = np.array([0, 0, 0, 1, 1, 2, 2]), np.array([2, 2, 1, 2, 0, 1, 1])
    counts = assignment.contingency(clusters, labels, 3)
    np.testing.assert_array_equal(counts, [[0, 1, 2], [1, 0, 1], [0, 2, 0]])
    np.testing.assert_array_equal(assignment.agreed(counts), [2, 0, 1])


def test_refined_clusters_are_those_of_k_means():
    centres = np.array([[5.0, 0, 0], [0, 5, 0], [0, 0, 5]])
    true = np.arange(300) % 3
    codes = centres[true] + 0.1 * RNG.normal(size=(300, 3))
    former = np.where(RNG.uniform(size=300) < 0.3, RNG.integers(0, 3, 300), true)
    axes = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(assignment.refined(codes, axes[former]), axes[true])
    np.testing.assert_array_equal(assignment.refined(centres[true], axes[former]), axes[true])  # noughts, not all
    moved = axes[(former + 1) % 3]
    np.testing.assert_array_equal(assignment.refined(codes, moved), axes[(true + 1) % 3])  # numbered as before
    of_one = assignment.refined(codes[true == 0], np.tile(axes[0], (100, 1)))
    np.testing.assert_array_equal(of_one, np.tile(axes[0], (100, 1)))
    codes[7] = 0.0
    again = assignment.refined(codes, axes[former])
    np.testing.assert_array_equal(again[7], axes[former][7])
    np.testing.assert_array_equal(np.delete(again, 7, 0), np.delete(axes[true], 7, 0))
