"""The paper that pictures are drawn on, and the one way they are written."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kerasinterp.data.convert import to_uint8
from kerasinterp.data.marks import marking
from kerasinterp.errors import InputError
from kerasinterp.files import written_whole

_PAPER, _INK, _SEED = (255, 255, 255), (32, 32, 32), (214, 96, 0)  # the frame of a seed image is orange
TILE = 72  # images smaller than this are enlarged by a whole factor to at least it
_MOST_PIXELS = 2 * 89_478_485  # of a larger picture Pillow thinks that it is an attack (MAX_IMAGE_PIXELS)


def most_images(image_shape: tuple[int, int, int]) -> int:
    """How many images of shape (H, W, C) an overview shows at most: 1,024, or those that fit into a quarter picture."""
    sheet = Sheet(image_shape, scale=None)
    return max(1, min(1024, _MOST_PIXELS // 4 // (sheet.step_x * sheet.step_y)))


class Sheet:
    """Measures of a picture of equal images."""

    def __init__(self, image_shape: tuple[int, int, int], scale: int | None, tile: int = TILE):
        height, width, _ = image_shape
        if scale is not None and scale < 1:
            raise InputError(f"scale is {scale}: give a whole factor of at least 1.")
        self.scale = scale or max(1, -(-tile // min(height, width)))
        self.tile_x, self.tile_y = width * self.scale, height * self.scale
        self.gap = max(2, self.tile_x // 24)
        self.step_x, self.step_y = self.tile_x + self.gap, self.tile_y + self.gap
        size = max(11, min(self.tile_y // 3, 32))
        self.font = ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)
        self.line_height = 2 * size

    def text_width(self, texts: Sequence[str] | Mapping[str, object], margin: int | None = None) -> int:
        margin = 4 * self.gap if margin is None else margin
        return max(int(np.ceil(self.font.getlength(text))) for text in texts) + margin

    def render(self, image: np.ndarray) -> Image.Image:
        pixels = to_uint8(image)
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        return picture.resize((self.tile_x, self.tile_y), Image.Resampling.NEAREST)

    def canvas(self, width: int, height: int) -> "Canvas":
        return Canvas(self, width, height)


class Canvas:
    """A picture in the making; positions count from inside its margin."""

    def __init__(self, sheet: Sheet, width: int, height: int):
        self.sheet, self.margin = sheet, 3 * sheet.gap
        width, height = width + 2 * self.margin, height + 2 * self.margin
        if width * height > _MOST_PIXELS:
            raise InputError(f"the picture would have {width} x {height} pixels: draw fewer or smaller images.")
        self.picture = Image.new("RGB", (width, height), _PAPER)
        self.draw = ImageDraw.Draw(self.picture)

    def image(self, image: np.ndarray, x: int, y: int, framed: bool = False) -> None:
        x, y = x + self.margin, y + self.margin
        if framed:
            edge = max(1, self.sheet.gap - 1)
            corner = (x + self.sheet.tile_x + edge - 1, y + self.sheet.tile_y + edge - 1)
            self.draw.rectangle((x - edge, y - edge, *corner), fill=_SEED)
        self.picture.paste(self.sheet.render(image), (x, y))

    def row(self, images: np.ndarray, x: int, y: int, framed: bool = False) -> None:
        for column, image in enumerate(images):
            self.image(image, x + column * self.sheet.step_x, y, framed)

    def row_label(self, text: str, left: int, y: int) -> None:
        position = (self.margin + left - 4 * self.sheet.gap, self.margin + y + self.sheet.tile_y // 2)
        self.draw.text(position, text, fill=_INK, font=self.sheet.font, anchor="rm")

    def heading(self, text: str, x: int, width: int, y: int = 0) -> None:
        position = (self.margin + x + width // 2, self.margin + y + self.sheet.line_height // 2 - self.sheet.gap)
        self.draw.text(position, text, fill=_INK, font=self.sheet.font, anchor="mm")


def write_picture(path: str | os.PathLike, picture: Image.Image, kind: str = "PNG", **options: object) -> Path:
    """As `write`, with the mark of pictures for people, so that nobody learns from it."""
    return write(path, picture, kind, **options, **marking(kind))


def write(path: str | os.PathLike, picture: Image.Image, kind: str = "PNG", **options: object) -> Path:
    path = Path(path)
    suffix = f".{kind.lower()}"
    if path.suffix.lower() != suffix:
        raise InputError(f"{path} does not end in {suffix}: name the file so.")
    with written_whole(path) as partial:
        picture.save(partial, format=kind, **options)
    return path
