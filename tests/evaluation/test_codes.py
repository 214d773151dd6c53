"""Probe, clustering and distance of clusters on codes whose classes are known."""

import json
import sys

import numpy as np
import PIL.Image
import pytest
import scipy.cluster.vq
import scipy.optimize

from kerasinterp.errors import InputError
from kerasinterp.evaluation import cluster_distance, clustering, draw_codes, probe
from kerasinterp.evaluation import codes as codes_module

CENTRES = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])


def blobs(seed, count=300, width=1.0, dimensions=2):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    codes = random.normal(0, width, (count, dimensions))
    codes[:, :2] += CENTRES[labels]
    return codes.astype(np.float32), labels


def test_the_probe_is_penalised_logistic_regression():
    """Against gradient descent until nothing moves, in NumPy."""
    (codes, labels), (test_codes, test_labels) = blobs(0), blobs(1)
    penalty = 0.1
    result = probe(codes, 7 * labels, test_codes, 7 * test_labels, penalty=penalty)  # labels may have gaps

    mean, deviation = codes.mean(axis=0), codes.std(axis=0)
    inputs, test_inputs = (np.c_[(x - mean) / deviation, np.ones(len(x))] for x in (codes, test_codes))
    weights, target = np.zeros((3, 3)), np.eye(3)[labels]
    for _ in range(4000):
        shares = np.exp(inputs @ weights)
        shares /= shares.sum(axis=1, keepdims=True)
        slope = inputs.T @ (shares - target) / len(inputs) + penalty * np.array([[1], [1], [0]]) * weights
        weights -= slope
    assert np.abs(slope).max() < 1e-9
    expected = {
        "probe_accuracy": np.mean((test_inputs @ weights).argmax(axis=1) == test_labels),
        "probe_train_accuracy": np.mean((inputs @ weights).argmax(axis=1) == labels),
    }
    assert result == pytest.approx(expected)
    assert 0.85 < result["probe_accuracy"] < 0.99


def test_the_probes_loss_has_the_gradient_that_it_says(monkeypatch):
    """Against finite differences, at any weights; the bias has no penalty."""
    asked = []
    minimize = scipy.optimize.minimize

    def watched(loss, start, **settings):
        asked.append((loss, len(start), settings["options"]))
        return minimize(loss, start, **settings)

    monkeypatch.setattr(scipy.optimize, "minimize", watched)
    codes, labels = blobs(0, count=30)
    probe(codes, labels, codes, labels, penalty=0.3, iterations=7)
    ((loss, size, options),) = asked
    assert options["maxiter"] == 7 and options["gtol"] <= 1e-4
    weights, direction = np.random.default_rng(1).normal(size=(2, size))
    value, gradient = loss(weights)
    slope = (loss(weights + 1e-5 * direction)[0] - loss(weights - 1e-5 * direction)[0]) / 2e-5
    assert gradient @ direction == pytest.approx(slope, rel=1e-6)
    inputs = np.c_[(codes - codes.mean(axis=0)) / codes.std(axis=0), np.ones(30)]
    table = weights.reshape(3, 3)
    logits = inputs @ table
    cross_entropy = np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(30), labels])
    assert value == pytest.approx(cross_entropy + 0.15 * np.sum(table[:2] ** 2), rel=1e-5)


def test_the_probe_takes_maps_and_values_that_never_change():
    codes, labels = blobs(0, width=0.1)
    maps = np.stack([codes, np.full_like(codes, 5.0)], axis=1)
    assert probe(maps, labels, maps, labels) == {"probe_accuracy": 1.0, "probe_train_accuracy": 1.0}


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 1, 0]])
def test_the_tightest_of_all_starts_is_kept(order, monkeypatch):
    """Wherever it comes; a start with an empty cluster is none."""
    points = np.array([[0.0], [1.0], [10.0], [11.0]])
    starts = [np.array([[0.5], [10.5]]), np.array([[0.0], [11.0]]), np.array([[-3.0], [30.0]])]
    asked = []

    def kmeans2(points, clusters, iter, minit, missing, seed):
        asked.append((clusters, iter, minit, missing))
        number = len(asked) - 2
        if number < 0:
            raise scipy.cluster.vq.ClusterError
        return starts[order[number]], None

    monkeypatch.setattr(scipy.cluster.vq, "kmeans2", kmeans2)
    centres, width = codes_module._k_means(points, 2, 4, np.random.default_rng(0))
    assert centres.tolist() == [[0.5], [10.5]] and width == 0.5
    assert asked == [(2, 30, "++", "raise")] * 4


def test_starts_and_repeats(monkeypatch):
    """Ten starts each; five repeats, of seeds that follow each other."""
    asked = []

    def k_means(points, clusters, restarts, random):
        asked.append((points, clusters, restarts, random.random()))
        return np.arange(len(asked), len(asked) + 2.0)[:, np.newaxis] * len(asked), 2.0

    monkeypatch.setattr(codes_module, "_k_means", k_means)
    monkeypatch.setattr(codes_module, "_tsne", lambda points, seed: points + seed)
    values, labels = blobs(0)
    found = cluster_distance(values, seed=2)
    assert [one[1:3] for one in asked] == [(10, 10)] * 5
    assert [one[3] for one in asked] == [np.random.default_rng(seed).random() for seed in range(2, 7)]
    for number, (points, *_) in enumerate(asked, 2):
        np.testing.assert_allclose(points, values + number, rtol=1e-6)
    distances = np.arange(1.0, 6.0)  # of the centres above
    assert found == pytest.approx(
        {"cluster_distance": 3.0, "cluster_distance_std": distances.std(), "cluster_distance_relative": 1.5}
    )
    asked.clear()
    monkeypatch.setattr(codes_module.scipy.cluster.vq, "vq", lambda points, _: (labels, None))
    clustering(values, labels, seed=4)
    assert asked[0][1:] == (3, 10, np.random.default_rng(4).random())
    whitened = asked[0][0]
    np.testing.assert_allclose(whitened.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(np.cov(whitened, rowvar=False, bias=True), np.eye(2), atol=1e-9)


def test_directions_of_rounding_only_are_left_out():
    values, labels = blobs(0, width=0.3)
    noisy = np.column_stack([values, 1e-9 * np.random.default_rng(1).normal(size=(len(values), 30))])
    found = clustering(noisy, labels)
    assert found == clustering(values, labels)
    assert set(found) == {"clustering_accuracy", "clustering_nmi"}


def test_the_map_is_tsnes_of_perplexity_30_or_of_fewer_codes(monkeypatch):
    manifold = pytest.importorskip("sklearn.manifold")
    asked = []

    class TSNE:
        def __init__(self, **settings):
            asked.append(settings)

        def fit_transform(self, codes):
            return codes

    monkeypatch.setattr(manifold, "TSNE", TSNE)
    for count in (300, 31):
        codes_module._tsne(np.zeros((count, 2), np.float32), 7)
    assert asked == [{"init": "random", "perplexity": value, "random_state": 7} for value in (30.0, 10.0)]


def test_clusters_are_found_whatever_their_scale():
    """The classes differ along directions that are a thousand times narrower than the noise of another."""
    codes, labels = blobs(0, width=0.3, dimensions=3)
    codes[:, 2] *= 1e3
    assert clustering(codes, labels)["clustering_accuracy"] > 0.98
    assert clustering(codes, labels, whitened=False)["clustering_accuracy"] < 0.6
    test_codes, test_labels = blobs(1, width=0.3, dimensions=3)
    test_codes[:, 2] *= 1e3
    assert clustering(codes, labels, test_codes, test_labels)["clustering_accuracy"] > 0.98


def test_clusters_are_named_one_to_one():
    """Two clusters, both of class 0 in the main: only one of them may be called so."""
    codes = np.concatenate([np.zeros(6), np.ones(9)])[:, np.newaxis] + 0.01 * np.arange(15)[:, np.newaxis]
    labels = np.array([0] * 6 + [0] * 5 + [1] * 4)
    assert clustering(codes, labels)["clustering_accuracy"] == pytest.approx(10 / 15)


def test_the_distance_between_clusters_is_that_of_their_centres():
    codes, labels = blobs(0, width=0.05)
    centres = np.array([codes[labels == n].mean(axis=0) for n in range(3)])
    expected = np.mean([np.linalg.norm(centres[i] - centres[j]) for i, j in [(0, 1), (0, 2), (1, 2)]])
    result = cluster_distance(codes, 3, tsne=False)
    assert result["cluster_distance"] == pytest.approx(expected, rel=1e-5)
    assert result["cluster_distance_std"] == pytest.approx(0.0, abs=1e-6)
    within = np.sqrt(np.mean(np.sum((codes - centres[labels]) ** 2, axis=1)))
    assert result["cluster_distance_relative"] == pytest.approx(expected / within, rel=1e-5)


def test_the_distance_in_a_map_is_that_of_well_kept_clusters():
    pytest.importorskip("sklearn")
    from threadpoolctl import threadpool_limits

    codes, _ = blobs(0, count=90, width=0.05, dimensions=4)
    with threadpool_limits(1):  # else busy cores make it wait at each of its thousand steps
        result = cluster_distance(codes, 3, repeats=2)
    assert result["cluster_distance_std"] > 0.0  # maps of different seeds
    assert result["cluster_distance_relative"] > 3.0
    assert json.loads(json.dumps(result)) == result


def test_no_scikit_learn_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(InputError, match=r"kerasinterp\[tsne\]"):
        cluster_distance(blobs(0)[0], 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda codes, labels: probe(codes, labels, codes[:, :1], labels), "test codes have 1 values"),
        (lambda codes, labels: probe(codes, labels, codes, labels + 1), "each class in the test labels"),
        (lambda codes, labels: probe(codes, labels[:-1], codes, labels), "an integer for each"),
        (lambda codes, labels: probe(codes, labels, codes, labels, penalty=0.0), "penalty"),
        (lambda codes, labels: probe(codes * np.nan, labels, codes, labels), "not finite"),
        (lambda codes, labels: clustering(codes, 0 * labels), "one class"),
        (lambda codes, labels: clustering(codes, labels, codes), "together"),
        (lambda codes, labels: clustering(0 * codes + labels[:, np.newaxis] // 2, labels), "fewer than 3 clusters"),
        (lambda codes, labels: clustering(0 * codes, labels), "all equal"),
        (lambda codes, labels: cluster_distance(codes, 1), "2 clusters"),
        (lambda codes, labels: cluster_distance(codes, 301, tsne=False), "2 clusters to one a code"),
        (lambda codes, labels: cluster_distance(codes, 3, repeats=0), "at least 1 repeat"),
        (lambda codes, labels: probe(codes, 0 * labels, codes, 0 * labels), "two classes or more"),
        (lambda codes, labels: probe(codes[:1], labels[:1], codes, labels), "two codes or more"),
        (lambda codes, labels: probe(codes[:, 0], labels, codes[:, 0], labels), "two codes or more"),
        (lambda codes, labels: probe(codes, labels + 0.5, codes, labels), "an integer for each"),
    ],
)
def test_bad_calls_get_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call(*blobs(0))


def test_the_figure_is_drawn(tmp_path):
    codes, labels = blobs(0)
    row = probe(codes, labels, codes, labels) | clustering(codes, labels)
    with PIL.Image.open(draw_codes({"AE": row, "ACAI": row}, tmp_path / "codes.png")) as picture:
        assert picture.width > picture.height
