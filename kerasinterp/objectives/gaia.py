"""The generative adversarial interpolative autoencoder."""

import keras
import tensorflow as tf

from kerasinterp.nn.net import Net
from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.player import Player
from kerasinterp.ops import replicas


@keras.saving.register_keras_serializable("kerasinterp")
class GAIA(Autoencoder):
    """An autoencoder judged by another one, which autoencodes real images well and generated ones badly (GAIA, 2018).

        R(x) = |x - A(x)|,  A the discriminator;  x^ = G(E(x));  x_m = G(mix(E(x), E(x'))), weights ~ N(0.5, 0.25)
        discriminator: clip(R(x) - w (R(x_m) + |x - A(x^)|) / 2),  w = clip(s(0.5 R(x_m) - R(x)), 0, 0.9)
        autoencoder:   clip(p R(x_m) + (1 - p) |x - A(x^)|) + 5e-5 L_distance,  p = s(R(x_m) - |x - A(x^)|)
        s(d) = sigmoid(20 d),  clip(.) to [-1, 1]

    L_distance compares the distances between images with those between their latents: the mean squared difference of
    log(1 + d / mean d). The two learning rates share one: the discriminator has s(R(x) - (R(x_m) + |x - A(x^)|) / 2)
    of it. All constants are those of the authors' code (timsainb/GAIA, network.py and the notebook), and so are the
    errors that they belong to: of images in [0, 1], half of those in [-1, 1], for which the slope would be 10.

    Differs from the original in: one latent, not a content and a style that modulates the decoder; w and p are
    constants of a step, not followed by gradients; L_distance, some 1e-5 of the loss, lies outside of the clip. What
    the original's networks bound and give is the recipe's to follow: its images end in a sigmoid, so that a spoilt
    reconstruction is worth no more than 1 to the discriminator, and the discriminator has half the channels and no
    bottleneck (a quarter of the image's sides, more features than the image has values).

    Args:
        judge_encoder, judge_decoder: the discriminator's two halves, which may have a latent of their own shape.
    """

    players = (
        Player("autoencoder", networks=("encoder", "decoder"), terms=("generation", "distances")),
        Player("discriminator", networks=("judge_encoder", "judge_decoder"), terms=("judgement",)),
    )
    networks = {"judge_encoder": Net("encoder", space="judged"), "judge_decoder": Net("decoder", space="judged")}
    measures = ("reconstruction", "balance")
    weights_of_terms = {"distances": 5e-5}  # the notebook: half its largest learning rate
    slope = 20.0  # the notebook, of errors of images in [0, 1]
    chooses_weights = True

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        count = tf.shape(images)[0]
        latents = self.encoder(images, training=training)
        alpha = 0.5 + 0.25 * self.normal(count)
        mixed = self.mixing(replicas.reverse(latents), latents, alpha)
        reconstructed, mix = tf.split(self.decoder(tf.concat([latents, mixed], 0), training=training), 2)
        judged = self.judge_encoder(tf.concat([images, reconstructed, mix], 0), training=training)
        real, of_reconstructed, of_mix = tf.split(self.judge_decoder(judged, training=training), 3)
        real, of_reconstructed, of_mix = (
            replicas.mean(
                tf.reduce_mean(self.reconstruction_error(0.5 * target, 0.5 * image))
            )  # as of images in [0, 1]
            for target, image in ((images, real), (images, of_reconstructed), (mix, of_mix))
        )
        fake = 0.5 * (of_mix + of_reconstructed)
        w = tf.clip_by_value(self._squashed(0.5 * of_mix - real), 0.0, 0.9)
        p = self._squashed(of_mix - of_reconstructed)
        return {
            "generation": tf.clip_by_value(p * of_mix + (1.0 - p) * of_reconstructed, -1.0, 1.0),
            "distances": _distances(images, latents),
            "judgement": tf.clip_by_value(real - w * fake, -1.0, 1.0),
            "reconstruction": self.reconstruction_error(images, reconstructed),
            "balance": self._squashed(real - fake),
        }

    def step_shares(self, outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"discriminator": outputs["balance"], "autoencoder": 1.0 - outputs["balance"]}

    def _squashed(self, difference: tf.Tensor) -> tf.Tensor:
        """s(d), a constant of the step."""
        return tf.sigmoid(self.slope * tf.stop_gradient(difference))


def _distances(images: tf.Tensor, latents: tf.Tensor) -> tf.Tensor:
    """L_distance of each image, to all of the batch."""

    def logarithms(x):
        x = tf.reshape(tf.cast(x, tf.float32), [tf.shape(x)[0], -1])
        squares = tf.reduce_mean(tf.square(x[:, tf.newaxis] - replicas.whole(x)[tf.newaxis]), axis=2)
        return tf.math.log1p(squares / tf.maximum(replicas.mean(tf.reduce_mean(squares)), 1e-12))

    return tf.reduce_mean(tf.square(logarithms(images) - logarithms(latents)), axis=1)
