"""What happens around the training steps: checkpoints, history, progress, pictures."""

import csv
import pathlib
import re
import signal
import time
from collections.abc import Callable

import keras
import numpy as np
import tqdm

from kerasinterp.errors import InputError
from kerasinterp.files import written_whole
from kerasinterp.nn.precision import in_float32


class Checkpoints(keras.callbacks.Callback):
    """Saves the whole model, optimizers and seeds included, so that training goes on bit-identically.

    A checkpoint is one file, `step-<number>.keras`, written beside its place and moved into it: a kill at any moment
    leaves the last one whole. The newest two are kept. A model with a weight that is not finite is never saved.

    Args:
        directory: where the checkpoints are.
        snapshot_every: epochs between two models without optimizer that are kept for good; 0 for none.
    """

    def __init__(self, directory: pathlib.Path, snapshot_every: int = 0):
        super().__init__()
        self.directory, self.snapshot_every = directory, snapshot_every

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.save()
        if self.snapshot_every and (epoch + 1) % self.snapshot_every == 0 and not self.model.stop_training:
            snapshot = self.directory.parent / "snapshots" / f"epoch-{epoch + 1:04d}.keras"
            weights = self.model.get_weights()
            self.model.use_averages()
            write_model(in_float32(self.model), snapshot)
            self.model.set_weights(weights)

    def save(self) -> None:
        if not all(np.isfinite(variable.numpy()).all() for variable in self.model.trainable_variables):
            raise InputError(f"The weights are no longer finite; the last good checkpoint is in {self.directory}.")
        write_model(self.model, self.directory / f"step-{self.model.steps:09d}.keras")
        for old in self.all()[:-2]:
            old.unlink()

    def all(self) -> list[pathlib.Path]:
        """The checkpoints, oldest first."""
        return sorted(
            path for path in self.directory.glob("step-*.keras") if re.fullmatch(r"step-\d+\.keras", path.name)
        )


def write_model(model: keras.Model, path: pathlib.Path) -> None:
    """Saves a model whole or not at all."""
    with written_whole(path) as partial:
        model.save(partial)


class History(keras.callbacks.Callback):
    """Appends a row of terms and measures to `history.csv` after each epoch.

    Args:
        path: the file; rows from `initial_epoch` on are dropped, since training repeats them.
        initial_epoch: how many epochs are done.
        batch_size: to count the images seen.
    """

    def __init__(self, path: pathlib.Path, initial_epoch: int, batch_size: int):
        super().__init__()
        self.path, self.batch_size = path, batch_size
        self.rows = []
        if path.exists():
            with path.open(newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["epoch"]) <= initial_epoch]

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.started = time.perf_counter(), self.model.steps

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        seconds, step = time.perf_counter() - self.started[0], self.model.steps
        images = (step - self.started[1]) * self.batch_size
        row = {"epoch": epoch + 1, "images_seen": step * self.batch_size, "seconds": f"{seconds:.2f}"}
        row |= {"images_per_second": f"{images / seconds:.1f}"} | {key: float(value) for key, value in logs.items()}
        self.rows.append(row)
        with written_whole(self.path) as partial, partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            writer.writeheader()
            writer.writerows(self.rows)


class StopOnNaN(keras.callbacks.Callback):
    """Stops with one sentence when a term is no longer finite."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        for name, value in (logs or {}).items():
            if not np.isfinite(value):
                raise InputError(
                    f"{name} became {value} at step {self.model.steps}: the last good checkpoint "
                    "stays; resume it with a lower learning rate, or in float32."
                )


class Progress(keras.callbacks.Callback):
    """One bar for the whole run, with images/s and the time left."""

    def __init__(self, total_steps: int, done_steps: int, batch_size: int, terms: tuple[str, ...], description: str):
        super().__init__()
        self.batch_size, self.terms = batch_size, terms
        self.bar = tqdm.tqdm(
            total=total_steps * batch_size,
            initial=done_steps * batch_size,
            desc=description,
            unit="images",
            unit_scale=True,
            smoothing=0.1,
            mininterval=0.5,
        )

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.bar.update(self.batch_size)
        self.bar.set_postfix({term: f"{float(logs[term]):.3f}" for term in self.terms if term in logs}, refresh=False)

    def close(self) -> None:
        self.bar.close()


class StopOnInterrupt(keras.callbacks.Callback):
    """Ctrl-C ends training after the step in hand, so that it can be saved; a second one ends it at once."""

    def __init__(self):
        super().__init__()
        self.interrupted = False
        self._previous = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        try:
            self._previous = signal.signal(signal.SIGINT, self._stop)
        except ValueError:  # not in the main thread: Ctrl-C does not arrive here
            self._previous = None

    def on_train_end(self, logs: dict | None = None) -> None:
        self.restore()

    def restore(self) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _stop(self, *_: object) -> None:
        self.restore()
        self.interrupted = True
        self.model.stop_training = True


class Samples(keras.callbacks.Callback):
    """Draws a picture after each epoch."""

    def __init__(self, directory: pathlib.Path, draw: Callable[[keras.Model, pathlib.Path], None]):
        super().__init__()
        self.directory, self.draw = directory, draw

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.draw(self.model, self.directory / f"epoch-{epoch + 1:04d}.png")
