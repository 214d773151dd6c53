import numpy as np
import pytest
import tensorflow as tf
from stand_in import Generator

from kerasinterp.errors import InputError
from kerasinterp.generation import codes_of, transfer


class OfClasses:
    """Codes (class, a, b), found as the image's first pixels; an image of a code has its numbers as pixels."""

    image_shape, latent_shape, known_classes = (1, 3, 1), (3,), np.array([0, 1, 3])

    def codes_of(self, images):
        return tf.reshape(tf.constant(images), (-1, 3))

    def with_class(self, codes, classes):
        return np.concatenate([0.1 * np.asarray(classes, np.float32)[:, None], codes[:, 1:]], axis=1)

    def decode(self, latents):
        return tf.reshape(latents, (-1, 1, 3, 1))


CODES = np.array([[0.9, -0.5, 0.25], [0.8, 0.5, -0.75]], np.float32)


def test_each_image_in_each_class():
    images = CODES.reshape(2, 1, 3, 1)
    np.testing.assert_array_equal(codes_of(OfClasses(), images), CODES)
    made = transfer(OfClasses(), CODES, [3, 0, 1])
    assert made.shape == (2, 3, 1, 3, 1) and made.dtype == np.float32
    for row, code in zip(made, CODES, strict=True):
        np.testing.assert_allclose(row[..., 0, 0].ravel(), [0.3, 0.0, 0.1])
        np.testing.assert_array_equal(row[:, 0, 1:, 0], np.tile(code[1:], (3, 1)))
    np.testing.assert_allclose(transfer(OfClasses(), CODES)[:, :, 0, 0, 0], [[0.0, 0.1, 0.3]] * 2)


def test_images_are_read_as_everywhere():
    as_bytes = np.full((1, 3, 1), 255, np.uint8)
    np.testing.assert_array_equal(codes_of(OfClasses(), as_bytes), np.ones((1, 3)))
    with pytest.raises(InputError, match="images are 4x4x1, but the model takes 1x3x1"):
        codes_of(OfClasses(), np.full((2, 4, 4, 1), -0.5))


@pytest.mark.parametrize(
    ("codes", "classes", "message"),
    [
        (CODES[:, :2], [0], r"codes have shape \(2, 2\): give \(N, 3\)"),
        (CODES, [], r"classes are \[\]: give a list"),
        (CODES, [0.5], r"classes are \[0.5\]: give a list"),
        (CODES, 2, "classes are 2: give a list"),
        (CODES, [3, 2], "knows no image of class 2: choose of its 3 classes, 0 to 3"),
    ],
)
def test_what_cannot_be_transferred(codes, classes, message):
    with pytest.raises(InputError, match=message):
        transfer(OfClasses(), codes, classes)


def test_a_model_without_a_class_part():
    for refused in (lambda: transfer(Generator(), CODES), lambda: codes_of(Generator(), CODES)):
        with pytest.raises(InputError, match="Generator has no codes of images with a part for their class: give a"):
            refused()


def test_more_images_than_memory_holds(monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 20)  # 400 bytes, of which an image takes 36
    assert transfer(OfClasses(), CODES, [0, 1]).shape[:2] == (2, 2)
    with pytest.raises(InputError, match=r"12 images of 1x3x1 need .* GB"):
        transfer(OfClasses(), CODES, [0, 1, 3] * 2)
