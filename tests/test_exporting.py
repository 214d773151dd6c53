"""SavedModel and LiteRT exports against the Keras networks that they come from."""

import contextlib
import dataclasses
import importlib
import io
import pathlib
import resource
import subprocess
import sys
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasinterp import exporting
from kerasinterp.errors import InputError
from kerasinterp.exporting import export_saved_model, export_tflite
from kerasinterp.nn import acai, infogan
from kerasinterp.ops.mixing import Bernoulli, Linear, PerFeature, Spherical

SHAPE = (28, 28, 1)
LATENT = 8


@dataclasses.dataclass
class TrainedModel:
    """What exporting needs of an objective, with weights that spread the outputs as training does."""

    encoder: keras.Model
    decoder: keras.Model
    mixing: Callable = dataclasses.field(default_factory=Spherical)
    image_shape: tuple[int, int, int] = SHAPE


def trained_model() -> TrainedModel:
    model = TrainedModel(
        infogan.encoder(SHAPE, LATENT, width=8, seed=1), infogan.decoder(SHAPE, LATENT, width=8, seed=2)
    )
    random = np.random.default_rng(0)
    for network in (model.encoder, model.decoder):
        for weight in network.weights:
            fan_in = np.prod(weight.shape[:-1])
            if weight.name == "kernel":
                weight.assign(random.normal(scale=np.sqrt(2 / fan_in), size=weight.shape))
            elif weight.name in ("gamma", "moving_variance"):
                weight.assign(random.uniform(0.5, 1.5, weight.shape))
            else:
                weight.assign(random.normal(scale=0.1, size=weight.shape))
    return model


@pytest.fixture(scope="module")
def model():
    return trained_model()


@pytest.fixture(scope="module")
def batch(model):
    """Inputs and what Keras makes of them."""
    random = np.random.default_rng(1)
    a, b = (random.uniform(-1, 1, (5, *SHAPE)).astype(np.float32) for _ in range(2))
    alpha = np.linspace(0, 1, 5, dtype=np.float32)
    latent_a, latent_b = (model.encoder(images, training=False) for images in (a, b))
    interpolated = model.decoder(model.mixing(latent_a, latent_b, tf.constant(alpha)), training=False)
    return {
        "a": a,
        "b": b,
        "alpha": alpha,
        "latent_a": latent_a.numpy(),
        "latent_b": latent_b.numpy(),
        "decoded": model.decoder(latent_a, training=False).numpy(),
        "interpolated": interpolated.numpy(),
    }


@pytest.fixture(scope="module")
def saved_model(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture(scope="module")
def signatures(saved_model):
    loaded = tf.saved_model.load(str(saved_model))
    return loaded.signatures


def image_file(pixels, form="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def test_float_signatures_equal_keras(signatures, batch):
    assert batch["interpolated"].std() > 0.1, "a constant image would equal anything"
    cases = {
        "encode": ({"images": batch["a"]}, "latent", batch["latent_a"]),
        "decode": ({"latent": batch["latent_a"]}, "images", batch["decoded"]),
        "interpolate": (
            {"image_a": batch["a"], "image_b": batch["b"], "alpha": batch["alpha"]},
            "images",
            batch["interpolated"],
        ),
        "serving_default": ({"images": batch["a"]}, "images", batch["decoded"]),
    }
    for name, (inputs, output, expected) in cases.items():
        result = signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
        assert list(result) == [output]
        np.testing.assert_allclose(result[output], expected, rtol=0, atol=1e-6, err_msg=name)


def test_signatures_are_named_and_batched(signatures):
    assert set(signatures) == {
        "encode",
        "decode",
        "interpolate",
        "encode_image_bytes",
        "interpolate_image_bytes",
        "serving_default",
    }
    for signature in signatures.values():
        for spec in signature.structured_input_signature[1].values():
            assert spec.shape[0] is None
        for name, spec in signature.structured_outputs.items():
            assert spec.shape[0] is None
            assert (spec.dtype == tf.string) == name.endswith("_bytes"), "TF Serving sends only *_bytes as base64"


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_image_bytes_of_the_model_size_are_read_as_pixels(signatures, model, form):
    files = [image_file(np.random.default_rng(seed).integers(0, 256, SHAPE[:2], np.uint8), form) for seed in range(3)]
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(file)), np.float32)[..., None] for file in files])
    latent = signatures["encode_image_bytes"](image_bytes=tf.constant(files))["latent"]
    # JPEG decoders may differ by a grey level.
    expected = model.encoder(pixels / 127.5 - 1, training=False)
    np.testing.assert_allclose(latent, expected, rtol=0, atol=1e-6 if form == "PNG" else 2e-2)


def test_image_bytes_of_other_sizes_are_cropped_and_resized(signatures, model):
    # A white square about the centre of a wide colour image, at twice the model's size.
    wide = np.zeros((56, 120, 3), np.uint8)
    wide[14:42, 46:74] = 255
    small = np.full((1, *SHAPE), -1, np.float32)
    small[:, 7:21, 7:21] = 1
    pixels = exporting._from_files(tf.constant([image_file(wide)]), SHAPE)
    assert float(tf.reduce_mean(tf.abs(pixels - small))) < 0.05
    with_alpha = np.dstack([wide, np.full(wide.shape[:2], 255, np.uint8)])
    for pixels in (wide, with_alpha, wide[..., 0]):
        latent = signatures["encode_image_bytes"](image_bytes=tf.constant([image_file(pixels)]))["latent"]
        assert float(tf.reduce_sum(latent * model.encoder(small, training=False))) > 0.95


def test_interpolation_of_image_bytes_is_a_png(signatures, model):
    pixels = [np.random.default_rng(seed).integers(0, 256, SHAPE[:2], np.uint8) for seed in range(2)]
    a, b = (tf.constant([image_file(image)] * 3) for image in pixels)
    alpha = np.array([0, 0.4, 1], np.float32)
    files = signatures["interpolate_image_bytes"](image_a_bytes=a, image_b_bytes=b, alpha=tf.constant(alpha))
    latent_a, latent_b = (model.encoder(image[None, ..., None] / 127.5 - 1, training=False) for image in pixels)
    mixed = model.mixing(tf.repeat(latent_a, 3, axis=0), tf.repeat(latent_b, 3, axis=0), alpha)
    expected = (model.decoder(mixed, training=False).numpy()[..., 0] + 1) * 127.5
    for file, image in zip(files["image_bytes"].numpy(), expected, strict=True):
        assert file.startswith(b"\x89PNG")
        np.testing.assert_allclose(np.asarray(Image.open(io.BytesIO(file)), np.float32), image, rtol=0, atol=0.51)


def test_each_weight_is_stored_once(model, saved_model):
    weights = 4 * (model.encoder.count_params() + model.decoder.count_params())
    assert sum(file.stat().st_size for file in (saved_model / "variables").iterdir()) < 1.05 * weights + 10_000


def test_runs_without_keras_and_kerasinterp(saved_model, batch, tmp_path):
    np.savez(tmp_path / "batch.npz", **batch)
    script = """
import sys
for name in ("keras", "tf_keras", "kerasinterp"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
batch = np.load(sys.argv[2])
signatures = tf.saved_model.load(sys.argv[1]).signatures
images = signatures["interpolate"](
    image_a=tf.constant(batch["a"]), image_b=tf.constant(batch["b"]), alpha=tf.constant(batch["alpha"])
)["images"]
assert np.abs(images - batch["interpolated"]).max() < 1e-6
signatures["encode_image_bytes"](image_bytes=tf.io.encode_png(np.zeros((9, 9, 1), np.uint8))[None])
assert not [name for name, module in sys.modules.items() if name.split(".")[0] == "keras" and module]
"""
    command = [sys.executable, "-c", script, str(saved_model), str(tmp_path / "batch.npz")]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_rebuilt_in_float32(model, batch, policy):
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        mixed = TrainedModel(infogan.encoder(SHAPE, LATENT, width=8), infogan.decoder(SHAPE, LATENT, width=8))
        mixed.encoder.set_weights(model.encoder.get_weights())
        mixed.decoder.set_weights(model.decoder.get_weights())
        assert np.abs(mixed.encoder(batch["a"]) - batch["latent_a"]).max() > 1e-4
        networks = exporting._Networks.of(mixed)
        np.testing.assert_allclose(networks.encode(batch["a"]), batch["latent_a"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(networks.decode(batch["latent_a"]), batch["decoded"], rtol=0, atol=1e-6)
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def test_float32_networks_are_not_copied(model):
    assert exporting._Networks.of(model).encoder is model.encoder


# Largest error of a value in [-1, 1]: latent, image; and the file's size as a share of the float32 weights. LiteRT sums
# in another order than Keras; Keras's own decoder differs by 2e-6 (width 64) between batches of 1 and of 64.
TOLERANCES = {
    "float32": (2e-6, 2e-6, 1.1),
    "float16": (1e-3, 5e-3, 0.6),
    "dynamic": (2e-2, 5e-2, 0.4),
    "int8": (5e-2, 1e-1, 0.4),
}


@pytest.mark.parametrize("precision", exporting.PRECISIONS)
def test_litert_is_near_keras(model, batch, tmp_path, precision):
    interpreters = pytest.importorskip("ai_edge_litert.interpreter")
    latent_tolerance, image_tolerance, share = TOLERANCES[precision]
    images = np.random.default_rng(2).uniform(-1, 1, (20, *SHAPE)) if precision == "int8" else None
    path = export_tflite(model, tmp_path / "model.tflite", precision, images)
    weights = 4 * (model.encoder.count_params() + model.decoder.count_params())
    assert path.stat().st_size < share * weights + 30_000, "weights are stored once"
    interpreter = interpreters.Interpreter(str(path), num_threads=1)
    mixing = set() if precision == "int8" else {"interpolate"}
    assert set(interpreter.get_signature_list()) == {"encode", "decode"} | mixing
    some = {key: value[2:3] if precision == "dynamic" else value for key, value in batch.items()}
    latent = interpreter.get_signature_runner("encode")(images=some["a"])["latent"]
    np.testing.assert_allclose(latent, some["latent_a"], rtol=0, atol=latent_tolerance)
    # In int8 too, and for codes shorter than any that the calibration saw.
    np.testing.assert_allclose(np.linalg.norm(latent, axis=1), 1, rtol=0, atol=1e-2)
    decoded = interpreter.get_signature_runner("decode")(latent=some["latent_a"])["images"]
    np.testing.assert_allclose(decoded, some["decoded"], rtol=0, atol=image_tolerance)
    if precision != "int8":
        runner = interpreter.get_signature_runner("interpolate")
        mixed = runner(latent_a=some["latent_a"], latent_b=some["latent_b"], alpha=some["alpha"])["images"]
        np.testing.assert_allclose(mixed, some["interpolated"], rtol=0, atol=image_tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["acai", "dcgan", "resnet", "vgg"])
def test_every_backbone_becomes_litert(backbone, tmp_path):
    interpreters = pytest.importorskip("ai_edge_litert.interpreter")
    networks = importlib.import_module(f"kerasinterp.nn.{backbone}")
    shape = (32, 32, 3)
    encoder, decoder = networks.encoder(shape, 8, width=4), networks.decoder(shape, 8, width=4)
    model = TrainedModel(encoder, decoder, Linear(), shape)
    images = np.random.default_rng(0).uniform(-1, 1, (3, *shape)).astype(np.float32)
    latent = encoder(images, training=False).numpy()
    interpreter = interpreters.Interpreter(str(export_tflite(model, tmp_path / "model.tflite")), num_threads=1)
    made = interpreter.get_signature_runner("encode")(images=images)["latent"]
    np.testing.assert_allclose(made, latent, rtol=0, atol=1e-5 * np.abs(latent).max())
    decoded = interpreter.get_signature_runner("decode")(latent=latent)["images"]
    np.testing.assert_allclose(decoded, decoder(latent, training=False), rtol=0, atol=1e-5)


@pytest.mark.parametrize("mixing", [Linear(), PerFeature(), Bernoulli()])
def test_latent_maps_and_a_linear_decoder(mixing, tmp_path):
    """ACAI's and AMR's models: latents (B, h, w, channels), images cut to the range."""
    interpreters = pytest.importorskip("ai_edge_litert.interpreter")
    shape, random = (16, 16, 1), np.random.default_rng(0)
    model = TrainedModel(acai.encoder(shape, 4, width=4), acai.decoder(shape, 4, width=4), mixing, shape)
    a, b = (random.uniform(-1, 1, (3, *shape)).astype(np.float32) for _ in range(2))
    alpha = np.array([0.2, 0.5, 0.9], np.float32)
    codes = [model.encoder(images, training=False) for images in (a, b)]
    last = model.decoder.layers[-2]
    last.kernel.assign(last.kernel * 2.0 / np.abs(model.decoder(codes[0])).max())  # beyond the range
    raw = model.decoder(model.mixing(*codes, tf.constant(alpha)), training=False).numpy()
    assert np.abs(raw).max() > 1.2
    expected = np.clip(raw, -1.0, 1.0)
    signature = tf.saved_model.load(str(export_saved_model(model, tmp_path / "saved"))).signatures["interpolate"]
    made = signature(image_a=tf.constant(a), image_b=tf.constant(b), alpha=tf.constant(alpha))["images"]
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-5)
    interpreter = interpreters.Interpreter(str(export_tflite(model, tmp_path / "model.tflite")), num_threads=1)
    latent = [interpreter.get_signature_runner("encode")(images=images)["latent"] for images in (a, b)]
    runner = interpreter.get_signature_runner("interpolate")
    mixed = runner(latent_a=latent[0], latent_b=latent[1], alpha=alpha)["images"]
    np.testing.assert_allclose(mixed, expected, rtol=0, atol=1e-5)
    assert (exporting.export_serving(model, tmp_path / "models") / "assets.extra").is_dir()
    if isinstance(mixing, Linear):
        interpreter = interpreters.Interpreter(str(export_tflite(model, tmp_path / "small.tflite", "int8", a)))
        decoded = interpreter.get_signature_runner("decode")(latent=codes[0].numpy())["images"]
        np.testing.assert_allclose(decoded, np.clip(model.decoder(codes[0]), -1.0, 1.0), rtol=0, atol=0.1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"precision": "flaot16"}, "Unknown precision 'flaot16': .* Did you mean 'float16'"),
        ({"precision": "int8"}, "int8 needs representative_images"),
        (
            {"precision": "int8", "representative_images": np.zeros((3, 9, 9, 1), np.uint8)},
            r"must be \(N, 28, 28, 1\) with N",
        ),
        ({"precision": "int8", "representative_images": np.full((3, *SHAPE), 200.0)}, "uint8 in .* or floats in"),
        ({"precision": "int8", "representative_images": np.full((3, *SHAPE), np.nan)}, "uint8 in .* or floats in"),
    ],
)
def test_litert_refuses(model, tmp_path, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        export_tflite(model, tmp_path / "model.tflite", **arguments)
    assert not list(tmp_path.iterdir())


def test_existing_output_is_kept(model, tmp_path):
    (tmp_path / "mine").write_text("precious")
    for export in (export_saved_model, export_tflite):
        with pytest.raises(InputError, match="exists: remove it"):
            export(model, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_model_from_elsewhere_is_refused(tmp_path):
    with pytest.raises(InputError, match="Functional cannot be exported, it has no encoder and no decoder"):
        export_saved_model(infogan.encoder(SHAPE, LATENT, width=8), tmp_path / "out")
    assert not list(tmp_path.iterdir())


@contextlib.contextmanager
def files_limited_to(size):
    """Every write beyond `size` bytes fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("export", [export_saved_model, export_tflite])
def test_a_full_disk_leaves_nothing(model, tmp_path, export):
    with (
        files_limited_to(200_000),
        pytest.raises(OSError, match=r"out cannot be written \([^\[{;]+\): free space or choose"),
    ):
        export(model, tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("export", [export_saved_model, export_tflite])
def test_an_unwritable_place_is_named(model, tmp_path, export):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match=r"out cannot be written \(.*\): free space or choose another place"):
        export(model, tmp_path / "file" / "out")


def test_a_failure_while_writing_leaves_nothing(model, tmp_path, monkeypatch):
    def fail(path, target):
        assert list(path.iterdir()), "written beside its place before the rename"
        raise KeyboardInterrupt

    monkeypatch.setattr(pathlib.Path, "rename", fail)
    with pytest.raises(KeyboardInterrupt):
        export_saved_model(model, tmp_path / "out")
    assert not list(tmp_path.iterdir())
