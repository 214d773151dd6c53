"""What every objective must do, whatever it minimises.

A new system's test begins with one call:

    def test_contract(tmp_path):
        run_objective_test(lambda: networks.make(GLO), networks.batch_for(GLO), tmp_path)
"""

import contextlib
import pathlib
import unittest.mock
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.objectives import Objective
from kerasinterp.ops import losses


def run_objective_test(
    make: Callable[[], Objective], batch: dict[str, np.ndarray], tmp_path: pathlib.Path, held: str = ""
) -> None:
    """Checks the contract of `Objective`: players, logs, config, training or inference, saving, gradients.

    Args:
        make: returns a new, uncompiled objective, the same each time.
        batch: one batch as `fit` gets it.
        tmp_path: an empty directory.
        held: as `gradients_of_terms`.
    """
    _check_players_move_their_own_networks(make, batch)
    _check_logs(make, batch)
    _check_config_round_trip(make)
    _check_networks_are_told_of_training(make, batch)
    _check_saved_model_goes_on_to_the_bit(make, batch, tmp_path)
    reached = {network for reach in gradients_of_terms(make, batch, held).values() for network in reach}
    model = make()
    assert reached == {network for player in model.players for network in player.networks}
    played = [one for network in reached for one in getattr(model, network).trainable_variables]
    assert len(model.trainable_variables) == len(played)  # nothing else calls itself trainable


def run_slow_objective_test(make: Callable[[], Objective], batch: dict[str, np.ndarray]) -> None:
    """XLA gives what a plain step gives, for the same draws: it has a random generator of its own."""
    with unittest.mock.patch.multiple(keras.random, uniform=_fixed_uniform, normal=_fixed_normal):
        plain = _step(_compiled(make), batch)
        np.testing.assert_allclose(_step(_compiled(make, jit_compile=True), batch), plain, rtol=2e-4, atol=2e-6)


def gradients_of_terms(
    make: Callable[[], Objective], batch: dict[str, np.ndarray], held: str = "", seed: int = 0
) -> dict[str, set[str]]:
    """Which of its players' networks the gradient of each term reaches; each must be the term's slope, in float64.

    Along a random direction of each network's weights, the gradient is compared with a central difference.

    Args:
        held: what gives the system's constants of a step, a function of TensorFlow ("stop_gradient") or of the
            objective ("self._squashed"): it gives the same values on both sides of the difference.
        seed: of the directions.
    """
    rng, reached = np.random.default_rng(seed), {}
    with in_float64():
        model = make()
        model.dtype_policy = keras.DTypePolicy("float64")
        inputs = {k: tf.constant(v, tf.float64 if v.dtype.kind == "f" else v.dtype) for k, v in batch.items()}
        state = model.seed_generator.state.numpy()
        owner, name = (model, held.removeprefix("self.")) if held.startswith("self.") else (tf, held)
        whole, kept = getattr(owner, name, None), []

        def terms():
            model.seed_generator.state.assign(state)
            return {k: tf.reduce_mean(v) for k, v in model.terms(inputs, training=True).items() if k in names}

        def keep(*args):
            kept.append(whole(*args))
            return kept[-1]

        names = model.term_names()
        with _replaced(owner, name, keep), tf.GradientTape(persistent=True) as tape:
            values = terms()
        for player in model.players:
            for network in player.networks:
                variables = getattr(model, network).trainable_variables
                directions = [rng.normal(size=variable.shape) for variable in variables]
                starts, sides = [variable.numpy() for variable in variables], []
                for side in (1e-6, -1e-6):
                    for variable, start, direction in zip(variables, starts, directions, strict=True):
                        variable.assign(start + side * direction)
                    constants = iter(kept)
                    with _replaced(owner, name, lambda *_, _constants=constants: next(_constants)):
                        sides.append(terms())
                for variable, start in zip(variables, starts, strict=True):
                    variable.assign(start)
                for term in player.terms:
                    found = tape.gradient(values[term], [variable.value for variable in variables])
                    slope = sum(
                        np.sum(tf.convert_to_tensor(gradient).numpy() * direction)
                        for gradient, direction in zip(found, directions, strict=True)
                        if gradient is not None
                    )
                    expected = float(sides[0][term] - sides[1][term]) / 2e-6
                    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-8, err_msg=f"{term}: {network}")
                    if slope:
                        reached.setdefault(term, set()).add(network)
    return reached


@contextlib.contextmanager
def in_float64() -> Iterator[None]:
    """Networks that are built within it compute in float64, and so do terms, which otherwise are cast to float32.

    TensorFlow-GAN's loss, float32 inside, has its formula (Mao et al., eq. 9) in its place.
    """
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    least_squares = unittest.mock.patch.object(
        losses, "least_squares", lambda scores, label: tf.reshape(0.5 * tf.square(scores - label), [-1])
    )
    try:
        with unittest.mock.patch.object(tf, "float32", tf.float64), least_squares:
            yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def _replaced(owner, name, function):
    return unittest.mock.patch.object(owner, name, function) if name else contextlib.nullcontext()


def _check_players_move_their_own_networks(make, batch):
    for player in make().players:
        model = make()
        rates = {other.name: 0.1 if other is player else 0.0 for other in model.players}
        model.compile({name: keras.optimizers.SGD(rate) for name, rate in rates.items()}, run_eagerly=True)
        before = {network: _flat(getattr(model, network).weights) for network in model.network_names()}
        model.train_on_batch(batch)
        for network, start in before.items():
            moved = not np.array_equal(start, _flat(getattr(model, network).weights))
            assert moved == (network in player.networks), f"{player.name}: {network}"


def _check_logs(make, batch):
    """The one step that is traced here; the others run eagerly, which is quicker once."""
    model = _compiled(make)
    dataset = tf.data.Dataset.from_tensors(batch).repeat(3)
    history = model.fit(dataset, verbose=0, shuffle=False).history
    names = {"loss", *model.term_names(), *model.measures}
    acting = {term for player in model.players if player.acts_in(0) for term in player.terms}
    assert set(history) == names - (set(model.term_names()) - acting)
    assert all(np.isfinite(values).all() for values in history.values())
    assert int(model.step) == 3
    assert set(model.evaluate(dataset, verbose=0, return_dict=True)) == names
    if hasattr(model, "encode"):
        assert model.predict(batch["c"], verbose=0).shape == batch["c"].shape
    elif hasattr(model, "prior"):
        latents = model.prior(len(batch["c"]))
        np.testing.assert_array_equal(latents, model.prior(len(batch["c"])))
        np.testing.assert_allclose(model.predict(latents, verbose=0), model.decode(latents), rtol=1e-4, atol=1e-6)


def _check_config_round_trip(make):
    model = make()
    copy = type(model).from_config(model.get_config())
    assert type(copy) is type(model)
    settings = [key for key, value in model.get_config().items() if key not in model.network_names()]
    assert {key: copy.get_config()[key] for key in settings} == {key: model.get_config()[key] for key in settings}
    assert [v.shape for v in copy.weights] == [v.shape for v in model.weights]


def _check_networks_are_told_of_training(make, batch):
    """Normalisation by the batch's own statistics, dropout: every call must say which it is; Keras takes inference."""
    model = make()
    networks = {id(getattr(model, name)): name for name in model.network_names()}
    inputs = {key: tf.constant(value) for key, value in batch.items()}
    whole = keras.Model.__call__
    for training in (True, False):
        told = {name: [] for name in networks.values()}

        def call(self, *args, _told=told, **kwargs):
            if id(self) in networks:
                _told[networks[id(self)]].append(kwargs.get("training"))
            return whole(self, *args, **kwargs)

        with unittest.mock.patch.object(keras.Model, "__call__", call):
            model.terms(inputs, training=training)
        for name, values in told.items():
            wanted = training and name not in model.fixed
            assert values and all(value is wanted for value in values), f"{name}: {values}, not {wanted}"


def _check_saved_model_goes_on_to_the_bit(make, batch, tmp_path):
    model = _compiled(make, run_eagerly=True)
    model.train_on_batch(batch)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    loaded.run_eagerly = True
    for player in model.players:
        mine, theirs = model.optimizer_of(player), loaded.optimizer_of(player)
        assert type(theirs) is type(mine)
        assert len(theirs.variables) == len(mine.variables)
        for left, right in zip(mine.variables, theirs.variables, strict=True):
            np.testing.assert_array_equal(left.numpy(), right.numpy())
    np.testing.assert_array_equal(_step(loaded, batch), _step(model, batch))
    assert int(loaded.step) == int(model.step) == 2
    np.testing.assert_array_equal(loaded.seed_generator.state, model.seed_generator.state)


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
    return np.concatenate([np.ravel(variable.numpy()) for variable in variables])
