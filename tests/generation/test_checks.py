import numpy as np
import pytest
from stand_in import SHAPE, images

from kerasinterp import generation
from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images

UNIT = (images(3) + 1) / 2  # what Keras' examples feed: [0, 1]


@pytest.mark.parametrize(
    "call",
    [
        lambda model: generation.reconstruct(model, UNIT),
        lambda model: generation.few_shot(model, UNIT, 2),
        lambda model: generation.midpoints(model, UNIT),
        lambda model: generation.interpolate(model, UNIT, images(3), [0.5]),
        lambda model: generation.interpolate(model, images(3), UNIT, [0.5]),
        lambda model: generation.bilinear(model, (images(4) + 1) / 2, 2),
        lambda model: generation.reconstruct(model, (UNIT > 0.5).astype(np.uint8)),
    ],
)
def test_no_model_is_given_images_of_another_range(model, call):
    with pytest.raises(InputError, match=r"looks like \[0, 1\]|0 and 1 only"):
        call(model)


def test_light_images_and_what_models_make_are_taken(model, tmp_path):
    white = np.ones((2, *SHAPE), np.float32)
    assert generation.reconstruct(model, white).shape == white.shape
    # A model's outputs may lie anywhere in [-1, 1]: they are drawn and blended as they are.
    generation.save_grid(tmp_path / "grid.png", [UNIT])
    assert generation.pixel_fade(UNIT, UNIT, [0.5]).min() >= 0
    np.testing.assert_array_equal(as_images(UNIT, SHAPE, made=True), UNIT)


def test_uint8_is_scaled_and_floats_are_kept():
    np.testing.assert_array_equal(as_images(np.array([[[[0], [255]]]], np.uint8), (1, 2, 1)).ravel(), [-1, 1])
    np.testing.assert_array_equal(as_images(images(2), SHAPE), images(2))
    assert as_images(images(2).astype(np.float64)).dtype == np.float32
    assert as_images(images(1)[0]).shape == (1, *SHAPE)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (images(2)[..., 0, 0], "have shape"),
        (images(2)[:0], "are empty"),
        (images(2, shape=(5, 4, 1)), "5x4x1, but the model takes 4x4x1"),
        (np.zeros((1, *SHAPE), int), "int64"),
        (2 * images(9), "scale them to"),
        (images(9) + np.inf, "not finite"),
        ([images(1)[0], images(1, shape=(5, 4, 1))[0]], "different shapes"),
    ],
)
def test_what_no_model_takes(given, message):
    with pytest.raises(InputError, match=message):
        as_images(given, SHAPE, "seeds")
