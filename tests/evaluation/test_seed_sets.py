"""Images of many sets of seeds: those that the public way makes set by set."""

import types

import numpy as np
import pytest

from kerasinterp import data, generation
from kerasinterp.errors import InputError
from kerasinterp.evaluation import augmented_of_sets, fade_of_sets, few_shot_of_sets
from kerasinterp.evaluation.seed_sets import seeds_of_sets, usual_transformations
from tests.evaluation import toys

SETS = np.array([[0, 2, 4], [5, 1, 3], [4, 0, 6]])


@pytest.fixture(scope="module")
def images():
    return toys.images(0, 8)[0]


def test_all_sets_at_once_give_what_few_shot_gives_set_by_set(images):
    made = few_shot_of_sets(toys.identity(), images, SETS, 4, 3)
    one_by_one = [
        generation.few_shot(toys.identity(), images[own], 4, int(seed))
        for own, seed in zip(SETS, seeds_of_sets(3, 3), strict=True)
    ]
    assert made.shape == (12, 12, 12, 1) and made.dtype == np.float32
    np.testing.assert_allclose(made, np.concatenate(one_by_one), atol=1e-6)
    assert not np.allclose(made, few_shot_of_sets(toys.identity(), images, SETS, 4, 4))


def test_a_model_whose_codes_are_pixels_fades(images):
    made = few_shot_of_sets(toys.identity(), images, SETS, 4, 3)
    np.testing.assert_allclose(made, fade_of_sets(images, SETS, 4, 3), atol=1e-6)


def test_a_way_of_its_own_is_asked_set_by_set(images):
    asked = []

    def few_shot(seeds, n, seed):
        asked.append((seeds, n, seed))
        return np.full((n, 12, 12, 1), len(asked) / 10)

    model = types.SimpleNamespace(few_shot=few_shot, image_shape=(12, 12, 1))
    made = few_shot_of_sets(model, images, SETS, 2, 5)
    np.testing.assert_allclose(made[:, 0, 0, 0], [0.1, 0.1, 0.2, 0.2, 0.3, 0.3], rtol=1e-6)
    for (seeds, n, seed), own, expected in zip(asked, SETS, seeds_of_sets(5, 3), strict=True):
        np.testing.assert_array_equal(seeds, data.to_float(images[own]))
        assert (n, seed) == (2, expected)


def test_a_model_that_diverged_is_told(images):
    with pytest.raises(InputError, match="few-shot images hold values that are not finite"):
        few_shot_of_sets(toys.scaled(np.nan), images, SETS, 2, 0)


def test_augmented_images_are_of_the_sets_own_seeds(images):
    """Without a range the seeds themselves; and with A.1's the same ones for the same seed only."""
    still = augmented_of_sets(images, SETS, 5, 0, data.Transformations())
    own = data.to_float(images)
    for made, members in zip(still.reshape(3, 5, 12, 12, 1), SETS, strict=True):
        assert all(any(np.allclose(image, own[n], atol=1e-6) for n in members) for image in made)
    moved, again, other = (augmented_of_sets(images, SETS, 5, seed) for seed in (0, 0, 2**32 - 1))
    np.testing.assert_array_equal(moved, again)
    assert not np.allclose(moved, still) and not np.allclose(moved, other)
    assert moved.min() >= -1 and moved.max() <= 1


@pytest.mark.parametrize(
    ("value", "channels", "expected"),
    [(0, 1, ("constant", 20.0)), (250, 1, ("symmetric", 20.0)), (0, 3, ("symmetric", 10.0))],
)
def test_ranges_are_those_of_the_paper_and_paper_is_continued(value, channels, expected):
    ranges = usual_transformations(np.full((2, 12, 12, channels), value, np.uint8))
    assert (ranges.padding, ranges.rotation) == expected
    assert ranges.translation == 12 / (8 if channels == 3 else 7)


def test_pairs_are_of_distinct_seeds():
    """Black and white seeds in turn: a fade of a seed with itself would have their value."""
    images = np.stack([np.full((12, 12, 1), value, np.uint8) for value in (0, 255)])
    faded = fade_of_sets(images, np.array([[0, 1]]), 200, 0)[:, 0, 0, 0]
    assert np.sum(np.abs(faded) > 0.99) < 20 and len(np.unique(faded)) > 190
