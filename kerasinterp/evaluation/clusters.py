"""Clusters against classes, neither of which need be numbered alike."""

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.ops.assignment import agreed, contingency


def compared(clusters: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """What the functions below say: "clustering_accuracy" and "clustering_nmi"."""
    accuracy, information = (f(clusters, labels) for f in (clustering_accuracy, normalised_mutual_information))
    return {"clustering_accuracy": accuracy, "clustering_nmi": information}


def clustering_accuracy(clusters: np.ndarray, labels: np.ndarray) -> float:
    """The share, in 0..1, of examples whose cluster is their class's, under the best one-to-one assignment of both.

    Args:
        clusters, labels: integers (N,), 0 or more; of a cluster too many no example counts.

    Raises:
        InputError: no such integers, or as many of one as of the other.

    Source: Xie et al. (2016), eq. 10; ACAI's table 3, and MMDC's.
    """
    counts = _counts(clusters, labels)
    return float(counts[np.arange(len(counts)), agreed(counts)].sum() / counts.sum())


def classes_of_clusters(clusters: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The class of each cluster under that assignment, int64 (number of clusters or classes,); arguments as above."""
    return agreed(_counts(clusters, labels))


def normalised_mutual_information(clusters: np.ndarray, labels: np.ndarray) -> float:
    """2 I(clusters; classes) / (H(clusters) + H(classes)), in 0..1; 1 where both are constant.

    Arguments and errors as of `clustering_accuracy`. Of several normalisations this is the mean of both entropies.

    Source: Strehl and Ghosh (2002), section 2; Vinh et al. (2010), table 2.
    """
    joint = _counts(clusters, labels) / len(labels)
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    entropies = _entropy(rows) + _entropy(columns)
    return float(2.0 * (entropies - _entropy(joint)) / entropies) if entropies > 0.0 else 1.0


def _entropy(shares: np.ndarray) -> float:
    some = shares[shares > 0.0]
    return float(-np.sum(some * np.log(some)))


def _counts(clusters: np.ndarray, labels: np.ndarray) -> np.ndarray:
    clusters, labels = np.asarray(clusters), np.asarray(labels)
    for name, one in (("clusters", clusters), ("labels", labels)):
        if one.ndim != 1 or one.dtype.kind not in "iu" or not len(one) or one.min() < 0:
            raise InputError(f"{name} are {one.dtype} {one.shape}: give an integer of 0 or more for each example.")
    if len(clusters) != len(labels):
        raise InputError(f"there are {len(clusters)} clusters and {len(labels)} labels: give one each an example.")
    return contingency(clusters, labels, int(max(clusters.max(), labels.max())) + 1)
