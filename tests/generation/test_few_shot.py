import numpy as np
import pytest
from stand_in import SHAPE, images, slerp, unit

from kerasinterp.errors import InputError
from kerasinterp.generation import few_shot, midpoints


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


def test_no_image_asked_for(model):
    with pytest.raises(InputError, match="at least one image"):
        few_shot(model, images(2), 0)
