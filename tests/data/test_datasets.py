import contextlib
import time

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from kerasinterp import data
from kerasinterp.data import datasets
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
        for choice in ({"labels": True}, {"classes": [1]}):
            with pytest.raises(InputError, match="celeb_a has no classes: choose by attributes"):
                data.load("celeb_a", data_dir=tmp_path, **choice)


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
        ("mnist:9.9.9", r"cannot be used \(Dataset mnist cannot be loaded at version 9\.9\.9"),
        ("mnist/x", "There is no mnist/x: choose of mnist"),
        ("kubric:x", "cannot be used"),
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


@pytest.fixture
def no_network(monkeypatch):
    def unreachable(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(datasets.socket, "create_connection", unreachable)
    monkeypatch.setattr(datasets.urllib.request, "getproxies", dict)


@pytest.mark.parametrize("name", ["emnist/letters", "celeb_a"])
def test_without_a_network_it_is_said_at_once(tmp_path, no_network, name):
    began = time.monotonic()
    with pytest.raises(InputError, match=rf"{name} .*there is no network.*TFDS_DATA_DIR.*tfds build {name} --data_dir"):
        data.images(name, data_dir=tmp_path)
    assert time.monotonic() - began < 5


def test_files_that_are_there_need_no_network(tmp_path, no_network, monkeypatch):
    """Downloads of before, and a user's own dataset, are prepared without asking."""
    asked = []
    monkeypatch.setattr(datasets, "_reachable", asked.append)
    builder = tfds.builder("emnist/letters", data_dir=tmp_path)
    datasets._ask_for_network(builder, tmp_path)
    with pytest.raises(ConnectionError):
        builder._make_download_manager(tmp_path, None)
    assert asked == [builder]
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "a.zip").touch()
    for own in (
        tfds.builder("emnist/letters", data_dir=tmp_path),
        data.lines.Lines(config="16", data_dir=tmp_path / "x"),
    ):
        datasets._ask_for_network(own, tmp_path if own.name == "emnist" else tmp_path / "x")
        assert "_make_download_manager" not in vars(own)


def test_the_proxy_is_asked_where_there_is_one(tmp_path, monkeypatch):
    asked = []

    def connect(address, timeout):
        asked.append((address, timeout))
        return contextlib.nullcontext()

    monkeypatch.setattr(datasets.socket, "create_connection", connect)
    monkeypatch.setattr(
        datasets.urllib.request, "getproxies", lambda: {"https": "http://proxy:3128", "no": "localhost"}
    )
    builder = tfds.builder("emnist/letters", data_dir=tmp_path)
    assert datasets._reachable(builder)
    assert asked == [(("proxy", 3128), 5.0)]
    asked.clear()
    monkeypatch.setattr(datasets.urllib.request, "getproxies", dict)
    assert datasets._reachable(builder)
    time.sleep(0.1)
    assert {address for address, _ in asked} <= {("storage.googleapis.com", 443), ("www.nist.gov", 443)} and asked


def test_a_look_up_that_never_ends_is_not_waited_for(tmp_path, monkeypatch):
    def look_up(*_, **__):
        time.sleep(3)
        raise OSError("nobody answered")

    monkeypatch.setattr(datasets.socket, "create_connection", look_up)
    monkeypatch.setattr(datasets, "_PATIENCE", 0.2)
    began = time.monotonic()
    assert not datasets._reachable(tfds.builder("emnist/letters", data_dir=tmp_path))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), tf.errors.ResourceExhaustedError(None, None, "/a/b; No space left")],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch, error, wrapped):
    def full(*_, **__):
        if not wrapped:
            raise error
        try:
            raise error
        except type(error):
            raise RuntimeError("while writing") from None  # as TFDS does

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", full)
    with pytest.raises(InputError, match=r"lines/16 cannot be written to .* \(No space left.*\): .*TFDS_DATA_DIR"):
        data.load("lines/16", data_dir=tmp_path)


def test_a_fault_of_ours_is_not_told_as_the_disk_s(tmp_path, monkeypatch):
    def wrong(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", wrong)
    with pytest.raises(RuntimeError, match="a bug"):
        data.load("lines/16", data_dir=tmp_path)


def test_a_folder_that_is_no_dataset(tmp_path):
    (tmp_path / "mine" / "1.0.0").mkdir(parents=True)
    (tmp_path / "mine" / "1.0.0" / "dataset_info.json").write_text("{}")
    with pytest.raises(InputError, match="is no dataset in TFDS form"):
        data.load("mine", data_dir=tmp_path)


def test_a_dataset_is_generated_without_bars(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(data.lines, "_COUNTS", {"train": 12, "test": 6})
    tfds.enable_progress_bar()
    data.load("lines/16", data_dir=tmp_path)
    assert "Generating" not in capfd.readouterr().err


def test_splits(tmp_path, monkeypatch):
    monkeypatch.setattr(data.lines, "_COUNTS", {"train": 12, "test": 6})
    for split, count in (
        ("train", 12),
        ("train+test", 18),
        ("all", 18),
        ("train[:5]", 5),
        ("train[-2:]+test[50%:]", 5),
    ):
        assert len(data.images("lines/16", split, data_dir=tmp_path)) == count
    for split, message in (
        ("trian", "no split 'trian': choose of train, test. Did you mean 'train'"),
        ("", "no split ''"),
        ("train+", "no split ''"),
        ("train[5:2]", "'train\\[5:2\\]' of lines/16 is empty"),
        ("train[5:3]", "is empty"),
        ("train[:0]", "no split of lines/16"),
        ("train[x]", "no split of lines/16"),
        ("train[200%:]", "no split of lines/16"),
        ("train[:99999999999]", "no split of lines/16"),
    ):
        with pytest.raises(InputError, match=message):
            data.load("lines/16", split, data_dir=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"where": 3}, "where is 3"),
        ({"where": {"label": "x"}}, "no label 'x'"),
        ({"where": {"angle": "x"}}, "no feature 'angle'"),
        ({"classes": 5}, "classes is 5"),
        ({"classes": [None]}, "no label None: they run from 0 to 9"),
        ({"classes": [2.0]}, "no label 2.0"),
        ({"classes": [-1]}, "no label -1"),
    ],
)
def test_choices_that_no_dataset_has(tmp_path, options, message):
    with (
        _mock({"image": np.zeros((28, 28, 1), np.uint8), "label": np.int64(3)}),
        pytest.raises(InputError, match=message),
    ):
        data.load("mnist", data_dir=tmp_path, **options)


def test_a_text_for_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr(data.lines, "_COUNTS", {"train": 2, "test": 2})
    with pytest.raises(InputError, match="angle of lines/16 cannot be"):
        data.load("lines/16", where={"angle": "x"}, data_dir=tmp_path)


def test_height_and_width_may_differ(tmp_path):
    image = np.zeros((218, 178, 3), np.uint8)
    image[:, 34:143] = 200  # what a crop to twice the width's height keeps
    with _mock({"image": image}):
        images = data.images("celeb_a", image_size=(32, 16), data_dir=tmp_path)
        assert images.shape == (1, 32, 16, 3) and (images == 200).all()
        assert data.images("celeb_a", image_size=(16, 32), data_dir=tmp_path).shape == (1, 16, 32, 3)
    with _mock({"image": np.full((32, 32, 3), 9, np.uint8), "label": np.int64(3)}):
        assert data.load("cifar10", image_size=(20, 30), data_dir=tmp_path).element_spec.shape == (20, 30, 3)


@pytest.mark.parametrize("options", [{"channels": 2}, {"image_size": -1}])
def test_impossible_forms(tmp_path, options):
    with pytest.raises(InputError):
        data.load("mnist", data_dir=tmp_path, **options)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mnist:9.9.9", "mnist:9.9.9 cannot be used (no such version): check its name and version."),
        ("mnist/tiny", "There is no mnist/tiny: choose of mnist."),
        ("coil100/tiny:1.0.0", "There is no coil100/tiny:1.0.0: choose of coil100."),
    ],
)
def test_a_version_is_wrong_or_a_configuration(name, sentence):
    assert str(datasets._unusable(name, ValueError("no such version"))).startswith(sentence)


@pytest.mark.parametrize(("channels", "shape"), [(0, (6, 4, 3)), (1, (6, 4, 1)), (3, (6, 4, 3))])
def test_images_keep_their_own_channels_or_get_those_asked_for(channels, shape):
    image = tf.constant(np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8))
    prepared = datasets.prepared_image(image, datasets.Source("", None, channels), shape[:2], channels)
    assert prepared.shape == shape


def test_images_are_made_upright_and_white_on_black_before_they_are_cut():
    """Of a stored 2 x 4 image, dark on light and lying on its side, what is cut to 2 x 2 is the middle of 4 x 2."""
    image = tf.constant(np.arange(8, dtype=np.uint8).reshape(2, 4, 1) * 30)
    source = datasets.Source("", None, 1, invert=True, transpose=True)
    prepared = datasets.prepared_image(image, source, (2, 2), 1)
    expected = (255 - image.numpy()).transpose(1, 0, 2)[1:3] / 127.5 - 1.0
    np.testing.assert_allclose(prepared, expected, atol=1e-5)
