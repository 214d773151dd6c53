"""The adversarial mixup resynthesiser."""

import keras
import tensorflow as tf

from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.player import Player
from kerasinterp.ops import losses


@keras.saving.register_keras_serializable("kerasinterp")
class AMR(Autoencoder):
    """Decoded mixes, too, must pass for real, and be encoded again to what was mixed (AMR eq. 5).

        h_mix = Mix(E(x), E(x')),  mix = G(h_mix)
        autoencoder:   lambda |x - G(E(x))|_2 + BCE(D(G(E(x))), 1) + BCE(D(mix), 1) + beta |h_mix - E(mix)|_2
        discriminator: BCE(D(x), 1) + BCE(D(G(E(x))), 0) + BCE(D(mix), 0)

    Mix is `mixing`: `Linear()` (eq. 3), `PerFeature()`, `Bernoulli()` (eq. 4) or `Dirichlet(k)`. lambda and beta are
    the weights of `reconstruction` and `consistency`. The released code takes the mean absolute error in place of the
    first norm (`reconstruction_loss="absolute"`): the recipes do. The paper's appendix has five discriminator steps to
    one of the autoencoder's (`every={"autoencoder": 5}` cuts each batch in five); the code and this class have one.
    """

    players = (
        Player(
            "autoencoder",
            networks=("encoder", "decoder"),
            terms=("reconstruction", "fooling", "fooling_mix", "consistency"),
        ),
        Player("discriminator", networks=("discriminator",), terms=("real", "fake", "fake_mix")),
    )
    weights_of_terms = {"reconstruction": 10.0, "consistency": 1.0}  # released code; table 1's best FID has beta = 1
    reconstruction_loss = "euclidean"

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        images = batch["c"]
        latents = self.encoder(images, training=training)
        mixed = self.mixing.draw(latents, self.seed_generator)
        decoded = self.decoder(tf.concat([latents, mixed], 0), training=training)
        reconstructed, mix = tf.split(decoded, 2)
        real, fake, fake_mix = self.jointly("discriminator", images, reconstructed, mix, training=training)
        return {
            "reconstruction": self.reconstruction_error(images, reconstructed),
            "fooling": losses.cross_entropy(fake, 1.0),
            "fooling_mix": losses.cross_entropy(fake_mix, 1.0),
            "consistency": losses.distance(mixed, self.encoder(mix, training=training)),
            "real": losses.cross_entropy(real, 1.0),
            "fake": losses.cross_entropy(fake, 0.0),
            "fake_mix": losses.cross_entropy(fake_mix, 0.0),
        }
