"""The variational autoencoder."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.normal_prior import NormalPrior
from kerasinterp.objectives.player import Player
from kerasinterp.ops import losses


@keras.saving.register_keras_serializable("kerasinterp")
class VAE(NormalPrior, Autoencoder):
    """The variational autoencoder with a Gaussian decoder (Kingma and Welling, 2013).

        z ~ N(mu(x), sigma(x)^2);  |x - G(z)|^2 / 2 + KL(N(mu, sigma^2) | N(0, 1)), both over the number of pixels

    `encode`, interpolation and exports use mu. The weight of `divergence` is beta (`BetaVAE`).

    Args:
        posterior: images -> (B, ..., 2 n), mu and log sigma^2; the decoder takes (B, ..., n).
    """

    players = (Player("autoencoder", networks=("posterior", "decoder"), terms=("reconstruction", "divergence")),)
    networks = {"posterior": Net("encoder", outputs=2)}
    weights_of_terms = {"reconstruction": 0.5, "divergence": 1.0}
    reconstruction_loss = "squared"

    def complete_networks(self) -> None:
        statistics = self.posterior.output
        if statistics.shape[-1] % 2:
            raise InputError(
                f"The posterior gives mu and log sigma^2, not {statistics.shape[-1]} features: an even number."
            )
        mean = statistics[..., : statistics.shape[-1] // 2]
        self.encoder = keras.Model(self.posterior.input, mean, name="mean_encoder")

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        mean, log_variance = tf.split(tf.cast(self.posterior(images, training=training), tf.float32), 2, axis=-1)
        noise = self.normal(*tf.unstack(tf.shape(mean)))
        latents = mean + tf.exp(0.5 * log_variance) * noise
        decoded = self.decoder(latents, training=training)
        pixels = tf.cast(tf.reduce_prod(tf.shape(images)[1:]), tf.float32)
        return {
            "reconstruction": self.reconstruction_error(images, decoded),
            "divergence": losses.divergence(mean, log_variance) / pixels,
        }
