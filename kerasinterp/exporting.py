"""Trained models outside Keras: a SavedModel, a LiteRT (TFLite) file, a TF Serving directory.

None of them needs Keras or kerasinterp to run. A file or folder appears under its name only when it is whole.
"""

import contextlib
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError, suggest
from kerasinterp.nn.precision import in_float32

PRECISIONS = ("float32", "float16", "dynamic", "int8")

# Enough to find every tensor's range; more only slows the conversion.
_CALIBRATION_IMAGES = 200


def export_saved_model(model: keras.Model, path: str | os.PathLike) -> Path:
    """Writes a SavedModel whose signatures hold the encoder and decoder's weights once, in float32.

    Images are float32 (B, H, W, C) in [-1, 1]; latents float32 (B, *latent_shape); alpha float32 (B,), the weight of
    the second image; `*_bytes` are strings (B,), whole image files. Signatures, inputs -> output:

    - `encode`: images -> latent
    - `decode`: latent -> images
    - `interpolate`: image_a, image_b, alpha -> images
    - `encode_image_bytes`: image_bytes -> latent
    - `interpolate_image_bytes`: image_a_bytes, image_b_bytes, alpha -> image_bytes (PNG)
    - `serving_default`: images -> images (the reconstruction)

    Image files (PNG, JPEG) of any size are cropped about the centre to the model's shape and resized with antialiasing;
    they are neither inverted nor turned by their EXIF tag.

    Args:
        model: a trained objective; mixed precision is rebuilt in float32 first.
        path: the folder to make.

    Returns:
        The path written.

    Raises:
        InputError: if `path` exists or `model` is not one of this package.
        OSError: if the disk is full or cannot be written to; nothing is left at `path`.
    """
    path, networks = Path(path), _Networks.of(model)
    with _written_whole(path) as staged:
        _write_saved_model(_endpoints(networks), staged)
    return path


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

    Args:
        model: a trained objective; mixed precision is rebuilt in float32 first.
        path: the file to make.
        precision: `float32`; `float16` (half the size); `dynamic` (8-bit weights, a quarter of the size, the fastest;
            batch 1 only, since a dynamic batch is up to 50 times slower); `int8` (8-bit weights and activations;
            `encode` and `decode` only, since SLERP in 8 bits can divide by zero: mix the latents in the host's code).
        representative_images: for `int8`, some (100 to 200) of the images that the model will see, (N, H, W, C), uint8
            or float in [-1, 1]; they set the range of every activation.

    Returns:
        The path written.

    Raises:
        InputError: if `path` exists, `precision` is unknown, `int8` has no representative images, or `model` is not
            one of this package.
        OSError: if the disk is full or cannot be written to; nothing is left at `path`.
    """
    if precision not in PRECISIONS:
        hint = suggest(str(precision), PRECISIONS)
        raise InputError(f"Unknown precision {precision!r}: choose one of {', '.join(PRECISIONS)}.{hint}")
    path, networks = Path(path), _Networks.of(model)
    images = _calibration_images(networks, representative_images) if precision == "int8" else None
    with _written_whole(path) as staged:
        endpoints = _lite_endpoints(networks, batch=1 if precision == "dynamic" else None)
        if precision == "int8":
            del endpoints["interpolate"]
        saved_model = staged.with_name("saved_model")
        _write_saved_model(endpoints, saved_model)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=list(endpoints))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision == "int8":
            converter.representative_dataset = lambda: _calibration(networks, images)
        with warnings.catch_warnings():
            # The converter's own calibration uses it; nothing here does.
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
            staged.write_bytes(converter.convert())
    return path


def export_serving(
    model: keras.Model,
    directory: str | os.PathLike,
    name: str = "kerasinterp",
    version: int = 1,
    base_path: str | None = None,
) -> Path:
    """Writes what TF Serving needs: `NAME/VERSION/` (a SavedModel with warm-up records) and two settings files.

    `models.config` and `batching_params.pbtxt` are written where they are missing; those that exist are kept, as an
    operator may have edited them. A running server picks a new version up by itself: its folder appears whole.

    Args:
        model: a trained objective.
        directory: the folder that will be mounted at `/models`.
        name: the model's name in requests.
        version: a positive whole number; the server takes the largest.
        base_path: where the server finds the model; `/models/NAME` unless told.

    Returns:
        The version's folder.

    Raises:
        InputError: if the version exists, the name or version cannot be used, an existing `models.config` does not
            list `name`, or `model` is not one of this package.
        OSError: if the disk is full or cannot be written to; the version's folder is not left behind.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise InputError(f"The model name {name!r} cannot be used: take letters, digits, '_', '-' and '.'.")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError(f"The version must be a positive whole number, got {version!r}.")
    directory, networks = Path(directory), _Networks.of(model)
    config = directory / "models.config"
    if config.exists() and f'"{name}"' not in config.read_text():
        raise InputError(f"{config} does not list the model {name!r}: add it there or choose another directory.")
    path = directory / name / str(version)
    with _written_whole(path) as staged:
        _write_saved_model(_endpoints(networks), staged)
        (staged / "assets.extra").mkdir()
        with tf.io.TFRecordWriter(str(staged / "assets.extra" / "tf_serving_warmup_requests")) as writer:
            for record in _warmup_records(networks, name):
                writer.write(record)
    settings = {config: _models_config(name, base_path), directory / "batching_params.pbtxt": _BATCHING_PARAMS}
    for file, text in settings.items():
        if not file.exists():
            with _written_whole(file) as staged:
                staged.write_text(text)
    return path


# --- What is exported ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Networks:
    """A model's float32 networks and the way it mixes latents."""

    encoder: keras.Model
    decoder: keras.Model
    mixing: Callable
    image_shape: tuple[int, int, int]

    @classmethod
    def of(cls, model: keras.Model) -> "_Networks":
        missing = [name for name in cls.__dataclass_fields__ if not hasattr(model, name)]
        if missing:
            raise InputError(
                f"{type(model).__name__} cannot be exported, it has no {' and no '.join(missing)}: "
                "give a model that kerasinterp trained."
            )
        encoder, decoder = (in_float32(network, always_copy=False) for network in (model.encoder, model.decoder))
        return cls(encoder, decoder, model.mixing, tuple(model.image_shape))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return tuple(self.decoder.input_shape[1:])

    def encode(self, images: tf.Tensor) -> tf.Tensor:
        return self.encoder(images, training=False)

    def decode(self, latent: tf.Tensor) -> tf.Tensor:
        # ACAI's decoder is linear: what it gives beyond the range is no pixel.
        return tf.clip_by_value(self.decoder(latent, training=False), -1.0, 1.0)

    def interpolate(self, image_a: tf.Tensor, image_b: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
        # One pass over both images: half the calls of the encoder.
        latent_a, latent_b = tf.split(self.encode(tf.concat([image_a, image_b], axis=0)), 2)
        return self.decode(self.mixing(latent_a, latent_b, alpha))


@dataclass(frozen=True)
class _Endpoint:
    """One signature: `function` takes the tensors of `inputs` in order and returns the tensor named `output`."""

    function: Callable
    inputs: dict[str, tuple]
    output: str
    dtype: tf.DType = tf.float32

    def add_to(self, archive: keras.export.ExportArchive, name: str) -> None:
        def call(*tensors):
            return {self.output: self.function(*tensors)}

        strings = {key for key in self.inputs if key.endswith("_bytes")}
        archive.add_endpoint(
            name,
            call,
            input_signature=[
                tf.TensorSpec(shape, tf.string if key in strings else tf.float32, name=key)
                for key, shape in self.inputs.items()
            ],
        )


def _endpoints(networks: _Networks) -> dict[str, _Endpoint]:
    shape = networks.image_shape
    if len(shape) != 3:
        raise InputError("A model of points takes no image files, which a SavedModel offers: export it as tflite.")
    images, latent, one = (None, *shape), (None, *networks.latent_shape), (None,)

    def interpolate_files(a: tf.Tensor, b: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
        return _to_files(networks.interpolate(_from_files(a, shape), _from_files(b, shape), alpha))

    return {
        "encode": _Endpoint(networks.encode, {"images": images}, "latent"),
        "decode": _Endpoint(networks.decode, {"latent": latent}, "images"),
        "interpolate": _Endpoint(networks.interpolate, {"image_a": images, "image_b": images, "alpha": one}, "images"),
        "encode_image_bytes": _Endpoint(
            lambda files: networks.encode(_from_files(files, shape)), {"image_bytes": one}, "latent"
        ),
        "interpolate_image_bytes": _Endpoint(
            interpolate_files, {"image_a_bytes": one, "image_b_bytes": one, "alpha": one}, "image_bytes"
        ),
        "serving_default": _Endpoint(lambda x: networks.decode(networks.encode(x)), {"images": images}, "images"),
    }


def _lite_endpoints(networks: _Networks, batch: int | None) -> dict[str, _Endpoint]:
    networks = replace(networks, decoder=keras.models.clone_model(networks.decoder, clone_function=_lite_layer))
    images, latent = (batch, *networks.image_shape), (batch, *networks.latent_shape)
    return {
        "encode": _Endpoint(_lite_encode(networks), {"images": images}, "latent"),
        "decode": _Endpoint(networks.decode, {"latent": latent}, "images"),
        "interpolate": _Endpoint(
            lambda a, b, alpha: networks.decode(networks.mixing(a, b, alpha)),
            {"latent_a": latent, "latent_b": latent, "alpha": (batch,)},
            "images",
        ),
    }


def _lite_layer(layer: keras.Layer) -> keras.Layer:
    """The layer itself; for nearest upsampling LiteRT's operator: of Keras's repetitions it knows no shape."""
    if isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation == "nearest":
        return _NearestUpsampling(layer.size, name=layer.name, dtype=layer.dtype_policy)
    return layer


class _NearestUpsampling(keras.layers.UpSampling2D):
    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(x, (x.shape[1] * self.size[0], x.shape[2] * self.size[1]), method="nearest")


def _lite_encode(networks: _Networks) -> Callable:
    last = networks.encoder.layers[-1]
    if not isinstance(last, keras.layers.UnitNormalization):
        return networks.encode
    # In a form that becomes LiteRT's L2_NORMALIZATION. Keras's steps one by one would each be quantised in int8, and
    # the reciprocal length saturates for codes shorter than the calibration's: latents up to a fifth too short.
    unnormalised = keras.Model(networks.encoder.inputs, last.input)
    return lambda images: tf.math.l2_normalize(unnormalised(images, training=False), axis=-1)


def _from_files(files: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    """Image files, strings (B,) -> (B, H, W, C) in [-1, 1]."""
    height, width, channels = image_shape

    def read(file: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_image(file, channels=channels, expand_animations=False)
        size = tf.cast(tf.shape(image)[:2], tf.float32)
        crop = tf.reduce_min(size / [height, width]) * tf.constant([height, width], tf.float32)
        rows, columns = tf.unstack(tf.cast(tf.maximum(tf.round(crop), 1.0), tf.int32))
        top, left = (tf.shape(image)[0] - rows) // 2, (tf.shape(image)[1] - columns) // 2
        image = tf.cast(image[top : top + rows, left : left + columns], tf.float32)
        image = tf.image.resize(image, (height, width), antialias=True)
        return tf.ensure_shape(image, image_shape) / 127.5 - 1.0

    return tf.map_fn(read, files, fn_output_signature=tf.TensorSpec(image_shape, tf.float32))


def _to_files(images: tf.Tensor) -> tf.Tensor:
    """(B, H, W, C) in [-1, 1] -> PNG files, strings (B,)."""
    pixels = tf.cast(tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0.0, 255.0), tf.uint8)
    return tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)


# --- LiteRT's 8-bit calibration -----------------------------------------------------------------------------------


def _calibration_images(networks: _Networks, images: np.ndarray | None) -> np.ndarray:
    if images is None:
        raise InputError(
            "int8 needs representative_images: give 100 or more images like those that the model will see."
        )
    images = np.asarray(images)[:_CALIBRATION_IMAGES]
    if images.shape[1:] != networks.image_shape or not len(images):
        shape = ", ".join(map(str, networks.image_shape))
        raise InputError(f"The representative images must be (N, {shape}) with N > 0, got {images.shape}.")
    if images.dtype == np.uint8:
        return images.astype(np.float32) / 127.5 - 1.0
    if not np.issubdtype(images.dtype, np.floating) or not np.abs(images).max() <= 1.0:
        raise InputError("The representative images must be uint8 in [0, 255] or floats in [-1, 1].")
    return images.astype(np.float32)


def _calibration(networks: _Networks, images: np.ndarray) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    latents = networks.encode(tf.constant(images))
    # The decoder will also see mixes, which lie between the codes.
    mixes = networks.mixing(latents, tf.roll(latents, 1, axis=0), tf.fill([len(images)], 0.5))
    for image in images:
        yield "encode", {"images": image[None]}
    for latent in tf.concat([latents, mixes], axis=0).numpy():
        yield "decode", {"latent": latent[None]}


# --- TF Serving ---------------------------------------------------------------------------------------------------

_BATCHING_PARAMS = """\
# tensorflow_model_server --enable_batching=true --batching_parameters_file=/models/batching_params.pbtxt
# Requests to one signature are joined along the first dimension, so all inputs of a request have the same one.
# A starting point for a small machine: threads = cores, and the longest wait that a lone request may have to bear.
max_batch_size { value: 64 }
batch_timeout_micros { value: 2000 }
num_batch_threads { value: 2 }
max_enqueued_batches { value: 100 }
"""


def _models_config(name: str, base_path: str | None) -> str:
    return f"""\
# tensorflow_model_server --model_config_file=/models/models.config
model_config_list {{
  config {{
    name: "{name}"
    base_path: "{base_path or f"/models/{name}"}"
    model_platform: "tensorflow"
    model_version_policy {{ latest {{ num_versions: 1 }} }}
  }}
}}
"""


def _warmup_records(networks: _Networks, name: str) -> Iterator[bytes]:
    """A request of one example for every signature, as serialised `PredictionLog`s."""
    black = np.full((1, *networks.image_shape), -1.0, np.float32)
    latent = np.zeros((1, *networks.latent_shape), np.float32)
    latent[..., 0] = 1.0  # of length one, as spherical mixing expects
    example = {
        "images": black,
        "latent": latent,
        "alpha": np.full(1, 0.5, np.float32),
        "image_bytes": _to_files(black).numpy(),
    }
    aliases = {"image_a": "images", "image_b": "images", "image_a_bytes": "image_bytes", "image_b_bytes": "image_bytes"}
    for signature, endpoint in _endpoints(networks).items():
        yield _prediction_log(name, signature, {key: example[aliases.get(key, key)] for key in endpoint.inputs})


def _prediction_log(name: str, signature: str, inputs: dict[str, np.ndarray]) -> bytes:
    # Five nested messages in protobuf's wire format: not worth a dependency on tensorflow-serving-api. The numbers are
    # those of tensorflow_serving/apis/{prediction_log,predict,model}.proto; a test reads the records back with it.
    request = _field(1, _field(1, name.encode()) + _field(3, signature.encode()))  # ModelSpec: name, signature_name
    for key, value in inputs.items():
        request += _field(2, _field(1, key.encode()) + _field(2, tf.make_tensor_proto(value).SerializeToString()))
    return _field(6, _field(1, request))  # PredictionLog.predict_log, PredictLog.request


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])


# --- Writing ------------------------------------------------------------------------------------------------------


def _write_saved_model(endpoints: dict[str, _Endpoint], path: Path) -> None:
    # Neither `archive.track` nor `model.export`: both store every weight twice (keras issue 23553).
    archive = keras.export.ExportArchive()
    for name, endpoint in endpoints.items():
        endpoint.add_to(archive, name)
    archive.write_out(str(path), verbose=False)


@contextlib.contextmanager
def _written_whole(path: Path) -> Iterator[Path]:
    """Yields a place on the same disk to write to, which is renamed to `path` at the end or removed on failure."""
    if path.exists() or path.is_symlink():
        raise InputError(f"{path} exists: remove it or choose another place.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as staging:
            staged = Path(staging) / path.name
            yield staged
            staged.rename(path)
    except (OSError, tf.errors.OpError) as error:
        reason = error.strerror if isinstance(error, OSError) else _without_internals(error.message)
        raise OSError(f"{path} cannot be written ({reason}): free space or choose another place.") from error


def _without_internals(message: str) -> str:
    """TensorFlow's `{{node ...}} /a/temporary/file; No space left on device [Op:SaveV2]`: what the user needs of it."""
    return re.sub(r"\{\{.*?\}\}|\[Op:.*?\]", "", message).strip().splitlines()[0].rsplit("; ", 1)[-1].strip()
