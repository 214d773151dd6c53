"""Photos of pen on paper, made fit for models of strokes: light on black, evenly lit, centred, at a known size."""

import os
import pathlib

import numpy as np
from PIL import Image
from scipy import ndimage

from kerasinterp.data.folder import read_image, upright_size
from kerasinterp.errors import InputError

# A drawing's longer side, of an image's shorter one, as MNIST has it.
_DRAWING = 20 / 28
# Strokes thinner than this, of an image's shorter side, are thickened: printed and written digits have 2 to 3 of 28.
_STROKE = 2 / 28
_SMALLEST = 64  # pixels of the longer side: what is smaller is no photo, and evenly lit
_WORKING = 800  # pixels: a photo's longer side, to which larger ones are averaged first
_COARSE, _WINDOW = 160, 49  # pixels: the longer side at which the paper's light is looked for, and how far around
_FAINT = 0.1  # of the paper's light: what is no darker is no ink
_EVEN = 0.1  # of white: a border that varies less is evenly lit paper
_NOISE = 6.0  # standard deviations of the paper, below which nothing is ink
# Of the ink's darkness: nothing below counts, and a stroke has some pixel above. Shadows' edges have less.
_FLOOR, _CORE = 0.3, 0.6
_SHADOW = 0.5  # of the paper's light: at the photo's border, what is no darker may be the end of a shadow's edge
_SPECK = 0.01  # of all ink: smaller parts are dirt


def read_photo(path: str | os.PathLike, image_size: tuple[int, int]) -> tuple[np.ndarray, str]:
    """One file as `centred_ink` makes it fit, and what was done.

    Raises:
        InputError: as `read_image` and `centred_ink`.
    """
    path = pathlib.Path(path)
    read_image(path, 1, 1)  # whatever is wrong with the file is said by it
    with Image.open(path) as opened:
        size = upright_size(opened)
    try:
        return centred_ink(read_image(path, size, 1), image_size)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def centred_ink(image: np.ndarray, image_size: tuple[int, int]) -> tuple[np.ndarray, str]:
    """The ink of a picture, light on black, its longer side 20/28 of the result's, its box in the middle.

    The paper's light (the border's, or if that is uneven a wide median, which keeps a shadow's edge) is divided out,
    ink stretched to white and everything fainter set to black; specks are dropped, and what lies at the photo's border
    (a table, a page's edge) where there is ink elsewhere. What is left is cut out, thickened if its strokes would be
    thinner than 2 pixels of 28, scaled by averaging, and centred. What is light on black is not inverted, and a picture
    that is so already stays as it is.

    Args:
        image: uint8 (H, W, 1), of any size.
        image_size: height and width of the result.

    Returns:
        uint8 (height, width, 1), and what was done: "inverted, light evened, cropped to 310 x 280, scaled to 20,
        centred".

    Raises:
        InputError: there is no ink on it.
    """
    grey, scale = image[..., 0], max(1.0, max(image.shape) / _WORKING)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]) / 255.0
    small, done = max(grey.shape) < _SMALLEST, []
    if small and np.median(edge) > 0.5:
        grey = 255 - grey
        done.append("inverted")
    ink = np.asarray(_resized(grey, [round(side / scale) for side in grey.shape]), np.float32) / 255.0
    if photo := not small and np.quantile(edge, 0.9) > _FAINT:
        # In even light the border is the paper; a median would take the middle of a thick pen's strokes for it.
        even = np.ptp(np.quantile(edge, [0.05, 0.95])) < _EVEN
        light = np.full_like(ink, np.median(edge)) if even else _paper(ink)
        darker, lighter = 1.0 - ink / np.maximum(light, 1 / 255), ink - light
        inverted = np.quantile(darker, 0.999) >= np.quantile(lighter, 0.999)
        ink = np.maximum(darker if inverted else lighter, 0.0)
        done += ["inverted"] * bool(inverted) + ["light evened"] * (not even)
    strokes, level = _strokes(ink)
    rows, columns = (np.flatnonzero(strokes.any(axis)) for axis in (1, 0))
    height, width = (span[-1] + 1 - span[0] for span in (rows, columns))
    drawing = round(_DRAWING * min(image_size))
    like = grey.shape == tuple(image_size) and abs(max(height, width) - drawing) <= 0.1 * min(image_size)
    if like and not photo:
        return grey[..., np.newaxis].copy(), ", ".join([*done, "kept as it is"])
    ink = np.where(ndimage.binary_dilation(strokes, iterations=2), ink, 0.0)
    ink = np.clip((ink / level - 0.5 * _FLOOR) / (1.0 - _FLOOR), 0.0, 1.0)
    done.append(f"cropped to {round(width * scale)} x {round(height * scale)}")

    shrink = drawing / max(height, width)
    # Distances from a stroke's pixels to the nearest outside are 1 to half its width: in the mean, width / 4 + 1 / 2.
    solid = np.pad(ink > 0.5, 1)
    stroke = max(1.0, 4.0 * ndimage.distance_transform_edt(solid)[solid].mean() - 2.0)
    thin = _STROKE * min(image_size) / shrink - stroke
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
        done.append(f"strokes thickened from {stroke * shrink:.1f} to {_STROKE * min(image_size):.1f} pixels")
    made = np.zeros((*image_size, 1), np.uint8)
    top, left = ((whole - side) // 2 for whole, side in zip(image_size, small.shape, strict=True))
    made[top : top + small.shape[0], left : left + small.shape[1], 0] = np.rint(255.0 * small)
    return made, ", ".join([*done, "centred"])


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
    raise InputError("no ink is seen on this picture: give one of strokes that stand out from the paper.")
