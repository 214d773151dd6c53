"""A table of latents, one for each image of a dataset (GLO; Bojanowski et al., 2018)."""

import keras
import tensorflow as tf


def latent_table(count: int, latent_size: int, seed: int = 0, name: str = "latent_table") -> keras.Model:
    """Places (B,) in 0 .. `count` - 1 -> latents (B, latent_size), which start as N(0, 0.01^2) (yedidh/glann)."""
    initializer = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    places = keras.Input((), dtype="int32", name="places")
    latents = Rows(count, latent_size, initializer, dtype="float32", name="latents")(places)
    return keras.Model(places, latents, name=name)


@keras.saving.register_keras_serializable("kerasinterp")
class Rows(keras.layers.Embedding):
    """Keras' Embedding, reading the rows that are asked for: its own first copies the whole table, at every step."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.embedding_lookup(self.embeddings.value, inputs)
