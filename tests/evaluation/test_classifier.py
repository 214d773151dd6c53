"""The self-trained classifier: it learns, repeats itself bit for bit, and is cached by content."""

import keras
import numpy as np
import pytest

from kerasinterp import progress
from kerasinterp.data import HANDWRITTEN, NATURAL, Transformations
from kerasinterp.errors import InputError
from kerasinterp.evaluation import (
    Classifier,
    classifier,
    misclassification,
    train_classifier,
    train_domain_classifier,
)
from kerasinterp.nn import dcgan, infogan
from tests.evaluation import toys

QUICK = {"steps": 90, "batch_size": 16, "width": 4}


@pytest.fixture(scope="module")
def trained():
    return train_classifier(*toys.images(0), 2, **QUICK)


def test_it_learns_and_states_its_held_out_accuracy(trained):
    images, labels = toys.images(1)
    assert np.mean(trained.predict(images) == labels) == 1.0
    assert trained.accuracy == 1.0
    assert trained.recalls.tolist() == [1.0, 1.0]


def test_features_are_the_penultimate_layer(trained):
    images, _ = toys.images(1)
    features = trained.features(images)
    assert features.shape == (60, 64)
    assert features.dtype == np.float32
    logits = features @ trained.model.get_layer("output").kernel + trained.model.get_layer("output").bias
    np.testing.assert_allclose(keras.ops.softmax(logits), trained.probabilities(images), atol=1e-5)


def test_bytes_and_floats_give_the_same_verdicts(trained):
    images, _ = toys.images(1)
    np.testing.assert_array_equal(
        trained.probabilities(images), trained.probabilities((images / np.float32(127.5) - 1.0).astype(np.float32))
    )


def test_the_same_seed_gives_the_same_bytes(trained):
    again, other = (train_classifier(*toys.images(0), 2, **QUICK, seed=seed) for seed in (0, 1))
    for one, two in zip(trained.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(trained.model.get_weights()[0], other.model.get_weights()[0])


def test_the_split_is_by_class_and_disjoint():
    labels = np.repeat([0, 1, 2], [50, 3, 1])
    learn, judge = classifier._split(labels, 3, 0.1, seed=0)
    assert np.bincount(labels[judge], minlength=3).tolist() == [5, 1, 0]
    assert sorted([*learn, *judge]) == list(range(54))


def test_classes_are_drawn_equally_and_their_images_evenly():
    labels = np.repeat([0, 1], [100, 10])
    order = classifier._balanced_order(labels, np.arange(110), 4000, seed=0)
    assert 1800 < np.sum(labels[order] == 0) < 2200
    uses = np.bincount(order)
    assert np.ptp(uses[:100]) <= 1
    assert np.ptp(uses[100:]) <= 1


def test_the_cache_is_by_content_and_survives_a_broken_file(tmp_path, monkeypatch):
    trained, images, labels = [], *toys.images(0)

    def train(*_):
        trained.append(infogan.classifier((12, 12, 1), 2, width=4))
        return trained[-1]

    monkeypatch.setattr(classifier, "_train", train)
    first = train_classifier(images, labels, 2, cache_dir=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()

    cached = train_classifier(images, labels, 2, cache_dir=tmp_path)
    assert len(trained) == 1
    np.testing.assert_array_equal(first.probabilities(images), cached.probabilities(images))
    assert cached.accuracy == first.accuracy

    path.write_bytes(whole[: len(whole) // 2])
    train_classifier(images, labels, 2, cache_dir=tmp_path)
    assert len(trained) == 2
    assert path.stat().st_size == len(whole)

    changed = images.copy()
    changed[0, 0, 0, 0] ^= 1
    train_classifier(changed, labels, 2, cache_dir=tmp_path)
    assert len(trained) == len(list(tmp_path.iterdir())) + 1 == 3


def test_training_in_bfloat16_leaves_a_float32_model_and_the_policy_alone():
    trained = train_classifier(*toys.images(0), 2, **QUICK, precision="mixed_bfloat16")
    assert trained.features(toys.images(1)[0]).dtype == np.float32
    assert {layer.compute_dtype for layer in trained.model.layers} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    assert trained.accuracy == 1.0


def test_domains_of_unequal_size_count_the_same():
    source, target = toys.images(0, 90)[0], toys.images(1, 20, angle=1)[0]
    judge = train_domain_classifier(source, target, **QUICK)
    assert judge.accuracy == 1.0
    assert misclassification(judge, toys.images(2)[0]) == 1.0
    assert misclassification(judge, toys.images(2, angle=1)[0]) == 0.0


def test_shares_are_of_each_class_and_their_mean():
    """Rows are true classes; a class with nothing held out has no share and does not count."""
    judge = Classifier(toys.fixed([0.2, 0.5, 0.3]), [[6, 2, 0], [1, 3, 4], [0, 0, 0]])
    np.testing.assert_allclose(judge.recalls, [0.75, 0.375, np.nan])
    assert judge.accuracy == pytest.approx((0.75 + 0.375) / 2)
    assert judge.image_shape == (12, 12, 1)
    images = np.random.default_rng(0).integers(0, 256, (7, 12, 12, 1), dtype=np.uint8)
    assert judge.predict(images).tolist() == [1] * 7
    np.testing.assert_allclose(judge.probabilities(images), [[0.2, 0.5, 0.3]] * 7, rtol=1e-5)
    np.testing.assert_allclose(judge.features(images), images.reshape(7, 144) / 127.5 - 1, atol=1e-6)


def test_images_are_judged_piece_by_piece_in_order(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (7, 12, 12, 1), dtype=np.uint8)
    judge = Classifier(toys.fixed([0.5, 0.5]), np.eye(2))
    whole = judge.features(images)
    monkeypatch.setattr(classifier, "_CHUNK", 3)
    np.testing.assert_array_equal(judge.features(images), whole)
    with pytest.raises(InputError, match="empty"):
        judge.features(images[:0])


def test_a_classifier_is_judged_on_what_is_held_out(monkeypatch):
    """One that calls everything class 1: of the held-out images of each class, those are right that are of it."""
    monkeypatch.setattr(classifier, "_train", lambda *_: toys.fixed([0.1, 0.9]))
    images, labels = np.zeros((50, 12, 12, 1), np.uint8), np.repeat([0, 1], [30, 20])
    judge = train_classifier(images, labels, 2)
    assert judge.confusion.tolist() == [[0, 3], [0, 2]]
    assert (judge.recalls.tolist(), judge.accuracy) == ([0.0, 1.0], 0.5)


def test_a_classifier_that_diverged_is_told_and_not_kept(monkeypatch, tmp_path):
    """Else its NaNs would count as verdicts for the first class, the source."""
    monkeypatch.setattr(classifier, "_train", lambda *_: toys.fixed([np.nan, 0.9]))
    with pytest.raises(InputError, match="classifier's outputs hold values that are not finite"):
        train_classifier(*toys.images(0), 2, cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())
    judge = Classifier(toys.fixed([np.nan, 0.9]), np.eye(2))
    with pytest.raises(InputError, match="not finite"):
        misclassification(judge, toys.images(0)[0])


@pytest.mark.parametrize(("count", "share", "expected"), [(50, 0.1, 5), (50, 0.5, 25), (3, 0.1, 1), (3, 0.9, 2)])
def test_the_share_that_is_held_out(count, share, expected):
    """Rounded, at least one, and one is left to learn from; other images of another seed."""
    labels = np.zeros(count, int)
    (learn, judge), (_, other) = (classifier._split(labels, 1, share, seed) for seed in (0, 1))
    assert len(judge) == expected and len(learn) == count - expected
    assert count < 50 or set(judge) != set(other)


def test_settings_reach_the_network_and_the_cache(monkeypatch, tmp_path):
    """A changed setting, image or label is another classifier; where it is kept and what it prints are not."""
    images, labels = toys.images(0)

    class Asked(Exception):
        pass

    def stop(path):
        raise Asked(path)

    def kept(images, labels, num_classes, **settings):
        with pytest.raises(Asked) as asked:
            train_classifier(images, labels, num_classes, cache_dir=tmp_path, **settings)
        return asked.value.args[0]

    monkeypatch.setattr(classifier, "_load", stop)
    defaults = {"steps": 2000, "batch_size": 128, "width": 32, "held_out": 0.1, "precision": "float32", "seed": 0}
    usual = kept(images, labels, 2)
    assert usual == kept(images, labels, 2, **defaults, network=infogan.classifier, verbose=1)
    assert usual.parent == tmp_path and usual.suffix == ".keras"
    changes = [{"steps": 2001}, {"batch_size": 64}, {"width": 8}, {"held_out": 0.2}, {"precision": "mixed_bfloat16"}]
    changes += [{"seed": 1}, {"network": dcgan.classifier}, {"label_smoothing": 0.1}, {"peak_rate": 3e-3}]
    changes += [{"augmentation": HANDWRITTEN}, {"augmentation": NATURAL}]
    others = [kept(images, labels, 2, **change) for change in changes]
    others += [
        kept(images, 1 - labels, 2),
        kept(255 - images, labels, 2),
        kept(images.reshape(60, 6, 24, 1), labels, 2),
    ]
    assert len({usual, *others}) == 1 + len(others)


def test_progress_is_told_when_it_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_FIRST", 0.0)
    images, labels = toys.images(0)
    train_classifier(images, labels, 2, steps=3, batch_size=7, width=4)
    assert capsys.readouterr().err == ""
    train_classifier(images, labels, 2, steps=3, batch_size=7, width=4, verbose=1)
    assert "classifier of 2 classes: 3 of 3 steps (100%)" in capsys.readouterr().err


@pytest.mark.parametrize("steps", [100, 2])
def test_the_rate_is_cut_tenfold_after_35_and_after_70_percent(steps, monkeypatch):
    """AugIntAE A.1: Adam at 0.001, cut at 35 and 70 of 100 epochs. And what it learns from, batch by batch."""
    seen = []

    def fit(model, batches, shuffle, verbose, callbacks):
        seen.append((model.optimizer, list(batches.as_numpy_iterator()), shuffle, verbose))

    monkeypatch.setattr(keras.Model, "fit", fit)
    images, labels = toys.images(0)
    train_classifier(images, labels, 2, steps=steps, batch_size=7, width=4)
    ((optimizer, batches, shuffle, verbose),) = seen
    assert type(optimizer) is keras.optimizers.Adam
    rate = optimizer._learning_rate
    ends = {100: [(0, 35, 1e-3), (36, 70, 1e-4), (71, 100, 1e-5)], 2: [(0, 1, 1e-3), (2, 2, 1e-4)]}[steps]
    for first, last, value in ends:
        assert [float(rate(first)), float(rate(last))] == pytest.approx([value, value])
    assert (len(batches), shuffle, verbose) == (steps, False, 0)
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for pixels, classes in batches:
        assert pixels.shape == (7, 12, 12, 1) and -1 <= pixels.min() < -0.9 and 0.8 < pixels.max() <= 1
        for image, label in zip(pixels, classes, strict=True):
            assert known[np.rint((image + 1) * 127.5).astype(np.uint8).tobytes()] == label


def test_what_is_held_out_is_not_learned_from(monkeypatch):
    seen = []
    monkeypatch.setattr(keras.Model, "fit", lambda model, batches, **_: seen.extend(batches.as_numpy_iterator()))
    images, labels = toys.images(0)
    train_classifier(images, labels, 2, steps=40, batch_size=8, width=4, held_out=0.5)
    used = {np.rint((image + 1) * 127.5).astype(np.uint8).tobytes() for batch, _ in seen for image in batch}
    _, judge = classifier._split(labels, 2, 0.5, seed=0)
    assert len(used) == 30
    assert used.isdisjoint(images[n].tobytes() for n in judge)


def test_what_is_learned_from_is_transformed_at_every_draw_and_what_is_held_out_is_not(monkeypatch):
    seen, judged = [], []
    monkeypatch.setattr(keras.Model, "fit", lambda model, batches, **_: seen.extend(batches.as_numpy_iterator()))
    monkeypatch.setattr(
        classifier, "_predict", lambda model, images: judged.append(images) or np.eye(2)[[0] * len(images)]
    )
    images, labels = toys.images(0)
    train_classifier(images, labels, 2, steps=40, batch_size=8, width=4, augmentation=HANDWRITTEN)
    learn, judge = classifier._split(labels, 2, 0.1, seed=0)
    np.testing.assert_array_equal(judged[0], images[judge])
    drawn = np.concatenate([batch for batch, _ in seen])
    assert drawn.shape == (320, 12, 12, 1)
    known = {image.tobytes() for image in images / np.float32(127.5) - 1}
    moved = [image.tobytes() for image in drawn if image.tobytes() not in known]
    assert len(set(moved)) == len(moved) > len(learn)
    assert 0.68 < len(moved) / 320 < 0.82  # three in four


@pytest.mark.parametrize(("steps", "rising"), [(200, 10), (19, 1)])
def test_a_peak_rate_rises_for_a_twentieth_and_falls_to_a_tenth(steps, rising):
    """Half a cosine from the peak; a mean of the ends half way down."""
    rate = classifier._rate(steps, 3e-3)
    assert float(rate(rising)) == pytest.approx(3e-3)
    assert float(rate(0)) == pytest.approx(3e-4)
    assert float(rate((rising + steps) / 2)) == pytest.approx((3e-3 + 3e-4) / 2)
    assert float(rate(steps)) == pytest.approx(3e-4)


def test_softened_labels_against_numpy():
    """A share of the target's probability is all classes' alike."""
    shares, labels = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], np.float32), np.array([0, 1])
    target = 0.8 * np.eye(3)[labels] + 0.2 / 3
    expected = -(target * np.log(shares)).sum(axis=1)
    np.testing.assert_allclose(classifier._crossentropy(3, 0.2)(labels, shares), expected, rtol=1e-5)
    assert classifier._crossentropy(3, 0.0) == "sparse_categorical_crossentropy"


@pytest.mark.parametrize("width", [4, 6])
def test_the_width_is_the_networks(width, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: None)
    trained = train_classifier(*toys.images(0), 2, steps=1, width=width)
    assert trained.features(toys.images(0)[0]).shape == (60, 16 * width)
    assert trained.model.name == "classifier"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((4, 12, 12, 1), np.float32)}, "uint8"),
        ({"labels": np.array([0, 1, 0])}, "one integer"),
        ({"labels": np.array([0, 2, 0, 2])}, "each class from 0 to 1"),
        ({"num_classes": 3}, "each class from 0 to 2"),
        ({"steps": 0}, "must be positive"),
        ({"batch_size": 0}, "must be positive"),
        ({"held_out": 1.0}, "held_out"),
        ({"held_out": 0.0}, "held_out"),
        ({"images": np.zeros((4, 12, 12), np.uint8)}, "uint8"),
        ({"images": np.zeros((0, 12, 12, 1), np.uint8)}, "uint8"),
        ({"labels": np.array([0.0, 1.0, 0.0, 1.0])}, "one integer"),
        ({"labels": np.array([-1, 0, -1, 0])}, "each class from 0 to 1"),
        ({"labels": np.array([1, 2, 1, 2])}, "each class from 0 to 1"),
        ({"labels": np.zeros(4, int), "num_classes": 1}, "at least 2"),
        ({"labels": np.arange(4), "num_classes": 4}, "single image"),
        ({"label_smoothing": 1.0}, r"label_smoothing is 1.0: give a share in \[0, 1\)"),
        ({"label_smoothing": -0.1}, "label_smoothing is -0.1"),
        ({"label_smoothing": float("nan")}, "label_smoothing is nan"),
        ({"peak_rate": 0.0}, "peak_rate is 0.0: give a positive learning rate"),
        ({"peak_rate": float("nan")}, "peak_rate is nan"),
        ({"augmentation": Transformations(crop=8)}, "give it without a crop"),
    ],
)
def test_bad_input_gets_one_sentence(change, message):
    arguments = {"images": np.zeros((4, 12, 12, 1), np.uint8), "labels": np.array([0, 1, 0, 1]), "num_classes": 2}
    with pytest.raises(InputError, match=message):
        train_classifier(**arguments | change)


def test_domains_of_two_image_sizes_are_refused():
    with pytest.raises(InputError, match="one size"):
        train_domain_classifier(np.zeros((4, 12, 12, 1), np.uint8), np.zeros((4, 16, 16, 1), np.uint8))
