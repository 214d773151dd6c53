import keras
import numpy as np
import tensorflow as tf

from kerasinterp.ops import descent


def errors_of(codes):
    return tf.reduce_sum(tf.square(codes - [1.0, -2.0]) * [1.0, 3.0], axis=1)


def test_steps_are_keras_adam_s():
    start = np.array([[0.0, 0.5], [3.0, -2.5]], np.float32)
    found = descent.by_adam(errors_of, tf.constant(start), 7, 0.05)
    for row, expected in zip(start, found.numpy(), strict=True):
        variable = keras.Variable(row[np.newaxis])
        optimizer = keras.optimizers.Adam(0.05, epsilon=1e-8)
        for _ in range(7):
            with tf.GradientTape() as tape:
                error = errors_of(variable.value)
            optimizer.apply([tape.gradient(error, variable.value)], [variable])
        np.testing.assert_allclose(expected, variable.numpy()[0], rtol=1e-5)


def test_it_arrives():
    found = descent.by_adam(errors_of, tf.zeros((1, 2)), 500, 0.05)
    np.testing.assert_allclose(found, [[1.0, -2.0]], atol=0.01)


def test_the_nearest_image():
    rng = np.random.default_rng(0)
    images, others = rng.normal(size=(5, 3, 3, 1)).astype(np.float32), rng.normal(size=(9, 3, 3, 1)).astype(np.float32)
    found = descent.nearest_image(tf.constant(images), tf.constant(others))
    expected = np.square(images[:, np.newaxis] - others).sum(axis=(2, 3, 4)).argmin(axis=1)
    np.testing.assert_array_equal(found, expected)
