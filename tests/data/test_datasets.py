import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from kerasinterp import data
from kerasinterp.data.datasets import shaped
from kerasinterp.errors import InputError


def _mock(*examples):
    """TFDS with these examples instead of files."""

    def as_dataset(self, *_, **__):
        return tf.data.Dataset.from_tensor_slices({key: np.stack([e[key] for e in examples]) for key in examples[0]})

    return tfds.testing.mock_data(as_dataset_fn=as_dataset)


def test_emnist_is_turned_upright(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (28, 28, 1), np.uint8)
    with _mock({"image": image, "label": np.int64(3)}):
        images, labels = data.images("emnist/letters", labels=True, data_dir=tmp_path)
    np.testing.assert_array_equal(images[0], image.transpose(1, 0, 2))
    assert labels[0] == 3
    assert "88,800" in data.sources()["emnist"].summary


def test_omniglot_is_white_on_black_at_28(tmp_path):
    image = np.full((105, 105, 3), 255, np.uint8)
    image[45:60] = 0  # a black stroke
    with _mock({"image": image, "label": np.int64(3)}):
        images = data.images("omniglot", data_dir=tmp_path)
    assert images.shape == (1, 28, 28, 1)
    assert images[0, 14].min() == 255
    assert images[0, :10].max() == 0


def test_celeb_a_by_attribute_cropped_in_the_centre(tmp_path):
    examples = []
    for value in (10, 200):
        image = np.zeros((218, 178, 3), np.uint8)
        image[20:198] = value  # just what the square keeps
        examples.append((image, value > 100))
    spec = {"Male": True}

    def as_dataset(self, *_, **__):
        features = {"image": [e[0] for e in examples], "attributes": {"Male": [e[1] for e in examples]}}
        return tf.data.Dataset.from_tensor_slices(features)

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        images = data.images("celeb_a", where=spec, data_dir=tmp_path)
        assert images.shape == (1, 128, 128, 3)
        assert (images == 200).all()
        with pytest.raises(InputError, match="Did you mean 'Male'"):
            data.load("celeb_a", where={"Mal": True}, data_dir=tmp_path)


def test_celeb_a_with_attributes_as_labels(tmp_path):
    def as_dataset(self, *_, **__):
        attributes = {"Male": [True, False], "Smiling": [False, False], "Young": [True, True]}
        return tf.data.Dataset.from_tensor_slices(
            {"image": np.zeros((2, 218, 178, 3), np.uint8), "attributes": attributes}
        )

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        images, labels = data.images("celeb_a", labels=("Young", "Male"), data_dir=tmp_path)
        assert images.shape == (2, 128, 128, 3)
        np.testing.assert_array_equal(labels, [[1, 1], [1, 0]])
        with pytest.raises(InputError, match="no attribute 'Yung'"):
            data.load("celeb_a", labels=("Yung",), data_dir=tmp_path)


def test_classes_channels_and_size(tmp_path):
    examples = [{"image": np.full((32, 32, 3), 20 * n, np.uint8), "label": np.int64(n)} for n in range(10)]
    with _mock(*examples):
        images, labels = data.images(
            "cifar10", classes=[2, 5], labels=True, image_size=16, channels=1, data_dir=tmp_path
        )
        with pytest.raises(InputError, match="from 0 to 9"):
            data.load("cifar10", classes=[10], data_dir=tmp_path)
        with pytest.raises(InputError, match="at least one"):
            data.load("cifar10", classes=[], data_dir=tmp_path)
    assert images.shape == (2, 16, 16, 1)
    np.testing.assert_array_equal(labels, [2, 5])
    np.testing.assert_array_equal(images[:, 0, 0, 0], [40, 100])


def test_any_dataset_of_tfds(tmp_path):
    with tfds.testing.mock_data(num_examples=3):
        assert data.images("svhn_cropped", data_dir=tmp_path).shape == (3, 32, 32, 3)
        assert data.images("coil100", labels=True, data_dir=tmp_path)[1].dtype == np.int64
        with pytest.raises(InputError, match="give image_size"):
            data.load("oxford_flowers102", data_dir=tmp_path)
        assert data.images("oxford_flowers102", image_size=32, data_dir=tmp_path).shape == (3, 32, 32, 3)
        with pytest.raises(InputError, match="no images"):
            data.load("imdb_reviews", data_dir=tmp_path)


def test_shaped_averages_and_repeats():
    board = tf.constant(np.indices((56, 56)).sum(0)[..., None] % 2 * 255.0, tf.float32)
    small = shaped(board, (28, 28), 3)
    assert small.shape == (28, 28, 3)
    assert np.abs(small).max() < 0.1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnst", "Did you mean 'mnist'"),
        ("emnist/leters", "Did you mean 'emnist/letters'"),
        ("handwritten_az", "set TFDS_DATA_DIR"),
        ("no_such/folder", "no dataset or folder"),
    ],
)
def test_unknown_names(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        data.images(name, data_dir=tmp_path)


def test_missing_data(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="set TFDS_DATA_DIR"):
        data.load("mnist", data_dir=tmp_path, download=False)

    def offline(*_, **__):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", offline)
    with pytest.raises(InputError, match=r"no route to host.*connect to the network"):
        data.load("mnist", data_dir=tmp_path)
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="read-only"):
        data.load("mnist", data_dir=tmp_path)


@pytest.mark.parametrize("options", [{"channels": 2}, {"image_size": -1}])
def test_impossible_forms(tmp_path, options):
    with pytest.raises(InputError):
        data.load("mnist", data_dir=tmp_path, **options)
