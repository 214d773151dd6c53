import keras
import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.nn import resnet18
from kerasinterp.nn.backbone import Backbone, Facts
from kerasinterp.nn.net import Net
from tests.nn.architecture import check_initial_weights, described


def count(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_it_has_the_weights_of_resnet_18():
    """11,173,962 with a 3 x 3 stem and ten outputs (kuangliu/pytorch-cifar)."""
    assert count(resnet18.encoder((32, 32, 3), 10)) == 11_173_962
    assert count(resnet18.trunk((32, 32, 3))) == 11_173_962 - 512 * 10 - 10


def test_layers_are_those_of_table_1():
    """18 layers with weights besides three shortcuts'; the last three stages halve the image once."""
    network = resnet18.encoder((32, 48, 3), 7, width=2)
    convolutions = [one for one in described(network) if one[0] == "Conv2D"]
    straight = [one for one in convolutions if one[2] == 3]
    stages = [("Conv2D", 2, 3, 1, False)] * 5
    for maps in (4, 8, 16):
        stages += [("Conv2D", maps, 3, 2, False), *[("Conv2D", maps, 3, 1, False)] * 3]
    assert straight == stages
    shortcuts = [one for one in convolutions if one[2] == 1]
    assert shortcuts == [("Conv2D", maps, 1, 2, False) for maps in (4, 8, 16)]
    assert described(network)[-3:] == [("GlobalAveragePooling2D",), ("Dense", 7, True), ("linear", "float32")]
    assert network.get_layer("block_4_2").output.shape == (None, 4, 6, 16)


def relu(x):
    return np.maximum(x, 0)


def test_a_block_adds_two_convolutions_to_its_shortcut():
    """y = relu(F(x) + x), and where the shape changes y = relu(F(x) + W x) (He et al., 2016, eq. 1 and 2)."""
    network = resnet18.trunk((8, 8, 1), width=2, seed=1)
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)

    def at(*names):
        layers = [network.get_layer(name) for name in names]
        return [x.numpy() for x in keras.Model(network.input, [one.output for one in layers])(images)]

    same, halved = "block_1_2", "block_2_1"
    x, last, y = at("relu_block_1_1", f"normalisation_{same}_second", f"relu_{same}")
    np.testing.assert_allclose(y, relu(last + x), atol=1e-6)
    x, short, last, y = at(
        f"relu_{same}", f"normalisation_{halved}_short", f"normalisation_{halved}_second", f"relu_{halved}"
    )
    np.testing.assert_allclose(y, relu(last + short), atol=1e-6)
    kernel = network.get_layer(f"{halved}_short_convolution").get_weights()[0][0, 0]
    np.testing.assert_allclose(short, x[:, ::2, ::2] @ kernel / np.sqrt(1 + 1e-5), atol=1e-5)  # fresh averages: 0 and 1
    *_, y, end = at("images", "relu_block_4_2", "representations")
    np.testing.assert_allclose(end, y.mean(axis=(1, 2)), atol=1e-6)


@pytest.mark.parametrize("shape", [(28, 28, 1), (33, 47, 3), (96, 96, 3)])
def test_images_of_any_size(shape):
    network = resnet18.trunk(shape, width=2, blocks=1)
    assert network.output_shape == (None, 16)
    assert np.isfinite(network(np.zeros((2, *shape), np.float32))).all()


def test_initial_weights():
    check_initial_weights(
        lambda seed: resnet18.encoder((8, 8, 1), 5, 4, seed=seed, blocks=1),
        lambda kernel: np.sqrt(2 / np.prod(kernel.shape[:-1])),
    )


def test_other_channels_are_refused():
    with pytest.raises(InputError, match=r"ResNet-18 takes grey \(1\) or colour \(3\) images, got 4 channels"):
        resnet18.trunk((28, 28, 4))


def test_backbones_that_build_no_trunk_take_it_and_heads_fit():
    facts = Facts((28, 28, 1))
    for module, size in (("infogan", 8 * 2), ("conv4", 3 * 3 * 8)):
        backbone = Backbone(module, 2, 5)
        assert backbone.build(Net("trunk"), "trunk", 0, facts).output_shape == (None, size)
        shapes = [backbone.build(Net(f"{kind}_head"), "head", 0, facts) for kind in ("latent", "orientation")]
        assert [(one.input_shape, one.output_shape) for one in shapes] == [
            ((None, size), (None, 5)),
            ((None, size), (None, 4)),
        ]
