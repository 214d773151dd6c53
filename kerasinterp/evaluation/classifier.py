"""A classifier that judges generated images: its class decisions, and its penultimate layer as features."""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from kerasinterp import progress
from kerasinterp.data.forms.numbered import without_autotuning
from kerasinterp.data.forms.triplets import Transformations
from kerasinterp.errors import InputError
from kerasinterp.evaluation.learner import AS_THEY_ARE, transformed_for_learning
from kerasinterp.evaluation.paths import finite
from kerasinterp.files import written_whole
from kerasinterp.generation.checks import as_images
from kerasinterp.nn import infogan
from kerasinterp.reproducible import reproducible

_FORMAT = 1  # raise it when training changes, so that older cached classifiers are not used
_CHUNK = 500  # images that are classified at once


class Classifier:
    """A trained classifier with the share of held-out images that it gets right.

    Attributes:
        model: `keras.Model` from images (B, H, W, C) in [-1, 1] to class probabilities (B, num_classes).
        confusion: (num_classes, num_classes), how many held-out images of class i are classified as class j.
        recalls: float64 (num_classes,), the held-out share that is classified correctly, class by class; NaN for a
            class of a single image, which has none to hold out.
        accuracy: the mean of `recalls` in 0..1, so that each class counts the same however many images it has.
    """

    def __init__(self, model: keras.Model, confusion: np.ndarray):
        self.model = model
        self.confusion = np.asarray(confusion, np.int64)
        held_out = self.confusion.sum(axis=1)
        self.recalls = np.where(held_out > 0, np.diag(self.confusion) / np.maximum(held_out, 1), np.nan)
        self.accuracy = float(np.nanmean(self.recalls))
        self._penultimate = keras.Model(model.input, model.get_layer("output").input)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The (H, W, C) of the images that it takes."""
        return tuple(self.model.input_shape[1:])

    def features(self, images: np.ndarray) -> np.ndarray:
        """The penultimate layer's values, float32 (N, D), of images (N, H, W, C), float in [-1, 1] or uint8.

        Raises:
            InputError: images of another shape or range, or a classifier that gives values that are not finite.
        """
        return _predict(self._penultimate, images)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities, float32 (N, num_classes); images and errors as in `features`."""
        return _predict(self.model, images)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The likeliest class, int64 (N,); images and errors as in `features`."""
        return self.probabilities(images).argmax(axis=1)


def train_classifier(
    images: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    *,
    steps: int = 2000,
    batch_size: int = 128,
    width: int = 32,
    held_out: float = 0.1,
    augmentation: Transformations | None = None,
    label_smoothing: float = 0.0,
    peak_rate: float | None = None,
    precision: str = "float32",
    seed: int = 0,
    cache_dir: str | os.PathLike | None = None,
    network: Callable[..., keras.Model] = infogan.classifier,
    verbose: int = 0,
) -> Classifier:
    """Trains a classifier, each class drawn equally often, or loads the same one from the cache.

    Args:
        images: uint8 (N, H, W, C).
        labels: integers (N,) in [0, num_classes), each class at least once.
        num_classes: how many classes.
        steps, batch_size: length of training. The learning rate is cut tenfold after 35% and after 70% of it, unless
            there is a `peak_rate`.
        width: of the network; its penultimate layer has 16 * width units. 32, half the paper's, reaches the same
            accuracy here in a quarter of the time.
        held_out: the share of each class, at least one image, that training does not see and `accuracy` is taken on.
        augmentation: of three quarters of the images in training, each anew at every draw; None for images as they are.
        label_smoothing: the share of the target's probability that all classes share, in [0, 1).
        peak_rate: the learning rate rises to it in the first twentieth of training and falls along half a cosine to a
            tenth of it: better for short training (ours). None for the paper's.
        precision: "float32", or "mixed_bfloat16" where the processor computes it fast. The result is float32.
        seed: of the split, the weights and the order of images.
        cache_dir: a folder for trained classifiers, named by a hash of images, labels and settings; None for no cache.
        network: `infogan.classifier`, or another builder with its arguments (`dcgan.classifier`).
        verbose: 1 tells the progress of training, 0 does not.

    Raises:
        InputError: images or labels that do not fit, or an unusable setting.

    Source: AugIntAE A.1: the encoder's architecture ending in a softmax, Adam at 0.001, cut at 35 and 70 of 100 epochs.
    The paper draws classes as they come; equal draws are ours, as its domains differ in size.
    """
    images, labels = _check(images, labels, num_classes)
    if steps < 1 or batch_size < 1 or not 0.0 < held_out < 1.0:
        raise InputError(
            f"steps ({steps}) and batch_size ({batch_size}) must be positive and held_out ({held_out}) in (0, 1)."
        )
    if not 0.0 <= label_smoothing < 1.0:
        raise InputError(f"label_smoothing is {label_smoothing}: give a share in [0, 1).")
    if peak_rate is not None and not peak_rate > 0.0:
        raise InputError(f"peak_rate is {peak_rate}: give a positive learning rate, or None.")
    if augmentation is not None and augmentation.crop:
        raise InputError("augmentation crops images, and the classifier judges whole ones: give it without a crop.")
    learn, judge = _split(labels, num_classes, held_out, seed)
    settings = [_FORMAT, num_classes, steps, batch_size, width, held_out, precision, seed, network.__module__]
    settings += [label_smoothing, peak_rate, augmentation and [AS_THEY_ARE, dataclasses.asdict(augmentation)]]
    path = (
        None if cache_dir is None else pathlib.Path(cache_dir) / f"classifier-{_digest(images, labels, settings)}.keras"
    )
    model = cached = _load(path)
    if cached is None:
        batches = _batches(images, labels, learn, steps, batch_size, augmentation, seed)
        rate = _rate(steps, peak_rate)
        model = _train(
            batches, images.shape[1:], num_classes, rate, width, label_smoothing, precision, seed, network, verbose
        )
    decisions = _predict(model, images[judge]).argmax(axis=1)
    if cached is None:  # after its outputs turned out to be finite
        _save(model, path)
    confusion = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(confusion, (labels[judge], decisions), 1)
    return Classifier(model, confusion)


def _check(images: np.ndarray, labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim != 4 or images.dtype != np.uint8 or not len(images):
        raise InputError(f"images are {images.dtype} {images.shape}: give uint8 (images, height, width, channels).")
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"labels are {labels.dtype} {labels.shape}: give one integer an image ({len(images)}).")
    present = np.unique(labels)
    if num_classes < 2 or len(present) != num_classes or present[0] != 0 or present[-1] != num_classes - 1:
        raise InputError(
            f"labels have {len(present)} classes from {present[0]} to {present[-1]}: with num_classes={num_classes} "
            f"(at least 2) give at least one image of each class from 0 to {num_classes - 1}."
        )
    if np.bincount(labels).max() < 2:
        raise InputError("every class has a single image, so none can be held out: give at least two of some class.")
    return np.ascontiguousarray(images), labels.astype(np.int64)


def _split(labels: np.ndarray, num_classes: int, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices to learn from and to judge on; the share is taken class by class."""
    random = np.random.default_rng([seed, 0])
    learn, judge = [], []
    for label in range(num_classes):
        members = random.permutation(np.flatnonzero(labels == label))
        count = min(max(1, round(held_out * len(members))), len(members) - 1)
        judge.append(members[:count])
        learn.append(members[count:])
    return np.concatenate(learn), np.concatenate(judge)


def _balanced_order(labels: np.ndarray, learn: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Indices of `draws` images: classes drawn equally often, each class's images all used before one comes again."""
    random = np.random.default_rng([seed, 1])
    drawn = random.integers(0, labels.max() + 1, draws)
    order = np.empty(draws, np.int64)
    for label in np.unique(drawn):
        places, members = np.flatnonzero(drawn == label), learn[labels[learn] == label]
        rounds = -(-len(places) // len(members))
        order[places] = np.concatenate([random.permutation(members) for _ in range(rounds)])[: len(places)]
    return order


def _batches(images, labels, learn, steps, batch_size, augmentation, seed) -> tf.data.Dataset:
    """Pairs of float32 images in [-1, 1] and their classes."""
    pixels, classes = tf.constant(images), tf.constant(labels)

    def batch(number, indices):
        drawn = tf.cast(tf.gather(pixels, indices), tf.float32) / 127.5 - 1.0
        if augmentation is not None:
            drawn = transformed_for_learning(drawn, augmentation, tf.stack([tf.constant(seed, tf.int64), number]))
        return drawn, tf.gather(classes, indices)

    order = tf.data.Dataset.from_tensor_slices(_balanced_order(labels, learn, steps * batch_size, seed))
    return without_autotuning(order.batch(batch_size, drop_remainder=True).enumerate().map(batch).prefetch(2))


def _train(
    batches, image_shape, num_classes, rate, width, label_smoothing, precision, seed, network, verbose
) -> keras.Model:
    def build():
        return network(image_shape, num_classes, width=width, seed=seed, name="classifier")

    policy = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("float32")
        result = build()
        keras.config.set_dtype_policy(precision)
        model = build()
    finally:
        keras.config.set_dtype_policy(policy)
    model.compile(keras.optimizers.Adam(rate), _crossentropy(num_classes, label_smoothing), metrics=["accuracy"])
    told = progress.bar(len(batches), f"classifier of {num_classes:,} classes", "steps") if verbose else None
    with told or contextlib.nullcontext(), reproducible(seed):
        moved = [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: told.update())] if told else []
        model.fit(batches, shuffle=False, verbose=0, callbacks=moved)
    result.set_weights(model.get_weights())
    return result


def _rate(steps: int, peak: float | None) -> keras.optimizers.schedules.LearningRateSchedule:
    if peak is None:
        cuts = [max(1, round(0.35 * steps)), max(2, round(0.7 * steps))]  # A.1: epochs 35 and 70 of 100
        return keras.optimizers.schedules.PiecewiseConstantDecay(cuts, [1e-3, 1e-4, 1e-5])
    rising = max(1, steps // 20)
    return keras.optimizers.schedules.CosineDecay(
        0.1 * peak, max(1, steps - rising), alpha=0.1, warmup_target=peak, warmup_steps=rising
    )


def _crossentropy(num_classes: int, smoothing: float) -> keras.losses.Loss | str:
    """The mean over a batch; Keras smooths the labels of its dense kind alone."""
    if not smoothing:
        return "sparse_categorical_crossentropy"

    def loss(classes, probabilities):
        one_hot = tf.one_hot(tf.reshape(tf.cast(classes, tf.int32), [-1]), num_classes)
        return keras.losses.categorical_crossentropy(one_hot, probabilities, label_smoothing=smoothing)

    return loss


def _predict(network: keras.Model, images: np.ndarray) -> np.ndarray:
    shape = tuple(network.input_shape[1:])
    chunks = [images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK)] or [images]
    outputs = np.concatenate([network.predict_on_batch(as_images(chunk, shape, made=True)) for chunk in chunks])
    return finite(outputs, "the classifier's outputs")  # argmax would take NaN for class 0


def _digest(images: np.ndarray, labels: np.ndarray, settings: list) -> str:
    digest = hashlib.blake2b(json.dumps([settings, images.shape]).encode(), digest_size=16)
    digest.update(images)
    digest.update(labels)
    return digest.hexdigest()


def _load(path: pathlib.Path | None) -> keras.Model | None:
    if path is None or not path.exists():
        return None
    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, KeyError):  # cut off or of another Keras: train anew and replace it
        return None


def _save(model: keras.Model, path: pathlib.Path | None) -> None:
    if path is not None:
        with written_whole(path) as partial:
            model.save(partial)
