"""What LiteRT's int8 sees before it chooses the range of every activation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.data.convert import checked_array, to_float
from kerasinterp.errors import InputError
from kerasinterp.exporting.networks import Networks

# Enough to find every tensor's range; more only slows the conversion.
_EXAMPLES = 200


@dataclass(frozen=True)
class Calibration:
    """Images float32 (N, H, W, C) in [-1, 1], none for a generator, and latents float32 (M, *latent_shape)."""

    images: np.ndarray
    latents: np.ndarray

    @classmethod
    def of(cls, model: keras.Model, networks: Networks, images: np.ndarray | None) -> "Calibration":
        """The images' codes and their mixes; of a model without an encoder, draws from its prior.

        Raises:
            InputError: if images are missing, are not the model's, or are given to a model that takes none.
        """
        if networks.encoder is None:
            return cls(np.empty((0,)), _of_prior(model, networks, images))
        images = _sample(_checked(networks, images))
        latents = networks.encode(tf.constant(images))
        if networks.mixing is not None:
            # The decoder will also see mixes, which lie between the codes.
            mixes = networks.mixing(latents, tf.roll(latents, 1, axis=0), tf.fill([len(images)], 0.5))
            latents = tf.concat([latents, mixes], axis=0)
        return cls(images, latents.numpy())

    def examples(self, names: Iterable[str]) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        """A signature's name and its inputs, one example after another."""
        for name in names:
            key, values = ("images", self.images) if name == "encode" else ("latent", self.latents)
            for value in values:
                yield name, {key: value[np.newaxis]}


def _of_prior(model: keras.Model, networks: Networks, images: np.ndarray | None) -> np.ndarray:
    kind = type(model).__name__
    if images is not None:
        raise InputError(f"{kind} has no encoder, so int8 takes draws from its prior: leave representative_images out.")
    if not hasattr(model, "prior"):
        raise InputError(f"{kind} has neither an encoder nor a prior, from which int8 could know the latents' range.")
    return np.asarray(model.prior(_EXAMPLES, 0), np.float32).reshape(_EXAMPLES, *networks.latent_shape)


def _checked(networks: Networks, images: np.ndarray | None) -> np.ndarray:
    if images is None:
        raise InputError(
            "int8 needs representative_images: give 100 or more images like those that the model will see."
        )
    images = np.asarray(images)
    if images.shape[1:] != networks.image_shape or not len(images):
        shape = ", ".join(map(str, networks.image_shape))
        raise InputError(f"The representative images must be (N, {shape}) with N > 0, got {images.shape}.")
    if len(networks.image_shape) == 3:
        return checked_array(images)
    if images.dtype.kind != "f" or not np.abs(images).max() <= 1.0:  # not true of NaN
        raise InputError("The representative points must be floats in [-1, 1].")
    return images


def _sample(images: np.ndarray) -> np.ndarray:
    # From all of them: datasets are often sorted by class.
    chosen = np.random.default_rng(0).permutation(len(images))[:_EXAMPLES]
    images = images[np.sort(chosen)]
    return to_float(images) if images.dtype == np.uint8 else images.astype(np.float32)
