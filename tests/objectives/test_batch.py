import networks
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.objectives import PlainAE
from kerasinterp.objectives.batch import as_images, slices

IMAGES = networks.image_batch()["c"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_become_float32(dtype):
    found = as_images(tf.constant(IMAGES, dtype))
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, IMAGES.astype(dtype).astype("float32"))


def test_bytes_are_scaled():
    whole = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_allclose(as_images(tf.constant(whole)), whole / 127.5 - 1.0, atol=1e-7)


def changed(index, value):
    images = IMAGES.copy()
    images.reshape(-1)[index] = value
    return images


@pytest.mark.parametrize(
    "images",
    [
        (IMAGES + 1.0) / 2.0,  # [0, 1]
        255.0 * (IMAGES + 1.0) / 2.0,
        changed(0, 1.002),
        changed(-1, -1.002),
        changed(0, np.nan),
        changed(100, np.nan),
        changed(-1, np.nan),
        changed(3, np.inf),
        np.full_like(IMAGES, np.nan),
    ],
)
def test_other_ranges_are_refused(images):
    with pytest.raises(tf.errors.InvalidArgumentError, match="give uint8, or float in"):
        as_images(tf.constant(images))


@pytest.mark.parametrize(
    "images",
    [
        IMAGES,
        changed(0, 1.0009),  # tanh and resizing pass the bounds by rounding
        changed(0, -1.0009),
        np.zeros_like(IMAGES),  # grey
        np.full_like(IMAGES, -1.0),
        np.abs(IMAGES[:1]),  # one image may be bright
    ],
)
def test_right_ranges_are_taken(images):
    np.testing.assert_array_equal(as_images(tf.constant(images)), images)


def test_other_integers_are_refused():
    for dtype in (np.int32, np.uint16, bool):
        with pytest.raises(InputError, match=f"images are {np.dtype(dtype).name}: give uint8"):
            as_images(tf.constant(IMAGES > 0, dtype))


def test_what_is_no_images_stays():
    for value in (np.array([0.2, 0.4]), np.array([[3, 4]]), np.zeros((2, 3, 4), np.int64)):
        assert as_images(value) is value


def test_slices_are_the_batch_in_order():
    batch = {"c": tf.range(6), "labels": tf.range(12)}
    parts = slices(batch, 3)
    assert [part["c"].numpy().tolist() for part in parts] == [[0, 1], [2, 3], [4, 5]]
    assert [part["labels"].numpy().tolist() for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert slices(batch, 1) == [batch]
    with pytest.raises(InputError, match="A batch of 6 cannot be cut into 4 equal slices"):
        slices(batch, 4)


@pytest.fixture(scope="module")
def model():
    model = networks.make(PlainAE)
    model.compile("sgd")
    return model


@pytest.mark.parametrize("images", [(IMAGES + 1.0) / 2.0, 1.1 * IMAGES / np.abs(IMAGES).max(), changed(5, np.nan)])
def test_fit_evaluate_and_predict_say_so(model, images):
    """The same graphs serve all cases: what is seen is seen in the graph, from arrays and pipelines."""
    before = [variable.numpy() for variable in model.trainable_variables]
    for call in (model.fit, model.evaluate, model.predict):
        for data in (images, tf.data.Dataset.from_tensors(images)):
            with pytest.raises(InputError, match=r"^images range beyond \[-1, 1\], look like \[0, 1\], or are not"):
                call(data, verbose=0)
    for now, start in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(now.numpy(), start)  # nothing learnt from them


def test_bytes_are_fitted_evaluated_and_predicted(model):
    values = np.random.default_rng(0).integers(0, 256, (6, *networks.SHAPE)).astype(np.uint8)
    scaled = (values / 127.5 - 1.0).astype(np.float32)
    np.testing.assert_allclose(model.predict(values, verbose=0), model.predict(scaled, verbose=0), atol=1e-5)
    found, expected = (model.evaluate(x, verbose=0, return_dict=True)["reconstruction"] for x in (values, scaled))
    assert found == pytest.approx(expected, rel=1e-5)
    with pytest.raises(InputError, match="images are int32"):
        model.predict(values.astype(np.int32), verbose=0)


def test_other_errors_of_a_step_stay_what_they_are():
    class Failing(PlainAE):
        def terms(self, batch, training):
            tf.debugging.Assert(False, ["something else"])

    model = networks.make(Failing)
    model.compile("sgd", run_eagerly=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="something else"):
        model.fit(IMAGES, verbose=0)
