"""Closed turns of views, in which the true image between two others is known (AEAI 4.3)."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from kerasinterp.data.convert import to_uint8
from kerasinterp.data.datasets import form, number, only, prepared_builder, prepared_image, stored_examples
from kerasinterp.errors import InputError

# The features that tell the series and the view's azimuth, and the parameters of a view.
_FEATURES = {"pole": ("altitude", "azimuth"), "coil100": ("object_id", "angle")}
_NAMES = {"pole": ("altitude", "azimuth"), "coil100": ("azimuth",)}
_STEP = 5  # degrees, both datasets


@dataclasses.dataclass(frozen=True)
class Views:
    """S series (objects, or altitudes of the light), each a closed turn of K views.

    Attributes:
        images: uint8 (S, K, H, W, C).
        parameters: float32 (S, K, P) in degrees.
        names: of the P parameters, the last being the azimuth.
        step: degrees between neighbours; the last view is as far from the first.
        places: int (S, K), where each view is among the images that `kerasinterp.data.images` gives of these series;
            None if they come from elsewhere.

    Raises:
        InputError: shapes that do not fit, or views that are no whole turn.
    """

    images: np.ndarray
    parameters: np.ndarray
    names: tuple[str, ...]
    step: float = 5.0
    places: np.ndarray | None = None

    def __post_init__(self):
        if self.images.dtype != np.uint8 or self.images.ndim != 5:
            raise InputError(f"Views are {self.images.dtype} {self.images.shape}: give uint8 (S, K, H, W, C).")
        expected = (*self.images.shape[:2], len(self.names))
        if self.parameters.shape != expected:
            raise InputError(f"The views' parameters have shape {self.parameters.shape}: give {expected}.")
        if self.images.shape[1] * self.step != 360.0:
            raise InputError(
                f"{self.images.shape[1]} views of {self.step:g} degrees are no whole turn: give all of it."
            )


def views(
    name: str,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    series: Sequence[int | str] | None = None,
    *,
    data_dir: str | os.PathLike | None = None,
) -> Views:
    """All views of `pole` (8 altitudes, parameters altitude and azimuth) or of `coil100` (an object a series, azimuth).

    Args:
        name: the dataset, or one of its configurations, such as `pole/32`.
        image_size, channels: as `load`.
        series: only these, in this order: altitudes in degrees, or objects by number or name (`obj1`); None for all.
        data_dir: as `load`.

    Raises:
        InputError: another dataset, a series that it has not, or one that is no whole turn; and as `load`.
    """
    dataset = name.split("/")[0]
    if dataset not in _FEATURES:
        raise InputError(f"{name} has no series of views: choose of {', '.join(_FEATURES)}.")
    source, size, channels = form(name, image_size, channels)
    builder = prepared_builder(name, data_dir, download=True)
    key, angle = _FEATURES[dataset]
    feature = builder.info.features[key]
    stored = stored_examples(builder, name, "train")
    if series is not None:
        series = [int(number(name, key, feature, one)) for one in series]
        stored = only(stored, name, (key,), feature, series)

    def prepare(example):
        return to_uint8(prepared_image(example["image"], source, size, channels)), example[key], example[angle]

    turns: dict[int, dict[int, tuple[np.ndarray, int]]] = {}
    for place, (image, one, azimuth) in enumerate(stored.map(prepare, tf.data.AUTOTUNE).as_numpy_iterator()):
        turns.setdefault(int(one), {})[int(azimuth)] = image, place
    series = sorted(turns) if series is None else series
    azimuths = np.arange(0, 360, _STEP)
    for one in series:
        if one not in turns:
            raise InputError(f"{name} has no {key} {one} here: choose another, or all by leaving `series` out.")
        if len(turns[one]) != len(azimuths):
            raise InputError(f"{key} {one} of {name} has {len(turns[one])} of {len(azimuths)} views: choose others.")
    grid = np.stack(np.meshgrid(series, azimuths, indexing="ij"), axis=-1).astype(np.float32)
    return Views(
        images=np.stack([[turns[one][azimuth][0] for azimuth in azimuths] for one in series]),
        parameters=grid[..., -len(_NAMES[dataset]) :],
        names=_NAMES[dataset],
        step=float(_STEP),
        places=np.array([[turns[one][azimuth][1] for azimuth in azimuths] for one in series]),
    )
