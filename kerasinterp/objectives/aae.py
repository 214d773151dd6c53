"""The adversarial autoencoder."""

import keras
import tensorflow as tf

from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.normal_prior import NormalPrior
from kerasinterp.objectives.player import Player
from kerasinterp.ops import losses


@keras.saving.register_keras_serializable("kerasinterp")
class AAE(NormalPrior, Autoencoder):
    """An autoencoder whose latents a discriminator cannot tell from a normal prior (Makhzani et al., 2015).

        autoencoder:          |x - G(E(x))|^2 + BCE(D(E(x)), 1)
        latent_discriminator: BCE(D(z), 1) + BCE(D(E(x)), 0),  z ~ N(0, 1)

    Args:
        latent_discriminator: latents -> scores (B, 1); ACAI's baseline has two layers of 100.
    """

    players = (
        Player("autoencoder", networks=("encoder", "decoder"), terms=("reconstruction", "fooling")),
        Player("latent_discriminator", networks=("latent_discriminator",), terms=("prior", "code")),
    )
    reconstruction_loss = "squared"

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        latents = self.encoder(images, training=training)
        prior = self.normal(*tf.unstack(tf.shape(latents)))
        of_prior, of_latents = self.jointly("latent_discriminator", prior, latents, training=training)
        return {
            "reconstruction": self.reconstruction_error(images, self.decoder(latents, training=training)),
            "fooling": losses.cross_entropy(of_latents, 1.0),
            "prior": losses.cross_entropy(of_prior, 1.0),
            "code": losses.cross_entropy(of_latents, 0.0),
        }
