"""One network on several batches as if they were one."""

import keras
import tensorflow as tf


class Joint:
    """Calls a network on several batches joined, so that they share the statistics of its batch normalisation.

    The value is that of `network(tf.concat(batches, 0))`. What stands before the first batch normalisation treats each
    image alone and runs on each batch apart: a gradient asked for at one batch's images is then not also computed down
    to the others'.

    Args:
        network: a functional model. One that is not a plain chain of layers, or has no batch normalisation, is called
            on the joined batches.
    """

    def __init__(self, network: keras.Model):
        self._apart, self._together = None, network
        first = next((n for n in network.layers if isinstance(n, keras.layers.BatchNormalization)), None)
        inner = (layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer))
        chain = all(len(layer._inbound_nodes) == 1 and not isinstance(layer.input, list) for layer in inner)
        if first is not None and chain:
            self._apart = keras.Model(network.inputs, first.input, name=f"{network.name}_apart")
            self._together = keras.Model(first.input, network.outputs[0], name=f"{network.name}_together")

    def __call__(self, *batches: tf.Tensor, training: bool) -> list[tf.Tensor]:
        """The outputs, batch by batch."""
        sizes = [tf.shape(batch)[0] for batch in batches]
        if self._apart is not None:
            batches = [self._apart(batch, training=training) for batch in batches]
        return tf.split(self._together(tf.concat(batches, 0), training=training), sizes)
