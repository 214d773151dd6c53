"""Ink and paper: handwriting is learned light on black, and scanned dark on white."""

import numpy as np

from kerasinterp.data.stored import Stored

_LIGHT = 160  # of uint8: clearly lighter than the middle; paper has 200 and more
_ENOUGH = 10_000  # images that tell how all are


def ink_note(images: np.ndarray | Stored) -> str | None:
    """A sentence for grey images whose border is light, as paper is; None for others.

    Models of handwriting learn white strokes on black, and triplets get black corners (AugIntAE A.1): both are meant
    for black paper.

    Args:
        images: uint8 (N, H, W, C).
    """
    if images.ndim != 4 or images.shape[-1] != 1 or not has_light_border(images):
        return None
    return (
        "These images look dark on white, and models of strokes learn light on black: give --invert (invert=True) to "
        "turn them round, unless all of your images are so."
    )


def has_light_border(images: np.ndarray | Stored) -> bool:
    """Whether the outermost pixels of uint8 images (N, H, W, C) are, on average, light; 10,000 of them at most tell."""
    if len(images) > _ENOUGH or isinstance(images, Stored):
        count = min(_ENOUGH, len(images))
        images = images[np.arange(count) * len(images) // count]
    edges = (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1])
    return sum(edge.sum(dtype=np.int64) for edge in edges) > _LIGHT * sum(edge.size for edge in edges)
