"""What replicas do together: on two devices against what one does with the whole batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.ops import mixing, replicas

BATCH = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)


def on_two(strategy, function, batch=BATCH):
    """What `function(share)` gives on each device."""
    shares = np.split(batch, 2)
    values = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(shares[context.replica_id_in_sync_group])
    )
    return [np.asarray(x) for x in strategy.experimental_local_results(strategy.run(function, args=(values,)))]


@pytest.mark.parametrize(
    "function",
    [
        replicas.reverse,
        lambda x: replicas.roll(x, 1),
        lambda x: replicas.roll(x, 2),
        lambda x: replicas.share(replicas.whole(x)),
    ],
)
def test_shares_are_those_of_the_whole(function, two_devices):
    np.testing.assert_array_equal(np.concatenate(on_two(two_devices, function)), function(tf.constant(BATCH)))


def test_the_mean_and_the_whole_are_everybodys(two_devices):
    for mean in on_two(two_devices, lambda x: replicas.mean(tf.reduce_mean(x, 0))):
        np.testing.assert_allclose(mean, BATCH.mean(0), rtol=1e-5)
    for whole in on_two(two_devices, replicas.whole):
        np.testing.assert_array_equal(whole, BATCH)
    assert replicas.count() == 1
    assert on_two(two_devices, lambda _: tf.constant(replicas.count())) == [2, 2]


@pytest.mark.parametrize(
    ("size", "parts", "expected"),
    [
        (8, 2, [[0, 1, 4, 5], [2, 3, 6, 7]]),
        (12, 3, [[0, 1, 4, 5, 8, 9], [2, 3, 6, 7, 10, 11]]),
        (6, 2, [[0, 2, 4], [1, 3, 5]]),  # an odd share
        (8, 1, [[0, 1, 2, 3], [4, 5, 6, 7]]),
    ],
)
def test_shares_are_dealt_out_by_parts(size, parts, expected, two_devices):
    found = on_two(two_devices, lambda x: replicas.redealt(x, parts), np.arange(size))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(replicas.redealt(np.arange(size), parts), np.arange(size))


@pytest.mark.parametrize("draw", [replicas.uniform, replicas.normal])
@pytest.mark.parametrize(("shape", "axis"), [((500,), 0), ((500, 2), 0), ((2, 500), 1)])
def test_draws_are_shares_of_what_one_device_draws(draw, shape, axis, two_devices):
    with two_devices.scope():
        seeds = keras.random.SeedGenerator(3)
    keras_own = keras.random.SeedGenerator(3)
    whole = tuple(2 * size if size == 500 else size for size in shape)
    for _ in range(2):
        found = on_two(two_devices, lambda _: draw(shape, seeds, axis=axis))
        expected = getattr(keras.random, draw.__name__)(whole, seed=keras_own)
        np.testing.assert_array_equal(np.concatenate(found, axis), expected)
        assert abs(np.corrcoef(np.ravel(found[0]), np.ravel(found[1]))[0, 1]) < 0.2
    alone = draw(shape, keras.random.SeedGenerator(3), axis=axis)  # on one device Keras' own
    np.testing.assert_array_equal(
        alone, getattr(keras.random, draw.__name__)(shape, seed=keras.random.SeedGenerator(3))
    )


@pytest.mark.parametrize("draw", [replicas.uniform, replicas.normal])
def test_draws_are_shared_by_rows_where_nothing_is_said(draw, two_devices):
    with two_devices.scope():
        seeds = keras.random.SeedGenerator(3)
    expected = getattr(keras.random, draw.__name__)((8, 6), seed=keras.random.SeedGenerator(3))
    np.testing.assert_array_equal(np.concatenate(on_two(two_devices, lambda _: draw((4, 6), seeds))), expected)


@pytest.mark.parametrize("kind", mixing.BY_NAME)
def test_mixes_are_those_of_the_whole_batch_and_so_are_gradients(kind, two_devices):
    with two_devices.scope():
        seeds = keras.random.SeedGenerator(3)
    seeds_of_one = keras.random.SeedGenerator(3)
    weights = np.random.default_rng(1).normal(size=BATCH.shape).astype(np.float32)

    def step(latents, seeds=seeds):
        with tf.GradientTape() as tape:
            tape.watch(latents)
            mixed = mixing.BY_NAME[kind].draw(latents, seeds)
            loss = tf.reduce_sum(mixed * replicas.share(tf.constant(weights)))
        return tf.concat([mixed, tape.gradient(loss, latents)], 1)

    expected = step(tf.constant(BATCH), seeds_of_one)
    np.testing.assert_allclose(np.concatenate(on_two(two_devices, step)), expected, rtol=1e-5, atol=1e-6)


def test_outside_of_replicas_there_is_one(two_devices):
    with two_devices.scope():
        assert replicas.count() == 1  # where a strategy's variables are made, and no replica's step runs
    assert replicas.count() == 1
