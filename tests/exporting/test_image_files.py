"""Image files read in the exported graph, against the command line's reader."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont
from trained_networks import image_file

from kerasinterp import data
from kerasinterp.exporting import _from_files
from kerasinterp.exporting.image_files import to_files

GREY, COLOUR = (28, 28, 1), (32, 32, 3)
ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def reader():
    """Shape -> what an exported graph makes of one file: pixels of 0 to 255, not rounded."""
    specification = [tf.TensorSpec([None], tf.string)]
    traced = {
        shape: tf.function(lambda files, shape=shape: _from_files(files, shape), specification, autograph=False)
        for shape in (GREY, COLOUR, (20, 40, 1))
    }
    return lambda file, shape=GREY: (traced[shape](tf.constant([file]))[0].numpy() + 1.0) * 127.5


@pytest.fixture
def difference(reader, tmp_path):
    """The largest difference of any pixel from `data.read_image`, in grey levels."""

    def largest(file: bytes, shape: tuple = GREY) -> float:
        (tmp_path / "image").write_bytes(file)
        return np.abs(reader(file, shape) - data.read_image(tmp_path / "image", shape[0], shape[2])).max()

    return largest


def letter() -> Image.Image:
    """Black ink, a part of it half transparent, on transparent paper."""
    image = Image.new("RGBA", (45, 40), (0, 0, 0, 0))
    font = ImageFont.load_default(size=28)
    ImageDraw.Draw(image).text((14, 20), "K", fill=(0, 0, 0, 255), font=font, anchor="mm")
    ImageDraw.Draw(image).text((30, 20), "R", fill=(200, 30, 60, 128), font=font, anchor="mm")
    return image


def noise(height: int, width: int, *channels: int, seed: int = 0) -> np.ndarray:
    """Black and white, in which every mistake of a weight shows, and grey where the seed is odd."""
    random = np.random.default_rng(seed)
    if seed % 2:
        return random.integers(0, 256, (height, width, *channels), np.uint8)
    return np.uint8(255) * random.integers(0, 2, (height, width, *channels), np.uint8)


@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("form", ["RGBA", "LA", "palette", "palette of one clear colour", "RGB of one clear colour"])
def test_transparent_is_white(reader, difference, form, shape):
    ink, options = letter(), {}
    if form == "LA":
        ink = ink.convert("LA")
    elif form == "palette":
        ink = ink.quantize(16)
    elif form.startswith("palette"):
        ink, options = ink.convert("RGB").quantize(4), {"transparency": 0}
    elif form.startswith("RGB of"):
        ink, options = ink.convert("RGB"), {"transparency": (0, 0, 0)}
    file = image_file(ink, **options)
    assert difference(file, shape) <= 1.01
    if form != "palette of one clear colour":
        assert reader(file, shape)[0, 0, 0] == 255, "the paper"


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_opaque_png_files(difference, mode):
    image = Image.fromarray(noise(61, 50, 3, seed=1))
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    for shape in (GREY, COLOUR):
        assert difference(image_file(image), shape) <= 1.01


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_are_scaled(reader, channels):
    values = np.random.default_rng(0).integers(0, 2**16, (32, 32, channels), np.uint16)
    values[..., 3:] = 2**16 - 1
    values[0, 0, 0] = 3 * 257 + 200  # cut to 8 bits it would be 3
    made = reader(tf.io.encode_png(values).numpy(), COLOUR)
    np.testing.assert_allclose(made, np.broadcast_to(np.rint(values[..., :3] / 257.0), made.shape), rtol=0, atol=0.01)


def test_sixteen_bits_of_grey_are_read_as_from_the_command_line(difference):
    values = np.random.default_rng(0).integers(0, 2**16, (40, 30), np.uint16)
    assert difference(image_file(Image.fromarray(values))) <= 1.01


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_files(difference, mode):
    pixels = noise(57, 70, 4, seed=1)
    pixels[..., :3] //= 2
    image = Image.fromarray(pixels, "CMYK") if mode == "CMYK" else Image.fromarray(pixels[..., :3]).convert(mode)
    for shape in (GREY, COLOUR):
        assert difference(image_file(image, "JPEG"), shape) <= 1.01


def test_grey_is_that_of_its_weights(reader):
    colours = np.zeros((28, 28, 3), np.uint8)
    for number in range(3):
        colours[number, :, number] = 255
    np.testing.assert_allclose(reader(image_file(colours))[:3, 0, 0], [76, 150, 29], rtol=0, atol=1e-3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_photographs_are_turned_upright(difference, orientation, form):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "a maker"
    assert difference(image_file(noise(40, 60, 3, seed=1), form, exif=exif), COLOUR) <= 1.01


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_orders_of_bytes(reader, order):
    pixels = noise(28, 28, seed=1)
    entry = np.array(
        [(0x0100, 3, 1, 9, 0), (ORIENTATION, 3, 1, 3, 0)], f"{order}u2, {order}u2, {order}u4, {order}u2, u2"
    )
    start = np.array([8], f"{order}u4").tobytes() + np.array([2], f"{order}u2").tobytes()
    head = b"II*\0" if order == "<" else b"MM\0*"
    file = image_file(pixels, exif=b"Exif\0\0" + head + start + entry.tobytes() + bytes(4))
    np.testing.assert_allclose(reader(file)[..., 0], pixels[::-1, ::-1], rtol=0, atol=0.01)


@pytest.mark.parametrize(
    "exif", [b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"]
)
def test_a_damaged_tag_turns_nothing(reader, exif):
    pixels = noise(28, 28, seed=1)
    file = image_file(pixels, exif=b"Exif\0\0" + exif)
    np.testing.assert_allclose(reader(file)[..., 0], pixels, rtol=0, atol=0.01)


# Halves of pixels at the borders of averages (42, 61 and 105 to 28), crops between pixels, one pixel.
@pytest.mark.parametrize(
    "size", [(28, 28), (42, 42), (61, 50), (105, 102), (29, 200), (200, 29), (28, 90), (9, 23), (1, 1)]
)
def test_any_size_is_cropped_and_resized_as_from_the_command_line(difference, size):
    for seed in range(2):
        assert difference(image_file(noise(*size, seed=seed))) <= 1.01
        assert difference(image_file(noise(*size, 3, seed=seed)), COLOUR) <= (32 if size == (200, 29) else 1.01)


def test_tall_images_that_grow_are_near(difference):
    """Pillow 13 enlarges their height first, Pillow 10 to 12 their width: 29 grey levels on black and white."""
    assert difference(image_file(noise(37, 13))) <= 32
    assert difference(image_file(noise(37, 13, seed=1) // 4 + 96)) <= 1.01, "where nothing is cut to 0..255"


def test_the_centre_of_another_aspect(reader):
    image = np.zeros((40, 120), np.uint8)
    image[:, 20:100] = np.repeat(noise(20, 40, seed=1), 2, axis=0).repeat(2, axis=1)
    np.testing.assert_allclose(reader(image_file(image), (20, 40, 1))[..., 0], noise(20, 40, seed=1), atol=0.01)


def test_files_of_other_forms_are_refused(reader):
    for file in (image_file(noise(28, 28), "GIF"), image_file(noise(28, 28), "BMP"), b"", b"text"):
        with pytest.raises(tf.errors.InvalidArgumentError, match="neither PNG nor JPEG: convert it"):
            reader(file)


def test_what_is_written_is_rounded(reader):
    images = np.linspace(-1.2, 1.2, 28 * 28, dtype=np.float32).reshape(1, *GREY)
    (file,) = to_files(tf.constant(images)).numpy()
    expected = np.rint((np.clip(images[0], -1, 1) + 1) * 127.5)
    np.testing.assert_allclose(reader(file), expected, rtol=0, atol=0.01)
