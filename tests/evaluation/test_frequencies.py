"""Noise of a given frequency, and what is measured with it."""

import numpy as np
import pytest
from PIL import Image

from kerasinterp import evaluation
from kerasinterp.errors import InputError
from kerasinterp.evaluation import frequencies
from tests.evaluation import toys


def test_noise_of_every_pixel_is_drawn_uniformly():
    images = evaluation.noise(28, (28, 28, 1), 200, seed=3)
    expected = np.random.default_rng([3, 28]).uniform(-1, 1, (200, 28, 28, 1)).astype(np.float32)
    np.testing.assert_allclose(images, expected, atol=1e-6)


def test_lower_frequencies_are_enlarged_between_the_cells():
    images = evaluation.noise(2, (8, 8, 1), 50, seed=0)
    cells = np.random.default_rng([0, 2]).uniform(-1, 1, (50, 2, 2, 1)).astype(np.float32)
    # Cell centres are at pixels 1.5 and 5.5; a pixel p lies (p - 1.5) / 4 of the way.
    way = np.clip((np.arange(8) - 1.5) / 4, 0, 1)
    weights = np.stack([1 - way, way])
    np.testing.assert_allclose(images, np.einsum("ncdk,cy,dx->nyxk", cells, weights, weights), atol=1e-5)
    assert images.dtype == np.float32 and images.min() >= -1 and images.max() <= 1


def test_one_cell_is_one_value_and_colours_and_sides_keep_their_form():
    flat = evaluation.noise(1, (6, 6, 3), 4)
    assert np.ptp(flat, axis=(1, 2)).max() < 1e-6
    assert np.ptp(flat, axis=3).min() > 0  # each channel its own
    assert evaluation.noise(4, (8, 16, 3), 2).shape == (2, 8, 16, 3)
    np.testing.assert_array_equal(evaluation.noise(4, (8, 8, 1), 3, 5), evaluation.noise(4, (8, 8, 1), 3, 5))
    assert (evaluation.noise(4, (8, 8, 1), 3, 5) != evaluation.noise(4, (8, 8, 1), 3, 6)).any()


def test_frequencies_reach_from_one_value_to_every_pixel():
    assert evaluation.frequencies_of((28, 28, 1)) == [1, *range(2, 29, 2)]
    assert evaluation.frequencies_of((64, 80, 3))[-1] == 64
    assert evaluation.frequencies_of((3, 3, 1)) == [1, 2, 3]


def test_errors_are_of_values_in_0_to_1():
    found = evaluation.noise_errors(toys.blank(), [1, 12], trials=60, seed=1)
    drawn = [evaluation.noise(frequency, (12, 12, 1), 60, 1) / 2 for frequency in (1, 12)]  # blank is the middle grey
    assert found == pytest.approx([np.sqrt(np.square(one).mean(axis=(1, 2, 3))).mean() for one in drawn], rel=1e-5)
    assert evaluation.noise_errors(toys.identity(), [1, 12], trials=3) == pytest.approx([0.0, 0.0], abs=1e-6)


def test_what_cannot_be_drawn():
    for arguments, sentence in (
        ((0, (8, 8, 1), 1), "from 1 to the shorter side, 8, not 0"),
        ((9, (8, 12, 1), 1), "not 9"),
        ((2, (8, 8, 1), 0), "at least one image"),
        ((2, (8, 8, 1), 1, -1), "seed is -1"),
    ):
        with pytest.raises(InputError, match=sentence):
            evaluation.noise(*arguments)


def test_the_worst_model_is_not_cut_off_by_the_axes_of_the_best(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(frequencies, "save", lambda figure, path: kept.append(figure) or path)
    evaluation.draw_noise({"AE": {1: 0.1, 4: 0.2}, "VAE": {1: 0.9, 4: 0.3}}, {"VAE": {"letters": 1.5}}, tmp_path)
    for axis in kept[0].axes:
        assert axis.get_ylim()[0] == 0.0 and axis.get_ylim()[1] > 1.5
    assert [text.get_text() for legend in kept[0].legends for text in legend.get_texts()] == ["noise"]


def test_the_figure(tmp_path):
    curves = {"AE": {1: 0.3, 4: 0.2}, "VAE": {1: 0.4, 4: 0.3}}
    path = evaluation.draw_noise(curves, {"AE": {"letters": 0.1}}, tmp_path / "noise.png")
    with Image.open(path) as picture:
        assert picture.width > 2 * 300
    with pytest.raises(InputError, match="no systems"):
        evaluation.draw_noise({}, {}, tmp_path / "none.png")
