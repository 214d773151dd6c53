"""Precision, recall, density and coverage against plain loops over the papers' equations, and known values."""

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import density_coverage, manifold, precision_recall

RANDOM = np.random.default_rng(0)
REAL = RANDOM.normal(size=(40, 3)) + 100.0
GENERATED = RANDOM.normal(size=(30, 3)) * 0.7 + 100.4


def radius(features, n, k):
    """The distance of row n from its k-th nearest other row."""
    return sorted(np.linalg.norm(features[n] - other) for m, other in enumerate(features) if m != n)[k - 1]


def within(row, features, k):
    """Of how many rows of `features` the ball holds `row`."""
    return sum(np.linalg.norm(row - centre) <= radius(features, n, k) for n, centre in enumerate(features))


@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_are_equations_1_and_2(k):
    found = precision_recall(REAL, GENERATED, k)
    assert found["precision"] == pytest.approx(np.mean([within(row, REAL, k) > 0 for row in GENERATED]))
    assert found["recall"] == pytest.approx(np.mean([within(row, GENERATED, k) > 0 for row in REAL]))
    assert found["precision"] != found["recall"]
    swapped = precision_recall(GENERATED, REAL, k)
    assert (swapped["recall"], swapped["precision"]) == (found["precision"], found["recall"])


@pytest.mark.parametrize("k", [1, 5])
def test_density_and_coverage_are_the_paper_s(k):
    found = density_coverage(REAL, GENERATED, k)
    assert found["density"] == pytest.approx(np.mean([within(row, REAL, k) for row in GENERATED]) / k)
    covered = [
        min(np.linalg.norm(row - made) for made in GENERATED) <= radius(REAL, n, k) for n, row in enumerate(REAL)
    ]
    assert found["coverage"] == pytest.approx(np.mean(covered))


def test_blocks_change_nothing(monkeypatch):
    whole = precision_recall(REAL, GENERATED) | density_coverage(REAL, GENERATED)
    monkeypatch.setattr(manifold, "_VALUES", 7 * 40)
    assert precision_recall(REAL, GENERATED) | density_coverage(REAL, GENERATED) == whole


def test_real_images_against_others_come_out_near_one():
    random = np.random.default_rng(1)
    found = []
    for _ in range(10):
        real, other = random.normal(size=(2, 300, 4))
        found.append(precision_recall(real, other) | density_coverage(real, other))
    mean = {key: np.mean([row[key] for row in found]) for key in found[0]}
    # Density and coverage as the docstring says; the manifolds of so few images have gaps.
    n, k = 300, 5
    expected = 1 - np.prod([(n - i) / (2 * n - i) for i in range(1, k + 1)])
    assert mean["coverage"] == pytest.approx(expected, abs=0.01) and expected == pytest.approx(0.97, abs=0.002)
    assert mean["density"] == pytest.approx(1.0, abs=0.04)
    assert 0.85 < mean["precision"] < 1.0 and 0.85 < mean["recall"] < 1.0


def test_one_image_over_and_over_is_precise_and_covers_nothing_else():
    one = np.repeat(REAL[:1], 20, axis=0)
    assert precision_recall(REAL, one) == {"precision": 1.0, "recall": pytest.approx(1 / 40)}
    assert density_coverage(REAL, one)["coverage"] < 0.4


def test_far_away_is_nothing_of_all():
    far = GENERATED + 1000.0
    assert precision_recall(REAL, far) == {"precision": 0.0, "recall": 0.0}
    assert density_coverage(REAL, far) == {"density": 0.0, "coverage": 0.0}


def test_constant_features_lie_within_each_other():
    constant = np.full((12, 7), 0.1, np.float32)
    assert precision_recall(constant, constant) == {"precision": 1.0, "recall": 1.0}
    assert density_coverage(constant, constant)["coverage"] == 1.0
    assert density_coverage(constant, constant + 1e-3)["coverage"] == 0.0


@pytest.mark.parametrize("measure", [precision_recall, density_coverage])
def test_bad_input_gets_one_sentence(measure):
    for k in (0, 1.5, None):
        with pytest.raises(InputError, match="whole number from 1 on"):
            measure(REAL, GENERATED, k)
    with pytest.raises(InputError, match="needs 31 or more rows a set, got 40 and 30"):
        measure(REAL, GENERATED, 30)
    assert measure(REAL, GENERATED, 29)
    with pytest.raises(InputError, match="rows a set, got 40 and 1"):
        measure(REAL, GENERATED[:1])
    with pytest.raises(InputError, match="shapes"):
        measure(REAL, GENERATED[:, :2])
    with pytest.raises(InputError, match="not finite"):
        measure(REAL, np.where(GENERATED > 101, np.nan, GENERATED))
