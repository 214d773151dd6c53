import numpy as np
import pytest
from stand_in import SHAPE, Generator, StandIn, images, slerp, unit

from kerasinterp.errors import InputError
from kerasinterp.generation import few_shot, midpoints, sample


def test_few_shot_draws_points_between_distinct_seeds(model):
    seeds = images(2, 3)
    generated = few_shot(model, seeds, 400)
    assert generated.shape == (400, *SHAPE) and generated.dtype == np.float32
    # With two seeds every image lies on the one arc; its angle from the first seed is uniform over it.
    first, second = unit(seeds)
    arc = np.arccos(first @ second)
    flat = generated.reshape(400, -1).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), 1.0, atol=1e-5)
    angles, rest = np.arccos(np.clip(flat @ first, -1, 1)), np.arccos(np.clip(flat @ second, -1, 1))
    np.testing.assert_allclose(angles + rest, arc, atol=2e-3)
    assert abs(np.mean(angles / arc) - 0.5) < 0.05 and abs(np.var(angles / arc) - 1 / 12) < 0.01


def test_few_shot_uses_every_pair(model):
    seeds = -np.eye(16, dtype=np.float32)[:4].reshape(4, *SHAPE)  # a code tells which seeds it mixes, and how much
    weights = -few_shot(model, seeds, 500).reshape(500, 16)[:, :4]
    pairs = {tuple(np.flatnonzero(row > 1e-6)) for row in weights}
    assert pairs == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}
    for a, b in pairs:  # how much is mixed has nothing to do with what is mixed: the whole arc of each pair is drawn
        of_pair = weights[(weights[:, a] > 1e-6) & (weights[:, b] > 1e-6)]
        shares = np.arctan2(of_pair[:, b], of_pair[:, a]) / (np.pi / 2)
        assert shares.min() < 0.1 and shares.max() > 0.9 and abs(shares.mean() - 0.5) < 0.1


def test_few_shot_is_a_function_of_its_seed(model):
    seeds = images(5)
    drawn = few_shot(model, seeds, 20, seed=7)
    assert drawn.tobytes() == few_shot(model, seeds, 20, seed=7).tobytes()
    assert not np.allclose(drawn, few_shot(model, seeds, 20, seed=8))
    np.testing.assert_allclose(few_shot(model, seeds, 5, seed=7), drawn[:5], atol=1e-6)


def test_midpoints_are_those_of_all_pairs_in_order(model):
    seeds = images(4)
    codes = unit(seeds)
    expected = [slerp(codes[[i]], codes[[j]], 0.5)[0] for i in range(4) for j in range(i + 1, 4)]
    np.testing.assert_allclose(midpoints(model, seeds).reshape(6, -1), expected, atol=1e-6)


@pytest.mark.parametrize("make", [lambda model, seeds: few_shot(model, seeds, 3), midpoints])
def test_one_seed_is_not_enough(model, make):
    with pytest.raises(InputError, match="one seed image is not enough"):
        make(model, images(1))
    with pytest.raises(InputError, match="one seed image is not enough"):
        make(model, images(1)[0])


@pytest.mark.parametrize(
    ("n", "seed", "message"),
    [
        (0, 0, "at least one image"),
        (10**10, 0, r"need \d+ GB of memory"),
        (1, -1, "seed is -1"),
        (1, 2**32, "seed is 4294967296"),
    ],
)
def test_numbers_out_of_range(model, n, seed, message):
    with pytest.raises(InputError, match=message):
        few_shot(model, images(2), n, seed)
    with pytest.raises(InputError, match=message):
        sample(Generator(), n, seed)


def test_the_largest_seed_is_one(model):
    assert few_shot(model, images(2), 1, 2**32 - 1).shape == (1, *SHAPE)


def test_more_pairs_than_memory_holds(model, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 100)  # 10,000 bytes
    assert len(midpoints(model, images(9))) == 36
    with pytest.raises(InputError, match=r"120 images of 4x4x1 need .* GB"):
        midpoints(model, images(16))


def test_samples_are_the_images_of_what_the_prior_draws():
    made = sample(Generator(), 300, seed=5)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, Generator().prior(300, 5).numpy().reshape(300, *SHAPE))


def test_a_models_own_way_from_seeds_is_taken():
    class Own(Generator):
        def few_shot(self, seeds, n, seed):
            return np.full((n, *SHAPE), seeds[0].mean() + seed)

    made = few_shot(Own(), np.full((2, *SHAPE), 255, np.uint8), 3, seed=1)
    np.testing.assert_array_equal(made, np.ones((3, *SHAPE)))  # 1 + 1, cut to the range
    np.testing.assert_array_equal(few_shot(Own(), np.full((2, *SHAPE), -0.5), 1, 0), np.full((1, *SHAPE), -0.5))


@pytest.mark.parametrize("make", [lambda model, seeds: few_shot(model, seeds, 3), midpoints])
def test_seeds_for_a_model_without_an_encoder(make):
    with pytest.raises(InputError, match=r"Generator has no encoder to take images: it makes images from its prior"):
        make(Generator(), images(2))


def test_a_sample_of_a_model_without_a_prior():
    with pytest.raises(InputError, match=r"StandIn has no prior .*seed images"):
        sample(StandIn(), 3)


def test_the_spread_of_a_prior_that_takes_one():
    class OfClasses(Generator):
        def prior(self, count, seed, spread=1.0):
            return spread * super().prior(count, seed)

    whole = sample(OfClasses(), 9, 2)
    np.testing.assert_allclose(sample(OfClasses(), 9, 2, spread=0.25), 0.25 * whole, rtol=1e-6)
    assert not sample(OfClasses(), 9, 2, spread=0.0).any()
    for spread in (-0.5, np.inf, np.nan):
        with pytest.raises(InputError, match=r"spread is .*: give a factor of 0 or more"):
            sample(OfClasses(), 9, 2, spread=spread)
    with pytest.raises(InputError, match="The prior of Generator takes no spread: leave it out"):
        sample(Generator(), 9, 2, spread=1.0)
