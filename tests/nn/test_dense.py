"""The dense layer of many units against NumPy and Keras, in training and elsewhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.nn import dense
from kerasinterp.nn.dense import Dense


def draws(shape, seed):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def layer_and_input(**options):
    layer, x = Dense(1024, **options), draws((5, 6), 1)
    layer.build(x.shape)
    layer.kernel.assign(draws((6, 1024), 2))
    return layer, tf.constant(x)


@pytest.mark.parametrize("training", [True, False])
def test_values_and_gradients_against_numpy(training):
    layer, x = layer_and_input(activation="relu")
    layer.bias.assign(draws(1024, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=training)
        loss = tf.reduce_sum(y**2)
    expected = np.maximum(x.numpy() @ layer.kernel.numpy() + layer.bias.numpy(), 0.0)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    upstream = 2.0 * expected
    wanted = upstream @ layer.kernel.numpy().T, x.numpy().T @ upstream, upstream.sum(axis=0)
    found = tape.gradient(loss, [x, layer.kernel.value, layer.bias.value])
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-2)


def test_the_gradient_of_a_gradient():
    layer, x = layer_and_input(use_bias=False)

    def penalty(network):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                score = tf.reduce_sum(tf.sin(network(x)))
            norm = tf.reduce_sum(inner.gradient(score, x) ** 2)
        return outer.gradient(norm, layer.kernel.value)

    found = penalty(lambda x: layer(x, training=True))
    wanted = penalty(lambda x: tf.matmul(x, layer.kernel.value))
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-2 * np.abs(wanted).max())


def test_the_rows_are_moved_apart_where_it_pays(monkeypatch):
    calls = []
    monkeypatch.setattr(dense, "_product", lambda x, kernel: calls.append(kernel.shape[1]) or tf.matmul(x, kernel))
    for units, policy, training in (
        (1024, "float32", True),  # the one case
        (1024, "float32", False),
        (1000, "float32", True),
        (1024, "mixed_bfloat16", True),
    ):
        Dense(units, dtype=policy)(draws((2, 3), 0), training=training)
    assert calls == [1024]


def test_the_layer_saves_and_loads(tmp_path):
    network = keras.Sequential([keras.Input((6,)), Dense(1024, name="dense")])
    network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0]) is Dense
    np.testing.assert_array_equal(loaded(draws((2, 6), 0)), network(draws((2, 6), 0)))
