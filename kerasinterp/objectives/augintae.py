"""The augmentation-interpolative autoencoder."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.objectives.balanced import BalancedAutoencoder


@keras.saving.register_keras_serializable("kerasinterp")
class AugIntAE(BalancedAutoencoder):
    """Recovers the mixed transformation of an image from the mixed latents of its two transformations (section 4).

        A = f(rho_1),  B = f(rho_2),  C = f(alpha rho_1 + (1 - alpha) rho_2)
        L_recon = |C - G(mix(E(A), E(B), alpha))|_1 (eq. 1),  fakes: G(mix(...)),  reals: C

    Trains on the triplets of `kerasinterp.data.triplets`: a dictionary of `a`, `b`, `c` (B, H, W, C) and `alpha` (B,),
    the weight of A.
    """

    chooses_weights = True
    form = ("triplets", {})

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        if "a" not in batch:
            raise InputError("AugIntAE trains on triplets: pass kerasinterp.data.triplets(images, ...) to fit.")
        # One call for both: their distribution is the same, and so are the batch statistics.
        latents = self.encoder(tf.concat([batch["a"], batch["b"]], 0), training=training)
        a, b = tf.split(latents, 2)
        decoded = self.decoder(self.mixing(b, a, batch["alpha"]), training=training)
        return self.balanced_terms(batch["c"], decoded, training)
