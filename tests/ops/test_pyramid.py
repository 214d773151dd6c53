import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from kerasinterp.ops import losses
from kerasinterp.ops.pyramid import laplacian


def reference(image: np.ndarray, levels: int = 3) -> list[np.ndarray]:
    """Of one channel, by SciPy: what a 5 x 5 blur takes away, then half the size."""
    line = np.array([1, 4, 6, 4, 1]) / 16
    found, rest = [], image.astype(float)
    for _ in range(levels):
        blurred = scipy.ndimage.convolve(rest, np.outer(line, line), mode="nearest")
        found.append(rest - blurred)
        height, width = (side // 2 for side in blurred.shape)
        rest = blurred[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))
    return [*found, rest]


@pytest.mark.parametrize("size", [(28, 28), (16, 20), (13, 9)])
def test_levels_are_what_blurs_take_away(size):
    images = np.random.default_rng(0).uniform(-1, 1, (2, *size, 3)).astype(np.float32)
    found = laplacian(tf.constant(images))
    assert len(found) == 4
    for n in range(2):
        for channel in range(3):
            for level, expected in zip(found, reference(images[n, ..., channel]), strict=True):
                np.testing.assert_allclose(level[n, ..., channel], expected, atol=1e-6)


def test_a_flat_image_has_no_details_up_to_its_border():
    *details, rest = laplacian(tf.fill((1, 16, 16, 1), 0.7))
    assert max(float(tf.reduce_max(tf.abs(level))) for level in details) < 1e-6
    np.testing.assert_allclose(rest, 0.7, atol=1e-6)


def test_small_images_have_fewer_levels():
    assert [level.shape[1] for level in laplacian(tf.zeros((1, 4, 4, 1)))] == [4, 2, 1]


def test_the_error_weighs_levels_as_the_paper_does():
    """COLA eq. 3.5: sum_l 4^l |L_l(x) - L_l(x')|_1, here over the number of values of the image."""
    a, b = np.random.default_rng(1).uniform(-1, 1, (2, 3, 16, 16, 2)).astype(np.float32)
    found = losses.laplacian_error(tf.constant(a), tf.constant(b))
    expected = np.zeros(3)
    for n in range(3):
        for channel in range(2):
            pairs = zip(reference(a[n, ..., channel]), reference(b[n, ..., channel]), strict=True)
            expected[n] += sum(4**level * np.abs(one - other).sum() for level, (one, other) in enumerate(pairs))
    np.testing.assert_allclose(found, expected / (16 * 16 * 2), rtol=1e-5)
