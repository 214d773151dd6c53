"""Gradients cut value by value, for optimizers."""

import tensorflow as tf


class ClipsWhole:
    """Beside one of Keras' optimizers, before it: `clipvalue` cuts the gradient of the whole batch.

    Keras cuts what each replica has of its share, and each of equal rows of a table; here replicas and rows are added
    first, so that a step on several devices is that of one.
    """

    def _clip_gradients(self, gradients: list) -> list:
        return gradients if self.clipvalue else super()._clip_gradients(gradients)

    def update_step(
        self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        super().update_step(_cut(gradient, self.clipvalue) if self.clipvalue else gradient, variable, learning_rate)


def _cut(gradient: tf.Tensor | tf.IndexedSlices, most: float) -> tf.Tensor | tf.IndexedSlices:
    """Every value of it brought into -`most` .. `most`."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.clip_by_value(gradient, -most, most)
    rows, places = tf.unique(gradient.indices)
    found = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(tf.clip_by_value(found, -most, most), rows, gradient.dense_shape)
