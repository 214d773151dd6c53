"""A step on two devices is that on one device with the same images, for every system."""

import unittest.mock

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.objectives import OBJECTIVES

COUNT, DEVICES = 12, 2
# Of one device's batch, as the two devices share it: AEAI pairs the halves of a batch, which are those of each share.
ORDER = {"AEAI": [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]}
# GAIA's term compares all images of a device's share with one another.
OPTIONS = {"GAIA": {"weights": {"distances": 0.0}}}
QUICK = {"ACAI", "AE", "GLO"}


def draws(kind: str):
    """Draws for an image (or pair) that depend on its number in the whole batch alone: devices' draws are tested
    in test_seeds.py."""

    def draw(shape, *args, seed=None, **kwargs):
        context = tf.distribute.get_replica_context()
        devices = context.num_replicas_in_sync
        shape = [int(size) for size in shape]
        axis = next(axis for axis, size in enumerate(shape) if size * devices in (COUNT, COUNT // 2))
        share = shape[axis]
        shape[axis] *= devices
        whole = getattr(np.random.default_rng(7), kind)(size=shape)
        start = share * int(context.replica_id_in_sync_group)
        return tf.constant(np.take(whole, range(start, start + share), axis), tf.float32)

    return draw


def reverse(tensor, axis, _whole=tf.reverse):
    """Systems pair a batch with itself reversed; here each device's share."""
    assert list(axis) == [0]
    shares = tf.split(tensor, DEVICES // tf.distribute.get_replica_context().num_replicas_in_sync)
    return tf.concat([_whole(share, axis) for share in shares], 0)


def step(name, batch):
    model = networks.make(OBJECTIVES[name], **OPTIONS.get(name, {}))
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    data = tf.data.Dataset.from_tensors(batch).unbatch().batch(COUNT, drop_remainder=True)
    history = model.fit(data, verbose=0, shuffle=False).history
    assert model.step.numpy() == 1
    before = networks.make(OBJECTIVES[name], **OPTIONS.get(name, {})).get_weights()
    moved = [now - start for now, start in zip(model.get_weights(), before, strict=True)]
    return {key: values[0] for key, values in history.items()}, moved


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in OBJECTIVES]
)
def test_two_devices_step_as_one(name, two_devices):
    batch = networks.batch_for(OBJECTIVES[name], COUNT)
    shared = {key: value[ORDER.get(name, range(COUNT))] for key, value in batch.items()}
    patched = unittest.mock.patch.multiple(keras.random, uniform=draws("uniform"), normal=draws("normal"))
    with patched, unittest.mock.patch.object(tf, "reverse", reverse):
        logs, moved = step(name, batch)
        with two_devices.scope():
            logs_of_two, moved_of_two = step(name, shared)
    for term in OPTIONS.get(name, {}).get("weights", {}):
        del logs[term], logs_of_two[term]
    assert logs_of_two == pytest.approx(logs, rel=1e-4, abs=1e-6)
    assert max(np.abs(one).max() for one in moved) > 1e-4
    for two, one in zip(moved_of_two, moved, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-6)
