"""Inception features: their shape with untrained weights, and one sentence where the trained ones cannot be had."""

import keras
import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import inception
from kerasinterp.evaluation.inception_v3 import _network


@pytest.fixture(autouse=True)
def forget_network():
    _network.cache_clear()
    yield
    _network.cache_clear()


def test_without_weights_there_is_one_sentence(monkeypatch):
    def refuse(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "InceptionV3", refuse)
    with pytest.raises(InputError, match="could not be fetched"):
        inception(np.zeros((1, 8, 8, 1), np.uint8))


def test_grey_images_of_any_size_reach_the_network_as_colour(monkeypatch):
    shapes = []

    def small(include_top, weights, pooling):
        assert (include_top, weights, pooling) == (False, "imagenet", "avg")
        return keras.Sequential([keras.Input((299, 299, 3)), keras.layers.GlobalAveragePooling2D()])

    monkeypatch.setattr(keras.applications, "InceptionV3", small)
    features = inception(np.full((65, 8, 8, 1), 255, np.uint8))
    shapes.append(features.shape)
    assert shapes == [(65, 3)]
    np.testing.assert_allclose(features, 1.0, rtol=1e-5)
