"""SavedModels against the Keras networks that they come from."""

import io
import subprocess
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from trained_networks import LATENT, SHAPE, generator, image_file, noise, trained

from kerasinterp.errors import InputError
from kerasinterp.exporting import export_saved_model
from kerasinterp.nn import mlp
from kerasinterp.ops.mixing import Bernoulli, Linear


@pytest.fixture(scope="module")
def saved_model(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture(scope="module")
def loaded(saved_model):
    return tf.saved_model.load(str(saved_model))


@pytest.fixture(scope="module")
def signatures(loaded):
    return loaded.signatures


def called(signature, **inputs):
    return {key: value.numpy() for key, value in signature(**{k: tf.constant(v) for k, v in inputs.items()}).items()}


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
        result = called(signatures[name], **inputs)
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


def test_image_bytes_of_the_model_size_are_read_as_pixels(signatures, model):
    pixels = [np.random.default_rng(seed).integers(0, 256, SHAPE[:2], np.uint8) for seed in range(3)]
    latent = called(signatures["encode_image_bytes"], image_bytes=[image_file(image) for image in pixels])["latent"]
    expected = model.encoder(np.stack(pixels)[..., None] / 127.5 - 1, training=False)
    np.testing.assert_allclose(latent, expected, rtol=0, atol=1e-6)


def test_interpolation_of_image_bytes_is_a_png(signatures, model):
    pixels = [np.random.default_rng(seed).integers(0, 256, SHAPE[:2], np.uint8) for seed in range(2)]
    a, b = ([image_file(image)] * 3 for image in pixels)
    alpha = np.array([0, 0.4, 1], np.float32)
    files = called(signatures["interpolate_image_bytes"], image_a_bytes=a, image_b_bytes=b, alpha=alpha)["image_bytes"]
    latent_a, latent_b = (model.encoder(image[None, ..., None] / 127.5 - 1, training=False) for image in pixels)
    mixed = model.mixing(tf.repeat(latent_a, 3, axis=0), tf.repeat(latent_b, 3, axis=0), alpha)
    expected = (model.decoder(mixed, training=False).numpy()[..., 0] + 1) * 127.5
    for file, image in zip(files, expected, strict=True):
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


def test_latent_maps_and_a_linear_decoder(tmp_path):
    """ACAI's and AMR's models: latents (B, h, w, channels), images cut to the range."""
    shape = (16, 24, 3)
    model = trained("acai", shape, Bernoulli(), 4)
    a, b = noise(0, 3, shape), noise(1, 3, shape)
    alpha = np.array([0.2, 0.5, 0.9], np.float32)
    last = model.decoder.layers[-2]
    last.kernel.assign(10.0 * last.kernel)  # beyond the range
    codes = [model.encoder(images, training=False) for images in (a, b)]
    raw = model.decoder(model.mixing(*codes, tf.constant(alpha)), training=False).numpy()
    assert np.abs(raw).max() > 1.2
    loaded = tf.saved_model.load(str(export_saved_model(model, tmp_path / "saved")))
    made = called(loaded.signatures["interpolate"], image_a=a, image_b=b, alpha=alpha)["images"]
    np.testing.assert_allclose(made, np.clip(raw, -1, 1), rtol=0, atol=1e-5)


def test_a_generator_decodes_by_default(tmp_path):
    model = generator()
    loaded = tf.saved_model.load(str(export_saved_model(model, tmp_path / "saved")))
    assert set(loaded.signatures) == {"decode", "serving_default"}
    latents = model.prior(3, 1)
    for signature in loaded.signatures.values():
        made = called(signature, latent=latents)
        np.testing.assert_allclose(made["images"], model.decode(latents), rtol=0, atol=1e-6)


def test_an_encoder_alone_encodes_by_default(model, batch, tmp_path):
    alone = types.SimpleNamespace(encoder=model.encoder, image_shape=SHAPE)
    loaded = tf.saved_model.load(str(export_saved_model(alone, tmp_path / "saved")))
    assert set(loaded.signatures) == {"encode", "encode_image_bytes", "serving_default"}
    made = called(loaded.signatures["serving_default"], images=batch["a"])["latent"]
    np.testing.assert_allclose(made, batch["latent_a"], rtol=0, atol=1e-6)


def test_without_a_mixing_nothing_is_interpolated(model, tmp_path):
    plain = types.SimpleNamespace(encoder=model.encoder, decoder=model.decoder, image_shape=SHAPE)
    loaded = tf.saved_model.load(str(export_saved_model(plain, tmp_path / "saved")))
    assert set(loaded.signatures) == {"encode", "decode", "encode_image_bytes", "serving_default"}


def test_models_of_points_are_refused(tmp_path):
    points = types.SimpleNamespace(
        encoder=mlp.encoder((2,), LATENT), decoder=mlp.decoder((2,), LATENT), mixing=Linear(), image_shape=(2,)
    )
    with pytest.raises(InputError, match=r"model of points .*: export it as tflite"):
        export_saved_model(points, tmp_path / "saved")
    assert not list(tmp_path.iterdir())
