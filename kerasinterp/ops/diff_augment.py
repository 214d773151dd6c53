"""Differentiable augmentation (DiffAugment; Zhao et al., 2020): each image its own, the gradient passes through.

What is drawn is given, U(0, 1), a row an image; sizes are official DiffAugment's.
"""

from collections.abc import Sequence

import tensorflow as tf

from kerasinterp.errors import InputError, suggest

_SHIFT = 0.125  # of a side, at most
_CUT = 0.5  # of a side


def augmented(images: tf.Tensor, names: Sequence[str], draws: tf.Tensor) -> tf.Tensor:
    """Images (B, H, W, C) in [-1, 1] after the augmentations of those names, in their order; values may leave [-1, 1].

    Args:
        draws: from U(0, 1), (B, `drawn(names)`).
    """
    parts = tf.split(draws, [KINDS[name][1] for name in names], axis=1)
    for name, part in zip(names, parts, strict=True):
        images = KINDS[name][0](images, part)
    return images


def drawn(names: Sequence[str]) -> int:
    """How many numbers they draw for each image."""
    return sum(KINDS[name][1] for name in names)


def check(names: Sequence[str]) -> None:
    """Raises InputError unless these are augmentations, each once."""
    for name in names:
        if name not in KINDS:
            raise InputError(f"augmentation is of {', '.join(KINDS)}, not {name!r}.{suggest(str(name), KINDS)}")
    if len(set(names)) < len(names):
        raise InputError(f"augmentation names each kind once, not {', '.join(names)}.")


def color(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Brightness moved by -0.5 to 0.5, saturation times 0 to 2, contrast times 0.5 to 1.5; draws (B, 3)."""
    brightness, saturation, contrast = tf.unstack(draws[:, tf.newaxis, tf.newaxis, tf.newaxis], axis=-1)
    images += brightness - 0.5
    images = _about(tf.reduce_mean(images, 3, keepdims=True), images, 2.0 * saturation)
    return _about(tf.reduce_mean(images, (1, 2, 3), keepdims=True), images, contrast + 0.5)


def translation(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Moved by whole pixels, up to an eighth of the side, down and right or up and left; 0 comes in; draws (B, 2)."""
    down, right = (
        _moved(side, _whole(draws[:, axis], 2 * most + 1) - most, images.dtype)
        for axis, side in enumerate(images.shape[1:3])
        for most in (int(_SHIFT * side + 0.5),)
    )
    return tf.einsum("bij,bjwc,bvw->bivc", down, images, right)


def cutout(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """0 in a rectangle of half the sides, about a place anywhere in the image; draws (B, 2)."""
    down, right = (_cut(side, draws[:, axis], images.dtype) for axis, side in enumerate(images.shape[1:3]))
    return images * (1.0 - down[:, :, tf.newaxis, tf.newaxis] * right[:, tf.newaxis, :, tf.newaxis])


KINDS = {"color": (color, 3), "translation": (translation, 2), "cutout": (cutout, 2)}


def _about(mean: tf.Tensor, images: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    return mean + factor * (images - mean)


def _whole(draws: tf.Tensor, count: int) -> tf.Tensor:
    """0 ... count - 1, all as often."""
    return tf.cast(draws * count, tf.int32)


def _moved(side: int, shifts: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """(B, side, side): row i of a moved image is row i - shift."""
    places = tf.range(side)
    return tf.cast(places[:, tf.newaxis] - places == shifts[:, tf.newaxis, tf.newaxis], dtype)


def _cut(side: int, draws: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """(B, side): 1 where the rectangle is."""
    length = int(_CUT * side + 0.5)
    first = _whole(draws, side + 1 - length % 2) - length // 2
    places = tf.range(side) - first[:, tf.newaxis]
    return tf.cast((places >= 0) & (places < length), dtype)
