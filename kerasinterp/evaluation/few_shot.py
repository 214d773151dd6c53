"""The comparison of AugIntAE's table 2: models that learned one domain mix images of another."""

import dataclasses
import os
from collections.abc import Callable, Mapping

import keras
import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.evaluation.classifier import Classifier, train_classifier
from kerasinterp.evaluation.distances import (
    gaussian_distance,
    kernel_distance,
    kernel_distance_and_deviation,
    reliable,
)
from kerasinterp.evaluation.domain import TARGET, domain_of_classes, misclassification, train_domain_classifier
from kerasinterp.evaluation.paths import finite
from kerasinterp.evaluation.pixels import l2_error, squared_error_255
from kerasinterp.evaluation.seed_sets import few_shot_of_sets
from kerasinterp.generation import decode, encode, mix, sample
from kerasinterp.generation.checks import as_images, codes_images
from kerasinterp.nn import infogan

_MOST_REAL = 10_000  # real target images that distances are taken to
_COMPARED = ("fid", "kernel", "misclassification")
_OF_RECONSTRUCTIONS = (*(f"{key}_reconstruction" for key in _COMPARED), "l2", "squared_error_255")
_FEATURE_WIDTH = 8  # of the feature classifier: 128 features


@dataclasses.dataclass(frozen=True)
class Judges:
    """The two classifiers of an evaluation.

    Attributes:
        features: tells all classes of both domains apart; its penultimate layer gives the distances' features.
        domain: tells the source domain (class 0) from the target domain (class 1).
    """

    features: Classifier
    domain: Classifier


def train_judges(
    source_images: np.ndarray,
    source_labels: np.ndarray | None,
    target_images: np.ndarray,
    target_labels: np.ndarray | None,
    *,
    domain_by_class: bool = False,
    steps: int = 2000,
    precision: str = "float32",
    seed: int = 0,
    cache_dir: str | os.PathLike | None = None,
    network: Callable[..., keras.Model] = infogan.classifier,
    verbose: int = 0,
) -> Judges:
    """Trains both classifiers of an evaluation, on the source and the target images together.

    The feature classifier is narrower (128 penultimate units): the Frechet distance's upward bias grows with the
    square of the number of features, and 5,000 images do not fill the 1,024 of the paper's architecture. Between halves
    of the real letters of handwritten_az, relative to pixel fade at 0.5, the distance was 0.08 with 64 features, 0.02
    with 128, 0.03 with 256 and 0.05 with 512, at a held-out accuracy of 93, 95, 95 and 95% (36 classes).

    Args:
        source_images, source_labels: uint8 (N, H, W, C) that the models were trained on, and integers (N,), or None
            for one class. The two domains' labels are kept apart even where their numbers are equal.
        target_images, target_labels: the seeds' domain, likewise.
        domain_by_class: the domain is that of the likeliest class, not what a two-class classifier says. It departs
            from the paper, but where the domains share their look (Omniglot's alphabets) two classes are not learnt.
        steps: of training, each classifier.
        precision, seed, cache_dir, network, verbose: as `train_classifier`.

    Raises:
        InputError: as `train_classifier`.

    Source: AugIntAE A.1 and A.3; the feature classifier is ours, in place of Inception-v3.
    """
    common = {"steps": steps, "precision": precision, "seed": seed, "cache_dir": cache_dir, "network": network}
    source, target = _labels(source_images, source_labels), _labels(target_images, target_labels)
    joint = np.concatenate([source, source.max() + 1 + target])
    images = np.concatenate([np.asarray(source_images), np.asarray(target_images)])
    common["verbose"] = verbose
    features = train_classifier(images, joint, int(joint.max()) + 1, width=_FEATURE_WIDTH, **common)
    if domain_by_class:
        # Not the feature classifier: it would be judge in its own cause, and its width costs accuracy.
        by_class = train_classifier(images, joint, int(joint.max()) + 1, **common)
        domain = domain_of_classes(by_class, int(source.max()) + 1)
    else:
        domain = train_domain_classifier(source_images, target_images, **common)
    return Judges(features, domain)


class FewShot:
    """One comparison of AugIntAE's table 2: the pairs, weights and real images that every model is measured on.

    All models mix the same pairs of the same class at the same weights: `points` of them uniform in [0, 1] on each of
    ceil(samples / points) paths. The pairs come from all target images, those that the judges learned from included,
    as in the paper.

    Args:
        source_images, source_labels, target_images, target_labels: as `train_judges`.
        samples: generated images a model.
        points: weights on each path.
        seed: of pairs, weights and, if trained here, the judges.
        judges: trained ones, else `train_judges` with `settings`.
        features: another extractor, images float32 (N, H, W, C) in [-1, 1] -> (N, D), such as `inception`.
        settings: `domain_by_class`, `steps`, `precision`, `cache_dir`, `network`, `verbose` of `train_judges`.

    Attributes:
        protocol: the settings; how many images of each kind and features there are; "classifier_accuracy", the domain
            classifier's accuracy on held-out images, and "feature_classifier_accuracy", that of the other;
            "fid_unreliable", true if the smallest of the sets that are compared has too few images for a Frechet
            distance (`distances.reliable`).

    Raises:
        InputError: no pair of one class, fewer than two samples, or as `train_judges`.

    Source: AugIntAE A.3 and table 2.
    """

    def __init__(
        self,
        source_images: np.ndarray,
        source_labels: np.ndarray | None,
        target_images: np.ndarray,
        target_labels: np.ndarray | None,
        *,
        samples: int = 5000,
        points: int = 3,
        seed: int = 0,
        judges: Judges | None = None,
        features: Callable[[np.ndarray], np.ndarray] | None = None,
        **settings: object,
    ):
        target_images = np.asarray(target_images)
        if samples < 2 or points < 1:
            raise InputError(f"samples is {samples} and points {points}: ask for at least 2 samples and 1 point.")
        target_labels = _labels(target_images, target_labels)
        first, second, self._alphas = _draw_paths(target_labels, samples, points, seed)
        if judges is None:
            judges = train_judges(source_images, source_labels, target_images, target_labels, seed=seed, **settings)
        self._judges, self._extract = judges, features or judges.features.features

        shuffled = np.random.default_rng([seed, 2]).permutation(len(target_images))
        self._real = self._extract(as_images(target_images[shuffled[:_MOST_REAL]]))
        self._kept = as_images(target_images[shuffled[:samples]])  # those that are reconstructed

        seeds, place = np.unique(np.concatenate([first, second]), return_inverse=True)
        self._seeds = target_images[seeds]  # as they came: as floats, a light pair looks like one in [0, 1]
        self._pairs, self._points, self._seed = np.stack(np.split(place, 2), axis=1), points, seed
        self._left, self._right = np.repeat(self._pairs, points, axis=0)[:samples].T
        smallest = min(len(self._real) // 2, len(self._kept), len(self._alphas))
        self.protocol = {
            "samples": len(self._alphas),
            "points": points,
            "seed": seed,
            "source_images": len(source_images),
            "target_images": len(target_images),
            "real_images": len(self._real),
            "reconstructed_images": len(self._kept),
            "features": int(self._real.shape[1]),
            "feature_extractor": getattr(features, "__name__", "custom") if features else "classifier",
            "classifier_accuracy": judges.domain.accuracy,
            "feature_classifier_accuracy": judges.features.accuracy,
            "fid_unreliable": not reliable(smallest, self._real.shape[1]),
        }

    def measure(self, model: keras.Model, name: str = "the model") -> dict[str, float]:
        """A model's row.

        Returns:
            - "fid", "kernel", "misclassification" of the mixes, as `distances` has them; of a model without codes, of
              the images that it makes of the pairs as seeds, or draws from its prior, if it takes no seeds;
            - "fid_reconstruction", "kernel_reconstruction", "misclassification_reconstruction": those of reconstructed
              target images;
            - "l2", "squared_error_255": of reconstructions, see `l2_error` and `squared_error_255`.
              Without codes those of reconstructions are None.

        Raises:
            InputError: a model of another image shape, or whose images are not finite.
        """
        _check_shape(model, name, self._kept.shape[1:])
        if not codes_images(model):
            return self.distances(self._made(model)) | dict.fromkeys(_OF_RECONSTRUCTIONS)
        codes = encode(model, self._seeds)
        mixes = _pictures(model, mix(model, codes[self._left], codes[self._right], self._alphas), f"mixes of {name}")
        reconstructions = _pictures(model, encode(model, self._kept), f"reconstructions of {name}")
        return self._row(mixes, reconstructions)

    def _made(self, model: keras.Model) -> np.ndarray:
        """As many images as are mixed, of a model without codes: of the pairs as seeds, or of its prior."""
        count = len(self._alphas)
        if hasattr(model, "few_shot"):
            return few_shot_of_sets(model, self._seeds, self._pairs, self._points, self._seed)[:count]
        return finite(sample(model, count, self._seed), "samples")

    def without_model(self) -> dict[str, dict[str, float]]:
        """The row "pixel_fade", of blended pixels, and the floor "real": one half of the real target images against the
        other, and the domain classifier's error on held-out target images."""
        weight = self._alphas.reshape(-1, 1, 1, 1)
        seeds = as_images(self._seeds)
        fade = (1.0 - weight) * seeds[self._left] + weight * seeds[self._right]
        half = len(self._real) // 2
        real = _distances(self._real[:half], self._real[half:])
        real["misclassification"] = 1.0 - float(self._judges.domain.recalls[TARGET])
        return {"pixel_fade": self._row(fade, self._kept), "real": real}

    def features(self, images: np.ndarray) -> np.ndarray:
        """What distances are measured in, (N, D), of images (N, H, W, C), float in [-1, 1] or uint8."""
        return self._extract(as_images(images))

    def distances(self, images: np.ndarray) -> dict[str, float]:
        """How far images (N, H, W, C), however made, are from real target images.

        Returns:
            - "fid", "kernel": Frechet and kernel distance; "kernel_deviation": the latter's standard error,
              None of fewer than three images;
            - "misclassification": the share, in 0..1, taken for the source domain.
        """
        found = _distances(self._real, self.features(images))
        return found | {"misclassification": misclassification(self._judges.domain, images)}

    def _row(self, mixes: np.ndarray, reconstructions: np.ndarray) -> dict[str, float]:
        mixed, reconstructed = self.distances(mixes), self.distances(reconstructions)
        return {
            **mixed,
            **{f"{key}_reconstruction": reconstructed[key] for key in _COMPARED},
            "l2": l2_error(self._kept, reconstructions),
            "squared_error_255": squared_error_255(self._kept, reconstructions),
        }


def evaluate(
    models: Mapping[str, keras.Model],
    source_images: np.ndarray,
    source_labels: np.ndarray | None,
    target_images: np.ndarray,
    target_labels: np.ndarray | None,
    **settings: object,
) -> dict:
    """Measures how well models trained on the source domain mix images of the target domain: `FewShot`'s rows at once.

    Args:
        models: objectives by name; none is allowed and gives the rows without a model.
        source_images, source_labels, target_images, target_labels, settings: as `FewShot`.

    Returns:
        A dict ready for JSON: a row for each model, "pixel_fade" and "real", and "protocol".

    Raises:
        InputError: as `FewShot`.
    """
    for name, model in models.items():  # before any training
        _check_shape(model, f"model {name!r}", np.shape(target_images)[1:])
    comparison = FewShot(source_images, source_labels, target_images, target_labels, **settings)
    rows = {name: comparison.measure(model, f"model {name!r}") for name, model in models.items()}
    return rows | comparison.without_model() | {"protocol": comparison.protocol}


def _distances(real: np.ndarray, other: np.ndarray) -> dict[str, float | None]:
    found = {"fid": gaussian_distance(real, other), "kernel": kernel_distance(real, other), "kernel_deviation": None}
    if min(len(real), len(other)) > 2:
        found["kernel"], found["kernel_deviation"] = kernel_distance_and_deviation(real, other)
    return found


def _check_shape(model: keras.Model, name: str, shape: tuple[int, ...]) -> None:
    if tuple(model.image_shape) != tuple(shape):
        raise InputError(
            f"{name} takes images of shape {tuple(model.image_shape)}, the target images have {tuple(shape)}: load "
            "them at the model's size."
        )


def _pictures(model: keras.Model, codes: np.ndarray, name: str) -> np.ndarray:
    """Images of codes in [-1, 1]; what is not finite is told before the range is cut."""
    return np.clip(finite(decode(model, codes, clip=False), name), -1.0, 1.0)


def _labels(images: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Class numbers from 0 without gaps."""
    labels = np.zeros(len(images), np.int64) if labels is None else np.asarray(labels)
    if labels.shape != (len(images),) or not len(labels):
        raise InputError(f"labels have shape {labels.shape} for {len(images)} images: give one label for each image.")
    return np.unique(labels, return_inverse=True)[1]


def _draw_paths(labels: np.ndarray, samples: int, points: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of distinct images of one class, two (paths,) index arrays, and float32 weights (samples,).

    Classes are drawn as often as the target has images of them, so that mixes and real images have the same classes.
    """
    random = np.random.default_rng([seed, 3])
    counts = np.bincount(labels)
    able = np.flatnonzero(counts[labels] >= 2)
    if not len(able):
        raise InputError("no target class has two images: give at least two images of one class to mix.")
    paths = -(-samples // points)
    first = random.choice(able, paths)
    # Images sorted by class: the second is drawn among the class's others by a step of 1 to count - 1 from the first.
    order = np.argsort(labels, kind="stable")
    start, rank = np.cumsum(counts) - counts, np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - start[labels[order]]
    count = counts[labels[first]]
    step = 1 + (random.random(paths) * (count - 1)).astype(np.int64)
    second = order[start[labels[first]] + (rank[first] + step) % count]
    return first, second, random.random((paths, points)).astype(np.float32).reshape(-1)[:samples]
