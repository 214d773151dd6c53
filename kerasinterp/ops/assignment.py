"""Assignments, one to one, of least cost (the Hungarian algorithm), and clusters, in NumPy."""

import numpy as np
import scipy.cluster.vq
import scipy.optimize
import scipy.spatial.distance
import tensorflow as tf

from kerasinterp.ops import replicas

_ROUNDS = 30  # of k-means, at most


def targets(count: int, size: int, deviation: float = 0.0, seed: int = 0) -> np.ndarray:
    """Places on the unit sphere, float32 (count, size), about the axes' positive ends, each as often (COLA 3.1).

    Args:
        deviation: of a Gaussian about each end, before points are brought to the sphere.
        seed: of the Gaussian, and of the order.
    """
    rng = np.random.default_rng(seed)
    drawn = np.eye(size)[rng.permutation(count) % size] + deviation * rng.standard_normal((count, size))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def of_batch(codes: tf.Tensor, targets: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """`nearest` in a graph; on several replicas these are shares of a batch, which is assigned whole."""
    batch = [replicas.whole(value) for value in (codes, targets, places)]
    found = replicas.share(tf.numpy_function(nearest, batch, targets.dtype, stateful=False))
    return tf.ensure_shape(found, targets.shape)


def nearest(codes: np.ndarray, targets: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The targets (B, K) in the order in which the sum of their Euclidean distances to the codes (B, K) is least.

    Of rows whose place (B,) is the same the first is assigned, and the others are given what it is.
    """
    _, first, again = np.unique(places, return_index=True, return_inverse=True)
    cost = scipy.spatial.distance.cdist(codes[first], targets[first])
    _, chosen = scipy.optimize.linear_sum_assignment(cost)
    return targets[first][chosen][again]


def contingency(clusters: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """How many have cluster i and label j, int64 (count, count); both are integers (N,) in 0 .. count - 1."""
    counts = np.zeros((count, count), np.int64)
    np.add.at(counts, (clusters, labels), 1)
    return counts


def agreed(counts: np.ndarray) -> np.ndarray:
    """The label of each cluster, one to one, with which most agree, int64 (count,); `counts` as of `contingency`."""
    return scipy.optimize.linear_sum_assignment(counts, maximize=True)[1]


def clusters(codes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The clusters that k-means finds in codes (N, K), int (N,): it begins with codes far apart (k-means++)."""
    return scipy.cluster.vq.kmeans2(codes.astype(np.float64), count, _ROUNDS, minit="++", seed=seed)[1]


def refined(codes: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """One-hot targets float32 (N, K): the clusters that k-means finds in codes (N, K).

    It begins with the clusters that are in force, of which each has the images whose `targets` (N, K) are nearest to
    an axis, and numbers its own so that most images stay. One that has no image stays about its axis, and images whose
    codes are 0, which were not seen yet, keep their targets.
    """
    seen = codes.any(axis=1)
    if not seen.all():
        made = targets.copy()
        made[seen] = refined(codes[seen], targets[seen])
        return made
    former, axes = targets.argmax(axis=1), np.eye(codes.shape[1], dtype=np.float32)
    centres, found = axes.copy(), former
    for _ in range(_ROUNDS):
        before = found
        for one in np.unique(found):
            centres[one] = codes[found == one].mean(axis=0)
        found, _ = scipy.cluster.vq.vq(codes, centres)
        if np.array_equal(found, before):
            break
    return axes[agreed(contingency(found, former, len(axes)))[found]]
