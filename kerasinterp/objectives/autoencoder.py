"""Systems with an encoder and a decoder, between whose latents is interpolated."""

from typing import Any

import keras
import tensorflow as tf

from kerasinterp.data.convert import to_float
from kerasinterp.errors import InputError
from kerasinterp.objectives.objective import Objective
from kerasinterp.ops import losses
from kerasinterp.ops.mixing import Linear


class Autoencoder(Objective):
    """An objective whose `call` reconstructs: images -> latents -> images.

    Args:
        mixing: how two latents are mixed, a value of `kerasinterp.ops.mixing`, `Linear()` say; None for the system's.
        reconstruction_loss: `absolute` or `squared` error, a mean over pixels, the `euclidean` norm of all pixels'
            errors, or `laplacian`, of the levels of pyramids; None for the system's.
        others: as `Objective`; `encoder` (B, H, W, C) -> latents (B, ...) and `decoder` are among the networks.

    Raises:
        InputError: as `Objective`; an encoder or decoder that states no shapes, or a mixing that does not fit.
    """

    default_mixing: Any = Linear()
    chooses_weights: bool = False  # `terms` mixes at weights of its own, so the mixing must take any
    reconstruction_loss: str = "absolute"

    def __init__(self, *, mixing: Any = None, reconstruction_loss: str | None = None, **others: Any):
        super().__init__(**others)
        for name in ("encoder", "decoder"):
            network = getattr(self, name)
            ends = [*(getattr(network, "inputs", None) or ()), *(getattr(network, "outputs", None) or ())]
            if not ends or any(None in end.shape[1:] for end in ends):
                raise InputError(
                    f"The {name} states no full shape: build it with keras.Input of the images' (or latents') height, "
                    "width and channels, as a functional or Sequential model."
                )
        self.mixing = self.default_mixing if mixing is None else mixing
        self.mixing.check(self.latent_shape)
        if self.chooses_weights and not self.mixing.at_any_weight:
            raise InputError(
                f"{type(self).__name__} mixes at weights that it chooses, and {type(self.mixing).__name__} mixing "
                "draws its own: use Linear() or, for latent vectors, Spherical()."
            )
        self.reconstruction_loss = reconstruction_loss or type(self).reconstruction_loss
        losses.check_reconstruction(self.reconstruction_loss)
        self._build_shapes_dict = {"images": (None, *self.image_shape)}  # what `export` asks for
        self._called = True

    @property
    def latent_size(self) -> int:
        """Numbers of a latent vector; of latent maps, how many maps."""
        return self.latent_shape[-1]

    def encode(self, images: tf.Tensor) -> tf.Tensor:
        """(B, H, W, C), uint8 or in [-1, 1] -> latents (B, *latent_shape)."""
        images = tf.convert_to_tensor(images)
        return self.encoder(to_float(images) if images.dtype == tf.uint8 else images, training=False)

    def decode(self, latents: tf.Tensor) -> tf.Tensor:
        """Latents (B, *latent_shape) -> images (B, H, W, C) in [-1, 1]."""
        return self.decoder(latents, training=False)

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The reconstruction of `images`."""
        return self.decoder(self.encoder(images, training=training), training=training)

    def predict_step(self, data: Any) -> tf.Tensor:
        return self(self.prepare(data)["c"], training=False)

    def reconstruction_error(self, target: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        """`reconstruction_loss` of each image, (B, ...) -> (B,)."""
        return losses.RECONSTRUCTION[self.reconstruction_loss](target, image)

    def get_config(self) -> dict:
        own = {
            "mixing": keras.saving.serialize_keras_object(self.mixing),
            "reconstruction_loss": self.reconstruction_loss,
        }
        return super().get_config() | own
