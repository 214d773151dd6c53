"""The datasets as TFDS stores them; needs TFDS_DATA_DIR."""

import os

import numpy as np
import pytest

from kerasinterp import data
from kerasinterp.errors import InputError

pytestmark = [
    pytest.mark.needs_data,
    pytest.mark.skipif("TFDS_DATA_DIR" not in os.environ, reason="TFDS_DATA_DIR is not set"),
]


@pytest.mark.parametrize(
    ("name", "split", "shape", "classes"),
    [
        ("mnist", "test", (10_000, 28, 28, 1), 10),
        ("omniglot", "test[:1000]", (1000, 28, 28, 1), None),
        ("handwritten_az", "train+test", (None, 28, 28, 1), 26),
        ("cifar10", "test[:500]", (500, 64, 64, 3), 10),
        ("cifar100", "test[:500]", (500, 64, 64, 3), None),
        ("coil100", "train[:100]", (100, 128, 128, 3), None),
    ],
)
def test_shapes_and_labels(name, split, shape, classes):
    images, labels = data.images(name, split, labels=True)
    assert images.shape[1:] == shape[1:]
    assert len(images) == len(labels) == (shape[0] or len(images))
    if classes:
        assert len(np.unique(labels)) == classes
    if shape[-1] == 1:  # characters: mostly black, the border nearly so
        assert images.mean() < 64
        assert images[:, 0].mean() < 8


def test_mnist_is_unchanged():
    import tensorflow_datasets as tfds

    stored = np.stack([e["image"] for e in tfds.load("mnist", split="test[:50]").as_numpy_iterator()])
    np.testing.assert_array_equal(data.images("mnist", "test[:50]"), stored)


def test_classes_have_names():
    assert data.load_examples("mnist", "test[:5]", labels=True).classes == tuple("0123456789")
    assert data.load_examples("coil100", "train[:5]", labels=True).classes[0] == "obj1"


def test_the_order_is_fixed():
    first, second = (data.images("omniglot", "train[:200]") for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_unknown_splits():
    with pytest.raises(InputError, match="Did you mean 'train'"):
        data.load("mnist", "trian")
    with pytest.raises(InputError, match="no split of mnist"):
        data.load("mnist", "train[x]")
