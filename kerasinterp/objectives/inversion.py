"""The encoder that inverts a generator."""

import math

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.normal_prior import NormalPrior
from kerasinterp.objectives.player import Player
from kerasinterp.ops import gaussian, losses
from kerasinterp.ops.mixing import on_sphere

_DRAWS = 2**15  # of a prior, from which its Gaussian is taken: variances to a hundredth
_UNIT = 1e-3  # how far a unit latent's length may be from 1


@keras.saving.register_keras_serializable("kerasinterp")
class Inversion(NormalPrior, Autoencoder):
    """An encoder for a trained generator, learnt from what that generator makes (AugIntAE A.2).

        x = G(z),  z ~ the generator's prior;  min over E:  |E(x) - z|^2

    G does not move. `take_over` takes it from a trained model (a recipe's `after`), and the prior: the Gaussian of that
    model's draws, brought to length 1 if all of them have it. Of a batch only the number of images is read.

    Args:
        decoder: G, latents -> images.

    Raises:
        InputError: as `Autoencoder`; a reconstruction_loss, since no image is reconstructed.
    """

    players = (Player("encoder", networks=("encoder",), terms=("code",)),)
    fixed = ("decoder",)
    follows = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if self.reconstruction_loss != type(self).reconstruction_loss:
            raise InputError("Inversion minimises the error of codes, not of images: leave reconstruction_loss out.")
        size = math.prod(self.latent_shape)
        self.prior_mean = self.add_weight(shape=(size,), initializer="zeros", trainable=False, name="prior_mean")
        self.prior_root = self.add_weight(
            shape=(size, size), initializer="identity", trainable=False, name="prior_root"
        )
        self.on_sphere = self.add_weight(
            shape=(), initializer="zeros", dtype="bool", trainable=False, name="on_sphere"
        )  # whether the prior's latents have length 1

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        latents = self._of_prior(self.normal(tf.shape(batch["c"])[0], *self.latent_shape))
        images = self.decoder(latents, training=False)
        return {"code": losses.squared_error(latents, self.encoder(images, training=training))}

    def prior(self, count: int, seed: int = 0) -> tf.Tensor:
        return self._of_prior(super().prior(count, seed))

    def take_over(self, earlier: keras.Model) -> None:
        kind = type(earlier).__name__
        own = next(
            (name for name, net in earlier.nets().items() if (net.kind, net.space) == ("decoder", "latents")), ""
        )
        if not (own and hasattr(earlier, "prior")):
            raise InputError(f"{kind} has no generator with a prior to invert: name a run of one that has by `after`.")
        weights = getattr(earlier, own).get_weights()
        if [w.shape for w in weights] != [w.shape for w in self.decoder.get_weights()]:
            raise InputError(
                f"The {own} of {kind} has other layers than the decoder: give the backbone it was built by."
            )
        latents = earlier.prior(_DRAWS, self.seed)
        unit = bool(tf.reduce_all(tf.abs(tf.norm(latents, axis=-1) - 1.0) < _UNIT))
        if self.mixing.on_sphere and not unit:  # and the encoder, which then normalises, could never give them
            raise InputError(f"The latents of {kind} are not of length 1: choose linear mixing.")
        self.decoder.set_weights(weights)
        self.on_sphere.assign(unit)
        mean, root = gaussian.fitted(tf.reshape(latents, [_DRAWS, -1]))
        self.prior_mean.assign(mean)
        self.prior_root.assign(root)

    def _of_prior(self, normal: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(normal)
        latents = gaussian.transformed(tf.reshape(normal, [shape[0], -1]), self.prior_mean, self.prior_root)
        latents = tf.reshape(latents, shape)
        return tf.where(self.on_sphere, on_sphere(latents), latents)
