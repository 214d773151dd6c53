import keras
import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.nn import cifar_resnet, perceptual


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_keras_own(channels, monkeypatch):
    """Against Keras' preprocessing and the same random weights."""
    keras.utils.set_random_seed(0)
    plain = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    monkeypatch.setattr(keras.applications, "VGG16", lambda **kwargs: plain)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, channels)).astype(np.float32)
    network = perceptual.vgg16((32, 32, channels), ("block1_conv2", "block2_conv2"), weights=None)
    found = network(images)
    colour = np.repeat(images, 3, axis=3) if channels == 1 else images
    inputs = keras.applications.vgg16.preprocess_input(127.5 * colour + 127.5)
    expected = [
        keras.Model(plain.input, plain.get_layer(layer).output)(inputs) for layer in ("block1_conv2", "block2_conv2")
    ]
    for features, one in zip(found, expected, strict=True):
        np.testing.assert_allclose(features, one, rtol=1e-3, atol=1e-2)
    before = perceptual.vgg16((32, 32, channels), ("block1_conv2", "block2_conv2"), None, before_relu=True)(images)
    for features, one in zip(before, expected, strict=True):
        assert np.min(features) < 0.0
        np.testing.assert_allclose(np.maximum(features, 0.0), one, rtol=1e-3, atol=1e-2)
    assert not network.trainable_variables
    assert perceptual.vgg16((32, 32, channels), weights=None)(images).shape == (2, 16, 16, 128)


def test_what_is_refused(monkeypatch):
    with pytest.raises(InputError, match="block2_conv2"):
        perceptual.vgg16((32, 32, 3), ("relu7",), weights=None)
    with pytest.raises(InputError, match="32 x 32 or more"):
        perceptual.vgg16((16, 16, 3), weights=None)

    def fail(**kwargs):
        raise OSError("no network")

    monkeypatch.setattr(keras.applications, "VGG16", fail)
    with pytest.raises(InputError, match="no network"):
        perceptual.vgg16((32, 32, 3))


SHAPE = (16, 16, 3)


def images(count=12, seed=0):
    """Smooth ones: neighbouring pixels are alike, as in pictures."""
    drawn = np.random.default_rng(seed).uniform(-1, 1, (count, 4, 4, 3))
    return np.kron(drawn, np.ones((1, 4, 4, 1))).astype(np.float32)


@pytest.fixture(autouse=True)
def few_patches(monkeypatch):
    monkeypatch.setattr(perceptual, "_PATCHES", 400)


def convolved(x, kernel):
    """A stem's, in NumPy: 3 x 3, framed by noughts."""
    framed = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    patches = np.stack([framed[:, i : i + x.shape[1], j : j + x.shape[2]] for i in range(3) for j in range(3)], 3)
    return patches, np.einsum("bhwpc,pcf->bhwf", patches, kernel.reshape(9, 3, -1))


@pytest.mark.parametrize("weights", ["random", "k-means"])
def test_features_of_resnet_32_are_normalised_on_the_images(weights):
    network = perceptual.resnet32(SHAPE, weights, images(), seed=3)
    found = network(images())
    assert [one.shape[1:] for one in found] == [(16, 16, 16), (16, 16, 16), (8, 8, 32), (4, 4, 64)]
    assert not network.trainable_variables
    kernel = network.get_layer("stem_convolution").get_weights()[0]
    maps = convolved(images(), kernel)[1]
    expected = (maps - maps.mean(axis=(0, 1, 2))) / np.sqrt(maps.var(axis=(0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(found[0], np.maximum(expected, 0.0), rtol=1e-3, atol=1e-3)
    deep = network.get_layer("normalisation_block_3_4_second")
    of_images = keras.Model(network.input, deep.output)(images()).numpy()
    np.testing.assert_allclose(of_images.mean(axis=(0, 1, 2)), 0.0, atol=1e-3)
    np.testing.assert_allclose(of_images.var(axis=(0, 1, 2)), 1.0, atol=1e-2)


def test_k_means_makes_a_layer_of_its_patches():
    """Each is the mean of normalised patches nearest to it, of length 1 again; random weights are as drawn."""
    network = perceptual.resnet32(SHAPE, "k-means", images())
    kernel = network.get_layer("stem_convolution").get_weights()[0]
    centres = kernel.reshape(27, 16).T
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(centres.mean(axis=1), 0.0, atol=1e-6)
    patches = convolved(images(), kernel)[0].reshape(-1, 27)
    patches = patches - patches.mean(axis=1, keepdims=True)
    patches /= np.linalg.norm(patches, axis=1, keepdims=True)

    def width(of):
        return np.sqrt(np.maximum(2.0 - 2.0 * patches @ of.T, 0.0).min(axis=1)).mean()

    plain = cifar_resnet.stages(SHAPE, seed=0).get_layer("stem_convolution").get_weights()[0]
    drawn = plain.reshape(27, 16).T
    drawn = drawn - drawn.mean(axis=1, keepdims=True)
    assert width(centres) < 0.75 * width(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
    again = perceptual.resnet32(SHAPE, "k-means", images()).get_weights()
    assert all(one.tobytes() == other.tobytes() for one, other in zip(network.get_weights(), again, strict=True))
    random = perceptual.resnet32(SHAPE, "random", images()).get_layer("stem_convolution").get_weights()[0]
    np.testing.assert_array_equal(random, plain)


def test_flat_images_leave_what_was_drawn():
    flat = np.zeros((4, *SHAPE), np.float32)
    kernel = perceptual.resnet32(SHAPE, "k-means", flat).get_layer("stem_convolution").get_weights()[0]
    plain = cifar_resnet.stages(SHAPE, seed=0).get_layer("stem_convolution").get_weights()[0]
    np.testing.assert_array_equal(kernel, plain)


def test_a_trained_classifier_gives_its_features(tmp_path):
    """From memory or a file; what it is itself stays as it is."""
    classifier = cifar_resnet.classifier(SHAPE, 3, width=4, depth=32, seed=5)
    for variable in classifier.non_trainable_variables:
        variable.assign(variable + 0.3)
    classifier.save(tmp_path / "classifier.keras")
    last = keras.Model(classifier.input, classifier.get_layer("representations").input)(images())
    for given in (classifier, tmp_path / "classifier.keras", str(tmp_path / "classifier.keras")):
        network = perceptual.resnet32(SHAPE, given)
        np.testing.assert_allclose(network(images())[-1], last, rtol=1e-5, atol=1e-5)
        assert not network.trainable_variables
    assert classifier.trainable_variables


def test_other_networks_are_refused(tmp_path):
    with pytest.raises(InputError, match="k-means clusters patches"):
        perceptual.resnet32(SHAPE, "k-means")
    with pytest.raises(InputError, match=r"There is no file kmeans: weights are random, k-means"):
        perceptual.resnet32(SHAPE, "kmeans")
    (tmp_path / "damaged.keras").write_text("nothing")
    with pytest.raises(InputError, match="cannot be read as a model"):
        perceptual.resnet32(SHAPE, tmp_path / "damaged.keras")
    for other in (cifar_resnet.classifier(SHAPE, 3, depth=20), cifar_resnet.classifier((16, 16, 1), 3, depth=32)):
        with pytest.raises(InputError, match="no ResNet-32 for 3 channels"):
            perceptual.resnet32(SHAPE, other)


def test_what_a_recipe_names():
    network = perceptual.FixedNetwork("resnet32", "random").build(SHAPE, images(), seed=2)
    for seed, same in ((2, True), (3, False)):
        expected = perceptual.resnet32(SHAPE, "random", images(), seed)
        pairs = zip(network.get_weights(), expected.get_weights(), strict=True)
        assert all(one.tobytes() == other.tobytes() for one, other in pairs) == same
    with pytest.raises(InputError, match="sees images, and these are points"):
        perceptual.FixedNetwork("resnet32", "random").build((2,))
    with pytest.raises(InputError, match="A fixed network is vgg16 or resnet32, not 'vgg19'"):
        perceptual.FixedNetwork("vgg19", "imagenet")


@pytest.mark.parametrize(("side", "levels"), [(32, 3), (48, 4), (64, 4), (128, 5)])
def test_vgg_s_depth_follows_the_shorter_side(side, levels, monkeypatch):
    """yedidh/glann: three levels of 32 x 32, four of 64 x 64."""
    asked = {}
    monkeypatch.setattr(perceptual, "vgg16", lambda *given, **others: asked.update(layers=given[1], **others))
    perceptual.FixedNetwork("vgg16", "imagenet").build((4 * side, side, 3))
    assert asked["before_relu"] and len(asked["layers"]) == levels and asked["layers"][2] == "block3_conv2"
