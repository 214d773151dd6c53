"""Export as a directory for TF Serving."""

import numbers
import os
import re
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.exporting.image_files import to_files
from kerasinterp.exporting.networks import Networks
from kerasinterp.exporting.saved_model import of_model, traced
from kerasinterp.exporting.signatures import Signature
from kerasinterp.exporting.writing import checked_path, new_path, written_whole

_CONFIG, _BATCHING = "models.config", "batching_params.pbtxt"


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
        model: a trained objective; its signatures are those of `export_saved_model`.
        directory: the folder that will be mounted at `/models`.
        name: the model's name in requests.
        version: a positive whole number; the server takes the largest.
        base_path: where the server finds the model; `/models/NAME` unless told.

    Returns:
        The version's folder.

    Raises:
        InputError: if the version exists, a name, version or path cannot be used, an existing `models.config` cannot
            be read or does not list `name` (at `base_path`, if that is given), or `model` has nothing to export.
        OSError: if the disk is full or cannot be written to; the version's folder is not left behind.
    """
    if (
        not isinstance(name, str)
        or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name)
        or name in (_CONFIG, _BATCHING)
    ):
        raise InputError(f"The model name {name!r} cannot be used: take letters, digits, '_', '-' and '.'.")
    # The server reads versions as 64-bit integers.
    if isinstance(version, bool) or not isinstance(version, numbers.Integral) or not 1 <= version < 2**63:
        raise InputError(f"The version must be a positive whole number, got {version!r}.")
    if base_path is not None and (not isinstance(base_path, str) or not re.fullmatch(r'[^"\\\x00-\x1f]+', base_path)):
        raise InputError(f"The base_path {base_path!r} cannot be written into {_CONFIG}: give a plain path.")
    directory = checked_path(directory)
    texts = {_CONFIG: _models_config(name, base_path or f"/models/{name}"), _BATCHING: _BATCHING_PARAMS}
    missing = [file for file in texts if not _exists(directory / file)]
    if _CONFIG not in missing:
        _check_config(directory / _CONFIG, name, base_path)
    path, networks = new_path(directory / name / str(int(version))), Networks.of(model)
    endpoints = of_model(networks)
    archive = traced(endpoints)
    with written_whole(path) as staged:
        archive.write_out(str(staged), verbose=False)
        (staged / "assets.extra").mkdir()
        with tf.io.TFRecordWriter(str(staged / "assets.extra" / "tf_serving_warmup_requests")) as writer:
            for record in _warmup_records(networks, endpoints, name):
                writer.write(record)
    for file in missing:
        with written_whole(directory / file) as staged:
            staged.write_text(texts[file])
    return path


# Settings

_BATCHING_PARAMS = """\
# tensorflow_model_server --enable_batching=true --batching_parameters_file=/models/batching_params.pbtxt
# Requests to one signature are joined along the first dimension, so all inputs of a request have the same one.
# A starting point for a small machine: threads = cores, and the longest wait that a lone request may have to bear.
max_batch_size { value: 64 }
batch_timeout_micros { value: 2000 }
num_batch_threads { value: 2 }
max_enqueued_batches { value: 100 }
"""


def _models_config(name: str, base_path: str) -> str:
    return f"""\
# tensorflow_model_server --model_config_file=/models/models.config
model_config_list {{
  config {{
    name: "{name}"
    base_path: "{base_path}"
    model_platform: "tensorflow"
    model_version_policy {{ latest {{ num_versions: 1 }} }}
  }}
}}
"""


def _exists(settings: Path) -> bool:
    """Whether there is such a file of settings.

    Raises:
        InputError: if there is something else of that name.
    """
    if settings.is_file():
        return True
    if os.path.lexists(settings):
        raise InputError(f"{settings} is no file of settings: remove it or choose another directory.")
    return False


def _check_config(config: Path, name: str, base_path: str | None) -> None:
    try:
        text = config.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{config} is no text: remove it or choose another directory.") from None
    except OSError as error:
        raise InputError(f"{config} cannot be read ({error.strerror}): choose another directory.") from error
    settings = re.sub(r"#.*", "", text)
    if not re.search(r"\bmodel_config_list\s*:?\s*[{<]", settings):
        raise InputError(f"{config} has no model_config_list: mend it, remove it or choose another directory.")
    for key, value in (("name", name), ("base_path", base_path)):
        if value is not None and not re.search(rf"\b{key}\s*:\s*([\"']){re.escape(value)}\1", settings):
            kind = "model" if key == "name" else "path"
            raise InputError(f"{config} does not list the {kind} {value!r}: add it there or choose another directory.")


# Warm-up


def _warmup_records(networks: Networks, endpoints: dict[str, Signature], name: str) -> Iterator[bytes]:
    """A request of one example for every signature, as serialised `PredictionLog`s."""
    black = np.full((1, *networks.image_shape), -1.0, np.float32)
    latent = np.zeros((1, *networks.latent_shape), np.float32)
    latent[..., 0] = 1.0  # of length one, as spherical mixing expects
    example = {
        "images": black,
        "latent": latent,
        "alpha": np.full(1, 0.5, np.float32),
        "image_bytes": to_files(black).numpy(),
    }
    aliases = {"image_a": "images", "image_b": "images", "image_a_bytes": "image_bytes", "image_b_bytes": "image_bytes"}
    for signature, endpoint in endpoints.items():
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
