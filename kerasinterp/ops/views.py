"""Random views of image batches: crops brought back to the images' size, turned, mirrored and coloured."""

import dataclasses

import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.ops import colour, geometry
from kerasinterp.typed import check_fields

DRAWS = 10  # of a view: its crop's size and place (3), its rotation, mirror and four colours, whether it is grey
# Ranges of brightness, contrast and saturation about 1, and of hue in turns; the share that is grey (guysrn/mmdc).
_JITTER, _HUE, _GREY = 0.4, 0.125, 0.2


@dataclasses.dataclass(frozen=True)
class Views:
    """What views differ in.

    Attributes:
        crops: sides of a crop as shares of the image's, above 0 and at most 1; each as often as the others.
        rotation: degrees, uniform to both sides.
        flip: half of the views are mirrored, left to right.

    Raises:
        InputError: values out of their ranges.
    """

    crops: tuple[float, ...] = (1.0,)
    rotation: float = 0.0
    flip: bool = False

    def __post_init__(self):
        check_fields(self)
        if not self.crops or not all(0.0 < crop <= 1.0 for crop in self.crops):
            raise InputError(f"crops are shares of the image's side, above 0 and at most 1, not {self.crops}.")
        if not 0.0 <= self.rotation <= 180.0:
            raise InputError(f"rotation is from 0 to 180 degrees, not {self.rotation}.")

    def plain(self, images: tf.Tensor) -> tf.Tensor:
        """The centre crop of the middle one of the sizes, (B, H, W, C) of [-1, 1]."""
        middle = sorted(self.crops)[len(self.crops) // 2]
        zero = tf.zeros(tf.shape(images)[0])
        return images if middle == 1.0 else _cropped(images, zero + middle, zero, zero, zero)

    def cropped(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """A random crop of each image, not turned, mirrored or coloured; `draws` as of `varied`."""
        if self.crops == (1.0,):
            return images
        size, x, y = tf.unstack(draws[:, :3], axis=1)
        return _cropped(images, self._sizes(size), 2.0 * x - 1.0, 2.0 * y - 1.0, tf.zeros_like(x))

    def varied(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """A random view of each image; what is outside of an image continues it symmetrically.

        Args:
            images: float32 (B, H, W, C) in [-1, 1]; colours change where C is 3.
            draws: from U(0, 1), float32 (B, DRAWS).
        """
        size, x, y, angle, mirror, *colours, grey = tf.unstack(draws, axis=1)
        if self.crops != (1.0,) or self.rotation:
            angle = self.rotation * (2.0 * angle - 1.0)
            images = _cropped(images, self._sizes(size), 2.0 * x - 1.0, 2.0 * y - 1.0, angle)
        if self.flip:
            images = tf.where(_each(mirror < 0.5), tf.reverse(images, [2]), images)
        if images.shape[-1] == 3:
            *factors, hue = (2.0 * one - 1.0 for one in colours)
            images = colour.jitter(images, *(1.0 + _JITTER * one for one in factors), _HUE * hue)
            images = tf.where(_each(grey < _GREY), colour.grey(images), images)
        return images

    def _sizes(self, drawn: tf.Tensor) -> tf.Tensor:
        number = tf.cast(drawn * len(self.crops), tf.int32)
        return tf.gather(tf.constant(self.crops, drawn.dtype), number)


OF_PHOTOGRAPHS = Views(crops=(20 / 32,), flip=True)  # guysrn/mmdc, of CIFAR-10
OF_DIGITS = Views(crops=(16 / 28, 20 / 28, 24 / 28), rotation=25.0)  # guysrn/mmdc, of MNIST


def shifted(images: tf.Tensor, draws: tf.Tensor, most: int, flip: bool) -> tf.Tensor:
    """Each image moved by whole pixels, and half of them mirrored: the usual augmentation (He et al., 2016, 4.2).

    Args:
        images: float32 (B, H, W, C); what is outside of an image continues it symmetrically.
        draws: from U(0, 1), float32 (B, 3).
        most: pixels, to either side.
        flip: whether any are mirrored.
    """
    one = tf.ones(tf.shape(images)[0])
    moved = tf.floor(draws[:, :2] * (2 * most + 1)) - most
    transforms = geometry.affine(0.0 * one, moved, one, 0.0 * one, images.shape[1:3])
    images = geometry.warp(images, transforms, fill=None)
    return tf.where(_each(draws[:, 2] < 0.5), tf.reverse(images, [2]), images) if flip else images


def quarters(images: tf.Tensor) -> tf.Tensor:
    """Square images (B, H, H, C) in their four orientations, (4 B, H, H, C): all turned by no quarter, then by one."""
    return tf.concat([tf.image.rot90(images, quarter) for quarter in range(4)], 0)


def _cropped(images: tf.Tensor, size: tf.Tensor, x: tf.Tensor, y: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
    """Crops of sides `size` at x, y in -1 .. 1 of the places where they lie inside, turned by `angle` degrees."""
    height, width = images.shape[1:3]
    away = 0.5 * (1.0 - size) / size  # in units of the enlarged image
    moved = tf.stack([away * x * width, away * y * height], axis=1)
    transforms = geometry.affine(angle, moved, 1.0 / size, tf.zeros_like(size), (height, width))
    return geometry.warp(images, tf.cast(transforms, "float32"), fill=None)  # the kernel's type


def _each(condition: tf.Tensor) -> tf.Tensor:
    return tf.reshape(condition, [-1, 1, 1, 1])
