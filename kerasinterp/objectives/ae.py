"""The plain autoencoder, AugIntAE's first baseline."""

import keras
import tensorflow as tf

from kerasinterp.objectives.balanced import BalancedAutoencoder


@keras.saving.register_keras_serializable("kerasinterp")
class AE(BalancedAutoencoder):
    """An autoencoder trained without interpolation but with the auxiliary GAN loss (AugIntAE section 5).

        L_recon = |C - G(E(C))|_1,  fakes: G(E(C)),  reals: C

    Trains on the images C of the triplets, so that all systems see the same distribution (A.1), or on plain images.
    """

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        decoded = self.decoder(self.encoder(images, training=training), training=training)
        return self.balanced_terms(images, decoded, training)
