import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import convolutional
from kerasinterp.nn.sub_pixel import SubPixel
from tests.nn.architecture import check_initial_weights, convolve, described

W = 4  # maps


@pytest.mark.parametrize(
    ("shape", "scales", "grid"),
    [((28, 28, 1), None, (7, 7)), ((32, 48, 3), None, (8, 12)), ((64, 64, 3), None, (8, 8)), ((16, 16, 1), 3, (2, 2))],
)
def test_shapes_and_ranges(shape, scales, grid):
    x = np.random.default_rng(0).uniform(-1, 1, (3, *shape)).astype(np.float32)
    codes = convolutional.encoder(shape, 5, W, scales=scales)(x)
    assert codes.shape == (3, *grid, 5)
    decoded = convolutional.decoder(shape, 5, W, scales=scales)(100.0 * codes)
    assert decoded.shape == x.shape
    assert np.abs(decoded).max() <= 1.0
    assert convolutional.discriminator(shape, W, scales=scales)(x).shape == (3, 1)


NORMALISED = [("BatchNormalization", 0.9, 1e-5), ("LeakyReLU", 0.2)]
BLOCK = [
    ("Conv2D", 2 * W, 3, 1, False),
    *NORMALISED,
    ("Conv2D", 2 * W, 3, 1, False),
    NORMALISED[0],
    ("Add",),
    ("LeakyReLU", 0.2),
]
DOWN = [("Conv2D", W, 4, 2, True), ("LeakyReLU", 0.2), ("Conv2D", 2 * W, 4, 2, False), *NORMALISED]


def test_layers():
    encoder = [*DOWN, *BLOCK, *BLOCK, ("Conv2D", 5, 3, 1, True), ("linear", "float32")]
    assert described(convolutional.encoder(latent_size=5, width=W)) == encoder
    up = [("Conv2D", 4 * W, 3, 1, False), ("SubPixel",), *NORMALISED]
    decoder = [("Conv2D", 2 * W, 3, 1, False), *NORMALISED, *BLOCK, *up, ("Conv2D", 4 * 1, 3, 1, True), ("SubPixel",)]
    assert described(convolutional.decoder(width=W, blocks=1)) == [*decoder, ("tanh", "float32")]
    discriminator = [*DOWN, ("Flatten",), ("Dense", 1, True), ("linear", "float32")]
    assert described(convolutional.discriminator(width=W)) == discriminator


def test_maps_double_up_to_eight_times_the_width():
    kernels = [layer for layer in convolutional.discriminator((64, 64, 1), W, scales=5).layers if "conv" in layer.name]
    assert [kernel.filters for kernel in kernels] == [W, 2 * W, 4 * W, 8 * W, 8 * W]


def test_a_residual_block_adds_to_what_comes_in():
    """leaky(x + BN(conv(leaky(BN(conv(x)))))), He et al. (2016), figure 2."""
    x = keras.Input((4, 4, 3))
    block = keras.Model(x, convolutional._blocks(x, 1, convolutional.Weights(0)))
    rng = np.random.default_rng(0)
    block.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in block.get_weights()])
    names = [layer.name for layer in block.layers]
    weights = {name: [w.numpy() for w in block.get_layer(name).weights] for name in names}
    images = rng.normal(size=(2, 4, 4, 3)).astype(np.float32)

    def normalised(y, name):
        gamma, beta, mean, variance = weights[name]
        return gamma * (y - mean) / np.sqrt(variance + 1e-5) + beta

    def leaky(y):
        return np.where(y > 0, y, 0.2 * y)

    y = leaky(normalised(convolve(images, *weights["block_1_first"]), "normalisation_block_1_first"))
    y = normalised(convolve(y, *weights["block_1_second"]), "normalisation_block_1_second")
    np.testing.assert_allclose(block(images), leaky(images + y), rtol=1e-4, atol=1e-4)


def test_sub_pixels_against_numpy():
    """Shi et al. (2016), equation 4: pixel (i, j) of a block is channel number block * i + j, colours within."""
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 12)).astype(np.float32)
    expected = x.reshape(2, 3, 5, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 6, 10, 3)
    layer = SubPixel(2)
    np.testing.assert_array_equal(layer(x), expected)
    assert layer.compute_output_shape(x.shape) == expected.shape
    assert SubPixel.from_config(layer.get_config()).get_config() == layer.get_config()
    assert SubPixel(3)(x[..., :9]).shape == (2, 9, 15, 1)


BUILDERS = {
    "encoder": lambda seed: convolutional.encoder(width=16, seed=seed),
    "decoder": lambda seed: convolutional.decoder(width=16, seed=seed),
}


@pytest.mark.parametrize("kind", BUILDERS)
def test_initial_weights(kind):
    """He's deviation for a leaky ReLU of 0.2: sqrt(2 / ((1 + 0.2^2) fan_in))."""
    check_initial_weights(BUILDERS[kind], lambda kernel: np.sqrt(2 / 1.04 / np.prod(kernel.shape[:-1])))


@pytest.mark.parametrize("kind", BUILDERS)
def test_gradients_and_saving(kind, tmp_path):
    network = BUILDERS[kind](1)
    x = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, *network.input_shape[1:])), tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((network(x, training=True) - 0.3) ** 2)
    for variable, found in zip(network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=1):
        assert np.abs(found).max() > 0, variable.path
    network.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(x), network(x))


def test_sides_that_cannot_be_halved():
    with pytest.raises(InputError, match="2 scales needs image sides divisible by 4, got 30 x 28"):
        convolutional.encoder((30, 28, 1))
