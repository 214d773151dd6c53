import unicodedata
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools.ttLib import TTFont

from kerasinterp import data
from kerasinterp.data import glyphs, glyphs_scripts
from kerasinterp.errors import InputError

TRAINING, TEST = glyphs_scripts._TRAINING, glyphs_scripts._TEST


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """One script to train on and one to test on, in few signs and one width: seconds instead of a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glyphs_scripts, "_TRAINING", (("greek", ("DejaVuSans", "DejaVuSerif"), "3a3 3de-3df"),))
        patch.setattr(glyphs_scripts, "_TEST", (("armenian", ("DejaVuSans-Bold",), "534-535"),))
        patch.setattr(glyphs, "WIDTHS", {"normal": 1.0})
        folder = tmp_path_factory.mktemp("tfds")
        data.load("glyphs_scripts", "scripts", data_dir=folder)
        yield folder


def test_splits_are_apart_in_script_and_chosen_by_it(small):
    found = data.load_examples("glyphs_scripts", "scripts", labels=True, data_dir=small)
    test = data.load_examples("glyphs_scripts", "scripts_test", labels=True, data_dir=small)
    assert found.images.shape[1:] == test.images.shape[1:] == (28, 28, 1)
    assert [found.classes[label] for label in np.unique(found.labels)] == [
        "greek-capital-letter-sigma",
        "greek-letter-koppa",
        "greek-small-letter-koppa",
    ]
    assert {test.classes[label].split("-")[0] for label in test.labels} == {"armenian"}
    where = {"weight": "regular", "script": "greek", "font": "DejaVuSerif"}
    assert len(data.images("glyphs_scripts", "scripts", where=where, data_dir=small)) == 3
    with pytest.raises(InputError, match="Did you mean 'greek'"):
        data.load("glyphs_scripts", "scripts", where={"script": "grek"}, data_dir=small)


def test_every_sign_is_in_its_fonts_once_and_neither_latin_letter_nor_digit():
    seen = [sign for _, _, ranges in (*TRAINING, *TEST) for sign in glyphs_scripts._signs(ranges)]
    assert len(seen) == len(set(seen))
    others = {face.glyph(character) for face in glyphs._FACES for character in "azAZ09"} | {*glyphs._SCRIPT_LABELS}
    assert not others & set(seen)
    assert not [sign for sign in seen if sign.isascii() or unicodedata.decimal(sign, None) is not None]
    known = {}
    for _, fonts, ranges in (*TRAINING, *TEST):
        for font in fonts:
            path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
            known.setdefault(font, TTFont(path, lazy=True).getBestCmap())
            assert all(ord(sign) in known[font] for sign in glyphs_scripts._signs(ranges)), font


def test_held_out_scripts_are_held_out_whole():
    training, test = ({script for script, _, _ in groups} for groups in (TRAINING, TEST))
    assert not training & test
    signs = [sign for _, _, ranges in TRAINING for sign in glyphs_scripts._signs(ranges)]
    assert not [sign for sign in signs if unicodedata.name(sign).split()[0].lower() in test]
    held_out = [(sign, fonts) for _, fonts, ranges in TEST for sign in glyphs_scripts._signs(ranges)]
    assert len(held_out) >= 40 and min(len(fonts) for _, fonts in held_out) >= 8  # enough to be judged by
