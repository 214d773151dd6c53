"""DiffAugment against NumPy, written from the official code (Zhao et al., 2020)."""

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.ops import diff_augment

ALL = ("color", "translation", "cutout")
SIZES = [(16, 16, 3), (12, 17, 1)]


def images(shape, count=40):
    return np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype(np.float32)


def draws(names, count=40, seed=1):
    return np.random.default_rng(seed).uniform(size=(count, diff_augment.drawn(names))).astype(np.float32)


def color(x, u):
    x = x + u[0] - 0.5
    mean = x.mean(axis=2, keepdims=True)
    x = (x - mean) * 2 * u[1] + mean
    return (x - x.mean()) * (u[2] + 0.5) + x.mean()


def translation(x, u):
    (height, width, _), found = x.shape, np.zeros_like(x)
    most = [int(side * 0.125 + 0.5) for side in (height, width)]
    down, right = (int(own * (2 * n + 1)) - n for own, n in zip(u, most, strict=True))
    for i in range(height):
        for j in range(width):
            if 0 <= i - down < height and 0 <= j - right < width:
                found[i, j] = x[i - down, j - right]
    return found


def cutout(x, u):
    """Official: a grid of the cut's size about an offset, cut off at the image's border."""
    found = x.copy()
    sizes = [int(side * 0.5 + 0.5) for side in x.shape[:2]]
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            place = [
                int(own * (side + 1 - size % 2)) + n - size // 2
                for own, side, size, n in zip(u, x.shape[:2], sizes, (i, j), strict=True)
            ]
            if all(0 <= one < side for one, side in zip(place, x.shape[:2], strict=True)):
                found[tuple(place)] = 0
    return found


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("names", [("color",), ("translation",), ("cutout",), ALL, ("cutout", "color")])
def test_each_image_is_augmented_by_its_own_draws(names, shape):
    x, u = images(shape), draws(names)
    expected = []
    for image, own in zip(x, u, strict=True):
        for name in names:
            own, rest = np.split(own, [diff_augment.drawn((name,))])
            image, own = globals()[name](image, own), rest
        expected.append(image)
    np.testing.assert_allclose(diff_augment.augmented(tf.constant(x), names, tf.constant(u)), expected, atol=2e-6)


def test_places_are_drawn_all_as_often():
    """Moves of -2 ... 2 pixels, and a cut's 17 centres, from one side of the border to the other."""
    x, u = np.ones((3000, 16, 16, 1), np.float32), draws(("cutout",), 3000)
    moved = diff_augment.translation(tf.constant(x), tf.constant(u)).numpy()[..., 0]
    signed = (moved[:, 0].max(1) == 0) * (16 - moved.max(2).sum(1)) - (moved[:, -1].max(1) == 0) * (
        16 - moved.max(2).sum(1)
    )
    assert np.unique(signed).tolist() == [-2, -1, 0, 1, 2]
    assert np.unique(signed, return_counts=True)[1].min() > 500
    rows = 16 - diff_augment.cutout(tf.constant(x), tf.constant(u)).numpy()[..., 0].min(2).sum(1)
    assert rows.min() == 4 and rows.max() == 8
    centres, counts = np.unique((u[:, 0] * 17).astype(int), return_counts=True)
    assert len(centres) == 17 and counts.min() > 100


def test_the_gradient_passes_through():
    """Against finite differences in float64."""
    x, u = images((16, 16, 3), 6).astype(np.float64), draws(ALL, 6).astype(np.float64)
    rng = np.random.default_rng(2)
    weights, direction = rng.normal(size=x.shape), rng.normal(size=x.shape)

    def loss(given):
        return tf.reduce_sum(weights * diff_augment.augmented(given, ALL, tf.constant(u)) ** 2)

    given = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = loss(given)
    slope = np.sum(tape.gradient(value, given).numpy() * direction)
    sides = [float(loss(tf.constant(x + step * direction))) for step in (1e-6, -1e-6)]
    assert slope == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6)


def test_no_augmentation_changes_nothing():
    x = images((16, 16, 3))
    np.testing.assert_allclose(diff_augment.color(x, tf.constant([[0.5, 0.5, 0.5]] * 40)), x, atol=1e-6)
    np.testing.assert_array_equal(diff_augment.translation(tf.constant(x), tf.fill((40, 2), 0.5)), x)


def test_other_names_are_refused():
    diff_augment.check(ALL)
    with pytest.raises(InputError, match=r"of color, translation, cutout, not 'colour'\. Did you mean 'color'"):
        diff_augment.check(("colour",))
    with pytest.raises(InputError, match="each kind once, not color, color"):
        diff_augment.check(("color", "color"))
