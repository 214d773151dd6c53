"""Keras's own call."""

import pytest
import tensorflow as tf
from trained_networks import generator

from kerasinterp import exporting
from kerasinterp.errors import InputError


@pytest.mark.slow
def test_keras_formats_are_ours(tmp_path):
    model = generator()
    assert exporting.export_as(model, tmp_path / "saved", verbose=False) == tmp_path / "saved"
    assert set(tf.saved_model.load(str(tmp_path / "saved")).signatures) == {"decode", "serving_default"}
    exporting.export_as(model, tmp_path / "lite", format="litert")
    exporting.export_as(model, tmp_path / "small", format="tflite", precision="float16", input_signature=None)
    assert (tmp_path / "small").stat().st_size < 0.7 * (tmp_path / "lite").stat().st_size


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"format": "onnx"}, "Unknown format 'onnx': choose one of tf_saved_model, litert, tflite"),
        ({"format": "tf_saved_mode"}, "Did you mean 'tf_saved_model'"),
        ({"precision": "float16"}, "tf_saved_model takes no precision"),
        ({"input_signature": []}, "tf_saved_model takes no input_signature"),
        ({"format": "litert", "input_signature": []}, "litert takes no input_signature: .* options are precision"),
    ],
)
def test_other_formats_and_options_are_refused(tmp_path, options, sentence):
    with pytest.raises(InputError, match=sentence):
        exporting.export_as(generator(), tmp_path / "out", **options)
    assert not list(tmp_path.iterdir())
