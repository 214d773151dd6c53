"""Critics of WGAN-GP: the encoder's architecture without batch normalisation, right to the second derivative."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from objective_test_case import in_float64

from kerasinterp.nn import acai, convolutional, dcgan, infogan, mlp
from kerasinterp.nn.backbone import Backbone, Facts
from kerasinterp.nn.net import Net
from kerasinterp.ops import gradients
from tests.nn.architecture import described

W = 8
SHAPES = [
    (infogan, (28, 28, 1)),
    (infogan, (32, 20, 3)),
    (convolutional, (28, 28, 1)),
    (convolutional, (64, 64, 3)),
    (dcgan, (64, 64, 3)),
    (dcgan, (64, 64, 1)),
    (dcgan, (128, 128, 3)),
]


@pytest.mark.parametrize(("backbone", "shape"), SHAPES)
def test_a_critic_is_the_discriminator_without_batch_normalisation(backbone, shape):
    critic, discriminator = backbone.critic(shape, W), backbone.discriminator(shape, W)
    assert critic.name == "critic"
    assert critic.output_shape == (None, 1)

    def kinds(network):
        return [[part for part in layer if not isinstance(part, bool)] for layer in described(network)]

    assert kinds(critic) == [layer for layer in kinds(discriminator) if layer[0] != "BatchNormalization"]
    for layer in critic.layers:
        assert getattr(layer, "use_bias", True)
    pair = backbone.critic((*shape[:2], 2 * shape[2]), W)
    assert pair.count_params() > critic.count_params()


@pytest.mark.parametrize("module", ["infogan", "dcgan", "convolutional"])
def test_who_lets_a_critic_normalise_gets_the_discriminator(module):
    """ACAI's critic: where a backbone has none of its own, it is the discriminator as ever."""
    shape = (16, 16, 1)
    made = Backbone(module, width=4).build(Net("critic"), "critic", 3, Facts(shape))
    other = Backbone(module, width=4).build(Net("discriminator"), "critic", 3, Facts(shape))
    assert made.get_config() == other.get_config()
    for mine, theirs in zip(made.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    plain = Backbone(module, width=4).build(Net("critic", images=2, batch_normalised=False), "critic", 3, Facts(shape))
    assert plain.input_shape == (None, 16, 16, 2)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in plain.layers)


@pytest.mark.parametrize(
    ("build", "shape", "width"),
    [
        (infogan.critic, (8, 8, 1), 4),  # one channel: windows as a product
        (infogan.critic, (8, 8, 2), 64),  # a dense layer of 1024; convolutions in phases, where that is quicker
        (infogan.critic, (12, 8, 6), 10),
        (dcgan.critic, (16, 16, 3), 4),
        (convolutional.critic, (16, 16, 1), 10),
        (acai.critic, (16, 16, 1), 4),
        (mlp.critic, (2,), 16),
    ],
    ids=lambda value: getattr(value, "__module__", "").split(".")[-1] or None,
)
def test_the_penaltys_gradient_at_a_critics_weights(build, shape, width):
    """In float64, along a random direction, against a central difference: through every layer of ours."""
    rng = np.random.default_rng(0)
    with in_float64():
        _check_slope(build(shape, width=width), shape, rng)


def _check_slope(critic, shape, rng):
    real, fake = (tf.constant(rng.uniform(-1, 1, (3, *shape))) for _ in range(2))
    epsilon = tf.constant(rng.uniform(size=3))
    variables = critic.trainable_variables
    for variable in variables:  # of a size at which every layer passes something on
        variable.assign(rng.normal(size=variable.shape) / np.sqrt(max(1, np.prod(variable.shape[:-1]))))

    def value():
        return tf.reduce_mean(gradients.penalty(critic, real, fake, epsilon))

    with tf.GradientTape() as tape:
        found = value()
    gradient = tape.gradient(found, [variable.value for variable in variables])
    assert float(found) > 0.0
    directions = [rng.normal(size=variable.shape) for variable in variables]
    slope = sum(np.sum(g * d) for g, d in zip(gradient, directions, strict=True) if g is not None)
    starts, sides = [variable.numpy() for variable in variables], []
    for side in (1e-6, -1e-6):
        for variable, start, direction in zip(variables, starts, directions, strict=True):
            variable.assign(start + side * direction)
        sides.append(float(value()))
    assert abs(slope) > 1e-3
    np.testing.assert_allclose(slope, (sides[0] - sides[1]) / 2e-6, rtol=1e-5)
