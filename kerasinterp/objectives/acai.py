"""Adversarially constrained autoencoder interpolation."""

import keras
import tensorflow as tf

from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.player import Player
from kerasinterp.ops import losses, replicas


@keras.saving.register_keras_serializable("kerasinterp")
class ACAI(Autoencoder):
    """A critic predicts the mixing coefficient, the autoencoder makes it predict none (ACAI, 2019, eq. 2-3).

        x_a = G(a E(x) + (1 - a) E(x')),  a ~ U(0, 0.5)
        autoencoder: |x - G(E(x))|^2 + 0.5 C(x_a)^2
        critic:      (C(x_a) - a)^2 + C(x^ + gamma (x - x^))^2,  x^ = G(E(x))

    x' is the batch in reverse order. a is folded to [0, 0.5], since a and 1 - a cannot be told apart. Errors are means
    over pixels (official acai.py of Berthelot et al.).

    Args:
        critic: images -> scores (B, 1).
        gamma: how far the critic's second images lie between reconstruction and image (official: 0.2).
    """

    players = (
        Player("autoencoder", networks=("encoder", "decoder"), terms=("reconstruction", "fooling")),
        Player("critic", networks=("critic",), terms=("coefficient", "blend")),
    )
    weights_of_terms = {"fooling": 0.5}  # official acai.py: advweight
    reconstruction_loss = "squared"
    chooses_weights = True

    def __init__(self, *, gamma: float = 0.2, **kwargs):
        super().__init__(**kwargs)
        self.gamma = float(gamma)

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        latents = self.encoder(images, training=training)
        alpha = 0.5 * self.uniform(tf.shape(images)[0])
        mixed = self.mixing(replicas.reverse(latents), latents, alpha)  # weight alpha on its own latent
        decoded = self.decoder(tf.concat([latents, mixed], 0), training=training)
        reconstructed, interpolated = tf.split(decoded, 2)
        blend = reconstructed + self.gamma * (images - reconstructed)
        of_interpolated, of_blend = self.jointly("critic", interpolated, blend, training=training)
        return {
            "reconstruction": self.reconstruction_error(images, reconstructed),
            "fooling": losses.squared_error(0.0, of_interpolated),
            "coefficient": losses.squared_error(alpha[:, tf.newaxis], of_interpolated),
            "blend": losses.squared_error(0.0, of_blend),
        }

    def get_config(self) -> dict:
        return super().get_config() | {"gamma": self.gamma}
