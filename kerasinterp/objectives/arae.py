"""The adversarial reconstruction autoencoder."""

import keras
import tensorflow as tf

from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.player import Player
from kerasinterp.ops import losses


@keras.saving.register_keras_serializable("kerasinterp")
class ARAE(Autoencoder):
    """An autoencoder whose reconstructions a discriminator takes for real (AMR eq. 2).

        autoencoder:   lambda |x - G(E(x))|_2 + BCE(D(G(E(x))), 1)
        discriminator: BCE(D(x), 1) + BCE(D(G(E(x))), 0)

    lambda is `weights["reconstruction"]`. The released code takes the mean absolute error in place of the norm
    (`reconstruction_loss="absolute"`), at the same lambda: the recipes do.
    """

    players = (
        Player("autoencoder", networks=("encoder", "decoder"), terms=("reconstruction", "fooling")),
        Player("discriminator", networks=("discriminator",), terms=("real", "fake")),
    )
    weights_of_terms = {"reconstruction": 10.0}  # the released code, MNIST and SVHN; the paper takes 20 to 100
    reconstruction_loss = "euclidean"

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        reconstructed = self(images, training=training)
        real, fake = self.jointly("discriminator", images, reconstructed, training=training)
        return {
            "reconstruction": self.reconstruction_error(images, reconstructed),
            "fooling": losses.cross_entropy(fake, 1.0),
            "real": losses.cross_entropy(real, 1.0),
            "fake": losses.cross_entropy(fake, 0.0),
        }
