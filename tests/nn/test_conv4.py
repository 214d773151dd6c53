"""The embedding network of few-shot classification."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.nn import conv4
from tests.nn.architecture import check_initial_weights, described


def level(maps):
    convolution, pooling = ("Conv2D", maps, 3, 1, False), ("MaxPooling2D", (2, 2))
    return [convolution, pooling, ("BatchNormalization", 0.9, 1e-5), ("ReLU",)]


@pytest.mark.parametrize(
    ("shape", "maps"),
    [
        ((28, 28, 1), (6, 12, 24)),
        ((8, 8, 3), (6,)),
        ((20, 36, 1), (6, 12)),
        ((64, 64, 3), (6, 12, 24, 24)),  # four levels, as in the paper
    ],
)
def test_the_layers(shape, maps):
    """Maps double up to four times the width; some 4 x 4 pixels are left."""
    end = [("Flatten",), ("Dropout",), ("Dense", 5, True), ("softmax", "float32")]
    assert described(conv4.classifier(shape, 5, width=6)) == [*(layer for n in maps for layer in level(n)), *end]


def test_the_trunk_ends_where_the_classifier_is_flat():
    network = conv4.trunk((28, 28, 1), width=6)
    assert described(network) == [
        *(layer for n in (6, 12, 24) for layer in level(n)),
        ("Flatten",),
        ("linear", "float32"),
    ]
    assert network.output_shape == (None, 3 * 3 * 24)


def test_the_default_width_and_name():
    network = conv4.classifier((28, 28, 1), 36)
    assert network.name == "classifier"
    assert described(network)[0] == ("Conv2D", 32, 3, 1, False)
    assert network.get_layer("output").input.shape == (None, 3 * 3 * 128)  # its penultimate layer


def test_shares_of_the_classes_sum_to_one_and_dropout_is_for_training_alone():
    network = conv4.classifier((12, 20, 1), 7, width=4)
    images = np.random.default_rng(0).uniform(-1, 1, (6, 12, 20, 1)).astype(np.float32)
    shares = network(images).numpy()
    assert shares.shape == (6, 7)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(shares, network(images))
    assert not np.array_equal(network(images, training=True), network(images, training=True))


def test_initial_weights():
    """He et al. (2015): normal, of variance 2 / fan_in, zero bias; the same seed gives the same."""
    check_initial_weights(
        lambda seed: conv4.classifier((16, 16, 3), 40, width=16, seed=seed),
        lambda kernel: np.sqrt(2.0 / np.prod(kernel.shape[:-1])),
    )
    first, again = (conv4.classifier((16, 16, 1), 3, width=4, seed=3).get_weights() for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_a_gradient_reaches_every_weight_and_saving_keeps_the_outputs(tmp_path):
    network = conv4.classifier((16, 16, 1), 3, width=4)
    images = np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(network(images, training=True)[:, 0]))
    for variable, found in zip(network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=1):
        assert np.abs(found).max() > 0, variable.path
    network.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(images), network(images))
