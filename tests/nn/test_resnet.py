import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import resnet
from kerasinterp.nn.spectral_convolution import SpectralConv2D
from tests.nn.architecture import check_initial_weights, convolve, described

BUILDERS = {
    "encoder": lambda **options: resnet.encoder((16, 16, 1), 5, 4, **options),
    "decoder": lambda **options: resnet.decoder((16, 16, 1), 5, 4, **options),
    "discriminator": lambda **options: resnet.discriminator((16, 16, 1), 4, classes=3, **options),
}


def draws(shape, count=6, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, (count, *shape)), tf.float32)


@pytest.mark.parametrize(
    ("shape", "scales", "grid"), [((32, 32, 1), None, (4, 4)), ((16, 32, 3), None, (4, 8)), ((28, 28, 1), 2, (7, 7))]
)
def test_shapes_and_ranges(shape, scales, grid):
    x = draws(shape, 2)
    codes = resnet.encoder(shape, 5, 4, scales=scales)(x)
    assert codes.shape == (2, *grid, 5)
    decoded = resnet.decoder(shape, 5, 4, scales=scales)(100.0 * codes)
    assert decoded.shape == x.shape
    assert np.abs(decoded).max() <= 1.0
    assert resnet.discriminator(shape, 4, halvings=scales or 4)(x).shape == (2, 1)
    score, logits = resnet.discriminator(shape, 4, classes=3, halvings=scales or 4)(x)
    assert (score.shape, logits.shape) == ((2, 1), (2, 3))


def test_the_released_discriminators_size():
    """christopher-beckham/amr: blocks of nf, 2 nf, 4 nf, 8 nf, 8 nf, with a shortcut's weights where maps change."""

    def block(before, after):
        shortcut = before * after + after if before != after else 0
        return 9 * before * after + after + 9 * after * after + after + shortcut

    nf = 8
    trunk = block(3, nf) + block(nf, 2 * nf) + block(2 * nf, 4 * nf) + block(4 * nf, 8 * nf) + block(8 * nf, 8 * nf)
    network = resnet.discriminator((64, 64, 3), nf, classes=5)
    assert sum(int(np.prod(v.shape)) for v in network.trainable_variables) == trunk + (8 * nf + 1) + 5 * (8 * nf + 1)


@pytest.mark.parametrize("kind", BUILDERS)
def test_seeds_gradients_and_saving(kind, tmp_path):
    network = BUILDERS[kind](seed=1)
    x = draws(network.input_shape[1:])
    with tf.GradientTape() as tape:
        loss = sum(tf.reduce_mean((y - 0.3) ** 2) for y in tf.nest.flatten(network(x, training=True)))
    for variable, found in zip(network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=1):
        assert np.abs(found).max() > 0, variable.path
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    tf.nest.map_structure(np.testing.assert_array_equal, loaded(x), network(x))
    same, other = BUILDERS[kind](seed=1), BUILDERS[kind](seed=2)
    same(x, training=True)
    tf.nest.map_structure(np.testing.assert_array_equal, same(x), network(x))
    assert not np.array_equal(tf.nest.flatten(other(x))[0], tf.nest.flatten(network(x))[0])


def weights_of(network, seed=0):
    """Random weights and biases, set, by the layer's name."""
    rng = np.random.default_rng(seed)
    found = {}
    for layer in network.layers:
        for variable in layer.trainable_variables:
            variable.assign(rng.normal(0.2, 0.5, variable.shape))
        found[layer.name] = [variable.numpy().astype(np.float64) for variable in layer.trainable_variables]
    return found


def relu(x):
    return np.maximum(x, 0)


def halved(x):
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def doubled(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def normalise(x, gamma, beta):
    """Each map of each image alone, then the ReLU."""
    mean, variance = x.mean(axis=(1, 2), keepdims=True), x.var(axis=(1, 2), keepdims=True)
    return relu(gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta)


def test_the_encoder_against_numpy():
    """Pre-activation blocks (He et al., 2016): 6 maps, then a block of 12 that halves the positions, and the code."""
    network, x = resnet.encoder((8, 12, 3), 5, 6, scales=1), draws((8, 12, 3), 2)
    w = weights_of(network)
    y = convolve(x.numpy(), *w["colours"])
    main = convolve(normalise(y, *w["block_1_first_normalisation"]), *w["block_1_convolution_1"])
    main = halved(convolve(normalise(main, *w["block_1_second_normalisation"]), *w["block_1_convolution_2"]))
    y = main + convolve(halved(y), *w["block_1_shortcut"])
    y = convolve(normalise(y, *w["last_normalisation"]), *w["output"])
    np.testing.assert_allclose(network(x), y, rtol=1e-3, atol=1e-3)


def test_the_decoder_against_numpy():
    network, h = resnet.decoder((8, 12, 3), 5, 6, scales=1), draws((4, 6, 5), 2)
    w = weights_of(network)
    y = convolve(h.numpy(), *w["maps"])
    main = convolve(doubled(normalise(y, *w["block_1_first_normalisation"])), *w["block_1_convolution_1"])
    main = convolve(normalise(main, *w["block_1_second_normalisation"]), *w["block_1_convolution_2"])
    y = main + doubled(convolve(y, *w["block_1_shortcut"]))
    y = np.tanh(convolve(normalise(y, *w["last_normalisation"]), *w["output"]))
    np.testing.assert_allclose(network(h), y, rtol=1e-3, atol=1e-3)


def test_the_discriminator_against_numpy():
    """christopher-beckham/amr: no activation before the images' first convolution, the positions' mean at the end."""
    network, x = resnet.discriminator((8, 8, 3), 4, classes=3, halvings=1), draws((8, 8, 3), 2)
    w = weights_of(network)
    for kernel, _ in filter(None, w.values()):
        matrix = kernel.reshape(-1, kernel.shape[-1])
        kernel /= np.linalg.norm(matrix.sum(axis=1)) * kernel.shape[-1] ** -0.5  # the layers' first direction
    y = x.numpy().astype(float)
    main = relu(convolve(y, *w["block_1_convolution_1"]))
    main = halved(convolve(main, *w["block_1_convolution_2"]))
    y = main + convolve(halved(y), *w["block_1_shortcut"])
    main = relu(convolve(relu(y), *w["block_2_convolution_1"]))
    y = y + convolve(main, *w["block_2_convolution_2"])
    y = relu(y).mean(axis=(1, 2), keepdims=True)
    for found, name in zip(network(x), ("score_output", "classes_output"), strict=True):
        np.testing.assert_allclose(found, convolve(y, *w[name])[:, 0, 0], rtol=1e-4, atol=1e-4)


def maps_of(network):
    """The maps of the 3 x 3 convolutions, in order."""
    return [layer[1] for layer in described(network) if "Conv2D" in layer[0] and layer[2] == 3]


def test_maps_double_up_to_eight_times_the_width():
    encoder, decoder = resnet.encoder((64, 64, 3), 7, 4), resnet.decoder((64, 64, 3), 7, 4)
    assert maps_of(encoder) == [4, 8, 8, 16, 16, 32, 32, 32, 32, 7]
    assert maps_of(decoder) == [32, 32, 32, 16, 16, 8, 8, 4, 4, 3]
    assert maps_of(resnet.discriminator((64, 64, 3), 4)) == [4, 4, 8, 8, 16, 16, 32, 32, 32, 32]
    assert maps_of(resnet.discriminator((64, 64, 3), 4, halvings=5)) == [4, 4, 8, 8, 16, 16, *[32] * 6]
    for network in (encoder, decoder):
        normalisations = [layer for layer in described(network) if layer[0] == "InstanceNormalization"]
        assert normalisations == [("InstanceNormalization", None, 1e-5)] * 9


def test_the_defaults_are_the_papers():
    """AMR 5.1: images of 64 x 64 in colour; latents of 512 maps at 4 x 4 positions; 64 maps at the width."""
    images, codes = (None, 64, 64, 3), (None, 4, 4, 512)
    encoder, decoder, discriminator = resnet.encoder(), resnet.decoder(), resnet.discriminator()
    assert (encoder.input_shape, encoder.output_shape) == (decoder.output_shape, decoder.input_shape) == (images, codes)
    assert (discriminator.input_shape, discriminator.output_shape) == (images, (None, 1))
    for network in (encoder, decoder, discriminator):
        assert 64 in maps_of(network) and 32 not in maps_of(network)
    assert resnet.encoder((32, 32, 1), 5, 4, scales=1).output_shape == (None, 16, 16, 5)
    assert resnet.decoder((32, 32, 1), 5, 4, scales=1).input_shape == (None, 16, 16, 5)


@pytest.mark.parametrize("build", [resnet.encoder, resnet.decoder, resnet.discriminator])
def test_initial_weights(build):
    """He et al. (2015) before a ReLU; the discriminator's layers are divided by their norm anyhow."""
    scale = 1.0 if build is resnet.discriminator else 2.0
    check_initial_weights(
        lambda seed: build((16, 16, 1), width=8, seed=seed), lambda kernel: (scale / np.prod(kernel.shape[:-1])) ** 0.5
    )


def test_encoder_and_decoder_treat_each_image_alone():
    for kind in ("encoder", "decoder"):
        network = BUILDERS[kind]()
        x = draws(network.input_shape[1:])
        np.testing.assert_allclose(network(x, training=True)[:2], network(x[:2]), rtol=1e-4, atol=1e-5)


def spectral_layer(policy="float32"):
    layer = SpectralConv2D(
        5, 3, padding="same", kernel_initializer=keras.initializers.RandomNormal(seed=1), dtype=policy
    )
    layer.build((None, 4, 4, 2))
    layer.kernel.assign(3.0 * layer.kernel.value)
    return layer


def test_spectral_norm_against_numpy():
    layer, x = spectral_layer(), draws((4, 4, 2))
    kernel = layer.kernel.numpy()
    for _ in range(100):
        layer(x, training=True)
    np.testing.assert_array_equal(layer.kernel, kernel)
    largest = np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(y**2)
    np.testing.assert_allclose(y, tf.nn.conv2d(x, kernel / largest, 1, "SAME"), rtol=1e-4, atol=1e-5)
    # The layer does not see the kernel's length, so the gradient has no part along it.
    gradient = tape.gradient(loss, layer.kernel.value)
    assert abs(np.sum(gradient * kernel)) < 1e-4 * np.linalg.norm(gradient) * np.linalg.norm(kernel)


def test_spectral_gradient_against_finite_differences():
    layer, x = spectral_layer(), draws((4, 4, 2))
    for _ in range(100):
        layer(x, training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) ** 3)
    direction = draws(layer.kernel.shape, count=1, seed=2)[0]
    slope = float(tf.reduce_sum(tape.gradient(loss, layer.kernel.value) * direction))

    def at(step):
        kernel = layer.kernel.numpy().astype(np.float64) + step * direction.numpy()
        kernel /= np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
        return np.sum(tf.nn.conv2d(tf.cast(x, tf.float64), kernel, 1, "SAME").numpy() ** 3)

    assert slope == pytest.approx((at(1e-5) - at(-1e-5)) / 2e-5, rel=1e-3)


def test_spectral_norm_in_mixed_precision_leaves_the_kernel_as_it_is():
    layer, exact, x = spectral_layer("mixed_bfloat16"), spectral_layer(), draws((4, 4, 2))
    kernel = layer.kernel.numpy()
    for _ in range(20):
        rounded, expected = layer(x, training=True), exact(x, training=True)
    np.testing.assert_array_equal(layer.kernel, kernel)
    assert layer.kernel.value.dtype == layer.direction.value.dtype == tf.float32
    np.testing.assert_allclose(tf.cast(rounded, tf.float32), expected, atol=0.03)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_training_in_a_graph(policy):
    """A compiled step is the eager one, and learns to tell two kinds of images and their classes apart."""
    keras.config.set_dtype_policy(policy)
    try:
        compiled, eager = (resnet.discriminator((8, 8, 1), 4, classes=3, halvings=1) for _ in range(2))
    finally:
        keras.config.set_dtype_policy("float32")
    dark, bright = draws((8, 8, 1)) - 0.5, draws((8, 8, 1), seed=1) + 0.5

    def stepper(network):
        optimizer = keras.optimizers.Adam(1e-2)
        optimizer.build(network.trainable_variables)

        def step():
            with tf.GradientTape() as tape:
                (low, _), (high, classes) = network(dark, training=True), network(bright, training=True)
                loss = tf.reduce_mean(tf.nn.softplus(low) + tf.nn.softplus(-high))
                loss += tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.ones(6, tf.int32), classes))
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
            return loss

        return step

    graph, plain = tf.function(stepper(compiled)), stepper(eager)
    first, tolerance = float(graph()), 1e-5 if policy == "float32" else 2e-2
    assert first == pytest.approx(float(plain()), rel=tolerance)
    assert float(graph()) == pytest.approx(float(plain()), rel=tolerance)
    for _ in range(20):
        last = float(graph())
    assert last < 0.5 * first


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        built = {kind: build() for kind, build in BUILDERS.items()}
    finally:
        keras.config.set_dtype_policy("float32")
    for kind, network in built.items():
        x = draws(network.input_shape[1:])
        exact = tf.nest.flatten(BUILDERS[kind]()(x))
        for rounded, expected in zip(tf.nest.flatten(network(x)), exact, strict=True):
            assert rounded.dtype == tf.float32
            assert np.linalg.norm(rounded - expected) < 0.05 * np.linalg.norm(expected)


def test_unsuitable_images_are_refused():
    for build in (resnet.encoder, resnet.decoder):
        with pytest.raises(InputError, match="divisible by 8"):
            build((28, 28, 1))
        with pytest.raises(InputError, match="fewer scales"):
            build((8, 8, 1), scales=3)
    with pytest.raises(InputError, match="divisible by 16"):
        resnet.discriminator((24, 24, 1))
    with pytest.raises(InputError, match="channels"):
        resnet.discriminator((32, 32, 5))


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_what_is_not_normalised_has_a_bias(kind):
    assert [layer.name for layer in BUILDERS[kind]().layers if getattr(layer, "use_bias", False)] == ["output"]
