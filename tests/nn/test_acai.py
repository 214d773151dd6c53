import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import acai
from tests.nn.architecture import check_initial_weights, convolve, described


def images(shape, count=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "scales", "grid"),
    [((32, 32, 1), None, (4, 4)), ((16, 24, 3), None, (4, 6)), ((20, 20, 3), 1, (10, 10)), ((8, 8, 1), 3, (1, 1))],
)
def test_shapes(shape, scales, grid):
    x = images(shape)
    codes = acai.encoder(shape, 5, 4, scales=scales)(x)
    assert codes.shape == (3, *grid, 5)
    assert acai.decoder(shape, 5, 4, scales=scales)(codes).shape == x.shape
    assert acai.critic(shape, 4, scales=scales)(x).shape == (3, 1)
    assert acai.discriminator(shape, 4, scales=scales)(x).shape == (3, 1)
    assert acai.latent_discriminator((*grid, 5))(codes).shape == (3, 1)


def convolutions(maps):
    """The weights of 3 x 3 convolutions with biases from the first of `maps` to the second, and so on."""
    return sum(9 * before * after + after for before, after in itertools.pairwise(maps))


def test_the_official_settings_size():
    """Lines (latent width 4, depth 16, latent 16): counted from the source's description."""
    down = 1 * 16 + 16 + convolutions([16, 16, 16, 32, 32, 64, 64, 128, 16])
    up = convolutions([16, 64, 64, 32, 32, 16, 16, 16, 1])
    assert acai.encoder().count_params() == acai.critic().count_params() == down
    assert acai.decoder().count_params() == up
    assert acai.discriminator().count_params() == down - convolutions([128, 16]) + convolutions([128, 1])


def test_the_critic_is_the_mean_over_an_encoders_outputs():
    encoder, critic, x = acai.encoder(width=4), acai.critic(width=4), images((32, 32, 1))
    assert not np.array_equal(encoder(x), acai.encoder(width=4, seed=1)(x))
    critic.set_weights(encoder.get_weights())
    np.testing.assert_allclose(critic(x)[:, 0], np.mean(encoder(x), axis=(1, 2, 3)), rtol=1e-5, atol=1e-7)


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def test_both_ways_against_numpy():
    encoder, decoder = acai.encoder((8, 8, 3), 2, 3), acai.decoder((8, 8, 3), 2, 3)
    rng = np.random.default_rng(1)
    for network in (encoder, decoder):
        network.set_weights([rng.normal(0, 0.3, w.shape) for w in network.get_weights()])
    colours, colours_bias, *rest = encoder.get_weights()
    first, second, third, last = zip(rest[::2], rest[1::2], strict=True)
    x = images((8, 8, 3))
    z = x @ colours[0, 0] + colours_bias
    z = leaky(convolve(leaky(convolve(z, *first)), *second))
    z = z.reshape(3, 4, 2, 4, 2, 3).mean(axis=(2, 4))
    z = convolve(leaky(convolve(z, *third)), *last)
    np.testing.assert_allclose(encoder(x), z, rtol=1e-4, atol=1e-5)
    weights = decoder.get_weights()
    first, second, third, last = zip(weights[::2], weights[1::2], strict=True)
    y = leaky(convolve(leaky(convolve(z, *first)), *second)).repeat(2, axis=1).repeat(2, axis=2)
    y = convolve(leaky(convolve(y, *third)), *last)
    np.testing.assert_allclose(decoder(z.astype(np.float32)), y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", [acai.encoder, acai.decoder, acai.critic, acai.discriminator])
def test_initial_weights(build):
    """Official lib/layers.py: normal, of deviation 1 / sqrt((1 + 0.2^2) fan_in), zero bias."""
    check_initial_weights(
        lambda seed: build((16, 16, 1), width=16, seed=seed),
        lambda kernel: ((1 + 0.2**2) * np.prod(kernel.shape[:-1])) ** -0.5,
    )
    first, again = (build((16, 16, 1), width=16, seed=3).get_weights() for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_the_official_layers():
    """Official acai.py of two scales, depth 6 and latents of 5 maps."""
    shape, leaky = (16, 24, 3), ("LeakyReLU", 0.2)
    down = [("Conv2D", 6, 1, 1, True)]
    for maps in (6, 12):
        down += [*[("Conv2D", maps, 3, 1, True), leaky] * 2, ("AveragePooling2D", (2, 2))]
    down += [("Conv2D", 24, 3, 1, True), leaky]
    assert described(acai.encoder(shape, 5, 6)) == [*down, ("Conv2D", 5, 3, 1, True), ("linear", "float32")]
    for network, channels in [(acai.critic(shape, 6), 16), (acai.discriminator(shape, 6), 1)]:
        mean = [("Reshape", -1, 1), ("GlobalAveragePooling1D",)]
        assert described(network) == [*down, ("Conv2D", channels, 3, 1, True), *mean]
    up = []
    for maps in (12, 6):
        up += [*[("Conv2D", maps, 3, 1, True), leaky] * 2, ("UpSampling2D", (2, 2), "nearest")]
    up += [("Conv2D", 6, 3, 1, True), leaky, ("Conv2D", 3, 3, 1, True), ("linear", "float32")]
    assert described(acai.decoder(shape, 5, 6)) == up


def test_the_defaults_are_those_of_lines():
    """32 x 32 pixels, grey, 16 maps at the first scale and in the latent."""
    images, codes = (None, 32, 32, 1), (None, 4, 4, 16)
    encoder, decoder = acai.encoder(), acai.decoder()
    assert (encoder.input_shape, encoder.output_shape) == (decoder.output_shape, decoder.input_shape) == (images, codes)
    for network in (encoder, acai.critic(), acai.discriminator()):
        assert network.input_shape == images
        assert described(network)[0] == ("Conv2D", 16, 1, 1, True)
    assert acai.decoder((64, 64, 3), 4, 2, scales=2).input_shape == (None, 16, 16, 4)


def test_the_images_range_is_a_choice():
    codes = 100.0 * np.random.default_rng(0).normal(size=(2, 4, 4, 16)).astype(np.float32)
    assert np.abs(acai.decoder(width=4)(codes)).max() > 1.0
    assert np.abs(acai.decoder(width=4, activation="tanh")(codes)).max() <= 1.0


@pytest.mark.parametrize("build", [acai.encoder, acai.decoder, acai.critic, acai.discriminator])
def test_a_gradient_reaches_every_weight_and_saving_keeps_the_outputs(build, tmp_path):
    network = build((16, 16, 1), width=4)
    x = images(network.input_shape[1:], count=8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(x, training=True) ** 2)
    for variable, found in zip(network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=1):
        assert np.abs(found).max() > 0, variable.path
    network.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(x), network(x))


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        built = [build((8, 8, 1), width=4) for build in (acai.encoder, acai.decoder, acai.critic, acai.discriminator)]
    finally:
        keras.config.set_dtype_policy("float32")
    for network in built:
        assert network(images(network.input_shape[1:])).dtype == tf.float32


@pytest.mark.parametrize(
    ("shape", "scales", "said"), [((28, 28, 1), None, "divisible by 8"), ((32, 32, 4), 3, "channels")]
)
def test_unsuitable_images_are_refused(shape, scales, said):
    for build in (acai.encoder, acai.decoder, acai.critic, acai.discriminator):
        with pytest.raises(InputError, match=said):
            build(shape, scales=scales)
