"""Photos of pen on paper, made fit for models of strokes: light on black, evenly lit, centred, at a known size."""

import os
import pathlib

import numpy as np
from PIL import Image
from scipy import ndimage

from kerasinterp.data.folder import read_image
from kerasinterp.errors import InputError

_LONGEST = 480  # pixels of a photo's longer side that is worked on
_SHARE = 20 / 28  # of the longer side of the ink in the result, as in MNIST
_SMALLEST = 64  # pixels of the longer side: what is smaller is no photo, and evenly lit
_EVEN = 0.08  # of white: light that varies less is left as it is
_FAINTEST = 0.15  # of white: a weaker contrast is noise of the paper
_SPECK = 0.01  # of the ink: smaller parts are dirt
_THINNEST = 2.0 / 28  # of the result's side: thinner strokes are thickened; MNIST's are some 3 of 28
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)  # EXIF: those whose sides change places


def read_photo(path: str | os.PathLike, image_size: tuple[int, int]) -> tuple[np.ndarray, str]:
    """One file as `centred_ink` makes it fit, and what was done.

    Raises:
        InputError: as `read_image` and `centred_ink`.
    """
    path = pathlib.Path(path)
    read_image(path, 1, 1)  # whatever is wrong with the file is said by it
    with Image.open(path) as opened:
        width, height = opened.size
        if opened.getexif().get(_ORIENTATION) in _TURNED:
            width, height = height, width
    scale = min(1.0, _LONGEST / max(width, height))
    size = max(1, round(scale * height)), max(1, round(scale * width))
    try:
        return centred_ink(read_image(path, size, 1), image_size)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def centred_ink(image: np.ndarray, image_size: tuple[int, int]) -> tuple[np.ndarray, str]:
    """The ink of a picture, light on black, its longer side 20/28 of the result's, its box in the middle.

    In this order: dark on light is inverted; uneven light, shadows too, is subtracted; contrast is stretched from the
    paper's noise to the ink; specks are dropped; what is left is cut out, thickened if its strokes would be thinner
    than 2 pixels of 28, scaled by averaging, and centred. A picture that is so already stays nearly as it is.

    Args:
        image: uint8 (H, W, 1), of any size.
        image_size: height and width of the result.

    Returns:
        uint8 (height, width, 1), and what was done, in a few words: "inverted, light evened, scaled by 0.12, centred".

    Raises:
        InputError: there is no ink on it.
    """
    said = []
    grey = image[..., 0].astype(np.float64) / 255.0
    small = max(grey.shape) < _SMALLEST
    if _is_dark(grey, small):
        grey = 1.0 - grey
        said.append("inverted")
    if not small and np.ptp(light := _light(grey)) > _EVEN:
        grey = np.clip(grey - light, 0.0, None)
        said.append("light evened")
    low, high = _levels(grey)
    if high - low < _FAINTEST:
        raise InputError("no ink is seen on this picture: give one of strokes that stand out from the paper.")
    if low > 0.02 or high < 0.9:
        said.append("contrast stretched")
        grey = np.clip((grey - low) / (high - low), 0.0, 1.0)
    kept, specks = _without_specks(grey > 0.5)
    if specks:
        said.append("specks dropped")
    near = ndimage.binary_dilation(kept, iterations=2)  # with the grey edges of strokes
    grey = np.where(near, grey, 0.0)
    rows, columns = (np.flatnonzero(kept.any(axis=axis)) for axis in (1, 0))
    edge = 1 if min(kept.shape) > 40 else 0
    box = np.s_[max(0, rows[0] - edge) : rows[-1] + 1 + edge, max(0, columns[0] - edge) : columns[-1] + 1 + edge]
    return _placed(grey[box], kept[box], image_size, said)


def _is_dark(grey: np.ndarray, small: bool) -> bool:
    """Whether the ink is darker than the paper about it; of a small picture, whether its border is light."""
    if small:
        return float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))) > 0.5
    shrunk, size = _shrunk(grey)
    # Strokes cover less than half of what is about them, so the median is the paper there; it keeps a shadow's edge.
    about = shrunk - ndimage.median_filter(shrunk, size)
    return -about.min() > about.max()


def _light(grey: np.ndarray) -> np.ndarray:
    """The paper under light ink, in its full size: what is wider than strokes are."""
    shrunk, size = _shrunk(grey)
    smooth = ndimage.gaussian_filter(ndimage.grey_opening(shrunk, size), size / 8)
    return ndimage.zoom(smooth, [n / m for n, m in zip(grey.shape, smooth.shape, strict=True)], order=1)


def _shrunk(grey: np.ndarray) -> tuple[np.ndarray, int]:
    """Some 96 pixels long, without noise, and a length there that no stroke is as wide as."""
    step = max(1, max(grey.shape) // 96)
    small = ndimage.uniform_filter(grey, step)[step // 2 :: step, step // 2 :: step]
    return small, max(3, max(small.shape) // 5)


def _levels(grey: np.ndarray) -> tuple[float, float]:
    """Of the paper, with its noise, and of the ink."""
    middle = np.median(grey)
    noise = 1.4826 * np.median(np.abs(grey - middle))  # the deviation, of normal noise
    low = middle + 4.0 * noise
    above = grey[grey > low + 0.5 * max(0.0, grey.max() - low)]
    return float(low), float(np.median(above)) if above.size else float(low)


def _without_specks(mask: np.ndarray) -> tuple[np.ndarray, bool]:
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    sizes = ndimage.sum_labels(mask, parts, np.arange(1, count + 1))
    large = sizes >= max(1.0, _SPECK * sizes.sum())
    return np.isin(parts, 1 + np.flatnonzero(large)), not large.all()


def _placed(ink: np.ndarray, mask: np.ndarray, image_size: tuple[int, int], said: list[str]) -> tuple[np.ndarray, str]:
    side = min(image_size)
    scale = _SHARE * side / max(ink.shape)
    # A bar's pixels lie, in the mean, a quarter of its width from its edge.
    width = 4.0 * ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1][mask].mean() * scale
    if (missing := round((_THINNEST * side - width) / scale)) > 0:
        margin = missing // 2 + 1
        ink = ndimage.grey_dilation(np.pad(ink, margin), footprint=_disc(missing / 2))
        scale = _SHARE * side / max(ink.shape)
        said.append("strokes thickened")
    size = [max(1, round(scale * length)) for length in ink.shape]
    if ink.shape != tuple(size):
        kind = Image.Resampling.BOX if scale < 1.0 else Image.Resampling.BICUBIC
        drawn = Image.fromarray((255.0 * ink).astype(np.float32), mode="F").resize(size[::-1], kind)
        ink = np.clip(np.asarray(drawn) / 255.0, 0.0, 1.0)
        said.append(f"scaled by {scale:.2g}")
    made = np.zeros((*image_size, 1), np.uint8)
    top, left = ((whole - part) // 2 for whole, part in zip(image_size, ink.shape, strict=True))
    made[top : top + ink.shape[0], left : left + ink.shape[1], 0] = np.rint(255.0 * ink)
    return made, ", ".join([*said, "centred"])


def _disc(radius: float) -> np.ndarray:
    reach = int(np.ceil(radius))
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return x**2 + y**2 <= (radius + 0.25) ** 2
