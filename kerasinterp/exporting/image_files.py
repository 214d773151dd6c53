"""Image files within an exported graph, read by the command line's rules (`data.read_image`) in TensorFlow's operators.

PNG files of every depth and JPEG files (CMYK too); other forms are refused. They are turned upright by their EXIF tag,
laid on white paper where they are transparent, made grey with Pillow's weights, cropped about the centre, and resized
by averaging where they shrink, bicubically where they grow. What comes out differs from the command line's by one grey
level at most, with two exceptions: an orientation that is told in XMP alone is not read, and Pillow 13 enlarges tall
images in another order than Pillow 10 to 12 and this file do, which shows beside edges of black and white.
"""

from collections.abc import Callable

import tensorflow as tf

from kerasinterp.data.convert import to_float, to_uint8

# ITU-R BT.601-2 luma in 16 bits, as Pillow's `convert("L")` has it.
_LUMA = (19595, 38470, 7471)


def from_files(files: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    """Image files, strings (B,) -> (B, H, W, C) in [-1, 1].

    Raises:
        tf.errors.InvalidArgumentError: a file is neither PNG nor JPEG, or damaged.
    """
    height, width, channels = image_shape

    def read(file: tf.Tensor) -> tf.Tensor:
        is_png = tf.strings.substr(file, 0, 4) == b"\x89PNG"
        image = tf.cond(is_png, lambda: _png(file), lambda: _jpeg(file))
        image = _upright(image, _orientation(file, is_png))
        if channels == 1:
            image = (tf.reduce_sum(image * _LUMA, axis=-1, keepdims=True) + 0x8000) // 0x10000
        return to_float(tf.ensure_shape(_fitted(tf.cast(image, tf.float32), height, width), image_shape))

    return tf.map_fn(read, files, fn_output_signature=tf.TensorSpec(image_shape, tf.float32))


def to_files(images: tf.Tensor) -> tf.Tensor:
    """(B, H, W, C) in [-1, 1] -> PNG files, strings (B,)."""
    return tf.map_fn(tf.io.encode_png, to_uint8(images), fn_output_signature=tf.string)


# Decoders: a file -> int32 (H, W, 3) in [0, 255]


def _png(file: tf.Tensor) -> tf.Tensor:
    kind = tf.strings.substr(file, 25, 1)  # the header's type of colour: 4 and 6 have an alpha channel
    # A grey or palette image says in a chunk of its own, before its pixels, which of its colours are transparent.
    before_pixels = tf.strings.split(file, "IDAT", maxsplit=1)[:1]
    transparent = (kind == b"\x04") | (kind == b"\x06") | (tf.size(tf.strings.split(before_pixels, "tRNS").values) > 1)

    def decode(channels: int) -> tf.Tensor:
        # TensorFlow widens 8 bits to 16 by 257, and would cut 16 to 8, not round.
        pixels = tf.cast(tf.io.decode_png(file, channels, tf.uint16), tf.float32)
        return tf.cast(tf.round(pixels / 257.0), tf.int32)

    def on_white() -> tf.Tensor:
        colours, alpha = tf.split(decode(4), (3, 1), axis=-1)
        return (colours * alpha + 255 * (255 - alpha) + 127) // 255

    # Not always with alpha: of opaque images below 8 bits TensorFlow makes transparent ones.
    return tf.cond(transparent, on_white, lambda: decode(3))


def _jpeg(file: tf.Tensor) -> tf.Tensor:
    is_jpeg = tf.strings.substr(file, 0, 3) == b"\xff\xd8\xff"
    message = "An image file is neither PNG nor JPEG: convert it."
    with tf.control_dependencies([tf.debugging.Assert(is_jpeg, [message])]):
        # The slow transform is Pillow's.
        return tf.cast(tf.io.decode_jpeg(file, 3, dct_method="INTEGER_ACCURATE"), tf.int32)


# EXIF


def _orientation(file: tf.Tensor, is_png: tf.Tensor) -> tf.Tensor:
    """The tag Orientation of the first directory, an int32 in 1..8; 1 if there is none (CIPA DC-008, 4.6.5)."""
    marker = tf.where(is_png, b"eXIf", b"Exif\0\0")
    exif = tf.strings.substr(tf.strings.split(file, marker, maxsplit=1)[-1], 0, 0xFFFF)
    little = tf.strings.substr(exif, 0, 4) == b"II*\0"
    big = tf.strings.substr(exif, 0, 4) == b"MM\0*"
    padded = tf.strings.join([exif, b"\0" * 12])

    def read(little_endian: bool) -> tf.Tensor:
        def numbers(position: tf.Tensor | int, length: tf.Tensor | int, dtype: tf.DType) -> tf.Tensor:
            text = tf.strings.substr(padded, position, length)
            return tf.cast(tf.io.decode_raw(text, dtype, little_endian), tf.int32)

        size = tf.strings.length(exif)
        start = tf.clip_by_value(numbers(4, 4, tf.int32)[0], 0, size)
        count = tf.minimum(numbers(start, 2, tf.uint16)[0], (size - start) // 12)
        # Tag, type, number of values (4 bytes), and the value, which is in the first 2 of its 4 bytes.
        entries = tf.reshape(numbers(start + 2, 12 * count, tf.uint16), (-1, 6))
        found = tf.concat([tf.boolean_mask(entries[:, 4], entries[:, 0] == 0x0112), [1]], axis=0)[0]
        return tf.where((found >= 1) & (found <= 8), found, 1)

    return tf.cond(little, lambda: read(True), lambda: tf.cond(big, lambda: read(False), lambda: 1))


def _upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    def changed(image: tf.Tensor, by: Callable, orientations: tuple[int, ...]) -> tf.Tensor:
        return tf.cond(tf.reduce_any(orientation == orientations), lambda: by(image), lambda: image)

    image = changed(image, lambda x: tf.transpose(x, (1, 0, 2)), (5, 6, 7, 8))
    image = changed(image, lambda x: tf.reverse(x, [1]), (2, 3, 6, 7))
    return changed(image, lambda x: tf.reverse(x, [0]), (3, 4, 7, 8))


# Size


def _fitted(image: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Pillow's `ImageOps.fit`: (h, w, C) in [0, 255], cropped about the centre, resized and rounded -> (H, W, C).

    By BOX where the crop is larger than the result and by BICUBIC otherwise. `tf.image.resize` shares the pixels on the
    border of two averages otherwise, and takes no crop between pixels: up to 48 grey levels on a letter.
    """
    h, w = tf.unstack(tf.cast(tf.shape(image)[:2], tf.float64))
    ratio = width / height
    crop_height, crop_width = tf.where(w / h < ratio, _quotient(w, ratio), h), tf.where(w / h > ratio, ratio * h, w)
    shrinks = (h > height) & (w > width)
    rows, columns = _weights(h, crop_height, height, shrinks), _weights(w, crop_width, width, shrinks)
    image = _rounded(tf.linalg.matmul(columns, image))
    return _rounded(tf.tensordot(rows, image, 1))


def _rounded(pixels: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(tf.floor(pixels + 0.5), 0.0, 255.0)


def _weights(length: tf.Tensor, crop: tf.Tensor, size: int, shrinks: tf.Tensor) -> tf.Tensor:
    """What each of `length` pixels adds to each of the `size` that `crop` of them become: float32 (size, length)."""
    # Step by step as Pillow's Resample.c, where rounding decides to which average a pixel on the border of two belongs.
    start = tf.cast((length - crop) * 0.5, tf.float32)
    end = tf.cast((length - crop) * 0.5 + crop, tf.float32)
    step = _quotient(tf.cast(end - start, tf.float64), size)
    width = tf.maximum(step, 1.0)
    centres = (tf.cast(start, tf.float64) + (tf.range(size, dtype=tf.float64) + 0.5) * step)[:, tf.newaxis]
    pixels = tf.range(length, dtype=tf.float64)
    x = (pixels - centres + 0.5) * (1.0 / width)
    near = (pixels >= tf.floor(centres - 0.5 * width + 0.5)) & (pixels < tf.floor(centres + 0.5 * width + 0.5))
    box = tf.cast(near & (x > -0.5) & (x <= 0.5), tf.float64)
    u = tf.abs(x)  # Keys (1981), a = -0.5
    inner, outer = (1.5 * u - 2.5) * u * u + 1.0, ((-0.5 * u + 2.5) * u - 4.0) * u + 2.0
    cubic = tf.where(u < 1.0, inner, tf.where(u < 2.0, outer, tf.zeros_like(u)))
    weights = tf.where(shrinks, box, cubic)
    return tf.cast(weights / tf.reduce_sum(weights, axis=1, keepdims=True), tf.float32)


def _quotient(x: tf.Tensor, constant: float) -> tf.Tensor:
    # Of a plain division by a constant TensorFlow makes, in a graph, a product with its rounded reciprocal.
    return tf.math.divide_no_nan(x, tf.constant(constant, x.dtype))
