"""The data augmentation GAN."""

import functools

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
from kerasinterp.objectives.wasserstein import Wasserstein
from kerasinterp.ops.mixing import on_sphere
from kerasinterp.ops.parts import in_parts


@keras.saving.register_keras_serializable("kerasinterp")
class DAGAN(Wasserstein):
    """A new image of the class that a given one shows, judged in pairs (Antoniou et al., 2017; AugIntAE A.5).

        x' = G(E(x_i), z),  z ~ N(0, 1);  the game of `Wasserstein` for real pairs (x_i, x_j), fake ones (x_i, x')

    x_i and x_j are different images of a class: the batches of `kerasinterp.data.pairs`. The critic sees a pair as one
    image of twice the channels, and so tells whether x' is another image of the class of x_i. Code and noise have one
    size and each length 1 (A.1); the decoder takes them one behind the other (ours: A.5 does not say how noise enters).

    Differs from the original in: AugIntAE's networks (A.5) for a U-net with dropout, whose skips, and noise, reach
    several sizes; x_j is never x_i.

    Args:
        critic: pairs (B, H, W, 2 C) in [-1, 1] -> scores (B, 1), without batch normalisation.
        encoder: images (B, H, W, C) in [-1, 1] -> codes (B, ..., n).
        decoder: codes and noise (B, ..., 2 n) -> images.
    """

    players = Wasserstein.game_of("encoder", "decoder")
    networks = {"critic": Net("critic", images=2, batch_normalised=False), "decoder": Net("decoder", latents=2)}

    form = ("pairs", {})

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        if "other" not in batch:
            raise InputError(
                "DAGAN learns from pairs of a class: pass kerasinterp.data.pairs(...) to fit (a recipe's form: pairs)."
            )
        made = self(batch["c"], training=training)
        real, fake = (tf.concat([batch["c"], second], -1) for second in (batch["other"], made))
        return self.game(real, fake, training)

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """A new image of the class of each."""
        codes = self.encoder(images, training=training)
        return self._decode(codes, self.normal(tf.shape(images)[0], *self.latent_shape), training)

    def few_shot(self, seeds: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
        """`n` images, each from a random one of the seeds and noise; the first of a longer draw are a shorter one's.

        Args:
            seeds: float32 (S, H, W, C) in [-1, 1].
            n: how many images.
            seed: of the choice and the noise.

        Returns:
            float32 (n, H, W, C) in [-1, 1].
        """
        chosen, noise = (np.random.default_rng([seed, part]) for part in (0, 1))
        places = (chosen.random(n) * len(seeds)).astype(int)
        codes = tf.gather(self.encoder(tf.constant(seeds, tf.float32), training=False), places)
        noise = tf.constant(noise.standard_normal((n, *self.latent_shape)), tf.float32)
        return in_parts(functools.partial(self._decode, training=False), codes, noise)

    def _decode(self, codes: tf.Tensor, noise: tf.Tensor, training: bool) -> tf.Tensor:
        return self.decoder(tf.concat([on_sphere(codes), on_sphere(noise)], -1), training=training)
