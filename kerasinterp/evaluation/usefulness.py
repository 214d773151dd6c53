"""Usefulness: what images made from a few seeds a class are worth to a classifier that learns from them."""

import contextlib
import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from kerasinterp import progress
from kerasinterp.data.forms.triplets import Transformations
from kerasinterp.errors import InputError
from kerasinterp.evaluation.learner import Learner, interval, transformed_for_learning
from kerasinterp.evaluation.paths import as_float
from kerasinterp.evaluation.seed_sets import Make, usual_transformations
from kerasinterp.generation.checks import check_seed
from kerasinterp.nn import infogan
from kerasinterp.reproducible import reproducible

_MOST_TESTED = 100  # images of a class


class Usefulness:
    """Accuracy on real images of classifiers that learn from a few seeds a class and from what is made of them.

    Each draw has seeds of its own (those of fewer shots are among those of more), initial weights, and test images: all
    others of the class, at most 100. Every method gets the same ones, the same number of steps and the same draws of
    seeds, so that differences between methods are paired. The four methods are

    - seeds: batches of seeds;
    - augmented: the same, three in four images under a random transformation of their own at every step;
    - generated: half of each batch are generated images (GLICO: Azuri and Weinshall, 2020);
    - generated and augmented: both.

    Classes are drawn equally often, and in a class its images.

    Args:
        images, labels: real images of classes that the models have not seen, uint8 (N, H, W, C), and integers (N,).
        shots: seeds a class, each at least 2.
        classes: at most so many classes, drawn by `seed` among those with more images than the most shots.
        draws: how often all is repeated, at least 2 (intervals need it).
        generated: images made for each class.
        steps, batch_size, width: of each classifier's training; Adam, from 0.003 to 0 along half a cosine (ours).
        transformations: of "augmented"; by default A.1's for such images.
        seed: of everything that is drawn.
        network: `infogan.classifier`, or another builder with its arguments.
        verbose: 1 tells how many classifiers are trained.

    Attributes:
        protocol: the settings and how many classes and test images there are.

    Raises:
        InputError: fewer than two classes with enough images, images or labels that do not fit, an unusable setting.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        shots: tuple[int, ...] = (2, 5, 10),
        classes: int = 20,
        draws: int = 5,
        generated: int = 50,
        steps: int = 300,
        batch_size: int = 64,
        width: int = 8,
        transformations: Transformations | None = None,
        seed: int = 0,
        network: Callable[..., keras.Model] = infogan.classifier,
        verbose: int = 0,
    ):
        images, labels = np.asarray(images), np.asarray(labels)
        if images.ndim != 4 or images.dtype != np.uint8 or labels.shape != (len(images),):
            raise InputError(
                f"images are {images.dtype} {images.shape} and labels {labels.shape}: give uint8 (images, height, "
                "width, channels) and one label for each."
            )
        if not shots or min(shots) < 2:
            raise InputError(f"shots are {list(shots)}: give one or more numbers of seeds, each 2 or more.")
        if draws < 2 or min(generated, steps) < 1 or batch_size < 2:
            raise InputError(
                f"draws is {draws}, generated {generated}, steps {steps}, batch_size {batch_size}: give 2 or more "
                "draws, a batch of 2 or more, and a positive number of the others."
            )
        check_seed(seed)
        known, counts = np.unique(labels, return_counts=True)
        able = known[counts > max(shots)]
        if min(len(able), classes) < 2:
            raise InputError(
                f"{len(able)} classes have more than {max(shots)} images and classes is {classes}: at least 2 are "
                "needed; give more images a class, or fewer shots."
            )
        self._images = images
        self._shots, self._draws, self._generated, self._seed = tuple(sorted(shots)), draws, generated, seed
        chosen = np.sort(np.random.default_rng([seed, 9]).choice(able, min(classes, len(able)), replace=False))
        members = [np.flatnonzero(labels == label) for label in chosen]
        ranges = transformations or usual_transformations(images)
        self._training = _Training(images.shape[1:], len(chosen), steps, batch_size, width, ranges, seed, network)
        self._parts = [self._split(members, draw) for draw in range(draws)]
        self._verbose, self._told = verbose, None
        self._found: dict[bool, dict[int, np.ndarray]] = {}  # of the methods without generated images
        self.protocol = {
            "usefulness_classes": len(chosen),
            "usefulness_draws": draws,
            "usefulness_generated": generated,
            "usefulness_steps": steps,
            "usefulness_batch_size": batch_size,
            "usefulness_test_images": len(self._parts[0][1]),
        }

    def measure(self, make: Make) -> dict[str, float]:
        """What the images of one way to make them are worth.

        Args:
            make: a function of `seed_sets`, such as `functools.partial(few_shot_of_sets, model)` or `fade_of_sets`.

        Returns:
            For each number of seeds k, the mean over draws of

            - "usefulness_k": accuracy in 0..1 from seeds and generated images;
            - "usefulness_k_augmented": the same under random transformations;
            - "usefulness_k_gain": the first less that of the seeds alone, draw by draw;
            - "usefulness_k_augmented_gain": the second less that of the augmented seeds;

            and "..._low" and "..._high" of each, the ends of its 95% interval (Student's t over draws).

        Raises:
            InputError: as `make`.
        """
        row = {}
        with self._telling((2 + 2 - len(self._found)) * len(self._shots) * self._draws):
            for k in self._shots:
                made = [self._make(make, draw, k) for draw in range(self._draws)]
                for name, augment in (("", False), ("_augmented", True)):
                    found = np.array([self._accuracy(draw, k, augment, made[draw]) for draw in range(self._draws)])
                    gain = found - self._without(augment)[k]
                    row |= interval(f"usefulness_{k}{name}", found) | interval(f"usefulness_{k}{name}_gain", gain)
        return row

    def without_model(self) -> dict[str, dict[str, float]]:
        """The rows "seeds" and "augmented", keys as `measure`; the gain is that of "augmented" over "seeds"."""
        rows = {"seeds": {}, "augmented": {}}
        for k in self._shots:
            alone, augmented = self._without(False)[k], self._without(True)[k]
            rows["seeds"] |= interval(f"usefulness_{k}", alone)
            rows["augmented"] |= interval(f"usefulness_{k}", augmented)
            rows["augmented"] |= interval(f"usefulness_{k}_gain", augmented - alone)
        return rows

    @contextlib.contextmanager
    def _telling(self, classifiers: int) -> Iterator[None]:
        """Tells of so many classifiers that are trained within, if anything is told."""
        if not self._verbose:
            yield
            return
        with progress.bar(classifiers, "usefulness", "classifiers") as self._told:
            yield
        self._told = None

    def _without(self, augment: bool) -> dict[int, np.ndarray]:
        if augment not in self._found:
            self._found[augment] = {
                k: np.array([self._accuracy(draw, k, augment) for draw in range(self._draws)]) for k in self._shots
            }
        return self._found[augment]

    def _split(self, members: list[np.ndarray], draw: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Indices of a draw's seeds (classes, most shots), of its test images, and these images' classes."""
        random, most = np.random.default_rng([self._seed, 10, draw]), max(self._shots)
        drawn = [random.permutation(one) for one in members]
        tested = [one[most : most + _MOST_TESTED] for one in drawn]
        classes = np.repeat(np.arange(len(members)), [len(one) for one in tested])
        return np.stack([one[:most] for one in drawn]), np.concatenate(tested), classes

    def _make(self, make: Make, draw: int, k: int) -> np.ndarray:
        number = int(np.random.default_rng([self._seed, 11, draw, k]).integers(0, 2**32))
        return np.asarray(make(self._images, self._parts[draw][0][:, :k], self._generated, number))

    def _accuracy(self, draw: int, k: int, augment: bool, generated: np.ndarray | None = None) -> float:
        """The mean over classes of the share of test images that is classified correctly."""
        seeds, tested, classes = self._parts[draw]
        pool, number = as_float(self._images[seeds[:, :k].reshape(-1)]), np.arange(len(seeds))
        labels, count = np.repeat(number, k), 0 if generated is None else self._generated
        if generated is not None:
            pool, labels = np.concatenate([pool, generated]), np.concatenate([labels, np.repeat(number, count)])
        self._training.learn_of_pool(pool, labels, self._training.batches(draw, k, count), draw, augment)
        right = self._training.verdicts(as_float(self._images[tested])) == classes
        if self._told is not None:
            self._told.update()
        return float(np.mean(np.bincount(classes, right) / np.bincount(classes)))


class _Training(Learner):
    """Trains on batches that are drawn of a pool of images."""

    def __init__(self, image_shape, num_classes, steps, batch_size, width, ranges, seed, network):
        super().__init__(image_shape, num_classes, steps, width, network)
        self._classes, self._batch_size, self._ranges, self._seed = num_classes, batch_size, ranges, seed
        signature = [  # traced once, however large the pool is
            tf.TensorSpec([None, *image_shape], tf.float32),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([steps, batch_size], tf.int32),
            tf.TensorSpec([], tf.int64),
        ]
        self._of_pool = {
            augment: tf.function(functools.partial(self._steps_of_pool, augment), input_signature=signature)
            for augment in (False, True)
        }

    def batches(self, draw: int, k: int, generated: int) -> np.ndarray:
        """Which of the pool's images, k seeds a class and then `generated` a class: int32 (steps, batch_size)."""
        random = np.random.default_rng([self._seed, 12, draw, k])
        classes = random.integers(0, self._classes, (self.steps, self._batch_size))
        share = random.random(classes.shape)
        order = classes * k + (share * k).astype(np.int64)
        if generated:  # the second half of each batch
            half = np.s_[:, self._batch_size // 2 :]
            order[half] = self._classes * k + classes[half] * generated + (share[half] * generated).astype(np.int64)
        return order.astype(np.int32)

    def learn_of_pool(
        self, pool: np.ndarray, classes: np.ndarray, batches: np.ndarray, draw: int, augment: bool
    ) -> None:
        """Trains on batches of the pool, from the draw's initial weights."""
        number = (self._seed + 1000 * draw) % 2**32
        self.start(number)
        with reproducible(number):
            self._of_pool[augment](*map(tf.constant, (pool, classes, batches)), tf.constant(number, tf.int64))

    def _steps_of_pool(self, augment, pool, classes, batches, number):
        for step in tf.range(tf.shape(batches)[0]):
            images = tf.gather(pool, batches[step])
            if augment:
                draws = tf.stack([number, tf.cast(step, tf.int64)])
                images = transformed_for_learning(images, self._ranges, draws)
            self.update(images, tf.gather(classes, batches[step]))
