"""The rule of the scale, and gradients under it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.ops import loss_scale
from kerasinterp.ops.loss_scale import LossScale


def step(scale, gradient, variable, jit=False):
    """One step of SGD by `gradient`."""

    @tf.function(jit_compile=jit)
    def run(gradient):
        scale.apply(lambda gradients: variable.assign_sub(gradients[0]), [gradient])

    run(gradient)


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_an_overflow_skips_the_step_and_halves_the_scale(jit):
    scale, variable = LossScale(), tf.Variable([1.0, 1.0])
    for number, bad in enumerate((np.inf, -np.inf, np.nan), 1):
        step(scale, tf.constant([1.0, bad]), variable, jit)
        np.testing.assert_array_equal(variable, [1.0, 1.0])
        np.testing.assert_array_equal(scale.state, [2.0 ** (15 - number), 0])
    step(scale, tf.constant([0.5, 0.25]), variable, jit)
    np.testing.assert_array_equal(variable, [0.5, 0.75])
    np.testing.assert_array_equal(scale.state, [2.0**12, 1])


def test_the_scale_doubles_after_steps_without_overflow(monkeypatch):
    monkeypatch.setattr(loss_scale, "GROWTH", 3)
    scale, variable, found = LossScale(), tf.Variable([0.0]), []
    for bad in (0, 0, 0, 0, 0, 1, 0, 0, 0):
        step(scale, tf.constant([np.inf if bad else 0.0]), variable)
        found.append(tuple(np.log2(scale.state[:1])) + tuple(scale.state[1:]))
    assert found == [(15, 1), (15, 2), (16, 0), (16, 1), (16, 2), (15, 0), (15, 1), (15, 2), (16, 0)]


def test_the_scale_has_bounds():
    scale, variable = LossScale(), tf.Variable([0.0])
    scale.state = np.array([1.0, 5.0])
    step(scale, tf.constant([np.nan]), variable)
    np.testing.assert_array_equal(scale.state, [1.0, 0.0])
    scale.state = np.array([loss_scale.MOST, loss_scale.GROWTH - 1])
    step(scale, tf.constant([0.0]), variable)
    np.testing.assert_array_equal(scale.state, [loss_scale.MOST, 0.0])


def test_small_gradients_survive_float16():
    """1e-6 times 1e-3 is below what float16 can hold; scaled it is not."""
    x = tf.constant([1.0, 2.0])

    def gradient(of):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.cast(tf.cast(x, tf.float16) * tf.constant(1e-3, tf.float16), tf.float32)
        return of(tape, y)

    start = tf.constant([1e-6, 1e-6])
    lost = gradient(lambda tape, y: tape.gradient(y, x, output_gradients=start))
    np.testing.assert_array_equal(lost, [0.0, 0.0])
    kept = gradient(lambda tape, y: LossScale().gradient(tape, [y], [x], [start])[0])
    np.testing.assert_allclose(kept, [1e-9, 1e-9], rtol=5e-3)


def test_rows_of_a_table_are_scaled_and_looked_at():
    table, scale = tf.Variable(tf.ones([4, 2])), LossScale()
    with tf.GradientTape() as tape:
        rows = tf.gather(table, [1, 3])
    (found,) = scale.gradient(tape, [rows], [table], [tf.fill([2, 2], 0.5)])
    assert isinstance(found, tf.IndexedSlices)
    np.testing.assert_array_equal(found.values, np.full((2, 2), 0.5))
    for value, expected in ((0.5, 0.5), (np.inf, 0.5)):
        slices = tf.IndexedSlices(tf.fill([2, 2], value), [1, 3])
        scale.apply(lambda gradients: table.scatter_sub(gradients[0]), [slices])
        np.testing.assert_array_equal(table, [[1, 1], [expected] * 2, [1, 1], [expected] * 2])


def test_one_device_that_overflows_stops_both(two_devices):
    with two_devices.scope():
        scale = LossScale()
        variable = keras.Variable([1.0], aggregation="mean")

    @tf.function
    def run(bad):
        def on_each():
            number = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.float32)
            gradient = tf.where(bad & (number == 1.0), np.inf, 1.0 + number)[tf.newaxis]
            scale.apply(lambda gradients: variable.assign(variable.value - gradients[0]), [gradient])

        two_devices.run(on_each)

    run(tf.constant(True))
    np.testing.assert_array_equal(variable, [1.0])
    np.testing.assert_array_equal(scale.state, [2.0**14, 0])
    run(tf.constant(False))
    np.testing.assert_array_equal(variable, [1.0 - 1.5])
    np.testing.assert_array_equal(scale.state, [2.0**14, 1])
