"""Generative latent optimisation."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.data.components import principal_components
from kerasinterp.data.examples import Examples
from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
from kerasinterp.objectives.batch import needs_places
from kerasinterp.objectives.generator import Generator
from kerasinterp.objectives.perceptual import Perceptual
from kerasinterp.objectives.player import Player
from kerasinterp.ops import assignment, gaussian, losses


@keras.saving.register_keras_serializable("kerasinterp")
class GLO(Perceptual, Generator):
    """A generator and a table of latents, one an image, learn together to make the images (Bojanowski et al., 2018).

        min over G, z_1 ... z_N in the unit ball:  L(x_i, G(z_i))

    L is the difference of Laplacian pyramids, or COLA's eq. 3.4 with a fixed network's features xi_i:

        L(x, x') = |x - x'|_1 + sum_i |xi_i(x) - xi_i(x')|_1,  each a mean

    Trains on images and their places in the table: the batches of
    `kerasinterp.data.batches(..., places=True)`. New images come from one Gaussian with the latents' mean and
    covariance (section 3.3), in the unit ball as they are; `of_mixture` has several (COLA 4.1).

    Args:
        reconstruction_loss: L, or its part of pixels where features are added, as of `Autoencoder`; by default
            `laplacian`, and `absolute` beside features.
        perceptual: the network of the features, as of `Perceptual`.
        initialisation: of the latents: `random`, or `pca`, the images' principal components (tneumann/minimal_glo),
            which `begin` brings in.
        table: places (B,) -> latents (B, n).
        generator: latents -> images.
    """

    players = (
        Player("generator", networks=("generator",), terms=("reconstruction",)),
        Player("latents", networks=("table",), terms=("reconstruction",)),
    )
    networks = {"generator": Net("decoder", batch_normalised=False), "table": Net("latent_table")}
    form = ("images", {"places": True})

    def __init__(self, *, reconstruction_loss: str | None = None, initialisation: str = "random", **others: Any):
        super().__init__(**others)
        reconstruction_loss = reconstruction_loss or ("laplacian" if self.perceptual is None else "absolute")
        losses.check_reconstruction(reconstruction_loss)
        if initialisation not in ("random", "pca"):
            raise InputError(f"initialisation is random or pca, not {initialisation!r}.")
        self.reconstruction_loss, self.initialisation = reconstruction_loss, initialisation

    def begin(self, examples: Examples) -> None:
        if self.initialisation == "pca":
            self.latents.assign(in_ball(principal_components(examples.images, self.latents.shape[1])))

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        needs_places(batch, self)
        images = self.generator(self.bounded(self.table(batch["place"], training=training)), training=training)
        return {"reconstruction": self.reconstruction_error(batch["c"], images)}

    @property
    def latents(self) -> keras.Variable:
        """Of the images learned from, (N, n), in their order."""
        return self.table.trainable_variables[0]

    def reconstruction_error(self, target: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        """L of each image, (B, H, W, C) -> (B,)."""
        pixels = losses.RECONSTRUCTION[self.reconstruction_loss](target, image)
        if self.perceptual is None:
            return pixels
        return pixels + losses.feature_error(self.perceptual, target, image)

    def bounded(self, latents: tf.Tensor) -> tf.Tensor:
        """Latents as the generator sees them."""
        return in_ball(latents)

    def prior(self, count: int, seed: int = 0) -> tf.Tensor:
        latents = in_ball(tf.convert_to_tensor(self.latents))
        return in_ball(gaussian.transformed(super().prior(count, seed), *gaussian.fitted(latents)))

    def mixture(self, components: int, seed: int = 0) -> np.ndarray:
        """Which of so many Gaussians each latent is of, integers (N,): k-means' clusters (COLA 4.1; EM there)."""
        return assignment.clusters(in_ball(tf.convert_to_tensor(self.latents)).numpy(), components, seed)

    def of_mixture(self, mixture: np.ndarray, wanted: np.ndarray, seed: int = 0) -> tf.Tensor:
        """New latents (B, n), each of the Gaussian `wanted` (B,) of those that `mixture` gave.

        Raises:
            InputError: no latent is of one of them.
        """
        if len(empty := np.setdiff1d(wanted, mixture)):
            raise InputError(f"No latent is of Gaussian {empty[0]} of the mixture: want others.")
        noise = np.random.default_rng(seed).standard_normal((len(wanted), self.latents.shape[1]), np.float32)
        return in_ball(gaussian.of_sets(noise, wanted, in_ball(tf.convert_to_tensor(self.latents)), mixture))

    def get_config(self) -> dict:
        own = {"reconstruction_loss": self.reconstruction_loss, "initialisation": self.initialisation}
        return super().get_config() | own


def in_ball(latents: tf.Tensor) -> tf.Tensor:
    """Latents (B, n) longer than 1 brought to length 1."""
    return latents / tf.maximum(tf.norm(latents, axis=-1, keepdims=True), 1.0)
