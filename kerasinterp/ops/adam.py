"""Adam in one fused kernel, and for the rows of a table."""

import keras
import tensorflow as tf

from kerasinterp.ops.clipping import ClipsWhole


class _FusedAdam(keras.optimizers.Adam):
    """Keras' Adam, updating each variable by TensorFlow's fused kernel instead of nine passes over it.

    Of a table (an `Embedding`), whose gradient is `tf.IndexedSlices`, only the rows that were drawn move, and only
    their moments: Keras' own goes on moving every other row along its momentum. Equal rows add up; the bias is
    corrected for all rows by the number of steps, as in PyTorch's SparseAdam.

    On several replicas dense gradients, and with amsgrad all, take the inherited update.
    """

    def update_step(
        self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        rows = isinstance(gradient, tf.IndexedSlices)
        if self.amsgrad or (not rows and tf.distribute.get_strategy().num_replicas_in_sync > 1):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        momentum, velocity = self._momentums[index].value, self._velocities[index].value
        step = tf.cast(self.iterations + 1, tf.float32)
        powers = tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)
        learning_rate = tf.cast(learning_rate, tf.float32)
        if rows:
            rate = learning_rate * tf.sqrt(1.0 - powers[1]) / (1.0 - powers[0])
            self._update_rows(gradient, variable, momentum, velocity, rate)
            return
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=powers[0],
            beta2_power=powers[1],
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )

    def _update_rows(
        self,
        gradient: tf.IndexedSlices,
        variable: tf.Variable,
        momentum: tf.Variable,
        velocity: tf.Variable,
        rate: tf.Tensor,
    ) -> None:
        rows, places = tf.unique(gradient.indices)
        found = tf.math.unsorted_segment_sum(tf.cast(gradient.values, tf.float32), places, tf.size(rows))
        first = self.beta_1 * tf.gather(momentum, rows) + (1.0 - self.beta_1) * found
        second = self.beta_2 * tf.gather(velocity, rows) + (1.0 - self.beta_2) * tf.square(found)
        momentum.scatter_update(tf.IndexedSlices(first, rows))
        velocity.scatter_update(tf.IndexedSlices(second, rows))
        variable.scatter_sub(tf.IndexedSlices(rate * first / (tf.sqrt(second) + self.epsilon), rows))


@keras.saving.register_keras_serializable("kerasinterp")
class Adam(ClipsWhole, _FusedAdam):
    __doc__ = f"{_FusedAdam.__doc__}\n    Of `clipvalue`, see `ClipsWhole`.\n"
