"""Generative latent optimisation."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
from kerasinterp.objectives.generator import Generator
from kerasinterp.objectives.player import Player
from kerasinterp.ops import gaussian, losses


@keras.saving.register_keras_serializable("kerasinterp")
class GLO(Generator):
    """A generator and a table of latents, one an image, learn together to make the images (Bojanowski et al., 2018).

        min over G, z_1 ... z_N in the unit ball:  |x_i - G(z_i)|_1

    Trains on images and their places in the table: the batches of `kerasinterp.data.batches(..., places=True)`.
    New images come from one Gaussian with the latents' mean and covariance (section 3.3), on the unit ball as they are.

    Differs from the original in: the pixels' mean absolute error stands for its Laplacian pyramid.

    Args:
        table: places (B,) -> latents (B, n).
        generator: latents -> images.
    """

    players = (
        Player("generator", networks=("generator",), terms=("reconstruction",)),
        Player("latents", networks=("table",), terms=("reconstruction",)),
    )
    networks = {"generator": Net("decoder"), "table": Net("latent_table")}
    form = ("images", {"places": True})

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        if "place" not in batch:
            raise InputError(
                "GLO learns a latent for each image: pass kerasinterp.data.batches(..., places=True) to fit."
            )
        latents = in_ball(self.table(batch["place"], training=training))
        return {"reconstruction": losses.absolute_error(batch["c"], self.generator(latents, training=training))}

    def prior(self, count: int, seed: int = 0) -> tf.Tensor:
        latents = in_ball(tf.convert_to_tensor(self.table.trainable_variables[0]))
        return in_ball(gaussian.transformed(super().prior(count, seed), *gaussian.fitted(latents)))


def in_ball(latents: tf.Tensor) -> tf.Tensor:
    """Latents (B, n) longer than 1 brought to length 1."""
    return latents / tf.maximum(tf.norm(latents, axis=-1, keepdims=True), 1.0)
