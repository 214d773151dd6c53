"""Glyphs of many scripts, neither Latin letters nor digits, from the TrueType fonts that matplotlib carries.

As `glyphs`, of which this is a dataset of its own, since TFDS makes all splits of a dataset at once.
"""

import unicodedata
from collections.abc import Iterator

import tensorflow_datasets as tfds

from kerasinterp.data.generated.glyphs import SIZE, WEIGHTS, WIDTHS, examples

_STYLES = ("", "-Bold", "-Oblique", "-BoldOblique")
_SANS = tuple(f"DejaVuSans{style}" for style in _STYLES)
_MONO = tuple(f"DejaVuSansMono{style}" for style in _STYLES)
_SERIF, _SERIF_ITALIC = ("DejaVuSerif", "DejaVuSerif-Bold"), ("DejaVuSerif-Italic", "DejaVuSerif-BoldItalic")
_STIX, _STIX_ITALIC = ("STIXGeneral", "STIXGeneralBol"), ("STIXGeneralItalic", "STIXGeneralBolIta")
_UPRIGHT, _ITALIC = _SANS + _MONO + _SERIF + _STIX, _SERIF_ITALIC + _STIX_ITALIC

# Script, the fonts that have all of its signs, and these, as Unicode's numbers in hexadecimal. They are chosen by the
# correlation of blurred images (standard deviation 1 pixel), the greatest over pairs of faces, in the mean over the
# sign's own: from every Latin letter and digit (of all of `glyphs`' faces) and every sign for testing, signs have below
# 0.9, from each other below 0.92 (different Latin letters reach 0.97); what still looked like a Latin letter was taken
# out by eye. Signs for testing have below 0.9 from Latin letters and digits. What Unicode composes is left out.
_TRAINING = (
    ("cyrillic", _UPRIGHT, "402 409-40b 414 416 41b 42a 42b 42d-42f 452 45f 463"),
    ("cyrillic", _SANS + _MONO + _SERIF, "496 498 4a4 4c4 4c8 4cb 4f6"),
    ("cyrillic", _SANS + _SERIF, "464 46a 46c 470 4a6 4b4 513 514"),
    ("cyrillic", _SANS, "466 468 46e 47a 47c 47e 48a 4a8 4be 4c5 4fb 4fc 502 504 506 50b 516 520 524"),
    ("greek", _UPRIGHT + _ITALIC, "3a3 3b2 3b6 3bb 3be 3c2 3c8 3c9 3de-3e1"),
    ("coptic", _SANS, "3e2 3e6 3e7"),
    ("hebrew", _SANS, "5d1 5d2 5dc 5e2 5e6 5e7 5e9 5ea"),
    (
        "arabic",
        _SANS[:2] + _MONO[:2],
        "621 628 62a 62b 62e-634 637 639 63a 640-646 648-64a 686 691 6a4 6a9 6be",
    ),
    (
        "arabic",
        _SANS[:2],
        "67c 688 689 68b 693 695 6a1 6a2 6a5 6aa 6ae 6b0 6b2 6b3 6b8-6ba 6c6 6ce 6d0 fe86 fe88 "
        "fe8a-fe8c fe90-fe92 fe94 fe96-fe98 fe9a fe9f fea0 fea3 fea4 fea7 fea8 feaa feac feae "
        "feb0 feb3 feb7 feb8 febf fec4 feca-fecc fece-fed0 fed6 feda fedb fede fee2 fee3 fee6 "
        "feea feee fef0 fef2",
    ),
    ("tifinagh", _SANS[:2], "2d3e 2d3f 2d43 2d44 2d46 2d4b 2d50 2d52 2d57 2d58 2d62 2d63"),
    ("nko", _SANS[:2], "7cd 7cf 7d1 7d2 7d4 7d6 7dd 7de 7e2"),
    ("lao", _SANS, "e84 e8d e95 e96 e99 e9c e9d ea1 ea2 ea5 eaa eab eaf eb0 ec0-ec4 ec6 edc"),
    (
        "canadian",
        _SANS,
        "1405 1406 140a-140e 1410-1415 1417 1419 141a 142b 142c 142e 143d 14c0 14c1 14c5 14c9 "
        "14cc-14ce 14d3-14d6 14d8 14da 14db 14dd 14de 14e0 14e2-14e9 14ec-14ef 14f5-14fb 1502 "
        "1503 1510 1512 1514 1516-1520 1526-1528 152a 152b 152d-1531 1533-153c 1542 1547 1549 "
        "154b 154c 154e 154f 1552 1559 1565 1568 1569 1574 1576-1578 157a 157e 158b 158d-158f "
        "1591-1593 1595 1596 15a0 15a2-15a4 1647 166f-1671 1673 1675",
    ),
    ("ogham", _SANS[:2], "1682 1683 1687 1688 168b-168d 1690 1696 169b 169c"),
    ("old-italic", _SANS, "10302 10304 1030b-1030d 10312 10316 10323"),
    ("lisu", _SANS, "a4d8 a4de a4e4 a4f6"),
    ("phonetic", _SANS + _SERIF, "188 1ba 241 242 25a 26e 290 29e 2ad 1d12 1d16"),
    (
        "operators",
        _SANS,
        "2196-2199 21ab 21ac 21b0 21b1 21b3-21bd 21c4 21cc 21d6-21d9 21e0-21e3 21e6-21e9 21f1 "
        "21f2 2213 2214 221a 2222 222c 2234 2235 2237-223a 223e 2242 2243 2245 2247 224d 224f "
        "2250 2252 2253 2257 2263-2267 226a 226b 226e 226f 2274 2276 2277 227c 227d 2284-2287 "
        "228a 228b 229a 229e 22a2 22a3 22a8-22aa 22ac-22ae 22b0 22b9 22be 22bf 22c9-22cd "
        "22db-22dd 22e9 22ed 22ef-22f2 22f5 22fa 22fb",
    ),
    (
        "symbols",
        _SANS,
        "2600 2602 2604 2606 2608 260a 260d 2612 2614-2616 2618 261c-261f 2623 262a 262d 262f "
        "2630 263c 263d 263f 2642 2643 2648 2649 264b-264f 2651 2656 2658 2659 2661 2664 2667 "
        "2668 266a-266e 2677 267e 267f 2691-2693 2696-2698 269a 26a0 26a1 26a3-26a5 26a9 2702 "
        "2706 2707 2709 270d 2720 2727 2729 272f 2740 274f 2766 276c",
    ),
)
_TEST = (
    (
        "armenian",
        _SANS + _MONO + _SERIF + _SERIF_ITALIC,
        "534-539 53b 53d-541 543 544 546 547 54a 54c 54e 552-554 556 56b 56d 56f 571 574 579-57b 57e 583 586",
    ),
    ("georgian", _SANS + _MONO + _SERIF + _SERIF_ITALIC, "10d0 10d3 10d9 10da 10dd 10e0 10e2-10e5 10ed 10ef"),
    (
        "georgian",
        _SANS + _SERIF + _SERIF_ITALIC,
        "10a1 10a2 10a4 10a5 10a7-10ab 10ae-10b0 10b2 10b4 10b5 10bc 10bf 10c2-10c5",
    ),
)


def _signs(ranges: str) -> list[str]:
    """The characters of `402 409-40b`, say."""
    bounds = [[int(bound, 16) for bound in part.split("-")] for part in ranges.split()]
    return [chr(code) for part in bounds for code in range(part[0], part[-1] + 1)]


def name(sign: str) -> str:
    """The label of a sign: Unicode's name, as in `cyrillic-capital-letter-zhe`."""
    return unicodedata.name(sign).lower().replace(" ", "-")


class GlyphsScripts(tfds.core.GeneratorBasedBuilder):
    """Letters and signs of many scripts, none like a Latin letter or a digit, in MNIST's form.

    Splits: `scripts`, and `scripts_test`: Armenian and Georgian, of which `scripts` has nothing, nor anything like it.
    Features: `image` uint8 (28, 28, 1), and the class labels `label` (Unicode's name, as in
    `cyrillic-capital-letter-zhe`), `script`, `font`, `weight` and `width`, the last two as in `glyphs`.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        groups = (*_TRAINING, *_TEST)
        labels = [name(sign) for _, _, ranges in groups for sign in _signs(ranges)]
        return tfds.core.DatasetInfo(
            builder=self,
            description=__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIZE, SIZE, 1), encoding_format="png"),
                    "label": tfds.features.ClassLabel(names=labels),
                    "script": tfds.features.ClassLabel(names=list(dict.fromkeys(script for script, _, _ in groups))),
                    "font": tfds.features.ClassLabel(names=_UPRIGHT + _ITALIC),
                    "weight": tfds.features.ClassLabel(names=list(WEIGHTS)),
                    "width": tfds.features.ClassLabel(names=list(WIDTHS)),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        return {"scripts": self._generate_examples(_TRAINING), "scripts_test": self._generate_examples(_TEST)}

    def _generate_examples(self, groups: tuple) -> Iterator[tuple[str, dict]]:
        for script, fonts, ranges in groups:
            for sign in _signs(ranges):
                for font in fonts:
                    yield from examples(font, sign, f"{font} {name(sign)}", label=name(sign), script=script, font=font)
