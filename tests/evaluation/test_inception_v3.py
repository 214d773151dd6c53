"""Inception features: their shape with untrained weights, and one sentence where the trained ones cannot be had."""

import types

import keras
import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import inception, inception_v3
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


def resizing(before, after=299):
    """Bilinear interpolation as a matrix (after, before): triangles about the new pixels, as wide as the wider ones."""
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(before) - centres[:, np.newaxis]) / max(scale, 1))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("sides", [(8, 40), (640, 8)])
def test_images_are_resized_bilinearly_without_aliasing(sides, monkeypatch):
    """What the network sees of images smaller and larger than 299 pixels, batch by batch and in order."""
    seen = []

    def predict(batch):
        seen.append(np.asarray(batch))
        return seen[-1][:, 0, 0]

    monkeypatch.setattr(inception_v3, "_network", lambda: types.SimpleNamespace(predict_on_batch=predict))
    monkeypatch.setattr(inception_v3, "_CHUNK", 2)
    images = np.random.default_rng(0).uniform(-1, 1, (3, *sides, 3)).astype(np.float32)
    features = inception(images)
    down, across = (resizing(side) for side in sides)
    expected = np.einsum("ih,nhwc,jw->nijc", down, images, across, optimize=True)
    assert [len(batch) for batch in seen] == [2, 1]
    np.testing.assert_allclose(np.concatenate(seen), expected, atol=1e-4)
    np.testing.assert_allclose(features, expected[:, 0, 0], atol=1e-4)
