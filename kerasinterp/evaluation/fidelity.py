"""Class fidelity: are images made from seeds still of the seeds' class, by an oracle that never saw these?"""

import dataclasses
import os

import numpy as np

from kerasinterp.data.forms.triplets import Transformations
from kerasinterp.errors import InputError
from kerasinterp.evaluation.classifier import Classifier, train_classifier
from kerasinterp.evaluation.seed_sets import Make, augmented_of_sets, fade_of_sets, usual_transformations
from kerasinterp.generation.checks import as_images, check_seed
from kerasinterp.nn import conv4

_ORACLES = 14  # images of each class that the oracle gets, where half of them are fewer: of 20, 6 are for seeds
_LEAST = 2  # of them: one to learn from, one to judge it on
_STEPS_PER_CLASS, _LEAST_STEPS = 12, 600  # of the oracle's training
# The oracle's training (ours). Of its images three in four are transformed as far as those of the row "augmented", else
# it takes many of these for other classes.
_PEAK_RATE = 3e-3
_SMOOTHING = 0.1


class SeedSets:
    """Sets of seeds of classes never seen, and an oracle that says of which class the images made from them are.

    Each class is split by `seed`: one part is for seeds alone, half of the class, at least `shots` + 1 images; fewer
    than half if the oracle would else have fewer than 14 (`extra_images` count). The rest is the oracle's. Sets are of
    all classes in turn, `shots` distinct seeds each.

    Args:
        images, labels: uint8 (N, H, W, C) and integers (N,). A class of fewer than `shots` + 3 images is left out.
        extra_images, extra_labels: more for the oracle to learn from, of the same classes: other variants of them, say.
            Those that are, to the byte, one of the images that seeds are drawn from are left out.
        shots: seeds a set, at least 2.
        samples: images that are made, over all sets.
        per_set: images that are made from a set.
        seed: of the split, the sets, what is made from them, and the oracle.
        steps, batch_size, width: of the oracle's training, see `train_classifier`. By default 12 steps for each class,
            768 images of it, and at least 600.
        precision, cache_dir, verbose: as `train_classifier`.
        transformations: of the row "augmented", and of the images that the oracle learns from, there without a crop; by
            default A.1's for such images.
        oracle: a trained one, of the classes that are not left out, numbered in their order.

    Attributes:
        images, labels: those given, as uint8 and as numbers of classes, -1 for what is left out.
        classes: the labels given of the classes that are not left out, sorted.
        seeds: indices of all images that seeds are drawn from.
        sets: indices (G, shots) of each set's seeds; `set_classes` (G,), the number of its class.
        per_set: as given.
        origins: (samples,), from which set each image is made.
        oracle: the classifier.
        protocol: the settings, numbers of images and of `left_out_classes`; "oracle_accuracy", its mean accuracy over
            classes on images held out from its training, and "seed_accuracy", that on `seeds`, none of which it saw.

    Raises:
        InputError: fewer than two classes with enough images, images or labels that do not fit, or an unusable setting.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        extra_images: np.ndarray | None = None,
        extra_labels: np.ndarray | None = None,
        shots: int = 5,
        samples: int = 5000,
        per_set: int = 5,
        seed: int = 0,
        steps: int | None = None,
        batch_size: int = 64,
        width: int = 16,
        precision: str = "float32",
        cache_dir: str | os.PathLike | None = None,
        transformations: Transformations | None = None,
        oracle: Classifier | None = None,
        verbose: int = 0,
    ):
        if shots < 2 or samples < 1 or per_set < 1:
            raise InputError(
                f"shots is {shots}, samples {samples} and per_set {per_set}: give 2 or more shots, 1 or more of others."
            )
        check_seed(seed)
        self.images, labels = _labelled(images, labels, "images")
        extra_images, extra_labels = _extra(extra_images, extra_labels, self.images, labels)
        self.per_set, self._seed = per_set, seed
        self._transformations = transformations or usual_transformations(self.images)

        known, counts = np.unique(labels, return_counts=True)
        self.classes = known[counts >= shots + 1 + _LEAST]
        if len(self.classes) < 2:
            raise InputError(
                f"{len(self.classes)} classes have {shots + 1 + _LEAST} images or more, of {len(known)}: at {shots} "
                "shots that many are needed of two classes; give more images or ask for fewer shots."
            )
        self.labels, more = _numbers(labels, self.classes), _numbers(extra_labels, self.classes)
        extra = np.bincount(more[more >= 0], minlength=len(self.classes))
        self._members, rest = [], []
        for number in range(len(self.classes)):
            members = np.random.default_rng([seed, 4, number]).permutation(np.flatnonzero(self.labels == number))
            part = _seeds_of(len(members), shots, extra[number])
            self._members.append(members[:part])
            rest.append(members[part:])
        self.seeds, rest = np.concatenate(self._members), np.concatenate(rest)
        self.set_classes, self.sets = self._draw(-(-samples // per_set), shots)
        self.origins = np.repeat(np.arange(len(self.sets)), per_set)[:samples]

        learned = self.images[:0]
        if oracle is None:
            hidden = {self.images[index].tobytes() for index in self.seeds}
            rest = rest[[image.tobytes() not in hidden for image in self.images[rest]]]
            kept = (more >= 0) & np.array([image.tobytes() not in hidden for image in extra_images], bool)
            learned = np.concatenate([self.images[rest], extra_images[kept]])
            oracle = train_classifier(
                learned,
                np.concatenate([self.labels[rest], more[kept]]),
                len(self.classes),
                steps=max(_LEAST_STEPS, _STEPS_PER_CLASS * len(self.classes)) if steps is None else steps,
                batch_size=batch_size,
                width=width,
                augmentation=dataclasses.replace(self._transformations, crop=None),
                label_smoothing=_SMOOTHING,
                peak_rate=_PEAK_RATE,
                precision=precision,
                seed=seed,
                cache_dir=cache_dir,
                network=conv4.classifier,
                verbose=verbose,
            )
        self.oracle = oracle
        right = self.oracle.predict(self.images[self.seeds]) == self.labels[self.seeds]
        self.protocol = {
            "shots": shots,
            "samples": samples,
            "per_set": per_set,
            "seed": seed,
            "classes": len(self.classes),
            "left_out_classes": len(known) - len(self.classes),
            "seed_images": len(self.seeds),
            "oracle_images": len(learned),  # 0: one that was given
            "oracle_accuracy": self.oracle.accuracy,
            "seed_accuracy": float(_by_class(right, self.labels[self.seeds], len(self.classes)).mean()),
        }

    def generate(self, make: Make) -> np.ndarray:
        """The images that a way to make them makes from all sets, float32 (samples, H, W, C).

        Args:
            make: a function of `seed_sets`, such as `functools.partial(few_shot_of_sets, model)`.
        """
        return make(self.images, self.sets, self.per_set, self._seed)[: len(self.origins)]

    def without_model(self) -> dict[str, np.ndarray]:
        """Images of the rows without a model, each as `generate` gives them.

        "real": for each set, seeds of its class that are not in the set, in random order and repeated if there are too
        few; "pixel_fade"; "augmented".
        """

        def augmented(*given: object) -> np.ndarray:
            return augmented_of_sets(*given, self._transformations)

        return {
            "real": as_images(self.images[self._others(self._members)], made=True),
            "pixel_fade": self.generate(fade_of_sets),
            "augmented": self.generate(augmented),
        }

    def measure(self, images: np.ndarray, origins: np.ndarray | None = None) -> dict:
        """How many images are still of their seeds' class.

        Args:
            images: (M, H, W, C), float in [-1, 1] or uint8, made from the sets.
            origins: integers (M,), from which set; None for the order of `generate`.

        Returns:
            "class_fidelity": the share, in 0..1, that the oracle gives their seeds' class, the mean over the classes
            that have images; "class_fidelity_by_class", the share for each class by its label; "oracle_accuracy" and
            "seed_accuracy", see `protocol`: what fidelity could be at most.

        Raises:
            InputError: images of another shape or range, or another number of origins.
        """
        origins = self.origins if origins is None else np.asarray(origins)
        if len(images) != len(origins):
            raise InputError(f"{len(images)} images come from {len(origins)} sets: say of each image from which set.")
        expected = self.set_classes[origins]
        shares = _by_class(self.oracle.predict(images) == expected, expected, len(self.classes))
        return {
            "class_fidelity": float(np.nanmean(shares)),
            "class_fidelity_by_class": {
                str(label): float(share)
                for label, share in zip(self.classes, shares, strict=True)
                if not np.isnan(share)
            },
            "oracle_accuracy": self.protocol["oracle_accuracy"],
            "seed_accuracy": self.protocol["seed_accuracy"],
        }

    def _draw(self, count: int, shots: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng([self._seed, 5])
        rounds = -(-count // len(self.classes))
        classes = np.concatenate([random.permutation(len(self.classes)) for _ in range(rounds)])[:count]
        sets = [random.choice(self._members[number], shots, replace=False) for number in classes]
        return classes, np.stack(sets)

    def others(self) -> np.ndarray:
        """Real images as many as are made, of each set's class and not in the set, uint8 (samples, H, W, C).

        Those that the oracle saw are among them: for how they differ, not for their fidelity.
        """
        members = [np.flatnonzero(self.labels == number) for number in range(len(self.classes))]
        return self.images[self._others(members)]

    def _others(self, members: list[np.ndarray]) -> np.ndarray:
        random = np.random.default_rng([self._seed, 8])
        drawn = []
        for number, own in zip(self.set_classes, self.sets, strict=True):
            others = np.setdiff1d(members[number], own)
            drawn.append(np.resize(random.permutation(others), self.per_set))
        return np.concatenate(drawn)[: len(self.origins)]


def _labelled(images: np.ndarray, labels: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim != 4 or images.dtype != np.uint8 or not len(images):
        raise InputError(f"{name} are {images.dtype} {images.shape}: give uint8 (images, height, width, channels).")
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"labels of {name} are {labels.dtype} {labels.shape}: give one integer for each image.")
    return images, labels


def _extra(
    images: np.ndarray | None, labels: np.ndarray | None, like: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if (images is None) != (labels is None):
        raise InputError("extra_images and extra_labels belong together: give both or neither.")
    if images is None:
        return like[:0], known[:0]
    images, labels = _labelled(images, labels, "extra_images")
    if images.shape[1:] != like.shape[1:]:
        raise InputError(f"extra_images are {images.shape[1:]} and images {like.shape[1:]}: give one size.")
    if not np.isin(labels, known).all():
        raise InputError("extra_labels name a class that labels do not: give extra images of the same classes.")
    return images, labels


def _numbers(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The place of each label in the sorted `classes`; -1 for labels that are not there."""
    place = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    return np.where(classes[place] == labels, place, -1)


def _seeds_of(count: int, shots: int, extra: int) -> int:
    """How many of a class's `count` images are for seeds."""
    return max(shots + 1, min(count // 2, count - max(_ORACLES - extra, _LEAST)))


def _by_class(right: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
    """The share of each class; NaN for those without images."""
    total = np.bincount(classes, minlength=count)
    return np.where(total > 0, np.bincount(classes, right, minlength=count) / np.maximum(total, 1), np.nan)
