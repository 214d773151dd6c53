import itertools

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import clustering_accuracy, normalised_mutual_information
from kerasinterp.evaluation.clusters import classes_of_clusters

RNG = np.random.default_rng(0)


def test_accuracy_is_that_of_the_best_renumbering():
    for _ in range(5):
        clusters, labels = RNG.integers(0, 4, (2, 30))
        best = max(np.mean(np.array(order)[clusters] == labels) for order in itertools.permutations(range(4)))
        assert clustering_accuracy(clusters, labels) == pytest.approx(best)
    assert clustering_accuracy(np.array([2, 2, 0, 0, 1]), np.array([0, 0, 1, 1, 2])) == 1.0
    assert clustering_accuracy(np.array([0, 0, 1, 2]), np.array([0, 0, 0, 0])) == 0.5  # of the largest alone
    assert clustering_accuracy(np.array([0, 0, 0, 0]), np.array([5, 5, 5, 1])) == 0.75


def test_each_cluster_has_the_class_of_most_of_it():
    clusters, labels = np.array([2, 2, 2, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 2, 2, 0])
    assert classes_of_clusters(clusters, labels).tolist() == [1, 2, 0]
    assert classes_of_clusters(np.array([0, 0, 1]), np.array([3, 3, 0]))[:2].tolist() == [3, 0]


def test_information_follows_its_definition():
    """I = sum p(i, j) log p(i, j) / (p(i) p(j)), term by term."""
    clusters, labels = RNG.integers(0, 3, 200), RNG.integers(0, 4, 200)
    labels[:100] = clusters[:100]
    information, entropies = 0.0, 0.0
    for i, j in itertools.product(range(3), range(4)):
        both, one, other = (np.mean(x) for x in ((clusters == i) & (labels == j), clusters == i, labels == j))
        information += both * np.log(both / (one * other)) if both else 0.0
    for values in (clusters, labels):
        shares = np.array([np.mean(values == n) for n in np.unique(values)])
        entropies -= np.sum(shares * np.log(shares))
    found = normalised_mutual_information(clusters, labels)
    assert found == pytest.approx(2 * information / entropies)
    assert 0.1 < found < 0.9
    assert normalised_mutual_information(labels, clusters) == pytest.approx(found)


def test_information_at_its_ends():
    labels = np.repeat([0, 1, 2], 4)
    assert normalised_mutual_information((labels + 1) % 3, labels) == pytest.approx(1.0)
    assert normalised_mutual_information(np.tile([0, 1, 2, 3], 3), labels) == pytest.approx(0.0, abs=1e-12)
    assert normalised_mutual_information(np.zeros(4, int), np.ones(4, int)) == 1.0


def test_what_does_not_fit_is_refused():
    for measure in (clustering_accuracy, normalised_mutual_information):
        with pytest.raises(InputError, match="there are 3 clusters and 2 labels"):
            measure(np.array([0, 1, 2]), np.array([0, 1]))
        with pytest.raises(InputError, match="labels are float64"):
            measure(np.array([0, 1]), np.array([0.0, 1.0]))
        with pytest.raises(InputError, match="clusters are int64"):
            measure(np.array([0, -1]), np.array([0, 1]))
