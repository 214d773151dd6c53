import os

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from kerasinterp import data
from kerasinterp.errors import InputError


def test_arrays():
    images = np.random.default_rng(0).integers(0, 256, (3, 56, 56, 3), np.uint8)
    np.testing.assert_array_equal(data.images(images), images)
    assert data.images(images, image_size=28, channels=1).shape == (3, 28, 28, 1)
    with pytest.raises(InputError, match="no labels"):
        data.images(images, labels=True)


def test_folders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("L", (30, 30), 100).save(tmp_path / name / "1.png")
    assert data.images(str(tmp_path)).shape == (2, 28, 28, 1)
    images, labels = data.images(tmp_path, image_size=8, channels=3, labels=True)
    assert images.shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(labels, [0, 1])


def test_a_known_name_is_the_dataset_even_beside_a_folder_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="TFDS_DATA_DIR"):
        data.images("mnist", data_dir=tmp_path / "none", download=False)


def _folder(path, *names, value=100):
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (30, 30), value).save(path / name)
    return path


def test_folders_of_classes(tmp_path):
    found = data.load_examples(_folder(tmp_path, "8/a.png", "10/a.png", "10/b.png"), image_size=(6, 4), labels=True)
    assert (found.classes, found.shape, found.labels.tolist()) == (("8", "10"), (6, 4, 1), [0, 1, 1])
    unlabelled = data.load_examples(tmp_path)
    assert (unlabelled.labels, unlabelled.classes, len(unlabelled)) == (None, (), 3)


def test_classes_of_a_dataset(tmp_path):
    def as_dataset(self, *_, **__):
        return tf.data.Dataset.from_tensor_slices({"image": np.zeros((3, 32, 32, 3), np.uint8), "label": [0, 9, 1]})

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        found = data.load_examples("cifar10", labels=True, data_dir=tmp_path)
        images, labels = data.images("cifar10", labels=True, data_dir=tmp_path)
    assert found.classes == tuple("0123456789")  # TFDS without its files does not know their names
    assert found.shape == (64, 64, 3)
    np.testing.assert_array_equal(found.labels, [0, 9, 1])
    np.testing.assert_array_equal(labels, found.labels)
    np.testing.assert_array_equal(images, found.images)


def test_attributes_are_numbers_in_examples_and_integers_in_arrays(tmp_path):
    def as_dataset(self, *_, **__):
        attributes = {"Male": [True, False], "Young": [True, True]}
        return tf.data.Dataset.from_tensor_slices(
            {"image": np.zeros((2, 218, 178, 3), np.uint8), "attributes": attributes}
        )

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        options = {"labels": ("Young", "Male"), "image_size": 8, "data_dir": tmp_path}
        found = data.load_examples("celeb_a", **options)
        assert found.classes == ("Young", "Male") and found.labels.dtype == np.float32
        assert data.images("celeb_a", **options)[1].dtype == np.int64
        assert data.load_examples("celeb_a", image_size=8, data_dir=tmp_path).classes == ()


def test_inverted_whatever_they_come_from(tmp_path):
    _folder(tmp_path, "a.png", value=250)
    assert (data.images(tmp_path, invert=True) == 5).all()
    assert (data.images([tmp_path / "a.png"], invert=True) == 5).all()
    assert (data.images(np.full((2, 4, 4, 1), 250, np.uint8), invert=True) == 5).all()

    def as_dataset(self, *_, **__):
        return tf.data.Dataset.from_tensor_slices({"image": np.full((1, 28, 28, 1), 250, np.uint8), "label": [0]})

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        assert (data.images("mnist", invert=True, data_dir=tmp_path) == 5).all()
        assert (data.images("mnist", data_dir=tmp_path) == 250).all()
        assert (data.images("emnist", invert=True, image_size=14, data_dir=tmp_path) == 5).all()


def test_lists_of_files_and_of_arrays(tmp_path):
    _folder(tmp_path, "b.png", "a.png")
    Image.new("L", (30, 30), 7).save(tmp_path / "b.png")
    found = data.images([tmp_path / "b.png", str(tmp_path / "a.png")], image_size=(3, 5), channels=3)
    assert found.shape == (2, 3, 5, 3)
    np.testing.assert_array_equal(found[:, 0, 0, 0], [7, 100])
    assert data.images((tmp_path / "b.png",)).shape == (1, 28, 28, 1)
    arrays = [np.full((4, 4, 3), value, np.uint8) for value in (7, 100)]
    np.testing.assert_array_equal(data.images(arrays)[:, 0, 0, 0], [7, 100])
    with pytest.raises(InputError, match="no file"):
        data.images([tmp_path / "b.png", tmp_path / "c.png"])
    with pytest.raises(InputError, match="is a folder"):
        data.images([tmp_path])
    (tmp_path / "d.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"d\.png is empty: replace or remove it\.$"):
        data.images([tmp_path / "b.png", tmp_path / "d.png"])


def test_arrays_of_another_form(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 56, 56, 3), np.uint8)
    assert data.images(images, image_size=(14, 28)).shape == (3, 14, 28, 3)
    assert data.images(images, channels=1).shape == (3, 56, 56, 1)
    np.testing.assert_array_equal(data.images(images, image_size=56), images)
    assert data.images(tf.constant(images)).shape == images.shape
    np.testing.assert_array_equal(data.images(data.to_float(images)), images)


@pytest.mark.parametrize(
    ("what", "options", "message"),
    [
        *((what, {}, "have shape") for what in ([], [3], None, 3, {}, [[1, 2]], ("a.png", 3))),
        (np.eye(4, dtype=np.uint8)[None], {}, "0 and 1 only"),
        (np.zeros((2, 4, 4, 1), np.uint8), {"channels": 2}, "channels is 1"),
        (np.zeros((2, 4, 4, 1), np.uint8), {"image_size": 0}, "image_size is"),
        (np.zeros((2, 4, 4, 1), np.uint8), {"where": {}}, "'where' is no option of a"),
        (["a.png"], {"skip_unreadable": True}, "no option"),
        (["a.png"], {"labels": True}, "no labels"),
        (".", {"where": {}}, "'where' is no option of a folder"),
        (".", {"skip_unreadble": True}, "Did you mean 'skip_unreadable'"),
        (".", {"labels": ("Male",)}, "no attributes"),
        ("mnist", {"skip_unreadable": True}, "'skip_unreadable' is no option of a dataset"),
        ("mnist", {"clases": [1]}, "Did you mean 'classes'"),
    ],
)
def test_what_cannot_be_used(what, options, message):
    with pytest.raises(InputError, match=message):
        data.images(what, **options)


@pytest.mark.parametrize(
    "name", ["", "-1", "0", "a/b/c", "a b", "no\0name", "\udcff", "huggingface:x/y", "a" * 5000, "x/"]
)
def test_what_is_neither_name_nor_path(name, tmp_path, monkeypatch):
    monkeypatch.chdir(_folder(tmp_path, "a.png"))  # the empty name is not the current folder
    with pytest.raises(InputError, match="There is no dataset or folder") as caught:
        data.images(name)
    assert len(str(caught.value)) < 300


def test_masks_in_files_are_told(tmp_path):
    _folder(tmp_path, "a.png", "b.png", value=1)
    with pytest.raises(InputError, match="0 and 1 only"):
        data.images(tmp_path)
    with pytest.raises(InputError, match="0 and 1 only"):
        data.images([tmp_path / "a.png"])


def test_a_pipe_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match="a pipe"):
        data.images(str(tmp_path / "a.png"))


def test_some_classes_of_a_folder(tmp_path):
    _folder(tmp_path, "8/a.png", value=8)
    _folder(tmp_path, "10/a.png", "10/b.png", value=10)
    _folder(tmp_path, "c/a.png", value=12)
    found = data.load_examples(tmp_path, labels=True, classes=["c", "8"])
    assert (found.classes, found.labels.tolist()) == (("8", "10", "c"), [0, 2])  # numbers are the folder's
    assert found.images[:, 0, 0, 0].tolist() == [8, 12]
    unlabelled = data.load_examples(tmp_path, classes=("10",))
    assert (unlabelled.labels, unlabelled.classes, len(unlabelled)) == (None, (), 2)
    with pytest.raises(InputError, match=r"has no class '1'\.? Did you mean '10'"):
        data.images(tmp_path, classes=["1"])
    with pytest.raises(InputError, match="classes is 'c': give a list of names"):
        data.images(tmp_path, classes="c")
