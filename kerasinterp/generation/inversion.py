"""Codes of given images, found by descent through whatever makes images of codes (AugIntAE A.2)."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kerasinterp import progress
from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images, check_seed, needs
from kerasinterp.generation.codes import traced
from kerasinterp.objectives import Objective
from kerasinterp.ops import losses

STEPS, RATE = 1000, 0.01  # AugIntAE A.2
_MOST_STEPS = 10**6
_DRAWS = 1024  # ours: of a prior, of which the nearest to an image is where its course begins
_BATCH = 16  # images
_BATCH_VALUES = 2**20  # of all images of a batch: large ones go through in fewer
_STRETCH = 50  # steps between two words on how far it is


class Refined(NamedTuple):
    """What `refine` found.

    Attributes:
        codes: float32 (N, *latent_shape).
        errors: float32 (steps + 1, N), the L1 error of each image before the first step, and after each.
    """

    codes: np.ndarray
    errors: np.ndarray


def refine(
    model: Objective | keras.Model,
    images: object,
    codes: object = None,
    *,
    steps: int = STEPS,
    rate: float = RATE,
    seed: int = 0,
) -> Refined:
    """The codes that a model makes the images of best, as far as SGD without momentum on the L1 pixel error finds them.

    What an encoder may have missed, it does not: AugIntAE's "oracle encoder". Each image has a course of its own, the
    same to the bit whatever images go with it.

    Args:
        model: an objective with `decode`; or any Keras model from codes to images in [-1, 1].
        images: (N, H, W, C) or (H, W, C), float in [-1, 1] or uint8.
        codes: where to begin, (N, *latent_shape); by default `first_codes`.
        steps: 1 to 1,000,000.
        rate: of the steps, above 0. The error is a mean over pixels, as PyTorch's L1 loss is, so that codes of the
            scale of N(0, 1) hardly move in 1,000 steps at the paper's 0.01: 1 finds better ones.
        seed: of `first_codes`.

    Raises:
        InputError: a model without a decoder, images or codes of another shape than the model's, steps or
            rate out of range; or a course that is no longer finite.

    Source: AugIntAE A.2 and section 3.
    """
    model = as_model(model)
    if not 1 <= steps <= _MOST_STEPS:
        raise InputError(f"steps is {steps}: give 1 to {_MOST_STEPS:,}.")
    if not 0.0 < rate < np.inf:
        raise InputError(f"rate is {rate}: give a step size above 0, 0.01 say.")
    images = as_images(images, model.image_shape)
    codes = _first_codes(model, images, seed) if codes is None else np.asarray(codes, np.float32)
    wanted = getattr(model, "latent_shape", codes.shape[1:])
    if len(codes) != len(images) or codes.shape[1:] != tuple(wanted):
        raise InputError(f"codes have shape {codes.shape}: give {len(images)} of shape {tuple(wanted)}, one an image.")
    found, errors = np.empty_like(codes), np.empty((steps + 1, len(images)), np.float32)
    size = _batch_size(images.shape[1:])
    course = _compiled(model, "refine", _course, (size, codes), (size, images), tf.int32, tf.float32)
    with progress.bar(steps * -(-len(images) // size), "refining codes", "steps") as bar:
        for start in range(0, len(images), size):
            part = slice(start, min(start + size, len(images)))
            now, targets = (tf.constant(_filled(given[part], size)) for given in (codes, images))
            for step in range(0, steps, _STRETCH):
                stretch = min(_STRETCH, steps - step)
                now, seen = course(now, targets, stretch, rate)
                errors[step : step + stretch + 1, part] = seen[: stretch + 1, : part.stop - part.start]
                bar.update(stretch)
            found[part] = now[: part.stop - part.start]
    if not (np.isfinite(found).all() and np.isfinite(errors).all()):
        raise InputError(f"the codes are no longer finite after {steps} steps at rate {rate:g}: give a smaller rate.")
    return Refined(found, errors)


def first_codes(model: Objective | keras.Model, images: object, seed: int = 0) -> np.ndarray:
    """Where a search for the images' codes begins, float32 (N, *latent_shape).

    The encoder's codes; of a model that has none, for each image that of 1,024 draws from its prior whose image is
    nearest in L1 (ours). The prior of a Keras model that has none is N(0, 1).

    Raises:
        InputError: as `refine`; neither an encoder nor a prior; `seed` out of range.
    """
    model = as_model(model)
    return _first_codes(model, as_images(images, model.image_shape), seed)


def _first_codes(model: Any, images: np.ndarray, seed: int) -> np.ndarray:
    """Of images that are checked: their floats may look as if they were in [0, 1]."""
    if hasattr(model, "encode"):
        return _in_equal_batches(model, "encode", images, images.shape[1:])
    check_seed(seed)
    needs(model, "prior")
    draws = np.asarray(model.prior(_DRAWS, seed), np.float32)
    made = _in_equal_batches(model, "decode", draws, images.shape[1:])
    return draws[[int(np.argmin([np.abs(image - one).mean() for one in made])) for image in images]]


def as_model(model: Any) -> Any:
    """A model with `decode`, or a Keras model from codes to images as one.

    Raises:
        InputError: it is neither.
    """
    if hasattr(model, "decode"):
        return model
    ends = [getattr(model, name, None) or () for name in ("inputs", "outputs")]
    shape = ends[1][0].shape if [len(end) for end in ends] == [1, 1] else ()
    if len(shape) == 4 and shape[-1] in (1, 3):
        return _Network(model)
    needs(model, "decode")


class _Network:
    """A Keras model from codes to images, with the methods that this room asks for."""

    def __init__(self, network: keras.Model):
        self.network = network
        self.image_shape, self.latent_shape = network.output_shape[1:], network.input_shape[1:]
        if None in (*self.image_shape, *self.latent_shape):
            raise InputError(
                f"The generator takes shape {self.latent_shape} and makes {self.image_shape}: build it with all sides."
            )

    def decode(self, latents: tf.Tensor) -> tf.Tensor:
        return self.network(latents, training=False)

    def prior(self, count: int, seed: int) -> tf.Tensor:
        return keras.random.normal((count, *self.latent_shape), seed=seed)


def _course(
    model: Any, codes: tf.Tensor, images: tf.Tensor, steps: tf.Tensor, rate: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Codes after at most _STRETCH steps, and the errors before the first step and after each, (_STRETCH + 1, B)."""

    def errors_of(codes: tf.Tensor) -> tf.Tensor:
        return losses.absolute_error(images, model.decode(codes))

    def step(number: tf.Tensor, codes: tf.Tensor, seen: tf.Tensor) -> tuple:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(codes)
            errors = errors_of(codes)
        # Each error depends on its own code alone, so this is the gradient of each.
        return number + 1, codes - rate * tape.gradient(errors, codes), noted(seen, number, errors)

    def noted(seen: tf.Tensor, number: tf.Tensor, errors: tf.Tensor) -> tf.Tensor:
        return tf.tensor_scatter_nd_update(seen, [[number]], [errors])

    seen = tf.zeros((_STRETCH + 1, images.shape[0]))
    _, codes, seen = tf.while_loop(lambda number, *_: number < steps, step, (tf.constant(0), codes, seen))
    return codes, noted(seen, steps, errors_of(codes))


def _compiled(model: Any, name: str, function: Callable, *inputs: Any) -> Callable:
    """`function(model, *inputs)` for batches of one size, in which an image's place does not change a bit.

    By XLA, since oneDNN's kernels round sums by place; and sums of another size of batch may be rounded otherwise.
    """
    shapes = [(one[0], *one[1].shape[1:]) if isinstance(one, tuple) else () for one in inputs]
    kinds = [tf.float32 if isinstance(one, tuple) else one for one in inputs]
    signature = [tf.TensorSpec(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]
    return traced(model, (name, *shapes), lambda: functools.partial(function, model), signature, jit_compile=True)


def _in_equal_batches(model: Any, method: str, given: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
    """`encode` or `decode`, the same to the bit whatever goes with a row."""
    size = _batch_size(image_shape)
    function = _compiled(model, method, lambda model, rows: getattr(model, method)(rows), (size, given))
    starts = range(0, len(given), size)
    made = [function(tf.constant(_filled(given[start : start + size], size))).numpy() for start in starts]
    return np.concatenate(made)[: len(given)]


def _batch_size(image_shape: tuple[int, ...]) -> int:
    """The same for all images of that shape, whatever their number."""
    return max(1, min(_BATCH, _BATCH_VALUES // int(np.prod(image_shape))))


def _filled(rows: np.ndarray, size: int) -> np.ndarray:
    """Repeated up to that number of rows."""
    return rows[np.arange(size) % len(rows)]
