import os
import pathlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from kerasinterp import data
from kerasinterp.data import folder
from kerasinterp.errors import InputError


def _save(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path, **options)
    return path


def _read(path, **options):
    return data.as_array(data.from_folder(path, **options))


def test_sorted_recursive_and_labelled_by_folder(tmp_path):
    for value, name in ((10, "b/2.png"), (20, "a/1.bmp"), (30, "b/1.gif"), (40, "a/deep/0.webp"), (50, "c/x.jpg")):
        options = {"lossless": True} if name.endswith("webp") else {}
        _save(tmp_path / name, np.full((28, 28), value), **options)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "a" / "._1.png").write_bytes(b"a file system's own")
    with pytest.warns(data.Note, match=r"Left out of .*: 1 \.txt \(notes\.txt\)\.$"):
        images, labels = data.as_array(data.from_folder(tmp_path, labels=True))
    np.testing.assert_array_equal(images[:, 0, 0, 0], [20, 40, 30, 10, 50])
    np.testing.assert_array_equal(labels, [0, 0, 1, 1, 2])


def test_cropped_to_the_centre_and_averaged(tmp_path):
    values = np.zeros((56, 112))
    values[:, 28:84] = np.indices((56, 56)).sum(0) % 2 * 255  # a fine checkerboard in the centre averages to grey
    image = _read(_save(tmp_path / "a.png", values))[0]
    assert image.shape == (28, 28, 1)
    assert np.abs(image.astype(int) - 127.5).max() <= 1


def test_colour_to_grey_and_back(tmp_path):
    _save(tmp_path / "red.png", np.tile([255, 0, 0], (8, 8, 1)))
    assert _read(tmp_path, image_size=8)[0, 0, 0] == [76]  # ITU-R 601: 0.299 * 255
    assert list(_read(tmp_path, image_size=8, channels=3)[0, 0, 0]) == [255, 0, 0]


def test_inverted(tmp_path):
    _save(tmp_path / "a.png", np.full((8, 8), 250))
    assert (_read(tmp_path, image_size=8, invert=True) == 5).all()


def test_many_files_are_read_ahead_and_in_pieces_and_stay_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_AHEAD", 3)
    monkeypatch.setattr(folder, "_PIECE", 2 * 8 * 8)
    for value in range(11):
        _save(tmp_path / f"{value:02}.png", np.full((8, 8), 20 * value))
    images = data.load_examples(str(tmp_path), image_size=8).images
    np.testing.assert_array_equal(np.asarray(images)[:, 0, 0, 0], 20 * np.arange(11))


def test_transparency_is_white_paper(tmp_path):
    values = np.zeros((8, 8, 4))
    values[:4, :, 3] = 255  # black above, nothing below
    image = _read(_save(tmp_path / "a.png", values), image_size=8)[0, ..., 0]
    assert (image[:4] == 0).all()
    assert (image[4:] == 255).all()


def test_photographs_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    values = np.zeros((8, 8))
    values[:, :4] = 255  # left half
    image = _read(_save(tmp_path / "a.png", values, exif=exif), image_size=8)[0, ..., 0]
    assert (image[:4] == 255).all()
    assert (image[4:] == 0).all()


def test_one_file(tmp_path):
    assert _read(_save(tmp_path / "a.png", np.zeros((8, 8)))).shape == (1, 28, 28, 1)


def test_names_are_ordered_as_people_do(tmp_path):
    for value, name in (
        (1, "10/a.png"),
        (2, "2/10.png"),
        (3, "2/9.png"),
        (4, "b1c/x.png"),
        (5, "²/x.png"),
        (6, "02/x.png"),
    ):
        _save(tmp_path / name, np.full((4, 4), value))
    found = data.load_examples(tmp_path, image_size=4, labels=True)
    assert found.classes == ("02", "2", "10", "b1c", "²")
    np.testing.assert_array_equal(found.images[:, 0, 0, 0], [6, 3, 2, 1, 4, 5])
    np.testing.assert_array_equal(found.labels, [0, 1, 1, 2, 3, 4])


@pytest.mark.parametrize(
    "hidden",
    [
        *(".ipynb_checkpoints/cat.png", "cat/.ipynb_checkpoints/cat.png", ".Trash-1000/files/a.png", ".a.png"),
        *("dog/@eaDir/0.png/THUMB_M.png", "__MACOSX/cat/._0.png", "__MACOSX/cat/0.png", "lost+found/a.png"),
        *("cat/#recycle/a.png", "$RECYCLE.BIN/a.png", "System Volume Information/a.png", "cat/Thumbs.db", ".DS_Store"),
        *("cat/desktop.ini", "Icon\r"),
    ],
)
def test_what_systems_make_is_not_read(tmp_path, hidden):
    for value, name in ((10, "cat/0.png"), (20, "dog/0.png")):
        _save(tmp_path / name, np.full((4, 4), value))
    place = tmp_path / hidden
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), 99).save(place, "PNG")
    images, labels = data.images(tmp_path, image_size=4, labels=True)  # without a word: they are not the user's
    np.testing.assert_array_equal(images[:, 0, 0, 0], [10, 20])
    np.testing.assert_array_equal(labels, [0, 1])


def test_a_folder_that_lies_in_a_hidden_one_is_read(tmp_path):
    _save(tmp_path / ".cache" / "mine" / "a.png", np.zeros((4, 4)))
    assert len(data.images(tmp_path / ".cache" / "mine")) == 1


def test_images_beside_the_classes_are_refused_where_labels_count(tmp_path):
    for name in ("cat/0.png", "dog/0.png", "preview.png"):
        _save(tmp_path / name, np.zeros((4, 4)))
    with pytest.raises(InputError, match=r"beside the folders of its classes \(preview\.png\)"):
        data.images(tmp_path, labels=True)
    with pytest.raises(InputError, match=r"beside the folders"):
        data.from_folder(tmp_path, labels=True)
    assert len(data.images(tmp_path)) == 3
    assert len(_read(tmp_path)) == 3


def test_a_class_without_images_is_told_where_labels_count(tmp_path):
    _save(tmp_path / "cat" / "0.png", np.zeros((4, 4)))
    (tmp_path / "dog").mkdir()
    data.images(tmp_path)
    with pytest.warns(data.Note, match=r"1 folders without images \(dog\)"):
        assert data.load_examples(tmp_path, labels=True).classes == ("cat",)


def test_a_flat_folder_is_one_class(tmp_path):
    _save(tmp_path / "letters" / "0.png", np.zeros((4, 4)))
    found = data.load_examples(tmp_path / "letters", labels=True)
    assert (found.labels.tolist(), found.classes) == ([0], ("letters",))
    one = data.load_examples(tmp_path / "letters" / "0.png", labels=True)
    assert (one.labels.tolist(), one.classes) == ([0], ("letters",))


def test_runs_of_ours_are_not_read(tmp_path):
    _save(tmp_path / "a" / "0.png", np.full((4, 4), 10))
    for name, text in (
        ("run", '{"recipe": {}}'),
        ("soup", '{"carrots": 3}'),
        ("other", "no JSON"),
        ("list", "[1]"),
        ("one", "3"),
    ):
        _save(tmp_path / name / "samples" / "1.png", np.full((4, 4), 20))
        (tmp_path / name / "recipe.json").write_text(text)
    with pytest.warns(
        data.Note, match=r"4 \.json .*, 1 with runs of kerasinterp \(run\)|1 with runs of kerasinterp \(run\), 4 \.json"
    ):
        assert len(data.images(tmp_path)) == 5


def test_links_are_followed_and_circles_are_not(tmp_path):
    _save(tmp_path / "store" / "cat" / "0.png", np.full((4, 4), 10))
    _save(tmp_path / "mine" / "dog" / "0.png", np.full((4, 4), 20))
    (tmp_path / "mine" / "cat").symlink_to(tmp_path / "store" / "cat")
    (tmp_path / "mine" / "dog" / "again").symlink_to(tmp_path / "mine")
    (tmp_path / "mine" / "dog" / "1.png").symlink_to(tmp_path / "store" / "cat" / "0.png")
    images, labels = data.images(tmp_path / "mine", image_size=4, labels=True)
    np.testing.assert_array_equal(images[:, 0, 0, 0], [10, 20, 10])
    np.testing.assert_array_equal(labels, [0, 1, 1])


def test_whatever_is_left_out_is_counted(tmp_path):
    _save(tmp_path / "a.png", np.zeros((4, 4)))
    for name in ("b.HEIC", "c.heic", "d.svg", "README", "e.npz"):
        (tmp_path / name).write_bytes(b"something")
    (tmp_path / "f.png").symlink_to(tmp_path / "elsewhere.png")
    os.mkfifo(tmp_path / "g.png")
    with pytest.warns(data.Note) as caught:
        assert len(data.images(tmp_path)) == 1
    (told,) = (str(one.message) for one in caught)
    for part in (
        *("2 .heic (b.HEIC, c.heic)", "1 .svg (d.svg)", "1 without an ending (README)", "1 .npz (e.npz)"),
        *("1 that link to nothing (f.png)", "1 that are no regular files (g.png)"),
    ):
        assert part in told


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        *((ending, "JPEG") for ending in ("jpg", "jpeg", "jpe", "jfif", "JPG")),
        *((ending, "PPM") for ending in ("pbm", "pgm", "ppm", "pnm")),
        *((ending, kind) for ending, kind in (("tif", "TIFF"), ("tiff", "TIFF"), ("png", "PNG"), ("jp2", "JPEG2000"))),
        *((ending, kind) for ending, kind in (("gif", "GIF"), ("webp", "WEBP"), ("bmp", "BMP"), ("bmp", "DIB"))),
    ],
)
def test_every_ending_is_read(tmp_path, ending, kind):
    Image.new("L", (4, 4), 100).save(tmp_path / f"a.{ending}", kind)
    assert np.abs(data.images(tmp_path).astype(int) - 100).max() <= 2
    # A file's beginning, not its name, tells what it is.
    (tmp_path / f"a.{ending}").rename(tmp_path / "b.png")
    assert np.abs(data.images(tmp_path).astype(int) - 100).max() <= 2


@pytest.mark.skipif(".avif" not in Image.registered_extensions(), reason="this Pillow reads no AVIF")
def test_avif_is_read_where_pillow_does(tmp_path):
    Image.new("L", (8, 8), 100).save(tmp_path / "a.avif")
    assert np.abs(data.images(tmp_path).astype(int) - 100).max() <= 3


def test_missing_and_empty(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        data.from_folder(tmp_path / "missing")
    with pytest.raises(InputError, match="holds no images: put"):
        data.from_folder(tmp_path)
    with pytest.raises(InputError, match="no file"):
        data.read_image(tmp_path / "a.png", 28, 1)
    with pytest.raises(InputError, match="no file"):
        data.read_image(_save(tmp_path / "b.png", np.zeros((4, 4))) / "a.png", 28, 1)
    with pytest.raises(InputError, match="is a folder"):
        data.read_image(tmp_path, 28, 1)
    with pytest.raises(InputError, match="is no path of a file"):
        data.read_image("a\0.png", 28, 1)
    with pytest.raises(InputError, match="is no path of a file"):
        data.read_image("a" * 5000, 28, 1)


def test_unreadable_files_are_named(tmp_path):
    good = _save(tmp_path / "good.png", np.random.default_rng(0).integers(0, 256, (64, 64)))
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:500])
    for number in range(3):
        (tmp_path / f"text{number}.jpg").write_text("no image")
    with pytest.raises(
        InputError, match=r"cut\.png is damaged.*text0\.jpg.*text1\.jpg.* and 1 more\. Replace or remove"
    ):
        data.from_folder(tmp_path)
    with pytest.warns(data.Note, match=r"4 that cannot be read \(cut\.png, text0\.jpg, text1\.jpg and 1 more\)"):
        assert len(_read(tmp_path, skip_unreadable=True)) == 1
    good.unlink()
    with pytest.raises(InputError, match=r"holds no images \(but 4 that cannot be read"):
        data.from_folder(tmp_path, skip_unreadable=True)


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path, monkeypatch):
    _save(tmp_path / "a.png", np.zeros((4, 4)))
    (tmp_path / "closed").mkdir()
    look = type(tmp_path).iterdir

    def closed(path):
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(type(tmp_path), "iterdir", closed)
    with pytest.raises(InputError, match=r"closed cannot be read \(Permission denied\)"):
        data.images(tmp_path)


@pytest.mark.parametrize("options", [{"channels": 2}, {"image_size": 0}, {"image_size": (0, 4)}, {"image_size": None}])
def test_impossible_forms(tmp_path, options):
    with pytest.raises(InputError, match="1 or more"):
        data.from_folder(tmp_path, **options)


def test_more_than_the_memory_holds(tmp_path, monkeypatch):
    _save(tmp_path / "a.png", np.zeros((4, 4)))

    def full(*_):
        raise MemoryError

    monkeypatch.setattr("kerasinterp.data.folder.np.empty", full)
    with pytest.raises(InputError, match=r"0\.25 GB of memory: choose a smaller image_size"):
        data.images(tmp_path, image_size=16_384)


# --- the rules of reading one image -------------------------------------------------------------------------------


def test_height_and_width_may_differ(tmp_path):
    values = np.zeros((30, 60))
    values[:, 20:40] = 200  # what a crop to half the width's aspect ratio keeps
    path = _save(tmp_path / "a.png", values)
    assert (data.read_image(path, (30, 20), 1) == 200).all()
    assert data.read_image(path, (30, 20), 1).shape == (30, 20, 1)
    np.testing.assert_array_equal(data.read_image(path, (30, 60), 1)[..., 0], values)
    assert data.images(tmp_path, image_size=(10, 40), channels=3).shape == (1, 10, 40, 3)


def test_growing_images_are_interpolated_and_shrinking_ones_averaged(tmp_path):
    path = _save(tmp_path / "a.png", np.repeat([[0, 255]], 2, axis=0))
    grown = data.read_image(path, 8, 1)[0, :, 0].astype(int)
    assert (np.diff(grown) >= 0).all() and len(set(grown)) > 4
    path = _save(tmp_path / "b.png", np.repeat([[0, 200, 100, 250]], 4, axis=0))
    assert data.read_image(path, 2, 1)[0, :, 0].tolist() == [100, 175]
    # Narrow and high: what is cut off does not count.
    path = _save(tmp_path / "c.png", np.repeat([[0, 200, 100, 250]], 40, axis=0))
    assert data.read_image(path, 2, 1)[0, :, 0].tolist() == [100, 175]


@pytest.mark.parametrize("value", [0, 1, 100, 254, 255])
def test_sixteen_bits(tmp_path, value):
    values = np.full((4, 4), 257 * value, np.uint16)
    for name in ("a.png", "a.tif"):
        Image.fromarray(values).save(tmp_path / name)
        assert (data.read_image(tmp_path / name, 4, 1) == value).all()
        assert (data.read_image(tmp_path / name, 4, 3) == value).all()
    Image.fromarray(values.astype(np.int32)).save(tmp_path / "b.tif")
    assert (data.read_image(tmp_path / "b.tif", 4, 1) == value).all()


@pytest.mark.parametrize("values", [np.full((4, 4), 257 * 40, np.uint16), np.full((4, 4), 40, np.uint8)])
def test_the_smallest_value_may_be_white(tmp_path, values):
    path = tmp_path / "a.tif"
    Image.fromarray(values).save(path)
    content = path.read_bytes()
    black_is_zero = bytes([6, 1, 3, 0, 1, 0, 0, 0, 1, 0])  # the entry of the tag 262
    assert content.count(black_is_zero) == 1
    assert (data.read_image(path, 4, 1) == 40).all()
    path.write_bytes(content.replace(black_is_zero, black_is_zero[:-2] + bytes(2)))
    assert (data.read_image(path, 4, 1) == 215).all()


def test_one_bit_and_palettes_fill_the_range(tmp_path):
    Image.fromarray(np.array([[True, False]] * 2)).save(tmp_path / "a.png")
    assert data.read_image(tmp_path / "a.png", 2, 1)[0, :, 0].tolist() == [255, 0]
    picture = Image.fromarray(np.array([[0, 1]] * 2, np.uint8)).convert("P")
    picture.putpalette([10, 20, 30, 200, 210, 220])
    picture.save(tmp_path / "b.png")
    assert data.read_image(tmp_path / "b.png", 2, 3)[0].tolist() == [[10, 20, 30], [200, 210, 220]]


def _ink():
    """Black on the left, half black in the middle, and clear at the right."""
    values = np.zeros((4, 6, 4), np.uint8)
    values[:, :2, 3], values[:, 2:4, 3] = 255, 128
    return Image.fromarray(values)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_ink_on_transparent_paper_is_on_white(tmp_path, mode):
    _ink().convert(mode).save(tmp_path / "a.png")
    assert data.read_image(tmp_path / "a.png", (4, 6), 1)[0, :, 0].tolist() == [0, 0, 127, 127, 255, 255]
    assert data.read_image(tmp_path / "a.png", (4, 6), 3)[0, 4].tolist() == [255, 255, 255]
    assert data.read_image(tmp_path / "a.png", (4, 6), 1, invert=True)[0, :, 0].tolist() == [255, 255, 128, 128, 0, 0]


def test_a_palette_s_and_a_grey_s_clear_value_is_white(tmp_path):
    _ink().quantize(8).save(tmp_path / "palette.png")
    row = data.read_image(tmp_path / "palette.png", (4, 6), 1)[0, :, 0]
    assert row[0] < 10 and 100 < row[2] < 150 and row[4] == 255
    Image.fromarray(np.array([[0, 90]] * 2, np.uint8)).save(tmp_path / "grey.png", transparency=0)
    assert data.read_image(tmp_path / "grey.png", 2, 1)[0, :, 0].tolist() == [255, 90]
    path = tmp_path / "sixteen.png"
    Image.fromarray(np.array([[0, 257 * 90]] * 2, np.uint16)).save(path)
    clear = b"tRNS" + bytes(2)  # which not every Pillow writes: behind the signature and the header
    chunk = struct.pack(">I", 2) + clear + struct.pack(">I", zlib.crc32(clear))
    path.write_bytes(path.read_bytes()[:33] + chunk + path.read_bytes()[33:])
    assert data.read_image(tmp_path / "sixteen.png", 2, 1)[0, :, 0].tolist() == [255, 90]


def test_print_colours(tmp_path):
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "a.tif")
    assert data.read_image(tmp_path / "a.tif", 4, 3)[0, 0].tolist() == [255, 0, 0]
    assert data.read_image(tmp_path / "a.tif", 4, 1)[0, 0] == [76]


def test_the_first_frame_of_several(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (40, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (data.read_image(tmp_path / "a.gif", 4, 1) == 40).all()


def _tiff(path, mode, value):
    Image.new(mode, (4, 4), value).save(path)


def _tiff_of(path, values):
    Image.fromarray(np.array(values, np.int32)).save(path)


@pytest.mark.parametrize(
    ("name", "write", "reason"),
    [
        ("float.tif", lambda path: _tiff(path, "F", 0.5), "holds float values"),
        ("integers.tif", lambda path: _tiff(path, "I", 70_000), "holds 32-bit values"),
        ("negative.tif", lambda path: _tiff(path, "I", -1), "holds 32-bit values"),
        ("one.tif", lambda path: _tiff_of(path, [[-1, 9], [9, 9]]), "holds 32-bit values"),
        ("another.tif", lambda path: _tiff_of(path, [[70_000, 9], [9, 9]]), "holds 32-bit values"),
        ("lab.tif", lambda path: _tiff(path, "LAB", (1, 2, 3)), "holds LAB colours"),
        (
            "photo.heic",
            lambda path: path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(99)),
            "is a HEIC file, a format not",
        ),
        ("photo.jpg", lambda path: path.write_bytes(b"\0\0\0\x18ftypmif1" + bytes(99)), "is a HEIC file, a format not"),
        ("letter.png", lambda path: path.write_bytes(b"%PDF-1.7" + bytes(99)), "is a PDF file"),
        ("letter.jpg", lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n"), "is a EPS file"),
        ("drawing.png", lambda path: path.write_bytes(b'<svg xmlns="x">'), "is a SVG file"),
        ("empty.png", lambda path: path.write_bytes(b""), "is empty"),
        ("text.png", lambda path: path.write_bytes(b"hello"), "is no image, or damaged"),
    ],
)
def test_each_reason_has_its_sentence(tmp_path, name, write, reason):
    write(tmp_path / name)
    with pytest.raises(InputError, match=rf"{name} {reason}"):
        data.read_image(tmp_path / name, 4, 1)


def test_too_many_pixels_say_how_many(tmp_path, monkeypatch, recwarn):
    _save(tmp_path / "scan.png", np.zeros((30, 40)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(InputError, match=r"scan\.png is too large \(1,200 pixels, more than the limit of 1,000\)"):
        data.read_image(tmp_path / "scan.png", 4, 1)
    with pytest.raises(InputError, match="too large"):
        data.images(tmp_path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)
    assert data.read_image(tmp_path / "scan.png", 4, 1).shape == (4, 4, 1)
    assert len(data.images(tmp_path)) == 1
    assert not recwarn.list


@pytest.mark.parametrize(
    "error", [struct.error("argument out of range"), IndexError("x"), KeyError("x"), RuntimeError()]
)
def test_whatever_pillow_raises_is_one_sentence(tmp_path, monkeypatch, error):
    path = _save(tmp_path / "a.jpg", np.zeros((4, 4)))

    def fails(*_):
        raise error

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fails)
    with pytest.raises(InputError, match=r"a\.jpg is damaged"):
        data.images(tmp_path)
    with pytest.raises(InputError, match=r"a\.jpg is damaged"):
        data.read_image(path, 4, 1)


@pytest.mark.parametrize(
    ("error", "told"), [(PermissionError(13, "denied"), "permission"), (MemoryError(), "too large for")]
)
def test_what_is_no_damage(tmp_path, monkeypatch, error, told):
    path = _save(tmp_path / "a.png", np.zeros((4, 4)))

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(Image, "open", fails)
    with pytest.raises(InputError, match=told):
        data.read_image(path, 4, 1)


def test_pipes_and_devices_are_never_opened(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    for path in (tmp_path / "a.png", "/dev/zero"):
        with pytest.raises(InputError, match="a pipe, a socket or a device"):
            data.read_image(path, 4, 1)
        with pytest.raises(InputError, match="a pipe, a socket or a device"):
            data.images(pathlib.Path(path))
    with pytest.raises(InputError, match=r"but 1 that are no regular files"):
        data.images(tmp_path)
