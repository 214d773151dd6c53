"""A user's own images: files and folders of them."""

import collections
import contextlib
import functools
import hashlib
import json
import os
import pathlib
import re
import stat
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from kerasinterp import progress
from kerasinterp.data import cache
from kerasinterp.data.convert import from_array, height_and_width
from kerasinterp.data.marks import is_marked
from kerasinterp.data.notes import note
from kerasinterp.data.stored import Stored
from kerasinterp.errors import InputError

# What is looked for in folders; of these, what the installed Pillow (or a plugin of it) reads.
_LOOKED_FOR = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".jp2", ".avif", ".heic", ".heif"),
)
_KINDS = {ending: kind for ending, kind in Image.registered_extensions().items() if ending in _LOOKED_FOR}
# No others: Pillow would start another program for some (EPS).
_FORMATS = (*sorted(set(_KINDS.values())), "DIB")
# What systems make beside a user's files, next to everything whose name begins with a dot; in small letters.
_OF_SYSTEMS = (
    *("@eadir", "#recycle", "__macosx", "lost+found", "$recycle.bin", "system volume information"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
)
# How files begin that are often taken for images that can be read.
_FOREIGN = {
    "HEIC": rb"....ftyp(heic|heix|hevc|heim|heis|mif1|msf1)",
    "AVIF": rb"....ftypavi[fs]",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "PDF": rb"%PDF",
    "EPS": rb"%!PS|\xc5\xd0\xd3\xc6",
    "SVG": rb"\s*<(svg|\?xml)",
    "Photoshop": rb"8BPS",
}
_PHOTOMETRIC, _WHITE_IS_ZERO = TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0
_ORIENTATION, _ON_THEIR_SIDE = 0x0112, (5, 6, 7, 8)  # EXIF: those whose sides change places
_SIXTEEN_BITS = 65_535
_PIECE = 2**24  # bytes of images that are passed on together
_AHEAD = 256  # files that are being read, or were, before the one whose turn it is
_SHRINKING, _GROWING = Image.Resampling.BOX, Image.Resampling.BICUBIC


def from_folder(
    path: str | os.PathLike,
    image_size: int | tuple[int, int] = 28,
    channels: int = 1,
    *,
    invert: bool = False,
    labels: bool = False,
    skip_unreadable: bool = False,
) -> tf.data.Dataset:
    """The images in a folder and its sub-folders, in the order of their paths, as float32 (H, W, C) in [-1, 1].

    Names are ordered as people do, `2` before `10`. All images are read at once, as `read_image` does, so that a bad
    file is found before any work, and held in memory at their final size. Links are followed. Not the user's images,
    and never read: what lies in folders that systems hide or make (names with a dot in front, `@eaDir`, `__MACOSX`),
    pictures that kerasinterp drew, and whole runs of it. A `Note` says what else is left out.

    Args:
        path: the folder, with png, jpg, bmp, gif, webp, tiff, ppm, jp2 or avif files; or one such file.
        image_size: height and width, a number for both: what is shaped otherwise is centre-cropped.
        channels: 1 for grey, 3 for colour.
        invert: for dark drawings on white, when the model learned white on black.
        labels: give pairs (image, label); the label is the place of the first-level sub-folder in their order.
        skip_unreadable: leave out files that cannot be read, with a `Note`, instead of an error.

    Raises:
        InputError: the folder is missing, empty, or holds a file that is no image; or, with labels, images beside the
            sub-folders.
    """
    images, numbers, _ = read_folder(
        path, image_size, channels, invert=invert, labels=labels, skip_unreadable=skip_unreadable
    )
    return from_array(images, numbers if labels else None)


def read_folder(
    path: str | os.PathLike,
    image_size: int | tuple[int, int],
    channels: int,
    *,
    invert: bool = False,
    labels: bool = False,
    skip_unreadable: bool = False,
    memory: int | None = None,
) -> tuple[np.ndarray | Stored, np.ndarray, tuple[str, ...]]:
    """As `from_folder`: uint8 (N, H, W, C), the labels int64 (N,), and the sub-folders' names by label.

    Args:
        memory: bytes; images that take more are decoded into a file, see `cache.hold`.
    """
    _checked_form(image_size, channels)
    path = pathlib.Path(path)
    if not stat.S_ISDIR(_mode(path, "folder")):
        image = read_image(path, image_size, channels, invert=invert)
        return image[np.newaxis], np.zeros(1, np.int64), (path.absolute().parent.name,)
    files, left_out = _found(path)
    images, unread = _read_all(files, image_size, channels, invert, memory, path)
    drawn = [error.path for error in unread.values() if isinstance(error, _Drawn)]
    damaged = [error for error in unread.values() if not isinstance(error, _Drawn)]
    if damaged and not skip_unreadable:
        raise _together(damaged)
    left_out |= {"drawn by kerasinterp for people": drawn, "that cannot be read": [error.path for error in damaged]}
    kept = [_below(file, path) for place, file in enumerate(files) if place not in unread]
    groups = [parts[0] if len(parts) > 1 else "" for parts in kept]
    names = sorted(set(groups), key=_natural)
    if labels:
        left_out["folders without images"] = [
            each
            for each in sorted(path.iterdir())
            if each.is_dir() and each.name not in names and not _is_of_systems(each.name) and not _is_run(each)
        ]
    told = [
        f"{len(paths)} {what} ({_shown([each.name for each in paths])})" for what, paths in left_out.items() if paths
    ]
    if not len(images):
        other = f" (but {', '.join(told)})" if told else ""
        raise InputError(f"{path} holds no images{other}: put {', '.join(_KINDS)} files into it.")
    if told:
        note(f"Left out of {path}: {', '.join(told)}.")
    if labels and "" in groups and len(names) > 1:
        beside = [parts[0] for parts in kept if len(parts) == 1]
        raise InputError(
            f"{path} has images beside the folders of its classes ({_shown(beside)}): move each into the folder of its "
            "class, or remove it."
        )
    numbers = {group: number for number, group in enumerate(names)}
    labels_of_images = np.array([numbers[group] for group in groups], np.int64)
    return images, labels_of_images, tuple(name or path.absolute().name for name in names)


def files_of(path: str | os.PathLike) -> list[pathlib.Path]:
    """The image files that `read_folder` would read: those below a folder, in their order, or the file itself.

    Raises:
        InputError: there is no such path, or no image below it.
    """
    path = pathlib.Path(path)
    if not stat.S_ISDIR(_mode(path, "folder")):
        return [path]
    if not (files := _found(path)[0]):
        raise InputError(f"{path} holds no images: put {', '.join(_KINDS)} files into it.")
    return files


def read_files(
    files: Sequence[str | os.PathLike],
    image_size: int | tuple[int, int],
    channels: int,
    *,
    invert: bool = False,
    memory: int | None = None,
) -> np.ndarray | Stored:
    """The image files, read as `read_image` does, as uint8 (N, H, W, C); errors as there, of all files together.

    Args:
        memory: as `read_folder`.
    """
    images, unread = _read_all([pathlib.Path(file) for file in files], image_size, channels, invert, memory)
    if unread:
        raise _together([*unread.values()])
    return images


def _read_all(
    files: Sequence[pathlib.Path],
    image_size: int | tuple[int, int],
    channels: int,
    invert: bool,
    memory: int | None,
    folder: pathlib.Path | None = None,
) -> tuple[np.ndarray | Stored, dict[int, "_Unreadable"]]:
    """Those of the files that can be read, uint8 (N, H, W, C), and why not, by the places of the others."""
    (height, width), channels = _checked_form(image_size, channels)
    shape, found = (height, width, channels), {"unread": []}

    def pieces() -> Iterator[tuple[np.ndarray, None]]:
        most, part = max(1, _PIECE // int(np.prod(shape))), []
        for place, image in enumerate(_read_each(files, (height, width), channels, invert)):
            if isinstance(image, _Unreadable):
                found["unread"].append((place, *image.kept))
                continue
            part.append(image)
            if len(part) == most:
                yield np.stack(part), None
                part.clear()
        if part:
            yield np.stack(part), None

    def origin() -> cache.Origin:
        name = f"the folder {folder}" if folder else f"a list of {len(files):,} files"
        paths = os.path.realpath(folder) if folder else [os.path.realpath(file) for file in files]
        settings = {"files": paths, "size": (height, width), "channels": channels, "invert": invert}
        return cache.Origin(name, settings, functools.partial(_state, files, folder))

    try:
        held = cache.hold(pieces(), shape, len(files), memory=memory, origin=origin, found=found)
    except MemoryError:
        size = len(files) * height * width * channels / 2**30
        raise InputError(
            f"{len(files)} images of {height} x {width} take {size:,.3g} GB of memory: choose a smaller image_size."
        ) from None
    kinds = {kind.__name__: kind for kind in (_Unreadable, _Drawn)}
    unread = {place: kinds[kind](files[place], *why) for place, kind, *why in held.found["unread"]}
    return held.images, unread


def _read_each(
    files: Sequence[pathlib.Path], size: tuple[int, int], channels: int, invert: bool
) -> Iterator["np.ndarray | _Unreadable"]:
    """Each file's image (H, W, C), or why there is none, in order. Several threads read, a little ahead."""

    def read(path: pathlib.Path) -> np.ndarray | _Unreadable:
        try:
            return _read(path, size, channels, invert)
        except _Unreadable as error:
            return error

    ahead: collections.deque[Future] = collections.deque()
    with (
        _without_pillows_warnings(),
        ThreadPoolExecutor() as pool,
        progress.bar(len(files), "reading images", "images") as told,
    ):
        for path in files:
            ahead.append(pool.submit(read, path))
            if len(ahead) >= _AHEAD:
                yield ahead.popleft().result()
                told.update()
        while ahead:
            yield ahead.popleft().result()
            told.update()


def _state(files: Sequence[pathlib.Path], folder: pathlib.Path | None) -> str:
    """What differs if a file was changed, added, removed or renamed, or is read by another Pillow."""
    digest = hashlib.sha256(Image.__version__.encode())
    for file in files:
        found = file.stat()
        name = "/".join(_below(file, folder)) if folder else str(file)
        # The third time is that of the last change of anything: it tells of contents that were put in their place.
        digest.update(
            f"{name}\0{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}\n".encode(errors="surrogateescape")
        )
    return digest.hexdigest()


def read_image(
    path: str | os.PathLike, image_size: int | tuple[int, int], channels: int, *, invert: bool = False
) -> np.ndarray:
    """One image file as uint8 (height, width, channels).

    The rules of reading, here and for folders, in this order:

    - Of several frames or pages, the first.
    - The orientation that a camera noted (EXIF) is applied.
    - 16 bits are scaled to 8 (divided by 257), not clipped; files of less than 8 bits fill the range. Where the
      smallest value is white (TIFF's "white is zero"), it is read as white. Float values and 32-bit integers beyond 16
      bits do not say what white is: refused.
    - What is transparent becomes white paper, in proportion.
    - Colours become grey by ITU-R 601's weights, and grey becomes three equal channels; CMYK becomes RGB.
    - The centre is cropped to the aspect ratio of `image_size`.
    - Images that shrink are averaged (Pillow's BOX), so that thin strokes do not vanish; those that grow are
      interpolated (BICUBIC).
    - `invert` then turns dark and light round.

    Args:
        path: a png, jpg, bmp, gif, webp, tiff, ppm, jp2 or avif file; one more than Pillow's limit of pixels is refused
            (`PIL.Image.MAX_IMAGE_PIXELS`, twice).
        image_size: height and width, a number for both.
        channels: 1 for grey, 3 for colour.
        invert: for dark drawings on white, when the model learned white on black.

    Raises:
        InputError: the file is missing, no file, no image, too large, damaged, of a format or of values that are not
            supported, or a picture that kerasinterp drew for people.
    """
    size, channels = _checked_form(image_size, channels)
    path = pathlib.Path(path)
    with _without_pillows_warnings():
        return _read(path, size, channels, invert)


def _checked_form(image_size: int | tuple[int, int], channels: int) -> tuple[tuple[int, int], int]:
    size = height_and_width(image_size)
    if size is None or channels not in (1, 3):
        raise InputError(f"image_size is 1 or more, channels 1 or 3, not {image_size} and {channels}.")
    return size, channels


class _Unreadable(InputError):
    """A file that cannot be used as an image, why, and what to do."""

    def __init__(self, path: pathlib.Path, reason: str, advice: str):
        super().__init__(f"{path} {reason}: {advice}.")
        self.path, self.reason = path, reason
        self.kept = (type(self).__name__, reason, advice)  # what is kept of it beside decoded images


class _Drawn(_Unreadable):
    def __init__(self, path: pathlib.Path, *why: str):
        super().__init__(path, *(why or ("is a picture that kerasinterp drew for people", "give images themselves")))


def _together(errors: Sequence[_Unreadable]) -> InputError:
    if len(errors) == 1:
        return errors[0]
    shown = "; ".join(f"{error.path} {error.reason}" for error in errors[:3])
    more = f" and {len(errors) - 3} more" if len(errors) > 3 else ""
    return InputError(f"Some files cannot be used as images: {shown}{more}. Replace or remove them.")


def _mode(path: pathlib.Path, kind: str) -> int:
    """The type of the file behind `path`, links followed, without opening it."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"There is no {kind} {path}: check the path.") from None
    except PermissionError:
        raise _Unreadable(path, "cannot be read, for want of permission", "change that, or remove it") from None
    except (OSError, ValueError) as error:  # a NUL, a name too long, links in a circle
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)!r} is no path of a {kind} ({reason}): check it.") from None


@contextlib.contextmanager
def _without_pillows_warnings() -> Iterator[None]:
    """Pillow warns, with a line of its source, of files that it reads nevertheless or refuses a little later.

    Python's warnings are the whole process's: entered before threads start, not in each.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _read(path: pathlib.Path, size: tuple[int, int], channels: int, invert: bool) -> np.ndarray:
    """As `read_image`, which documents the rules; every error is an `_Unreadable`, but of a path that there is not."""
    mode = _mode(path, "file")
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file but a pipe, a socket or a device"
        raise _Unreadable(path, f"is {kind}", "give an image file")
    height, width = size
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            if is_marked(opened):
                raise _Drawn(path)
            # What is read again from the file's directory, the turned copy lacks.
            white_is_zero = getattr(opened, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO
            image = _in_eight_bits(ImageOps.exif_transpose(opened), white_is_zero, path)
            image = image.convert("L" if channels == 1 else "RGB")
            shrinks = min(image.width / width, image.height / height) > 1
            array = np.asarray(ImageOps.fit(image, (width, height), _SHRINKING if shrinks else _GROWING))
    except _Unreadable:
        raise
    except PermissionError:
        raise _Unreadable(path, "cannot be read, for want of permission", "change that, or remove it") from None
    except Image.DecompressionBombError as error:
        numbers = [int(number) for number in re.findall(r"(\d+) pixels", str(error))]
        told = "{:,} pixels, more than the limit of {:,}".format(*numbers) if len(numbers) == 2 else "too many pixels"
        raise _Unreadable(path, f"is too large ({told})", "make it smaller") from error
    except MemoryError as error:
        raise _Unreadable(path, "is too large for the memory that is free", "make it smaller") from error
    except UnidentifiedImageError as error:
        raise _unidentified(path) from error
    except Exception as error:  # Pillow's versions raise anything from SyntaxError to struct.error for a damaged file
        reason = (" ".join(str(error).split()) or type(error).__name__)[:120]
        raise _Unreadable(path, f"is damaged ({reason})", "replace or remove it") from error
    array = array[..., np.newaxis] if array.ndim == 2 else array
    return 255 - array if invert else array


def _in_eight_bits(image: Image.Image, white_is_zero: bool, path: pathlib.Path) -> Image.Image:
    """Grey or RGB, 8 bits a channel, on white paper."""
    advice = "save it in 8 or 16 bits"
    if image.mode == "F":
        raise _Unreadable(path, "holds float values, which do not say what is white", advice)
    if image.mode == "LAB":
        raise _Unreadable(path, "holds LAB colours, which are not supported", "save it in RGB")
    clear = image.info.get("transparency")
    if image.mode.startswith("I"):  # which Pillow would clip, not scale, to 8
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > _SIXTEEN_BITS:
            raise _Unreadable(path, "holds 32-bit values, which do not say what is white", advice)
        if white_is_zero:  # which Pillow turns round of 8 bits and less only
            values = _SIXTEEN_BITS - values
        if isinstance(clear, int):
            values = np.where(values == clear, _SIXTEEN_BITS, values)
        return Image.fromarray(np.uint8(np.rint(values / (_SIXTEEN_BITS / 255))))
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or clear is not None:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode in ("1", "L") else image.convert("RGB")


def _unidentified(path: pathlib.Path) -> _Unreadable:
    """Why Pillow does not know what the file is, by how it begins."""
    with path.open("rb") as file:
        begin = file.read(64)
    if not begin:
        return _Unreadable(path, "is empty", "replace or remove it")
    for kind, pattern in _FOREIGN.items():
        if re.match(pattern, begin, re.DOTALL):
            return _Unreadable(path, f"is a {kind} file, a format not supported here", "save it as PNG or JPEG")
    return _Unreadable(path, "is no image, or damaged, or of a format not supported here", "replace or remove it")


def _found(folder: pathlib.Path) -> tuple[list[pathlib.Path], dict[str, list[pathlib.Path]]]:
    """The files below `folder` that should be images, in their order, and what is left out, by the reason."""
    files, left_out = [], collections.defaultdict(list)
    for path in _walked(folder, left_out["with runs of kerasinterp"]):
        if path.suffix.lower() not in _KINDS:
            left_out[path.suffix.lower() or "without an ending"].append(path)
        elif path.is_file():
            files.append(path)
        else:
            left_out["that are no regular files" if path.exists() else "that link to nothing"].append(path)
    return sorted(files, key=lambda file: [_natural(part) for part in _below(file, folder)]), left_out


def upright_size(image: Image.Image) -> tuple[int, int]:
    """The height and width of an opened image, as the orientation that a camera noted (EXIF) turns it."""
    on_its_side = image.getexif().get(_ORIENTATION) in _ON_THEIR_SIDE
    return image.size if on_its_side else image.size[::-1]


def _below(file: pathlib.Path, folder: pathlib.Path) -> tuple[str, ...]:
    """The names from the folder, in which the file is, to the file; of many files `relative_to` takes seconds."""
    return file.parts[len(folder.parts) :]


def _walked(folder: pathlib.Path, runs: list[pathlib.Path], above: tuple = ()) -> Iterator[pathlib.Path]:
    """The files below `folder`, links followed, without those of systems and of runs; these are put into `runs`."""
    try:
        here = folder.stat()
        entries = [(entry, entry.is_dir()) for entry in sorted(folder.iterdir())]
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}): change that, or remove it.") from error
    identity = (here.st_dev, here.st_ino)
    if identity in above:  # a link to a folder that it lies in
        return
    for entry, is_folder in entries:
        if _is_of_systems(entry.name):
            continue
        if not is_folder:
            yield entry
        elif _is_run(entry):
            runs.append(entry)
        else:
            yield from _walked(entry, runs, (*above, identity))


def _is_of_systems(name: str) -> bool:
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def _is_run(folder: pathlib.Path) -> bool:
    path = folder / "recipe.json"
    try:
        return path.is_file() and "recipe" in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _natural(name: str) -> tuple[list, str]:
    """What orders `2` before `10`."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
