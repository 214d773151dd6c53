"""Systems that make images from latents, without an encoder."""

import tensorflow as tf

from kerasinterp.objectives.normal_prior import NormalPrior
from kerasinterp.objectives.objective import Objective


class Generator(NormalPrior, Objective):
    """An objective whose `call` makes images: latents (B, *latent_shape) -> images (B, H, W, C) in [-1, 1].

    Its networks have a `generator`, of the kind `decoder`; `prior` says where new latents come from.
    """

    def decode(self, latents: tf.Tensor) -> tf.Tensor:
        """Latents (B, *latent_shape) -> images (B, H, W, C) in [-1, 1]."""
        return self.generator(latents, training=False)

    def call(self, latents: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.generator(latents, training=training)
