"""Class fidelity: the split, the sets and the shares, with an oracle whose verdicts are known."""

import json
import os
import types

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp import data
from kerasinterp.data import HANDWRITTEN, Transformations
from kerasinterp.data.forms.triplets import transformed_at_random
from kerasinterp.errors import InputError
from kerasinterp.evaluation import SeedSets, fidelity
from tests.evaluation import toys


def numbered(counts: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Images whose first pixel is their label, and whose next two are their number."""
    labels = np.repeat(list(counts), list(counts.values()))
    images = np.full((len(labels), 12, 12, 1), 100, np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = labels, np.arange(len(labels)) % 256
    images[:, 0, 2, 0] = np.arange(len(labels)) // 256
    return images, labels


def reader(classes: list[int]) -> types.SimpleNamespace:
    """An oracle that reads the label from the first pixel."""

    def predict(images):
        images = np.asarray(images)
        first = images[:, 0, 0, 0]
        labels = first if images.dtype == np.uint8 else np.rint((first + 1) * 127.5)
        return np.searchsorted(classes, labels)

    return types.SimpleNamespace(predict=predict, accuracy=0.9)


def sets(counts=None, **settings) -> SeedSets:
    counts = counts or {3: 20, 5: 30, 9: 40}
    settings = {"samples": 30, "oracle": reader([n for n, count in counts.items() if count >= 8])} | settings
    return SeedSets(*numbered(counts), **settings)


@pytest.mark.parametrize(
    ("count", "shots", "extra", "expected"),
    [
        (20, 5, 0, 6),
        (19, 5, 200, 9),
        (100, 5, 0, 50),
        (8, 5, 0, 6),
        (24, 5, 0, 10),
        (20, 2, 0, 6),
        (5, 2, 0, 3),
        (20, 5, 9, 10),
    ],
)
def test_how_many_of_a_class_are_for_seeds(count, shots, extra, expected):
    assert fidelity._seeds_of(count, shots, extra) == expected


def test_sets_are_of_one_class_and_of_the_seeds_part():
    given = sets(samples=33)
    assert given.sets.shape == (7, 5) and len(given.origins) == 33
    assert np.bincount(given.labels[given.seeds]).tolist() == [6, 15, 20]
    for own, number in zip(given.sets, given.set_classes, strict=True):
        assert len(set(own)) == 5 and set(own) <= set(given.seeds)
        assert set(given.labels[own]) == {number}
    assert sorted(np.bincount(given.set_classes)) == [2, 2, 3]
    np.testing.assert_array_equal(given.sets, sets(samples=33).sets)
    assert not np.array_equal(given.sets, sets(samples=33, seed=1).sets)


def test_classes_of_too_few_images_are_left_out_and_counted():
    given = sets({3: 20, 4: 7, 5: 8})
    assert given.classes.tolist() == [3, 5]
    assert given.protocol["left_out_classes"] == 1
    assert set(given.labels) == {-1, 0, 1}


def test_the_oracle_sees_no_seed(monkeypatch):
    """Neither of the images, nor of the extra ones, which hold copies of all of them."""
    learned = {}

    def train(images, labels, num_classes, **settings):
        learned.update(images=images, labels=labels, settings=settings)
        return reader([3, 5, 9])

    monkeypatch.setattr(fidelity, "train_classifier", train)
    images, labels = numbered({3: 20, 5: 30, 9: 40})
    others = images.copy()
    others[:, 5, 5, 0] = 7
    extra = np.concatenate([images, others])
    given = SeedSets(
        images, labels, extra_images=extra, extra_labels=np.tile(labels, 2), samples=10, steps=7, cache_dir="there"
    )
    seen = {image.tobytes() for image in learned["images"]}
    assert seen.isdisjoint(given.images[n].tobytes() for n in given.seeds)
    assert seen == {image.tobytes() for image in extra} - {given.images[n].tobytes() for n in given.seeds}
    np.testing.assert_array_equal(learned["images"][:, 0, 0, 0], given.classes[learned["labels"]])
    assert (learned["settings"]["steps"], learned["settings"]["cache_dir"]) == (7, "there")
    assert learned["settings"]["augmentation"] == HANDWRITTEN.enlarged(images.shape[1] / 28)
    assert given.protocol["oracle_images"] == len(learned["images"])


def test_shares_are_by_class_and_their_mean():
    """Class 3 keeps all, 5 none, 9 a half: of unequal numbers of images, each class counts the same."""
    given = sets()
    row = given.measure(np.concatenate([given.images[:2], given.images[:4], given.images[50:52], given.images[:2]]),
                        np.repeat([list(given.set_classes).index(n) for n in (0, 1, 2)], [2, 4, 4]))  # fmt: skip
    assert row == {
        "class_fidelity": pytest.approx(0.5),
        "class_fidelity_by_class": {"3": 1.0, "5": 0.0, "9": 0.5},
        "oracle_accuracy": 0.9,
        "seed_accuracy": 1.0,
    }
    assert json.loads(json.dumps(row | given.protocol)) == row | given.protocol


def test_rows_without_a_model():
    given = sets()
    rows = given.without_model()
    assert {name: made.shape for name, made in rows.items()} == dict.fromkeys(
        ("real", "pixel_fade", "augmented"), (30, 12, 12, 1)
    )
    real = np.rint((rows["real"] + 1) * 127.5).astype(np.uint8)
    own = {image.tobytes(): n for n, image in enumerate(given.images)}
    for image, origin in zip(real, given.origins, strict=True):
        index = own[image.tobytes()]
        assert index in given.seeds and index not in given.sets[origin]
        assert given.labels[index] == given.set_classes[origin]
    assert given.measure(rows["real"])["class_fidelity"] == 1.0
    assert given.measure(rows["pixel_fade"])["class_fidelity"] == 1.0


def test_a_trained_oracle_knows_its_accuracy(tmp_path):
    images, labels = toys.images(0, 60)
    settings = {"samples": 20, "steps": 60, "width": 4, "batch_size": 16, "cache_dir": tmp_path}
    given = SeedSets(images, labels, **settings)
    assert given.protocol["oracle_accuracy"] == given.protocol["seed_accuracy"] == 1.0
    assert given.measure(given.without_model()["real"])["class_fidelity"] == 1.0
    SeedSets(images, labels, **settings)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("classes", "steps"), [(2, 600), (60, 720)])
def test_the_oracle_trains_twelve_steps_a_class_and_at_least_600(classes, steps, monkeypatch):
    asked = []
    monkeypatch.setattr(
        fidelity, "train_classifier", lambda *_, steps, width, **__: asked.append((steps, width)) or reader(range(99))
    )
    given = numbered(dict.fromkeys(range(classes), 8))
    SeedSets(*given, samples=10)
    SeedSets(*given, samples=10, steps=7, width=5)
    assert asked == [(steps, 16), (7, 5)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shots": 1}, "2 or more shots"),
        ({"samples": 0}, "1 or more"),
        ({"counts": {3: 20, 5: 7}}, "1 classes have 8 images or more, of 2"),
        ({"extra_images": np.zeros((1, 12, 12, 1), np.uint8)}, "belong together"),
        ({"extra_images": np.zeros((1, 12, 12, 1), np.uint8), "extra_labels": np.array([1])}, "do not"),
        ({"extra_images": np.zeros((1, 8, 8, 1), np.uint8), "extra_labels": np.array([3])}, "one size"),
        ({"extra_images": np.zeros((1, 12, 12, 1)), "extra_labels": np.array([3])}, "extra_images are float64"),
        ({"extra_images": np.zeros((0, 12, 12, 1), np.uint8), "extra_labels": np.array([], int)}, "give uint8"),
        ({"extra_images": np.zeros((1, 12, 12), np.uint8), "extra_labels": np.array([3])}, "give uint8"),
        ({"extra_images": np.zeros((1, 12, 12, 1), np.uint8), "extra_labels": np.array([3, 5])}, r"int64 \(2,\): give"),
        ({"extra_images": np.zeros((1, 12, 12, 1), np.uint8), "extra_labels": np.array([3.0])}, "are float64"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_input_gets_one_sentence(change, message):
    with pytest.raises(InputError, match=message):
        sets(**change)


def test_images_of_unknown_origin_are_refused():
    with pytest.raises(InputError, match="from which set"):
        sets().measure(numbered({3: 4})[0])


@pytest.mark.slow
def test_the_oracle_knows_letters_that_it_has_not_seen():
    """Real images are of their class to a few in a hundred; shuffled ones are as often as chance has it."""
    chosen = {"labels": True, "classes": "AEFHLRTk"}
    images, labels = data.images("glyphs", "letters", where={"weight": "heavy", "width": "normal"}, **chosen)
    others, other_labels = data.images("glyphs", "letters", **chosen)
    given = SeedSets(images, labels, extra_images=others, extra_labels=other_labels, samples=400, steps=250, width=8)
    assert given.protocol["classes"] == 8 and given.protocol["oracle_images"] > 1000
    rows = given.without_model()
    assert min(given.protocol["seed_accuracy"], given.protocol["oracle_accuracy"]) > 0.9
    assert given.measure(rows["real"])["class_fidelity"] > 0.9
    assert given.measure(rows["pixel_fade"])["class_fidelity"] > 0.8
    shuffled = np.random.default_rng(0).permutation(given.origins)
    assert given.measure(rows["real"], shuffled)["class_fidelity"] < 0.3


@pytest.mark.slow
@pytest.mark.needs_data
@pytest.mark.skipif("TFDS_DATA_DIR" not in os.environ, reason="TFDS_DATA_DIR is not set")
def test_the_oracle_knows_characters_of_twenty_drawers_sharp_ones_and_soft_ones():
    """Fourteen images a class; chance is one in 200. Having seen softened images alone, it loses five points."""
    images, labels = data.images("omniglot", "train", image_size=28, channels=1, labels=True)
    few = labels < 200
    images = images[few]
    given = SeedSets(images, labels[few], samples=400, steps=1000, width=8)
    assert given.protocol["seed_accuracy"] > 0.7
    assert given.measure(given.without_model()["real"])["class_fidelity"] > 0.7
    seeds = tf.constant(data.to_float(images[given.seeds]))
    softened = transformed_at_random(seeds, Transformations(2.0, 0.4), tf.constant([0, 0], tf.int64)).numpy()
    right = given.oracle.predict(softened.clip(-1.0, 1.0)) == given.labels[given.seeds]
    assert given.protocol["seed_accuracy"] > right.mean() - 0.03
