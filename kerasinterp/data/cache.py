"""Images that were decoded once, at their final size, and are kept in files: what does not fit in memory.

A file is a NumPy array file (`numpy.load(path, mmap_mode="r")` gives its images), with the labels, a description (JSON)
and a tail behind the array. It is named by what was decoded and how, and describes of which state of it. It is written
whole or not at all: beside its place, under a lock, and moved there at the end.
"""

import contextlib
import dataclasses
import errno
import hashlib
import io
import itertools
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from kerasinterp.data.datasets import is_writable
from kerasinterp.data.memory import told
from kerasinterp.data.stored import OpenFile, Stored
from kerasinterp.errors import InputError
from kerasinterp.files import write_text

try:
    import fcntl
except ImportError:  # Windows has no such locks: there processes that decode the same at once each write a file
    fcntl = None

VARIABLE = "KERASINTERP_CACHE"
_FORMAT = 1  # raise it when reading or resizing changes, so that older files are not used
_HEADER = 4096  # bytes before the images: whole pages
_TAIL = b"kerasint"
_OLD = 24 * 3600.0  # seconds: what was left where there are no locks
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclasses.dataclass(frozen=True)
class Origin:
    """What images are decoded from, and how.

    Attributes:
        name: for people, `the folder cats`.
        settings: what tells one set of images from another, for JSON.
        state: gives what differs if the images may differ, for JSON: the files' sizes and times, libraries' versions.
    """

    name: str
    settings: Mapping[str, Any]
    state: Callable[[], Any]

    @property
    def path(self) -> pathlib.Path:
        """Where the images are kept."""
        return folder() / f"images-{_digest([_FORMAT, self.settings])[:16]}.npy"


@dataclasses.dataclass(frozen=True)
class Held:
    """Images, in memory or in a file, with their labels (None if they have none) and what else was found out."""

    images: np.ndarray | Stored
    labels: np.ndarray | None
    found: dict


def folder() -> pathlib.Path:
    """Where decoded images are kept: `KERASINTERP_CACHE`, or `kerasinterp` in XDG_CACHE_HOME or in ~/.cache.

    Of a user without a home it is a folder for temporary files.
    """
    if own := os.environ.get(VARIABLE):
        return pathlib.Path(own).expanduser().absolute()
    common = pathlib.Path(os.environ.get("XDG_CACHE_HOME", ""))
    if common.is_absolute():  # else it is ignored, as its standard has it
        return common / "kerasinterp"
    try:
        return pathlib.Path.home() / ".cache" / "kerasinterp"
    except RuntimeError:  # a user without a name, as containers have
        return pathlib.Path(tempfile.gettempdir(), f"kerasinterp-{os.getuid() if hasattr(os, 'getuid') else 'user'}")


def hold(
    pieces: Iterator[tuple[np.ndarray, np.ndarray | None]],
    shape: tuple[int, int, int],
    count: int | None,
    *,
    exact: bool = True,
    memory: int | None = None,
    origin: Callable[[], Origin] | None = None,
    found: dict | None = None,
) -> Held:
    """Images held in memory, or, if they might take more than `memory`, decoded once into a file and read from there.

    What an earlier run decoded into a file is not decoded again, even where it now fits in memory.

    Args:
        pieces: gives images uint8 (n, H, W, C) and their labels, or None, one part after another; not begun, and not
            asked for anything, where the file is there already.
        shape: (H, W, C).
        count: how many images there are at most; None if that is not known before they are decoded.
        exact: there are just so many, or very nearly.
        memory: bytes; None for all that there is.
        origin: called unless there is no such bound.
        found: what the pieces find out beside the images, for JSON, once all are given; kept in the file.

    Raises:
        InputError: the file cannot be written, and why; or as the pieces.
    """
    size, found, begun = int(np.prod(shape)), {} if found is None else found, []
    if memory is None:
        return Held(*in_memory(pieces, shape, count), found)
    made_of = origin()
    path = made_of.path
    seen = _identity(path)
    held = _opened(path, made_of) if seen else None
    if held is None and count is not None and count * size <= memory:
        return Held(*in_memory(pieces, shape, count), found)
    if held is None and count is None:
        begun, ended = _begun(pieces, memory // size)
        if ended:
            return Held(*in_memory(begun, shape, None), found)
    if held is None:
        needed = count * size if exact and count is not None else None
        held = _write(path, seen, made_of, itertools.chain(begun, pieces), shape, needed, found)
    if len(held.images) * size <= memory:  # of more, some were not chosen
        return dataclasses.replace(held, images=held.images[:])
    return held


def in_memory(
    pieces: Iterable[tuple[np.ndarray, np.ndarray | None]], shape: tuple[int, int, int], count: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """The pieces' images and labels as arrays; `count` images at most, if that is known, are not copied again."""
    parts, labels, done = [], [], 0
    whole = None if count is None else np.empty((count, *shape), np.uint8)
    for images, own in pieces:
        if whole is None or parts or done + len(images) > len(whole):
            parts.append(images)
        else:
            whole[done : done + len(images)] = images
            done += len(images)
        if own is not None:
            labels.append(own)
    if whole is not None:
        parts.insert(0, whole if done == len(whole) else whole[:done].copy())
    images = parts[0] if len(parts) == 1 else np.concatenate([np.empty((0, *shape), np.uint8), *parts])
    return images, np.concatenate(labels) if labels else None


def _begun(pieces: Iterator, count: int) -> tuple[list, bool]:
    """The first pieces, of little more than `count` images, and whether these are all."""
    begun, done = [], 0
    for piece in pieces:
        begun.append(piece)
        done += len(piece[0])
        if done > count:
            return begun, False
    return begun, True


def say(text: str) -> None:
    """A line on the cache, where progress is shown too."""
    print(text, file=sys.stderr, flush=True)


# Reading


class _Damaged(Exception):
    """Why a file of images cannot be used."""


def _opened(path: pathlib.Path, origin: Origin) -> Held | None:
    """What is kept at `path`; None, with a line on why if there is anything, where it must be made (again)."""
    try:
        file = OpenFile(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        say(f"{path} cannot be read ({error.strerror}): {origin.name} is decoded anew.")
        return None
    try:
        about, labels = _described(file, origin)
    except (_Damaged, OSError) as error:
        file.close()
        say(f"{path} is damaged ({getattr(error, 'strerror', None) or error}): {origin.name} is decoded anew.")
        return None
    if about["state"] != _digest(origin.state()):
        file.close()
        say(f"{origin.name} has changed since {path} was written: it is decoded anew.")
        return None
    shape = tuple(about["shape"])
    images = Stored(file, _HEADER, shape, remembered=_memory_of(path, about["content"]))
    say(f"Using {shape[0]:,} images of {origin.name}, decoded earlier: {path} ({told(images.nbytes)})")
    return Held(images, labels, about["found"])


def _described(file: BinaryIO, origin: Origin) -> tuple[dict, np.ndarray | None]:
    """What the file says of itself, and its labels."""
    end = file.seek(0, os.SEEK_END)
    tail = len(_TAIL) + 8 + 32
    if end < _HEADER + tail:
        raise _Damaged("it is cut off")
    file.seek(end - tail)
    read = file.read(tail)
    length = int.from_bytes(read[:8], "little")
    if not read.endswith(_TAIL) or length > end - _HEADER - tail:
        raise _Damaged("its end is missing")
    file.seek(end - tail - length)
    text = file.read(length)
    if hashlib.sha256(text).digest() != read[8:40]:
        raise _Damaged("its description does not fit it")
    about = json.loads(text)
    if about["settings"] != _digest(origin.settings) or about["format"] != _FORMAT:
        raise _Damaged("it is of something else")
    size = int(np.prod(about["shape"]))
    if _HEADER + size + about["labels"] + length + tail != end:
        raise _Damaged("it is of another size than it says")
    file.seek(0)
    if file.read(_HEADER) != _header(tuple(about["shape"])):
        raise _Damaged("its begin does not fit it")
    if os.fstat(file.fileno()).st_mtime_ns != about["stamp"]:  # written to, or copied: all of it is looked at
        file.seek(_HEADER)
        if _digest_of_file(file, size + about["labels"]) != about["content"]:
            raise _Damaged("its images are not those that were written")
        with contextlib.suppress(OSError):  # another's, or a disk that is read-only
            os.utime(file.name, ns=(about["stamp"],) * 2)
    if not about["labels"]:
        return about, None
    file.seek(_HEADER + size)
    return about, np.lib.format.read_array(io.BytesIO(file.read(about["labels"])), allow_pickle=False)


def _identity(path: pathlib.Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _header(shape: tuple[int, ...]) -> bytes:
    """Of a NumPy array file (version 1.0), padded."""
    text = repr({"descr": "|u1", "fortran_order": False, "shape": shape}).encode()
    magic = np.lib.format.magic(1, 0)
    rest = _HEADER - len(magic) - 2
    return magic + rest.to_bytes(2, "little") + text.ljust(rest - 1) + b"\n"


def _digest_of_file(file: BinaryIO, size: int) -> str:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(2**20))
    while size and (count := file.readinto(buffer[: min(size, len(buffer))])):
        digest.update(buffer[:count])
        size -= count
    return digest.hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _memory_of(path: pathlib.Path, content: str) -> Callable[[str, Callable[[], str]], str]:
    """What was made of the file's images before, kept beside it as JSON; without it all is made again."""
    beside = path.with_suffix(".json")

    def known() -> dict[str, str]:
        try:
            kept = json.loads(beside.read_text())
            return kept["made"] if kept["content"] == content else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def remembered(key: str, make: Callable[[], str]) -> str:
        if not isinstance(made := known().get(key), str):
            made = make()
            with contextlib.suppress(OSError):
                write_text(beside, json.dumps({"content": content, "made": known() | {key: made}}))
        return made

    return remembered


# Writing


def _write(
    path: pathlib.Path,
    seen: tuple[int, ...] | None,
    origin: Origin,
    pieces: Iterator[tuple[np.ndarray, np.ndarray | None]],
    shape: tuple[int, int, int],
    needed: int | None,
    found: dict,
) -> Held:
    """Decodes into the file at `path`, which was not usable when it was `seen`; or waits for a process that does."""
    size = int(np.prod(shape))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not is_writable(path.parent):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        _remove_left_overs(path.parent)
        with _claimed(path) as (file, partial):
            # Another process may have made it meanwhile.
            if _identity(path) != seen and (held := _opened(path, origin)):
                return held
            free = shutil.disk_usage(path.parent).free
            if needed is not None and needed > free:
                raise _no_room(path.parent, needed, f"has {told(free)} free")
            say(f"Decoding {origin.name} into {path}" + (f" ({told(needed)})" if needed else ""))
            state = _digest(origin.state())  # before: what changes while it is decoded is changed for the next one
            count, content, labels = _write_images(file, pieces)
            if not count:
                return Held(np.empty((0, *shape), np.uint8), None, found)
            about = {"of": origin.name, "settings": _digest(origin.settings), "state": state, "found": found}
            _write_description(file, about, (count, *shape), content, labels)
            partial.replace(path)
            remembered = _memory_of(path, content.hexdigest())
            images = Stored(OpenFile(path), _HEADER, (count, *shape), remembered=remembered)
    except OSError as error:
        if error.errno in _FULL:
            raise _no_room(path.parent, needed, f"is full ({error.strerror})") from error
        raise InputError(
            f"The folder of decoded images, {path.parent}, cannot be used ({error.strerror or error}): set {VARIABLE} "
            f"to one that can be written to{_or_memory(needed)}."
        ) from error
    say(
        f"Wrote {count:,} images, {told(count * size)}, to {path}, for this and later runs: remove it when you like; "
        f"{VARIABLE} sets another folder."
    )
    return Held(images, labels, found)


def _or_memory(needed: int | None) -> str:
    return f", or hold the images in memory (--memory {needed / 1e9 + 0.05:.1f}GB)" if needed else ""


def _no_room(place: pathlib.Path, needed: int | None, why: str) -> InputError:
    size = f"take {told(needed)}" if needed else "do not fit on the disk"
    return InputError(
        f"The decoded images {size}, and {place} {why}: free some space there, set {VARIABLE} to a folder on another "
        f"disk{_or_memory(needed)}."
    )


def _write_images(
    file: BinaryIO, pieces: Iterator[tuple[np.ndarray, np.ndarray | None]]
) -> tuple[int, "hashlib._Hash", np.ndarray | None]:
    """How many images were written, their digest so far, and their labels."""
    count, digest, labels = 0, hashlib.sha256(), []
    file.seek(_HEADER)
    for images, own in pieces:
        data = np.ascontiguousarray(images).data.cast("B")
        file.write(data)
        digest.update(data)
        count += len(images)
        if own is not None:
            labels.append(own)
    return count, digest, np.concatenate(labels) if labels else None


def _write_description(
    file: BinaryIO, about: dict, shape: tuple[int, ...], content: "hashlib._Hash", labels: np.ndarray | None
) -> None:
    """All but the images, safely on the disk."""
    after = b""
    if labels is not None:
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, labels, allow_pickle=False)
        after = buffer.getvalue()
    content.update(after)
    stamp = int(time.time()) * 10**9  # in whole seconds, which every file system keeps
    own = {"format": _FORMAT, "shape": shape, "labels": len(after), "content": content.hexdigest(), "stamp": stamp}
    text = json.dumps(about | own).encode()
    file.write(after + text + len(text).to_bytes(8, "little") + hashlib.sha256(text).digest() + _TAIL)
    file.seek(0)
    file.write(_header(shape))
    file.flush()
    os.fsync(file.fileno())
    os.utime(file.name, ns=(stamp, stamp))


@contextlib.contextmanager
def _claimed(path: pathlib.Path) -> Iterator[tuple[BinaryIO, pathlib.Path]]:
    """An empty file beside `path`, which this process alone writes to; removed at the end unless it was moved."""
    file, partial = _locked(path)
    try:
        yield file, partial
    finally:
        with contextlib.suppress(OSError):
            # Closing may fail too: of what is still to be written there may be too much.
            if partial.exists() and os.path.samestat(os.fstat(file.fileno()), partial.stat()):
                partial.unlink()
        with contextlib.suppress(OSError):
            file.close()


def _locked(path: pathlib.Path) -> tuple[BinaryIO, pathlib.Path]:
    partial = path.with_name(f".partial-{path.name}")
    while fcntl is not None:
        file = _open(partial)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"Another process is decoding the same images into {path}: waiting for it.")
                fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks
            with contextlib.suppress(OSError):
                if not partial.stat().st_size:
                    partial.unlink()
            file.close()
            break
        except BaseException:
            file.close()
            raise
        # Whoever had it before may have moved or removed it.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), partial.stat()):
                file.truncate(0)
                return file, partial
        file.close()
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    return _open(partial), partial


def _open(partial: pathlib.Path) -> BinaryIO:
    return os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644), "r+b")


def _remove_left_overs(place: pathlib.Path) -> None:
    """What killed processes left: it is locked by nobody."""
    for partial in place.glob(".partial-*"):
        with contextlib.suppress(OSError):
            if fcntl is None:
                if time.time() - partial.stat().st_mtime > _OLD:
                    partial.unlink()
                continue
            with partial.open("r+b") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                except OSError:  # no locks here
                    if time.time() - partial.stat().st_mtime <= _OLD:
                        continue
                partial.unlink()
