"""Export as a LiteRT (TFLite) file."""

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError, suggest
from kerasinterp.exporting import signatures
from kerasinterp.exporting.calibration import Calibration
from kerasinterp.exporting.networks import Networks
from kerasinterp.exporting.saved_model import traced
from kerasinterp.exporting.writing import new_path, written_whole

PRECISIONS = ("float32", "float16", "dynamic", "int8")


def export_tflite(
    model: keras.Model,
    path: str | os.PathLike,
    precision: str = "float32",
    representative_images: np.ndarray | None = None,
) -> Path:
    """Writes one LiteRT (TFLite) file, builtin operators only, weights shared by its signatures.

    Signatures, inputs -> output (float32 in every precision; ranges as in `export_saved_model`):

    - `encode`: images -> latent
    - `decode`: latent -> images
    - `interpolate`: latent_a, latent_b, alpha -> images (latents, so that the seeds are encoded once for all frames)

    A model without an encoder, a generator, has `decode`, and `serving_default` that does the same.

    Args:
        model: a trained objective; mixed precision is rebuilt in float32 first.
        path: the file to make.
        precision: `float32`; `float16` (half the size); `dynamic` (8-bit weights, a quarter of the size, the fastest;
            batch 1 only, since a dynamic batch is up to 50 times slower); `int8` (8-bit weights and activations;
            no `interpolate`, since SLERP in 8 bits can divide by zero: mix the latents in the host's code).
        representative_images: for `int8`, images that the model will see, (N, H, W, C), uint8 or float in [-1, 1]; 200
            drawn from all of them set the range of every activation. A generator takes draws from its prior instead.

    Returns:
        The path written.

    Raises:
        InputError: if `path` exists or cannot be a path, `precision` is unknown, `int8` has no representative images
            or another precision has some, or `model` has nothing to export.
        OSError: if the disk is full or cannot be written to; nothing is left at `path`.
    """
    if precision not in PRECISIONS:
        hint = suggest(str(precision), PRECISIONS)
        raise InputError(f"Unknown precision {precision!r}: choose one of {', '.join(PRECISIONS)}.{hint}")
    if representative_images is not None and precision != "int8":
        raise InputError(f"representative_images are for int8 alone: leave them out of {precision}.")
    path, networks = new_path(path), Networks.of(model)
    calibration = Calibration.of(model, networks, representative_images) if precision == "int8" else None
    endpoints = signatures.of_latents(_for_lite(networks, precision), batch=1 if precision == "dynamic" else None)
    if precision == "int8":
        endpoints.pop("interpolate", None)
    archive = traced(endpoints)
    with written_whole(path) as staged:
        saved_model = str(staged.with_name("saved_model"))
        archive.write_out(saved_model, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=list(endpoints))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if calibration:
            converter.representative_dataset = lambda: calibration.examples(endpoints)
        with warnings.catch_warnings():
            # The converter's own calibration uses it; nothing here does.
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
            staged.write_bytes(converter.convert())
    return path


def _for_lite(networks: Networks, precision: str) -> Networks:
    """The networks, with the layers replaced for which LiteRT has an operator of its own."""

    def decoder_layer(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, keras.layers.ReLU) and layer.get_config() | _PLAIN_RELU == layer.get_config():
            # LEAKY_RELU, since a RELU becomes a part of TRANSPOSE_CONV, where OpenVINO overlooks it (2026.4).
            return keras.layers.LeakyReLU(0.0, name=layer.name, dtype=layer.dtype_policy)
        return _lite_layer(layer)

    # In int8 the values before it would take half of the 256 steps.
    for_decoder = _lite_layer if precision == "int8" else decoder_layer
    return replace(
        networks, encoder=_replaced(networks.encoder, _lite_layer), decoder=_replaced(networks.decoder, for_decoder)
    )


def _replaced(network: keras.Model | None, by: Callable) -> keras.Model | None:
    if not getattr(network, "inputs", None):  # none, or a subclassed one, whose layers nobody can replace
        return network
    return keras.models.clone_model(network, clone_function=by, recursive=True)


_PLAIN_RELU = {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}


def _lite_layer(layer: keras.Layer) -> keras.Layer:
    if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation == "nearest":
        return _NearestUpsampling(layer.size, name=layer.name, dtype=layer.dtype_policy)
    if isinstance(layer, keras.layers.UnitNormalization) and layer.axis in (-1, [-1]):
        return _UnitNormalization(name=layer.name, dtype=layer.dtype_policy)
    return layer


class _NearestUpsampling(keras.layers.UpSampling2D):
    """RESIZE_NEAREST_NEIGHBOR: of Keras's repetitions LiteRT knows no shape."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(x, (x.shape[1] * self.size[0], x.shape[2] * self.size[1]), method="nearest")


class _UnitNormalization(keras.layers.UnitNormalization):
    """L2_NORMALIZATION: Keras's steps one by one would each be quantised in int8, and the reciprocal length saturates
    for codes shorter than the calibration's: latents up to a fifth too short."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.math.l2_normalize(x, axis=-1)
