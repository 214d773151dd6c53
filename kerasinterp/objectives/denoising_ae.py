"""The denoising autoencoder."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.player import Player


@keras.saving.register_keras_serializable("kerasinterp")
class DenoisingAE(Autoencoder):
    """Recovers images from noisy ones: |x - G(E(x + n))|^2, n ~ N(0, sigma^2) (Vincent et al., 2010).

    Args:
        sigma: the noise's standard deviation; images span [-1, 1] (ACAI's baseline: 1).
    """

    players = (Player("autoencoder", networks=("encoder", "decoder"), terms=("reconstruction",)),)
    reconstruction_loss = "squared"

    def __init__(self, *, sigma: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        if sigma < 0.0:
            raise InputError(f"sigma is 0 or more, not {sigma}.")
        self.sigma = float(sigma)

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        noise = self.sigma * self.normal(*tf.unstack(tf.shape(images)))
        return {"reconstruction": self.reconstruction_error(images, self(images + noise, training=training))}

    def get_config(self) -> dict:
        return super().get_config() | {"sigma": self.sigma}
