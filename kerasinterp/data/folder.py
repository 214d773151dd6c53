"""A user's own folder of images."""

import os
import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from kerasinterp.data.convert import from_array
from kerasinterp.errors import InputError

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def from_folder(
    path: str | os.PathLike,
    image_size: int = 28,
    channels: int = 1,
    *,
    invert: bool = False,
    labels: bool = False,
    skip_unreadable: bool = False,
) -> tf.data.Dataset:
    """The images in a folder and its sub-folders, sorted by path, as float32 (H, W, C) in [-1, 1].

    Photographs are turned upright, transparency becomes white, and what is not square is centre-cropped. All images are
    read at once, so that a bad file is found before any work, and held in memory at their final size.

    Args:
        path: the folder, with png, jpg, bmp, gif, webp or tiff files (of several frames, the first); or one such file.
        image_size: height and width that they are resized to.
        channels: 1 for grey, 3 for colour.
        invert: for dark drawings on white, when the model learned white on black.
        labels: give pairs (image, label); the label is the number of the first-level sub-folder in sorted order.
        skip_unreadable: leave out files that cannot be read, instead of an error.

    Raises:
        InputError: the folder is missing, empty, or holds a file that is no image.
    """
    images, numbers = read_folder(path, image_size, channels, invert=invert, skip_unreadable=skip_unreadable)
    return from_array(images, numbers if labels else None)


def read_folder(
    path: str | os.PathLike,
    image_size: int,
    channels: int,
    *,
    invert: bool = False,
    skip_unreadable: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """As `from_folder`: uint8 (N, H, W, C) and the labels int64 (N,)."""
    if channels not in (1, 3) or image_size < 1:
        raise InputError(f"image_size is 1 or more, channels 1 or 3, not {image_size} and {channels}.")
    path = pathlib.Path(path)
    if path.is_file():
        return read_image(path, image_size, channels, invert=invert)[np.newaxis], np.zeros(1, np.int64)
    if not path.is_dir():
        raise InputError(f"There is no folder {path}: check the path.")
    files = [file for file in path.rglob("*") if file.suffix.lower() in _ENDINGS and file.is_file()]
    # A name with a dot in front is a file system's own, such as macOS's `._a.png`.
    files = sorted(file for file in files if not file.name.startswith("."))
    if not files:
        raise InputError(f"{path} holds no images: put {', '.join(_ENDINGS)} files into it.")

    def read(file: pathlib.Path) -> np.ndarray | None:
        try:
            return read_image(file, image_size, channels, invert=invert)
        except InputError:
            return None

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(read, files))
    bad = [file for file, image in zip(files, found, strict=True) if image is None]
    if bad and not skip_unreadable:
        shown = ", ".join(str(file) for file in bad[:3]) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
        raise InputError(f"Cannot be read as images: {shown}; remove them, or pass skip_unreadable=True.")
    kept = [file for file, image in zip(files, found, strict=True) if image is not None]
    images = [image for image in found if image is not None]
    if not images:
        raise InputError(f"None of the {len(files)} files in {path} can be read as an image.")
    groups = [file.relative_to(path).parts[0] if len(file.relative_to(path).parts) > 1 else "" for file in kept]
    numbers = {group: number for number, group in enumerate(sorted(set(groups)))}
    return np.stack(images), np.array([numbers[group] for group in groups], np.int64)


def read_image(path: str | os.PathLike, image_size: int, channels: int, *, invert: bool = False) -> np.ndarray:
    """One image file as uint8 (image_size, image_size, channels); see `from_folder`.

    Raises:
        InputError: the file is missing or no image.
    """
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                image = image.convert("RGBA")
                paper = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(paper, image)
            if image.mode.startswith("I"):  # 16 bits, which Pillow would clip, not scale, to 8
                image = Image.fromarray(np.uint8(np.clip(np.rint(np.asarray(image, np.float64) / 257.0), 0, 255)))
            if image.mode == "F":
                raise ValueError("of unknown range")
            image = image.convert("L" if channels == 1 else "RGB")
            # Averaging where it shrinks, so that thin strokes do not vanish.
            method = Image.Resampling.BOX if min(image.size) > image_size else Image.Resampling.BICUBIC
            array = np.asarray(ImageOps.fit(image, (image_size, image_size), method))
    except FileNotFoundError:
        raise InputError(f"There is no file {path}: check the path.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image: replace or remove it.") from error
    array = array[..., np.newaxis] if array.ndim == 2 else array
    return 255 - array if invert else array
