"""What happens around the training steps: checkpoints, history, progress, pictures, and a clean stop."""

import csv
import pathlib
import signal
import time
from collections.abc import Callable

import keras
import numpy as np

from kerasinterp import progress
from kerasinterp.errors import InputError
from kerasinterp.files import read_text, written_whole
from kerasinterp.nn.precision import in_float32
from kerasinterp.ops.loss_scale import LEAST
from kerasinterp.recipe import Schedule
from kerasinterp.run import Run


class Checkpoints(keras.callbacks.Callback):
    """Saves the whole model, optimizers and seeds included, so that training goes on bit-identically.

    A checkpoint is one file, written beside its place and moved into it: a kill at any moment leaves the last one
    whole. The newest two are kept. A model with a weight that is not finite is never saved.

    Args:
        run: where the checkpoints are.
        schedule: when a model is kept for good (`snapshot_every`), without its optimizers.
    """

    def __init__(self, run: Run, schedule: Schedule):
        super().__init__()
        self.run, self.schedule = run, schedule

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.save()
        self.keep()

    def save(self) -> None:
        if not all(np.isfinite(variable.numpy()).all() for variable in self.model.trainable_variables):
            raise InputError(
                f"The weights are no longer finite; the last good checkpoint is in {self.run.checkpoints}."
            )
        write_model(self.model, self.run.checkpoint(steps_of(self.model)))
        for old in list(self.run.all_checkpoints().values())[:-2]:
            old.unlink()

    def keep(self) -> None:
        """Writes the snapshot that is due at the model's step, if it is not there yet."""
        epoch, rest = divmod(steps_of(self.model), self.schedule.steps_per_epoch)
        every = self.schedule.snapshot_every
        if not every or rest or not epoch or epoch % every or self.run.snapshot(epoch).exists():
            return
        weights = self.model.get_weights()
        self.model.use_averages()
        write_model(in_float32(self.model), self.run.snapshot(epoch))
        self.model.set_weights(weights)


def steps_of(model: keras.Model) -> int:
    """How many training steps an objective has had."""
    return int(model.step.numpy())


def write_model(model: keras.Model, path: pathlib.Path, *, trial: bool = False) -> None:
    """Saves a model whole or not at all; a `trial` leaves nothing, and shows that it can be saved."""
    with written_whole(path, trial=trial) as partial:
        model.save(partial)


class History(keras.callbacks.Callback):
    """Writes a row of terms and measures to `history.csv` after each epoch.

    An epoch that was stopped has a row of its beginning, which the resumed run completes.

    Args:
        path: the file; rows beyond `done` are dropped, since training repeats them.
        done: steps that are done.
        schedule: to count images.

    Raises:
        InputError: the file is there and cannot be read.
    """

    def __init__(self, path: pathlib.Path, done: int, schedule: Schedule):
        super().__init__()
        self.path, self.batch_size = path, schedule.batch_size
        self.per_epoch = schedule.steps_per_epoch * schedule.batch_size
        kept = read_history(path) if path.exists() else []
        self.rows = [row for row in kept if row["images_seen"] <= done * self.batch_size]
        self.begun = None
        if self.rows and self.rows[-1]["images_seen"] % self.per_epoch:
            self.begun = self.rows.pop()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.started = time.perf_counter(), steps_of(self.model)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        seconds, step = time.perf_counter() - self.started[0], steps_of(self.model)
        images, means = (step - self.started[1]) * self.batch_size, {key: float(one) for key, one in logs.items()}
        if self.begun:
            earlier = self.begun["images_seen"] % self.per_epoch
            share = earlier / (earlier + images)
            means = {key: (1 - share) * one + share * self.begun.get(key, one) for key, one in means.items()}
            images, seconds, self.begun = images + earlier, seconds + self.begun["seconds"], None
        row = {"epoch": epoch + 1, "images_seen": step * self.batch_size, "seconds": f"{seconds:.4g}"}
        self.rows.append(row | {"images_per_second": f"{images / seconds:.1f}"} | means)
        with written_whole(self.path) as partial, partial.open("w", newline="") as file:
            names = dict.fromkeys(name for one in self.rows for name in one)
            writer = csv.DictWriter(file, fieldnames=list(names), restval="")
            writer.writeheader()
            writer.writerows(self.rows)


def read_history(path: pathlib.Path) -> list[dict[str, float]]:
    """The rows of a `history.csv`; one that was cut short is left out.

    Raises:
        InputError: it cannot be read.
    """
    try:
        text = read_text(path)
        reader = csv.DictReader(text[: text.rfind("\n") + 1].splitlines())  # what stands behind it was cut
        rows = [{key: float(value) for key, value in row.items() if value != ""} for row in reader]
        for row in rows:
            row |= {key: int(row[key]) for key in ("epoch", "images_seen")} | {"seconds": row["seconds"]}
        return rows
    except (OSError, ArithmeticError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({error}): remove it, and it is begun anew.") from error


class StopOnNaN(keras.callbacks.Callback):
    """Stops with one sentence when a term is no longer finite, or no step has finite gradients."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        for name, scale in self.model.loss_scales.items():
            if scale.scale.numpy() <= LEAST:
                raise InputError(
                    f"The gradients of {name} overflow float16 at every scale: train anew, into another --output, in "
                    "bfloat16 or float32."
                )

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        for name, value in (logs or {}).items():
            if not np.isfinite(value):
                raise InputError(
                    f"{name} became {value} at step {steps_of(self.model)}: train anew, into another --output, with "
                    "a lower learning rate, or in float32."
                )


class Progress(keras.callbacks.Callback):
    """One bar for the whole run."""

    def __init__(self, schedule: Schedule, done: int, terms: tuple[str, ...], description: str):
        super().__init__()
        self.batch_size, self.terms = schedule.batch_size, terms
        size = schedule.batch_size
        self.bar = progress.bar(schedule.steps * size, description, "images", done=done * size)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.bar.update(self.batch_size)
        self.bar.set_postfix({term: f"{float(logs[term]):.3f}" for term in self.terms if term in logs}, refresh=False)

    def close(self) -> None:
        self.bar.close()


class StopOnSignal(keras.callbacks.Callback):
    """Ctrl-C, or SIGTERM (a cluster, a shutdown), ends training after the step in hand, so that it can be saved.

    A second Ctrl-C ends it at once; SIGTERM may come several times, from whoever ends a group of processes.

    Args:
        anybody: on several machines, whether any of them was told to stop: then all stop after the same step.
    """

    def __init__(self, anybody: Callable[[bool], bool] | None = None):
        super().__init__()
        self.stopped = self.asked = False
        self.anybody = anybody
        self._previous = {}

    def on_train_begin(self, logs: dict | None = None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._previous[number] = signal.signal(number, self._stop)
            except ValueError:  # not in the main thread: signals do not arrive here
                return

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.anybody is not None and self.anybody(self.asked):
            self._end()

    def on_train_end(self, logs: dict | None = None) -> None:
        self.restore()

    def restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())

    def _stop(self, number: int, *_: object) -> None:
        if number == signal.SIGINT:
            signal.signal(number, self._previous.pop(number))
        self.asked = True
        if self.anybody is None:
            self._end()

    def _end(self) -> None:
        self.stopped = True
        self.model.stop_training = True


class Samples(keras.callbacks.Callback):
    """Draws a picture after each epoch."""

    def __init__(self, directory: pathlib.Path, draw: Callable[[keras.Model, pathlib.Path], None]):
        super().__init__()
        self.directory, self.draw = directory, draw

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.draw(self.model, self.directory / f"epoch-{epoch + 1:04d}.png")
