"""A classifier that learns the same way over and over, from other images: what they are worth to it is compared."""

from collections.abc import Callable

import keras
import numpy as np
import scipy.stats
import tensorflow as tf

from kerasinterp.data.forms.triplets import Transformations, transformed_at_random
from kerasinterp.evaluation.paths import finite
from kerasinterp.nn import infogan
from kerasinterp.ops.parts import in_parts
from kerasinterp.reproducible import reproducible

RATE = 3e-3  # ours
# Ours. Interpolation softens strokes, and what learned from softened images alone misjudges sharp ones: on Omniglot's
# training alphabets class fidelity's oracle knows 85.9% of real images (at 0 82.1%, at 0.5 85.8%), and augmented seeds
# teach `Usefulness` 93.7% at five a class (at 0 90.2%, at 0.5 92.9%).
AS_THEY_ARE = 0.25
_CONFIDENCE = 0.95
_AT_ONCE = 1000  # tested


def _adam(steps: int) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps))


class Learner:
    """One network whose training is traced once; each run starts from weights of its own.

    Cross-entropy; by default by Adam, whose rate falls from `RATE` to 0 along half a cosine (ours).

    Args:
        image_shape: (H, W, C).
        num_classes: how many classes.
        steps: of each run.
        width: of the network.
        network: `infogan.classifier`, or another builder with its arguments.
        optimizer: makes one for a run of so many steps.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        steps: int,
        width: int,
        network: Callable[..., keras.Model] = infogan.classifier,
        optimizer: Callable[[int], keras.optimizers.Optimizer] = _adam,
    ):
        def build(number: int) -> keras.Model:
            return network(image_shape, num_classes, width=width, seed=number, name="classifier")

        self.steps = steps
        self._build, self._model = build, build(0)
        self._first: dict[int, list[np.ndarray]] = {}
        self._optimizer = optimizer(steps)
        self._optimizer.build(self._model.trainable_variables)
        self._fresh = [variable.numpy() for variable in self._optimizer.variables]
        self._run = tf.function(self._steps_of)
        self._verdicts = tf.function(lambda images: self._model(images, training=False))

    def start(self, number: int) -> None:
        """Begins anew, from the initial weights of this seed."""
        if number not in self._first:
            # All variables: a dropout's state too, which is none of the weights.
            self._first[number] = [variable.numpy() for variable in self._build(number).variables]
        begun = zip(self._model.variables, self._first[number], strict=True)
        for variable, value in (*begun, *zip(self._optimizer.variables, self._fresh, strict=True)):
            variable.assign(value)

    def learn(self, batches: tf.data.Dataset, number: int) -> None:
        """A run from the initial weights of the seed `number`, on pairs of images in [-1, 1] and their classes."""
        self.start(number)
        with reproducible(number):
            self._run(iter(batches))

    def update(self, images: tf.Tensor, classes: tf.Tensor) -> None:
        """One step, within a graph."""
        with tf.GradientTape() as tape:
            probabilities = self._model(images, training=True)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(classes, probabilities))
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)

    def verdicts(self, images: np.ndarray) -> np.ndarray:
        """The likeliest class of each image, float32 (N, H, W, C) in [-1, 1]."""
        return finite(in_parts(self._verdicts, images, size=_AT_ONCE), "the classifier's outputs").argmax(axis=1)

    def _steps_of(self, batches):
        for _ in tf.range(self.steps):
            self.update(*next(batches))


def transformed_for_learning(images: tf.Tensor, ranges: Transformations, seed: tf.Tensor) -> tf.Tensor:
    """As `transformed_at_random`, but each image (B, H, W, C) stays as it is with probability `AS_THEY_ARE`."""
    draws = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed + tf.constant([0, 1 << 41], tf.int64))
    return tf.where(draws < AS_THEY_ARE, images, transformed_at_random(images, ranges, seed))


def interval(name: str, values: np.ndarray) -> dict[str, float]:
    """The mean of independent values as `name`, and the ends of its 95% interval, "..._low" and "..._high".

    Source: Student's t distribution of (number of values - 1) degrees of freedom.
    """
    mean, error = float(np.mean(values)), float(scipy.stats.sem(values))
    half = float(scipy.stats.t.ppf((1.0 + _CONFIDENCE) / 2.0, len(values) - 1)) * error
    return {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}
