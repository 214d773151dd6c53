"""The Wasserstein GAN with gradient penalty."""

import keras
import tensorflow as tf

from kerasinterp.nn.net import Net
from kerasinterp.objectives.generator import Generator
from kerasinterp.objectives.wasserstein import Wasserstein
from kerasinterp.ops.mixing import on_sphere


@keras.saving.register_keras_serializable("kerasinterp")
class WGANGP(Wasserstein, Generator):
    """A generator of images from noise, and a critic whose slope is held to 1 (`Wasserstein`; Gulrajani et al., 2017).

        z ~ N(0, 1) / |N(0, 1)|;  critic: C(G(z)) - C(x) + 10 (|grad C| - 1)^2;  generator: -C(G(z))

    Latents lie on the unit sphere (AugIntAE A.1), in training and in `prior`.

    Differs from the original in: the sphere, its latents being N(0, 1); and the generator steps on the latents of the
    last slice that the critic saw, in place of new ones, so that a step has no second forward pass.

    Args:
        critic: images (B, H, W, C) in [-1, 1] -> scores (B, 1), without batch normalisation.
        generator: latents (B, ...) -> images.
    """

    players = Wasserstein.game_of("generator")
    networks = {"critic": Net("critic", batch_normalised=False), "generator": Net("decoder")}

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        latents = on_sphere(self.normal(tf.shape(batch["c"])[0], *self.latent_shape))
        return self.game(batch["c"], self.generator(latents, training=training), training)

    def prior(self, count: int, seed: int = 0) -> tf.Tensor:
        return on_sphere(super().prior(count, seed))
