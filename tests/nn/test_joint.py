import keras
import numpy as np
import tensorflow as tf

from kerasinterp.nn import infogan
from kerasinterp.nn.joint import Joint


def batches():
    generator = np.random.default_rng(0)
    return [tf.constant(generator.uniform(-1, 1, (count, 8, 8, 1)), tf.float32) for count in (3, 5)]


def values_and_gradients(network, call):
    real, fake = batches()
    with tf.GradientTape() as tape:
        tape.watch(fake)
        first, second = call(real, fake)
        score = tf.reduce_sum(first**2) + 3.0 * tf.reduce_sum(second**3)
    gradients = tape.gradient(score, [fake, *(variable.value for variable in network.trainable_variables)])
    return [first, second, *gradients, *(variable.value for variable in network.non_trainable_variables)]


def test_equals_the_network_on_the_joined_batches():
    network, twin = infogan.discriminator((8, 8, 1), width=4), infogan.discriminator((8, 8, 1), width=4)
    found = values_and_gradients(network, lambda *images: Joint(network)(*images, training=True))
    expected = values_and_gradients(twin, lambda *images: tf.split(twin(tf.concat(images, 0), training=True), [3, 5]))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_runs_apart_up_to_the_first_normalisation():
    joint = Joint(infogan.discriminator((8, 8, 1), width=4))
    assert [layer.name for layer in joint._apart.layers] == ["images", "convolution_1", "leaky_relu_1", "convolution_2"]


def test_other_networks_are_called_on_the_joined_batches():
    images = keras.Input((8, 8, 1))
    plain = keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(images)))
    x = keras.layers.Conv2D(2, 3, padding="same")(images)
    branched = keras.layers.Add()([x, keras.layers.BatchNormalization()(x)])
    for network in (plain, keras.Model(images, branched)):
        real, fake = batches()
        first, second = Joint(network)(real, fake, training=False)
        np.testing.assert_allclose(tf.concat([first, second], 0), network(tf.concat([real, fake], 0)), rtol=1e-5)
