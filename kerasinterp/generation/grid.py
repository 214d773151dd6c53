"""Pictures for people: grids in the paper's layout as PNG, paths as animated GIF."""

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
from kerasinterp.generation.checks import as_images, as_pairs
from kerasinterp.generation.interpolate import interpolate, pixel_fade
from kerasinterp.objectives import Objective

_PAPER, _INK, _SEED = (255, 255, 255), (32, 32, 32), (214, 96, 0)  # the frame of a seed image is orange
_TILE = 72  # images smaller than this are enlarged by a whole factor to at least it


def save_grid(
    path: str | os.PathLike,
    rows: Sequence[np.ndarray],
    labels: Sequence[str] | None = None,
    *,
    scale: int | None = None,
) -> Path:
    """Writes images as a PNG, one list a row.

    Args:
        path: a file ending in `.png`; its directory is made.
        rows: arrays (N, H, W, C), float in [-1, 1] or uint8; N may differ from row to row, (H, W, C) may not.
        labels: a text to the left of each row.
        scale: a whole factor of enlargement (pixels repeated); by default small images grow to about 72 pixels.

    Returns:
        The path.

    Raises:
        InputError: no rows, rows of different image shapes, a number of labels other than rows, another file type.
        OSError: the file cannot be written; a picture that was there before stays.
    """
    rows = [as_images(row, name="images of a row") for row in rows]
    if not rows:
        raise InputError("there are no rows to draw.")
    if labels is not None and len(labels) != len(rows):
        raise InputError(f"{len(labels)} labels for {len(rows)} rows: give one a row.")
    if len({row.shape[1:] for row in rows}) > 1:
        raise InputError("the rows hold images of different shapes: draw them in separate grids.")
    sheet = _Sheet(rows[0].shape[1:], scale)
    left = sheet.text_width(labels) if labels else 0
    width = left + max(map(len, rows)) * sheet.step_x - sheet.gap
    canvas = sheet.canvas(width, len(rows) * sheet.step_y - sheet.gap)
    for r, row in enumerate(rows):
        y = r * sheet.step_y
        if labels:
            canvas.row_label(labels[r], left, y)
        canvas.row(row, left, y)
    return _write_png(path, canvas.picture)


def save_interpolations(
    path: str | os.PathLike,
    seeds_a: object,
    seeds_b: object,
    models: Mapping[str, Objective],
    steps: int = 9,
    *,
    columns: int | None = None,
    fade: bool = True,
    scale: int | None = None,
) -> Path:
    """Draws interpolations in the paper's layout: the seeds at the ends, pixel fade and each model as a row between.

    Args:
        path: a file ending in `.png`; its directory is made.
        seeds_a, seeds_b: the ends of the paths (N, H, W, C), float in [-1, 1] or uint8: a block a pair.
        models: by row label, in the order of the rows.
        steps: images between the seeds, evenly spaced, the ends left out (alpha = 1/(steps+1), 2/(steps+1), ...).
        columns: blocks side by side; by default two from five pairs on.
        fade: draw the pixel fade as the first row.
        scale: as in `save_grid`.

    Returns:
        The path.

    Raises:
        InputError: as `interpolate`; `steps` or `columns` below 1; nothing to draw; another file type.
        OSError: as `save_grid`.

    Source: AugIntAE figures 5 and 15 to 22.
    """
    a, b = as_pairs(seeds_a, seeds_b, name="seeds")
    columns = columns if columns is not None else (1 if len(a) < 5 else 2)
    if steps < 1 or columns < 1:
        raise InputError(f"steps and columns must be at least 1, got {steps} and {columns}.")
    alphas = np.arange(1, steps + 1, dtype=np.float32) / (steps + 1)
    paths = {"pixel fade": pixel_fade(a, b, alphas)} if fade else {}
    paths |= {label: interpolate(model, a, b, alphas) for label, model in models.items()}
    if not paths:
        raise InputError("there is no row to draw: give a model, or fade=True.")

    sheet = _Sheet(a.shape[1:], scale)
    columns = min(columns, len(a))
    left, between = sheet.text_width(paths), 5 * sheet.gap
    aside = 4 * between
    end = sheet.step_x + 2 * sheet.gap  # a seed stands off a little from its path
    block_width = 2 * end + steps * sheet.step_x - sheet.gap
    block_height = len(paths) * sheet.step_y - sheet.gap
    lines = -(-len(a) // columns)
    canvas = sheet.canvas(left + columns * (block_width + aside) - aside, lines * (block_height + between) - between)
    for pair in range(len(a)):
        x = left + pair % columns * (block_width + aside)
        top = pair // columns * (block_height + between)
        middle = top + (block_height - sheet.tile_y) // 2
        canvas.image(a[pair], x, middle, framed=True)
        canvas.image(b[pair], x + block_width - sheet.tile_x, middle, framed=True)
        for r, (label, images) in enumerate(paths.items()):
            y = top + r * sheet.step_y
            if pair % columns == 0:
                canvas.row_label(label, left, y)
            canvas.row(images[pair], x + end, y)
    return _write_png(path, canvas.picture)


def save_few_shot(
    path: str | os.PathLike, seeds: object, generated: Mapping[str, object], *, scale: int | None = None
) -> Path:
    """Draws few-shot generation: the seeds to the left, then what each model made of them, a panel each.

    Args:
        path: a file ending in `.png`; its directory is made.
        seeds: one set of seed images (S, H, W, C), or several sets (K, S, H, W, C), which are drawn a row each.
        generated: by heading, images (n, H, W, C) for one set, or (K, n, H, W, C) for several.
        scale: as in `save_grid`.

    Returns:
        The path.

    Raises:
        InputError: no images, images of different shapes, sets that differ in number, another file type.
        OSError: as `save_grid`.

    Source: AugIntAE figures 6, 7 and 9.
    """
    if not generated:
        raise InputError("there are no generated images to draw.")
    if "seeds" in generated:
        raise InputError("the heading 'seeds' is taken: name the generated images otherwise.")
    panels = {"seeds": seeds, **generated}
    ranks = {np.ndim(images) for images in panels.values()}
    if ranks == {5}:
        rows = {heading: [as_images(row, name=heading) for row in images] for heading, images in panels.items()}
        if len({len(panel) for panel in rows.values()}) > 1:
            raise InputError("seeds and images hold different numbers of sets: give one of each for every set.")
    elif ranks == {4}:
        height = max(1, round(max(len(images) for images in generated.values()) ** 0.5))
        rows = {heading: _wrap(as_images(images, name=heading), height) for heading, images in panels.items()}
    else:
        raise InputError("give seeds and images as (n, H, W, C) each, or as (sets, n, H, W, C) each.")
    shapes = {row.shape[1:] for panel in rows.values() for row in panel}
    if len(shapes) > 1:
        raise InputError("seeds and images have different shapes: draw images of one shape.")

    sheet = _Sheet(shapes.pop(), scale)
    between, top = 5 * sheet.gap, sheet.line_height
    widths = {
        heading: max(max(map(len, panel)) * sheet.step_x - sheet.gap, sheet.text_width([heading], margin=0))
        for heading, panel in rows.items()
    }
    height = top + max(map(len, rows.values())) * sheet.step_y - sheet.gap
    canvas = sheet.canvas(sum(widths.values()) + between * (len(widths) - 1), height)
    x = 0
    for heading, panel in rows.items():
        canvas.heading(heading, x, widths[heading])
        for r, row in enumerate(panel):
            canvas.row(row, x, top + r * sheet.step_y, framed=heading == "seeds")
        x += widths[heading] + between
    return _write_png(path, canvas.picture)


def save_gif(path: str | os.PathLike, frames: object, fps: float = 15.0, *, scale: int | None = None) -> Path:
    """Writes frames as an endless animation that runs to the end and back.

    Args:
        path: a file ending in `.gif`; its directory is made.
        frames: (T, H, W, C), float in [-1, 1] or uint8. Grey levels are kept; colours are reduced to 256.
        fps: frames a second, 1 to 50 (GIF counts time in hundredths of a second).
        scale: as in `save_grid`; by default small images grow to about 144 pixels.

    Returns:
        The path.

    Raises:
        InputError: frames of a wrong shape or range, `fps` out of range, another file type.
        OSError: as `save_grid`.
    """
    frames = as_images(frames, name="frames")
    if not 1 <= fps <= 50:
        raise InputError(f"fps is {fps:g}: give 1 to 50 frames a second.")
    sheet = _Sheet(frames.shape[1:], scale, tile=2 * _TILE)
    images = [sheet.render(frame) for frame in frames]
    images += images[-2:0:-1]
    duration = round(100 / fps) * 10
    options = {"save_all": True, "append_images": images[1:], "duration": duration, "loop": 0}
    return _write(path, images[0], "GIF", **options, **marking("GIF"))


def save_images(directory: str | os.PathLike, images: object, prefix: str = "generated") -> list[Path]:
    """Writes each image as a PNG of its own size: `PREFIX_0000.png`, `PREFIX_0001.png`, ...

    Args:
        directory: made if it is missing; files of the same names are replaced.
        images: (N, H, W, C), float in [-1, 1] or uint8.
        prefix: the start of the names.

    Returns:
        The paths, in order.

    Raises:
        InputError: images of a wrong shape or range.
        OSError: the directory cannot be written.
    """
    images = as_images(images)
    sheet, digits = _Sheet(images.shape[1:], scale=1), max(4, len(str(len(images) - 1)))
    return [
        _write(Path(directory, f"{prefix}_{number:0{digits}}.png"), sheet.render(image), "PNG")
        for number, image in enumerate(images)
    ]


class _Sheet:
    """Measures of a picture of equal images."""

    def __init__(self, image_shape: tuple[int, int, int], scale: int | None, tile: int = _TILE):
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

    def canvas(self, width: int, height: int) -> "_Canvas":
        return _Canvas(self, width, height)


class _Canvas:
    """A picture in the making; positions count from inside its margin."""

    def __init__(self, sheet: _Sheet, width: int, height: int):
        self.sheet, self.margin = sheet, 3 * sheet.gap
        self.picture = Image.new("RGB", (width + 2 * self.margin, height + 2 * self.margin), _PAPER)
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


def _wrap(images: np.ndarray, rows: int) -> list[np.ndarray]:
    columns = -(-len(images) // rows)
    return [images[start : start + columns] for start in range(0, len(images), columns)]


def _write_png(path: str | os.PathLike, picture: Image.Image) -> Path:
    return _write(path, picture, "PNG", **marking("PNG"))


def _write(path: str | os.PathLike, picture: Image.Image, kind: str, **options: object) -> Path:
    path = Path(path)
    suffix = f".{kind.lower()}"
    if path.suffix.lower() != suffix:
        raise InputError(f"{path} does not end in {suffix}: name the file so.")
    with written_whole(path) as partial:
        picture.save(partial, format=kind, **options)
    return path
