"""The protocol of A.3 on toy images, with models whose results are known."""

import json
import types
import warnings

import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import (
    domain_of_classes,
    evaluate,
    few_shot,
    frechet_distance,
    kernel_distance,
    kernel_distance_and_deviation,
    l2_error,
    squared_error_255,
    train_judges,
)
from kerasinterp.evaluation.few_shot import FewShot, Judges, _draw_paths
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
    assert report["real"]["misclassification"] == 0.0
    assert report["protocol"] == {
        "samples": 50,
        "points": 3,
        "seed": 0,
        "source_images": 60,
        "target_images": 40,
        "real_images": 40,
        "reconstructed_images": 40,
        "features": 128,
        "feature_extractor": "classifier",
        "classifier_accuracy": 1.0,
        "feature_classifier_accuracy": 1.0,
        "fid_unreliable": True,  # 128 features of 40 images
    }


def test_the_feature_classifier_keeps_equal_labels_of_two_domains_apart(judges):
    assert judges.features.recalls.shape == (4,)


def test_a_domain_judge_made_of_classes(data, judges):
    domain = domain_of_classes(judges.features, 2)
    np.testing.assert_array_equal(domain.confusion, [[6, 0], [0, 4]])
    np.testing.assert_allclose(domain.probabilities(data[2]).sum(axis=1), 1.0, rtol=1e-5)
    of_classes = judges.features.probabilities(data[2])
    np.testing.assert_allclose(domain.probabilities(data[2])[:, 0], of_classes[:, :2].sum(axis=1), atol=1e-6)
    assert set(domain.predict(data[2])) == {1}


def test_another_feature_extractor_is_used(data, judges):
    def mean(images):
        return images.mean(axis=(1, 2))

    report = evaluate({}, *data, samples=20, judges=judges, features=mean)
    assert report["protocol"]["features"] == 1
    assert report["protocol"]["feature_extractor"] == "mean"


# The protocol with judges that are not trained. Image i of the target has ink in pixel i alone, so a mix shows which
# two images it is of, and at which weights.

COUNT = 60
ONE_HOT = np.eye(144, dtype=np.uint8)[:COUNT].reshape(COUNT, 12, 12, 1) * np.uint8(255)
LABELS = np.arange(COUNT) % 4
PROJECTION = np.random.default_rng(0).normal(size=(144, 3))
LIMIT = 0.95 * np.mean((ONE_HOT / 127.5 - 1).reshape(COUNT, 144) @ PROJECTION[:, 0])


class Judge:
    """Features that are three projections, verdicts by the first; both remember what they were asked."""

    def __init__(self):
        self.featured, self.judged = [], []
        self.accuracy, self.recalls = 0.6, np.array([0.9, 0.7])

    def features(self, images):
        self.featured.append(images)
        return images.reshape(-1, 144) @ PROJECTION

    def predict(self, images):
        self.judged.append(images)
        return (images.reshape(-1, 144) @ PROJECTION[:, 0] > LIMIT).astype(int)


@pytest.fixture
def judged(monkeypatch):
    """(models, settings) -> the report, its features' judge and its domains' judge."""
    monkeypatch.setattr(few_shot, "_MOST_REAL", 50)

    def measure(models, **settings):
        features, domain = Judge(), Judge()
        domain.accuracy = 0.8
        settings = {"samples": 40, "judges": Judges(features, domain)} | settings
        return evaluate(models, ONE_HOT, LABELS, ONE_HOT, LABELS, **settings), features, domain

    return measure


def parts(mixes):
    """Of each mix the weights (N, 60) of the target's images."""
    return (mixes.reshape(-1, 144)[:, :COUNT] + 1) / 2


def test_all_values_are_those_of_a_plain_computation(judged):
    """A.3: distances of mixes and of reconstructions to all real images, errors of the domain classifier."""
    report, features, _ = judged({"dim": toys.scaled(0.9)})
    real, mixes, reconstructions, fades, kept = features.featured
    assert len(real) == len(np.unique(parts(real), axis=0)) == 50  # as many as allowed, none twice
    assert len(kept) == len(np.unique(parts(kept), axis=0)) == len(mixes) == 40
    np.testing.assert_allclose(reconstructions, 0.9 * kept, atol=1e-6)
    np.testing.assert_allclose(mixes, 0.9 * fades, atol=1e-6)

    known, *found = (images.reshape(-1, 144) @ PROJECTION for images in (real, mixes, reconstructions, fades, kept))
    of_mixes, of_reconstructions, of_fades, of_kept = found
    for name, made, again, of_made, of_again in [
        ("dim", mixes, reconstructions, of_mixes, of_reconstructions),
        ("pixel_fade", fades, kept, of_fades, of_kept),
    ]:
        expected = {
            "fid": frechet_distance(known, of_made),
            "fid_reconstruction": frechet_distance(known, of_again),
            "kernel": kernel_distance(known, of_made),
            "kernel_deviation": kernel_distance_and_deviation(known, of_made)[1],
            "kernel_reconstruction": kernel_distance(known, of_again),
            "misclassification": np.mean(of_made[:, 0] <= LIMIT),
            "misclassification_reconstruction": np.mean(of_again[:, 0] <= LIMIT),
            "l2": l2_error(kept, again),
            "squared_error_255": squared_error_255(kept, again),
        }
        assert report[name] == pytest.approx(expected)
        assert made is not again
    assert 0 < report["dim"]["misclassification"] != report["dim"]["misclassification_reconstruction"]
    assert (
        report["real"]
        == pytest.approx(
            {
                "fid": frechet_distance(known[:25], known[25:]),  # halves that share no image
                "kernel": kernel_distance(known[:25], known[25:]),
                "kernel_deviation": kernel_distance_and_deviation(known[:25], known[25:])[1],
                "misclassification": 0.3,  # of held-out target images, not of both domains
            }
        )
    )
    told = report["protocol"]
    assert (told["classifier_accuracy"], told["feature_classifier_accuracy"]) == (0.8, 0.6)
    assert told["fid_unreliable"] is False
    assert report["protocol"]["features"] == 3
    assert (report["protocol"]["real_images"], report["protocol"]["reconstructed_images"]) == (50, 40)


def test_mixes_are_of_two_images_of_one_class_at_all_weights(judged):
    """Some weights on each path, other paths and weights than of another seed, and the same ones for all models."""
    _, features, _ = judged({"one": toys.identity(), "two": toys.identity()}, samples=3 * 60, points=3)
    _, first, _, second, _, fades, _ = features.featured
    np.testing.assert_allclose(first, second)
    np.testing.assert_allclose(first, fades, atol=1e-5)
    weights = parts(fades).reshape(60, 3, COUNT)
    pairs = [np.flatnonzero(path.max(axis=0) > 1e-3) for path in weights]
    assert all(len(pair) == 2 and LABELS[pair[0]] == LABELS[pair[1]] for pair in pairs)
    assert len({tuple(pair) for pair in pairs}) > 40
    np.testing.assert_allclose(weights.sum(axis=2), 1.0, atol=1e-5)
    lower = np.concatenate([path[:, pair[0]] for path, pair in zip(weights, pairs, strict=True)])
    assert 0 < lower.min() < 0.05 and 0.95 < lower.max() < 1
    assert len(set(np.round(lower, 4))) > 170
    for seed, same in [(0, True), (1, False)]:
        again = judged({}, samples=3 * 60, points=3, seed=seed)[1].featured[1]
        assert np.array_equal(again, fades) == same


@pytest.mark.parametrize(("samples", "points", "kept"), [(2, 1, 2), (10, 4, 10), (500, 3, COUNT)])
def test_numbers_of_images(samples, points, kept, judged):
    """Target images are reconstructed once each, as many as mixes if there are so many."""
    report, features, _ = judged({"identity": toys.identity()}, samples=samples, points=points, seed=4)
    assert list(map(len, features.featured)) == [50, samples, kept, samples, kept]
    assert report["protocol"] == {
        "samples": samples,
        "points": points,
        "seed": 4,
        "source_images": COUNT,
        "target_images": COUNT,
        "real_images": 50,
        "reconstructed_images": kept,
        "features": 3,
        "feature_extractor": "classifier",
        "classifier_accuracy": 0.8,
        "feature_classifier_accuracy": 0.6,
        "fid_unreliable": samples == 2,
    }


def test_the_defaults_are_the_papers(judged, monkeypatch):
    """A.3: 5,000 generated images; ours: three weights a path, at most 10,000 real images."""
    asked = []
    monkeypatch.setattr(few_shot, "_draw_paths", lambda *given: asked.append(given[1:]) or _draw_paths(*given))
    with pytest.raises(ZeroDivisionError):
        judged({}, samples=5000, features=lambda images: 1 / 0)
    signature = FewShot.__init__.__kwdefaults__
    assert (signature["samples"], signature["points"], signature["seed"]) == (5000, 3, 0)
    assert asked == [(5000, 3, 0)]


def test_too_few_images_for_a_frechet_distance_are_told_in_the_report(judged):
    """By the smallest of the sets that are compared: here the halves, of 25 images."""
    for size, unreliable in [(12, False), (13, True)]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            report, *_ = judged({}, features=lambda images, size=size: images.reshape(-1, 144)[:, :size])
        assert report["protocol"]["fid_unreliable"] is unreliable
        assert report["protocol"]["features"] == size


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_diverged_model_is_told_by_name(value, judged):
    """Infinite values too, which would be cut to white."""
    with pytest.raises(InputError, match="mixes of model 'AE' hold values that are not finite: the model's training"):
        judged({"fine": toys.identity(), "AE": toys.scaled(value)})


def test_judges_get_all_images_and_every_setting(monkeypatch):
    """Features of 128 units that tell all classes of both domains apart; the domain by two classes or by all."""
    calls = []

    def train(images, labels, num_classes, **settings):
        calls.append(("classes", images, labels, num_classes, settings))
        return types.SimpleNamespace(name=len(calls))

    def train_domain(source, target, **settings):
        calls.append(("domains", source, target, settings))
        return types.SimpleNamespace(name=len(calls))

    monkeypatch.setattr(few_shot, "train_classifier", train)
    monkeypatch.setattr(few_shot, "train_domain_classifier", train_domain)
    monkeypatch.setattr(few_shot, "domain_of_classes", lambda classifier, source: (classifier, source))
    source, target = np.zeros((5, 12, 12, 1), np.uint8), np.ones((4, 12, 12, 1), np.uint8)
    given = (source, np.array([7, 3, 3, 9, 7]), target, np.array([3, 1, 1, 3]))
    settings = {"steps": 11, "precision": "p", "seed": 5, "cache_dir": "c", "network": dict, "verbose": 1}
    judges = train_judges(*given, **settings)
    (kind, images, labels, classes, first), (_, *domains, second) = calls
    np.testing.assert_array_equal(images, np.concatenate([source, target]))
    assert (kind, labels.tolist(), classes) == ("classes", [1, 0, 0, 2, 1, 4, 3, 3, 4], 5)
    assert first == settings | {"width": 8} and second == settings
    assert domains[0] is source and domains[1] is target
    assert (judges.features.name, judges.domain.name) == (1, 2)

    calls.clear()
    by_class = train_judges(*given, domain_by_class=True, **settings)
    assert [call[0] for call in calls] == ["classes"] * 2
    assert calls[1][4] == settings and calls[1][3] == 5  # of the full width
    np.testing.assert_array_equal(calls[1][2], labels)
    assert (by_class.domain[0].name, by_class.domain[1]) == (2, 3)

    calls.clear()
    train_judges(source, None, target, None)
    assert calls[0][2].tolist() == [0] * 5 + [1] * 4
    assert calls[0][4]["steps"] == 2000 and calls[0][4]["precision"] == "float32" and calls[0][4]["seed"] == 0


def test_judges_are_trained_with_the_evaluations_settings(monkeypatch):
    asked = []

    def train(*given, **settings):
        asked.append((given, settings))
        return Judges(Judge(), Judge())

    monkeypatch.setattr(few_shot, "train_judges", train)
    evaluate({}, ONE_HOT[:5], LABELS[:5], ONE_HOT, LABELS, samples=10, seed=6, steps=7, domain_by_class=True)
    ((given, settings),) = asked
    assert settings == {"seed": 6, "steps": 7, "domain_by_class": True}
    for found, expected in zip(given, (ONE_HOT[:5], LABELS[:5], ONE_HOT, LABELS), strict=True):
        np.testing.assert_array_equal(found, expected)


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


def test_images_without_labels_are_one_class(judged, monkeypatch):
    monkeypatch.setattr(few_shot, "train_judges", lambda *given, **_: Judges(Judge(), Judge()))
    report = evaluate({}, ONE_HOT, None, ONE_HOT, None, samples=300)
    assert report["pixel_fade"]["fid"] > 0
    _, features, _ = judged({}, samples=300)
    unlabelled = Judge()
    evaluate({}, ONE_HOT, None, ONE_HOT, None, samples=300, judges=Judges(unlabelled, Judge()))
    for judge, mixed in [(features, False), (unlabelled, True)]:
        pairs = [np.flatnonzero(one > 1e-3) for one in parts(judge.featured[1])]
        assert any(len(set(LABELS[pair])) == 2 for pair in pairs) == mixed


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
    with pytest.raises(InputError, match="points 0"):
        evaluate({}, *data, points=0)
    with pytest.raises(InputError, match="one label for each"):
        train_judges(source[:0], source_labels[:0], target, target_labels)
