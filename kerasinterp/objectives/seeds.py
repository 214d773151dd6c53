"""Draws within a training step."""

import keras
import tensorflow as tf

_APART = 2_654_435_761  # an odd number (Knuth's multiplicative hash): replicas' seeds are far from other seeds


class ReplicaSeeds(keras.random.SeedGenerator):
    """Keras' generator, whose replicas draw different values; on one device it is Keras' own.

    Each replica counts its own draws, all alike, so the replica's number goes into the seed.
    """

    def next(self, ordered: bool = True) -> tf.Tensor:
        seed = super().next(ordered)
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return seed
        return seed + _APART * tf.stack([tf.cast(context.replica_id_in_sync_group, seed.dtype), 0])
