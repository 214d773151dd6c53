import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import dcgan, infogan
from kerasinterp.nn.leaky_relu import LeakyReLU
from tests.nn.architecture import check_initial_weights, described


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


@pytest.mark.parametrize(("size", "framed"), [((1, 3), (4, 4)), ((14, 14), (16, 16)), ((50, 67), (52, 68))])
def test_infogans_classifier_takes_any_size(size, framed):
    """It judges what other networks make."""
    network = infogan.classifier((*size, 3), 5, width=2)
    assert network.get_layer("frame").output.shape[1:3] == framed
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(tf.ones((2, *size, 3)))[:, 0])
    assert all(gradient is not None for gradient in tape.gradient(loss, network.trainable_variables))
    with pytest.raises(InputError, match="divisible by 4"):
        infogan.encoder((*size, 3))


def norm(slope=0.2):
    """Batch normalisation with PyTorch's momentum of 0.1 (of the new value) and epsilon, then the activation."""
    return [("BatchNormalization", 0.9, 1e-5), ("LeakyReLU", slope) if slope else ("ReLU",)]


def downward(backbone, size):
    """An encoder's layers up to its last, of images of 28 or more pixels; W maps stand for the papers' 64."""
    if backbone is infogan:  # Chen et al. (2016), table 1, with a dense layer of 1024
        return [
            *[("Conv2D", W, 4, 2, True), ("LeakyReLU", 0.2)],
            *[("Conv2D", 2 * W, 4, 2, False), *norm(), ("Flatten",), ("Dense", 16 * W, False), *norm()],
        ]
    first, *rest = [W, 2 * W, 4 * W, 8 * W]  # Radford et al. (2016), figure 1
    if size == 128:
        first, *rest = W // 2, first, *rest  # AugIntAE A.1
    blocks = [layer for maps in rest for layer in [("Conv2D", maps, 5, 2, False), *norm()]]
    return [("Conv2D", first, 5, 2, True), ("LeakyReLU", 0.2), *blocks, ("Flatten",)]


W = 8
NETWORKS = [(infogan, (28, 28, 1), 32), (dcgan, (64, 64, 3), 512), (dcgan, (128, 128, 3), 512)]


@pytest.mark.parametrize(("backbone", "shape", "latent"), NETWORKS)
def test_the_papers_layers_downward(backbone, shape, latent):
    trunk = downward(backbone, shape[0])
    ends = {
        (("Dense", latent, True), ("UnitNormalization",)): backbone.encoder(shape, latent, W),
        (("Dense", latent, True), ("linear", "float32")): backbone.encoder(shape, latent, W, normalised=False),
        (("Dense", 1, True), ("linear", "float32")): backbone.discriminator(shape, W),
        (("Dense", 9, True), ("softmax", "float32")): backbone.classifier(shape, 9, W),
    }
    for end, network in ends.items():
        assert described(network) == [*trunk, *end]


@pytest.mark.parametrize(("backbone", "shape", "latent"), NETWORKS)
def test_the_papers_layers_upward(backbone, shape, latent):
    if backbone is infogan:
        expected = [
            *[("Dense", 16 * W, False), *norm(0), ("Dense", 7 * 7 * 2 * W, False), *norm(0), ("Reshape", 7, 7, 2 * W)],
            *[("Conv2DTranspose", W, 4, 2, False), *norm(0), ("Conv2DTranspose", 1, 4, 2, True)],
        ]
    else:
        expected = [("Dense", 4 * 4 * 8 * W, False), ("Reshape", 4, 4, 8 * W), *norm(0)]
        for maps in [4 * W, 2 * W, W] + [W // 2] * (shape[0] == 128):
            expected += [("Conv2DTranspose", maps, 5, 2, False), *norm(0)]
        expected.append(("Conv2DTranspose", 3, 5, 2, True))
    network = backbone.decoder(shape, latent, W)
    assert network.input_shape == (None, latent)
    assert described(network) == [*expected, ("tanh", "float32")]


@pytest.mark.parametrize("backbone", [infogan, dcgan])
def test_the_defaults_are_the_papers(backbone):
    shape, latent = ((28, 28, 1), 32) if backbone is infogan else ((64, 64, 3), 512)
    for network, ends in [
        (backbone.encoder(), (shape, (latent,))),
        (backbone.decoder(), ((latent,), shape)),
        (backbone.discriminator(), (shape, (1,))),
    ]:
        assert (network.input_shape[1:], network.output_shape[1:]) == ends
        assert 64 in {getattr(layer, "filters", None) for layer in network.layers}


@pytest.mark.parametrize("backbone", [infogan, dcgan])
@pytest.mark.parametrize("kind", ["encoder", "decoder", "discriminator"])
def test_weights_begin_with_a_deviation_of_0_02(backbone, kind):
    """DCGAN section 4; openai/InfoGAN."""
    shape = (16, 16, 1)
    check_initial_weights(lambda seed: getattr(backbone, kind)(shape, width=8, seed=seed), lambda _: 0.02)


def test_images_from_128_pixels_on_have_one_more_layer():
    """By their shorter side; a size that 32 divides."""
    for shape, layers in {(112, 128, 3): 4, (128, 160, 3): 5, (160, 128, 3): 5}.items():
        network = dcgan.encoder(shape, width=2)
        assert sum(isinstance(layer, keras.layers.Conv2D) for layer in network.layers) == layers
    with pytest.raises(InputError, match="divisible by 32"):
        dcgan.encoder((144, 144, 3))


@pytest.mark.parametrize("backbone", [infogan, dcgan])
def test_oblong_images_keep_their_sides(backbone):
    decoder = backbone.decoder((32, 48, 3), 8, width=4)
    assert decoder.output_shape == (None, 32, 48, 3)
    first = next(layer for layer in decoder.layers if isinstance(layer, keras.layers.Reshape))
    assert first.target_shape == ((8, 12, 8) if backbone is infogan else (2, 3, 32))


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


@pytest.mark.parametrize(("shape", "said"), [((30, 28, 1), "divisible by 4"), ((28, 28, 4), "channels")])
def test_unsuitable_images_are_refused(shape, said):
    with pytest.raises(InputError, match=said):
        infogan.encoder(shape)
    with pytest.raises(InputError, match="divisible by 16"):
        dcgan.decoder((40, 40, 3))


@pytest.mark.parametrize("slope", [0.2, 0.0])
def test_leaky_relu_is_keras(slope):
    x = tf.constant([-2.0, -0.5, 0.0, 1.5])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours, theirs = LeakyReLU(slope)(x), keras.layers.LeakyReLU(slope)(x)
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(tape.gradient(ours**2, x), tape.gradient(theirs**2, x))
