"""Inception-v3's pool3 layer as features, where its ImageNet weights can be had."""

import functools

import keras
import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images

_SIZE = 299
_CHUNK = 64  # 64 colour images of 299 x 299 are 69 MB


def inception(images: np.ndarray) -> np.ndarray:
    """Inception-v3 pool3 features, float32 (N, 2048).

    The weights are those of `keras.applications` (fetched once by Keras), not those of the 2015 graph that published
    FID values use, so the two cannot be compared digit for digit. Twenty to forty images a second on two cores.

    Args:
        images: (N, H, W, C), float in [-1, 1] or uint8; grey images become colour, any size is resized to 299 x 299.

    Raises:
        InputError: images of another shape or range, or no weights (no network and nothing in Keras's cache).

    Source: AugIntAE A.3; Szegedy et al. (2016).
    """
    images = as_images(images)
    network = _network()
    features = []
    for start in range(0, len(images), _CHUNK):
        chunk = keras.ops.image.resize(images[start : start + _CHUNK], (_SIZE, _SIZE), "bilinear", antialias=True)
        chunk = np.broadcast_to(chunk, (*chunk.shape[:3], 3))
        features.append(network.predict_on_batch(chunk))
    return np.concatenate(features)


@functools.cache
def _network() -> keras.Model:
    try:
        return keras.applications.InceptionV3(include_top=False, weights="imagenet", pooling="avg")
    except Exception as error:  # Keras raises a bare Exception for a failed download
        raise InputError(
            f"Inception-v3's weights could not be fetched ({type(error).__name__}): connect to a network once, or use "
            "the classifier features, which need none."
        ) from error
