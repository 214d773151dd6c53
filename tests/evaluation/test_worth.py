import numpy as np
import pytest

from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation import worth
from tests.evaluation import toys


def examples(count: int = 20, seed: int = 0) -> Examples:
    return Examples(*toys.images(seed, count), ("left", "right"))


def test_halves_deal_out_each_class():
    labels = np.array([0] * 5 + [1] * 4 + [3] * 3)
    one, other = worth.halves(labels, 1)
    assert sorted([*one, *other]) == list(range(12))
    dealt = [np.bincount(labels[half], minlength=4).tolist() for half in (one, other)]
    assert dealt == [[3, 2, 0, 2], [2, 2, 0, 1]]  # the odd classes' extra images: the first of a class's number
    again = worth.halves(labels, 1)
    np.testing.assert_array_equal(one, again[0])
    assert not np.array_equal(one, worth.halves(labels, 2)[0])


def test_classes_that_cannot_be_halved_are_refused():
    with pytest.raises(InputError, match="Class 2 has a single image"):
        worth.halves(np.array([0, 0, 2]), 0)
    with pytest.raises(InputError, match="The images have no classes"):
        worth.halves(None, 0)


def test_half_of_each_batch_is_made_and_three_in_four_move_where_they_should():
    grey, light = (np.full((6, 12, 12, 1), value, np.uint8) for value in (100, 200))
    labels = np.array([0, 1] * 3)
    real, made = Examples(grey, labels), Examples(light, 1 - labels)
    for images, _ in worth.half_and_half(real, None, None, 3, 2):
        assert images.shape == (64, 12, 12, 1) and len(np.unique(images)) == 1
    drawn = list(worth.half_and_half(real, made, None, 3, 2))
    assert len(drawn) == 2
    for images, classes in drawn:
        values = images.numpy().mean(axis=(1, 2, 3))
        np.testing.assert_allclose(values, [100 / 127.5 - 1] * 32 + [200 / 127.5 - 1] * 32, atol=1e-6)
        assert 0 < classes.numpy()[:32].mean() < 1
    bars = examples()
    moves = worth.transforming(bars.images)
    moved, still = (next(iter(worth.half_and_half(bars, bars, one, 3, 1)))[0].numpy() for one in (moves, None))
    assert 0.6 < (np.abs(moved - still).max(axis=(1, 2, 3)) > 0.1).mean() < 0.9  # of 64, three in four


def test_what_is_measured():
    """Bars left or right are easy; what is made of a half is learned from with that half, and judged by the other."""
    asked, told = [], []
    own = examples(24)
    measured = worth.Worth(own, steps=150, width=8, repeats=1)

    def made(half: int) -> Examples:
        asked.append(half)
        some = own.select(measured.halves[half])
        return Examples(some.images, some.labels if half == 0 else 1 - some.labels)

    found = measured.measure(made, lambda: told.append(1))
    assert asked == [0, 1] and len(told) == measured.number == 8
    assert found["real"]["accuracy"] == 1.0
    assert found["class_fidelity"] == pytest.approx(0.5, abs=0.1)  # all of one half, none of the other
    assert found["mix"]["accuracy"] < 0.95  # the second half was learned with wrong images too
    gain = found["mix"]["accuracy"] - 1.0
    assert found["mix"]["gain"] == pytest.approx(gain)
    assert found["mix"]["gain_low"] < gain < found["mix"]["gain_high"]
    over = found["mix_transformed"]["accuracy"] - found["real_transformed"]["accuracy"]
    assert found["mix_transformed"]["gain_over_transformed"] == pytest.approx(over)


def test_newness_is_the_distance_from_the_nearest_of_the_class():
    rng = np.random.default_rng(0)
    real, made = (rng.integers(0, 256, (count, 4, 4, 1), np.uint8) for count in (7, 5))
    classes, made_classes = np.array([0, 0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 2, 0])
    made[1] = real[4]
    found = worth.newness(made, made_classes, real, classes)
    rows = real.astype(float).reshape(7, -1) / 127.5 - 1
    for n, label in enumerate(made_classes):
        own = np.flatnonzero(classes == label)
        away = np.linalg.norm(made[n].reshape(-1) / 127.5 - 1 - rows[own], axis=1)
        assert found["nearest"][n] == own[away.argmin()]
        if len(own) == 1:
            assert np.isnan(found["distance"][n])
            continue
        between = np.linalg.norm(rows[own][:, None] - rows[own], axis=-1) + np.diag([np.inf] * len(own))
        assert found["distance"][n] == pytest.approx(away.min() / between.min(axis=1).mean(), rel=1e-4, abs=1e-6)
    assert found["copies"] == pytest.approx(1 / 4)
    assert worth.newness(made[3:4], np.array([2]), real, classes)["copies"] is None


def test_nothing_is_tested_on_what_it_learned_from(monkeypatch):
    """Noise has no classes, and can only be remembered."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 1), np.uint8)
    own = Examples(noise, np.arange(40) // 20, ("a", "b"))  # of either half the first ten are of a
    monkeypatch.setattr(worth, "transforming", lambda images: lambda batch, seed: batch)  # moved, it is not remembered
    measured = worth.Worth(own, steps=100, width=8, repeats=1)
    found = measured.measure(lambda half: own.select(measured.halves[half]))
    for chance in (found["real"]["accuracy"], found["mix"]["accuracy"], found["class_fidelity"]):
        assert 0.2 < chance < 0.8


def test_each_way_learns_from_its_own_images(monkeypatch):
    drawn, half_and_half = [], worth.half_and_half

    def noted(real, made, moves, *others):
        drawn.append((made is not None, moves is not None))
        return half_and_half(real, made, moves, *others)

    monkeypatch.setattr(worth, "half_and_half", noted)
    own = examples(8)
    measured = worth.Worth(own, steps=2, width=4, repeats=2)
    measured.measure(lambda half: own.select(measured.halves[half]))
    ways = {"real": (False, False), "mix": (True, False), "real_transformed": (False, True)}
    ways["mix_transformed"] = (True, True)
    assert drawn == 2 * [ways[way] for way in worth.WAYS for _ in range(2)]
