"""The bounds of COLA's chapter 6 against simulations."""

import math

import numpy as np
import pytest
from PIL import Image

from kerasinterp.errors import InputError
from kerasinterp.evaluation import sample_size as sizes

MEAN = 0.4


def errors(count: int, low: float, high: float, trials: int = 40_000, seed: int = 0) -> np.ndarray:
    """How far means of uniform draws are off."""
    return np.random.default_rng(seed).uniform(low, high, (trials, count)).mean(axis=1) - MEAN


def test_that_many_made_images_have_the_expected_error_of_the_real_ones():
    """Proposition 1: real U(0.1, 0.7) of variance 0.03, made U(0.36, 0.56) of variance 1/300 and a mean off by 0.06."""
    real, made = (0.1, 0.7), (0.36, 0.56)
    enough = sizes.sufficient_for_error(5, 0.6**2 / 12, 0.2**2 / 12, 0.06)
    assert enough == pytest.approx(5 * (0.04 / 12) / (0.03 - 5 * 0.0036))
    of_real = np.square(errors(5, *real)).mean()
    assert of_real == pytest.approx(0.03 / 5, rel=0.03)
    assert np.square(errors(math.ceil(enough), *made)).mean() <= of_real
    assert np.square(errors(1, *made)).mean() > of_real
    equal = 0.06**2 + (0.04 / 12) / enough
    assert equal == pytest.approx(0.03 / 5)


def test_no_number_is_enough_beyond_the_most():
    assert sizes.most_real(0.03, 0.06) == pytest.approx(0.03 / 0.0036)
    assert sizes.sufficient_for_error(8, 0.03, 0.1, 0.06) < math.inf
    assert sizes.sufficient_for_error(9, 0.03, 0.1, 0.06) == math.inf
    assert np.square(errors(3000, 0.36, 0.56, trials=500)).mean() > np.square(errors(9, 0.1, 0.7)).mean()
    assert sizes.most_real(0.03, 0.0) == math.inf and sizes.sufficient_for_error(9, 0.03, 0.03, 0.0) == pytest.approx(9)


@pytest.mark.parametrize("count", [3, 20])
def test_the_bound_holds_and_is_hoeffding_s(count):
    for error, bias, (low, high) in ((0.2, 0.0, (0.1, 0.7)), (0.25, 0.06, (0.16, 0.76))):
        share = (np.abs(errors(count, low, high)) >= error).mean()
        assert share <= sizes.hoeffding_bound(count, error, bias)
        assert sizes.hoeffding_bound(count, error, bias) == pytest.approx(
            2 * math.exp(-2 * count * (error - bias) ** 2)
        )


def test_that_many_made_images_are_bounded_as_tightly_as_the_real_ones():
    """Proposition 2."""
    enough = sizes.sufficient_for_confidence(10, 0.3, 0.1)
    assert enough == pytest.approx(22.5)
    assert sizes.hoeffding_bound(23, 0.3, 0.1) <= sizes.hoeffding_bound(10, 0.3) < sizes.hoeffding_bound(22, 0.3, 0.1)


def test_lines_end_where_no_number_is_enough(monkeypatch, tmp_path):
    monkeypatch.setattr(sizes, "save", lambda figure, path: figure)
    axis = sizes.draw_sample_size(tmp_path / "sizes.png", 1.0, 1.0, (0.0, 0.1), most=1000).axes[0]
    unbiased, biased, end = axis.get_lines()
    assert [line.get_label() for line in (unbiased, biased)] == ["bias 0", "bias 0.1"]
    assert all(line.get_linewidth() > 0 for line in axis.get_lines())
    assert set(end.get_xdata()) == {sizes.most_real(1.0, 0.1)} and end.get_color() == biased.get_color()
    known = np.isfinite(biased.get_ydata())
    assert known.any() and np.all(biased.get_xdata()[known] <= sizes.most_real(1.0, 0.1))
    assert np.isfinite(unbiased.get_ydata()).all() and unbiased.get_xdata()[-1] == 1000


def test_a_line_for_each_bias(tmp_path):
    path = sizes.draw_sample_size(tmp_path / "sizes.png", 1.0, 1.0, (0.0, 0.1, 0.3))
    with Image.open(path) as picture:
        assert picture.width > 300
    with pytest.raises(InputError, match="at least one bias"):
        sizes.draw_sample_size(tmp_path / "none.png", 1.0, 1.0, ())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sizes.sufficient_for_error(0, 1.0, 1.0, 0.0), "at least one image, not 0"),
        (lambda: sizes.sufficient_for_error(1, 0.0, 1.0, 0.0), "variance_real is above 0"),
        (lambda: sizes.sufficient_for_error(1, 1.0, -1.0, 0.0), "variance_made is 0 or more"),
        (lambda: sizes.most_real(1.0, math.nan), "bias is 0 or more, and finite, not nan"),
        (lambda: sizes.sufficient_for_confidence(1, 0.1, 0.1), "error is above the bias, 0.1, not 0.1"),
    ],
)
def test_numbers_out_of_range(call, said):
    with pytest.raises(InputError, match=said):
        call()
