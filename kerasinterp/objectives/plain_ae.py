"""The autoencoder without an adversary."""

import keras
import tensorflow as tf

from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.player import Player


@keras.saving.register_keras_serializable("kerasinterp")
class PlainAE(Autoencoder):
    """An autoencoder that minimises the pixel error alone, whose generalisation AugIntAE's table 1 measures.

    L_recon = |C - G(E(C))|_1, or squared (ACAI's baseline) with reconstruction_loss="squared"
    """

    players = (Player("autoencoder", networks=("encoder", "decoder"), terms=("reconstruction",)),)

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        return {"reconstruction": self.reconstruction_error(batch["c"], self(batch["c"], training=training))}
