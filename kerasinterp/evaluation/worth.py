"""What made images are worth to a classifier."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from kerasinterp.data import Examples, batches
from kerasinterp.errors import InputError
from kerasinterp.evaluation.learner import Learner, interval, transformed_for_learning
from kerasinterp.evaluation.paths import as_float, nearest
from kerasinterp.evaluation.seed_sets import usual_transformations

WAYS = ("real", "mix", "real_transformed", "mix_transformed")
_BATCH = 64  # half of it made (COLA chapter 5)
_COPY = 0.25  # ours: of the distance that real images have from the next; nearer a new image is a copy


class Worth:
    """Learns from each half of a small set, with and without images made of that half, and is tested on the other.

    The ways are `real` alone; `mix`, half of each batch made (COLA chapter 5); and both under random transformations,
    anew each time, which is what one does without a model. All have the same number of steps.

    Args:
        examples: labelled images, at least two of each class.
        steps, width, repeats: of each classifier; `repeats` different initial weights.
        seed: of everything that is drawn.

    Attributes:
        halves: indices of the images of each half.

    Raises:
        InputError: no classes, or one with a single image.
    """

    def __init__(self, examples: Examples, *, steps: int = 600, width: int = 16, repeats: int = 2, seed: int = 0):
        self.examples, self._seed, self._repeats = examples, seed, repeats
        self.halves = halves(examples.labels, seed)
        self._moves = transforming(examples.images)
        self._learner = Learner(examples.shape, int(examples.labels.max()) + 1, steps, width)

    def measure(
        self, made: Callable[[int], Examples], told: Callable[[], None] = lambda: None
    ) -> dict[str, dict[str, float] | float]:
        """Accuracies on the halves not learned from, over all images.

        Args:
            made: half 0 or 1 -> images made of that half alone, and their classes.
            told: called after each classifier, of which there are `number`.

        Returns:
            By way, "accuracy" in 0..1 and, but for `real`, "gain" over it, image by image, each with "..._low" and
            "..._high", the ends of a 95% interval over images. "class_fidelity": the share of made images to which a
            classifier that learned from the other half gives their class, beside its accuracy on that half's real ones.
        """
        right: dict[str, np.ndarray] = {way: np.zeros(len(self.examples)) for way in WAYS}
        faithful = []
        new = [made(0), made(1)]
        for half in (0, 1):
            chosen, other = self.halves[half], self.halves[1 - half]
            test, classes = as_float(np.asarray(self.examples.images[other])), self.examples.labels[other]
            judged = as_float(np.asarray(new[1 - half].images))
            for way in WAYS:
                for repeat in range(self._repeats):
                    number = (self._seed + 1000 * repeat + half) % 2**32
                    mixed = new[half] if way.startswith("mix") else None
                    moves = self._moves if way.endswith("transformed") else None
                    real, steps = self.examples.select(chosen), self._learner.steps
                    self._learner.learn(half_and_half(real, mixed, moves, number, steps), number)
                    right[way][other] += (self._learner.verdicts(test) == classes) / self._repeats
                    if way == "real_transformed":
                        faithful.append(float((self._learner.verdicts(judged) == new[1 - half].labels).mean()))
                    told()
        found: dict[str, dict[str, float] | float] = {}
        for way in WAYS:
            found[way] = interval("accuracy", right[way])
            if way != "real":
                found[way] |= interval("gain", right[way] - right["real"])
        found["mix_transformed"] |= interval(
            "gain_over_transformed", right["mix_transformed"] - right["real_transformed"]
        )
        return found | {"class_fidelity": float(np.mean(faithful))}

    @property
    def number(self) -> int:
        """How many classifiers are trained."""
        return 2 * len(WAYS) * self._repeats


Moves = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # images (B, H, W, C) in [-1, 1], a seed (2,) -> images


def transforming(images: np.ndarray) -> Moves:
    """Random transformations in the ranges that are usual for such images, as `transformed_for_learning` has them."""
    ranges = usual_transformations(images)
    return lambda batch, seed: transformed_for_learning(batch, ranges, seed)


def half_and_half(
    real: Examples, made: Examples | None, moves: Moves | None, seed: int, steps: int, batch_size: int = _BATCH
) -> tf.data.Dataset:
    """Batches of images and their classes, half of either, or all real; randomly moved, anew each time."""
    half = 0 if made is None else batch_size // 2
    parts = [batches(Examples(real.images, real.labels), batch_size - half, seed=seed, steps=steps)]
    if made is not None:
        parts.append(batches(Examples(made.images, made.labels), half, seed=seed, steps=steps))

    def batch(step: tf.Tensor, drawn: tuple[Mapping[str, tf.Tensor], ...]) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = (tf.concat([part[key] for part in drawn], axis=0) for key in ("c", "labels"))
        if moves is not None:
            images = moves(images, tf.stack([tf.cast(seed, tf.int64), step]))
        return images, labels

    return tf.data.Dataset.zip(tuple(parts)).enumerate().map(lambda step, drawn: batch(step, drawn))


def halves(labels: np.ndarray | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of two halves, each class dealt out to them in turn, drawn by `seed`.

    Raises:
        InputError: no labels, or a class with a single image.
    """
    if labels is None or labels.ndim != 1:
        raise InputError("The images have no classes: give class folders.")
    rng, dealt = np.random.default_rng([seed, 16]), ([], [])
    for number, label in enumerate(np.unique(labels)):
        members = rng.permutation(np.flatnonzero(labels == label))
        if len(members) < 2:
            raise InputError(f"Class {label} has a single image: give each class two at least.")
        for half in (0, 1):
            dealt[half].append(members[(half + number) % 2 :: 2])  # of an odd one the halves get more in turn
    return np.sort(np.concatenate(dealt[0])), np.sort(np.concatenate(dealt[1]))


def newness(made: np.ndarray, made_classes: np.ndarray, real: np.ndarray, classes: np.ndarray) -> dict:
    """How near made images are to the nearest real one of their class, pixel by pixel.

    Args:
        made, real: uint8 or float in [-1, 1], (N, H, W, C) and (M, H, W, C).
        made_classes, classes: integers (N,) and (M,).

    Returns:
        - "nearest": int64 (N,), the index among `real` of the nearest one;
        - "distance": float (N,), its Euclidean distance over the mean of what a real image of the class has from the
          nearest other one; None in place of the number where the class has but one image, or equal ones;
        - "copies": the share of made images of a distance below 0.25.
    """
    made, real = as_float(made), as_float(real)
    place, distance = np.zeros(len(made), np.int64), np.full(len(made), np.nan)
    for label in np.unique(made_classes):
        own, known = np.flatnonzero(made_classes == label), np.flatnonzero(classes == label)
        found, squared = nearest(made[own], real[known])
        place[own] = known[found]
        if len(known) > 1:
            usual = np.sqrt(nearest(real[known], real[known], np.arange(len(known)))[1]).mean()
            distance[own] = np.sqrt(squared) / usual if usual > 1e-6 else np.nan
    known = distance[np.isfinite(distance)]
    return {
        "nearest": place,
        "distance": distance,
        "copies": float((known < _COPY).mean()) if len(known) else None,
    }
