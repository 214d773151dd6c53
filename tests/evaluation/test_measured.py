"""What every measure gives for given images, as `measured.json` has it: numbers that users compare with older ones.

Classifiers are linear here, on features that nothing trains: what they learn is the same on every processor.
`python -m tests.evaluation.test_measured` writes the file anew after a change that is meant: read the difference first.
"""

import contextlib
import dataclasses
import functools
import pathlib
from collections.abc import Iterator
from unittest import mock

import keras
import numpy as np
import pytest

from kerasinterp import data, evaluation, generation
from kerasinterp.data import Examples
from kerasinterp.evaluation import distances, inversion, small_sample, worth
from kerasinterp.evaluation.classifier import train_classifier
from kerasinterp.evaluation.learner import Learner
from kerasinterp.nn import conv4
from kerasinterp.recipe import Data, Recipe, Target
from kerasinterp.yardsticks import classes, clusters, few_shot, lines, points, unlabelled
from kerasinterp.yardsticks import views as views_yardstick
from tests import held
from tests.evaluation import test_views, toys

PATH = pathlib.Path(__file__).with_name("measured.json")
SIDE, FEATURES = 12, 8


def pictures(seed: int, count: int, kinds: int = 3, of: int = 0, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (count, 12, 12, channels) and labels: a pattern a class beneath so much noise that it is hard to tell."""
    patterns = np.random.default_rng([of, 1]).integers(60, 196, (kinds, SIDE, SIDE, channels))
    random = np.random.default_rng([seed, 2])
    labels = random.permutation(np.arange(count) % kinds)
    noise = random.integers(-60, 61, (count, SIDE, SIDE, channels))
    return (patterns[labels] + noise).clip(0, 255).astype(np.uint8), labels


def linear(image_shape, num_classes, *, width=1, seed=None, name=None) -> keras.Model:
    """Of each image some sums of pixels, and a softmax of them that `seed` begins."""
    size = int(np.prod(image_shape))
    inputs = keras.Input(image_shape)
    features = keras.layers.Dense(FEATURES, name="features", trainable=False)
    output = keras.layers.Dense(num_classes, "softmax", name="output")
    model = keras.Model(inputs, output(features(keras.layers.Flatten()(inputs))), name=name)
    features.kernel.assign(np.random.default_rng(5).uniform(-2.0, 2.0, (size, FEATURES)))
    output.kernel.assign(np.random.default_rng([seed or 0, width]).uniform(-0.1, 0.1, (FEATURES, num_classes)))
    return model


def bent(a: np.ndarray, b: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Paths that are late and pale."""
    return 0.97 * toys.fade(a, b, alphas**1.2)


@contextlib.contextmanager
def everywhere_linear() -> Iterator[None]:
    """Classifiers whose network cannot be asked for are linear too."""
    with (
        mock.patch.object(conv4, "classifier", linear),
        mock.patch.object(worth, "Learner", functools.partial(Learner, network=linear)),
        mock.patch.object(evaluation, "train_classifier", functools.partial(train_classifier, network=linear)),
    ):
        yield


def of_few_shot() -> dict:
    judge = few_shot.of_images(
        pictures(0, 60, 2),
        pictures(1, 72, of=1),
        samples=31,
        shots=3,
        seed=3,
        steps=40,
        network=linear,
        oracle={"steps": 60},
    )
    return {**judge.bases(), "blurred": judge.measure(toys.blurred(), None), "protocol": judge.protocol}


def of_domains_by_class() -> dict:
    return evaluation.evaluate(
        {"blurred": toys.blurred()},
        *pictures(0, 60, 2),
        *pictures(1, 72, of=1),
        samples=20,
        points=2,
        domain_by_class=True,
        steps=30,
        network=linear,
    )


def of_usefulness() -> dict:
    images, labels = pictures(2, 60, 4)
    given = evaluation.Usefulness(
        images, labels, shots=(2, 4), classes=3, draws=3, generated=5, steps=20, batch_size=8, seed=2, network=linear
    )
    return {**given.without_model(), "fade": given.measure(evaluation.fade_of_sets), "protocol": given.protocol}


def of_augmentation() -> dict:
    train, test = (Examples(*pictures(seed, count)) for seed, count in ((3, 48), (4, 60)))
    given = evaluation.Augmentation(
        train, test, {4: 6, "all": 12}, runs=2, alpha=(0.2, 0.4), batch_size=8, width=2, seed=1, network=linear
    )
    return given.measure({})


def of_a_small_sample() -> dict:
    found = {}
    for channels, ways in ((1, ("real", "mix_transformed")), (3, small_sample.WAYS)):
        train, made, test = (Examples(*pictures(seed, 36, channels=channels)) for seed in (5, 6, 7))
        measure = small_sample.SmallSample(test, steps=12, batch_size=8, network=linear, width=2).measure
        found[f"{channels} channels"] = measure(train, made, ways, seed=1, others={"other": test})
    return found


def of_worth() -> dict:
    given = worth.Worth(Examples(*pictures(8, 40)), steps=6, width=2, repeats=2, seed=4)
    made = Examples(*pictures(9, 20))
    of_new = worth.newness(made.images, made.labels, given.examples.images, given.examples.labels)
    return {"halves": given.measure(lambda half: made), "new": of_new}


def of_oracles() -> dict:
    images, labels = pictures(10, 60)
    more, numbers = pictures(11, 12)
    sets = evaluation.SeedSets(
        images, labels, extra_images=more, extra_labels=numbers, shots=4, samples=22, per_set=3, seed=1, steps=40
    )
    rows = {name: sets.measure(made) for name, made in sets.without_model().items()}
    return {**rows, "sets": {"seeds": sets.sets, "classes": sets.set_classes, "others": sets.others().mean()}}


def of_classifiers() -> dict:
    found = {}
    for name, how in {
        "the paper's": {},
        "smoothed": {"label_smoothing": 0.2, "peak_rate": 0.01, "held_out": 0.3, "seed": 1},
        "augmented": {"augmentation": evaluation.usual_transformations(pictures(12, 60)[0]), "batch_size": 7},
    }.items():
        classifier = train_classifier(*pictures(12, 60), 3, **({"steps": 30, "width": 2, "network": linear} | how))
        probabilities = classifier.probabilities(pictures(13, 4)[0])
        found[name] = {"confusion": classifier.confusion, "recalls": classifier.recalls, "probabilities": probabilities}
    return found


def of_features() -> dict:
    random = np.random.default_rng(0)
    real, other = random.uniform(-1, 1, (60, 5)), random.uniform(-0.8, 1.1, (47, 5))
    labels, sets = np.arange(60) % 4, np.array([[0, 4], [1, 5], [4, 8]])
    many = np.random.default_rng(1).uniform(-1, 1, (2300, 3)), np.random.default_rng(2).uniform(-1, 1.1, (1900, 3))
    return {
        "distances": distances.distances(other, real, 1)
        | dict(zip("ab", evaluation.kernel_distance_and_deviation(*many), strict=True)),
        "neighbours": evaluation.precision_recall(real, other) | evaluation.density_coverage(real, other),
        "diversity": evaluation.diversity_novelty(
            other[:9].reshape(3, 3, 5), real[sets], labels[sets[:, 0]], real, labels
        ),
        "probe": evaluation.probe(real[:40], labels[:40], real[40:], labels[40:]),
        "clusters": evaluation.clustering(real[:40], labels[:40], real[40:], labels[40:], restarts=2, seed=1),
        "apart": evaluation.cluster_distance(real, 3, tsne=False, repeats=2, restarts=2, seed=1),
    }


def of_pictures() -> dict:
    images, other = pictures(14, 20)[0], pictures(15, 20)[0]
    square = np.kron(images, np.ones((1, 2, 2, 1), np.uint8))[:, :16, :16]
    noise = {size: evaluation.noise(size, (6, 8, 2), 3, seed=1).ravel()[::7] for size in (1, 3, 6)}
    ranges = evaluation.usual_transformations(images)
    return {
        "errors": inversion.mean_errors(images, other),
        "wasserstein": {"sliced": evaluation.sliced_wasserstein(square, square[::-1] // 2, seed=1)},
        "noise": noise | {"errors": evaluation.noise_errors(toys.blurred(), (1, 4, 12), trials=5, seed=2)},
        "turning": evaluation.turning_error(
            evaluation.turning_between(toys.blurred()), images, ranges, count=20, seed=1
        )
        | evaluation.turning_error(evaluation.turning_between(None), images, count=9),
        "admissible": evaluation.admissibility(
            bent, *map(data.to_float, (images, other)), evaluation.near(images, 1.1), points=5
        ),
        "augmented": {
            name: evaluation.augmented_of_sets(some, np.array([[0, 1], [2, 3]]), 2, 1).ravel()[::17]
            for name, some in (("of sets", images), ("of light sets", pictures(14, 4, channels=3)[0] // 4 + 192))
        },
        "refined": inversion.representation(toys.scaled(0.8), images[:3], steps=3, rate=2.0, seed=1)[0]["refined"],
    }


def of_views() -> dict:
    pole = test_views.pole()
    chosen = np.random.default_rng(0).random(pole.images.shape[:2]) < 0.8
    half = {"length": 45, "retrieval_length": 30, "chosen": chosen, "every": 2}
    return {
        "between": evaluation.in_between(bent, pole, **test_views.LENGTHS),
        "chosen": evaluation.in_between(bent, pole, [45, 30], **half),
        "departure": evaluation.departure(bent, pole, pairs=30, points=5, seed=1),
        "lines": evaluation.lines(bent, size=16, width=1.5, paths=12, points=5, references=300, seed=1),
    }


def of_unlabelled_images() -> dict:
    recipe = Recipe("mine", "", Data("folder", image_size=SIDE, share=0.6), target=Target("unlabelled", judge_steps=30))
    examples = Examples(pictures(16, 60)[0])
    with mock.patch.object(data, "load_examples", lambda *_, **__: examples):
        judge = unlabelled.judge(recipe, None, smoke=True, seed=1)
    return {"blurred": judge.measure(toys.blurred(), recipe), **judge.bases(), "protocol": judge.protocol}


def of_labelled_images() -> dict:
    recipe = Recipe("mine", "", Data("folder", image_size=SIDE), target=Target("classes"))
    splits = {recipe.data.split: pictures(17, 60), recipe.target.target_split: pictures(18, 50)}
    kinds = {"classes": classes, "clusters": clusters}
    with mock.patch.object(data, "images", lambda _, split, **__: splits[split]):
        judges = {name: one.judge(recipe, None, smoke=True, seed=1) for name, one in kinds.items()}
    return {name: {"coarse": judge.measure(toys.coarse(), None)} | judge.bases() for name, judge in judges.items()}


def of_what_needs_no_images() -> dict:
    recipe = Recipe("tiny", "", Data("lines/16", image_size=16), target=Target("lines"))
    turning = Recipe("pole", "", Data("pole", image_size=test_views.SIZE, share=0.7), target=Target("views"))
    spot = dataclasses.replace(test_views.pole(step=5.0), places=np.arange(144).reshape(2, 72))
    with mock.patch.object(data, "views", lambda *_, **__: spot):
        of_pole = views_yardstick.judge(turning, None, smoke=True, seed=1)
    with mock.patch.object(generation, "interpolate", lambda _, *given, clip: bent(*given)):
        row = of_pole.measure(toys.identity(), turning)
    of_a_spiral = points.judge(recipe, None, smoke=True, seed=1)
    return {
        "lines": lines.judge(recipe, None, smoke=True, seed=1).bases()["pixel_fade"],
        "points": of_a_spiral.measure(toys.moving(), None),
        "blended points": of_a_spiral.bases()["pixel_fade"],
        "views": row,
    }


MEASURED = held.cases(globals())


@pytest.mark.parametrize("name", MEASURED)
def test_measures_give_what_they_gave(name):
    with everywhere_linear():
        held.check_numbers(PATH, name, MEASURED[name]())


@pytest.mark.slow
def test_the_largest_seed_is_one_too():
    """Each run's own number is a sum with it."""
    images, labels = pictures(2, 24, 2)
    most, examples = 2**32 - 1, Examples(images, labels)
    with everywhere_linear():
        small = {"shots": (2,), "draws": 2, "generated": 1, "steps": 1, "batch_size": 2}
        evaluation.Usefulness(images, labels, **small, seed=most, network=linear).without_model()
        worth.Worth(examples, steps=1, width=1, seed=most).measure(lambda half: examples)
        given = evaluation.Augmentation(examples, examples, {2: 1}, runs=2, batch_size=2, seed=most, network=linear)
        assert set(given.measure({})["none"]) == {"accuracy_2", "accuracy_2_low", "accuracy_2_high"}


if __name__ == "__main__":
    with everywhere_linear():
        held.write(PATH, {name: held.flat(make()) for name, make in MEASURED.items()})
