"""Affine transformations of images against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.ops import geometry

IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 8, 11, 2)).astype(np.float32)


def moved(images, fill=-1.0, rotation=0.0, translation=(0.0, 0.0), scale=1.0, shear=0.0):
    """All images by one transformation."""
    count = len(images)
    parameters = (np.full(count, rotation), np.tile(translation, (count, 1)), np.full(count, scale))
    parameters = [tf.constant(value, tf.float32) for value in (*parameters, np.full(count, shear))]
    return geometry.warp(tf.constant(images), geometry.affine(*parameters, images.shape[1:3]), fill).numpy()


def shifted(images, right, down, **padding):
    """`images` moved by whole pixels, what comes in from outside as `np.pad` has it."""
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)), **padding)
    return padded[:, 4 - down : 4 - down + height, 4 - right : 4 - right + width]


@pytest.mark.parametrize(("right", "down"), [(3, -2), (-4, 1), (0, 4)])
def test_translation_is_right_and_down_and_continues_the_image_symmetrically(right, down):
    """AugIntAE A.1 pads CIFAR's images symmetrically: (d c b a | a b c d | d c b a), the edge's pixels twice."""
    found = moved(IMAGES, fill=None, translation=(right, down))
    np.testing.assert_allclose(found, shifted(IMAGES, right, down, mode="symmetric"), atol=1e-5)


@pytest.mark.parametrize("fill", [-1.0, 0.0, 0.5])
def test_the_fill_stands_outside(fill):
    found = moved(IMAGES, fill, translation=(2, 3))
    np.testing.assert_allclose(found, shifted(IMAGES, 2, 3, mode="constant", constant_values=fill), atol=1e-5)


def test_between_pixels_it_is_bilinear():
    right, down = 0.25, -0.5
    corners = [shifted(IMAGES, x, y, mode="symmetric") for x, y in [(0, 0), (1, 0), (0, -1), (1, -1)]]
    expected = np.tensordot([0.75 * 0.5, 0.25 * 0.5, 0.75 * 0.5, 0.25 * 0.5], corners, axes=1)
    np.testing.assert_allclose(moved(IMAGES, None, translation=(right, down)), expected, atol=1e-5)


def test_a_right_angle_turns_the_x_axis_to_the_y_axis():
    square = IMAGES[:, :, :8]
    np.testing.assert_allclose(moved(square, rotation=90.0), np.rot90(square, -1, axes=(1, 2)), atol=1e-4)


def test_twice_the_scale_is_twice_the_size_about_the_centre():
    dots = np.full((1, 9, 9, 1), -1.0, np.float32)
    dots[0, 4, 4], dots[0, 3, 6] = 1.0, 0.5  # a row up and two to the right of the centre
    found = moved(dots, scale=2.0)
    assert (found[0, 4, 4, 0], found[0, 2, 8, 0]) == pytest.approx((1.0, 0.5), abs=1e-5)


def test_any_point_goes_where_the_product_of_matrices_sends_it():
    """T R S_h S of a point about the centre in float64, an image's own parameters each (AugIntAE A.1)."""
    rng = np.random.default_rng(1)
    rotation, shear, scale = rng.uniform(-180, 180, 6), rng.uniform(-50, 50, 6), rng.uniform(0.3, 3, 6)
    translation, size, points = rng.uniform(-9, 9, (6, 2)), (28, 20), rng.uniform(0, 20, (6, 2))
    maps = geometry.affine(*(tf.constant(v, tf.float32) for v in (rotation, translation, scale, shear)), size)
    centre = (np.array([20, 28]) - 1) / 2
    angle, slant = np.radians(rotation), np.tan(np.radians(shear))
    for n, (a0, a1, a2, b0, b1, b2, *projective) in enumerate(maps.numpy().astype(float)):
        turn = np.array([[np.cos(angle[n]), -np.sin(angle[n])], [np.sin(angle[n]), np.cos(angle[n])]])
        x, y = turn @ [[1, -slant[n]], [0, 1]] @ (scale[n] * (points[n] - centre)) + centre + translation[n]
        np.testing.assert_allclose([a0 * x + a1 * y + a2, b0 * x + b1 * y + b2], points[n], atol=1e-3)
        assert projective == [0, 0]
