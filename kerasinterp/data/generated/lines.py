"""Lines: one anti-aliased line from the image's centre towards its edge, the angle being all the truth (ACAI 4.1)."""

from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from kerasinterp.data.convert import png_file
from kerasinterp.errors import InputError

_COUNTS = {"train": 20_000, "test": 10_000}


class Lines(tfds.core.GeneratorBasedBuilder):
    """ACAI's white lines on black at random angles.

    Configurations: `32` (width 2) and `16` (width 1), the size in pixels. Splits: `train` 20,000 and `test` 10,000.
    Features: `image` uint8 (size, size, 1), `angle` in radians as `render` takes it.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name="32"), tfds.core.BuilderConfig(name="16")]

    def _info(self) -> tfds.core.DatasetInfo:
        size = int(self.builder_config.name)
        return tfds.core.DatasetInfo(
            builder=self,
            description=__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 1), encoding_format="png"),
                    "angle": np.float32,
                }
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        return {split: self._generate_examples(seed, _COUNTS[split]) for seed, split in enumerate(_COUNTS)}

    def _generate_examples(self, seed: int, count: int) -> Iterator[tuple[int, dict]]:
        size = int(self.builder_config.name)
        angles = np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi, count).astype(np.float32)
        for key, (image, angle) in enumerate(zip(render(angles, size, size / 16), angles, strict=True)):
            yield key, {"image": png_file(image[..., 0]), "angle": angle}


def render(angles: np.ndarray, size: int = 32, width: float = 2.0) -> np.ndarray:
    """White lines on black, each pixel as grey as it is covered.

    As in the official data, a line ends one pixel before the border, at a distance of size / 2 - 1 from the centre, and
    its width is measured along rows or columns, whichever it crosses: a slanting line is thinner by up to sqrt(2).

    Args:
        angles: (N,) in radians, anticlockwise from the right.
        size: height and width in pixels, 4 or more.
        width: of the line, in pixels, 1 or more.

    Returns:
        uint8 (N, size, size, 1).

    Raises:
        InputError: for another shape, size or width.
    """
    angles = np.asarray(angles, np.float64)
    if angles.ndim != 1:
        raise InputError(f"angles have shape {angles.shape}: give radians (N,).")
    if size < 4 or width < 1.0:
        raise InputError(f"size is 4 or more and width 1 or more, not {size} and {width}.")
    images = np.empty((len(angles), size, size, 1), np.uint8)
    for start in range(0, len(angles), 256):  # few enough for the processor's cache
        part = slice(start, start + 256)
        images[part] = np.rint(255.0 * _covered(angles[part], size, width))[..., np.newaxis]
    return images


def _covered(angles: np.ndarray, size: int, width: float) -> np.ndarray:
    """The share of each pixel that the line covers, float32 (N, size, size)."""
    cos, sin = (f(angles).astype(np.float32)[:, np.newaxis, np.newaxis] for f in (np.cos, np.sin))
    x = np.arange(size, dtype=np.float32) - (size - 1) / 2
    y = -x[:, np.newaxis]
    along = x * cos + y * sin
    across = np.abs(x * sin - y * cos) / np.maximum(np.abs(cos), np.abs(sin))
    ends = np.minimum(along, size / 2 - 1 - along)
    return np.clip(width / 2 - across + 0.5, 0.0, 1.0) * np.clip(ends + 0.5, 0.0, 1.0)
