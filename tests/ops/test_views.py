import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.ops import colour
from kerasinterp.ops.views import DRAWS, Views, quarters, shifted

RNG = np.random.default_rng(0)
GREY = RNG.uniform(-1, 1, (6, 12, 12, 1)).astype(np.float32)
COLOUR = RNG.uniform(-1, 1, (6, 12, 12, 3)).astype(np.float32)


def draws(**columns):
    """All in the middle, where nothing is changed, but for those named, and no mirror or grey."""
    names = ("size", "x", "y", "angle", "mirror", "brightness", "contrast", "saturation", "hue", "grey")
    assert len(names) == DRAWS
    rows = np.full((6, DRAWS), 0.5)
    rows[:, [4, 9]] = 0.9
    for name, values in columns.items():
        rows[:, names.index(name)] = values
    return tf.constant(rows, tf.float32)


def enlarged(crop, size):
    """A crop (h, w) brought to (size, size), bilinear: pixel centres are what the affine map takes to pixel centres."""
    at = (np.arange(size) - (size - 1) / 2) * crop.shape[0] / size + (crop.shape[0] - 1) / 2
    low = np.clip(np.floor(at).astype(int), 0, crop.shape[0] - 2)
    share = (at - low)[:, np.newaxis]
    rows = (1 - share) * crop[low] + share * crop[low + 1]
    return (1 - share.T) * rows[:, low] + share.T * rows[:, low + 1]


@pytest.mark.parametrize(("x", "y"), [(0, 0), (0.5, 0.5), (1, 1 / 3), (2 / 3, 1)])
def test_a_crop_is_a_square_of_the_image_at_its_size(x, y):
    views = Views(crops=(0.5,))
    for made in (views.varied(GREY, draws(x=x, y=y)), views.cropped(tf.constant(GREY), draws(x=x, y=y))):
        left, top = (round(6 * (1 - place)) for place in (x, y))  # moved to the right, the image shows what is left
        for image, view in zip(GREY, made.numpy(), strict=True):
            inside = enlarged(image[top : top + 6, left : left + 6, 0], 12)[1:-1, 1:-1]
            np.testing.assert_allclose(view[1:-1, 1:-1, 0], inside, atol=1e-5)
    centre = views.plain(tf.constant(GREY)).numpy()
    np.testing.assert_allclose(centre, views.varied(GREY, draws()).numpy(), atol=1e-6)


def test_each_size_is_as_often_and_the_plain_view_has_the_middle_one():
    views = Views(crops=(0.9, 0.5, 0.75))
    for size, crop in ((0.1, 0.9), (0.34, 0.5), (0.65, 0.5), (0.67, 0.75), (0.999, 0.75)):
        alone = Views(crops=(crop,)).varied(GREY, draws())
        np.testing.assert_allclose(views.varied(GREY, draws(size=size)), alone, atol=1e-6)
    np.testing.assert_allclose(views.plain(GREY), Views(crops=(0.75,)).varied(GREY, draws()), atol=1e-6)


def test_images_are_turned_within_the_range_and_mirrored_half_of_the_time():
    views = Views(rotation=90.0)
    turned = views.varied(GREY, draws(angle=1.0))
    np.testing.assert_allclose(turned, np.rot90(GREY, -1, (1, 2)), atol=1e-4)
    np.testing.assert_allclose(views.varied(GREY, draws(angle=0.0)), np.rot90(GREY, 1, (1, 2)), atol=1e-4)
    np.testing.assert_allclose(views.cropped(GREY, draws(angle=1.0)), GREY)
    mirror = np.array([0.0, 0.49, 0.51, 0.99, 0.2, 0.8])
    expected = np.where((mirror < 0.5)[:, None, None, None], GREY[:, :, ::-1], GREY)
    np.testing.assert_array_equal(Views(flip=True).varied(GREY, draws(mirror=mirror)), expected)
    np.testing.assert_array_equal(Views().varied(GREY, draws(mirror=mirror)), GREY)


def test_colours_are_jittered_and_a_fifth_is_grey():
    """guysrn/mmdc: jitter (0.4, 0.4, 0.4, 0.125), grey 0.2."""
    share = np.linspace(0, 1, 6)
    moved = {name: np.roll(share, n) for n, name in enumerate(("brightness", "contrast", "saturation", "hue"))}
    made = Views().varied(tf.constant(COLOUR), draws(**moved))
    factors = [1 + 0.4 * (2 * moved[name] - 1) for name in ("brightness", "contrast", "saturation")]
    parameters = [tf.constant(one, tf.float32) for one in (*factors, 0.125 * (2 * moved["hue"] - 1))]
    np.testing.assert_allclose(made, colour.jitter(tf.constant(COLOUR), *parameters), atol=1e-5)
    grey = Views().varied(tf.constant(COLOUR), draws(grey=[0.0, 0.19, 0.21, 0.5, 0.1, 0.99])).numpy()
    luma = COLOUR @ np.array([0.2989, 0.587, 0.114], np.float32)
    for one, is_grey in enumerate((True, True, False, False, True, False)):
        expected = np.repeat(luma[one][..., np.newaxis], 3, axis=2) if is_grey else COLOUR[one]
        np.testing.assert_allclose(grey[one], expected, atol=2e-3)


def test_quarters_are_one_behind_the_other():
    made = quarters(tf.constant(COLOUR)).numpy()
    np.testing.assert_array_equal(made, np.concatenate([np.rot90(COLOUR, n, (1, 2)) for n in range(4)]))


def test_values_out_of_their_ranges_are_refused():
    for crops in ((), (0.0,), (0.5, 1.1)):
        with pytest.raises(InputError, match="crops are shares of the image's side, above 0 and at most 1"):
            Views(crops=crops)
    with pytest.raises(InputError, match="rotation is from 0 to 180 degrees, not 181"):
        Views(rotation=181)


@pytest.mark.parametrize("images", [GREY, COLOUR])
def test_shifts_are_of_whole_pixels_and_half_are_mirrored(images):
    """A crop of the image padded by `most` pixels, as wide and high as it is (He et al., 2016, 4.2)."""
    rng, most = np.random.default_rng(1), 2
    draws = rng.uniform(0, 1, (6, 3)).astype(np.float32)
    padded = np.pad(images, [(0, 0), (most, most), (most, most), (0, 0)], mode="symmetric")
    for flip in (False, True):
        for image, made, (x, y, mirror) in zip(padded, shifted(images, draws, most, flip).numpy(), draws, strict=True):
            right, down = (int(5 * one) for one in (x, y))  # 0 .. 4; 2 leaves it where it is
            crop = image[4 - down : 16 - down, 4 - right : 16 - right]
            np.testing.assert_allclose(made, crop[:, ::-1] if flip and mirror < 0.5 else crop, atol=1e-5)
    assert (draws[:, 2] < 0.5).any() and (draws[:, 2] >= 0.5).any()
