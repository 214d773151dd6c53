"""What a model offers to an export: its networks in float32, and how it mixes latents."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.precision import in_float32

# Activations whose values lie within [-1, 1].
_BOUNDED = (
    keras.activations.tanh,
    keras.activations.sigmoid,
    keras.activations.hard_sigmoid,
    keras.activations.softsign,
)


@dataclass(frozen=True)
class Networks:
    """A model's encoder, its decoder (a generator is one) and its mixing; None is what it does not offer."""

    image_shape: tuple[int, ...]
    latent_shape: tuple[int, ...]
    encoder: keras.Model | None = None
    decoder: keras.Model | None = None
    mixing: Callable | None = None

    @classmethod
    def of(cls, model: keras.Model) -> "Networks":
        """The networks of `model`, told by its attributes `encoder`, `decoder` or `generator`, `mixing`, `image_shape`.

        Raises:
            InputError: if it has neither network, one that takes or gives more than one tensor, or a decoder of other
                latents than the encoder's.
        """
        encoder, decoder, mixing = (getattr(model, name, None) for name in ("encoder", "decoder", "mixing"))
        decoder = getattr(model, "generator", None) if decoder is None else decoder
        shape = getattr(model, "image_shape", None)
        if shape is None or (encoder is None and decoder is None):
            raise InputError(
                f"{type(model).__name__} cannot be exported, it has no encoder, decoder or generator with an "
                "image_shape: give a model that kerasinterp trained."
            )
        for name, network in (("encoder", encoder), ("decoder", decoder)):
            tensors = [len(getattr(network, end, None) or [None]) for end in ("inputs", "outputs")]
            if tensors != [1, 1]:
                raise InputError(
                    f"The {name} of {type(model).__name__} takes {tensors[0]} tensors and gives {tensors[1]}: only "
                    "networks from one tensor to one can be exported."
                )
        encoder, decoder = (
            None if network is None else in_float32(network, always_copy=False) for network in (encoder, decoder)
        )
        latent_shape = encoder.output_shape if decoder is None else decoder.input_shape
        if encoder is not None and latent_shape[1:] != encoder.output_shape[1:]:
            raise InputError(
                f"{type(model).__name__} decodes more than a code, so it cannot be exported: make images of seeds here "
                "(generation.few_shot; kerasinterp generate)."
            )
        if encoder is None or decoder is None:
            mixing = None
        return cls(tuple(shape), tuple(latent_shape[1:]), encoder, decoder, mixing)

    def encode(self, images: tf.Tensor) -> tf.Tensor:
        return self.encoder(images, training=False)

    def decode(self, latent: tf.Tensor) -> tf.Tensor:
        """Images in [-1, 1]: what an unbounded decoder (ACAI's is linear) gives beyond the range is no pixel."""
        images = self.decoder(latent, training=False)
        if _is_bounded(self.decoder):
            return images
        # max(min(x, 1), -1) with one operator: the converter would make of the two LiteRT's RELU_N1_TO_1, which other
        # readers of its files do not know.
        return tf.maximum(-tf.maximum(-images, -1.0), -1.0)

    def reconstruct(self, images: tf.Tensor) -> tf.Tensor:
        return self.decode(self.encode(images))

    def interpolate(self, image_a: tf.Tensor, image_b: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
        # One pass over both images: half the calls of the encoder.
        latent_a, latent_b = tf.split(self.encode(tf.concat([image_a, image_b], axis=0)), 2)
        return self.interpolate_latents(latent_a, latent_b, alpha)

    def interpolate_latents(self, latent_a: tf.Tensor, latent_b: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
        return self.decode(self.mixing(latent_a, latent_b, alpha))


def _is_bounded(network: keras.Model) -> bool:
    last = network
    while isinstance(last, keras.Model) and last.layers:
        last = last.layers[-1]
    return getattr(last, "activation", None) in _BOUNDED
