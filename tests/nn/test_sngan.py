"""SNGAN's residual networks against NumPy and the printed parameter counts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError, SizeError
from kerasinterp.nn import sngan
from tests.nn.architecture import convolve
from tests.nn.test_resnet import draws, halved, relu, weights_of

CLASSES, CODE = 3, 5


def one_hot(*labels):
    return tf.one_hot(labels, CLASSES)


def parameters(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def sides(network):
    """Of each block's maps."""
    return [layer.output.shape[1] for layer in network.layers if layer.name in {f"block_{n}" for n in range(1, 9)}]


def test_the_printed_number_of_parameters():
    """COLA table 4.2: 4.1 million for CIFAR-10, conditional or not; d = 64 beside 10 classes."""
    layer = 74 * 4 * 4 * 256 + 4 * 4 * 256
    block = 2 * (9 * 256 * 256 + 256) + 256 * 256 + 256
    output = 2 * 256 + 9 * 256 * 3 + 3
    conditional = sngan.decoder((32, 32, 3), 64 + 10, classes=10)
    assert parameters(conditional) == layer + 3 * (block + 2 * 2 * 10 * 256) + output == 4_083_203
    plain = sngan.decoder((32, 32, 3), 64 + 10, classes=10, conditional=False)
    assert parameters(plain) == layer + 3 * (block + 2 * 2 * 256) + output == 4_055_555


@pytest.mark.parametrize(
    ("size", "doubled", "halved"),
    [
        (28, [7, 14, 28], [14, 7, 7, 7]),
        (32, [8, 16, 32], [16, 8, 8, 8]),
        (48, [12, 24, 48], [24, 12, 12, 12]),
        (64, [8, 16, 32, 64], [32, 16, 8, 8, 8]),
    ],
)
def test_sizes(size, doubled, halved):
    decoder = sngan.decoder((size, size, 1), CODE, 2, classes=CLASSES)
    judge = sngan.projection_discriminator((size, size, 1), CLASSES, 2)
    assert (sides(decoder), sides(judge)) == (doubled, halved)
    assert decoder.output_shape == judge.input_shape[0] == (None, size, size, 1)
    assert (decoder.input_shape, judge.output_shape) == ((None, CODE), (None, 1))


def test_other_sizes_are_told_the_nearest():
    for build in (sngan.decoder, sngan.projection_discriminator):
        with pytest.raises(SizeError, match="got 30 x 32 pixels"):
            build((30, 32, 3))
    assert sngan.decoder((16, 24, 3), CODE, 2).output_shape == (None, 16, 24, 3)


def test_no_activation_is_beyond_the_range():
    assert np.abs(sngan.decoder((16, 16, 3), CODE, 2)(100.0 * draws((CODE,)))).max() <= 1.0


def bilinear(x):
    """Twice the size, by quarters between neighbours; the edge goes on."""
    for axis in (1, 2):
        before = np.concatenate([x.take([0], axis), x.take(range(x.shape[axis] - 1), axis)], axis)
        after = np.concatenate([x.take(range(1, x.shape[axis]), axis), x.take([-1], axis)], axis)
        pairs = np.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis + 1)
        x = pairs.reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])
    return x


@pytest.mark.parametrize("conditional", [True, False])
def test_the_generator_against_numpy(conditional):
    """Of 8 x 8: two blocks at 4 x 4, one that doubles, its shortcut learned; the last normalisation knows no class."""
    network, z = sngan.decoder((8, 8, 3), CODE, 2, classes=CLASSES, conditional=conditional), draws((CODE,), 4)
    w, z = weights_of(network), z.numpy().astype(float)
    t = z[:, :CLASSES]

    def normalise(x, name):
        gamma, beta = w[f"normalisation_{name}"]
        if gamma.ndim == 2:
            gamma, beta = ((t @ one)[:, None, None] for one in (gamma, beta))
        return relu(gamma * x / np.sqrt(1 + 1e-5) + beta)  # the moving statistics are 0 and 1 yet

    def block(x, name, resize):
        main = convolve(resize(normalise(x, f"{name}_first")), *w[f"{name}_convolution_1"])
        return convolve(normalise(main, f"{name}_second"), *w[f"{name}_convolution_2"])

    kernel, bias = w["maps"]
    x = (z @ kernel + bias).reshape(-1, 4, 4, 4)
    for name in ("block_1", "block_2"):
        x = x + block(x, name, lambda maps: maps)
    x = bilinear(convolve(x, *w["block_3_shortcut"])) + block(x, "block_3", bilinear)
    x = np.tanh(convolve(normalise(x, "last"), *w["output"]))
    assert (w["normalisation_block_1_first"][0].ndim == 2) == conditional
    assert w["normalisation_last"][0].ndim == 1
    np.testing.assert_allclose(network(z), x, rtol=1e-3, atol=1e-3)


def test_the_projection_discriminator_against_numpy():
    """Every kernel, the embedding too, divided by its norm; a sum over positions, not a mean."""
    network = sngan.projection_discriminator((8, 8, 3), CLASSES, 4)
    x, t = draws((8, 8, 3), 3), one_hot(2, 0, 2)
    w = weights_of(network)
    for kernel, *_ in filter(None, w.values()):
        matrix = kernel.reshape(-1, kernel.shape[-1])
        kernel /= np.linalg.norm(matrix.sum(axis=1)) * kernel.shape[-1] ** -0.5  # the layers' first direction
    y = x.numpy().astype(float)
    for number in range(1, 5):
        names = [f"block_{number}_{part}" for part in ("convolution_1", "convolution_2", "shortcut")]
        main = convolve(y if number == 1 else relu(y), *w[names[0]])
        main = convolve(relu(main), *w[names[1]])
        y = halved(main) + convolve(halved(y), *w[names[2]]) if number < 3 else y + main
        assert (names[2] in w) == (number < 3)
    features = relu(y).sum(axis=(1, 2))
    linear = convolve(features[:, None, None], *w["linear_output"])[:, 0, 0]
    (embedding,) = w["embedding_output"]
    expected = linear + np.sum((t.numpy() @ embedding[0, 0]) * features, axis=1, keepdims=True)
    np.testing.assert_allclose(network([x, t]), expected, rtol=1e-3, atol=1e-3)
    assert {type(layer).__name__ for layer in network.layers if layer.weights} == {"SpectralConv2D"}


def test_the_embedding_s_norm_is_found_in_training():
    network = sngan.projection_discriminator((8, 8, 1), CLASSES, 2)
    embedding = network.get_layer("embedding_output")
    embedding.kernel.assign(5.0 * embedding.kernel.value)
    for _ in range(60):
        network([draws((8, 8, 1), 3), one_hot(0, 1, 2)], training=True)
    rows = embedding(tf.reshape(tf.eye(CLASSES), (CLASSES, 1, 1, CLASSES)))[:, 0, 0]
    assert np.linalg.norm(rows, 2) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("kind", ["decoder", "projection_discriminator"])
def test_initial_weights(kind):
    """Glorot's uniform ones; of 3 x 3 kernels in blocks with gain sqrt 2 (sngan_projection, mimicry)."""
    built = [
        sngan.decoder((16, 16, 3), CODE, 8, seed, classes=CLASSES)
        if kind == "decoder"
        else sngan.projection_discriminator((16, 16, 3), CLASSES, 16, seed)
        for seed in (0, 0, 1)
    ]
    for one, same, other in zip(*(network.layers for network in built), strict=True):
        if hasattr(one, "kernel"):
            kernel = one.kernel.numpy()
            np.testing.assert_array_equal(kernel, same.kernel)
            assert not np.array_equal(kernel, other.kernel)
            fan_in, fan_out = np.prod(kernel.shape[:-1]), np.prod(kernel.shape[:-2]) * kernel.shape[-1]
            gain = 2 if kernel.ndim == 4 and len(kernel) == 3 and one.name != "output" else 1
            limit = np.sqrt(gain * 6 / (fan_in + fan_out))
            assert np.abs(kernel).max() <= limit
            if kernel.size > 1000:
                assert np.abs(kernel).max() > 0.98 * limit, one.name
                assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05), one.name


def test_gradients_and_saving(tmp_path):
    decoder = sngan.decoder((8, 8, 1), CODE, 2, classes=CLASSES)
    judge = sngan.projection_discriminator((8, 8, 1), CLASSES, 2)
    z, t = draws((CODE,)), one_hot(0, 1, 2, 0, 1, 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(judge([decoder(z, training=True), t], training=True) ** 2)
    variables = decoder.trainable_variables + judge.trainable_variables
    for variable, found in zip(variables, tape.gradient(loss, variables), strict=True):
        assert np.abs(found).max() > 0, variable.path
    for network, given in ((decoder, z), (judge, [decoder(z), t])):
        network.save(tmp_path / "network.keras")
        np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(given), network(given))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_in_mixed_precision_images_and_scores_are_float32(policy):
    keras.config.set_dtype_policy(policy)
    try:
        decoder = sngan.decoder((8, 8, 1), CODE, 2, classes=CLASSES)
        judge = sngan.projection_discriminator((8, 8, 1), CLASSES, 2)
    finally:
        keras.config.set_dtype_policy("float32")
    images = decoder(draws((CODE,)), training=True)
    scores = judge([images, one_hot(0, 1, 2, 0, 1, 2)], training=True)
    assert images.dtype == scores.dtype == tf.float32
    assert np.isfinite(scores).all()


def test_a_code_has_room_for_its_class():
    assert sngan.decoder((8, 8, 1), 3, 2, classes=3).input_shape == (None, 3)
    with pytest.raises(InputError, match="A code of 3 values has no room for 4 classes"):
        sngan.decoder((8, 8, 1), 3, 2, classes=4)
