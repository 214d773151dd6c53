"""Which class is which domain; and the domain classifier on real handwriting: good enough to judge by."""

import os
import pathlib
import types

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import (
    Classifier,
    domain,
    domain_of_classes,
    misclassification,
    train_domain_classifier,
)
from tests.evaluation import toys

# Handwritten letters that look like digits; with all 26 the classifier reaches 97%, and cannot do better on O and 0.
DIGIT_LIKE = "BDGIOQSZ"


def test_source_images_are_class_0_and_target_images_class_1(monkeypatch):
    calls = []
    monkeypatch.setattr(domain, "train_classifier", lambda *given, **settings: calls.append((given, settings)))
    source, target = np.zeros((3, 4, 4, 1), np.uint8), np.ones((2, 4, 4, 1), np.uint8)
    train_domain_classifier(source, target, steps=7)
    (((images, labels, classes), settings),) = calls
    np.testing.assert_array_equal(images, np.concatenate([source, target]))
    assert (labels.tolist(), classes, settings) == ([0, 0, 0, 1, 1], 2, {"steps": 7})


def test_misclassified_is_what_is_taken_for_the_source():
    verdicts = types.SimpleNamespace(predict=lambda images: np.array([0, 1, 1, 0, 1]))
    assert misclassification(verdicts, np.zeros((5, 4, 4, 1))) == 0.4


@pytest.mark.parametrize(
    ("source_classes", "confusion", "recalls", "source_share"),
    [(1, [[5, 3], [2, 12]], [5 / 8, 12 / 14], 0.1), (2, [[12, 3], [4, 3]], [12 / 15, 3 / 7], 0.6)],
)
def test_a_domain_of_classes_adds_their_shares(source_classes, confusion, recalls, source_share):
    """What is confused within a domain is right of the domain."""
    of_classes = Classifier(toys.fixed([0.1, 0.5, 0.4]), [[5, 2, 1], [1, 4, 2], [1, 3, 3]])
    judge = domain_of_classes(of_classes, source_classes)
    assert judge.confusion.tolist() == confusion
    np.testing.assert_allclose(judge.recalls, recalls)
    images = np.zeros((3, 12, 12, 1), np.uint8)
    np.testing.assert_allclose(judge.probabilities(images), [[source_share, 1 - source_share]] * 3, rtol=1e-5)
    for none in (0, 3):
        with pytest.raises(InputError, match="leave a class a domain"):
            domain_of_classes(of_classes, none)


def _arrays(builder, split):
    examples = list(builder.as_dataset(split=split, shuffle_files=False).as_numpy_iterator())
    return np.stack([one["image"] for one in examples]), np.array([one["label"] for one in examples])


@pytest.mark.slow
@pytest.mark.needs_data
def test_digits_and_letters_are_told_apart_on_held_out_images():
    if "TFDS_DATA_DIR" not in os.environ:
        pytest.skip("TFDS_DATA_DIR is not set")
    import tensorflow_datasets as tfds

    folder = pathlib.Path(os.environ["TFDS_DATA_DIR"]).resolve()
    digits, _ = _arrays(tfds.builder("mnist", data_dir=folder), "train")
    letters, labels = _arrays(tfds.builder_from_directory(folder / "handwritten_az" / "1.0.0"), "train+test")
    letters = letters[~np.isin(labels, [ord(letter) - ord("A") for letter in DIGIT_LIKE])]
    judge = train_domain_classifier(digits, letters, steps=1500)
    assert judge.accuracy >= 0.98
    assert misclassification(judge, letters[::10]) < 0.02
    assert misclassification(judge, digits[::100]) > 0.98
