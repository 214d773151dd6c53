import keras
import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.nn import cifar_resnet
from tests.nn.architecture import described


def count(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


@pytest.mark.parametrize(
    ("build", "options", "millions"),
    [
        (cifar_resnet.classifier, {"depth": 20}, 0.27),  # COLA table 5.2; He et al., table 6
        (cifar_resnet.classifier, {"depth": 32}, 0.46),
        (cifar_resnet.wide_classifier, {"depth": 16, "widening": 8}, 11.0),  # Zagoruyko, table 4
        (cifar_resnet.wide_classifier, {"depth": 28, "widening": 10}, 36.5),  # COLA table 5.2
    ],
)
def test_it_has_as_many_weights_as_published(build, options, millions):
    assert count(build((32, 32, 3), 10, **options)) / 1e6 == pytest.approx(millions, rel=0.02)


def test_layers_are_those_of_table_6():
    """20 layers with weights: 1 + 3 x 6 convolutions and a dense one; 32, 16 and 8 positions of 16, 32 and 64 maps."""
    network = cifar_resnet.classifier((32, 32, 3), 7)
    straight = [one for one in described(network) if one[0] == "Conv2D" and one[2] == 3]
    stages = [("Conv2D", 16, 3, 1, False)] * 7
    for maps in (32, 64):
        stages += [("Conv2D", maps, 3, 2, False), *[("Conv2D", maps, 3, 1, False)] * 5]
    assert straight == stages
    assert network.get_layer("block_3_3").output.shape == (None, 8, 8, 64)
    assert described(network)[-3:] == [("GlobalAveragePooling2D",), ("Dense", 7, True), ("softmax", "float32")]


def test_a_wide_block_adds_to_its_shortcut_what_was_not_activated():
    """x + F(relu(norm(x))), and W relu(norm(x)) + F where the shape changes (Zagoruyko, figure 1)."""
    network = cifar_resnet.wide_classifier((8, 8, 1), 3, width=2, seed=1, widening=2)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)

    def at(*names):
        layers = [network.get_layer(name) for name in names]
        return [x.numpy() for x in keras.Model(network.input, [one.output for one in layers])(images)]

    x, last, y = at("block_1_1", "block_1_2_second_convolution", "block_1_2")
    np.testing.assert_allclose(y, x + last, atol=1e-6)
    x, short, last, y = at("block_1_2", "block_2_1_short_convolution", "block_2_1_second_convolution", "block_2_1")
    kernel = network.get_layer("block_2_1_short_convolution").get_weights()[0][0, 0]
    np.testing.assert_allclose(short, np.maximum(x, 0)[:, ::2, ::2] @ kernel / np.sqrt(1 + 1e-5), atol=1e-5)
    np.testing.assert_allclose(y, short + last, atol=1e-5)


def test_features_are_those_after_the_stem_and_each_stage():
    network = cifar_resnet.stages((28, 28, 1), width=4)
    assert [one.shape[1:] for one in network.outputs] == [(28, 28, 4), (28, 28, 4), (14, 14, 8), (7, 7, 16)]
    whole = cifar_resnet.classifier((28, 28, 1), 5, width=4, depth=32)
    for own, other in zip(network.get_weights(), whole.get_weights(), strict=False):
        np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize(("build", "depth"), [(cifar_resnet.classifier, 18), (cifar_resnet.wide_classifier, 18)])
def test_a_depth_that_is_none_is_refused(build, depth):
    with pytest.raises(InputError, match=rf"not {depth}"):
        build((32, 32, 3), 10, depth=depth)
