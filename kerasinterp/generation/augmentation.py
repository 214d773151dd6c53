"""Interpolation as augmentation: batches for any classifier, of which a share are mixes of two images of a class."""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from kerasinterp.data.convert import as_stored, check_range, check_values, checked_array, to_float, to_uint8
from kerasinterp.data.examples import Examples
from kerasinterp.data.forms.numbered import as_examples, check_numbers, gathered, indices, numbered, on_host
from kerasinterp.data.forms.sets import of_one_class
from kerasinterp.data.memory import for_images, told
from kerasinterp.data.stored import Stored, blocks
from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_alphas, as_images, needs
from kerasinterp.generation.codes import decode, encode, mix
from kerasinterp.generation.samples import few_shot
from kerasinterp.objectives import Objective
from kerasinterp.ops.mixing import lerp

PIXELS = "pixels"
_AT_ONCE = 1000  # images of a dataset that are read
_ALPHA = 0.5  # AugIntAE 5.1

# (number of a batch of mixes, places of the two images of each (M, 2), weights of the second (M,)) -> images
Make = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def augment(
    images: Examples | np.ndarray | Stored | tf.data.Dataset,
    labels: np.ndarray | None,
    model: Objective | str | None,
    alpha: float | tuple[float, float] = _ALPHA,
    fraction: float = 0.5,
    *,
    batch_size: int = 64,
    variants: int | None = 8,
    seed: int = 0,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    """Batches (images, labels) for a classifier's `fit`, of which a share are mixes of two different images of a class.

    A batch begins with images as they are, each once a pass, in an order of the pass's own, as `data.batches` gives
    them; its last round(fraction * batch_size) are mixes. Each image leads one mix a pass too, in another order, with
    another image of its class, drawn at random: classes come among the mixes as often as they do among the images. All
    images are encoded once, before the first batch. Batch number n is a pure function of (seed, n), so a dataset that
    starts at `start_step` goes on exactly where another one stopped.

    Args:
        images: examples; or an array (N, H, W, C) or (N, H, W), uint8 or float in [-1, 1]; or a dataset of (image,
            label), in batches or not, which is read once.
        labels: of an array: integers (N,); otherwise None.
        model: one with `encode`, `decode` and `mixing`, such as every autoencoder; one that makes images of seeds in a
            way of its own, `few_shot` (it is given the images of a class that a batch mixes); None or "pixels" to
            blend pixels (MixUp within a class).
        alpha: the weight of the second image in [0, 1]; or its range (low, high), uniform, a weight a mix.
        fraction: the share of each batch that is mixed, above 0 and at most 1.
        batch_size: all batches are full; a batch may span two passes.
        variants: after about so many mixes led by each image the same ones come again: a model decodes no more than
            these, and they are kept, a byte a value. None: new ones without end, decoded for every batch.
        start_step: the number of the first batch.
        steps: how many batches; None for no end. `fit` with several epochs wants `steps_per_epoch` in either case,
            or each epoch has the same batches.

    Returns:
        A dataset of pairs: float32 (batch_size, H, W, C) in [-1, 1], those that a model made rounded as uint8 images
        are; and int64 (batch_size,).

    Raises:
        InputError: no class labels, or of another number; a class of a single image; `alpha`, `fraction` or `variants`
            out of range; images that the model does not take; a model that mixes no images; an `alpha` for one that has
            no use of it; more mixes than a quarter of the memory holds.

    Source: AugIntAE 5.1, table 3: half of each batch, alpha 0.5. That mixes are kept is ours.
    """
    check_numbers(batch_size, seed, start_step, steps)
    low, high = _range(alpha)
    mixed = _mixed(fraction, batch_size)
    examples = _examples(images, labels)
    own = int(np.random.default_rng([seed % 2**64, 13]).integers(2**32))  # of the mixes: another order than the images'
    draw = of_one_class(examples, mixed, 2, own)
    turns = None if variants is None else _turns(variants, mixed, examples)
    make = _making(model, examples, mixed, own, (low, high), turns)
    labels, count = on_host(examples.labels), len(examples)

    def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        turn = step if turns is None else step % turns
        pairs, classes = draw(turn)
        made = make(turn, pairs, tf.random.stateless_uniform([mixed], tf.stack([own, turn]), low, high))
        if mixed == batch_size:
            return made, classes
        chosen = indices(step, batch_size - mixed, count, seed)
        drawn = gathered(examples.images, chosen)
        return tf.concat([drawn, made], axis=0), tf.concat([tf.gather(labels, chosen), classes], axis=0)

    return numbered(batch, start_step, steps)


def _range(alpha: float | tuple[float, float]) -> tuple[float, float]:
    ends = as_alphas(alpha).tolist()
    if len(ends) > 2 or ends != sorted(ends):
        raise InputError(f"alpha is {alpha!r}: give a weight in [0, 1], or a range (low, high) of weights.")
    return ends[0], ends[-1]


def _mixed(fraction: float, batch_size: int) -> int:
    """How many of a batch are mixes."""
    if not 0.0 < fraction <= 1.0:
        raise InputError(f"fraction is {fraction}: give the share of each batch that is mixed, above 0 and at most 1.")
    mixed = round(fraction * batch_size)
    if not mixed:
        raise InputError(f"A fraction of {fraction} is no image of a batch of {batch_size}: give a larger one.")
    return mixed


def _turns(variants: int, mixed: int, examples: Examples) -> int:
    """After how many batches the mixes come again."""
    if not isinstance(variants, int | np.integer) or variants < 1:
        raise InputError(f"variants is a whole number of mixes an image, 1 or more, or None, not {variants!r}.")
    return math.ceil(variants * len(examples) / mixed)


def _examples(images: Examples | np.ndarray | Stored | tf.data.Dataset, labels: np.ndarray | None) -> Examples:
    if isinstance(images, tf.data.Dataset):
        if labels is not None:
            raise InputError("A dataset brings labels of its own: zip others to its images.")
        images, labels = _read(images)
    elif not isinstance(images, Examples | Stored):
        images = checked_array(images)
    examples = as_examples(images, labels)
    if len(examples.shape) != 3:
        raise InputError("augment takes images (N, H, W, C), not points.")
    return examples


def _read(dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The images, uint8, and labels of a dataset."""
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2:
        raise InputError("The dataset has no labels: give one of (image, label).")
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError("The dataset has no end, and is read once: leave out its repeat().")
    if spec[0].shape.rank == 4:
        dataset = dataset.unbatch()
    images, labels, low, high = [], [], math.inf, -math.inf
    for some, of_some in dataset.batch(_AT_ONCE).as_numpy_iterator():
        if some.dtype.kind == "f":
            low, high = min(low, some.min()), max(high, some.max())
        else:
            check_values(some, drawn=True)
        images.append(as_stored(some))
        labels.append(of_some)
    if not images:
        raise InputError("The dataset has no images: give one that has.")
    if low <= high or math.isnan(low):
        check_range(low, high)
    return np.concatenate(images), np.concatenate(labels)


def _making(
    model: Objective | str | None,
    examples: Examples,
    mixed: int,
    seed: int,
    alphas: tuple[float, float],
    turns: int | None,
) -> Make:
    if model is None or (isinstance(model, str) and model == PIXELS):
        return _of_pixels(examples.images)
    if isinstance(model, str):
        raise InputError(f"model is {model!r}: load it (kerasinterp.generation.load_model), or say {PIXELS!r}.")
    by_seeds = hasattr(model, "few_shot")
    if by_seeds and alphas != (_ALPHA, _ALPHA):
        raise InputError(f"{type(model).__name__} makes images of seeds in its own way, without alpha: leave it out.")
    if turns is not None and (size := turns * mixed * math.prod(examples.shape)) > for_images():
        raise InputError(
            f"The mixes would take {told(size)}, more than a quarter of the memory: give fewer variants, or None for "
            "new ones in every batch."
        )
    make = _of_seeds(model, examples, seed) if by_seeds else _of_codes(model, examples)
    make = make if turns is None else _kept(make)

    def images(turn: tf.Tensor, pairs: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        # Outside of the graph: a pipeline's own is the processor's, and the model may be on an accelerator.
        made = tf.numpy_function(make, [turn, pairs, weights], tf.uint8, stateful=False)
        return to_float(tf.ensure_shape(made, (mixed, *examples.shape)))

    return images


def _kept(make: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """The same, each turn's images made once."""
    found: dict[int, np.ndarray] = {}

    def images(turn: int, pairs: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if int(turn) not in found:  # two threads that make them at once make the same
            found[int(turn)] = make(turn, pairs, weights)
        return found[int(turn)]

    return images


def _of_pixels(images: np.ndarray | Stored) -> Make:
    """AugIntAE 5.1: "pixel-level interpolation, a constrained form of MixUp" (Zhang et al., 2018)."""

    def make(turn: tf.Tensor, pairs: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        first, second = tf.unstack(pairs, axis=1)
        return lerp(gathered(images, first), gathered(images, second), weights)

    return make


def _of_codes(model: Objective, examples: Examples) -> Callable[..., np.ndarray]:
    needs(model, "encode")
    needs(model, "decode")
    codes = np.concatenate([encode(model, part, made=True) for part in blocks(examples.images)])
    # Early: a model that does not mix, or gives no numbers.
    if not np.isfinite(decode(model, mix(model, codes[:1], codes[-1:], [_ALPHA]))).all():
        raise InputError(f"This {type(model).__name__} makes images that are no numbers: give one that is trained.")

    def make(turn: int, pairs: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return to_uint8(decode(model, mix(model, codes[pairs[:, 0]], codes[pairs[:, 1]], weights)))

    return make


def _of_seeds(model: Objective, examples: Examples, seed: int) -> Callable[..., np.ndarray]:
    as_images(examples.images[:1], model.image_shape, made=True)  # early

    def make(turn: int, pairs: np.ndarray, weights: np.ndarray) -> np.ndarray:
        classes = examples.labels[pairs[:, 0]]
        made = np.empty((len(pairs), *examples.shape), np.uint8)
        for label in np.unique(classes):
            places = np.flatnonzero(classes == label)
            number = int(np.random.default_rng([seed, int(turn), places[0]]).integers(2**32))
            seeds = examples.images[np.unique(pairs[places])]
            made[places] = to_uint8(few_shot(model, seeds, len(places), number))
        return made

    return make
