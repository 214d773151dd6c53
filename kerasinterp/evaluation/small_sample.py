"""What a classifier learns from a small sample, from images made of it, and from both (COLA chapter 5)."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation.learner import Learner
from kerasinterp.evaluation.paths import as_float
from kerasinterp.evaluation.worth import Moves, half_and_half, transforming
from kerasinterp.nn import cifar_resnet
from kerasinterp.ops import views

WAYS = ("real", "mix", "made", "real_tuned", "mix_tuned", "real_transformed", "mix_transformed")
_RATE = 0.1  # C.3
_SIXTHS = tuple(n / 6 for n in range(1, 6))  # C.3, of ResNet-20: every 30 of 180 epochs
_MOMENTUM = 0.9  # He et al. (2016), 4.2, "off-the-shelf"
# What is tuned, ours: C.3's rate and a smaller one; no weight decay, and the 5e-3 that small samples ask for (Brigato
# et al., 2021, ciFAIR-10), apart from the gradient, which a momentum of 0.9 adds up tenfold.
_GRID = tuple((rate, decay) for rate in (0.1, 0.02) for decay in (0.0, 5e-2))
_HELD_OUT = 5  # one of so many of a class
_SHIFT = 8  # a shift's share of the side: 4 of 32 pixels (He et al., 2016, 4.2)


@dataclasses.dataclass(frozen=True)
class _Setting:
    """A way to step: C.3's cuts the rate, a tuned one lets it fall along half a cosine (Brigato et al.)."""

    cuts: tuple[float, ...] = ()
    factor: float = 1.0
    rate: float = _RATE
    decay: float = 0.0

    def optimizer(self, steps: int) -> keras.optimizers.Optimizer:
        schedules = keras.optimizers.schedules
        if self.cuts:
            rates = [self.rate * self.factor**n for n in range(len(self.cuts) + 1)]
            rate = schedules.PiecewiseConstantDecay([int(share * steps) for share in self.cuts], rates)
        else:
            rate = schedules.CosineDecay(self.rate, steps)
        return keras.optimizers.SGD(rate, momentum=_MOMENTUM, weight_decay=self.decay or None)


class SmallSample:
    """Classifiers that learn from small samples in several ways, and are tested on real images.

    All ways have as many steps. `real`, `mix` (half of each batch made) and `made` (alone: Ravuri and Vinyals' CAS)
    learn as in C.3: SGD at 0.1, cut on the way (for ResNet-20 halved every sixth of the steps), images shifted by up to
    an eighth of their side and, in colour, mirrored. `..._tuned`: rate, weight decay and a cosine, chosen on a fifth of
    the sample's real images that classifiers of half the steps do not learn from (of a mix too: what suits the real
    ones). `..._transformed`: as C.3, but under strong random transformations (three in four images by AugIntAE A.1's;
    in colour mirrored) in place of shifts.

    Args:
        test: labelled images that nothing learns from.
        steps, batch_size: of each classifier (C.3: batches of 128).
        network, width: ResNet-20 (C.3), or another builder with its arguments.
        cuts, factor: shares of the steps at which the rate is multiplied, but for tuned ways, and by what.
    """

    def __init__(
        self,
        test: Examples,
        *,
        steps: int,
        batch_size: int = 128,
        network: Callable[..., keras.Model] = cifar_resnet.classifier,
        width: int = 16,
        cuts: tuple[float, ...] = _SIXTHS,
        factor: float = 0.5,
    ):
        if test.labels is None or test.labels.ndim != 1:
            raise InputError("The test images have no classes: give their labels.")
        if steps < 2 or batch_size < 2:
            raise InputError(f"steps is {steps} and batch_size {batch_size}: give 2 or more of each.")
        self._test, self._classes = as_float(np.asarray(test.images)), np.asarray(test.labels)
        self._count = max(len(test.classes), int(test.labels.max()) + 1)
        self._steps, self._batch, self._usual = steps, batch_size, _Setting(tuple(cuts), factor)

        @functools.cache
        def learner(setting: _Setting, steps: int) -> Learner:
            return Learner(test.shape, self._count, steps, width, network, setting.optimizer)

        self._learner = learner

    def measure(
        self,
        sample: Examples,
        made: Examples,
        ways: Iterable[str] = WAYS,
        seed: int = 0,
        others: Mapping[str, Examples] | None = None,
        told: Callable[[str], None] = lambda way: None,
    ) -> dict[str, float]:
        """Accuracies on the test images, in 0..1.

        Args:
            sample: real images, two or more of each class.
            made: images made of the sample alone, and their classes.
            ways: of `WAYS`.
            seed: of weights and batches.
            others: by name, what other models made of the sample: learned from alone.
            told: called with the name of each classifier that has learned.

        Returns:
            By way and, of others, "made NAME"; with `real` also "cas_test" and "cas_test NAME", the share of made
            images to which its classifier gives their class; with a tuned way "rate" and "decay", what was chosen.

        Raises:
            InputError: another way, no classes, or classes that the test images do not have.
        """
        ways = tuple(ways)
        if unknown := [way for way in ways if way not in WAYS]:
            raise InputError(f"{unknown[0]!r} is no way to learn: choose of {', '.join(WAYS)}.")
        for one in (sample, made, *(others or {}).values()):
            if (
                one.labels is None
                or one.labels.ndim != 1
                or one.labels.max() >= self._count
                or one.shape != self._test.shape[1:]
            ):
                raise InputError("Give images of the test images' size, with a class's number for each, as theirs.")
        found: dict[str, float] = {}
        tuned = self._usual
        if any(way.endswith("tuned") for way in ways):
            tuned = self._tuned(sample, seed, told)
            found |= {"rate": tuned.rate, "decay": tuned.decay}
        named = {"": made} | {f" {name}": images for name, images in (others or {}).items()}
        for way in (*ways, *(f"made{name}" for name in named if name)):
            source, _, form = way.partition(" ")[0].partition("_")
            moves = _transforming(sample.images) if form == "transformed" else _shifting(sample.shape)
            learner = self._learner(tuned if form == "tuned" else self._usual, self._steps)
            new = named[way.removeprefix("made")] if source == "made" else made if source == "mix" else None
            real, new = (new, None) if source == "made" else (sample, new)
            learner.learn(half_and_half(real, new, moves, seed, self._steps, self._batch), seed)
            found[way] = float((learner.verdicts(self._test) == self._classes).mean())
            if way == "real":
                for name, images in named.items():
                    right = learner.verdicts(as_float(np.asarray(images.images))) == images.labels
                    found[f"cas_test{name}"] = float(right.mean())
            told(way)
        return found

    def _tuned(self, sample: Examples, seed: int, told: Callable[[str], None]) -> _Setting:
        """Of the grid the setting that knows most of a held-out part; of equals the first."""
        held = held_out(sample.labels, seed)
        learn, judge = sample.select(~held), sample.select(held)
        images, steps, best = as_float(np.asarray(judge.images)), max(2, self._steps // 2), (-1.0, self._usual)
        for rate, decay in _GRID:
            setting = _Setting(rate=rate, decay=decay)
            learner = self._learner(setting, steps)
            learner.learn(half_and_half(learn, None, _shifting(sample.shape), seed, steps, self._batch), seed)
            right = float((learner.verdicts(images) == judge.labels).mean())
            best = max(best, (right, setting), key=lambda pair: pair[0])
            told("tuning")
        return best[1]


def held_out(labels: np.ndarray, seed: int) -> np.ndarray:
    """Which images are held out, bool (N,): a fifth of each class, at least one.

    Raises:
        InputError: a class with a single image.
    """
    held, rng = np.zeros(len(labels), bool), np.random.default_rng([seed, 20])
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        if len(members) < 2:
            raise InputError(f"Class {label} has a single image: give each class two at least.")
        held[members[: max(1, len(members) // _HELD_OUT)]] = True
    return held


def _shifting(shape: tuple[int, int, int]) -> Moves:
    """Photographs are mirrored, drawings are not."""
    return lambda images, seed: views.shifted(
        images,
        tf.random.stateless_uniform([tf.shape(images)[0], 3], seed),
        most=min(shape[:2]) // _SHIFT,
        flip=shape[2] == 3,
    )


def _transforming(images: np.ndarray) -> Moves:
    strong, coloured = transforming(images), images.shape[-1] == 3

    def moved(batch: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        draws = tf.random.stateless_uniform([tf.shape(batch)[0], 3], seed + 1)
        return strong(views.shifted(batch, draws, most=0, flip=True) if coloured else batch, seed)

    return moved
