"""The neural statistician."""

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
from kerasinterp.objectives.objective import Objective
from kerasinterp.objectives.player import Player
from kerasinterp.ops import losses
from kerasinterp.ops.parts import in_parts

_GAUSSIANS = ("statistic_network", "inference_network", "latent_decoder")


@keras.saving.register_keras_serializable("kerasinterp")
class NeuralStatistician(Objective):
    """A variational autoencoder of sets, whose images share a context c (Edwards and Storkey, 2017; AugIntAE A.5).

        h_i = E(x_i),  c ~ q(c|D = h_1 ... h_S),  z_i ~ q(z|h_i, c),  pixels Bernoulli
        (1 + a) sum_i -log p(x_i|z_i, c) / S  +  (KL(q(c|D) | N(0, 1)) + sum_i KL(q(z|h_i, c) | p(z|c))) / S / (1 + a)

    a, the emphasis, is 1 and halved after each epoch (section 4; the official code). `bound` is the loss at a = 0, in
    nats an image. Trains on the sets of `kerasinterp.data.sets`: a dictionary with `c` (B, S, H, W, C).

    Args:
        image_encoder: images (N, H, W, C) in [-1, 1] -> embeddings h (N, f).
        statistic_network: embeddings of sets (B, S, f), S any number -> mean and log variance of c (B, 2 m).
        inference_network: embeddings and contexts (N, m) -> mean and log variance of z (N, 2 n), of q.
        latent_decoder: contexts -> mean and log variance of z, of p.
        observation_decoder: latents (N, n) and contexts -> logits of the pixels (N, H, W, C).
    """

    players = (
        Player(
            "statistician",
            networks=("image_encoder", *_GAUSSIANS, "observation_decoder"),
            terms=("reconstruction", "context_divergence", "latent_divergence"),
        ),
    )
    networks = {name: Net(name, outputs=2) for name in _GAUSSIANS}
    measures = ("bound",)
    form = ("sets", {"size": 5})

    def complete_networks(self) -> None:
        self.emphasis = self.add_weight(
            shape=(), initializer="ones", trainable=False, name="emphasis", aggregation="only_first_replica"
        )

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        if batch["c"].shape.rank != 5:
            raise InputError(
                "NeuralStatistician learns from sets of a class, and was given single images: pass "
                "kerasinterp.data.sets(images, ..., size=5) to fit."
            )
        size = batch["c"].shape[1]
        images = tf.reshape(batch["c"], [-1, *self.image_shape])
        h = self.image_encoder(images, training=training)
        sets = tf.reshape(h, [-1, size, h.shape[-1]])
        of_set = _gaussian(self.statistic_network(sets, training=training))
        c = self._drawn(*of_set)
        prior = [tf.repeat(one, size, 0) for one in _gaussian(self.latent_decoder(c, training=training))]
        c = tf.repeat(c, size, 0)
        posterior = _gaussian(self.inference_network([h, c], training=training))
        logits = self.observation_decoder([self._drawn(*posterior), c], training=training)
        errors = float(np.prod(self.image_shape)) * losses.cross_entropy(logits, 0.5 + 0.5 * images)
        error, of_z = (
            tf.reduce_mean(tf.reshape(one, [-1, size]), axis=1)
            for one in (errors, losses.divergence(*posterior, of=prior))
        )
        of_c = losses.divergence(*of_set) / size
        more = 1.0 + tf.cast(self.emphasis.value, error.dtype)
        return {
            "reconstruction": more * error,
            "context_divergence": of_c / more,
            "latent_divergence": of_z / more,
            "bound": error + of_c + of_z,
        }

    def after_epoch(self) -> None:
        self.emphasis.assign(0.5 * self.emphasis)

    def few_shot(self, seeds: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
        """`n` images of the seeds' class: c is the mean of q(c|seeds), z ~ p(z|c); the pixels' means.

        Args:
            seeds: float32 (S, H, W, C) in [-1, 1], S at least 1.
            n: how many images.
            seed: of z; the first images of a longer draw are those of a shorter one.

        Returns:
            float32 (n, H, W, C) in [-1, 1].
        """
        h = self.image_encoder(tf.constant(seeds, tf.float32), training=False)
        c, _ = _gaussian(self.statistic_network(h[tf.newaxis], training=False))
        mean, log_variance = _gaussian(self.latent_decoder(c, training=False))
        noise = np.random.default_rng(seed).standard_normal((n, *self.latent_shape)).astype(np.float32)
        latents = mean + tf.exp(0.5 * log_variance) * noise
        logits = in_parts(lambda z: self.observation_decoder([z, tf.repeat(c, len(z), 0)], training=False), latents)
        return np.tanh(0.5 * logits)  # 2 sigmoid(x) - 1

    def _drawn(self, mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
        return mean + tf.exp(0.5 * log_variance) * self.normal(*tf.unstack(tf.shape(mean)))


def _gaussian(statistics: tf.Tensor) -> list[tf.Tensor]:
    """Mean and log variance."""
    return tf.split(tf.cast(statistics, tf.float32), 2, axis=-1)
