"""Interpolation paths between pairs of images, the pixel fade to compare them with, and reconstructions."""

import functools

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.generation.checks import as_alphas, as_images, as_pairs
from kerasinterp.objectives import Objective

_BATCH = 256  # bounds memory


def interpolate(model: Objective, a: object, b: object, alphas: object, *, clip: bool = True) -> np.ndarray:
    """Decodes points on the latent paths from images `a` to images `b`; each image is encoded once.

    Args:
        model: an objective with `encoder`, `decoder`, `mixing` and `image_shape`.
        a, b: (N, H, W, C) or (H, W, C), float in [-1, 1] or uint8.
        alphas: weights of the second image in [0, 1], (K,): 0 decodes the code of `a`, 1 that of `b`.
        clip: cut what an unbounded decoder (ACAI's is linear) gives beyond the range. The measures of paths do not.

    Returns:
        float32 (N, K, H, W, C) in [-1, 1] if clipped.

    Raises:
        InputError: images of another shape or range than the model's, unequal sides, alphas outside [0, 1].

    Source: AugIntAE section 4 and A.1 (SLERP of L2-normalised codes).
    """
    a, b = as_pairs(a, b, model.image_shape)
    alphas = as_alphas(alphas)
    codes = encode(model, np.concatenate([a, b]))
    first, second = (np.repeat(side, len(alphas), axis=0) for side in np.split(codes, 2))
    images = (pictures if clip else decode)(model, mix(model, first, second, np.tile(alphas, len(a))))
    return images.reshape(len(a), len(alphas), *images.shape[1:])


def pixel_fade(a: object, b: object, alphas: object) -> np.ndarray:
    """Blends pairs of images pixel by pixel: the model-free row of the paper's figures.

    Args, returns and errors as `interpolate`, without a model.

    Source: AugIntAE A.6, figures 15 to 22.
    """
    a, b = as_pairs(a, b)
    weight = as_alphas(alphas).reshape(1, -1, 1, 1, 1)
    return (1.0 - weight) * a[:, np.newaxis] + weight * b[:, np.newaxis]


def reconstruct(model: Objective, images: object) -> np.ndarray:
    """Encodes and decodes images, (N, H, W, C) or (H, W, C), to float32 (N, H, W, C) in [-1, 1].

    Raises:
        InputError: images of another shape or range than the model's.
    """
    return pictures(model, encode(model, as_images(images, model.image_shape)))


def encode(model: Objective, images: np.ndarray) -> np.ndarray:
    """Codes of checked images, float32 (N, *latent_shape), batch by batch."""
    return _predict(model.encoder, images)


def decode(model: Objective, codes: np.ndarray) -> np.ndarray:
    """Images of codes, float32 (N, H, W, C), batch by batch, as the decoder gives them: unbounded if it is linear."""
    return _predict(model.decoder, codes)


def pictures(model: Objective, codes: np.ndarray) -> np.ndarray:
    """Images of codes, float32 (N, H, W, C) in [-1, 1], batch by batch."""
    return np.clip(decode(model, codes), -1.0, 1.0)


def mix(model: Objective, a: np.ndarray, b: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Mixed codes, float32 (N, *latent_shape), from codes (N, *latent_shape) and weights of the second (N,)."""
    return model.mixing(tf.constant(a), tf.constant(b), tf.constant(alphas, tf.float32)).numpy()


def _predict(network: keras.Model, inputs: np.ndarray) -> np.ndarray:
    # Traced once for every batch size, and kept with the network; `network.predict` would trace for each kind of batch.
    if not hasattr(network, "_traced"):
        signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)]
        # A partial is a function of its own for each network: of a lambda TensorFlow says that it is traced too often.
        network._traced = tf.function(functools.partial(network, training=False), signature, autograph=False)
    batches = (inputs[start : start + _BATCH] for start in range(0, len(inputs), _BATCH))
    return np.concatenate([network._traced(tf.constant(batch)).numpy() for batch in batches])
