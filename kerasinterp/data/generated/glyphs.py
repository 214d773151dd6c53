"""Glyphs: digits and letters rendered from the TrueType fonts that matplotlib carries; needs no download.

MNIST's form: 28 x 28, white on black, the longer side 20 pixels, centred. Each character comes in 24 faces, up to four
stroke weights and three widths; the faces for testing are none of those for training.
"""

import dataclasses
import functools
import pathlib
import string
from collections.abc import Iterator

import matplotlib
import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, ImageFont
from scipy import ndimage

from kerasinterp.data.convert import png_file

SIZE = 28  # pixels, as MNIST
WEIGHTS = {"thin": -0.6, "regular": 0.0, "heavy": 0.6, "black": 1.1}  # pixels added on each side of a stroke
WIDTHS = {"narrow": 0.75, "normal": 1.0, "wide": 1.3}  # horizontal stretch
# Letters that in some face are a digit, or nearly: D O Q o = 0, I i l = 1, Z z = 2, S s = 5, G b = 6, B = 8, g q = 9.
DIGIT_LIKE_LETTERS = "BDGIOQSZbgiloqsz"
# The other letters, for figures on classes that are no digits.
LETTERS = "".join(letter for letter in string.ascii_letters if letter not in DIGIT_LIKE_LETTERS)
# Capitals that, at the same size, are their small letters: all but a few confusions of classifiers are of these.
ALIKE = "CVWX"

_LONGER_SIDE = 20  # pixels, as MNIST
_SCALE = 4  # drawn so many times larger than the result, then averaged
_FOUR, _EIGHT = ndimage.generate_binary_structure(2, 1), ndimage.generate_binary_structure(2, 2)  # neighbours


@dataclasses.dataclass(frozen=True)
class _Face:
    """One alphabet of a font: where its digits, capitals and small letters begin."""

    name: str
    font: str
    digits: int = ord("0")
    capitals: int = ord("A")
    small: int = ord("a")

    def glyph(self, character: str) -> str:
        first, start = next(
            (first, start)
            for first, start in (("a", self.small), ("A", self.capitals), ("0", self.digits))
            if character >= first
        )
        return chr(start + ord(character) - ord(first))


_FACES = (
    *(_Face(f"DejaVuSans{style}", f"DejaVuSans{style}") for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(_Face(f"DejaVuSansMono{style}", f"DejaVuSansMono{style}") for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(_Face(f"DejaVuSerif{style}", f"DejaVuSerif{style}") for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(_Face(f"STIXGeneral{style}", f"STIXGeneral{style}") for style in ("", "Bol", "Italic", "BolIta")),
    # Unicode's mathematical alphabets
    _Face("STIX-Sans", "STIXGeneral", 0x1D7E2, 0x1D5A0, 0x1D5BA),
    _Face("STIX-SansBold", "STIXGeneral", 0x1D7EC, 0x1D5D4, 0x1D5EE),
    _Face("STIX-Monospace", "STIXGeneral", 0x1D7F6, 0x1D670, 0x1D68A),
    *(_Face(font, font) for font in ("cmr10", "cmb10", "cmss10", "cmtt10", "cmmi10")),
)
_TEST_FACES = ("DejaVuSans-Oblique", "DejaVuSerif-Bold", "STIXGeneralItalic", "STIX-Monospace", "cmss10")

# Digits of other scripts: first sign, how many, and the fonts that have them. Left out are zeros (a dot or a ring) and
# those of the extended Arabic-Indic digits that are drawn like the Arabic-Indic ones.
_ARABIC_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSansMono-Bold")
_SCRIPTS = {
    "arabic-indic": (0x661, 9, _ARABIC_FONTS),
    "extended-arabic-indic": (0x6F4, 3, _ARABIC_FONTS),
    "nko": (0x7C1, 9, ("DejaVuSans", "DejaVuSans-Bold")),
    "lao": (0xED1, 9, ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique")),
}
_SCRIPT_LABELS = {
    chr(first + n): f"{script}-{n + (4 if script.startswith('extended') else 1)}"
    for script, (first, count, _) in _SCRIPTS.items()
    for n in range(count)
}


class Glyphs(tfds.core.GeneratorBasedBuilder):
    """Digits and letters rendered from the TrueType fonts that matplotlib carries, in MNIST's form.

    Splits: `digits` and `letters` in 19 faces, `digits_test` and `letters_test` in five others, and `more_digits`, the
    digits of four other scripts. Features: `image` uint8 (28, 28, 1), and the class labels `label` (the character, or
    script and number), `font`, `weight` and `width`.
    """

    VERSION = tfds.core.Version("1.1.0")

    def _info(self) -> tfds.core.DatasetInfo:
        labels = [*string.digits, *string.ascii_letters, *_SCRIPT_LABELS.values()]
        return tfds.core.DatasetInfo(
            builder=self,
            description=__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIZE, SIZE, 1), encoding_format="png"),
                    "label": tfds.features.ClassLabel(names=labels),
                    "font": tfds.features.ClassLabel(names=[face.name for face in _FACES]),
                    "weight": tfds.features.ClassLabel(names=list(WEIGHTS)),
                    "width": tfds.features.ClassLabel(names=list(WIDTHS)),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        return {
            "digits": self._generate_examples(string.digits, test=False),
            "letters": self._generate_examples(string.ascii_letters, test=False),
            "digits_test": self._generate_examples(string.digits, test=True),
            "letters_test": self._generate_examples(string.ascii_letters, test=True),
            "more_digits": self._generate_scripts(),
        }

    def _generate_examples(self, characters: str, test: bool) -> Iterator[tuple[str, dict]]:
        for face in _FACES:
            if (face.name in _TEST_FACES) == test:
                for character in characters:
                    yield from _examples(face, face.glyph(character), character)

    def _generate_scripts(self) -> Iterator[tuple[str, dict]]:
        for first, count, fonts in _SCRIPTS.values():
            for face in (face for face in _FACES if face.name in fonts):
                for glyph in map(chr, range(first, first + count)):
                    yield from _examples(face, glyph, _SCRIPT_LABELS[glyph])


def without_case(labels: np.ndarray) -> np.ndarray:
    """Labels of letters, the capitals in `ALIKE` as their small letters."""
    names = [*string.digits, *string.ascii_letters]
    return np.where(np.isin(labels, [names.index(letter) for letter in ALIKE]), labels - 26, labels)


def render(font: str, character: str, width: float = 1.0) -> dict[str, np.ndarray]:
    """One glyph in all its stroke weights.

    A stroke is thinned or thickened only as far as no part of the glyph is lost or joined and no counter (the hole of
    an `o`) opens or fills. A weight that is then no different from another one is left out.

    Args:
        font: the name of one of matplotlib's TrueType files, without its ending.
        character: one character.
        width: horizontal stretch.

    Returns:
        Images uint8 (28, 28) by the weight's name.
    """
    mask = _font(font).getmask(character, mode="L")
    drawn = Image.frombytes("L", mask.size, bytes(mask))
    drawn = drawn.crop(drawn.getbbox())
    # To its final size first, so that strokes gain as much in every glyph.
    scale = _LONGER_SIDE * _SCALE / max(width * drawn.width, drawn.height)
    size = [max(1, round(scale * side)) for side in (width * drawn.width, drawn.height)]
    drawn = drawn.resize(size, Image.Resampling.BICUBIC)
    # Only as much of the background as strokes can grow into, which saves half the time.
    margin = round(1.5 * max(WEIGHTS.values()) * _SCALE)
    canvas = Image.new("L", (drawn.width + 2 * margin, drawn.height + 2 * margin))
    canvas.paste(drawn, (margin, margin))
    inside = np.asarray(canvas) > 127
    # Distance to the outline in the result's pixels, positive inside.
    distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    distance = (distance - 0.5 * np.sign(distance)) / _SCALE
    parts = _parts(inside)
    images, strokes = {}, []
    for name, stroke in WEIGHTS.items():
        while abs(stroke) > 0.2 and _parts(distance > -stroke) != parts:
            stroke -= 0.2 * np.sign(stroke)
        if name != "regular" and any(abs(stroke - other) < 0.25 for other in (0.0, *strokes)):
            continue
        strokes.append(stroke)
        if stroke:
            # Grey within half a fine pixel of the outline.
            grown = np.clip((distance + stroke) * _SCALE + 0.5, 0.0, 1.0)
            images[name] = _shrunk(Image.fromarray(np.rint(255 * grown).astype(np.uint8)))
        else:
            images[name] = _shrunk(canvas)
    return images


def _examples(face: _Face, glyph: str, label: str) -> Iterator[tuple[str, dict]]:
    return examples(face.font, glyph, f"{face.name} {label}", label=label, font=face.name)


def examples(font: str, character: str, key: str, /, **features: str) -> Iterator[tuple[str, dict]]:
    """One glyph in all its widths and stroke weights, as TFDS takes it, with these `features` more."""
    for width, stretch in WIDTHS.items():
        for weight, image in render(font, character, stretch).items():
            yield f"{key} {weight} {width}", {"image": png_file(image), "weight": weight, "width": width, **features}


def _shrunk(large: Image.Image) -> np.ndarray:
    """Centred on the canvas and averaged to uint8 (28, 28)."""
    canvas = Image.new("L", (SIZE * _SCALE, SIZE * _SCALE))
    canvas.paste(large, ((canvas.width - large.width) // 2, (canvas.height - large.height) // 2))
    return np.asarray(canvas.reduce(_SCALE))


def _parts(mask: np.ndarray) -> tuple[int, int]:
    """How many connected parts the shape has, and how many its background (which meets only edge to edge)."""
    return ndimage.label(mask, _EIGHT)[1], ndimage.label(~mask, _FOUR)[1]


@functools.cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    path = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")
    # The basic layout: the other one depends on a library that may be missing, and so would the pixels.
    return ImageFont.truetype(str(path), 8 * _LONGER_SIDE, layout_engine=ImageFont.Layout.BASIC)
