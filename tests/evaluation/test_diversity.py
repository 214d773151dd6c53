"""Diversity and novelty against plain loops, and copies of known number."""

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import diversity_novelty

D = 6


def data(classes=(0, 1, 2), real=60, images=7, seeds=3, seed=0):
    """Clouds of real images, one a class, each of its own size; sets of one class each, drawn likewise."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), real)
    centre, spread = np.arange(3) * 50.0, np.array([1.0, 3.0, 0.2])
    cloud = {}
    for name, of, count in (("generated", classes, images), ("seeds", classes, seeds), ("real", labels, 1)):
        of = np.asarray(of)
        noise = random.normal(size=(len(of), count, D))
        cloud[name] = centre[of, None, None] + spread[of, None, None] * noise
    return cloud["generated"], cloud["seeds"], np.asarray(classes), cloud["real"][:, 0], labels


def apart(x, y):
    return np.linalg.norm(x - y)


def pairs(x):
    return np.mean([apart(x[i], x[j]) for i in range(len(x)) for j in range(i)])


def test_they_are_means_over_classes_of_means_over_sets():
    generated, seeds, classes, real, labels = data(classes=(0, 1, 1))
    generated = generated * 0.9
    spread, new, relative, typical = {0: [], 1: []}, {0: [], 1: []}, [], []
    for made, seen, label in zip(generated, seeds, classes, strict=True):
        members = real[labels == label]
        known = np.array([min(apart(row, other) for other in seen) for row in members])
        away = np.array([min(apart(row, other) for other in seen) for row in made])
        spread[label].append(pairs(made) / pairs(members))
        new[label].append(away / known.mean())
        typical.extend(known / known.mean())
        relative.append(new[label][-1])
    limit = np.percentile(typical, 1)
    found = diversity_novelty(generated, seeds, classes, real, labels)
    assert found == {
        "diversity": pytest.approx((spread[0][0] + np.mean(spread[1])) / 2),
        "novelty": pytest.approx((np.mean(new[0]) + np.mean(new[1])) / 2),
        "copies": pytest.approx((np.mean(new[0][0] < limit) + np.mean(np.array(new[1]) < limit)) / 2),
        "measured_classes": 2,
        "classes_left_out": 0,
    }


def test_other_real_images_are_as_diverse_and_as_new_and_one_in_a_hundred_is_called_a_copy():
    found = diversity_novelty(*data(real=500, images=400, seed=1))
    assert found["diversity"] == pytest.approx(1.0, abs=0.05)
    assert found["novelty"] == pytest.approx(1.0, abs=0.05)
    assert found["copies"] == pytest.approx(0.01, abs=0.008)


def test_copies_and_near_copies_are_copies_and_images_halfway_are_not():
    _, seeds, classes, real, labels = data(real=500)
    end, near = seeds[:, :1], 0.97 * seeds[:, :1] + 0.03 * seeds[:, 1:2]
    half = 0.5 * seeds[:, :1] + 0.5 * seeds[:, 1:2]
    rows = {}
    for name, made in {"copy": end, "near": near, "half": half}.items():
        rows[name] = diversity_novelty(np.repeat(made, 4, axis=1), seeds[:, :2], classes, real, labels)
    assert rows["copy"]["copies"] == rows["near"]["copies"] == 1.0 and rows["half"]["copies"] == 0.0
    assert rows["copy"]["novelty"] == 0.0 and 0.0 < rows["near"]["novelty"] < 0.1 < rows["half"]["novelty"]
    assert all(row["diversity"] == 0.0 for row in rows.values())


def test_seeds_among_the_real_images_change_no_novelty():
    """And features of one image that differ by float32's rounding are those of one image."""
    generated, seeds, classes, real, labels = data()
    alone = diversity_novelty(generated, seeds, classes, real, labels)
    rounded = (seeds.reshape(-1, D) * (1 + 1e-7)).astype(np.float32)
    both = np.concatenate([real, rounded]), np.concatenate([labels, np.repeat(classes, seeds.shape[1])])
    among = diversity_novelty(generated, seeds, classes, *both)
    assert among["novelty"] == pytest.approx(alone["novelty"]) and among["copies"] == alone["copies"]
    copies = diversity_novelty(seeds, seeds, classes, *both)
    assert copies["copies"] == 1.0


def test_it_does_not_depend_on_scale_or_place():
    generated, seeds, classes, real, labels = data()
    first = diversity_novelty(generated, seeds, classes, real, labels)
    moved = diversity_novelty(*(7 * x + 3 for x in (generated, seeds)), classes, 7 * real + 3, labels)
    assert moved == pytest.approx(first)


def test_classes_of_too_few_or_of_equal_real_images_are_left_out_and_counted():
    generated, seeds, classes, real, labels = data()
    kept = np.flatnonzero((labels != 1) | (np.cumsum(labels == 1) <= 4))
    found = diversity_novelty(generated, seeds, classes, real[kept], labels[kept])
    others = diversity_novelty(generated[::2], seeds[::2], classes[::2], real, labels)
    assert found == others | {"classes_left_out": 1}
    one_more = np.flatnonzero((labels != 1) | (np.cumsum(labels == 1) <= 5))
    assert diversity_novelty(generated, seeds, classes, real[one_more], labels[one_more])["classes_left_out"] == 0
    real[labels == 1] = 5.0
    assert diversity_novelty(generated, seeds, classes, real, labels) == others | {"classes_left_out": 1}
    nothing = diversity_novelty(generated, seeds, classes + 10, real, labels)
    assert nothing == {
        "diversity": None,
        "novelty": None,
        "copies": None,
        "measured_classes": 0,
        "classes_left_out": 3,
    }


def test_one_image_has_no_diversity_but_its_novelty():
    generated, seeds, classes, real, labels = data(images=1)
    found = diversity_novelty(generated, seeds, classes, real, labels)
    assert found["diversity"] is None and found["novelty"] > 0.5


def test_bad_input_gets_one_sentence():
    generated, seeds, classes, real, labels = data()
    for bad, sentence in [
        ((generated[0], seeds, classes, real, labels), "give \\(sets, images, D\\)"),
        ((generated[:0], seeds[:0], classes[:0], real, labels), "give \\(sets, images, D\\)"),
        ((generated, seeds[..., :2], classes, real, labels), "one extractor"),
        ((generated[:2], seeds, classes, real, labels), "one class for each"),
        ((generated, seeds, classes[:2], real, labels), "one class for each"),
        ((generated, seeds, classes, real, labels[:9]), "one class for each"),
        ((np.where(generated > 50, np.nan, generated), seeds, classes, real, labels), "not finite"),
    ]:
        with pytest.raises(InputError, match=sentence):
            diversity_novelty(*bad)
