"""Images as others of their kind would be, were they of another class (COLA appendix B)."""

from collections.abc import Sequence

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images, check_memory, needs
from kerasinterp.generation.codes import decode
from kerasinterp.objectives import Objective
from kerasinterp.ops.parts import in_parts


def codes_of(model: Objective, images: object) -> np.ndarray:
    """Codes that a model of classes makes given images of best, found by descent from those it knows.

    Args:
        model: an objective with `codes_of` and `with_class`.
        images: (N, H, W, C) or (H, W, C), float in [-1, 1] or uint8.

    Returns:
        float32 (N, n).

    Raises:
        InputError: another model, images of another shape or range than the model's.
    """
    needs(model, "with_class")
    return in_parts(model.codes_of, as_images(images, model.image_shape))


def transfer(model: Objective, codes: object, classes: Sequence[int] | None = None) -> np.ndarray:
    """Decodes each code in each of some classes: its variation stays, its class's part is another's.

    Args:
        model: as of `codes_of`.
        codes: float (N, n): those of `codes_of`, or of images that the model learned from (`model.latents`).
        classes: numbers of classes (K,); by default all that the model knows.

    Returns:
        float32 (N, K, H, W, C) in [-1, 1].

    Raises:
        InputError: another model, codes of another shape, no classes or one that the model does not know, more images
            than memory holds.

    Source: COLA appendix B.
    """
    classes = chosen(model, classes)
    codes = np.asarray(codes, np.float32)
    if codes.ndim != 2 or codes.shape[1:] != model.latent_shape:
        raise InputError(f"codes have shape {codes.shape}: give (N, {model.latent_shape[0]}), one an image.")
    check_memory(len(codes) * len(classes), model.image_shape)
    wanted = model.with_class(np.repeat(codes, len(classes), axis=0), np.tile(classes, len(codes)))
    return decode(model, wanted).reshape(len(codes), len(classes), *model.image_shape)


def chosen(model: Objective, classes: Sequence[int] | None) -> np.ndarray:
    """Classes of a model, integers (K,), by default all that it knows; errors as `transfer`."""
    needs(model, "with_class")
    known = model.known_classes
    classes = known if classes is None else np.asarray(classes)
    if classes.ndim != 1 or not len(classes) or classes.dtype.kind not in "iu":
        raise InputError(f"classes are {classes.tolist()}: give a list of numbers of classes.")
    if unknown := np.setdiff1d(classes, known).tolist():
        raise InputError(
            f"The model knows no image of class {unknown[0]}: choose of its {len(known)} classes, {known[0]} to "
            f"{known[-1]}."
        )
    return classes
