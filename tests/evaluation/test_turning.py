"""Turning against a plain computation, and against in-betweens whose errors are known."""

import types

import numpy as np
import PIL.Image
import pytest

from kerasinterp.data import HANDWRITTEN, NATURAL, Transformations, triplets
from kerasinterp.errors import InputError
from kerasinterp.evaluation import draw_turning, turning_between, turning_error
from kerasinterp.ops import mixing
from tests.evaluation import toys

IMAGES = toys.images(0)[0]


def test_it_is_the_mean_squared_error_from_the_true_in_between():
    batch = next(iter(triplets(IMAGES, 40, steps=1, seed=3)))
    a, b, c, alpha = (batch[key].numpy().astype(np.float64) for key in ("a", "b", "c", "alpha"))
    expected = []
    for n in range(40):
        made = alpha[n] * (a[n] + 1) / 2 + (1 - alpha[n]) * (b[n] + 1) / 2  # alpha is the weight of A
        expected.append(np.mean((made - (c[n] + 1) / 2) ** 2))
    found = turning_error(turning_between(None), IMAGES, count=40, seed=3)
    assert found["turning_error"] == pytest.approx(np.mean(expected), rel=1e-5)
    assert found["turning_error_deviation"] == pytest.approx(np.std(expected, ddof=1) / 40**0.5, rel=1e-5)


def test_a_model_whose_codes_are_the_pixels_fades():
    found = (turning_error(turning_between(model), IMAGES, count=20) for model in (toys.identity(), None))
    first, second = (row["turning_error"] for row in found)
    assert first == pytest.approx(second, rel=1e-5) and first > 0.001


def test_who_knows_the_truth_has_no_error_and_more_triplets_than_a_batch_are_counted_once():
    """A shift of brightness alone is linear, so that blending is the truth; 300 triplets are three batches."""
    colour = np.random.default_rng(0).integers(60, 180, (10, 8, 8, 3), dtype=np.uint8)
    sizes = []

    def counted(a, b, weights):
        sizes.append(len(weights))
        return turning_between(None)(a, b, weights)

    found = turning_error(counted, colour, Transformations(brightness=0.25), count=300)
    assert found["turning_error"] == pytest.approx(0.0, abs=1e-6)
    assert sizes == [128, 128, 44]


def test_a_constant_error_is_its_square_in_units_of_the_whole_range():
    """Half a grey level of [-1, 1] is a quarter of [0, 1]."""
    truth = [batch["c"].numpy() for batch in triplets(IMAGES, 16, steps=1)]
    found = turning_error(lambda a, b, weights: truth.pop() + 0.5, IMAGES, count=16)
    assert found == pytest.approx({"turning_error": 0.0625, "turning_error_deviation": 0.0}, abs=1e-6)


def test_it_is_a_function_of_its_seed():
    rows = [turning_error(turning_between(None), IMAGES, count=20, seed=seed) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]


def test_colour_images_come_in_their_own_size_whatever_the_crop():
    colour = np.repeat(IMAGES, 3, axis=-1)
    cropped = Transformations(10.0, 2.0, padding="symmetric", crop=8)
    for ranges in (cropped, NATURAL):
        assert turning_error(turning_between(None), colour, ranges, count=10)["turning_error"] > 0
    whole = turning_error(turning_between(None), colour, Transformations(10.0, 2.0, padding="symmetric"), count=10)
    assert turning_error(turning_between(None), colour, cropped, count=10) == whole


def test_bad_input_gets_one_sentence():
    fade = turning_between(None)
    with pytest.raises(InputError, match="at least 2 triplets"):
        turning_error(fade, IMAGES, count=1)
    with pytest.raises(InputError, match="leave these images as they are"):
        turning_error(fade, IMAGES, Transformations(brightness=0.2), count=4)  # grey images have no colour
    with pytest.raises(InputError, match="leave these images as they are"):
        turning_error(fade, np.zeros_like(IMAGES), HANDWRITTEN, count=4)
    with pytest.raises(InputError, match="an image a pair"):
        turning_error(lambda a, b, weights: a[:, np.newaxis], IMAGES, count=4)
    with pytest.raises(InputError, match="not finite"):
        turning_error(lambda a, b, weights: a * np.nan, IMAGES, count=4)


@pytest.mark.parametrize("kind", [mixing.Bernoulli(), mixing.PerFeature(), mixing.Dirichlet()])
def test_a_model_that_draws_its_own_weights_has_none(kind):
    model = toys.identity()
    model.mixing = kind
    with pytest.raises(InputError, match=f"{type(kind).__name__} mixing draws weights of its own"):
        turning_between(model)


def test_a_model_without_mixing_is_told():
    model = toys.identity()
    del model.mixing
    with pytest.raises(InputError, match="no mixing"):
        turning_error(turning_between(model), IMAGES, count=4)
    with pytest.raises(InputError, match="no encoder"):
        turning_error(turning_between(types.SimpleNamespace(mixing=mixing.Linear())), IMAGES, count=4)


def test_the_picture_has_a_row_for_the_ends_the_truth_and_everyone(tmp_path):
    path = draw_turning({"AE": toys.identity()}, IMAGES, tmp_path / "turning.png", count=3)
    with PIL.Image.open(path) as picture:
        wide, high = picture.size
    path = draw_turning({}, IMAGES, tmp_path / "turning.png", count=2)
    with PIL.Image.open(path) as picture:
        assert wide - picture.size[0] == high - picture.size[1] == 75  # a tile of six times 12 pixels, and a gap
