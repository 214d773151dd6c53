import itertools
import string
import unicodedata
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from scipy import ndimage

from kerasinterp import data
from kerasinterp.data import glyphs
from kerasinterp.errors import InputError

WIDTHS = glyphs.WIDTHS  # before `small` narrows them


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two faces to train on and one to test on, in one width: seconds instead of a quarter of a minute."""
    with pytest.MonkeyPatch.context() as patch:
        faces = ("DejaVuSans", "STIX-Sans", "cmss10")
        patch.setattr(glyphs, "_FACES", tuple(face for face in glyphs._FACES if face.name in faces))
        patch.setattr(glyphs, "WIDTHS", {"normal": 1.0})
        folders = [tmp_path_factory.mktemp("tfds") for _ in range(2)]
        for folder in folders:
            data.load("glyphs", "digits", data_dir=folder)
        yield folders


def test_generated_to_the_same_bytes(small):
    first, second = (sorted(folder.rglob("*.tfrecord*")) for folder in small)
    assert len(first) == 5
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_splits_are_apart_in_class_and_font(small):
    builder = glyphs.Glyphs(data_dir=small[0])
    label, font = builder.info.features["label"], builder.info.features["font"]
    seen = {}
    for split in builder.info.splits:
        examples = [*builder.as_dataset(split=split).as_numpy_iterator()]
        seen[split] = [
            {feature.int2str(int(e[k])) for e in examples} for k, feature in (("label", label), ("font", font))
        ]
    train, test = {"DejaVuSans", "STIX-Sans"}, {"cmss10"}
    assert seen["digits"] == [set(string.digits), train]
    assert seen["letters"] == [set(string.ascii_letters), train]
    assert seen["digits_test"] == [set(string.digits), test]
    assert seen["letters_test"] == [set(string.ascii_letters), test]
    assert len(seen["more_digits"][0]) == 30
    assert not seen["more_digits"][0] & set(string.digits + string.ascii_letters)


def test_like_mnist(small):
    images = data.images("glyphs", "digits+letters", where={"weight": "regular"}, data_dir=small[0])
    assert images.shape == (2 * 62, 28, 28, 1)
    ink = images[..., 0] > 20
    for axis in (1, 2):  # columns, then rows
        inked = ink.any(axis)
        first, last = inked.argmax(1), 27 - inked[:, ::-1].argmax(1)
        assert first.min() >= 3
        assert last.max() <= 24
        assert np.abs(first + last - 27).max() <= 2  # centred
    assert (images[:, [0, -1]] == 0).all()
    assert (images.max((1, 2, 3)) > 150).all()


def test_sizes_and_strokes():
    """20 of 28 pixels, as MNIST; what a weight adds on each side of the two stems of an H; what a width stretches."""
    drawn = {width: glyphs.render("DejaVuSans", "H", stretch) for width, stretch in WIDTHS.items()}
    assert WIDTHS == {"narrow": 0.75, "normal": 1.0, "wide": 1.3}
    ratios = {}
    for width, weights in drawn.items():
        image = weights["regular"]
        assert image.shape == (28, 28)
        high, wide = ((image.max(axis) / 255.0).sum() for axis in (1, 0))
        assert max(high, wide) == pytest.approx(20, abs=0.5)
        ratios[width] = wide / high
    assert ratios["narrow"] / ratios["normal"] == pytest.approx(0.75, rel=0.05)
    assert ratios["wide"] / ratios["normal"] == pytest.approx(1.3, rel=0.05)
    stems = {weight: image[8].sum() / 255.0 for weight, image in drawn["normal"].items()}
    for weight, added in {"thin": -0.6, "heavy": 0.6, "black": 1.1}.items():
        assert stems[weight] - stems["regular"] == pytest.approx(2 * 2 * added, abs=0.3)


def test_chosen_by_class_and_weight(small):
    names = glyphs.Glyphs(data_dir=small[0]).info.features["label"].names
    _, labels = data.images("glyphs", "letters", classes=["A", "k"], labels=True, data_dir=small[0])
    assert {names[label] for label in labels} == {"A", "k"}
    found = data.load_examples("glyphs", "letters", classes=["A", "k"], labels=True, data_dir=small[0])
    assert found.classes == tuple(names) and found.classes[:3] == ("0", "1", "2")
    with pytest.raises(InputError, match="Did you mean 'black'"):
        data.load("glyphs", "letters", where={"weight": "blck"}, data_dir=small[0])
    black = data.images("glyphs", "letters", classes="A", where={"weight": ["black"]}, data_dir=small[0])
    regular = data.images("glyphs", "letters", classes="A", where={"weight": ["regular"]}, data_dir=small[0])
    assert black.mean() > 1.3 * regular.mean()


@pytest.mark.parametrize("face", glyphs._FACES, ids=lambda face: face.name)
def test_every_face_has_every_character(face):
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face.font}.ttf")
    known = TTFont(path).getBestCmap()
    for character in string.digits + string.ascii_letters:
        glyph = face.glyph(character)
        assert ord(glyph) in known
        assert unicodedata.normalize("NFKC", glyph) == character  # also in Unicode's mathematical alphabets


def test_every_script_font_has_every_digit():
    for first, count, fonts in glyphs._SCRIPTS.values():
        for font in fonts:
            known = TTFont(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")).getBestCmap()
            assert all(first + n in known for n in range(count))


def test_no_weight_breaks_or_fills_a_glyph():
    # A bold serif 8: hairlines that thinning could cut, counters that thickening could fill.
    for font in ("STIXGeneralBol", "DejaVuSans-Bold", "DejaVuSerif-Bold", "cmr10"):
        for image in glyphs.render(font, "8").values():
            assert ndimage.label(image > 40, np.ones((3, 3)))[1] == 1
            assert ndimage.label(image <= 40)[1] == 3


def test_a_stroke_that_would_break_a_glyph_is_changed_less_a_fifth_of_a_pixel_at_a_time(monkeypatch):
    seen = itertools.count()
    monkeypatch.setattr(glyphs, "_parts", lambda mask: next(seen))  # whatever is drawn is broken
    assert [*glyphs.render("DejaVuSans", "B")] == ["regular"]
    assert next(seen) == 1 + 2 + 2 + 5  # the glyph itself; from 0.6, 0.6 and 1.1 pixels to 0.2 or less


def test_weights_grow_and_widths_differ():
    weights = glyphs.render("DejaVuSans", "3")
    assert [*weights] == ["thin", "regular", "heavy", "black"]
    assert (np.diff([image.sum(dtype=int) for image in weights.values()]) > 0).all()
    narrow, wide = (glyphs.render("DejaVuSans", "3", width)["regular"] for width in (0.75, 1.3))
    assert (narrow > 20).any(0).sum() < (wide > 20).any(0).sum()


def test_letters_like_digits_are_apart():
    assert sorted(glyphs.LETTERS + glyphs.DIGIT_LIKE_LETTERS) == sorted(string.ascii_letters)
    assert set("OoIlSZ") <= set(glyphs.DIGIT_LIKE_LETTERS)


def test_read_only_data_folder_is_left_alone(tmp_path, monkeypatch):
    folder, temporary = tmp_path / "tfds", tmp_path / "tmp"
    for path in (folder, temporary):
        path.mkdir()
    folder.chmod(0o555)
    monkeypatch.setattr(glyphs, "_FACES", (glyphs._FACES[0], glyphs._FACES[2]))  # one to train on, one to test on
    monkeypatch.setattr(glyphs, "WIDTHS", {"normal": 1.0})
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(temporary))
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder))
    assert len(data.images("glyphs", "digits")) > 20
    assert not [*folder.iterdir()]


def test_letters_that_are_alike_in_both_cases_have_one_label():
    names = [*string.digits, *string.ascii_letters]  # the dataset's labels
    labels = np.array([names.index(one) for one in "CcVvWwXxAaKk0"])
    assert [names[label] for label in glyphs.without_case(labels)] == list("ccvvwwxxAaKk0")
