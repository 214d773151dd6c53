"""Models trained in mixed precision become float32 ones, variable by variable."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.nn import infogan
from kerasinterp.nn.precision import in_float32

IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 1)).astype(np.float32)


def network(policy):
    keras.config.set_dtype_policy(policy)
    try:
        return infogan.encoder((8, 8, 1), 5, 4)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_copy_computes_as_if_trained_in_float32(policy):
    mixed, exact = network(policy), network("float32")
    copy = in_float32(mixed, always_copy=False)
    assert copy is not mixed
    assert {layer.compute_dtype for layer in copy.layers} == {"float32"}
    assert mixed.layers[1].compute_dtype == policy.removeprefix("mixed_")
    np.testing.assert_array_equal(copy(IMAGES), exact(IMAGES))
    mixed.layers[1].kernel.assign(tf.zeros_like(mixed.layers[1].kernel))
    np.testing.assert_array_equal(copy(IMAGES), exact(IMAGES))  # it shares nothing


def test_a_float32_model_is_copied_unless_it_need_not_be():
    exact = network("float32")
    assert in_float32(exact, always_copy=False) is exact
    copy = in_float32(exact)
    assert copy is not exact
    np.testing.assert_array_equal(copy(IMAGES), exact(IMAGES))


def test_layers_that_do_not_compute_with_floats_keep_their_types():
    inputs = keras.Input((3,), dtype="int32")
    kept = keras.Model(inputs, keras.layers.Rescaling(1, dtype="int32")(inputs))
    assert in_float32(kept).layers[1].dtype == "int32"
