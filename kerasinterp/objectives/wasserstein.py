"""The game of WGAN-GP, shared by the systems whose critic is one."""

from typing import Any

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.layers import layers_of
from kerasinterp.objectives.objective import Objective
from kerasinterp.objectives.player import Player
from kerasinterp.ops import gradients


class Wasserstein(Objective):
    """A critic whose slope is held to 1, and a generator of the images that it sees (Gulrajani et al., 2017).

        critic:    C(fake) - C(real) + 10 (|grad C(x)| - 1)^2,  x = eps real + (1 - eps) fake,  eps ~ U(0, 1)
        generator: -C(fake)

    A step's batch is cut into five slices: the critic acts on each, the generator on the last (n_critic = 5), on the
    images that the critic sees there. Of the logs, `wasserstein` is C(real) - C(fake), the critic's estimate of how
    far the generator's images are from real ones, which falls as they get better; `loss` is the critic's.

    Args:
        critic: what it sees (B, ...) -> scores (B, 1), each of its own image alone.

    Raises:
        InputError: as `Objective`; a critic with batch normalisation.
    """

    weights_of_terms = {"penalty": 10.0}  # lambda (section 4)
    measures = ("wasserstein",)

    def __init__(self, *, critic: keras.Model, **kwargs: Any):
        super().__init__(critic=critic, **kwargs)
        # Group normalisation is Keras' own: its second derivative is wrong (`ExactBatchNormalization` says why).
        if any(
            isinstance(layer, keras.layers.BatchNormalization) or type(layer) is keras.layers.GroupNormalization
            for layer in layers_of(critic)
        ):
            raise InputError(
                f"{type(self).__name__} penalises the critic's slope at each image alone, and this critic normalises "
                "over a batch or group: build it by the critic of nn.infogan, nn.dcgan, nn.convolutional or nn.acai."
            )

    def game(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """The terms of both players, and the measure, for what the critic sees, (B, ...) each."""
        of_real, of_fake = self.jointly("critic", real, fake, training=training)
        difference = tf.reshape(of_fake - of_real, [-1])
        return {
            "penalty": gradients.penalty(
                lambda x: self.critic(x, training=training), real, fake, self.uniform(tf.shape(real)[0])
            ),
            "difference": difference,
            "fooling": tf.reshape(-of_fake, [-1]),
            "wasserstein": -tf.reduce_mean(difference),
        }

    @staticmethod
    def game_of(*networks: str) -> tuple[Player, ...]:
        """The players, for a generator of those networks."""
        return (
            Player("critic", networks=("critic",), terms=("penalty", "difference")),
            Player("generator", networks=networks, terms=("fooling",), every=5),
        )
