"""Ink and paper: handwriting is learned light on black, and scanned or photographed dark on white."""

import os
import pathlib

import numpy as np
from PIL import Image
from scipy import ndimage

from kerasinterp.data.convert import height_and_width
from kerasinterp.data.folder import read_grey
from kerasinterp.errors import InputError

_LIGHT = 160  # of uint8: clearly lighter than the middle; paper has 200 and more

# A drawing's longer side, of an image's shorter one, as MNIST has it.
_DRAWING = 20 / 28
# Strokes thinner than this, of an image's shorter side, are thickened: printed and written digits have 2 to 3 of 28.
_STROKE = 2 / 28
_WORKING = 800  # pixels: a photo's longer side, to which larger ones are averaged first
_COARSE, _WINDOW = 160, 49  # pixels: the longer side at which the paper's light is looked for, and how far around
_FAINT = 0.1  # of the paper's light: what is no darker is no ink
_NOISE = 6.0  # standard deviations of the paper, below which nothing is ink
# Of the ink's darkness: nothing below counts, and a stroke has some pixel above. Shadows' edges have less.
_FLOOR, _CORE = 0.3, 0.6
_SHADOW = 0.5  # of the paper's light: at the photo's border, what is no darker may be the end of a shadow's edge
_SPECK = 0.01  # of all ink: smaller parts are dirt


def read_ink(path: str | os.PathLike, image_size: int | tuple[int, int]) -> tuple[np.ndarray, str]:
    """A photo or scan of pen on paper, made fit for a model: as `fit_ink`, of an image file.

    Returns:
        uint8 (height, width, 1), and what was done, a line beginning with the file's name.

    Raises:
        InputError: as `data.read_image`, or no ink is found.
    """
    photo = read_grey(path)
    try:
        image, done = fit_ink(photo, image_size)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return image, f"{pathlib.Path(path).name}: {done}"


def fit_ink(photo: np.ndarray, image_size: int | tuple[int, int]) -> tuple[np.ndarray, str]:
    """A drawing on paper of any size and light, as light strokes on black in MNIST's form.

    The paper's light (a wide median) is divided out, ink stretched to white and everything fainter set to black; what
    lies at the photo's border (a table, a page's edge) is left out where there is ink elsewhere. The ink is cropped and
    scaled to a longer side of 20 of 28 pixels by averaging, thin strokes being thickened first, and its centre of mass
    put into the middle. Drawings that are light on black are not inverted; those that fill such an image already as
    MNIST's do stay as they are.

    Args:
        photo: uint8 (H, W) or (H, W, 1), dark on light or light on black.
        image_size: height and width, a number for both.

    Returns:
        uint8 (height, width, 1), and what was done, in words.

    Raises:
        InputError: for other photos, or where no ink is found.
    """
    size = height_and_width(image_size)
    photo = np.asarray(photo)
    if photo.ndim == 3 and photo.shape[-1] == 1:
        photo = photo[..., 0]
    if size is None or photo.dtype != np.uint8 or photo.ndim != 2 or not photo.size:
        raise InputError(f"photos are uint8 (H, W) or (H, W, 1), not {photo.dtype} {photo.shape}.")
    scale = max(1.0, max(photo.shape) / _WORKING)
    grey = np.asarray(_resized(photo, [round(side / scale) for side in photo.shape]), np.float32) / 255.0
    done = []
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if np.quantile(edge, 0.9) < _FAINT:
        ink = grey
    else:
        light = _paper(grey)
        darker, lighter = 1.0 - grey / np.maximum(light, 1 / 255), grey - light
        inverted = np.quantile(darker, 0.999) >= np.quantile(lighter, 0.999)
        ink = np.maximum(darker if inverted else lighter, 0.0)
        done += ["inverted", "light evened"] if inverted else ["light evened"]
    strokes, level = _strokes(ink)
    rows, columns = (np.flatnonzero(strokes.any(axis)) for axis in (1, 0))
    height, width = (span[-1] + 1 - span[0] for span in (rows, columns))
    drawing = round(_DRAWING * min(size))
    if not done and photo.shape == size and abs(max(height, width) - drawing) <= 0.1 * min(size):
        return photo[..., np.newaxis].copy(), "kept as it is"
    ink = np.where(ndimage.binary_dilation(strokes, iterations=2), ink, 0.0)
    ink = np.clip((ink / level - 0.5 * _FLOOR) / (1.0 - _FLOOR), 0.0, 1.0)
    done.append(f"cropped to {round(width * scale)} x {round(height * scale)}")

    shrink = drawing / max(height, width)
    # Distances from a stroke's pixels to the nearest outside are 1 to half its width: in the mean, width / 4 + 1 / 2.
    solid = np.pad(ink > 0.5, 1)
    stroke = max(1.0, 4.0 * ndimage.distance_transform_edt(solid)[solid].mean() - 2.0)
    thin = _STROKE * min(size) / shrink - stroke
    margin = 0
    if thin > 0.2 * stroke:
        # Grown as if drawn with a thicker pen; the crop grows with it, and what it is scaled by.
        margin = int(np.ceil(thin / 2))
        ink = np.pad(ink, margin + 1)
        distance = ndimage.distance_transform_edt(~(ink > 0.5))
        ink = np.maximum(ink, np.clip(thin / 2 + 1.0 - distance, 0.0, 1.0))
        rows, columns = rows + margin + 1, columns + margin + 1
        height, width = height + 2 * margin, width + 2 * margin
    part = ink[rows[0] - margin : rows[-1] + 1 + margin, columns[0] - margin : columns[-1] + 1 + margin]
    factor = drawing / max(height, width)
    small = _resized(part, [max(1, round(factor * side)) for side in part.shape])
    small = small / small.max()
    done.append(f"scaled to {drawing}")
    if margin:
        done.append(f"strokes thickened from {stroke * shrink:.1f} to {_STROKE * min(size):.1f} pixels")
    image = np.zeros(size, np.uint8)
    place = tuple(slice(start, start + side) for start, side in zip(_start(small, size), small.shape, strict=True))
    image[place] = np.rint(255.0 * small)
    return image[..., np.newaxis], ", ".join([*done, "centred"])


def _resized(image: np.ndarray, shape: list[int]) -> np.ndarray:
    """Averaged where it shrinks, so that thin strokes do not vanish."""
    shrinks = max(shape) < max(image.shape)
    kind = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize((max(1, shape[1]), max(1, shape[0])), kind))


def _paper(grey: np.ndarray) -> np.ndarray:
    """The paper's light at each pixel: a median keeps a shadow's edge where it is, and has no strokes."""
    scale = max(1.0, max(grey.shape) / _COARSE)
    coarse = _resized(grey, [round(side / scale) for side in grey.shape])
    window = min(_WINDOW, 2 * max(coarse.shape) // 3)
    return _resized(ndimage.median_filter(coarse, max(3, window), mode="nearest"), list(grey.shape))


def _strokes(ink: np.ndarray) -> tuple[np.ndarray, float]:
    """Where the drawing is (H, W), and how far its ink is from the paper; InputError if there is none."""
    smooth = ndimage.gaussian_filter(ink, max(ink.shape) / _WORKING)
    level = float(np.quantile(smooth, 0.999))
    noise = 1.4826 * float(np.median(np.abs(smooth - np.median(smooth))))  # of a normal distribution
    if level > max(_FAINT, _NOISE * noise):
        parts, count = ndimage.label(smooth > _FLOOR * level, np.ones((3, 3)))
        numbers = np.arange(1, count + 1)
        area = ndimage.sum_labels(np.ones_like(ink), parts, numbers)
        inky = ndimage.maximum(smooth, parts, numbers) > _CORE * level
        at_border = np.isin(numbers, np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
        inside = inky & ~at_border
        alone = area[inside].sum() <= 2 * _SPECK * area[inky].sum()
        kept = inky & (level > _SHADOW) if alone else inside
        kept &= area >= _SPECK * area[kept].sum()
        if kept.any():
            return np.isin(parts, numbers[kept]), level
    raise InputError("no ink is found on the paper: photograph dark strokes on light paper, near enough to be seen.")


def _start(small: np.ndarray, size: tuple[int, int]) -> list[int]:
    """The first row and column that put the centre of mass into the middle, all within the image."""
    centres = ndimage.center_of_mass(small)
    return [
        int(np.clip(round((whole - 1) / 2 - centre), 0, whole - side))
        for whole, centre, side in zip(size, centres, small.shape, strict=True)
    ]


def ink_note(images: np.ndarray) -> str | None:
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


def has_light_border(images: np.ndarray) -> bool:
    """Whether the outermost pixels of uint8 images (N, H, W, C) are, on average, light."""
    edges = (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1])
    return sum(edge.sum(dtype=np.int64) for edge in edges) > _LIGHT * sum(edge.size for edge in edges)
