"""The interpolative autoencoder, AugIntAE's second baseline."""

import keras
import tensorflow as tf

from kerasinterp.objectives.balanced import BalancedAutoencoder
from kerasinterp.ops import replicas


@keras.saving.register_keras_serializable("kerasinterp")
class IntAE(BalancedAutoencoder):
    """Seeds are reconstructed, their interpolations trained by the GAN, which sees the reconstructions too (section 5).

        L_recon = |C - G(E(C))|_1,  fakes: G(E(C)) and G(mix(E(C), E(C'), alpha)),  reals: C

    C' is C in reverse order, so each image is mixed with another of the batch. alpha comes with the triplets; for plain
    images it is drawn here, the mean of two uniforms (A.1).
    """

    chooses_weights = True

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        latents = self.encoder(images, training=training)
        alpha = (
            batch["alpha"] if "alpha" in batch else tf.reduce_mean(self.uniform(2, tf.shape(images)[0], axis=1), axis=0)
        )
        mixed = self.mixing(replicas.reverse(latents), latents, alpha)
        decoded = self.decoder(tf.concat([latents, mixed], 0), training=training)
        return self.balanced_terms(images, decoded, training)
