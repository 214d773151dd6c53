import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import mlp
from tests.nn.architecture import check_initial_weights, described

BUILDERS = {
    "encoder": lambda **options: mlp.encoder((2,), 3, 16, **options),
    "decoder": lambda **options: mlp.decoder((2,), 3, 16, **options),
    "discriminator": lambda **options: mlp.discriminator((2,), 16, **options),
    "critic": lambda **options: mlp.critic((2,), 16, **options),
    "latent_discriminator": lambda **options: mlp.latent_discriminator((4, 4, 2), 16, **options),
    "label_mixer": lambda **options: mlp.label_mixer(4, 6, 16, **options),
}
SHAPES = dict(zip(BUILDERS, [((2,), 3), ((3,), 2), ((2,), 1), ((2,), 1), ((4, 4, 2), 1), ((4,), 6)], strict=True))


def draws(shape, count=32):
    return np.random.default_rng(0).uniform(0, 1, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize("kind", BUILDERS)
def test_shapes_seeds_gradients_and_saving(kind, tmp_path):
    network = BUILDERS[kind](seed=1)
    before, after = SHAPES[kind]
    x = draws(before)
    assert network.name == kind
    with tf.GradientTape() as tape:
        outputs = network(x, training=True)
        loss = tf.reduce_mean(outputs**2)
    assert outputs.shape == (32, after)
    for variable, found in zip(network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=1):
        assert np.abs(found).max() > 0, variable.path
    np.testing.assert_array_equal(BUILDERS[kind](seed=1)(x), network(x))
    assert not np.array_equal(BUILDERS[kind](seed=2)(x), network(x))
    network.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "network.keras")(x), network(x))


def test_latent_discriminator_against_numpy():
    """AAE (official aae.py): flatten, 100, 100, one score."""
    network = mlp.latent_discriminator((4, 4, 2))
    x = draws((4, 4, 2)) - 0.5
    assert network.count_params() == 32 * 100 + 100 + 100 * 100 + 100 + 100 + 1
    y = x.reshape(len(x), -1)
    *hidden, kernel, bias = network.get_weights()
    for dense, offset in zip(hidden[::2], hidden[1::2], strict=True):
        y = y @ dense + offset
        y = np.where(y > 0, y, 0.2 * y)
    np.testing.assert_allclose(network(x), y @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_label_mixer_against_numpy():
    network = mlp.label_mixer(3, 8)
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(size=w.shape) for w in network.get_weights()])
    first, first_bias, second, second_bias, third, third_bias = network.get_weights()
    x = draws((3,))
    logits = np.maximum(np.maximum(x @ first + first_bias, 0) @ second + second_bias, 0) @ third + third_bias
    np.testing.assert_allclose(network(x), 1 / (1 + np.exp(-logits)), rtol=1e-4, atol=1e-6)
    assert np.min(network(x)) < 0.5  # not so with the released code's third ReLU


def test_the_layers():
    """Three hidden layers of 128 by default, leaky ReLUs; what comes out is unbounded."""

    def dense(*units):
        hidden = [layer for width in units[:-1] for layer in [("Dense", width, True), ("LeakyReLU", 0.2)]]
        return [("Flatten",), *hidden, ("Dense", units[-1], True), ("linear", "float32")]

    assert described(mlp.encoder()) == described(mlp.decoder()) == dense(128, 128, 128, 2)
    assert described(mlp.discriminator()) == described(mlp.critic()) == dense(128, 128, 128, 1)
    assert described(mlp.latent_discriminator((4, 4, 2))) == dense(100, 100, 1)
    mixer = [("Dense", 6, True), ("ReLU",), ("Dense", 6, True), ("ReLU",), ("Dense", 6, True), ("sigmoid", "float32")]
    assert described(mlp.label_mixer(3, 6)) == mixer
    assert mlp.encoder().input_shape == mlp.decoder().output_shape == (None, 2)
    assert described(mlp.label_mixer(3, 6, 9))[0] == ("Dense", 9, True)


@pytest.mark.parametrize("kind", BUILDERS)
def test_initial_weights(kind):
    """As ACAI's networks, 1 / ((1 + 0.2^2) fan_in) before a leaky ReLU; He et al. (2015) before the mixer's ReLUs."""
    scale = 2.0 if kind == "label_mixer" else 1 / (1 + 0.2**2)
    wide = {"label_mixer": lambda seed: mlp.label_mixer(4, 60, 60, seed=seed)}
    build = wide.get(kind, lambda seed: getattr(mlp, kind)((2,), 64, seed=seed))
    check_initial_weights(build, lambda kernel: (scale / len(kernel)) ** 0.5)


def test_depth_is_the_number_of_hidden_layers():
    for build in (mlp.decoder, mlp.discriminator, mlp.critic):
        assert sum(layer[0] == "LeakyReLU" for layer in described(build(width=5, depth=2))) == 2
    assert mlp.encoder((2,), 2, 5, depth=2).count_params() == 2 * 5 + 5 + 5 * 5 + 5 + 5 * 2 + 2


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        built = {kind: build() for kind, build in BUILDERS.items()}
    finally:
        keras.config.set_dtype_policy("float32")
    for kind, network in built.items():
        assert network(draws(SHAPES[kind][0])).dtype == tf.float32


@pytest.mark.parametrize("shape", [(28, 28, 1), (0,)])
def test_images_are_refused(shape):
    for build in (mlp.encoder, mlp.decoder, mlp.discriminator, mlp.critic):
        with pytest.raises(InputError, match="points"):
            build(shape)
