"""What every function of this room asks of images, blend weights, numbers and models."""

import os

import numpy as np

from kerasinterp.data.convert import check_values, to_float
from kerasinterp.errors import InputError

_LACKS = {
    "encode": "no encoder to take images",
    "decode": "no decoder to make images",
    "prior": "no prior to draw codes from",
    "prior_of": "no prior of classes to draw codes from",
    "with_class": "no codes of images with a part for their class",
}


def as_images(
    images: object,
    image_shape: tuple[int, int, int] | None = None,
    name: str = "images",
    *,
    made: bool | None = None,
) -> np.ndarray:
    """Returns `images` as float32 (N, H, W, C) in [-1, 1], after checking them.

    Args:
        images: array or tensor (N, H, W, C), or one image (H, W, C): float in [-1, 1], or uint8 in [0, 255].
        image_shape: the (H, W, C) that a model needs; any shape if None.
        name: what to call the images in an error.
        made: a model made them, or they are only drawn or blended: they may look like [0, 1]. By default those for
            which no model's `image_shape` is given.

    Raises:
        InputError: no images, wrong shape, wrong type, a value outside the range or not finite; or, unless
            `made`, images that look like [0, 1].
    """
    try:
        array = np.asarray(images)
    except ValueError as error:  # a list of images of different sizes
        raise InputError(f"{name} have different shapes: bring them to one size.") from error
    if array.ndim == 3:
        array = array[np.newaxis]
    if array.ndim != 4 or array.shape[-1] not in (1, 3):
        raise InputError(
            f"{name} have shape {array.shape}: give (images, height, width, channels) with 1 or 3 channels."
        )
    if not len(array):
        raise InputError(f"{name} are empty: give at least one image.")
    if image_shape is not None and array.shape[1:] != tuple(image_shape):
        raise InputError(
            f"{name} are {_size(array.shape[1:])}, but the model takes {_size(image_shape)}: resize or convert them."
        )
    check_values(array, name, drawn=image_shape is None if made is None else made)
    return to_float(array) if array.dtype == np.uint8 else array.astype(np.float32)


def as_pairs(
    a: object, b: object, image_shape: tuple[int, int, int] | None = None, name: str = "images"
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the two sides of pairs as float32 (N, H, W, C) each.

    Raises:
        InputError: as `as_images`, or the sides differ in number or shape.
    """
    a, b = as_images(a, image_shape, f"first {name}"), as_images(b, image_shape, f"second {name}")
    if a.shape != b.shape:
        raise InputError(f"the two sides of the pairs differ in shape, {a.shape} and {b.shape}: give equal ones.")
    return a, b


def as_alphas(alphas: object) -> np.ndarray:
    """Returns blend weights as float32 (K,); a single number becomes one weight.

    Raises:
        InputError: no weights, more than one axis, or a value outside [0, 1].
    """
    array = np.atleast_1d(np.asarray(alphas, np.float32))
    if array.ndim != 1 or not array.size:
        raise InputError(f"alphas have shape {array.shape}: give a list of numbers in [0, 1].")
    if not ((array >= 0.0) & (array <= 1.0)).all():
        raise InputError(f"alphas must lie in [0, 1] (0 is the first image, 1 the second), got {array.tolist()}.")
    return array


def needs(model: object, method: str) -> None:
    """Raises InputError if the model does not offer the method, with what it offers instead."""
    if not hasattr(model, method):
        advice = "give a model that has one"
        if method == "encode" and hasattr(model, "prior"):
            advice = "it makes images from its prior alone (generation.sample; kerasinterp generate without SEEDS)"
        if method == "encode" and hasattr(model, "few_shot"):
            advice = "it makes images of seeds in a way of its own (generation.few_shot; kerasinterp generate)"
        if method == "prior" and (hasattr(model, "encode") or hasattr(model, "few_shot")):
            advice = "give it seed images (generation.few_shot; kerasinterp generate with SEEDS)"
        raise InputError(f"{type(model).__name__} has {_LACKS[method]}: {advice}.")


def codes_images(model: object) -> bool:
    """Whether a model, or its class, makes codes of images and images of codes, as every autoencoder does."""
    return hasattr(model, "encode") and hasattr(model, "decode")


def takes_seeds(model: object) -> bool:
    """Whether a model, or its class, makes images of seeds: between their codes, or in a way of its own."""
    return codes_images(model) or hasattr(model, "few_shot")


def check_seed(seed: int) -> None:
    """Raises InputError if the seed is not in 0 to 2**32 - 1, what Keras's `set_random_seed` takes."""
    if not 0 <= seed < 2**32:
        raise InputError(f"seed is {seed}: give one from 0 to {2**32 - 1}.")


def check_memory(count: int, image_shape: tuple[int, ...]) -> None:
    """Raises InputError if the machine's memory cannot hold `count` images, before any is made."""
    if not hasattr(os, "sysconf"):  # Windows
        return
    needed = 3 * 4 * count * int(np.prod(image_shape))  # float32; as batches, joined, and cut to their range
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > memory:
        raise InputError(
            f"{count} images of {_size(image_shape)} need {needed / 1e9:.0f} GB of memory, and this machine has "
            f"{memory / 1e9:.0f} GB: ask for fewer at once."
        )


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(str(side) for side in shape)
