"""The self-trained classifier: it learns, repeats itself bit for bit, and is cached by content."""

import keras
import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import classifier, misclassification, train_classifier, train_domain_classifier
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
    images, labels = toys.images(0)
    first = train_classifier(images, labels, 2, **QUICK, cache_dir=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()

    with monkeypatch.context() as patch:
        patch.setattr(classifier, "_train", lambda *_: pytest.fail("trained although cached"))
        cached = train_classifier(images, labels, 2, **QUICK, cache_dir=tmp_path)
    np.testing.assert_array_equal(first.probabilities(images), cached.probabilities(images))
    assert cached.accuracy == first.accuracy

    path.write_bytes(whole[: len(whole) // 2])
    train_classifier(images, labels, 2, **QUICK, cache_dir=tmp_path)
    assert path.stat().st_size == len(whole)

    changed = images.copy()
    changed[0, 0, 0, 0] ^= 1
    train_classifier(changed, labels, 2, **QUICK, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((4, 12, 12, 1), np.float32)}, "uint8"),
        ({"labels": np.array([0, 1, 0])}, "one integer"),
        ({"labels": np.array([0, 2, 0, 2])}, "each class from 0 to 1"),
        ({"num_classes": 3}, "each class from 0 to 2"),
        ({"steps": 0}, "must be positive"),
        ({"held_out": 1.0}, "held_out"),
        ({"labels": np.arange(4), "num_classes": 4}, "single image"),
    ],
)
def test_bad_input_gets_one_sentence(change, message):
    arguments = {"images": np.zeros((4, 12, 12, 1), np.uint8), "labels": np.array([0, 1, 0, 1]), "num_classes": 2}
    with pytest.raises(InputError, match=message):
        train_classifier(**arguments | change)


def test_domains_of_two_image_sizes_are_refused():
    with pytest.raises(InputError, match="one size"):
        train_domain_classifier(np.zeros((4, 12, 12, 1), np.uint8), np.zeros((4, 16, 16, 1), np.uint8))
