"""Measures of codes: are classes told apart by a line, do clusters find them, how far are clusters apart?"""

import os
import pathlib
from collections.abc import Mapping

import numpy as np
import scipy.cluster.vq
import scipy.optimize
import scipy.spatial.distance
import scipy.special

from kerasinterp.errors import InputError
from kerasinterp.evaluation.clusters import compared
from kerasinterp.evaluation.figures import draw_bars
from kerasinterp.evaluation.paths import finite

_ROUNDS = 30  # of k-means, each start; 20,000 codes of 256 values take about a second


def probe(
    codes: np.ndarray,
    labels: np.ndarray,
    test_codes: np.ndarray,
    test_labels: np.ndarray,
    *,
    penalty: float = 1e-4,
    iterations: int = 500,
) -> dict:
    """Accuracy of a linear classifier of the codes (multinomial logistic regression).

    The official probe is a dense layer that learns beside the autoencoder, by Adam at 1e-4. Here the codes are final,
    and L-BFGS finds the loss's one minimum: the accuracy depends on no learning rate and no seed.

    Args:
        codes: (N, ...), flattened and standardised; convolutional codes too.
        labels: integers (N,).
        test_codes, test_labels: likewise, not learned from.
        penalty: half of it times the squared weights is added to the mean cross-entropy; above 0, so that separable
            classes have a minimum.
        iterations: at most so many.

    Returns:
        "probe_accuracy", "probe_train_accuracy": shares in 0..1.

    Raises:
        InputError: codes or labels that do not fit, one class only, a test class that training lacks, no penalty.

    Source: ACAI section 5, table 2.
    """
    codes, labels = _checked(codes, labels)
    test_codes, test_labels = _checked(test_codes, test_labels, codes.shape[1])
    classes, target = np.unique(labels, return_inverse=True)
    if len(classes) < 2 or not np.isin(test_labels, classes).all():
        raise InputError("give codes of two classes or more, and of each class in the test labels.")
    if penalty <= 0:
        raise InputError(f"penalty is {penalty}: give a number above 0, 1e-4 say.")
    mean, deviation = codes.mean(axis=0), codes.std(axis=0)
    scale = np.where(deviation > 1e-6 * deviation.max(), deviation, 1.0)

    def extended(values):  # the last column is the bias's
        return np.column_stack([(values - mean) / scale, np.ones(len(values))])

    inputs, one_hot = extended(codes), np.eye(len(classes))[target]
    shape = (inputs.shape[1], len(classes))
    penalised = np.full((shape[0], 1), penalty)
    penalised[-1] = 0.0

    def loss(flat):
        weights = flat.reshape(shape)
        log_shares = scipy.special.log_softmax(inputs @ weights, axis=1)
        value = -np.sum(one_hot * log_shares) / len(inputs) + np.sum(penalised * weights**2) / 2
        gradient = inputs.T @ (np.exp(log_shares) - one_hot) / len(inputs) + penalised * weights
        return value, gradient.ravel()

    options = {"maxiter": iterations, "gtol": 1e-5}
    found = scipy.optimize.minimize(loss, np.zeros(np.prod(shape)), jac=True, method="L-BFGS-B", options=options)
    weights = found.x.reshape(shape)
    return {
        "probe_accuracy": float(np.mean(classes[(extended(test_codes) @ weights).argmax(axis=1)] == test_labels)),
        "probe_train_accuracy": float(np.mean((inputs @ weights).argmax(axis=1) == target)),
    }


def clustering(
    codes: np.ndarray,
    labels: np.ndarray,
    test_codes: np.ndarray | None = None,
    test_labels: np.ndarray | None = None,
    *,
    whitened: bool = True,
    restarts: int = 10,
    seed: int = 0,
) -> dict:
    """Accuracy of clusters as classes: as many clusters as classes, named by the best one-to-one assignment.

    The codes are clustered by k-means, which never sees a label.

    Args:
        codes, labels: (N, ...) and integers (N,), what the clusters are found in.
        test_codes, test_labels: what is assigned and counted; the same if None.
        whitened: the codes are centred and whitened by SVD before.
        restarts: k-means from so many starts (k-means++); the tightest clusters are taken.
        seed: of the starts.

    Returns:
        As `clusters.compared`, of the test codes.

    Raises:
        InputError: codes or labels that do not fit, one class only, more classes than distinct codes.

    Source: ACAI section 5, table 3; its official evaluation.
    """
    codes, labels = _checked(codes, labels)
    if (test_codes is None) != (test_labels is None):
        raise InputError("give test codes and test labels together, or neither.")
    test_codes, test_labels = (
        (codes, labels) if test_codes is None else _checked(test_codes, test_labels, codes.shape[1])
    )
    classes = np.unique(np.concatenate([labels, test_labels]))
    if len(classes) < 2:
        raise InputError("the labels hold one class: there is nothing to tell apart.")
    if not np.ptp(codes, axis=0).any():
        raise InputError("the codes are all equal, and have no clusters: the model has collapsed.")
    if whitened:
        mean = codes.mean(axis=0)
        _, values, axes = np.linalg.svd(codes - mean, full_matrices=False)
        kept = values > 1e-6 * values[0]  # others hold rounding only
        whiten = axes[kept].T / values[kept] * np.sqrt(len(codes))
        codes, test_codes = (codes - mean) @ whiten, (test_codes - mean) @ whiten
    centres, _ = _k_means(codes, len(classes), restarts, np.random.default_rng(seed))
    clusters, _ = scipy.cluster.vq.vq(test_codes, centres)
    return compared(clusters, np.searchsorted(classes, test_labels))


def cluster_distance(
    codes: np.ndarray,
    clusters: int = 10,
    *,
    tsne: bool = True,
    repeats: int = 5,
    restarts: int = 10,
    seed: int = 0,
) -> dict:
    """The mean distance between the centres of the codes' clusters, in a t-SNE map or among the codes themselves.

    t-SNE keeps neighbours, not distances, so its map's distances say little about those of codes; the paper's measure
    is kept for comparison with it.

    Args:
        codes: (N, ...), flattened.
        clusters: how many; the paper takes the number of classes.
        tsne: cluster a map in the plane (needs scikit-learn; minutes for 10,000 codes), or else the codes.
        repeats: maps, or clusterings, from different seeds.
        restarts: of each k-means.
        seed: the first of the seeds.

    Returns:
        - "cluster_distance", "cluster_distance_std": mean and deviation over the repeats;
        - "cluster_distance_relative": the mean in units of the root mean squared distance of codes from their own
          cluster's centre, so that codes of different scales compare.

    Raises:
        InputError: codes that do not fit, fewer than two clusters, no scikit-learn.

    Source: AMR appendix 5.3, figure 10.
    """
    codes, _ = _checked(codes, None)
    if not 2 <= clusters <= len(codes) or repeats < 1:
        raise InputError(
            f"clusters is {clusters} and repeats {repeats}: give 2 clusters to one a code, and at least 1 repeat."
        )
    distances, relative = [], []
    for number in range(seed, seed + repeats):
        points = _tsne(codes, number) if tsne else codes
        centres, within = _k_means(points, clusters, restarts, np.random.default_rng(number))
        distances.append(scipy.spatial.distance.pdist(centres).mean())
        relative.append(distances[-1] / max(within, 1e-12))
    return {
        "cluster_distance": float(np.mean(distances)),
        "cluster_distance_std": float(np.std(distances)),
        "cluster_distance_relative": float(np.mean(relative)),
    }


def draw_codes(results_by_system: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws what `probe`, `clustering` and `cluster_distance` returned, joined to one dict a system, into a PNG.

    Raises:
        InputError: nothing to draw, or another file type.
    """
    titles = {
        "probe_accuracy": "accuracy of a linear probe",
        "clustering_accuracy": "accuracy of clusters",
        "cluster_distance": "distance between clusters",
        "cluster_distance_relative": "the same, relative to their width",
    }
    return draw_bars(results_by_system, path, titles, errors={"cluster_distance": "cluster_distance_std"})


def _k_means(points: np.ndarray, clusters: int, restarts: int, random: np.random.Generator) -> tuple[np.ndarray, float]:
    """The tightest clusters' centres, and the root mean squared distance of the points from them."""
    best = (np.empty(0), np.inf)
    for _ in range(restarts):
        try:
            with np.errstate(invalid="ignore"):  # copies of codes
                centres, _ = scipy.cluster.vq.kmeans2(
                    points, clusters, iter=_ROUNDS, minit="++", missing="raise", seed=random
                )
        except scipy.cluster.vq.ClusterError:  # one ran empty: a poor start
            continue
        width = float(np.sqrt(np.square(scipy.cluster.vq.vq(points, centres)[1]).mean()))
        best = min(best, (centres, width), key=lambda one: one[1])
    if not np.isfinite(best[1]):
        raise InputError(f"k-means found fewer than {clusters} clusters in {restarts} starts: give more varied codes.")
    return best


def _tsne(codes: np.ndarray, seed: int) -> np.ndarray:
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise InputError(
            "t-SNE needs scikit-learn: install it (pip install 'kerasinterp[tsne]'), or pass tsne=False."
        ) from error
    perplexity = min(30.0, (len(codes) - 1) / 3)  # 30 as the default; it must be below the number of codes
    # init="random": with the default, by principal components, the seed would change nothing.
    return TSNE(init="random", perplexity=perplexity, random_state=seed).fit_transform(codes).astype(np.float64)


def _checked(
    codes: np.ndarray, labels: np.ndarray | None, size: int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Codes as float64 (N, D), and their labels."""
    codes = finite(np.asarray(codes, np.float64), "codes")
    if codes.ndim < 2 or len(codes) < 2:
        raise InputError(f"codes have shape {codes.shape}: give (N, ...), two codes or more.")
    codes = codes.reshape(len(codes), -1)
    if size is not None and codes.shape[1] != size:
        raise InputError(f"test codes have {codes.shape[1]} values, the others {size}: encode both with one model.")
    if labels is None:
        return codes, None
    labels = np.asarray(labels)
    if labels.shape != (len(codes),) or labels.dtype.kind not in "iu":
        raise InputError(f"labels are {labels.dtype} {labels.shape}: give an integer for each of {len(codes)} codes.")
    return codes, labels
