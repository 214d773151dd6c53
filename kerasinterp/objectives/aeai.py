"""Autoencoder adversarial interpolation."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.batch_normalization import BatchNormalization
from kerasinterp.nn.layers import layers_of
from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.perceptual import Perceptual
from kerasinterp.objectives.player import Player
from kerasinterp.ops import losses, replicas

# TensorFlow holds the mean constant within their variance: right first derivatives, wrong second ones.
_INEXACT = (BatchNormalization, keras.layers.BatchNormalization, keras.layers.GroupNormalization)


@keras.saving.register_keras_serializable("kerasinterp")
class AEAI(Perceptual, Autoencoder):
    """Shapes the latent space so that lines in it are admissible interpolations (AEAI eq. 1).

        x(a) = G(z(a)),  z(a) = (1 - a) E(x_i) + a E(x_j)
        L_R = |x_i - x(0)|^2 + |x_j - x(1)|^2         L_A = sum_a -log D(x(a))
        L_C = sum_a |z(a) - E(x(a))|^2                L_S = sum_a |dx(a)/da|^2
        autoencoder: L_R + lambda_A L_A + lambda_C L_C + lambda_S L_S;  D: -log D(x) - log(1 - D(x(a)))

    The two halves of a batch are x_i and x_j; of an odd one, both have the middle image. dx(a)/da is one
    Jacobian-vector product, taken as the images are decoded. Squares are means over pixels and over latent features,
    sums over a are means, so that the weights do not depend on sizes. A weight of 0 switches a loss off (appendix B).

    Args:
        points: M; a = 0, 1/M, ..., 1 for each pair (section 2.1). None draws one a ~ U(0, 1) a pair (section 2.3).
        perceptual: a fixed network whose outputs L_R compares instead of pixels, such as `nn.perceptual.vgg16()`.
    """

    players = (
        Player(
            "autoencoder",
            networks=("encoder", "decoder"),
            terms=("reconstruction", "adversarial", "cycle", "smoothness"),
        ),
        Player("discriminator", networks=("discriminator",), terms=("real", "fake")),
    )
    # Section 2.3; a pair has two ends, and the term is their mean.
    weights_of_terms = {"reconstruction": 2.0, "adversarial": 1e-2, "cycle": 1e-2, "smoothness": 1e-1}
    reconstruction_loss = "squared"
    chooses_weights = True

    def __init__(self, *, points: int | None = None, **kwargs):
        super().__init__(**kwargs)
        if points is not None and points < 1:
            raise InputError(f"points (M of the paper) is 1 or more, or None for one random point, not {points}.")
        if self.term_weights["smoothness"] and any(type(layer) in _INEXACT for layer in layers_of(self.decoder)):
            raise InputError(
                "AEAI's smoothness differentiates twice through the decoder, which the gradient of this batch "
                "normalisation does not allow: build the decoder by nn.vgg, nn.resnet or nn.acai, or with "
                "ExactBatchNormalization."
            )
        self.points = points

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = replicas.redealt(batch["c"], 2)  # the halves are the whole batch's
        latents = self.encoder(images, training=training)
        count = tf.shape(latents)[0]
        pairs = (count + 1) // 2
        first, second = latents[:pairs], latents[-pairs:]
        if self.points is None:
            alphas = self.uniform(pairs)
            seeds = self.decoder(latents, training=training)
        else:
            alphas = tf.repeat(tf.linspace(0.0, 1.0, self.points + 1), pairs)
            several = [self.points + 1] + [1] * (latents.shape.rank - 1)
            first, second = tf.tile(first, several), tf.tile(second, several)
        with tf.autodiff.ForwardAccumulator(alphas, tf.ones_like(alphas)) as forward:
            mixed = self.mixing(first, second, alphas)
            decoded = self.decoder(mixed, training=training)
        velocity = forward.jvp(decoded)
        if self.points is not None:
            seeds = tf.concat([decoded[: count - pairs], decoded[-pairs:]], 0)  # a = 0 and a = 1
        real, fake = self.jointly("discriminator", images, decoded, training=training)
        return {
            "reconstruction": self.reconstruction_error(images, seeds),
            "adversarial": losses.cross_entropy(fake, 1.0),
            "cycle": losses.squared_error(mixed, self.encoder(decoded, training=training)),
            "smoothness": losses.squared_error(0.0, velocity),
            "real": losses.cross_entropy(real, 1.0),
            "fake": losses.cross_entropy(fake, 0.0),
        }

    def reconstruction_error(self, target: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        if self.perceptual is None:
            return super().reconstruction_error(target, image)
        return losses.feature_error(self.perceptual, target, image, super().reconstruction_error)

    def get_config(self) -> dict:
        return super().get_config() | {"points": self.points}
