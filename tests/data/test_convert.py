import numpy as np
import pytest
import tensorflow as tf

from kerasinterp import data
from kerasinterp.errors import InputError

EVERY_VALUE = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)


@pytest.mark.parametrize("kind", [np.asarray, tf.constant])
def test_every_value_comes_back_through_both_doors(kind):
    floats = data.to_float(kind(EVERY_VALUE))
    assert float(np.min(floats)) == -1.0
    assert float(np.max(floats)) == 1.0
    np.testing.assert_array_equal(data.to_uint8(floats), EVERY_VALUE)


def test_both_doors_are_the_same_for_arrays_and_tensors():
    np.testing.assert_array_equal(data.to_float(EVERY_VALUE), data.to_float(tf.constant(EVERY_VALUE)))


def test_to_uint8_clips_and_rounds():
    np.testing.assert_array_equal(
        data.to_uint8(np.array([-2.0, -1.0, 0.0, 0.001, 1.0, 3.0])), [0, 0, 128, 128, 255, 255]
    )


def test_array_and_back():
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), np.uint8)
    labels = np.arange(7) % 3
    dataset = data.from_array(images, labels)
    assert dataset.element_spec[0] == tf.TensorSpec((4, 5, 3), tf.float32)
    back, numbers = data.as_array(dataset)
    np.testing.assert_array_equal(back, images)
    np.testing.assert_array_equal(numbers, labels)
    assert len(data.as_array(data.from_array(images), limit=3)) == 3


def test_grey_images_may_lack_the_channel_and_floats_are_taken():
    images = np.linspace(-1, 1, 2 * 4 * 4, dtype=np.float64).reshape(2, 4, 4)
    assert data.as_array(data.from_array(images)).shape == (2, 4, 4, 1)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3,), np.uint8), r"shape \(3,\)"),
        (np.zeros((0, 28, 28), np.uint8), "shape"),
        (np.zeros((28, 28, 1), np.uint8), "newaxis"),
        (np.zeros((2, 3, 28, 28), np.uint8), "channels last"),
        (np.zeros((2, 28, 28, 2), np.uint8), "1 or 3 channels"),
        (np.zeros((2, 28, 28), np.int64), "int64"),
        (np.zeros((2, 28, 28), bool), "bool"),
        (np.linspace(0, 255, 32).reshape(2, 4, 4), r"scale them to \[-1, 1\]"),
        (np.linspace(0, 1, 32).reshape(2, 4, 4), r"looks like \[0, 1\]"),
        (np.full((2, 4, 4), np.nan), "NaN"),
        ([np.zeros((4, 4)), np.zeros((5, 5))], "differ in shape"),
    ],
)
def test_unusable_arrays(images, message):
    with pytest.raises(InputError, match=message):
        data.from_array(images)


@pytest.mark.parametrize("labels", [np.zeros(3, np.int64), np.zeros((2, 1), np.int64), np.zeros(2)])
def test_unusable_labels(labels):
    with pytest.raises(InputError, match="an integer for each"):
        data.from_array(np.zeros((2, 4, 4), np.uint8), labels)


def test_datasets_that_are_no_single_images():
    images = data.from_array(np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(InputError, match="single images"):
        data.as_array(images.batch(2))
    with pytest.raises(InputError, match="no images"):
        data.as_array(images.take(0))
