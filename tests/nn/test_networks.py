import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import dcgan, infogan
from kerasinterp.nn.leaky_relu import LeakyReLU


@pytest.mark.parametrize(
    ("backbone", "shape", "latent"),
    [
        (infogan, (28, 28, 1), 32),
        (infogan, (32, 20, 3), 16),
        (dcgan, (64, 64, 3), 512),
        (dcgan, (128, 128, 3), 512),
        (dcgan, (32, 48, 1), 8),
    ],
)
def test_shapes_and_ranges(backbone, shape, latent):
    images = np.random.default_rng(0).uniform(-1, 1, (3, *shape)).astype(np.float32)
    codes = backbone.encoder(shape, latent, width=8)(images)
    assert codes.shape == (3, latent)
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1.0, atol=1e-5)
    decoded = backbone.decoder(shape, latent, width=8)(codes)
    assert decoded.shape == images.shape
    assert np.abs(decoded).max() <= 1.0
    assert backbone.discriminator(shape, width=8)(images).shape == (3, 1)
    np.testing.assert_allclose(np.sum(backbone.classifier(shape, 5, width=8)(images), axis=1), 1.0, atol=1e-5)


def test_infogan_has_the_papers_size():
    """openai/InfoGAN's discriminator trunk at 28 x 28: 4x4 convolutions of 64 and 128 maps, a dense layer of 1024."""
    weights = 4 * 4 * 64 + 64 + 4 * 4 * 64 * 128 + 2 * 128 + 7 * 7 * 128 * 1024 + 2 * 1024 + 1024 * 32 + 32
    encoder = infogan.encoder()
    assert sum(int(np.prod(v.shape)) for v in encoder.trainable_variables) == weights


def test_dcgan_128_has_one_more_half_width_layer():
    filters = [layer.filters for layer in dcgan.encoder((128, 128, 3)).layers if isinstance(layer, keras.layers.Conv2D)]
    assert filters == [32, 64, 128, 256, 512]
    up = [
        layer.filters
        for layer in dcgan.decoder((128, 128, 3)).layers
        if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert up == [256, 128, 64, 32, 3]


def test_the_seed_decides_the_weights():
    first, same, other = (infogan.encoder(width=4, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(left, right) for left, right in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder, decoder = infogan.encoder(width=4), infogan.decoder(width=4)
    finally:
        keras.config.set_dtype_policy("float32")
    codes = encoder(np.zeros((2, 28, 28, 1), np.float32))
    assert codes.dtype == "float32"
    assert decoder(codes).dtype == "float32"


@pytest.mark.parametrize(("shape", "said"), [((30, 28, 1), "divisible by 4"), ((28, 28, 2), "channels")])
def test_unsuitable_images_are_refused(shape, said):
    with pytest.raises(InputError, match=said):
        infogan.encoder(shape)
    with pytest.raises(InputError, match="divisible by 16"):
        dcgan.decoder((40, 40, 3))


def test_leaky_relu_is_keras():
    x = tf.constant([-2.0, -0.5, 0.0, 1.5])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours, theirs = LeakyReLU(0.2)(x), keras.layers.LeakyReLU(0.2)(x)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(tape.gradient(ours**2, x), tape.gradient(theirs**2, x))
