import numpy as np
import pytest
from stand_in import SHAPE, Generator, StandIn, images, slerp, unit

from kerasinterp.errors import InputError
from kerasinterp.generation import bilinear, few_shot, interpolate, midpoints, pixel_fade, reconstruct

ALPHAS = [0.0, 0.25, 1.0]


def test_interpolate_follows_the_great_circle_from_a_to_b(model):
    a, b = images(3, 1), images(3, 2)
    paths = interpolate(model, a, b, ALPHAS)
    assert paths.shape == (3, 3, *SHAPE) and paths.dtype == np.float32
    for k, alpha in enumerate(ALPHAS):
        expected = slerp(unit(a), unit(b), alpha).reshape(a.shape)
        np.testing.assert_allclose(paths[:, k], expected, atol=1e-6)


def test_one_pair_and_uint8_are_taken(model):
    a, b = images(1, 1), images(1, 2)
    np.testing.assert_array_equal(interpolate(model, a[0], b[0], 0.5), interpolate(model, a, b, [0.5]))
    bytes_a, bytes_b = (np.rint((x + 1) * 127.5).astype(np.uint8) for x in (a, b))
    expected = interpolate(model, bytes_a / np.float32(127.5) - 1, bytes_b / np.float32(127.5) - 1, 0.5)
    np.testing.assert_allclose(interpolate(model, bytes_a, bytes_b, 0.5), expected, atol=1e-6)


def test_what_an_unbounded_decoder_gives_is_cut_to_the_range():
    """ACAI's decoder is linear; pictures and classifiers take images in [-1, 1]."""
    model = StandIn()
    model.decoder.layers[-1].scale.assign(9.0)
    a, b = images(4, 1), images(4, 2)
    raw = interpolate(model, a, b, ALPHAS, clip=False)
    assert np.abs(raw).max() > 2
    np.testing.assert_array_equal(interpolate(model, a, b, ALPHAS), np.clip(raw, -1, 1))
    np.testing.assert_allclose(reconstruct(model, a), np.clip(raw[:, 0], -1, 1), atol=1e-5)
    for made in (few_shot(model, a, 5), midpoints(model, a), bilinear(model, a, 3)):
        assert np.abs(made).max() == 1


def test_a_grid_is_mixed_downwards_then_across(model):
    four = images(4)
    upper_left, upper_right, lower_left, lower_right = (code[np.newaxis] for code in unit(four))
    grid = bilinear(model, four, 3)
    assert grid.shape == (3, 3, *SHAPE)
    for r in range(3):
        left, right = slerp(upper_left, lower_left, r / 2), slerp(upper_right, lower_right, r / 2)
        for c in range(3):
            expected = slerp(unit(left), unit(right), c / 2).reshape(SHAPE)
            np.testing.assert_allclose(grid[r, c], expected, atol=1e-5)


def test_unusable_corners_get_one_sentence(model):
    with pytest.raises(InputError, match="four images"):
        bilinear(model, images(3), 3)
    with pytest.raises(InputError, match="at least 2 steps"):
        bilinear(model, images(4), 1)
    with pytest.raises(InputError, match="GB of memory"):
        bilinear(model, images(4), 10**6)


def test_pixel_fade_is_the_weighted_mean_of_pixels():
    a, b = images(2, 1), images(2, 2)
    fade = pixel_fade(a, b, ALPHAS)
    assert fade.dtype == np.float32
    np.testing.assert_allclose(fade[:, 1], 0.75 * a + 0.25 * b, atol=1e-6)
    np.testing.assert_array_equal(fade[:, 0], a)
    np.testing.assert_array_equal(fade[:, 2], b)


@pytest.mark.parametrize(
    ("a", "b", "alphas", "message"),
    [
        (images(2), images(3), [0.5], "differ in shape"),
        (images(2, shape=(8, 8, 1)), images(2, shape=(8, 8, 1)), [0.5], "model takes 4x4x1"),
        (images(2, shape=(4, 4, 3)), images(2, shape=(4, 4, 3)), [0.5], "model takes 4x4x1"),
        (np.zeros((0, *SHAPE), np.float32), images(1), [0.5], "are empty"),
        (np.zeros((4, 4)), images(1), [0.5], "have shape"),
        (255 * np.abs(images(2)), images(2), [0.5], "scale them to"),
        (np.full((1, *SHAPE), np.nan), images(1), [0.5], "not finite"),
        (np.zeros((1, *SHAPE), int), images(1), [0.5], "int64"),
        ([images(1)[0], images(1, shape=(8, 8, 1))[0]], images(2), [0.5], "different shapes"),
        (images(1), images(1), [0.5, 1.5], "0, 1"),
        (images(1), images(1), [np.nan], "0, 1"),
        (images(1), images(1), [], "list of numbers"),
    ],
)
def test_bad_input_gets_a_sentence(model, a, b, alphas, message):
    with pytest.raises(InputError, match=message):
        interpolate(model, a, b, alphas)


def test_more_images_than_memory_holds_are_refused_before_any_is_made(model, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 100)  # 10,000 bytes
    assert interpolate(model, images(4), images(4), np.linspace(0, 1, 10)).shape[:2] == (4, 10)
    with pytest.raises(InputError, match=r"60 images of 4x4x1 need .* GB of memory"):
        interpolate(model, images(4), images(4), np.linspace(0, 1, 15))


@pytest.mark.parametrize("make", [interpolate, lambda model, a, *_: reconstruct(model, a)])
def test_a_model_without_an_encoder_is_named(make):
    with pytest.raises(InputError, match=r"Generator has no encoder .*generation\.sample"):
        make(Generator(), images(1), images(1), [0.5])
