"""Images in a file, which are read when they are asked for."""

import hashlib
import io
import math
import mmap
import os
from collections.abc import Callable, Iterator

import numpy as np

from kerasinterp.errors import InputError

_BLOCK = 2**24  # bytes that are read at once
_LARGEST = 2**30  # bytes of one call of the system; Linux reads at most 2**31 - 4096


class OpenFile(io.FileIO):
    """A file, read without a buffer, that is closed when nobody uses it any more."""

    def __del__(self):
        self.close()


class Stored:
    """Images uint8 (N, H, W, C) in a file, one after another. Indexing the first axis reads what is chosen.

    The file is read place by place, not mapped: a mapping's pages would count as memory of the process. It stays open:
    another one of its name changes nothing.

    Args:
        file: opened for reading.
        offset: where in it the images begin, in bytes.
        shape: (N, H, W, C).
        places: of the N' images, among the N in the file, that this is about, int64 (N',); None for all in order.
        remembered: what gives a text that was made of the same images before, or makes it: `remembered(key, make)`.
    """

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(
        self,
        file: OpenFile,
        offset: int,
        shape: tuple[int, int, int, int],
        places: np.ndarray | None = None,
        remembered: Callable[[str, Callable[[], str]], str] | None = None,
    ):
        self._file, self._offset, self._shape, self._places = file, offset, shape, places
        self._remembered = remembered

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self), *self._shape[1:])

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def path(self) -> str:
        """The file's name."""
        return str(self._file.name)

    def __len__(self) -> int:
        return self._shape[0] if self._places is None else len(self._places)

    def __getitem__(self, chosen: int | slice | np.ndarray) -> np.ndarray:
        return self.read(np.arange(len(self))[chosen])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def select(self, chosen: np.ndarray) -> "Stored":
        """Those that a mask or indices choose, in the indices' order; nothing is read.

        Raises:
            IndexError: an index, or the mask, does not fit.
        """
        places = np.arange(len(self)) if self._places is None else self._places
        return Stored(self._file, self._offset, self._shape, places[chosen], self._remembered)

    def remembered(self, key: str, make: Callable[[], str]) -> str:
        """What `make` gave of just these images under that key, in an earlier process perhaps."""
        if self._remembered is None:
            return make()
        places = "" if self._places is None else hashlib.sha256(self._places.astype("<i8").tobytes()).hexdigest()
        return self._remembered(f"{key}{places}", make)

    def read(self, places: np.ndarray) -> np.ndarray:
        """The images at these places, integers of any shape (...): uint8 (..., H, W, C). Several threads may call it.

        Raises:
            InputError: the file cannot be read.
        """
        places = np.asarray(places, np.int64)
        rows = places.reshape(-1) if self._places is None else self._places[places.reshape(-1)]
        out = np.empty((len(rows), *self._shape[1:]), np.uint8)
        size, buffer = math.prod(self._shape[1:]), memoryview(out.reshape(-1))
        starts = (self._offset + rows * size).tolist()
        # What lies side by side is read at once.
        ends = [*(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)] if len(rows) else []
        begin = 0
        for end in ends:
            self._read_into(buffer[begin * size : end * size], starts[begin])
            begin = end
        return out.reshape(*places.shape, *self._shape[1:])

    def _read_into(self, buffer: memoryview, start: int) -> None:
        done = 0
        while done < len(buffer):
            part = buffer[done : done + _LARGEST]
            try:
                count = _read_at(self._file, part, start + done)
            except OSError as error:
                raise InputError(f"{self.path} cannot be read any more ({error.strerror}): start again.") from error
            if not count:
                raise InputError(f"{self.path} was cut off while it was in use: start again.")
            done += count


def _read_at(file: OpenFile, buffer: memoryview, start: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(file.fileno(), [buffer], start)
    with OpenFile(file.name) as own:  # (Windows) a position of its own: several threads may read
        own.seek(start)
        return own.readinto(buffer)


def blocks(images: np.ndarray | Stored) -> Iterator[np.ndarray]:
    """The images, or points, one part of some MB after another; a memory map's pages are given back."""
    count = max(1, _BLOCK // max(1, int(np.prod(images.shape[1:])) * images.dtype.itemsize))
    mapped = isinstance(images, np.memmap) and images.mode == "r" and hasattr(mmap, "MADV_DONTNEED")
    for start in range(0, len(images), count):
        yield images[start : start + count]
        if mapped:
            images._mmap.madvise(mmap.MADV_DONTNEED)
