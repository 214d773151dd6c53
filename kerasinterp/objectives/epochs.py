"""What `fit` does around an objective's epochs, before and after the callbacks that it is given."""

import keras

from kerasinterp.errors import InputError


class BeforeOthers(keras.callbacks.Callback):
    """Tells the model which epoch begins, and that a whole one has ended: before a callback saves it.

    Keras also ends an epoch that was stopped in its middle; that one has no `after_epoch`.
    """

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.done = 0
        self.model.begin_epoch(epoch)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.done = batch + 1

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.done and self.params.get("steps") in (None, self.done):
            self.model.after_epoch()


class AfterOthers(keras.callbacks.Callback):
    """Gives every player the learning rate's change that a callback made to `model.optimizer`, the first player's.

    Keras' `LearningRateScheduler` and `ReduceLROnPlateau` know that one only; the rates keep their ratios.
    """

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.rate = self._rate(self.model.optimizer)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._follow()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._follow()

    def _follow(self) -> None:
        now = self._rate(self.model.optimizer)
        if now == self.rate or not self.rate:
            return
        for player in self.model.players[1:]:
            other = self.model.optimizer_of(player)
            rate = self._rate(other)
            if rate is None:
                raise InputError(
                    f"A callback changed the first player's learning rate, and {player.name}'s is a schedule: give all "
                    "players schedules, or none."
                )
            other.learning_rate = rate * (now / self.rate)
        self.rate = now

    @staticmethod
    def _rate(optimizer: keras.optimizers.Optimizer) -> float | None:
        """The learning rate, None for a schedule."""
        own = optimizer._learning_rate
        return None if isinstance(own, keras.optimizers.schedules.LearningRateSchedule) else float(own.numpy())
