import keras
import numpy as np
import tensorflow as tf

from kerasinterp.nn.latent_table import latent_table


def test_rows_of_the_places_and_gradients_of_those_alone():
    table = latent_table(7, 3, seed=1)
    rows, places = table.get_weights()[0], np.array([[5], [2], [5]])[:, 0]
    np.testing.assert_array_equal(table(places), rows[places])
    assert 0.005 < rows.std() < 0.015
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.square(table(places)))
    found = tape.gradient(total, table.trainable_variables[0].value)
    np.testing.assert_array_equal(found.indices, places)
    np.testing.assert_allclose(found.values, 2 * rows[places], rtol=1e-6)


def test_a_step_reads_no_more_than_its_rows():
    """Once rows are written to, TensorFlow copies a variable that is read as a whole: 15 MB of 50,000 codes."""
    table = latent_table(7, 3)

    @tf.function
    def step(places):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.square(table(places, training=True)))
        return tape.gradient(total, table.trainable_variables[0].value).values

    operations = step.get_concrete_function(tf.TensorSpec((None,), tf.int32)).graph.get_operations()
    kinds = {operation.type for operation in operations}
    assert "ResourceGather" in kinds and "ReadVariableOp" not in kinds


def test_it_is_loaded_as_it_was_saved(tmp_path):
    table = latent_table(7, 3, seed=1)
    table.save(tmp_path / "table.keras")
    again = keras.saving.load_model(tmp_path / "table.keras")
    np.testing.assert_array_equal(again(np.arange(7)), table(np.arange(7)))
