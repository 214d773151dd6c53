"""float16 under a loss scale for each player: the same gradients, finite training, overflows skipped, all resumed."""

import contextlib

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.objectives import OBJECTIVES, PlainAE
from kerasinterp.ops.loss_scale import LossScale

# A derivative along a mix, balanced gradients, shares of a learning rate, rows of a table.
QUICK = {"AEAI", "AugIntAE", "GAIA", "GLO"}
EVERY = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in OBJECTIVES]


@contextlib.contextmanager
def policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def make(name, precision="mixed_float16"):
    with policy(precision):
        return networks.make_with_statistics(OBJECTIVES[name])


def compiled(model, **kwargs):
    model.compile({player.name: keras.optimizers.SGD(0.1) for player in model.players}, **kwargs)
    return model


def moved(model, name):
    """How each trainable variable moves in one step."""
    before = [variable.numpy() for variable in model.trainable_variables]
    model.train_on_batch(networks.batch_for(OBJECTIVES[name]))
    return [variable.numpy() - start for variable, start in zip(model.trainable_variables, before, strict=True)]


@pytest.mark.parametrize("name", EVERY)
def test_the_scale_leaves_gradients_as_they_are(name):
    """A power of two rounds nothing in float32: not in balanced gradients or derivatives along a mix either."""
    plain, scaled = (compiled(make(name, "float32"), run_eagerly=True) for _ in range(2))
    assert not plain.loss_scales
    scaled.loss_scales = {player.name: LossScale() for player in scaled.players}
    for one, other in zip(moved(scaled, name), moved(plain, name), strict=True):
        np.testing.assert_array_equal(one, other)
    updates = {player.name: scaled.updates_per_step(player) for player in scaled.players}
    assert {name: scale.state[1] for name, scale in scaled.loss_scales.items()} == updates


@pytest.mark.parametrize("name", EVERY)
def test_float16_steps_as_float32_does(name):
    half, whole = (compiled(make(name, precision), run_eagerly=True) for precision in ("mixed_float16", "float32"))
    assert set(half.loss_scales) == {player.name for player in half.players}
    assert len({id(scale) for scale in half.loss_scales.values()}) == len(half.players)
    for scale in half.loss_scales.values():
        scale.scale.assign(2.0**8)  # no system overflows at it
    found, expected = (np.concatenate([np.ravel(x) for x in moved(model, name)]) for model in (half, whole))
    assert np.linalg.norm(found - expected) < 0.03 * np.linalg.norm(expected)
    assert not np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "steps"),
    [("AMR", 10), *(pytest.param(name, 500, marks=pytest.mark.slow) for name in ("ACAI", "AMR", "AugIntAE"))],
)
def test_training_stays_finite(name, steps):
    model = make(name)
    model.compile(keras.optimizers.Adam(1e-3))
    data = [networks.batch_for(OBJECTIVES[name], seed=seed) for seed in range(20)]
    data = tf.data.Dataset.from_tensor_slices({key: np.stack([one[key] for one in data]) for key in data[0]})
    logs = model.fit(data.repeat(), steps_per_epoch=steps, verbose=0, shuffle=False).history
    assert all(np.isfinite(values).all() for values in logs.values())
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    for player in model.players:
        skipped = steps - int(model.optimizer_of(player).iterations)
        assert skipped <= 3
        assert model.loss_scales[player.name].scale.numpy() == 2.0 ** (15 - skipped)


def test_an_overflow_skips_that_player_alone():
    model = compiled(make("ACAI"))
    model.loss_scales["critic"].scale.assign(1e30)
    before = {name: getattr(model, name).get_weights() for name in ("encoder", "decoder", "critic")}
    model.train_on_batch(networks.batch_for(OBJECTIVES["ACAI"]))
    trained = {name: [v.numpy() for v in getattr(model, name).trainable_variables] for name in before}
    for name, start in before.items():
        kept = all(any(np.array_equal(one, other) for other in start) for one in trained[name])
        assert kept == (name == "critic")
    assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 0]
    np.testing.assert_array_equal(model.loss_scales["autoencoder"].state, [2.0**15, 1])
    np.testing.assert_array_equal(model.loss_scales["critic"].state, [np.float32(1e30) / 2, 0])


def test_the_scale_goes_on_to_the_bit(tmp_path):
    model = compiled(make("ACAI"), run_eagerly=True)
    batch = networks.batch_for(OBJECTIVES["ACAI"])
    model.loss_scales["critic"].scale.assign(2.0**10)
    model.train_on_batch(batch)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = True
    for one in (model, loaded):
        np.testing.assert_array_equal(one.loss_scales["critic"].state, [2.0**10, 1])
        one.train_on_batch(batch)
    for name, scale in model.loss_scales.items():
        np.testing.assert_array_equal(loaded.loss_scales[name].state, scale.state)
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_two_devices_train_in_float16_as_one(two_devices):
    one = moved(compiled(make("ACAI"), run_eagerly=True), "ACAI")
    with two_devices.scope():
        model = compiled(make("ACAI"))
    before = [variable.numpy() for variable in model.trainable_variables]
    model.fit(tf.data.Dataset.from_tensors(networks.batch_for(OBJECTIVES["ACAI"])).unbatch().batch(6), verbose=0)
    two = [variable.numpy() - start for variable, start in zip(model.trainable_variables, before, strict=True)]
    found, expected = (np.concatenate([np.ravel(x) for x in parts]) for parts in (two, one))
    assert np.linalg.norm(found - expected) < 0.03 * np.linalg.norm(expected)
    np.testing.assert_array_equal(model.loss_scales["critic"].state, [2.0**15, 1])


def test_other_precisions_have_no_scale():
    with policy("mixed_bfloat16"):
        assert not networks.make(PlainAE).loss_scales
