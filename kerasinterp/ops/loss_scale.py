"""Loss scaling, without which small gradients vanish in float16."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.ops import replicas

# Those of keras.optimizers.LossScaleOptimizer.
START = 2.0**15
GROWTH = 2000  # steps without overflow after which the scale doubles
LEAST, MOST = 1.0, 2.0**30  # ours: no gradient is lost to either


class LossScale:
    """What the losses of one player are multiplied by, and its gradients divided by (Micikevicius et al., 2018).

    It is halved when a gradient overflows, and that step is skipped (section 3.2); doubled after `GROWTH` steps
    without. Keras' `LossScaleOptimizer` has the same rule, for one loss and one optimizer.
    """

    def __init__(self):
        whole = {"trainable": False, "aggregation": "only_first_replica"}
        self.scale = keras.Variable(START, dtype="float32", name="loss_scale", **whole)
        self.steps = keras.Variable(0, dtype="int32", name="steps_without_overflow", **whole)

    def gradient(
        self, tape: tf.GradientTape, ends: list[tf.Tensor], sources: list[tf.Tensor], starts: list[tf.Tensor]
    ) -> list[tf.Tensor | tf.IndexedSlices | None]:
        """The gradients at `sources`, float32, of what has the gradients `starts` at `ends`, scaled on the way."""
        scale = self.scale.value
        starts = [
            tf.cast(scale * tf.cast(start, tf.float32), end.dtype) for start, end in zip(starts, ends, strict=True)
        ]
        found = tape.gradient(ends, sources, output_gradients=starts)
        return [None if one is None else tf.math.scalar_mul(1.0 / scale, tf.cast(one, tf.float32)) for one in found]

    def apply(
        self, step: Callable[..., None], gradients: list[tf.Tensor | tf.IndexedSlices], *others: tf.Tensor
    ) -> None:
        """Calls `step(gradients, *others)`, which updates variables, if on all replicas the gradients are finite."""
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(_values(one))) for one in gradients])
        finite = replicas.mean(tf.cast(finite, tf.float32)) == 1.0

        def on_all(strategy: tf.distribute.Strategy, finite: tf.Tensor, *args: Any) -> None:
            def stepped() -> tf.Tensor:
                strategy.extended.call_for_each_replica(step, args=args)
                return tf.constant(True)

            # Outside of the replicas, as in Keras: their updates wait for one another, which a branch must not.
            tf.cond(strategy.experimental_local_results(finite)[0], stepped, lambda: tf.constant(False))

        tf.distribute.get_replica_context().merge_call(on_all, args=(finite, gradients, *others))
        steps = self.steps.value + 1
        grown = tf.where(steps >= GROWTH, tf.minimum(2.0 * self.scale.value, MOST), self.scale.value)
        self.scale.assign(tf.where(finite, grown, tf.maximum(0.5 * self.scale.value, LEAST)))
        self.steps.assign(tf.where(finite & (steps < GROWTH), steps, 0))

    @property
    def state(self) -> np.ndarray:
        """The scale and the steps since it changed, (2,)."""
        return np.array([self.scale.numpy(), self.steps.numpy()], np.float64)

    @state.setter
    def state(self, state: np.ndarray) -> None:
        self.scale.assign(state[0])
        self.steps.assign(int(state[1]))


def _values(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
