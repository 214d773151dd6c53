import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.ops.adam import Adam
from kerasinterp.ops.sgd import SGD

GRADIENTS = np.array([[-3.0, -0.2, 0.0], [0.4, 0.6, 9.0]], np.float32)
BOTH = pytest.mark.parametrize("cls", [Adam, SGD])


def moved(cls, gradients, **options):
    """A variable after steps along dense gradients."""
    variable, optimizer = keras.Variable(np.ones((2, 3), np.float32)), cls(0.1, **options)
    for gradient in gradients:
        optimizer.apply([gradient], [variable])
    return variable.numpy()


@BOTH
def test_each_value_of_a_gradient_is_cut(cls):
    """Two different gradients: Adam's first step is the same for every length."""
    steps = [tf.constant(GRADIENTS), tf.constant(-0.3 * GRADIENTS)]
    cut = [tf.constant(np.clip(step, -0.5, 0.5)) for step in steps]
    np.testing.assert_array_equal(moved(cls, steps, clipvalue=0.5), moved(cls, cut))
    assert np.abs(moved(cls, steps, clipvalue=0.5) - moved(cls, steps)).max() > 0.01


def test_sgd_moves_by_the_cut_gradient():
    np.testing.assert_allclose(
        moved(SGD, [tf.constant(GRADIENTS)], clipvalue=0.5),
        1 - 0.1 * np.array([[-0.5, -0.2, 0.0], [0.4, 0.5, 0.5]]),
        rtol=1e-6,
    )


@BOTH
def test_equal_rows_of_a_table_are_added_first(cls):
    """0.4 + 0.4 is cut to 0.5, and 3 - 2.9 is not."""
    rows = tf.IndexedSlices(tf.constant([[0.4], [0.4], [3.0], [-2.9], [0.3]]), tf.constant([0, 0, 2, 2, 1]), [4, 1])
    small = tf.IndexedSlices(tf.constant([[0.1], [0.2], [0.3]]), tf.constant([0, 1, 2]), [4, 1])
    whole = [tf.constant([[0.5], [0.3], [0.1], [0.0]]), tf.constant([[0.1], [0.2], [0.3], [0.0]])]
    ends = []
    for gradients, options in (([rows, small], {"clipvalue": 0.5}), (whole, {})):
        table, optimizer = keras.Variable(np.ones((4, 1), np.float32)), cls(0.1, **options)
        for gradient in gradients:
            optimizer.apply([gradient], [table])
        ends.append(table.numpy())
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-5)


@BOTH
def test_shares_of_two_devices_are_added_first(cls, two_devices):
    """As one device would: 0.4 + 0.4 is cut to 0.5, and 3 - 2.9 is not."""
    shares = [np.array([0.4, 3.0], np.float32), np.array([0.4, -2.9], np.float32)]
    alone, optimizer = keras.Variable(np.ones(2, np.float32)), cls(0.1, clipvalue=0.5)
    optimizer.apply([tf.constant(shares[0] + shares[1])], [alone])
    optimizer.apply([tf.constant([0.1, 0.1])], [alone])
    with two_devices.scope():
        both, optimizer = keras.Variable(np.ones(2, np.float32)), cls(0.1, clipvalue=0.5)
        optimizer.build([both])

    @tf.function
    def step(shares):
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        optimizer.apply([tf.gather(shares, number)], [both])

    for one in (np.stack(shares), np.full((2, 2), 0.05, np.float32)):
        two_devices.run(step, args=(tf.constant(one),))
    for copy in two_devices.experimental_local_results(both.value):
        np.testing.assert_allclose(copy.numpy(), alone.numpy(), rtol=1e-5)


@BOTH
def test_other_ways_of_clipping_stay_keras(cls):
    norm = np.linalg.norm(GRADIENTS)
    np.testing.assert_allclose(
        moved(cls, [tf.constant(GRADIENTS)], clipnorm=0.5), moved(cls, [tf.constant(GRADIENTS * 0.5 / norm)]), rtol=1e-5
    )


@BOTH
def test_it_is_kept_with_the_optimizer(cls):
    again = keras.optimizers.deserialize(keras.optimizers.serialize(cls(0.1, clipvalue=0.5)))
    assert type(again) is cls and again.clipvalue == 0.5
