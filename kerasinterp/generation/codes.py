"""What models are asked for, batch by batch: codes of images, mixed codes, and images of codes.

A model is whatever has the methods: `encode(images)`, `decode(latents)` or `decode(latents, labels)`, and `mixing`.
"""

import functools
import inspect
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images, needs
from kerasinterp.objectives import Objective
from kerasinterp.ops.parts import in_parts


def encode(model: Objective, images: object, *, made: bool = False) -> np.ndarray:
    """Codes of images; `functools.partial(encode, model)` is what measures of codes take.

    Args:
        model: an objective with `encode`, such as every autoencoder.
        images: (N, H, W, C) or (H, W, C), float in [-1, 1] or uint8; of a model of points, float (N, D).
        made: they come from a decoder, whose images may all be light: they are not suspected to be in [0, 1].

    Returns:
        float32 (N, *latent_shape).

    Raises:
        InputError: a model without an encoder, images of another shape or range than the model's.
    """
    needs(model, "encode")
    if len(model.image_shape) == 3:
        images = as_images(images, model.image_shape, made=made)
    return _predict(model, "encode", np.asarray(images, np.float32))


def decode(model: Objective, codes: object, labels: object = None, *, clip: bool = True) -> np.ndarray:
    """Images of codes; `functools.partial(decode, model)` is what measures of codes take.

    Args:
        model: an objective with `decode`.
        codes: float (N, *latent_shape).
        labels: integers (N,), for a model that decodes by them.
        clip: cut what an unbounded decoder (ACAI's is linear) gives beyond the range of images. Points are never cut.

    Returns:
        float32 (N, H, W, C) in [-1, 1] if clipped; of a model of points (N, D).

    Raises:
        InputError: a model without a decoder; labels for one that takes none.
    """
    needs(model, "decode")
    if labels is not None and "labels" not in inspect.signature(model.decode).parameters:
        raise InputError(f"{type(model).__name__} decodes without labels: leave them out.")
    inputs = [np.asarray(codes, np.float32)] + ([] if labels is None else [np.asarray(labels, np.int64)])
    made = _predict(model, "decode", *inputs)
    return np.clip(made, -1.0, 1.0) if clip and made.ndim == 4 else made


def mix(model: Objective, a: object, b: object, alphas: object) -> np.ndarray:
    """Mixed codes, float32 (N, *latent_shape), from codes (N, *latent_shape) and weights of the second (N,).

    Raises:
        InputError: a model that does not mix codes.
    """
    if not hasattr(model, "mixing"):
        raise InputError(f"{type(model).__name__} has no mixing of codes: give a model that interpolates.")
    return model.mixing(*(tf.constant(given, tf.float32) for given in (a, b, alphas))).numpy()


def traced(
    model: Any, key: Hashable, make: Callable[[], Callable], signature: list[tf.TensorSpec], **options: Any
) -> Callable:
    """`make()` as a TensorFlow function that is traced once for a model, and kept with it."""
    kept = vars(model).setdefault("_traced", {})  # past Keras's __setattr__, which would take it for a part to save
    if key not in kept:
        kept[key] = tf.function(make(), signature, autograph=False, **options)
    return kept[key]


def _predict(model: Objective, method: str, *inputs: np.ndarray) -> np.ndarray:
    # Traced once for every batch size; `predict` would trace for each kind of batch.
    signature = [tf.TensorSpec((None, *given.shape[1:]), given.dtype) for given in inputs]
    # A partial is a function of its own for each model: of methods TensorFlow says that they are traced too often.
    function = traced(model, (method, len(inputs)), lambda: functools.partial(getattr(model, method)), signature)
    return in_parts(function, *inputs)
