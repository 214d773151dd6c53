"""The domain classifier on real handwriting: good enough to judge by."""

import os
import pathlib

import numpy as np
import pytest

from kerasinterp.evaluation import misclassification, train_domain_classifier

# Handwritten letters that look like digits; with all 26 the classifier reaches 97%, and cannot do better on O and 0.
DIGIT_LIKE = "BDGIOQSZ"


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
