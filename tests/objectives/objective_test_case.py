"""What every objective must do, whatever it minimises."""

import contextlib
import pathlib
import unittest.mock
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.objectives import Objective


def run_objective_test(
    make: Callable[[], Objective],
    batch: dict[str, np.ndarray],
    tmp_path: pathlib.Path,
    following: dict[str, np.ndarray] | None = None,
) -> None:
    """Checks the contract of `Objective`.

    Args:
        make: returns a new, uncompiled objective, the same each time.
        batch: one batch as `fit` gets it.
        tmp_path: an empty directory.
        following: the batch on which a loaded model must go on to the bit; `batch` if not given.
    """
    _check_players_move_their_own_variables(make, batch)
    _check_logs(make, batch)
    _check_config_round_trip(make)
    with _graphs_as_written():
        _check_saved_model_goes_on_to_the_bit(make, batch, batch if following is None else following, tmp_path)


def run_slow_objective_test(
    make: Callable[[], Objective], batch: dict[str, np.ndarray], strategy: tf.distribute.Strategy | None = None
) -> None:
    """XLA, and the devices of `strategy`, give what a plain step on one device gives, for the same draws."""
    with unittest.mock.patch.multiple(keras.random, uniform=_fixed_uniform, normal=_fixed_normal):
        _check_compiled(make, batch, strategy)


def _check_compiled(make, batch, strategy):
    plain = _step(_compiled(make), batch)
    np.testing.assert_allclose(_step(_compiled(make, jit_compile=True), batch), plain, rtol=2e-4, atol=2e-6)
    if strategy is None:
        return
    with strategy.scope():
        model = _compiled(make)
    count = len(batch["c"])
    dataset = tf.data.Dataset.from_tensors(batch).unbatch().batch(count, drop_remainder=True)
    model.fit(dataset, epochs=1, verbose=0, shuffle=False)
    np.testing.assert_allclose(_flat(model.weights), plain, rtol=2e-4, atol=2e-6)


def _check_players_move_their_own_variables(make, batch):
    for player in make().players:
        model = make()
        rates = {other.name: 0.1 if other is player else 0.0 for other in model.players}
        model.compile({name: keras.optimizers.SGD(rate) for name, rate in rates.items()})
        before = {variable.path: variable.numpy() for variable in model.trainable_variables}
        model.train_on_batch(batch)
        own = {variable.path for variable in model.variables_of(player)}
        for variable in model.trainable_variables:
            moved = not np.array_equal(before[variable.path], variable.numpy())
            assert moved == (variable.path in own), f"{player.name}: {variable.path}"


def _check_logs(make, batch):
    model = _compiled(make)
    dataset = tf.data.Dataset.from_tensors(batch).repeat(3)
    history = model.fit(dataset, verbose=0, shuffle=False).history
    assert set(history) == {metric.name for metric in model.metrics}
    assert all(np.isfinite(values).all() for values in history.values())
    evaluated = model.evaluate(dataset, verbose=0, return_dict=True)
    assert set(evaluated) == set(history)
    images = batch["c"]
    np.testing.assert_array_equal(model.predict(images, verbose=0).shape, images.shape)


def _check_config_round_trip(make):
    model = make()
    copy = type(model).from_config(model.get_config())
    assert type(copy) is type(model)
    settings = [key for key, value in model.get_config().items() if key not in model.network_names()]
    assert {key: copy.get_config()[key] for key in settings} == {key: model.get_config()[key] for key in settings}
    assert [v.shape for v in copy.weights] == [v.shape for v in model.weights]


@contextlib.contextmanager
def _graphs_as_written():
    """As `training.train`: TensorFlow rewrites a graph otherwise each time, and then equal steps round unequally."""
    before = tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": before})


def _check_saved_model_goes_on_to_the_bit(make, batch, following, tmp_path):
    model = _compiled(make)
    model.train_on_batch(batch)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    for player in model.players:
        mine, theirs = model.optimizer_of(player), loaded.optimizer_of(player)
        assert type(theirs) is type(mine)
        assert len(theirs.variables) == len(mine.variables)
        for left, right in zip(mine.variables, theirs.variables, strict=True):
            np.testing.assert_array_equal(left.numpy(), right.numpy())
    np.testing.assert_array_equal(_step(loaded, following), _step(model, following))


# XLA has a random generator of its own, so its draws are others.


def _fixed_uniform(shape, minval=0.0, maxval=1.0, **kwargs):
    size = tf.reduce_prod(shape)
    share = tf.math.floormod((1.0 + tf.cast(tf.range(size), tf.float32)) * 0.754877666, 1.0)
    return minval + (maxval - minval) * tf.reshape(share, shape)


def _fixed_normal(shape, mean=0.0, stddev=1.0, **kwargs):
    return mean + stddev * tf.sqrt(2.0) * tf.math.erfinv(1.99 * _fixed_uniform(shape) - 0.995)


def _compiled(make, **kwargs):
    model = make()
    model.compile(keras.optimizers.Adam(1e-3), **kwargs)
    return model


def _step(model, batch):
    model.train_on_batch(batch)
    return _flat(model.weights)


def _flat(variables):
    return np.concatenate([np.ravel(variable.numpy()) for variable in variables if "seed" not in variable.path])
