"""Pole: a vertical pole on a plane and its shadow, seen from above, under a light that moves (AEAI 4.1)."""

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from kerasinterp.data.convert import png_file
from kerasinterp.errors import InputError

ALTITUDES = tuple(range(45, 85, 5))  # degrees above the plane, AEAI 4.1
AZIMUTHS = tuple(range(0, 360, 5))  # degrees, AEAI 4.1

# The scene is ours, AEAI's having been made with a game engine. The image shows the plane's square [-1, 1]^2.
_HEIGHT, _RADIUS = 0.65, 0.07  # of the pole, which stands in the centre
_LIGHT = 6.0  # its distance from the centre; it falls off with the square of the distance
_LIGHT_RADIUS = np.radians(3.0)  # as seen from the plane; the shadow is the softer, the larger it is
_CAMERA = (0.0, -0.9, 4.0)  # a little in front, so that the pole's side is seen
_PLANE, _POLE = np.array([0.62, 0.66, 0.58], np.float32), np.array([0.68, 0.36, 0.18], np.float32)  # albedo, RGB
_AMBIENT, _DIRECT = np.array([0.16, 0.18, 0.22], np.float32), np.array([0.98, 0.94, 0.86], np.float32)  # light, RGB
_SAMPLES = 4  # a side of each pixel, averaged


@dataclasses.dataclass(eq=False)
class _Scene(tfds.core.BuilderConfig):
    size: int = 64
    height: float = _HEIGHT
    camera: tuple[float, float, float] = _CAMERA


class Pole(tfds.core.GeneratorBasedBuilder):
    """A vertical pole on a plane seen from above, under 8 altitudes x 72 azimuths of the light.

    Configurations: `64` and `32`, the size in pixels; `32_oblique`, a lower pole seen from elsewhere: settings chosen
    on it are measured on the others. One split: `train`, 576 images. Features: `image` uint8 (size, size, 3),
    `altitude` and `azimuth` int64 in degrees as `render` takes them.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [
        _Scene(name="64"),
        _Scene(name="32", size=32),
        _Scene(name="32_oblique", size=32, height=0.5, camera=(0.6, -0.7, 4.0)),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        size = self.builder_config.size
        return tfds.core.DatasetInfo(
            builder=self,
            description=__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 3), encoding_format="png"),
                    "altitude": np.int64,
                    "azimuth": np.int64,
                }
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[str, dict]]:
        scene = self.builder_config
        for altitude in ALTITUDES:
            images = render(np.full(len(AZIMUTHS), altitude), AZIMUTHS, scene.size, scene.height, scene.camera)
            for azimuth, image in zip(AZIMUTHS, images, strict=True):
                yield f"{altitude} {azimuth}", {"image": png_file(image), "altitude": altitude, "azimuth": azimuth}


def render(
    altitudes: np.ndarray,
    azimuths: np.ndarray,
    size: int = 64,
    height: float = _HEIGHT,
    camera: tuple[float, float, float] = _CAMERA,
) -> np.ndarray:
    """The scene under each light.

    Light is Lambert's, falling off with distance, with a bluish ambient part. The shadow is soft: the light is a disc,
    of which a point of the plane sees what the pole does not cover (its edge taken as straight), so that the penumbra
    widens away from the pole's foot.

    Args:
        altitudes: (N,) degrees above the plane, in [45, 90): below, the shadow's end would leave the image.
        azimuths: (N,) degrees of where the light comes from, anticlockwise from the right.
        size: height and width in pixels.
        height: the pole's; the image shows the plane's square [-1, 1]^2.
        camera: where it is, to the right, to the back and above the pole's foot, in the same unit.

    Returns:
        uint8 (N, size, size, 3), RGB.

    Raises:
        InputError: for another shape, altitude or size, or a pole or camera that the image cannot show.
    """
    altitudes, azimuths = np.asarray(altitudes, np.float64), np.asarray(azimuths, np.float64)
    if altitudes.ndim != 1 or altitudes.shape != azimuths.shape:
        raise InputError(f"altitudes {altitudes.shape} and azimuths {azimuths.shape} differ: give both as (N,).")
    if len(altitudes) and not (altitudes.min() >= 45.0 and altitudes.max() < 90.0):
        raise InputError(f"altitudes go from {altitudes.min():g} to {altitudes.max():g}: give degrees in [45, 90).")
    if not 0.0 < height <= 0.75:
        raise InputError(f"height is {height:g}: give one in (0, 0.75], or the shadow's end would leave the image.")
    if not camera[2] >= 1.0:
        raise InputError(f"the camera is {camera[2]:g} above the plane: give 1 or more, above every pole.")
    if size < 1:
        raise InputError(f"size is 1 or more, not {size}.")
    images = np.empty((len(altitudes), size, size, 3), np.uint8)
    for image, altitude, azimuth in zip(images, np.radians(altitudes), np.radians(azimuths), strict=True):
        level = np.cos(altitude)
        light = _LIGHT * np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(altitude)])
        samples = _shaded(light.astype(np.float32), size, height, tuple(camera))
        colours = samples.reshape(size, _SAMPLES, size, _SAMPLES, 3).mean((1, 3))
        image[:] = np.rint(255.0 * np.clip(colours, 0.0, 1.0))
    return images


@functools.lru_cache(maxsize=4)
def _surface(size: int, height: float, camera: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each sample's ray from the camera meets: points and normals (M, 3), and whether it is the pole (M,)."""
    side = (np.arange(size * _SAMPLES, dtype=np.float32) + 0.5) * (2.0 / (size * _SAMPLES)) - 1.0
    x, y = (axis.ravel() for axis in np.meshgrid(side, -side))
    camera = np.asarray(camera, np.float32)
    rays = np.stack([x, y, np.zeros_like(x)], axis=1) - camera  # a ray is at the camera for 0, on the plane for 1
    # Where it enters the endless cylinder: |camera + t ray| = radius, seen from above.
    a, b = (rays[:, :2] ** 2).sum(1), rays[:, :2] @ camera[:2]
    root = b**2 - a * ((camera[:2] ** 2).sum() - _RADIUS**2)
    entry = np.where(root > 0.0, (-b - np.sqrt(np.maximum(root, 0.0))) / a, np.inf)
    top = 1.0 - height / camera[2]  # where it is as high as the pole
    on_top = ((camera[:2] + top * rays[:, :2]) ** 2).sum(1) < _RADIUS**2
    on_side = (entry > top) & (entry < 1.0) & ~on_top
    points = camera + np.where(on_top, top, np.where(on_side, entry, 1.0))[:, np.newaxis] * rays
    normals = np.where(on_side[:, np.newaxis], points * [1.0, 1.0, 0.0] / _RADIUS, [0.0, 0.0, 1.0])
    return points, normals.astype(np.float32), on_top | on_side


def _shaded(light: np.ndarray, size: int, height: float, camera: tuple) -> np.ndarray:
    """The colour (M, 3) of each sample under a light at `light` (3,)."""
    points, normals, on_pole = _surface(size, height, camera)
    to_light = light - points
    distance = np.sqrt((to_light**2).sum(1))
    lambert = np.maximum((normals * to_light).sum(1), 0.0) / distance * (_LIGHT / distance) ** 2
    lit = np.where(on_pole, 1.0, 1.0 - _shadow(points, to_light, height)) * lambert
    return np.where(on_pole[:, np.newaxis], _POLE, _PLANE) * (_AMBIENT + lit[:, np.newaxis] * _DIRECT)


def _shadow(points: np.ndarray, to_light: np.ndarray, pole: float) -> np.ndarray:
    """The share (M,) of the light's disc that a pole of that height covers, as seen from `points` on the plane."""
    points, slope = points[:, :2], to_light[:, :2] / to_light[:, 2:]
    steepness = (slope**2).sum(1)
    # The height, up to the pole's, at which the ray to the light's middle is nearest to the axis, and how near it is.
    height = np.clip(-(points * slope).sum(1) / np.maximum(steepness, 1e-12), 0.0, pole)
    gap = points + height[:, np.newaxis] * slope
    near = np.maximum(np.sqrt((gap**2).sum(1)), 1e-6)
    # How far the disc's rim is from its middle there, measured level: more towards the light than across.
    stretch = np.sqrt(1.0 + ((gap * slope).sum(1) / near) ** 2)
    penumbra = np.maximum(height * np.sqrt(1.0 + steepness) * np.tan(_LIGHT_RADIUS) * stretch, 1e-6)
    return _disc((_RADIUS - near) / penumbra) - _disc((-_RADIUS - near) / penumbra)


def _disc(edge: np.ndarray) -> np.ndarray:
    """The share of the unit disc that lies below a line at height `edge`: 0 from -1 down, 1 from 1 up."""
    edge = np.clip(edge, -1.0, 1.0)
    return 0.5 + (edge * np.sqrt(1.0 - edge**2) + np.arcsin(edge)) / np.pi
