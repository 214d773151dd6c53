"""Probe, clustering and distance of clusters on codes whose classes are known."""

import json
import sys

import numpy as np
import PIL.Image
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import cluster_distance, clustering, draw_codes, probe

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


def test_the_probe_takes_maps_and_values_that_never_change():
    codes, labels = blobs(0, width=0.1)
    maps = np.stack([codes, np.full_like(codes, 5.0)], axis=1)
    assert probe(maps, labels, maps, labels) == {"probe_accuracy": 1.0, "probe_train_accuracy": 1.0}


def test_clusters_are_found_whatever_their_scale():
    """The classes differ along directions that are a thousand times narrower than the noise of another."""
    codes, labels = blobs(0, width=0.3, dimensions=3)
    codes[:, 2] *= 1e3
    assert clustering(codes, labels)["clustering_accuracy"] > 0.98
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
