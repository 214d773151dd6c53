"""The blocks that backbones share."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import layers
from kerasinterp.nn.batch_normalization import BatchNormalization
from kerasinterp.nn.exact_batch_normalization import ExactBatchNormalization


@pytest.mark.parametrize(
    ("shape", "scales"),
    [
        *[((32, 32, 1), 3), ((28, 28, 1), 3), ((64, 32, 3), 3), ((32, 64, 3), 3), ((64, 64, 3), 4), ((16, 16, 1), 2)],
        *[((8, 8, 1), 1), ((4, 4, 1), 1), ((1, 1, 1), 1), ((22, 22, 1), 2), ((23, 23, 1), 3), ((0, 5, 1), 1)],
    ],
)
def test_the_halvings_that_leave_4_pixels(shape, scales):
    """Official acai.py: round(log2(side / 4)), at least one; of the shorter side."""
    assert layers.scales_to_4x4(shape) == scales


def test_batch_normalisation_has_pytorchs_momentum_and_epsilon():
    """torch.nn.BatchNorm2d: momentum 0.1 of the new value, epsilon 1e-5."""
    x = keras.Input((4, 4, 2))
    for fused, kind in [(True, BatchNormalization), (False, ExactBatchNormalization)]:
        layer = keras.Model(x, layers.normalised(x, "relu", 7, fused)).layers[1]
        assert type(layer) is kind
        assert (layer.momentum, layer.epsilon, layer.name) == (0.9, 1e-5, "normalisation_7")


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.2)])
def test_activations(activation, slope):
    x = keras.Input((3,))
    network = keras.Model(x, layers.activated(x, activation, 1))
    np.testing.assert_allclose(network(tf.constant([[-2.0, 0.0, 3.0]])), [[-2.0 * slope, 0.0, 3.0]], rtol=1e-6)


@pytest.mark.parametrize("kind", ["latent", "probability", "code", "score"])
def test_heads_are_dense_layers_and_their_kind(kind):
    inputs = keras.Input((6,))
    network = keras.Model(inputs, layers.head(inputs, 4, layers.Weights(0), kind))
    dense, last = network.layers[1:]
    assert last.name == kind
    x = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    dense.set_weights([np.random.default_rng(1).normal(size=(6, 4)), np.arange(4.0)])
    y = x @ dense.kernel.numpy() + dense.bias.numpy()
    expected = {
        "latent": y / np.linalg.norm(y, axis=1, keepdims=True),
        "probability": np.exp(y) / np.exp(y).sum(axis=1, keepdims=True),
    }.get(kind, y)
    np.testing.assert_allclose(network(x), expected, rtol=1e-4, atol=1e-6)


def test_what_leaves_a_network_is_float32():
    x = keras.Input((4, 4, 2), dtype="bfloat16")
    values = tf.constant(np.linspace(-3, 3, 32).reshape(1, 4, 4, 2), tf.bfloat16)
    exact = tf.cast(values, tf.float32)
    for output, expected in [
        (layers.code(x), exact),
        (layers.image(x), tf.tanh(exact)),
        (layers.image(x, "linear"), exact),
    ]:
        found = keras.Model(x, output)(values)
        assert found.dtype == tf.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [None, 2.0])
def test_initialisers_are_reproducible_and_all_differ(scale):
    """Also between networks of one system, whose seeds follow each other."""
    drawn = [
        initialiser((40, 50)).numpy()
        for weights in (layers.Weights(seed, scale) for seed in (0, 1, 2))
        for initialiser in (weights(), weights(), weights())
    ]
    assert len({values.tobytes() for values in drawn}) == 9
    deviation = 0.02 if scale is None else (scale / 40) ** 0.5
    for values in drawn:
        assert values.std() == pytest.approx(deviation, rel=0.08)
        assert np.abs(values).max() > 2.5 * deviation  # not truncated
    again = layers.Weights(1, scale)
    np.testing.assert_array_equal(again()((40, 50)), drawn[3])


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((30, 32, 1), "divisible by 4, got 30 x 32"),
        ((32, 30, 1), "divisible by 4, got 32 x 30"),
        ((0, 4, 1), "divisible by 4"),
        ((4, 0, 1), "divisible by 4"),
        ((48, 66, 3), r"This one needs image sides divisible by 4, got 48 x 66 pixels: 48 x 68 is the nearest"),
        ((1, 101, 3), r"got 1 x 101 pixels: 4 x 100 is the nearest"),
        ((8, 8, 5), "got 5 channels"),
        ((8, 8, 4), "got 4 channels"),
    ],
)
def test_images_that_no_network_takes(shape, said):
    with pytest.raises(InputError, match=said):
        layers.check_image_shape(shape, 4, "This one")


def test_images_that_networks_take():
    for shape in [(4, 4, 1), (8, 12, 3)]:
        assert layers.check_image_shape([*map(np.int64, shape)], 4, "This one") == shape
