"""Pixel errors by hand."""

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import l2_error, squared_error_255


def test_errors_are_means_over_images_on_the_scale_of_0_to_255():
    images = np.zeros((2, 4, 4, 1), np.uint8)
    reconstructions = images.copy()
    reconstructions[0] = 51  # one image off by a fifth of the range, the other exact
    assert l2_error(images, reconstructions) == pytest.approx(51 / 2, rel=1e-6)
    assert squared_error_255(images, reconstructions) == pytest.approx(255 * 0.2**2 / 2, rel=1e-6)


def test_floats_and_bytes_agree():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 4, 1), dtype=np.uint8)
    assert l2_error(*images) == pytest.approx(l2_error(*(images / 127.5 - 1.0)), rel=1e-5)


def test_unequal_shapes_are_refused():
    with pytest.raises(InputError, match="differ in shape"):
        l2_error(np.zeros((2, 4, 4, 1)), np.zeros((3, 4, 4, 1)))
