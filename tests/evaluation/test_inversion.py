"""How well models represent images: the errors, of floats and bytes alike, and their figure."""

import numpy as np
import pytest
from PIL import Image

from kerasinterp.errors import InputError
from kerasinterp.evaluation import inversion
from tests.evaluation import toys


def test_errors_follow_their_definitions_for_floats_and_bytes():
    rng = np.random.default_rng(0)
    images, made = rng.integers(0, 256, (2, 5, 12, 12, 1), dtype=np.uint8)
    difference = (images.astype(float) - made).reshape(5, -1)
    expected = {
        "l2": np.sqrt((difference**2).mean(axis=1)).mean(),
        "squared": (difference**2).mean() / 255.0,
        "l1": np.abs(difference).mean() / 127.5,
    }
    floats = [one / 127.5 - 1.0 for one in (images, made)]
    for pair in ((images, made), floats, (images, floats[1]), (floats[0], made)):
        assert inversion.mean_errors(*pair) == pytest.approx(expected, rel=1e-5)
    assert inversion.mean_errors(images, images) == {"l2": 0.0, "squared": 0.0, "l1": 0.0}


def test_an_encoder_is_refined_and_both_are_shown():
    images, _ = toys.images(0, 4)
    errors, made = inversion.representation(toys.scaled(0.9), images, steps=3, rate=1.0)
    floats = images / 127.5 - 1.0
    np.testing.assert_allclose(made["encoded"], 0.9 * floats, atol=1e-5)
    assert errors["encoded"]["l1"] == pytest.approx(0.1 * np.abs(floats).mean(), rel=1e-4)
    assert errors["refined"]["l1"] < errors["encoded"]["l1"]


def test_light_images_are_bytes_and_no_floats_of_another_range():
    """Between 160 and 200 of 255, which as floats look as if they were in [0, 1]."""
    light = np.random.default_rng(0).integers(160, 200, (2, 12, 12, 1), dtype=np.uint8)
    errors, _ = inversion.representation(toys.identity(), light, steps=1)
    assert errors["encoded"]["l1"] == pytest.approx(0.0, abs=1e-5)


def test_the_figure(tmp_path):
    errors = {"VAE": np.ones((4, 2)), "WGAN-GP": np.zeros((4, 3))}
    with Image.open(inversion.draw_errors(errors, tmp_path / "errors.png")) as picture:
        assert picture.width > 300
    with pytest.raises(InputError, match=r"give \(steps"):
        inversion.draw_errors({"VAE": np.ones(4)}, tmp_path / "none.png")
