import os

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from kerasinterp import data
from kerasinterp.data import pole
from kerasinterp.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


def test_pole(folder):
    views = data.views("pole/32", data_dir=folder)
    assert views.images.shape == (8, 72, 32, 32, 3)
    assert (views.names, views.step) == (("altitude", "azimuth"), 5.0)
    assert views.parameters.dtype == np.float32
    np.testing.assert_array_equal(views.parameters[:, 0, 0], range(45, 81, 5))
    np.testing.assert_array_equal(views.parameters[3, :, 1], range(0, 360, 5))
    np.testing.assert_array_equal(data.images("pole/32", data_dir=folder)[views.places], views.images)
    for turn, view in ((0, 0), (2, 71), (7, 30)):
        altitude, azimuth = views.parameters[turn, view]
        np.testing.assert_array_equal(views.images[turn, view], pole.render([altitude], [azimuth], 32)[0])


def test_chosen_resized_and_grey(folder):
    views = data.views("pole/32", image_size=16, channels=1, series=[60, 45], data_dir=folder)
    assert views.images.shape == (2, 72, 16, 16, 1)
    np.testing.assert_array_equal(views.parameters[:, 0, 0], [60, 45])
    loaded = data.images("pole/32", classes=[60], image_size=16, channels=1, data_dir=folder)
    assert sorted(image.tobytes() for image in loaded) == sorted(image.tobytes() for image in views.images[0])
    assert data.views("pole/32", image_size=(16, 8), data_dir=folder).images.shape == (8, 72, 16, 8, 3)


def _turntable(objects, views):
    """COIL-100 with these objects, in no order, each image being its object's and its view's number."""
    order = np.random.default_rng(0).permutation(len(objects) * views)
    number, turn = np.array(objects)[order // views], order % views
    images = np.zeros((len(order), 128, 128, 3), np.uint8)
    images[..., 0], images[..., 1] = number[:, None, None], turn[:, None, None]

    def as_dataset(self, *_, **__):
        features = {"image": images, "object_id": number, "angle_label": turn, "angle": 5 * turn}
        return tf.data.Dataset.from_tensor_slices(features)

    return tfds.testing.mock_data(as_dataset_fn=as_dataset)


def test_coil(tmp_path):
    with _turntable([0, 7, 3], 72):
        views = data.views("coil100", 16, data_dir=tmp_path)
        assert views.images.shape == (3, 72, 16, 16, 3)
        np.testing.assert_array_equal(views.images[:, 0, 0, 0, 0], [0, 3, 7])
        np.testing.assert_array_equal(views.images[1, :, 0, 0, 1], range(72))
        assert (views.names, views.parameters.shape) == (("azimuth",), (3, 72, 1))
        np.testing.assert_array_equal(views.parameters[2, :, 0], range(0, 360, 5))
        chosen = data.views("coil100", 16, series=["obj8", 0], data_dir=tmp_path)
        np.testing.assert_array_equal(chosen.images[:, 0, 0, 0, 0], [7, 0])
        order = np.random.default_rng(0).permutation(3 * 72)
        np.testing.assert_array_equal(order[views.places], np.array([[0], [2], [1]]) * 72 + np.arange(72))
        loaded = data.images("coil100", image_size=16, classes=["obj8", 0], data_dir=tmp_path)
        np.testing.assert_array_equal(loaded[chosen.places], chosen.images)
        with pytest.raises(InputError, match="no object_id 4 here"):
            data.views("coil100", series=[4], data_dir=tmp_path)
        with pytest.raises(InputError, match="Did you mean 'obj8'"):
            data.views("coil100", series=["obj 8"], data_dir=tmp_path)
        with pytest.raises(InputError, match="at least one"):
            data.views("coil100", series=[], data_dir=tmp_path)
    with _turntable([0, 1], 60), pytest.raises(InputError, match="60 of 72 views"):
        data.views("coil100", 16, data_dir=tmp_path)


def test_other_datasets():
    with pytest.raises(InputError, match="choose of pole, coil100"):
        data.views("mnist")


@pytest.mark.parametrize(
    ("images", "parameters", "message"),
    [
        (np.zeros((1, 72, 4, 4, 1)), np.zeros((1, 72, 1)), "uint8"),
        (np.zeros((1, 72, 4, 4, 1), np.uint8), np.zeros((1, 72, 2)), r"give \(1, 72, 1\)"),
        (np.zeros((1, 70, 4, 4, 1), np.uint8), np.zeros((1, 70, 1)), "no whole turn"),
    ],
)
def test_views_that_do_not_fit(images, parameters, message):
    with pytest.raises(InputError, match=message):
        data.Views(images, parameters, ("azimuth",))


@pytest.mark.needs_data
@pytest.mark.skipif("TFDS_DATA_DIR" not in os.environ, reason="TFDS_DATA_DIR is not set")
def test_coil_as_stored():
    views = data.views("coil100", 32, series=[0, 5])
    assert views.images.shape == (2, 72, 32, 32, 3)
    # Neighbours are alike, the last view and the first too; views a quarter apart differ.
    images = views.images.astype(float)
    near, far = (np.abs(images - np.roll(images, shift, axis=1)).mean((2, 3, 4)) for shift in (1, 18))
    assert near.mean() < far.mean() / 3
    assert (near[:, 0] < far.mean(1) / 3).all()
