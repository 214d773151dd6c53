import keras
import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.nn import perceptual


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
    for layer, features in zip(("block1_conv2", "block2_conv2"), found, strict=True):
        expected = keras.Model(plain.input, plain.get_layer(layer).output)(inputs)
        np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-2)
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
