import numpy as np
import pytest
import tensorflow as tf

from kerasinterp import data
from kerasinterp.data import convert
from kerasinterp.data.convert import height_and_width
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
        (np.eye(4, dtype=np.uint8)[None], "0 and 1 only"),
        (np.linspace(0.4, 0.9, 32).reshape(2, 4, 4), r"looks like \[0, 1\]"),
        (np.linspace(-1.1, 1, 32).reshape(2, 4, 4), r"scale them to \[-1, 1\]"),
        (np.linspace(-1, 1.1, 32).reshape(2, 4, 4), r"scale them to \[-1, 1\]"),
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


@pytest.mark.parametrize(
    "images",
    [
        np.ones((2, 4, 4), np.float32),  # white paper
        np.linspace(0.6, 1, 32).reshape(2, 4, 4),  # faint on white
        np.zeros((2, 4, 4)),  # grey
        np.linspace(-1.0005, 1.0005, 32).reshape(2, 4, 4),  # resized, or out of tanh
        np.zeros((2, 4, 4), np.uint8),
        np.eye(4, dtype=np.uint8)[None] * 2,
    ],
)
def test_usable_arrays(images):
    assert data.as_array(data.from_array(images)).shape == (len(images), 4, 4, 1)


@pytest.mark.parametrize("kind", [float, np.float32, tf.constant])
def test_the_range_of_numbers_and_tensors(kind):
    data.check_range(kind(-1.0), kind(1.0))
    data.check_range(kind(-0.1), kind(0.5))
    data.check_range(kind(0.0), kind(1.0), drawn=True)
    with pytest.raises(InputError, match=r"^seeds range from 0 to 1, which looks like \[0, 1\]"):
        data.check_range(kind(0.0), kind(1.0), "seeds")
    for low, high in ((-1.0, 255.0), (-3.0, 1.0)):
        with pytest.raises(InputError, match=r"x / 127\.5 - 1"):
            data.check_range(kind(low), kind(high), drawn=True)
    for low, high in ((np.nan, np.nan), (-np.inf, 1.0), (-1.0, np.inf)):
        with pytest.raises(InputError, match="not finite"):
            data.check_range(kind(low), kind(high), drawn=True)


def test_masks_are_drawn_but_not_learned():
    mask = np.eye(4, dtype=np.uint8)
    data.check_values(mask, drawn=True)
    with pytest.raises(InputError, match=r"^first seeds hold 0 and 1 only.*0 and 255"):
        data.check_values(mask, "first seeds")


@pytest.mark.parametrize(("size", "expected"), [(3, (3, 3)), ((3, 4), (3, 4)), ([3, 4], (3, 4)), (np.int64(3), (3, 3))])
def test_sizes(size, expected):
    assert height_and_width(size) == expected
    assert height_and_width(None) is None


@pytest.mark.parametrize(
    "size", [0, -1, (3, 0), (0, 3), 16_385, (3, 16_385), 2**40, 3.0, "3", True, (3,), (3, 3, 3), (3, None)]
)
def test_impossible_sizes(size):
    with pytest.raises(InputError, match="image_size is"):
        height_and_width(size)
    assert height_and_width((1, 16_384)) == (1, 16_384)


def test_a_damaged_dataset_is_one_sentence(tmp_path):
    (tmp_path / "a.tfrecord").write_bytes(b"no records" * 9)
    damaged = tf.data.TFRecordDataset(str(tmp_path / "a.tfrecord"))
    with pytest.raises(InputError, match=r"^The dataset cannot be read \(corrupted record"):
        data.as_array(damaged.map(lambda _: tf.zeros((2, 2, 1))))


@pytest.mark.parametrize(("size", "counts"), [(4, [4, 4, 1]), (8, [3, 3, 3]), (20, [1] * 9)])
def test_pieces_are_so_many_images_and_no_larger_than_so_many_bytes(size, counts, monkeypatch):
    monkeypatch.setattr(convert, "_PIECE", 4)
    monkeypatch.setattr(convert, "_PIECE_BYTES", 200)
    images = np.arange(9, dtype=np.uint8)[:, None, None, None] * np.ones((1, size, size, 1), np.uint8)
    made = [part for part, _ in convert.pieces(tf.data.Dataset.from_tensor_slices(data.to_float(images)))]
    assert [len(part) for part in made] == counts
    np.testing.assert_array_equal(np.concatenate(made), images)
