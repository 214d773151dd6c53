"""AugIntAE's triplets: two transformations of an image, and the one in between."""

import dataclasses

import numpy as np
import tensorflow as tf

from kerasinterp.data.examples import Examples
from kerasinterp.data.forms.numbered import as_examples, check_numbers, gathered, indices, numbered
from kerasinterp.data.ink import has_light_border
from kerasinterp.data.notes import note
from kerasinterp.data.stored import Stored
from kerasinterp.errors import InputError
from kerasinterp.ops import colour, geometry

_GEOMETRIC = ("rotation", "translation", "scale", "shear")
_COLOUR = ("brightness", "contrast", "saturation", "hue")
PARAMETERS = len(_GEOMETRIC) + 1 + len(_COLOUR)  # of a transformation: translation has two


@dataclasses.dataclass(frozen=True)
class Transformations:
    """The range of each transformation, uniform and symmetric about no change (AugIntAE A.1); 0 switches it off.

    Attributes:
        rotation: degrees.
        translation: pixels, drawn for x and y apart.
        scale: about a factor of 1.
        shear: degrees.
        brightness, contrast, saturation: about a factor of 1; colour images only.
        hue: turns; colour images only.
        padding: what comes in from outside, `constant` (black) or `symmetric`.
        crop: the height and width kept in the centre after the transformation, None for all (A.1: Celeb-A).
    """

    rotation: float = 0.0
    translation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    padding: str = "constant"
    crop: int | None = None

    def __post_init__(self):
        if self.padding not in ("constant", "symmetric"):
            raise InputError(f"padding is 'constant' or 'symmetric', not {self.padding!r}.")
        for name in (*_GEOMETRIC, *_COLOUR):
            if getattr(self, name) < 0:
                raise InputError(f"The range of {name} is a size, 0 or more, not {getattr(self, name)}.")

    def only(self, *names: str) -> "Transformations":
        """Every other transformation switched off, for the ablation of version 2's figure 7."""
        unknown = set(names) - {*_GEOMETRIC, *_COLOUR}
        if unknown:
            raise InputError(f"No transformation {unknown.pop()!r}: choose of {', '.join((*_GEOMETRIC, *_COLOUR))}.")
        off = {name: 0.0 for name in (*_GEOMETRIC, *_COLOUR) if name not in names}
        return dataclasses.replace(self, **off)

    def changed_from_none(self) -> dict[str, object]:
        """What differs from no transformation at all, as a recipe's `form_options` state it."""
        return {key: value for key, value in vars(self).items() if value != getattr(Transformations, key)}

    def enlarged(self, factor: float) -> "Transformations":
        """The same of images so many times as large: what is in pixels grows with them."""
        crop = self.crop and max(1, round(self.crop * factor))
        return dataclasses.replace(self, translation=self.translation * factor, crop=crop)


# AugIntAE A.1, handwritten characters: +-20 degrees, +-4 pixels, factors 0.8 to 1.2, +-6 degrees.
HANDWRITTEN = Transformations(rotation=20.0, translation=4.0, scale=0.2, shear=6.0)
# A.1, natural images: half the rotation and skew, double the translation, colour +-25% and hue +-5%.
NATURAL = Transformations(10.0, 8.0, 0.2, 3.0, 0.25, 0.25, 0.25, 0.05, padding="symmetric")


def usual_ranges(image_shape: tuple[int, int, int]) -> Transformations:
    """AugIntAE A.1's ranges for images (H, W, C) of any size: `NATURAL` for colour, `HANDWRITTEN` for grey.

    The translation keeps its share of the shorter side: a seventh (4 of 28 pixels), in colour an eighth (8 of CIFAR's
    64; of its aligned faces of 128 x 128 the paper moves a sixteenth).
    """
    ranges, side = (NATURAL, 64) if image_shape[-1] == 3 else (HANDWRITTEN, 28)
    return ranges.enlarged(min(image_shape[:2]) / side)


def triplets(
    images: Examples | np.ndarray | Stored,
    batch_size: int = 128,
    *,
    transformations: Transformations = HANDWRITTEN,
    ends: float = 0.0,
    seed: int = 0,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    """Batches `{"a", "b", "c", "alpha"}` of A = f(rho_1), B = f(rho_2), C = f(alpha rho_1 + (1 - alpha) rho_2).

    alpha is the mean of two uniforms (A.1), but 1 for a share `ends`. Each pass over the images has an order of its
    own. Batch number n is a pure function of (seed, n), so a dataset that starts at `start_step` goes on exactly where
    another one stopped. A `Note` says if black corners come into images of light border.

    Args:
        images: examples, or uint8 (N, H, W, C); as they are, in memory or in a file.
        batch_size: all batches are full; a batch may span two passes.
        ends: the share of triplets, in 0..1, whose C is A: there the model learns to reconstruct (ours; section 4 lets
            seeds be reconstructed too).
        start_step: the number of the first batch.
        steps: how many batches; None for no end (then give `fit` its `steps_per_epoch`).

    Returns:
        A dataset of dictionaries: `a`, `b`, `c` float32 (batch_size, H, W, C) in [-1, 1], `alpha` (batch_size,).

    Raises:
        InputError: if the images are not such an array, a crop is larger than they are, or `ends` is no share.
    """
    if not 0.0 <= ends <= 1.0:
        raise InputError(f"ends, a share of the triplets, is from 0 to 1, not {ends}.")
    check_numbers(batch_size, seed, start_step, steps)
    examples = as_examples(images, None)
    if len(examples.shape) != 3:
        raise InputError("triplets takes uint8 images (N, H, W, C), not points: see kerasinterp.data.images.")
    size = examples.shape[:2]
    if transformations.crop and transformations.crop > min(size):
        raise InputError(f"A crop of {transformations.crop} does not fit in images of {size} pixels.")
    moves = any(getattr(transformations, name) for name in _GEOMETRIC)
    if moves and transformations.padding == "constant" and start_step == 0 and has_light_border(examples.images):
        note(
            "Turned and moved images get black corners, and these have a light border: give invert=True (--invert), or "
            "transformations with padding='symmetric'."
        )
    count, seed = len(examples), tf.constant(seed, tf.int64)

    def batch(step: tf.Tensor) -> dict[str, tf.Tensor]:
        drawn = gathered(examples.images, indices(step, batch_size, count, seed))
        return _triplet(drawn, transformations, ends, tf.stack([seed, step]))

    return numbered(batch, start_step, steps)


def _triplet(images: tf.Tensor, ranges: Transformations, ends: float, seed: tf.Tensor) -> dict[str, tf.Tensor]:
    """The triplet of each image (B, H, W, C); `seed` (2,) says which."""
    count = images.shape[0]
    alpha = tf.reduce_mean(tf.random.stateless_uniform([2, count], seed), axis=0)
    if ends:
        at_ends = tf.random.stateless_uniform([count], seed + tf.constant([0, 1 << 41], tf.int64)) < ends
        alpha = tf.where(at_ends, 1.0, alpha)
    # Uniform in [-1, 1] for rho_1 and rho_2; translation has two parameters.
    draws = tf.random.stateless_uniform([2, count, PARAMETERS], seed + tf.constant([0, 1 << 40], tf.int64), -1.0, 1.0)
    mean = alpha[:, None] * draws[0] + (1.0 - alpha[:, None]) * draws[1]
    rho = tf.concat([draws[0], draws[1], mean], axis=0)
    out = transformed(tf.tile(images, [3, 1, 1, 1]), ranges, rho)
    a, b, c = tf.split(out, 3)
    return {"a": a, "b": b, "c": c, "alpha": alpha}


def transformed(images: tf.Tensor, ranges: Transformations, rho: tf.Tensor) -> tf.Tensor:
    """Each image under the transformation of its own parameters.

    Args:
        images: float32 (B, H, W, C) in [-1, 1].
        ranges: of the transformations.
        rho: float32 (B, PARAMETERS) in [-1, 1], each as a share of its range; 0 changes nothing.
    """
    rotation, x, y, scale, shear, brightness, contrast, saturation, hue = tf.unstack(rho, axis=1)
    out, size = images, images.shape[1:3]
    if any(getattr(ranges, name) for name in _GEOMETRIC):
        transforms = geometry.affine(
            ranges.rotation * rotation,
            ranges.translation * tf.stack([x, y], axis=1),
            1.0 + ranges.scale * scale,
            ranges.shear * shear,
            size,
        )
        out = geometry.warp(out, transforms, fill=-1.0 if ranges.padding == "constant" else None)
    if images.shape[-1] == 3 and any(getattr(ranges, name) for name in _COLOUR):
        factors = (
            1.0 + ranges.brightness * brightness,
            1.0 + ranges.contrast * contrast,
            1.0 + ranges.saturation * saturation,
        )
        out = colour.jitter(out, *factors, ranges.hue * hue)
    if ranges.crop:
        top, left = (size[0] - ranges.crop) // 2, (size[1] - ranges.crop) // 2
        out = out[:, top : top + ranges.crop, left : left + ranges.crop]
    return out


def transformed_at_random(images: tf.Tensor, ranges: Transformations, seed: tf.Tensor) -> tf.Tensor:
    """Each image (B, H, W, C) under a transformation of its own, uniform in the ranges; `seed` (2,) says which."""
    return transformed(images, ranges, tf.random.stateless_uniform([tf.shape(images)[0], PARAMETERS], seed, -1.0, 1.0))
