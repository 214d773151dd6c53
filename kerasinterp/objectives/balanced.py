"""GAN training as AugIntAE's A.1 states it, shared by the paper's three autoencoders."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.player import Player, mean_gradient
from kerasinterp.ops import gradients, losses, replicas
from kerasinterp.ops.mixing import Spherical


class BalancedAutoencoder(Autoencoder):
    """An autoencoder and an LSGAN discriminator, the adversarial gradient balanced (AugIntAE A.1, eq. 2-6).

        L_AE = L_recon + k gamma L_adv,  gamma = |grad L_recon| / |grad L_adv|, per image, at the decoded images
        k_0 = 1,  k_{t+1} = clip(k_t - 0.001 (1 - (D(real) - D(fake))), 0, 1)

    Args:
        encoder: images (B, H, W, C) in [-1, 1] -> latents (B, latent_size).
        decoder: latents -> images.
        discriminator: images -> scores (B, 1).
        fake_label: what the discriminator says of fake images, 1 being real. The paper does not give it; k only ever
            recovers, as the paper says it does, if scores can lie more than 1 apart, hence -1 (LSGAN's first scheme).
        joint: the discriminator sees real and fake images as one batch. Its batch normalisation would otherwise give
            both the same mean and variance, and it could hardly tell them apart (see recipes/augintae_mnist/README.md).
    """

    players = (
        Player("autoencoder", networks=("encoder", "decoder"), terms=("reconstruction", "adversarial")),
        Player("discriminator", networks=("discriminator",), terms=("real", "fake")),
    )
    measures = ("real_score", "fake_score", "k")
    default_mixing = Spherical()  # A.1

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        discriminator: keras.Model,
        fake_label: float = -1.0,
        joint: bool = True,
        **kwargs,
    ):
        super().__init__(encoder=encoder, decoder=decoder, discriminator=discriminator, **kwargs)
        if any(self.term_weights[term] != 1.0 for term in self.players[0].terms):
            raise InputError("The autoencoder's terms are balanced image by image: give them no weights.")
        self.fake_label, self.joint = float(fake_label), bool(joint)
        self.k = self.add_weight(shape=(), initializer="ones", trainable=False, name="k")  # eq. 4

    def balanced_terms(self, target: tf.Tensor, decoded: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """The terms for real images `target` (B, ...) and `decoded` ones, the first B of which reconstruct them."""
        count = tf.shape(target)[0]
        if self.joint:
            real, fake = self.jointly("discriminator", target, decoded, training=training)
        else:
            real, fake = self.discriminator(target, training=training), self.discriminator(decoded, training=training)
        return {
            "decoded": decoded,
            "reconstruction": self.reconstruction_error(target, decoded[:count]),
            "adversarial": losses.least_squares(fake, 1.0),
            "real": losses.least_squares(real, 1.0),
            "fake": losses.least_squares(fake, self.fake_label),
            "real_score": tf.reduce_mean(real),
            "fake_score": tf.reduce_mean(fake),
            "k": tf.identity(self.k.value),
        }

    def gradients(self, tape: tf.GradientTape, player: Player, outputs: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        if player is not self.players[0]:
            return super().gradients(tape, player, outputs)
        decoded = outputs["decoded"]
        target, adversarial = (
            self.gradient(tape, player, [outputs[term]], [decoded], [mean_gradient(outputs[term])])[0]
            for term in player.terms
        )
        balanced = gradients.balance(target, adversarial, self.k)  # eq. 2-3, where the images were decoded
        return self.gradients_from(tape, player, outputs, [decoded], [balanced])

    def after_update(self, outputs: dict[str, tf.Tensor]) -> None:
        margin = replicas.mean(outputs["real_score"] - outputs["fake_score"])
        self.k.assign(tf.clip_by_value(self.k - 0.001 * (1.0 - margin), 0.0, 1.0))  # eq. 5-6

    def get_config(self) -> dict:
        return super().get_config() | {"fake_label": self.fake_label, "joint": self.joint}
