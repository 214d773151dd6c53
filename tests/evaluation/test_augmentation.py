"""Augmentation: the draws, what each way's batches hold, what is kept; and that it sees what is useful."""

import json

import numpy as np
import pytest

from kerasinterp.data import Examples, Transformations, to_float
from kerasinterp.errors import InputError
from kerasinterp.evaluation import Augmentation, augmentation, draw_augmentation, table_of_augmentation
from kerasinterp.nn import conv4
from kerasinterp.ops.mixing import Spherical
from tests.evaluation import toys

SMALL = {"runs": 2, "batch_size": 8, "width": 2}
TRAIN, TEST = (Examples(*toys.images(seed, 40)) for seed in (0, 1))


@pytest.fixture
def trained(monkeypatch):
    """In place of training, what was asked for: (size, run, steps) and the batches."""
    asked = []

    def accuracy(self, way, size, run, twice):
        steps = twice * self._steps[size]
        batches = [(a.numpy(), b.numpy()) for a, b in way(self._chosen(size, run), self._batch_size, run, steps)]
        asked.append((size, run, steps, batches))
        return len(asked) / 100

    monkeypatch.setattr(Augmentation, "_accuracy", accuracy)
    return asked


def test_every_way_gets_the_same_images_and_steps(trained):
    table = Augmentation(TRAIN, TEST, {3: 2, "all": 4}, **SMALL).measure({"model": toys.identity()})
    assert list(table) == ["none", "none_twice", "mixup", "affine", "affine_of_all", "model"]
    assert [one[:3] for one in trained] == [
        (size, run, steps * twice)
        for size, steps in ((3, 2), ("all", 4))
        for run in (0, 1)
        for twice in (1, 2, 1, 1, 1, 1)
    ]
    for (images, labels), (mixes, mixed_labels) in zip(trained[2][3], trained[5][3], strict=True):
        np.testing.assert_array_equal(labels, mixed_labels)  # the model's codes are the pixels
        np.testing.assert_allclose(images, mixes, atol=1 / 255 + 1e-6)
    plain, half, whole = (np.concatenate([images for images, _ in trained[place][3]]) for place in (0, 3, 4))
    same_half, same_whole = ((other == plain).all(axis=(1, 2, 3)).reshape(2, 8) for other in (half, whole))
    assert same_half[:, :4].all() and not same_half[:, 4:].any() and not same_whole.any()
    for place in (0, 2):
        real = to_float(TRAIN.images).reshape(40, -1)
        seen = trained[place][3][0][0][:4].reshape(4, -1)
        assert all((real == one).all(axis=1).any() for one in seen)


def test_images_are_drawn_for_each_run_and_nested():
    given = Augmentation(TRAIN, TEST, {3: 1, 5: 1, "all": 1}, **SMALL)
    few, more, other = (given._chosen(size, run) for size, run in ((3, 0), (5, 0), (3, 1)))
    np.testing.assert_array_equal(np.bincount(few.labels), [3, 3])
    rows = [{image.tobytes() for image in one.images} for one in (few, more, other)]
    assert rows[0] < rows[1] and rows[0] != rows[2]
    assert given._chosen("all", 1) is given._train


def test_rows_are_means_intervals_and_paired_gains(trained):
    """Accuracies 0.01, 0.02, ... in order: 0.01 and 0.06 of "none", 0.03 and 0.08 of "mixup"; t of one is 12.706."""
    table = Augmentation(TRAIN, TEST, {3: 1}, **SMALL).measure({})
    assert table["none"] == pytest.approx(
        {"accuracy_3": 0.035, "accuracy_3_low": 0.035 - 12.7062 * 0.025, "accuracy_3_high": 0.035 + 12.7062 * 0.025},
        abs=1e-5,
    )
    assert table["mixup"]["accuracy_3"] == pytest.approx(0.055)
    gain = [table["mixup"][f"accuracy_3_gain{end}"] for end in ("", "_low", "_high")]
    assert gain == pytest.approx([0.02] * 3)


def test_what_is_kept_is_not_trained_again(trained, tmp_path):
    kept = tmp_path / "accuracies.json"
    first = Augmentation(TRAIN, TEST, {3: 1}, kept=kept, **SMALL).measure({"model": toys.identity()})
    assert len(trained) == 12
    assert Augmentation(TRAIN, TEST, {3: 1}, kept=kept, **SMALL).measure({"model": toys.identity()}) == first
    assert len(trained) == 12
    more = Augmentation(TRAIN, TEST, {3: 1, 5: 1}, kept=kept, **SMALL | {"runs": 3})
    more.measure({"model": toys.identity(), "other": toys.scaled(0.5)})
    assert len(trained) == 12 + 2 + 7 + 3 * 7  # the other model, another run, another size
    held = json.loads(kept.read_text())
    kept.write_text(json.dumps(held | {"accuracies": dict(list(held["accuracies"].items())[:-1])}))
    more.__class__(TRAIN, TEST, {3: 1, 5: 1}, kept=kept, **SMALL | {"runs": 3}).measure(
        {"model": toys.identity(), "other": toys.scaled(0.5)}
    )
    assert len(trained) == 43
    with pytest.raises(InputError, match="an experiment with other width"):
        Augmentation(TRAIN, TEST, {3: 1}, kept=kept, **SMALL | {"width": 3})
    kept.write_text("{}")
    with pytest.raises(InputError, match="no file of accuracies: remove it"):
        Augmentation(TRAIN, TEST, {3: 1}, kept=kept, **SMALL)


def test_models_of_one_name_are_told_apart_by_their_weights():
    one, other = toys.fixed([0.5, 0.5]), toys.fixed([0.6, 0.4])
    assert augmentation._mark(one) == augmentation._mark(toys.fixed([0.5, 0.5])) != augmentation._mark(other)
    assert augmentation._mark(None) == ""
    straight, round_ = toys.identity(), toys.identity()
    round_.mixing = Spherical()
    assert augmentation._mark(straight) == augmentation._mark(toys.identity()) != augmentation._mark(round_)


@pytest.mark.parametrize(
    "settings", [{"transformations": Transformations(rotation=90.0)}, {"network": conv4.classifier}, {"alpha": 0.3}]
)
def test_a_kept_file_is_of_one_experiment(settings, trained, tmp_path):
    kept = tmp_path / "accuracies.json"
    Augmentation(TRAIN, TEST, {3: 1}, kept=kept, **SMALL).measure({})
    with pytest.raises(InputError, match=f"an experiment with other {next(iter(settings))}"):
        Augmentation(TRAIN, TEST, {3: 1}, kept=kept, **SMALL | settings)


def test_what_cannot_be_mixed_is_told_before_any_classifier_is_trained(trained):
    class OfSeeds:
        image_shape = (12, 12, 1)

        def few_shot(self, seeds, n, seed):
            return np.repeat(seeds[:1], n, axis=0)

    with pytest.raises(InputError, match="alphas must lie in"):
        Augmentation(TRAIN, TEST, {3: 1}, **SMALL | {"alpha": 2.0}).measure({})
    with pytest.raises(InputError, match="OfSeeds makes images of seeds in its own way, without alpha"):
        Augmentation(TRAIN, TEST, {3: 1}, **SMALL | {"alpha": 0.3}).measure({"rival": OfSeeds()})
    assert not trained


@pytest.mark.slow
def test_what_is_useful_is_found_useful(monkeypatch):
    """Bars that lie elsewhere in the tests are found by who has seen them moved; the same seed gives the same."""
    moved = Examples(np.roll(TEST.images, 1, axis=2), TEST.labels)
    settings = {"runs": 2, "batch_size": 16, "width": 4, "transformations": Transformations(translation=2.0)}
    given = Augmentation(TRAIN, moved, {"all": 60}, **settings)
    table = given.measure({})
    assert table["affine_of_all"]["accuracy_all"] >= 0.9
    assert Augmentation(TRAIN, moved, {"all": 60}, **settings).measure({}) == table


def test_the_table_and_its_figure(tmp_path):
    row = {"accuracy_20": 0.8, "accuracy_20_low": 0.79, "accuracy_20_high": 0.81}
    gain = {"accuracy_20_gain": 0.025, "accuracy_20_gain_low": 0.02, "accuracy_20_gain_high": 0.03}
    table = {"none": row, "none_twice": row | gain}
    assert table_of_augmentation(table).splitlines() == [
        "| | 20 images a class | over none |",
        "|---|---|---|",
        "| none | 80.00 +- 1.00 |  |",
        "| none twice | 80.00 +- 1.00 | +2.50 +- 0.50 |",
    ]
    assert draw_augmentation(table, tmp_path / "a.png").stat().st_size > 5000
    with pytest.raises(InputError, match="no row has accuracies"):
        draw_augmentation({"none": {}}, tmp_path / "b.png")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": Examples(TRAIN.images)}, "a class's number for each"),
        ({"test": Examples(TEST.images, np.eye(40))}, "a class's number for each"),
        ({"test": Examples(TEST.images[:, :8], TEST.labels)}, "of one size"),
        ({"test": Examples(TEST.images, TEST.labels + 1)}, "test images of the same ones"),
        ({"train": Examples(TRAIN.images, np.zeros(40, int))}, "two or more classes"),
        ({"steps": {1: 5}}, "from 2 to 20"),
        ({"steps": {21: 5}}, "from 2 to 20"),
        ({"steps": {"some": 5}}, "from 2 to 20"),
        ({"steps": {}}, "from 2 to 20"),
        ({"steps": {5: 0}}, "positive number of steps"),
        ({"runs": 1}, "2 or more runs"),
        ({"batch_size": 1}, "a batch of 2"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_input_gets_one_sentence(change, message):
    given = {"train": TRAIN, "test": TEST, "steps": {3: 1}, **SMALL} | change
    with pytest.raises(InputError, match=message):
        Augmentation(**given)


def test_a_model_is_not_named_as_a_way_without_one():
    with pytest.raises(InputError, match="'mixup' is the name of a way without a model"):
        Augmentation(TRAIN, TEST, {3: 1}, **SMALL).measure({"mixup": toys.identity()})
