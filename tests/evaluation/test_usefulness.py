"""Usefulness: the draws, the batches and the intervals; and that it sees what is useful."""

import inspect

import numpy as np
import pytest

from kerasinterp import data, progress
from kerasinterp.errors import InputError
from kerasinterp.evaluation import Usefulness, fade_of_sets, usefulness
from tests.evaluation import toys

SMALL = {"shots": (2, 3), "draws": 2, "steps": 4, "batch_size": 8, "width": 2, "generated": 4}


@pytest.mark.slow
def test_rows_hold_each_measure_with_its_interval_and_repeat_themselves(monkeypatch, capsys):
    images, labels = toys.images(0, 20)
    monkeypatch.setattr(progress, "_FIRST", 0.0)
    one, two = Usefulness(images, labels, **SMALL, verbose=1), Usefulness(images, labels, **SMALL)
    row = one.measure(fade_of_sets)
    assert "usefulness: 16 of 16 classifiers" in capsys.readouterr().err  # without a model too, the first time
    assert one.measure(fade_of_sets) == row
    assert "usefulness: 8 of 8 classifiers" in capsys.readouterr().err
    names = [f"usefulness_{k}{name}" for k in (2, 3) for name in ("", "_gain", "_augmented", "_augmented_gain")]
    assert set(row) == {name + end for name in names for end in ("", "_low", "_high")}
    rows = one.without_model()
    gain = rows["augmented"]["usefulness_2"] - rows["seeds"]["usefulness_2"]
    assert rows["augmented"]["usefulness_2_gain"] == pytest.approx(gain)
    assert two.without_model() == rows and two.measure(fade_of_sets) == row  # in another order
    for name, base in (("usefulness_2", rows["seeds"]), ("usefulness_2_augmented", rows["augmented"])):
        assert row[f"{name}_gain"] == pytest.approx(row[name] - base["usefulness_2"])


@pytest.mark.slow
def test_seeds_are_nested_and_never_tested(monkeypatch):
    images, labels = toys.images(0, 20)
    given, asked = Usefulness(images, labels, **SMALL), []

    def make(images, sets, n, seed):
        asked.append((sets, n, seed))
        return fade_of_sets(images, sets, n, seed)

    given.measure(make)
    assert [(sets.shape, n) for sets, n, _ in asked] == [((2, 2), 4)] * 2 + [((2, 3), 4)] * 2
    for draw in range(2):
        np.testing.assert_array_equal(asked[draw][0], asked[2 + draw][0][:, :2])
        _, tested, classes = given._parts[draw]
        assert set(tested).isdisjoint(asked[2 + draw][0].reshape(-1)) and len(tested) == 14
        np.testing.assert_array_equal(labels[tested], classes)
    assert len({seed for *_, seed in asked}) == 4


def test_half_of_a_batch_is_generated_and_the_other_half_as_without():
    training = Usefulness(*toys.images(0, 20), **SMALL)._training
    alone, both = training.batches(0, 3, 0), training.batches(0, 3, 4)
    assert alone.shape == (4, 8) and alone.min() >= 0 and alone.max() < 6
    np.testing.assert_array_equal(both[:, :4], alone[:, :4])
    assert both[:, 4:].min() >= 6 and both[:, 4:].max() < 14
    np.testing.assert_array_equal((both[:, 4:] - 6) // 4, alone[:, 4:] // 3)  # of the same class
    assert not np.array_equal(alone, training.batches(1, 3, 0))


def test_only_augmented_batches_are_transformed(monkeypatch):
    def transformed(images, ranges, draws):
        raise AssertionError("transformed")

    monkeypatch.setattr(usefulness, "transformed_for_learning", transformed)
    images, labels = toys.images(0, 20)
    training = Usefulness(images, labels, **SMALL)._training
    given = data.to_float(images[:6]), np.repeat([0, 1], 3), training.batches(0, 3, 0), 0
    training.learn_of_pool(*given, augment=False)
    with pytest.raises(AssertionError, match="transformed"):
        training.learn_of_pool(*given, augment=True)


def test_gains_are_over_the_seeds_alone_and_over_the_augmented_seeds(monkeypatch):
    """Accuracies: of seeds 0.2, augmented 0.25, with new images 0.5, with both 0.9; draws differ by 0.01."""
    of = {(False, False): 0.2, (True, False): 0.25, (False, True): 0.5, (True, True): 0.9}
    given = Usefulness(*toys.images(0, 20), **SMALL)
    monkeypatch.setattr(
        given, "_accuracy", lambda draw, k, augment, new=None: of[augment, new is not None] + 0.01 * draw
    )
    row, bases = given.measure(fade_of_sets), given.without_model()
    expected = {"usefulness_2": 0.505, "usefulness_2_gain": 0.3}
    expected |= {"usefulness_2_augmented": 0.905, "usefulness_2_augmented_gain": 0.65}
    assert {key: row[key] for key in expected} == pytest.approx(expected)
    assert bases["seeds"]["usefulness_2"] == pytest.approx(0.205)
    assert bases["augmented"]["usefulness_2_gain"] == pytest.approx(0.05)


def test_each_draw_has_initial_weights_of_its_own(monkeypatch):
    training, started = Usefulness(*toys.images(0, 20), **SMALL)._training, []
    monkeypatch.setattr(training, "start", started.append)
    monkeypatch.setattr(training, "_of_pool", {False: lambda *_: None})
    for draw in range(5):
        training.learn_of_pool(np.zeros((1, 12, 12, 1)), np.zeros(1, int), np.zeros((1, 1), int), draw, False)
    assert len(set(started)) == 5


def test_the_accuracy_is_the_mean_over_classes(monkeypatch):
    """Of a classifier that says 0 to all, half, however many images each class has."""
    images, labels = toys.images(0, 60)
    chosen = np.concatenate([np.flatnonzero(labels == 0)[:10], np.flatnonzero(labels == 1)])
    given = Usefulness(images[chosen], labels[chosen], **SMALL)
    monkeypatch.setattr(given._training, "learn_of_pool", lambda *_: None)
    monkeypatch.setattr(given._training, "verdicts", lambda tested: np.zeros(len(tested), int))
    assert given._accuracy(0, 2, augment=False) == 0.5


@pytest.mark.slow
def test_what_is_useful_is_found_useful():
    """The seeds' other images, given as generated, raise the accuracy; wrong ones lower it."""
    images, labels = toys.images(0, 60)
    given = Usefulness(
        images, labels, shots=(2,), draws=2, steps=90, batch_size=16, width=4, transformations=data.Transformations()
    )
    bars = [data.to_float(images[labels == label]) for label in (0, 1)]

    def right(images, sets, n, seed):
        return np.concatenate([np.resize(one, (n, 12, 12, 1)) for one in bars])

    def wrong(images, sets, n, seed):
        return np.concatenate([np.resize(one, (n, 12, 12, 1)) for one in bars[::-1]])

    assert given.measure(right)["usefulness_2"] > given.measure(wrong)["usefulness_2"] + 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shots": (1,)}, "each 2 or more"),
        ({"shots": ()}, "one or more"),
        ({"draws": 1}, "2 or more draws"),
        ({"shots": (10,)}, "0 classes have more than 10 images"),
        ({"classes": 1}, "classes is 1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_input_gets_one_sentence(change, message):
    with pytest.raises(InputError, match=message):
        Usefulness(*toys.images(0, 20), **SMALL | change)


def test_what_is_measured_unless_told_otherwise_is_what_the_tables_say():
    """recipes/augintae_maps: 2, 5 and 10 seeds of 20 classes, 5 draws, classifiers of 300 steps of 64 images."""
    options = {name: one.default for name, one in inspect.signature(Usefulness).parameters.items()}
    asked = {"shots": (2, 5, 10), "classes": 20, "draws": 5, "steps": 300, "batch_size": 64}
    assert {name: options[name] for name in asked} == asked
