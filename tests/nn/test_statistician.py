import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import SizeError
from kerasinterp.nn import statistician
from tests.nn.architecture import check_initial_weights, described, kernels

W = 4
SHAPE = (28, 28, 1)
ONE = ("BatchNormalization", 0.99, 1e-3)
NORM = [("BatchNormalization", 0.9, 1e-5), ("ELU",)]
BUILDERS = {
    "image_encoder": {},
    "statistic_network": {"context_size": 6},
    "inference_network": {"latent_size": 10, "context_size": 6},
    "latent_decoder": {"latent_size": 10, "context_size": 6},
    "observation_decoder": {"latent_size": 5, "context_size": 6},
}


def built(kind, shape=SHAPE, seed=0, width=W):
    return getattr(statistician, kind)(shape, width=width, seed=seed, **BUILDERS[kind])


def layers(kind):
    """Without the layers that only join and reshape."""
    return [one for one in described(built(kind)) if one[0] not in ("Add", "Reshape", "Flatten", "ZeroPadding2D")]


def test_the_official_image_encoder():
    expected = []
    for maps in (W, 2 * W, 4 * W):
        for stride in (1, 1, 2):
            expected += [("Conv2D", maps, 3, stride, False), *NORM]
    assert layers("image_encoder") == expected
    assert built("image_encoder").output_shape == (None, 4 * 4 * 4 * W)


def test_the_official_statistic_network():
    dense = [("Dense", 4 * W, False), *NORM]
    assert layers("statistic_network") == [
        *dense,
        ("GlobalAveragePooling1D",),
        *dense,
        *dense,
        ("Dense", 12, True),
        ONE,
    ]


@pytest.mark.parametrize("kind", ["inference_network", "latent_decoder"])
def test_the_official_networks_of_z(kind):
    """What meets is embedded apart; a residual block of three layers, whose last ELU follows the sum."""
    met = [("Dense", 4 * W, True)] * (2 if kind == "inference_network" else 1)
    dense = ("Dense", 4 * W, False)
    block = [dense, *NORM, dense, *NORM, dense, NORM[0], ("ELU",)]
    assert sorted(map(str, layers(kind))) == sorted(map(str, [*met, ("ELU",), *block, ("Dense", 10, True), ONE]))


def test_the_official_observation_decoder():
    expected = [("Dense", 4 * W, True), ("Dense", 4 * W, True), ("ELU",), ("Dense", 4 * 4 * 4 * W, True)]
    for maps in (4 * W, 2 * W, W):
        for _ in range(2):
            expected += [("Conv2D", maps, 3, 1, False), *NORM]
        expected += [("Conv2DTranspose", maps, 2, 2, False), *NORM]
    # The last 3 x 3 convolution, at 16 x 16, is without padding.
    network = built("observation_decoder")
    by_name = {layer.name: layer for layer in network.layers}
    assert by_name["convolution_6"].padding == "valid" and by_name["convolution_6"].input.shape[1:3] == (16, 16)
    assert by_name["doubling_3"].input.shape[1:3] == (14, 14)
    by_name["convolution_6"].padding = "same"  # `described` knows no other
    found = [one for one in described(network) if one[0] not in ("Add", "Reshape", "ZeroPadding2D")]
    assert found == [*expected, ("Conv2D", 1, 1, 1, True), ("linear", "float32")]


def test_the_defaults_are_the_official_sizes():
    assert statistician.image_encoder().output_shape == (None, 4096)
    assert statistician.statistic_network().output_shape == (None, 1024)
    assert statistician.inference_network().output_shape == statistician.latent_decoder().output_shape == (None, 32)
    assert statistician.observation_decoder().output_shape == (None, 28, 28, 1)


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 20, 3), (32, 28, 1), (64, 48, 3), (72, 28, 1)])
def test_images_of_other_sizes_come_back(shape):
    rng = np.random.default_rng(0)
    embeddings = built("image_encoder", shape)(rng.uniform(-1, 1, (2, *shape)))
    context = built("statistic_network", shape)(embeddings[tf.newaxis])[:, :6]
    assert built("inference_network", shape)([embeddings, tf.repeat(context, 2, 0)]).shape == (2, 10)
    logits = built("observation_decoder", shape)([tf.zeros((1, 5)), context])
    assert logits.shape == (1, *shape) and logits.dtype == tf.float32


@pytest.mark.parametrize("kind", ["image_encoder", "statistic_network", "inference_network", "observation_decoder"])
def test_sizes_that_4_does_not_divide_are_refused(kind):
    with pytest.raises(SizeError, match="The neural statistician needs image sides divisible by 4, got 30 x 28"):
        built(kind, (30, 28, 1))


def test_sets_of_any_size_in_any_order():
    network = built("statistic_network")
    x = np.random.default_rng(0).normal(size=(2, 7, network.input_shape[-1])).astype(np.float32)
    for size in (1, 4, 7):
        np.testing.assert_allclose(network(x[:, :size]), network(x[:, :size][:, ::-1]), rtol=1e-4, atol=1e-5)
    assert np.abs(network(x) - network(x[:, :3])).max() > 1e-3


def test_statistics_are_normalised_as_one_feature():
    network = built("latent_decoder", width=8)
    contexts = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
    found = network(contexts, training=True).numpy()
    assert (abs(found.mean()), found.std()) == pytest.approx((0.0, 1.0), abs=2e-3)
    assert np.abs(found.mean(axis=0)).max() > 0.1  # not each feature


@pytest.mark.parametrize("kind", BUILDERS)
def test_initial_weights_are_xavier_normal_of_gain_sqrt_2(kind):
    def deviation(kernel):
        *window, first, second = kernel.shape  # of a transposed convolution the other way round, and its sum the same
        return 2.0 / np.sqrt(np.prod(window, dtype=int) * (first + second))

    check_initial_weights(lambda seed: built(kind, seed=seed, width=8), deviation)
    assert kernels(built(kind))
