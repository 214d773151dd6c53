import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import acai, resnet, vgg
from kerasinterp.nn.exact_batch_normalization import ExactBatchNormalization
from tests.nn.architecture import check_initial_weights, described

BUILDERS = {"encoder": vgg.encoder, "decoder": vgg.decoder, "discriminator": vgg.discriminator}


def draws(shape, count=6, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, (count, *shape)), tf.float32)


@pytest.mark.parametrize("shape", [(16, 16, 1), (32, 48, 3), (64, 64, 1)])
def test_shapes_and_ranges(shape):
    x = draws(shape, 2)
    codes = vgg.encoder(shape, 7, 2)(x)
    assert codes.shape == (2, 7)
    decoded = vgg.decoder(shape, 7, 2)(100.0 * codes)
    assert decoded.shape == x.shape
    assert np.abs(decoded).max() <= 1.0
    assert vgg.discriminator(shape, 2)(x).shape == (2, 1)


def test_the_papers_maps():
    """Section 2.3: from 16 maps to 128, flattened, to a latent of 256; the decoder is symmetrical."""
    encoder, decoder = vgg.encoder(), vgg.decoder()
    down = [layer.filters for layer in encoder.layers if isinstance(layer, keras.layers.Conv2D)]
    up = [layer.filters for layer in decoder.layers if isinstance(layer, keras.layers.Conv2D)]
    assert down == [16, 32, 64, 128]
    assert up == [64, 32, 16, 3]
    assert encoder.output_shape == decoder.input_shape == (None, 256)
    learned = [layer for network in (encoder, decoder) for layer in network.layers if hasattr(layer, "kernel")]
    normalised = [layer for network in (encoder, decoder) for layer in network.layers if hasattr(layer, "moving_mean")]
    assert len(normalised) == len(learned) - 2  # all but the two outputs
    assert sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in encoder.layers) == 4


def layers_of(kind, norm):
    """Section 2.3 with W maps for its 16, images of 32 x 48: blocks, then fully connected layers, both ways."""

    def after(activation="ReLU"):
        return [(norm, 0.9, 1e-5), (activation,)] if norm else [("LeakyReLU", 0.2)]

    if kind == "decoder":
        expected = [("Dense", 32 * W, False), *after(), ("Dense", 2 * 3 * 8 * W, False), *after()]
        expected.append(("Reshape", 2, 3, 8 * W))
        for maps in (4 * W, 2 * W, W):
            expected += [("UpSampling2D", (2, 2), "nearest"), ("Conv2D", maps, 3, 1, False), *after()]
        return [*expected, ("UpSampling2D", (2, 2), "nearest"), ("Conv2D", 3, 3, 1, True), ("tanh", "float32")]
    expected = []
    for maps in (W, 2 * W, 4 * W, 8 * W):
        expected += [("Conv2D", maps, 3, 1, not norm), *after(), ("MaxPooling2D", (2, 2))]
    units = 1 if kind == "discriminator" else 256
    return [
        *[*expected, ("Flatten",), ("Dense", 32 * W, not norm), *after()],
        *[("Dense", units, True), ("linear", "float32")],
    ]


W = 4


@pytest.mark.parametrize("kind", BUILDERS)
def test_the_papers_layers(kind):
    norm = {"encoder": "BatchNormalization", "decoder": "ExactBatchNormalization", "discriminator": ""}[kind]
    assert described(BUILDERS[kind]((32, 48, 3), width=W)) == layers_of(kind, norm)


def test_the_defaults():
    images = (None, 64, 64, 3)
    assert vgg.encoder().input_shape == vgg.decoder().output_shape == vgg.discriminator().input_shape == images
    assert [layer[1] for layer in described(vgg.discriminator()) if layer[0] == "Conv2D"] == [16, 32, 64, 128]
    assert described(vgg.decoder((32, 48, 3), width=W, fused=True)) == layers_of("decoder", "BatchNormalization")


@pytest.mark.parametrize("kind", BUILDERS)
def test_initial_weights(kind):
    """He et al. (2015)."""
    check_initial_weights(
        lambda seed: BUILDERS[kind]((16, 16, 1), width=8, seed=seed),
        lambda kernel: (2 / np.prod(kernel.shape[:-1])) ** 0.5,
    )


@pytest.mark.parametrize("kind", BUILDERS)
def test_seeds_gradients_and_saving(kind, tmp_path):
    network = BUILDERS[kind]((16, 16, 1), width=2, seed=1)
    x = draws(network.input_shape[1:])
    same, other = (BUILDERS[kind]((16, 16, 1), width=2, seed=seed)(x) for seed in (1, 2))
    np.testing.assert_array_equal(network(x), same)
    assert not np.array_equal(network(x), other)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((network(x, training=True) - 0.3) ** 2)
    for variable, found in zip(network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=1):
        assert np.abs(found).max() > 0, variable.path
    network.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(x), network(x))


def test_a_score_does_not_depend_on_the_other_images():
    network, x = vgg.discriminator((16, 16, 1), width=2), draws((16, 16, 1))
    np.testing.assert_allclose(network(x, training=True)[:2], network(x[:2], training=True), rtol=1e-5, atol=1e-6)


def smoothness(decoder, start, end, alpha):
    """The images on the line at `alpha`, their derivative by alpha, and the gradient of its square by the weights."""

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            with tf.autodiff.ForwardAccumulator(alpha, tf.ones_like(alpha)) as accumulator:
                images = decoder(start + alpha * (end - start), training=True)
            derivative = accumulator.jvp(images)
            loss = tf.reduce_mean(derivative**2)
        return images, derivative, tape.gradient(loss, [variable.value for variable in decoder.trainable_variables])

    return run()


@pytest.mark.parametrize("backbone", [vgg, acai, pytest.param(resnet, marks=pytest.mark.slow)])
def test_forward_mode_inside_a_tape(backbone):
    """AEAI's smoothness through every decoder, and its gradient by the weights, against finite differences."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        decoder = backbone.decoder((16, 16, 1), 4, width=2)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    decoder = keras.Model(decoder.inputs, decoder.layers[-2].output)  # the image itself is float32
    start, end = (tf.cast(draws(decoder.input_shape[1:], seed=seed), tf.float64) for seed in (1, 2))
    alpha = tf.fill([6] + [1] * (len(start.shape) - 1), tf.constant(0.4, tf.float64))
    images, derivative, gradients = smoothness(decoder, start, end, alpha)

    step = 1e-7  # so short that no ReLU changes sign
    with tf.GradientTape() as tape:
        ahead, behind = (decoder(start + (alpha + s) * (end - start), training=True) for s in (step, -step))
        expected = (ahead - behind) / (2 * step)
        loss = tf.reduce_mean(expected**2)
    np.testing.assert_allclose(images, (ahead + behind) / 2, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(derivative, expected, rtol=1e-4, atol=1e-6)
    weights = [variable.value for variable in decoder.trainable_variables]
    for found, wanted in zip(gradients, tape.gradient(loss, weights), strict=True):
        if found is not None:  # the image's bias has no part in the derivative
            assert np.linalg.norm(found - wanted) <= 1e-4 * np.linalg.norm(wanted)


def test_the_fused_decoder_is_the_same_network():
    exact, fused = (vgg.decoder((16, 16, 1), 8, width=4, fused=fused) for fused in (False, True))
    np.testing.assert_allclose(exact(draws((8,)), training=True), fused(draws((8,)), training=True), atol=1e-5)


@pytest.mark.parametrize("shape", [(16, 6, 5, 4), (16, 7)])
def test_exact_batch_normalisation_is_keras(shape):
    x = 3.0 * draws(shape[1:], shape[0]) + 1.0
    ours, theirs = ExactBatchNormalization(momentum=0.8), keras.layers.BatchNormalization(momentum=0.8)
    for training in (True, True, False):
        np.testing.assert_allclose(ours(x, training=training), theirs(x, training=training), atol=2e-5)
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, atol=1e-5)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-5)


def in_mixed_precision(build):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return build((16, 16, 1), width=2)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("kind", BUILDERS)
def test_mixed_precision_ends_in_float32(kind):
    network = in_mixed_precision(BUILDERS[kind])
    assert network(draws(network.input_shape[1:])).dtype == tf.float32


@pytest.mark.slow
def test_forward_mode_in_mixed_precision():
    decoder, alpha = in_mixed_precision(vgg.decoder), tf.fill((6, 1), 0.4)
    images, derivative, gradients = smoothness(decoder, draws((256,)), draws((256,), seed=1), alpha)
    assert images.dtype == derivative.dtype == tf.float32
    assert all(np.isfinite(found).all() for found in (derivative, *gradients[:-1]))


@pytest.mark.parametrize(("shape", "said"), [((28, 32, 1), "divisible by 16"), ((32, 32, 4), "channels")])
def test_unsuitable_images_are_refused(shape, said):
    for build in BUILDERS.values():
        with pytest.raises(InputError, match=said):
            build(shape)
