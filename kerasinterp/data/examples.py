"""Examples: the images, or points, that a model learns from, with what is known of them."""

import dataclasses
import functools
import hashlib

import numpy as np

from kerasinterp.data.convert import check_values
from kerasinterp.data.stored import Stored, blocks
from kerasinterp.errors import InputError

_FEW = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """N images, or points of a space, their labels and the labels' names.

    Attributes:
        images: uint8 (N, H, W, C), in memory, mapped or `Stored` in a file; or points float32 (N, D).
        labels: the number of each one's class, int64 (N,), or k attributes of each, float32 (N, k); None if unknown.
            Other number types are converted.
        classes: the names of the classes, or of the attributes, in the order of their numbers; empty if unknown.

    Raises:
        InputError: arrays of another form, or that do not fit each other.
    """

    images: np.ndarray | Stored
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self):
        check_images(self.images)
        object.__setattr__(self, "classes", tuple(map(str, self.classes)))
        if self.labels is None:
            if self.classes:
                raise InputError("classes name labels, and there are none: give labels too.")
            return
        labels = checked_labels(self.labels, len(self.images))
        object.__setattr__(self, "labels", labels)
        known = labels.shape[1] if labels.ndim == 2 else len(self.classes)
        beyond = labels.ndim == 1 and (labels.min() < 0 or labels.max() >= known)
        if self.classes and (beyond or known != len(self.classes)):
            raise InputError(f"The labels do not fit {len(self.classes)} classes: name each of them, in order.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example: (H, W, C), or (D,)."""
        return self.images.shape[1:]

    def __len__(self) -> int:
        return len(self.images)

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ if any image, its place, a label or a class's name differs (SHA-256).

        Of images in a file it is made once, and remembered beside them.
        """
        if isinstance(self.images, Stored):
            others = _digest((self.labels,), self.classes)
            return self.images.remembered(f"fingerprint {others}", lambda: self._fingerprint)
        return self._fingerprint

    @property
    def _fingerprint(self) -> str:
        return _digest((self.images, self.labels), self.classes)[:16]

    def select(self, chosen: np.ndarray) -> "Examples":
        """Only those that a mask, bool (N,), or indices (M,) choose, in the indices' order; `Stored` ones stay so.

        Raises:
            InputError: none is chosen, or the mask or an index does not fit.
        """
        chosen = np.asarray(chosen)
        fits = len(chosen) == len(self) if chosen.dtype == bool and chosen.ndim == 1 else chosen.dtype.kind in "iu"
        if chosen.ndim != 1 or not fits:
            raise InputError(f"Choose of {len(self)} examples by a mask of as many, or by indices, in one list.")
        try:
            images = self.images.select(chosen) if isinstance(self.images, Stored) else self.images[chosen]
        except IndexError:
            raise InputError(f"There are {len(self)} examples: their indices end at {len(self) - 1}.") from None
        if not len(images):
            raise InputError("No example is chosen: choose at least one.")
        return dataclasses.replace(self, images=images, labels=None if self.labels is None else self.labels[chosen])


def _digest(arrays: tuple[np.ndarray | Stored | None, ...], classes: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        if array is None:
            digest.update(b"none")
            continue
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        for block in blocks(array):
            digest.update(np.ascontiguousarray(block).data)
    digest.update(repr(classes).encode())
    return digest.hexdigest()


def check_images(images: object) -> None:
    """Raises InputError unless these are images uint8 (N, H, W, C), no mask, or points float32 (N, D); at least one."""
    known = isinstance(images, np.ndarray | Stored) and len(images.shape) and len(images)
    form = (images.dtype, images.ndim) if known else None
    if form not in ((np.uint8, 4), (np.float32, 2)):
        raise InputError("Give uint8 images (N, H, W, C), see kerasinterp.data.images, or float32 points (N, D).")
    # Few tell of most that they are no masks; all of them need not be read.
    if images.dtype == np.uint8 and images[:_FEW].max(initial=0) <= 1:
        check_values(max(blocks(images), key=np.max))


def checked_labels(labels: object, count: int) -> np.ndarray:
    """Labels int64 (count,) or float32 (count, k).

    Raises:
        InputError: another shape or type.
    """
    labels = np.asarray(labels)
    if labels.shape == (count,) and labels.dtype.kind in "iu":
        return labels.astype(np.int64)
    if labels.ndim == 2 and len(labels) == count and labels.dtype.kind in "biuf":
        return labels.astype(np.float32)
    raise InputError(
        f"labels are {labels.dtype} {labels.shape}: give integers ({count},) or numbers ({count}, k), one row an image."
    )
