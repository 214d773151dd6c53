"""The layers give what Keras' give, whatever their options, and take the quick way where it is one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.nn import convolution


@pytest.fixture
def quick(monkeypatch):
    """Which quick functions were called; on a machine without a GPU."""
    called = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    for name in ("conv2d", "conv2d_transpose"):
        whole = getattr(convolution.convolution, name)
        monkeypatch.setattr(
            convolution.convolution,
            name,
            lambda *given, _name=name, _whole=whole: called.append(_name) or _whole(*given),
        )
    return called


def compare(name, options, shape):
    """Values and gradients of our layer and of Keras' with the same weights."""
    settings = {"filters": 4, "kernel_size": 4, "strides": 2, "padding": "same", "activation": "tanh"} | options
    x = tf.constant(np.random.default_rng(0).standard_normal((2, *shape)), tf.float32)
    ours, theirs = (getattr(module, name)(**settings) for module in (convolution, keras.layers))
    weights, found = None, []
    for layer in (theirs, ours):
        layer.build(x.shape)
        if weights is None:
            weights = [np.random.default_rng(n).standard_normal(w.shape) / 4 for n, w in enumerate(layer.weights)]
        layer.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = layer(x)
            loss = tf.reduce_sum(values**2)
        variables = [variable.value for variable in layer.trainable_variables]
        found.append([values, *tape.gradient(loss, [x, *variables])])
    for mine, expected in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "options", "shape", "is_quick"),
    [
        ("Conv2D", {}, (8, 6, 3), True),
        ("Conv2D", {"use_bias": False}, (8, 6, 3), True),
        ("Conv2D", {}, (7, 6, 3), False),  # odd sides, which are halved with a remainder
        ("Conv2D", {}, (8, 5, 3), False),
        ("Conv2D", {"kernel_size": 3}, (8, 6, 3), False),
        ("Conv2D", {"kernel_size": (4, 3)}, (8, 6, 3), False),
        ("Conv2D", {"strides": 1}, (8, 6, 3), False),
        ("Conv2D", {"padding": "valid"}, (8, 6, 3), False),
        ("Conv2D", {"strides": 1, "dilation_rate": 2}, (8, 6, 3), False),
        ("Conv2D", {"groups": 2}, (8, 6, 4), False),
        ("Conv2DTranspose", {}, (4, 3, 3), True),
        ("Conv2DTranspose", {"use_bias": False}, (4, 3, 3), True),
        ("Conv2DTranspose", {"kernel_size": 3}, (4, 3, 3), False),
        ("Conv2DTranspose", {"strides": 1}, (4, 3, 3), False),
        ("Conv2DTranspose", {"padding": "valid"}, (4, 3, 3), False),
        ("Conv2DTranspose", {"output_padding": 1}, (4, 3, 3), False),
    ],
)
def test_layers_equal_keras(name, options, shape, is_quick, quick):
    compare(name, options, shape)
    assert set(quick) == ({"conv2d" if name == "Conv2D" else "conv2d_transpose"} if is_quick else set())


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose"])
def test_a_gpu_has_its_own_quick_gradients(name, quick, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["one"] if kind == "GPU" else [])
    compare(name, {}, (8, 6, 3))
    assert not quick


@pytest.mark.parametrize("name", ["Conv2D", "Conv2DTranspose"])
def test_images_of_unknown_size(name, quick):
    layer = getattr(convolution, name)(4, 4, 2, "same")
    layer.build((None, None, None, 3))
    call = tf.function(layer, [tf.TensorSpec((None, None, None, 3))], autograph=False)
    assert call(tf.zeros((2, 6, 4, 3))).shape == ((2, 3, 2, 4) if name == "Conv2D" else (2, 12, 8, 4))
    assert not quick
