import dataclasses
import itertools

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.objectives import ACAI, PlainAE, Player

IMAGES = networks.image_batch()["c"]


class At(keras.callbacks.Callback):
    """Calls a function with the epoch's (or batch's) number."""

    def __init__(self, **functions):
        super().__init__()
        for name, function in functions.items():
            setattr(self, name, lambda number, logs=None, _function=function: _function(number))


@pytest.mark.parametrize(
    ("turn", "expected"),
    [((0, 1), [1, 1, 1, 1]), ((1, 2), [0, 1, 0, 1]), ((1, 3), [0, 1, 0, 0]), ((2, 3), [0, 0, 1, 0])],
)
def test_turns(turn, expected):
    player = Player("one", networks=("encoder",), terms=("reconstruction",), turn=turn)
    assert [player.acts_in(epoch) for epoch in range(4)] == expected


def test_turns_may_be_others():
    model = networks.make(ACAI, turns={"critic": (1, 2)})
    assert [player.turn for player in model.players] == [(0, 1), (1, 2)]
    again = ACAI.from_config(model.get_config())
    assert again.players == model.players
    assert ACAI.players[1].turn == (0, 1)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    model.fit(IMAGES, batch_size=3, epochs=2, verbose=0)
    assert [int(model.optimizer_of(player).iterations) for player in model.players] == [4, 2]
    alone = networks.make(ACAI, turns={"critic": (1, 1)})
    assert not any(alone.players[1].acts_in(epoch) for epoch in range(5))
    with pytest.raises(InputError, match=r"no player 'critics': choose of autoencoder, critic\."):
        networks.make(ACAI, turns={"critics": (1, 2)})
    with pytest.raises(
        InputError, match="The turn of critic is \\(n, period\\), 0 or more and 1 or more, not \\(0, 0\\)"
    ):
        networks.make(ACAI, turns={"critic": (0, 0)})
    for turn in ((1, 2, 3), (-1, 2), (1,)):
        with pytest.raises(InputError, match=r"The turn of critic is \(n, period\), .* not "):
            networks.make(ACAI, turns={"critic": turn})
    with pytest.raises(InputError, match="In epoch 1, counted from 0, no player acts"):
        networks.make(ACAI, turns={"autoencoder": (0, 2), "critic": (2, 4)})


class Turning(ACAI):
    players = (ACAI.players[0], dataclasses.replace(ACAI.players[1], turn=(1, 2)))


def test_logs_have_the_terms_of_those_who_act():
    class TurningFirst(ACAI):
        players = (dataclasses.replace(ACAI.players[0], turn=(1, 2)), ACAI.players[1])

    for cls, once in ((Turning, {"coefficient", "blend"}), (TurningFirst, {"reconstruction", "fooling"})):
        model, batches = networks.make(cls), []
        model.compile(keras.optimizers.SGD(0.1))
        look = At(on_train_batch_end=lambda _, batches=batches, model=model: batches.append(model.idle()))
        history = model.fit(IMAGES, batch_size=3, epochs=4, verbose=0, callbacks=look).history
        assert batches == [once, once, set(), set()] * 2
        counts = {key: len(values) for key, values in history.items()}
        assert counts == {key: 2 if key in once else 4 for key in ("loss", *model.term_names())}
        acting = model.players[0] if cls is Turning else model.players[1]
        expected = sum(model.term_weights[term] * history[term][0] for term in acting.terms)
        assert history["loss"][0] == pytest.approx(expected, rel=1e-5)
        assert set(model.evaluate(IMAGES, verbose=0, return_dict=True)) == {"loss", *model.term_names()}


def test_a_player_out_of_turn_stands_still():
    model, seen = networks.make(Turning), []
    model.compile(keras.optimizers.SGD(0.1))

    def look(epoch):
        counts = [int(model.optimizer_of(player).iterations) for player in model.players]
        seen.append((*counts, model.critic.weights[0].numpy(), model.decoder.weights[0].numpy()))

    look(-1)
    model.fit(IMAGES, batch_size=3, epochs=4, verbose=0, callbacks=At(on_epoch_end=look))
    assert [row[:2] for row in seen] == [(0, 0), (2, 0), (4, 2), (6, 2), (8, 4)]
    assert int(model.step) == 8
    critic_moved, decoder_moved = (
        [not np.array_equal(before[n], after[n]) for before, after in itertools.pairwise(seen)] for n in (2, 3)
    )
    assert critic_moved == [False, True, False, True]
    assert decoder_moved == [True] * 4


class Counting(PlainAE):
    """Keeps at which steps `after_epoch` was called, and what it left in the decoder."""

    def after_epoch(self):
        self.ended = (*getattr(self, "ended", ()), int(self.step))
        self.decoder.weights[0].assign(tf.zeros_like(self.decoder.weights[0]))


def counting():
    model = networks.make(Counting)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    return model


def stop_at(model, step):
    """Stops at that batch of the training, counted from 1."""

    def look(batch):
        model.stop_training = int(model.step) == step

    return At(on_train_batch_end=look)


@pytest.mark.parametrize(("step", "ended"), [(0, (3, 6)), (1, ()), (3, (3,)), (4, (3,)), (6, (3, 6))])
def test_after_epoch_follows_whole_epochs_alone(step, ended):
    model = counting()
    model.fit(IMAGES, batch_size=2, epochs=2, verbose=0, callbacks=[stop_at(model, step)])
    assert getattr(model, "ended", ()) == ended


@pytest.mark.parametrize(("step", "ended"), [(0, (3, 6)), (2, ()), (5, (3,))])
def test_after_epoch_of_data_of_unknown_length(step, ended):
    model = counting()
    data = tf.data.Dataset.from_generator(
        lambda: iter(np.split(IMAGES, 3)), output_signature=tf.TensorSpec((2, *networks.SHAPE))
    )
    model.fit(data, epochs=2, verbose=0, callbacks=[stop_at(model, step)])
    assert getattr(model, "ended", ()) == ended


def test_an_epoch_after_which_training_stops_is_whole():
    model = counting()
    stopping = keras.callbacks.EarlyStopping("reconstruction", patience=0, min_delta=100.0)
    model.fit(IMAGES, batch_size=3, epochs=5, verbose=0, callbacks=[stopping])
    assert model.ended == (2, 4)


def test_data_that_run_out_make_no_whole_epoch():
    model = counting()
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(tf.data.Dataset.from_tensors(IMAGES), steps_per_epoch=2, verbose=0)
    assert not hasattr(model, "ended")


def test_what_callbacks_save_is_of_after_the_epoch(tmp_path):
    model = counting()
    path = tmp_path / "{epoch}.weights.h5"
    model.fit(IMAGES, verbose=0, callbacks=keras.callbacks.ModelCheckpoint(path, save_weights_only=True))
    other = networks.make(PlainAE)
    other.compile(keras.optimizers.SGD(0.1))
    other.load_weights(tmp_path / "1.weights.h5")
    assert not other.decoder.weights[0].numpy().any()


def rates_of(model):
    return [float(model.optimizer_of(player).learning_rate) for player in model.players]


def two_players(*rates):
    model = networks.make(ACAI)
    names = [player.name for player in model.players]
    model.compile({n: keras.optimizers.SGD(rate) for n, rate in zip(names, rates, strict=True)}, run_eagerly=True)
    return model


def fit(model, callbacks, epochs=3, **options):
    seen = []
    kept = At(on_train_batch_begin=lambda _: seen.append(rates_of(model)))
    model.fit(IMAGES, epochs=epochs, verbose=0, callbacks=[*callbacks, kept], **options)
    return np.array(seen)


@pytest.mark.parametrize("given", ["list", "CallbackList"])
def test_a_schedule_of_rates_is_followed_by_all_players(given):
    model, seen = two_players(1e-2, 4e-2), []
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 10),
        At(on_train_batch_begin=lambda _: seen.append(rates_of(model))),
    ]
    if given == "CallbackList":
        callbacks = keras.callbacks.CallbackList(callbacks, add_history=True, model=model, epochs=3)
    history = model.fit(IMAGES, epochs=3, verbose=0, callbacks=callbacks)
    np.testing.assert_allclose(seen, [[1e-3, 4e-3], [1e-4, 4e-4], [1e-5, 4e-5]], rtol=1e-5)
    assert len(history.history["reconstruction"]) == 3


def test_a_plateau_lowers_all_rates():
    model = two_players(1e-2, 4e-2)
    plateau = keras.callbacks.ReduceLROnPlateau("val_reconstruction", factor=0.5, patience=1, min_delta=100.0)
    seen = fit(model, [plateau], epochs=4, validation_data=IMAGES)
    np.testing.assert_allclose(seen[:, 0], [1e-2, 1e-2, 5e-3, 2.5e-3], rtol=1e-5)
    np.testing.assert_allclose(seen[:, 1], 4 * seen[:, 0], rtol=1e-5)


def test_rates_that_begin_at_0():
    warm_up = keras.callbacks.LearningRateScheduler(lambda epoch: [0.0, 1e-3, 1e-2][epoch])
    seen = fit(two_players(1e-2, 4e-2), [warm_up])
    np.testing.assert_allclose(seen, [[0.0, 0.0], [1e-3, 4e-3], [1e-2, 4e-2]], rtol=1e-5)


def test_a_callback_may_change_all_rates_itself():
    model = two_players(1e-2, 4e-2)

    def lower(epoch):
        for player in model.players:
            model.optimizer_of(player).learning_rate = rates_of(model)[0] / 10

    seen = fit(model, [At(on_epoch_begin=lower)], epochs=1)
    np.testing.assert_allclose(seen, [[1e-3, 1e-4]], rtol=1e-5)


def test_a_player_with_a_schedule_of_its_own_cannot_follow():
    model = two_players(1e-2, keras.optimizers.schedules.CosineDecay(1e-2, 10))
    with pytest.raises(InputError, match="critic's is a schedule"):
        fit(model, [keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3)])
    model = two_players(1e-2, keras.optimizers.schedules.CosineDecay(1e-2, 10))
    fit(model, [], epochs=2)  # nobody changes a rate


@pytest.mark.parametrize("monitor", ["val_reconstruction", "reconstruction"])
def test_terms_are_monitored_without_a_mode(monitor, tmp_path):
    model = networks.make(PlainAE)
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor, save_best_only=True)
    stopping, plateau = keras.callbacks.EarlyStopping(monitor), keras.callbacks.ReduceLROnPlateau(monitor)
    told = [checkpoint, stopping, plateau]
    # Unshuffled: means of the same images in another order differ in their last digit, which is an improvement.
    model.fit(IMAGES, validation_data=IMAGES, verbose=0, epochs=3, callbacks=told, shuffle=False)
    assert stopping.stopped_epoch == 1  # no better than the first
    assert (tmp_path / "best.keras").exists()
    assert [callback.monitor_op for callback in (checkpoint, stopping, plateau)] == [keras.ops.less] * 3


def test_a_mode_that_is_given_stays():
    model = networks.make(PlainAE)
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    stopping = keras.callbacks.EarlyStopping("reconstruction", mode="max")
    model.fit(IMAGES, verbose=0, callbacks=[stopping])
    assert stopping.monitor_op == keras.ops.greater
