"""What int8 is calibrated with."""

import types

import numpy as np
import pytest
from trained_networks import LATENT, SHAPE, generator, noise

from kerasinterp.errors import InputError
from kerasinterp.exporting import calibration
from kerasinterp.exporting.networks import Networks


def of(model, images):
    return calibration.Calibration.of(model, Networks.of(model), images)


def test_examples_are_drawn_from_all_images(model):
    """A dataset sorted by brightness: its head is dark."""
    images = np.broadcast_to(np.arange(1000)[:, None, None, None] // 4, (1000, *SHAPE)).astype(np.uint8)
    found = of(model, images).images
    assert found.shape == (200, *SHAPE) and found.dtype == np.float32
    levels = found[:, 0, 0, 0]
    assert len(np.unique(levels)) > 120, "none is drawn twice"
    assert levels.min() < -0.9 and levels.max() > 0.9 and abs(levels.mean()) < 0.1
    np.testing.assert_array_equal(found, of(model, images).images)


def test_few_images_are_all_used_as_they_are(model):
    images = noise(0, 7)
    np.testing.assert_allclose(of(model, images).images, images, rtol=0, atol=1 / 255)
    pixels = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), np.uint8)
    np.testing.assert_allclose(of(model, pixels).images, pixels / 127.5 - 1, rtol=0, atol=1e-6)


def test_the_decoder_sees_codes_and_their_mixes(model):
    images = noise(0, 3)
    found = of(model, np.uint8(np.rint((images + 1) * 127.5)))
    codes = model.encoder(found.images, training=False).numpy()
    assert found.latents.shape == (6, LATENT)
    np.testing.assert_allclose(found.latents[:3], codes, rtol=0, atol=1e-6)
    expected = codes + np.roll(codes, 1, axis=0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found.latents[3:], expected, rtol=0, atol=1e-5)
    examples = list(found.examples(["encode", "decode"]))
    assert [name for name, _ in examples] == ["encode"] * 3 + ["decode"] * 6
    np.testing.assert_array_equal(examples[1][1]["images"], found.images[1:2])
    np.testing.assert_array_equal(examples[3][1]["latent"], found.latents[:1])


def test_a_generator_is_calibrated_by_its_prior():
    model = generator()
    found = of(model, None)
    np.testing.assert_array_equal(found.latents, model.prior(200, 0))
    assert [name for name, _ in found.examples(["decode", "serving_default"])] == ["decode"] * 200 + [
        "serving_default"
    ] * 200
    with pytest.raises(InputError, match="no encoder, so int8 takes draws from its prior: leave"):
        of(model, noise(0))
    without = types.SimpleNamespace(generator=model.generator, image_shape=SHAPE)
    with pytest.raises(InputError, match="neither an encoder nor a prior"):
        of(without, None)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (None, "int8 needs representative_images"),
        (np.zeros((3, 9, 9, 1), np.uint8), r"must be \(N, 28, 20, 1\) with N"),
        (np.zeros((0, *SHAPE), np.uint8), r"must be \(N, 28, 20, 1\) with N"),
        (np.zeros(SHAPE, np.uint8), r"must be \(N, 28, 20, 1\) with N"),
        (np.abs(noise(0)), r"looks like \[0, 1\]"),
        (200 * np.abs(noise(0)), r"range from .* to"),
        (np.full((3, *SHAPE), np.nan), "NaN"),
        (np.zeros((3, *SHAPE), np.int64), "int64: give uint8"),
    ],
)
def test_other_images_are_refused(model, images, sentence):
    with pytest.raises(InputError, match=sentence):
        of(model, images)


def test_points_are_in_the_square(model):
    networks = types.SimpleNamespace(image_shape=(2,))
    points = np.array([[-1.0, 0.5], [0.0, 1.0]], np.float32)
    np.testing.assert_array_equal(calibration._checked(networks, points), points)
    for wrong in (points.astype(np.uint8), 2 * points, points * np.nan):
        with pytest.raises(InputError, match=r"points must be floats in \[-1, 1\]"):
            calibration._checked(networks, wrong)
