"""The protocol of A.3 on toy images, with models whose results are known."""

import json

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import domain_of_classes, evaluate, train_judges
from kerasinterp.evaluation.few_shot import _draw_paths
from tests.evaluation import toys


@pytest.fixture(scope="module")
def data():
    return (*toys.images(0, 60), *toys.images(1, 40, angle=1))


@pytest.fixture(scope="module")
def judges(data):
    return train_judges(*data, steps=60)


@pytest.fixture(scope="module")
def report(data, judges):
    return evaluate({"identity": toys.identity(), "blank": toys.blank()}, *data, samples=50, judges=judges)


def test_a_model_whose_codes_are_pixels_fades(report):
    assert report["identity"] == pytest.approx(report["pixel_fade"], rel=1e-3, abs=1e-3)
    assert report["identity"]["l2"] == pytest.approx(0.0, abs=1e-3)


def test_a_model_that_decodes_to_grey_is_worse(report):
    for metric in ("fid", "fid_reconstruction", "kernel", "l2"):
        assert report["blank"][metric] > 2 * report["identity"][metric]


def test_the_report_is_json_with_its_judges_accuracies_and_protocol(report):
    assert json.loads(json.dumps(report)) == report
    assert report["classifier_accuracy"] == report["feature_classifier_accuracy"] == 1.0
    assert report["real"]["misclassification"] == 0.0
    assert report["protocol"] | {"real_images": 0} == {
        "samples": 50,
        "points": 3,
        "seed": 0,
        "source_images": 60,
        "target_images": 40,
        "real_images": 0,
        "features": 128,
        "feature_extractor": "classifier",
    }


def test_the_feature_classifier_keeps_equal_labels_of_two_domains_apart(judges):
    assert judges.features.recalls.shape == (4,)


def test_a_domain_judge_made_of_classes(data):
    judges = train_judges(*data, steps=60, domain_by_class=True)
    np.testing.assert_array_equal(judges.domain.confusion, [[6, 0], [0, 4]])
    np.testing.assert_allclose(judges.domain.probabilities(data[2]).sum(axis=1), 1.0, rtol=1e-5)
    assert set(judges.domain.predict(data[2])) == {1}


def test_another_feature_extractor_is_used(data, judges):
    def mean(images):
        return images.mean(axis=(1, 2))

    report = evaluate({}, *data, samples=20, judges=judges, features=mean)
    assert report["protocol"]["features"] == 1
    assert report["protocol"]["feature_extractor"] == "mean"


def test_paths_join_distinct_images_of_one_class_and_follow_its_size():
    labels = np.repeat([0, 1, 2], [1, 30, 10])
    first, second, alphas = _draw_paths(labels, 2000, 3, seed=0)
    assert len(first) == len(second) == 667
    assert len(alphas) == 2000
    assert np.all(labels[first] == labels[second])
    assert np.all(first != second)
    assert set(labels[first]) == {1, 2}
    assert 0.7 < np.mean(labels[first] == 1) < 0.8
    assert len(set(second[first == first[0]])) > 1
    assert 0.0 <= alphas.min() < 0.01 < 0.99 < alphas.max() < 1.0
    assert abs(alphas.mean() - 0.5) < 0.02


def test_paths_repeat_with_their_seed():
    labels = np.arange(40) % 4
    one, again, other = (_draw_paths(labels, 30, 3, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_every_pair_can_be_drawn():
    labels = np.array([1, 0, 1, 0, 1])  # classes not in order
    first, second, _ = _draw_paths(labels, 300, 1, seed=0)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == {
        (0, 2), (0, 4), (2, 0), (2, 4), (4, 0), (4, 2), (1, 3), (3, 1),
    }  # fmt: skip


def test_images_without_labels_are_one_class(data):
    source, _, target, _ = data
    judges = train_judges(source, None, target, None, steps=20)
    assert judges.features.recalls.shape == (2,)
    assert "pixel_fade" in evaluate({}, source, None, target, None, samples=10, judges=judges)


def test_bad_input_gets_one_sentence_before_any_training(data):
    source, source_labels, target, target_labels = data
    model = toys.identity()
    model.image_shape = (28, 28, 1)
    with pytest.raises(InputError, match="'wide' takes images of shape"):
        evaluate({"wide": model}, *data)
    with pytest.raises(InputError, match="two images of one class"):
        evaluate({}, source, source_labels, target, np.arange(len(target)))
    with pytest.raises(InputError, match="one label for each"):
        evaluate({}, source, source_labels, target, target_labels[:3])
    with pytest.raises(InputError, match="samples is 1"):
        evaluate({}, *data, samples=1)


def test_a_domain_without_a_class_is_refused(judges):
    with pytest.raises(InputError, match="leave a class a domain"):
        domain_of_classes(judges.features, 4)
