"""A user's own folder of images."""

import os
import pathlib

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

    Photographs are turned upright, transparency becomes white, and what is not square is centre-cropped.

    Args:
        path: the folder, with png, jpg, bmp, gif, webp or tiff files.
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
    path = pathlib.Path(path)
    if not path.is_dir():
        raise InputError(f"There is no folder {path}.")
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _ENDINGS and file.is_file())
    if not files:
        raise InputError(f"{path} holds no images: put {', '.join(_ENDINGS)} files into it.")
    images, kept, bad = [], [], []
    for file in files:
        try:
            images.append(read_image(file, image_size, channels, invert=invert))
            kept.append(file)
        except InputError:
            bad.append(file)
    if bad and not skip_unreadable:
        shown = ", ".join(str(file) for file in bad[:3]) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
        raise InputError(f"Cannot be read as images: {shown}. Remove them, or skip unreadable files.")
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
            if image.mode.startswith(("I", "F")):  # 16 bits and more: bring the range to 8
                values = np.asarray(image, np.float64)
                image = Image.fromarray(np.uint8(np.clip(values / max(values.max(), 1.0) * 255.0, 0, 255)))
            image = image.convert("L" if channels == 1 else "RGB")
            side = min(image.size)
            method = Image.Resampling.BOX if side > image_size else Image.Resampling.BICUBIC
            array = np.asarray(ImageOps.fit(image, (image_size, image_size), method))
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be read as an image: replace or remove it.") from error
    array = array[..., np.newaxis] if array.ndim == 2 else array
    return 255 - array if invert else array
