"""LiteRT files against the Keras networks that they come from."""

import types

import numpy as np
import pytest
import tensorflow as tf
from trained_networks import LATENT, generator, noise, trained

from kerasinterp.errors import InputError
from kerasinterp.exporting import PRECISIONS, export_tflite
from kerasinterp.nn import mlp
from kerasinterp.ops.mixing import Bernoulli, Linear, PerFeature

# Largest error of a value in [-1, 1]: latent, image; and the file's size as a share of the float32 weights. LiteRT sums
# in another order than Keras; Keras's own decoder differs by 2e-6 (width 64) between batches of 1 and of 64.
TOLERANCES = {
    "float32": (2e-6, 2e-6, 1.1),
    "float16": (1e-3, 5e-3, 0.6),
    "dynamic": (2e-2, 5e-2, 0.4),
    "int8": (5e-2, 1e-1, 0.4),
}

# Not among them: RELU_N1_TO_1, which OpenVINO's reader (2026.4) does not know.
# fmt: off
ALLOWED = {
    "ADD", "ADD_N", "ATAN2", "AVERAGE_POOL_2D", "CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
    "DIV", "FULLY_CONNECTED", "GREATER", "L2_NORMALIZATION", "LEAKY_RELU", "MAXIMUM",
    "MAX_POOL_2D", "MEAN", "MUL", "NEG", "PACK", "PAD", "QUANTIZE", "RESHAPE",
    "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SELECT_V2", "SHAPE", "SIN", "SPLIT", "SQRT",
    "SQUARE", "SQUARED_DIFFERENCE", "STRIDED_SLICE",
    "SUB", "SUM", "TANH", "TRANSPOSE_CONV",
}
# fmt: on


def interpreter(path):
    return pytest.importorskip("ai_edge_litert.interpreter").Interpreter(str(path), num_threads=1)


def operators(path) -> list[tuple[str, int]]:
    """Each operator's name and the activation fused into it (0: none)."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    found = []
    for operator in (operator for graph in model.subgraphs for operator in graph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        fused = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
        found.append((names[max(code.builtinCode, code.deprecatedBuiltinCode)], fused))
    return found


def check_operators(path, int8: bool = False) -> None:
    found = operators(path)
    assert {name for name, _ in found} <= ALLOWED
    # OpenVINO overlooks an activation within a transposed convolution, without a word.
    assert int8 or not [name for name, fused in found if name == "TRANSPOSE_CONV" and fused]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_litert_is_near_keras(model, batch, tmp_path, precision):
    latent_tolerance, image_tolerance, share = TOLERANCES[precision]
    images = noise(2, 20) if precision == "int8" else None
    path = export_tflite(model, tmp_path / "model.tflite", precision, images)
    weights = 4 * (model.encoder.count_params() + model.decoder.count_params())
    assert path.stat().st_size < share * weights + 30_000, "weights are stored once"
    check_operators(path, precision == "int8")
    lite = interpreter(path)
    mixing = set() if precision == "int8" else {"interpolate"}
    assert set(lite.get_signature_list()) == {"encode", "decode"} | mixing
    some = {key: value[2:3] if precision == "dynamic" else value for key, value in batch.items()}
    latent = lite.get_signature_runner("encode")(images=some["a"])["latent"]
    np.testing.assert_allclose(latent, some["latent_a"], rtol=0, atol=latent_tolerance)
    # In int8 too, and for codes shorter than any that the calibration saw.
    np.testing.assert_allclose(np.linalg.norm(latent, axis=1), 1, rtol=0, atol=1e-2)
    decoded = lite.get_signature_runner("decode")(latent=some["latent_a"])["images"]
    np.testing.assert_allclose(decoded, some["decoded"], rtol=0, atol=image_tolerance)
    if precision != "int8":
        runner = lite.get_signature_runner("interpolate")
        mixed = runner(latent_a=some["latent_a"], latent_b=some["latent_b"], alpha=some["alpha"])["images"]
        np.testing.assert_allclose(mixed, some["interpolated"], rtol=0, atol=image_tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["acai", "dcgan", "resnet", "vgg"])
def test_every_backbone_becomes_litert(backbone, tmp_path):
    shape = (32, 64, 3)
    model = trained(backbone, shape, Linear())
    images = noise(0, 3, shape)
    latent = model.encoder(images, training=False).numpy()
    path = export_tflite(model, tmp_path / "model.tflite")
    check_operators(path)
    lite = interpreter(path)
    made = lite.get_signature_runner("encode")(images=images)["latent"]
    np.testing.assert_allclose(made, latent, rtol=0, atol=1e-5 * np.abs(latent).max())
    decoded = lite.get_signature_runner("decode")(latent=latent)["images"]
    expected = np.clip(model.decoder(latent, training=False), -1, 1)
    np.testing.assert_allclose(decoded, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("mixing", [Linear(), PerFeature(), Bernoulli()])
def test_latent_maps_and_a_linear_decoder(mixing, tmp_path):
    """ACAI's and AMR's models: latents (B, h, w, channels), images cut to the range."""
    shape = (16, 24, 3)
    model = trained("acai", shape, mixing, 4)
    a, b = noise(0, 3, shape), noise(1, 3, shape)
    alpha = np.array([0.2, 0.5, 0.9], np.float32)
    codes = [model.encoder(images, training=False) for images in (a, b)]
    last = model.decoder.layers[-2]
    last.kernel.assign(last.kernel * 2.0 / np.abs(model.decoder(codes[0])).max())  # beyond the range
    raw = model.decoder(model.mixing(*codes, tf.constant(alpha)), training=False).numpy()
    assert np.abs(raw).max() > 1.2
    path = export_tflite(model, tmp_path / "model.tflite")
    check_operators(path)
    lite = interpreter(path)
    latent = [lite.get_signature_runner("encode")(images=images)["latent"] for images in (a, b)]
    mixed = lite.get_signature_runner("interpolate")(latent_a=latent[0], latent_b=latent[1], alpha=alpha)["images"]
    np.testing.assert_allclose(mixed, np.clip(raw, -1, 1), rtol=0, atol=1e-5)
    if isinstance(mixing, Linear):
        lite = interpreter(export_tflite(model, tmp_path / "small.tflite", "int8", a))
        decoded = lite.get_signature_runner("decode")(latent=codes[0].numpy())["images"]
        np.testing.assert_allclose(decoded, np.clip(model.decoder(codes[0]), -1, 1), rtol=0, atol=0.15)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_generator_decodes_by_default(precision, tmp_path):
    model = generator()
    lite = interpreter(export_tflite(model, tmp_path / "model.tflite", precision))
    assert set(lite.get_signature_list()) == {"decode", "serving_default"}
    latents = model.prior(1, 5).numpy()
    for name in ("decode", "serving_default"):
        images = lite.get_signature_runner(name)(latent=latents)["images"]
        tolerance = 3 * TOLERANCES[precision][1]  # longer latents than an encoder's
        np.testing.assert_allclose(images, model.decode(latents), rtol=0, atol=tolerance)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_models_of_points(precision, tmp_path):
    model = types.SimpleNamespace(
        encoder=mlp.encoder((2,), 3, width=16),
        decoder=mlp.decoder((2,), 3, width=16),
        mixing=Linear(),
        image_shape=(2,),
    )
    points = noise(0, 50, (2,))
    given = points if precision == "int8" else None
    lite = interpreter(export_tflite(model, tmp_path / "model.tflite", precision, given))
    latent = lite.get_signature_runner("encode")(images=points[:1])["latent"]
    expected = model.encoder(points[:1], training=False).numpy()
    tolerance = TOLERANCES[precision][1]
    np.testing.assert_allclose(latent, expected, rtol=0, atol=tolerance)
    made = lite.get_signature_runner("decode")(latent=expected)["images"]
    np.testing.assert_allclose(made, np.clip(model.decoder(expected, training=False), -1, 1), rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"precision": "flaot16"}, "Unknown precision 'flaot16': .* Did you mean 'float16'"),
        ({"precision": "int8"}, "int8 needs representative_images"),
        ({"representative_images": noise(0)}, "representative_images are for int8 alone: leave them out of float32"),
    ],
)
def test_what_cannot_be_made_is_refused(model, tmp_path, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        export_tflite(model, tmp_path / "model.tflite", **arguments)
    assert not list(tmp_path.iterdir())


def test_batches(tmp_path):
    for precision, batch in {"float32": -1, "dynamic": 1}.items():
        lite = interpreter(export_tflite(generator(), tmp_path / precision, precision))
        details = lite.get_signature_runner("decode").get_input_details()["latent"]
        assert list(details["shape_signature"]) == [batch, LATENT]
