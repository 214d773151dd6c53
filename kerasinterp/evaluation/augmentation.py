"""Augmentation: the accuracy of classifiers of whose batches half are new images (AugIntAE table 3)."""

import contextlib
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from kerasinterp import progress
from kerasinterp.data import Examples, batches
from kerasinterp.data.forms.triplets import Transformations, transformed_at_random
from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import look, name_rows, panels, readable, save
from kerasinterp.evaluation.learner import RATE, Learner, interval
from kerasinterp.evaluation.paths import as_float
from kerasinterp.evaluation.seed_sets import usual_transformations
from kerasinterp.files import read_text, write_text
from kerasinterp.generation import augment
from kerasinterp.generation.checks import check_seed
from kerasinterp.nn import infogan
from kerasinterp.objectives import Objective

ALL = "all"  # images of a class, as a size
_FRACTION = 0.5  # AugIntAE 5.1
# (examples, batch_size, seed, steps) -> batches of (images, labels)
Way = Callable[[Examples, int, int, int], tf.data.Dataset]


class Augmentation:
    """Table 3 of AugIntAE: the accuracy on test images of classifiers that learn with one augmentation or another.

    Each run has initial weights of its own and, where not all images are learned from, images of its own (those of a
    smaller size are among those of a larger one). Every way gets the same ones, and the same number of steps, so that
    differences between ways are paired. The ways without a model are

    - none: batches of images as they are; as long as the others, so in twice as many passes over them;
    - none twice: the same with twice as many steps (version 2: "the same batch size but train for twice as long",
      which may mean either);
    - mixup: half of each batch are blends of two images of a class, pixel by pixel;
    - affine: half of each batch are images under a random transformation, anew each time (ours);
    - affine of all: the whole batch, as is usual (ours).

    Args:
        train, test: labelled images of the same classes.
        steps: of each training, by the most images of each class that are learned from, an integer of at least 2
            or "all".
        runs: how often each classifier is trained, at least 2 (intervals need it).
        alpha: the weight of the second image in mixes, or its range.
        batch_size, width: of each classifier's training.
        transformations: of "affine"; by default A.1's for such images.
        seed: of everything that is drawn.
        network: `infogan.classifier`, or another builder with its arguments.
        kept: a file of accuracies: what it holds is not trained again, and every accuracy is written to it at once. It
            is of one experiment, whatever its models, sizes and runs.
        verbose: 1 tells how many classifiers are trained.

    Attributes:
        protocol: the settings, and what the images are.

    Raises:
        InputError: images or labels that do not fit, a size that no class has, an unusable setting, a
            file of another experiment.
    """

    def __init__(
        self,
        train: Examples,
        test: Examples,
        steps: Mapping[int | str, int],
        *,
        runs: int = 10,
        alpha: float | tuple[float, float] = 0.5,
        batch_size: int = 64,
        width: int = 64,
        transformations: Transformations | None = None,
        seed: int = 0,
        network: Callable[..., keras.Model] = infogan.classifier,
        kept: str | os.PathLike | None = None,
        verbose: int = 0,
    ):
        if any(one.labels is None or one.labels.ndim != 1 for one in (train, test)) or train.shape != test.shape:
            raise InputError("Give training and test images of one size, with a class's number for each.")
        numbers, classes, counts = np.unique(train.labels, return_inverse=True, return_counts=True)
        if len(numbers) < 2 or not np.isin(test.labels, numbers).all():
            raise InputError("Training images are of two or more classes, and test images of the same ones.")
        whole = [size for size in steps if size != ALL]
        if not steps or any(type(size) is not int or not 2 <= size <= counts.max() for size in whole):
            raise InputError(
                f"The images a class to learn from are {list(steps)}: give numbers from 2 to {counts.max()}, which the "
                f"largest class has (a smaller one gives all that it has), or {ALL!r}."
            )
        if runs < 2 or min(steps.values()) < 1 or batch_size < 2:
            raise InputError(
                f"runs is {runs}, steps {list(steps.values())}, batch_size {batch_size}: give 2 or more runs, a batch "
                "of 2 or more, and a positive number of steps."
            )
        check_seed(seed)
        self._train = Examples(train.images, classes)
        self._test, self._classes = as_float(np.asarray(test.images)), np.searchsorted(numbers, test.labels)
        self._steps, self._runs, self._alpha, self._seed = dict(steps), runs, alpha, seed
        self._batch_size, self._width, self._network = batch_size, width, network
        self._ranges = transformations or usual_transformations(train.images)
        self._learners: dict[int, Learner] = {}
        self._verbose = verbose
        self.protocol = {
            "classes": len(numbers),
            "training_images": len(train),
            "test_images": len(test),
            "batch_size": batch_size,
            "width": width,
            "rate": RATE,
            "alpha": list(alpha) if isinstance(alpha, tuple) else alpha,
            "fraction": _FRACTION,
            "transformations": vars(self._ranges),
            "network": f"{network.__module__}.{network.__qualname__}",
            "seed": seed,
            "images": [train.fingerprint, test.fingerprint],
        }
        self._kept = None if kept is None else pathlib.Path(kept)
        self._found = self._read()

    def measure(self, models: Mapping[str, Objective]) -> dict[str, dict[str, float]]:
        """Trains what is not known yet.

        Args:
            models: for each a way of its own, of this name: half of each batch are mixes of two images of a class.

        Returns:
            For each way, model-free ones first, and for each size, the mean over runs of

            - "accuracy_<size>": the share of test images that is classified correctly, in 0..1;
            - "accuracy_<size>_gain": the same less that of "none", run by run;

            and "..._low" and "..._high" of each, the ends of its 95% interval (Student's t over runs).

        Raises:
            InputError: as `augment`; a model of the name of another way; a kept file that cannot be written.
        """
        ways: dict[str, Way] = {
            "none": _as_they_are,
            "none_twice": _as_they_are,
            "mixup": self._mixing("pixels"),
            "affine": self._affine(_FRACTION),
            "affine_of_all": self._affine(1.0),
        }
        if both := set(ways) & set(models):
            raise InputError(f"{both.pop()!r} is the name of a way without a model: name the model otherwise.")
        ways |= {name: self._mixing(model) for name, model in models.items()}
        # All ways of a run before the next run: what is stopped early has fewer runs, of every way.
        marks = {name: f"{name}{_mark(models.get(name))}" for name in ways}
        order = [(size, run, name) for size in self._steps for run in range(self._runs) for name in ways]
        todo = [one for one in order if self._key(*one, marks) not in self._found]
        if todo:  # what cannot be mixed is told before any classifier is trained
            for name in ("mixup", *models):
                ways[name](self._chosen(todo[0][0], 0), self._batch_size, self._seed, 1)
        told = progress.bar(len(order), "augmentation", "classifiers", done=len(order) - len(todo))
        with told if self._verbose else contextlib.nullcontext():
            for size, run, name in todo:
                twice = 2 if name == "none_twice" else 1
                self._found[self._key(size, run, name, marks)] = self._accuracy(ways[name], size, run, twice)
                self._write()
                if self._verbose:
                    told.update()
        return {name: self._row(name, marks) for name in ways}

    def _row(self, name: str, marks: dict[str, str]) -> dict[str, float]:
        row = {}
        for size in self._steps:
            own, none = (
                np.array([self._found[self._key(size, run, way, marks)] for run in range(self._runs)])
                for way in (name, "none")
            )
            row |= interval(f"accuracy_{size}", own)
            if name != "none":
                row |= interval(f"accuracy_{size}_gain", own - none)
        return row

    def _accuracy(self, way: Way, size: int | str, run: int, twice: int) -> float:
        steps, number = twice * self._steps[size], (self._seed + 1000 * run) % 2**32
        if steps not in self._learners:
            classes = int(self._train.labels.max()) + 1
            self._learners[steps] = Learner(self._train.shape, classes, steps, self._width, self._network)
        learner = self._learners[steps]
        learner.learn(way(self._chosen(size, run), self._batch_size, number, steps), number)
        return float((learner.verdicts(self._test) == self._classes).mean())

    def _chosen(self, size: int | str, run: int) -> Examples:
        """The images that a run learns from."""
        if size == ALL:
            return self._train
        random, labels = np.random.default_rng([self._seed, 14, run]), self._train.labels
        members = [random.permutation(np.flatnonzero(labels == label)) for label in range(labels.max() + 1)]
        return self._train.select(np.sort(np.concatenate([one[:size] for one in members])))

    def _mixing(self, model: Objective | str) -> Way:
        def way(examples: Examples, batch_size: int, seed: int, steps: int) -> tf.data.Dataset:
            return augment(examples, None, model, self._alpha, _FRACTION, batch_size=batch_size, seed=seed, steps=steps)

        return way

    def _affine(self, fraction: float) -> Way:
        def way(examples: Examples, batch_size: int, seed: int, steps: int) -> tf.data.Dataset:
            moved = round(fraction * batch_size)

            def batch(step: tf.Tensor, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                alone, others = images[: batch_size - moved], images[batch_size - moved :]
                others = transformed_at_random(others, self._ranges, tf.stack([tf.cast(seed, tf.int64), step]))
                return tf.concat([alone, others], axis=0), labels

            return (
                _as_they_are(examples, batch_size, seed, steps).enumerate().map(lambda step, pair: batch(step, *pair))
            )

        return way

    def _key(self, size: int | str, run: int, name: str, marks: dict[str, str]) -> str:
        return f"{size} a class, {self._steps[size]} steps, run {run}: {marks[name]}"

    def _read(self) -> dict[str, float]:
        if self._kept is None or not self._kept.exists():
            return {}
        try:
            held = json.loads(read_text(self._kept))
            protocol, found = held["protocol"], {str(key): float(value) for key, value in held["accuracies"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self._kept} is no file of accuracies: remove it, and they are made again.") from error
        if protocol != self.protocol:
            changed = [name for name in self.protocol if protocol.get(name) != self.protocol[name]]
            raise InputError(f"{self._kept} is of an experiment with other {', '.join(changed)}: name another file.")
        return found

    def _write(self) -> None:
        if self._kept is not None:
            write_text(self._kept, json.dumps({"protocol": self.protocol, "accuracies": self._found}, indent=1) + "\n")


def _mark(model: Objective | None) -> str:
    """What tells a model from others of its name; nothing of none."""
    if model is None:
        return ""
    mixing = getattr(model, "mixing", None)
    told = [type(mixing).__name__, mixing.get_config()] if hasattr(mixing, "get_config") else []
    digest = hashlib.sha256(json.dumps([type(model).__name__, *told]).encode())
    for variable in getattr(model, "weights", ()):
        digest.update(np.ascontiguousarray(variable.numpy()).data)
    return f" {digest.hexdigest()[:16]}"


def _as_they_are(examples: Examples, batch_size: int, seed: int, steps: int) -> tf.data.Dataset:
    return batches(examples, batch_size, seed=seed, steps=steps).map(lambda batch: (batch["c"], batch["labels"]))


def draw_augmentation(table: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws what `Augmentation.measure` returned, a panel a size, each way's mean and interval, into a PNG.

    Raises:
        InputError: no row has accuracies, or another file type.
    """
    sizes = _sizes(table)
    if not sizes:
        raise InputError("no row has accuracies: give what `Augmentation.measure` returned.")
    figure, axes = panels([_title(size) for size in sizes], height=0.32 * len(table) + 0.9, sharey=True)
    for axis, size in zip(axes, sizes, strict=True):
        for place, row in enumerate(table.values()):
            key = f"accuracy_{size}"
            mean, low, high = (100 * row[f"{key}{end}"] for end in ("", "_low", "_high"))
            colour = look(place)["color"]
            axis.errorbar(mean, place, xerr=[[mean - low], [high - mean]], color=colour, fmt="o", capsize=3)
        axis.axvline(100 * table[next(iter(table))][f"accuracy_{size}"], color="0.8", zorder=0)
        axis.set_xlabel("accuracy in %, 95% interval")
    name_rows(figure, axes[0], list(map(readable, table)))
    axes[0].set_ylim(len(table) - 0.4, -0.6)
    return save(figure, path)


def table_of_augmentation(table: Mapping[str, Mapping]) -> str:
    """What `Augmentation.measure` returned as a Markdown table: accuracies in percent, +- half of the 95% interval."""
    sizes = _sizes(table)
    lines = [
        "| | " + " | ".join(f"{_title(size)} | over none" for size in sizes) + " |",
        "|---" * (2 * len(sizes) + 1) + "|",
    ]
    for name, row in table.items():
        keys = [f"accuracy_{size}{kind}" for size in sizes for kind in ("", "_gain")]
        cells = [
            f"{100 * row[key]:{'+' if 'gain' in key else ''}.2f} +- {50 * (row[f'{key}_high'] - row[f'{key}_low']):.2f}"
            if key in row
            else ""
            for key in keys
        ]
        lines.append(f"| {readable(name)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _sizes(table: Mapping[str, Mapping]) -> list[str]:
    """The sizes that the rows have, as their keys write them."""
    keys = dict.fromkeys(key for row in table.values() for key in row)
    return [key.split("_")[1] for key in keys if key.startswith("accuracy_") and key.count("_") == 1]


def _title(size: str) -> str:
    return "all images" if size == ALL else f"{size} images a class"
