"""What `fit` does around an objective's epochs, before and after the callbacks that it is given."""

from typing import Any

import keras

from kerasinterp.errors import InputError


def around(callbacks: Any, model: keras.Model) -> list[keras.callbacks.Callback]:
    """What `fit` was given as `callbacks`, between those of this file.

    Those that monitor a term need no mode: it is minimised. (Keras knows the direction of compiled metrics alone.)
    """
    given = getattr(callbacks, "callbacks", callbacks) or []  # of a CallbackList
    given = [*given] if isinstance(given, list | tuple) else [given]
    for callback in given:
        monitored = str(getattr(callback, "monitor", "")).removeprefix("val_")
        if monitored in model.term_names() and getattr(callback, "mode", None) == "auto":
            callback.mode = "min"
    return [BeforeOthers(), *given, AfterOthers()]


class BeforeOthers(keras.callbacks.Callback):
    """Tells the model which epoch begins, and that a whole one has ended: before a callback saves it.

    Of the logs it takes the terms that are idle in the epoch: their means are of nothing.

    Keras also ends an epoch that was stopped in its middle; that one has no `after_epoch`.
    """

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.done = 0
        self.model.begin_epoch(epoch)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.done = batch + 1
        self._without_idle(logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        steps = self.params.get("steps")  # None for data of unknown length
        if self.done and (not self.model.stop_training if steps is None else self.done == steps):
            self.model.after_epoch()
        self._without_idle(logs)

    def _without_idle(self, logs: dict | None) -> None:
        for term in self.model.idle():
            (logs or {}).pop(term, None)


class AfterOthers(keras.callbacks.Callback):
    """Gives every player the learning rate's change that a callback made to `model.optimizer`, the first player's.

    Keras' `LearningRateScheduler` and `ReduceLROnPlateau` know that one only; the rates keep their ratios. A player
    whose rate the callback changed too keeps what it was given.
    """

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.seen, self.ratios = {}, {}
        self._look()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._follow()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._follow()

    def _follow(self) -> None:
        first, *others = self.model.players
        now = self._rates()
        if now[first.name] != self.seen[first.name]:
            for player in others:
                name = player.name
                if now[name] is None:
                    raise InputError(
                        f"A callback changed the first player's learning rate, and {name}'s is a schedule: give all "
                        "players schedules, or none."
                    )
                if now[name] == self.seen[name] and name in self.ratios:
                    self.model.optimizer_of(player).learning_rate = now[first.name] * self.ratios[name]
        self._look()

    def _look(self) -> None:
        self.seen = self._rates()
        first = self.seen[self.model.players[0].name]
        if first:  # at 0, as a warm-up may begin, the ratios are those of before
            self.ratios = {name: rate / first for name, rate in self.seen.items() if rate is not None}

    def _rates(self) -> dict[str, float | None]:
        """Each player's learning rate, None for a schedule."""
        own = {player.name: self.model.optimizer_of(player)._learning_rate for player in self.model.players}
        schedule = keras.optimizers.schedules.LearningRateSchedule
        return {name: None if isinstance(rate, schedule) else float(rate.numpy()) for name, rate in own.items()}
