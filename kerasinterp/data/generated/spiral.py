"""Spiral: points of the plane along a spiral (AMR 5.2); no images, so `data.load` has no use for it."""

from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from kerasinterp.errors import InputError

LAST_ANGLE = 4.0 * np.pi  # two turns, ours: AMR says only that it is a spiral
_RADIUS = 0.9  # at the last angle, so that noise stays within [-1, 1]
_COUNTS = {"train": 10_000, "test": 2_000}


class Spiral(tfds.core.GeneratorBasedBuilder):
    """Points along a spiral of two turns, with the default noise of `points`.

    Splits: `train` 10,000 and `test` 2,000. Features: `point` float32 (2,), and the `angle` in radians that it has on
    the curve.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {"point": tfds.features.Tensor(shape=(2,), dtype=np.float32), "angle": np.float32}
        return tfds.core.DatasetInfo(
            builder=self, description=__doc__, features=tfds.features.FeaturesDict(features), disable_shuffling=True
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        del dl_manager
        return {split: self._generate_examples(seed, _COUNTS[split]) for seed, split in enumerate(_COUNTS)}

    def _generate_examples(self, seed: int, count: int) -> Iterator[tuple[int, dict]]:
        drawn, on_curve = points(count, seed), angles(count, seed)
        for key, (point, angle) in enumerate(zip(drawn, on_curve, strict=True)):
            yield key, {"point": point, "angle": angle}


def curve(angle: np.ndarray) -> np.ndarray:
    """The spiral's points at angles (N,) in radians in [0, `LAST_ANGLE`], the radius growing with the angle: (N, 2)."""
    angle = np.asarray(angle, np.float32)
    return _RADIUS / LAST_ANGLE * angle[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def angles(count: int, seed: int = 0) -> np.ndarray:
    """Where on the curve the points of `points(count, seed)` are: float32 (count,) in radians, in no order.

    Their root is taken, so that points are nearly as dense along the outer turn as along the inner one.
    """
    return (LAST_ANGLE * np.sqrt(np.random.default_rng([seed, 0]).uniform(size=count))).astype(np.float32)


def points(count: int, seed: int = 0, noise: float = 0.01) -> np.ndarray:
    """Points near the spiral.

    Args:
        count: how many.
        seed: of the angles and the noise; the noise does not change the angles.
        noise: the standard deviation of the normal noise on each coordinate.

    Returns:
        float32 (count, 2) in [-1, 1].

    Raises:
        InputError: for a count below 1 or negative noise.
    """
    if count < 1 or noise < 0.0:
        raise InputError(f"count is 1 or more and noise 0 or more, not {count} and {noise}.")
    moved = curve(angles(count, seed)) + noise * np.random.default_rng([seed, 1]).standard_normal((count, 2))
    return np.clip(moved, -1.0, 1.0).astype(np.float32)
