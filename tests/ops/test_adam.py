import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.ops.adam import Adam


@pytest.mark.parametrize("rate", [0.01, keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.01, 0.001])])
def test_the_fused_kernel_is_keras_adam(rate):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(6, 4, 3)).astype(np.float32)
    ends = []
    for cls in (keras.optimizers.Adam, Adam):
        variable, optimizer = keras.Variable(start), cls(rate)
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        ends.append(variable.numpy())
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-5, atol=1e-6)
    assert np.abs(ends[0] - start).max() > 0.01


def test_of_a_table_only_the_drawn_rows_move():
    rng, rate, beta_1, beta_2, epsilon = np.random.default_rng(0), 0.01, 0.9, 0.999, 1e-7
    expected = rng.normal(size=(5, 3)).astype(np.float32)
    variable, optimizer = keras.Variable(expected), Adam(rate)
    first, second = np.zeros((5, 3)), np.zeros((5, 3))
    for step, rows in enumerate(([3, 1, 3], [0], [1, 0], [1, 1]), 1):  # row 3 twice at once, 2 and 4 never
        values = rng.normal(size=(len(rows), 3)).astype(np.float32)
        optimizer.apply([tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([5, 3]))], [variable])
        for row in set(rows):
            found = values[np.array(rows) == row].sum(axis=0)
            first[row] = beta_1 * first[row] + (1 - beta_1) * found
            second[row] = beta_2 * second[row] + (1 - beta_2) * found**2
            mean, deviation = first[row] / (1 - beta_1**step), np.sqrt(second[row] / (1 - beta_2**step))
            expected[row] -= rate * mean / (deviation + epsilon)
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_a_table_drawn_whole_moves_as_dense_gradients_say():
    values = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    dense, table = keras.Variable(np.ones((4, 2), np.float32)), keras.Variable(np.ones((4, 2), np.float32))
    optimizers = Adam(0.1), Adam(0.1)
    for value in values:
        optimizers[0].apply([tf.constant(value)], [dense])
        optimizers[1].apply([tf.IndexedSlices(tf.constant(value), tf.range(4), tf.constant([4, 2]))], [table])
    np.testing.assert_allclose(table.numpy(), dense.numpy(), rtol=1e-5)
    assert np.abs(table.numpy() - 1.0).min() > 0.03


def test_rows_drawn_on_two_devices_add_up(two_devices):
    with two_devices.scope():
        table, optimizer = keras.Variable(np.ones((3, 1), np.float32)), Adam(0.5)
        optimizer.build([table])

    @tf.function
    def step():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        values = tf.stack([tf.fill([1], 1.0 - 3.0 * tf.cast(replica, tf.float32))])  # 1, and -2
        optimizer.apply([tf.IndexedSlices(values, tf.constant([2]), tf.constant([3, 1]))], [table])

    two_devices.run(step)
    # The first step of Adam is the rate times the sign of the sum, -1.
    for copy in two_devices.experimental_local_results(table.value):
        np.testing.assert_allclose(copy.numpy(), [[1.0], [1.0], [1.5]], rtol=1e-4)
