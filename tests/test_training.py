"""Training into a run folder: what is in it, interruptions, and what is refused."""

import contextlib
import csv
import dataclasses
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from keras.src.utils import rng_utils
from PIL import Image
from tensorflow.python.framework import config as tensorflow_config

from kerasinterp import callbacks, cli, compare, data, training
from kerasinterp.callbacks import steps_of
from kerasinterp.errors import InputError
from kerasinterp.evaluation import Classifier
from kerasinterp.generation import load_model
from kerasinterp.nn import cifar_resnet, perceptual
from kerasinterp.nn.backbone import Facts
from kerasinterp.nn.spectral_convolution import SpectralConv2D
from kerasinterp.objectives import OBJECTIVES, PlainAE
from kerasinterp.ops import loss_scale
from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, find
from kerasinterp.reproducible import reproducible
from kerasinterp.run import Run

SIZE = 8  # pixels


def draw(folder: pathlib.Path, count: int, seed: int = 0) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for n in range(count):
        Image.fromarray(rng.integers(0, 256, (SIZE, SIZE), dtype=np.uint8)).save(folder / f"{seed}_{n:02}.png")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve drawings."""
    return draw(tmp_path_factory.mktemp("images") / "drawn", 12)


@pytest.fixture(scope="module")
def recipe(folder):
    """Two players, and draws within a step; three steps an epoch."""
    return Recipe(
        name="tiny",
        summary="",
        data=Data(source=str(folder), image_size=SIZE),
        objective="AAE",
        backbone=Backbone(width=2, latent_size=4),
        schedule=Schedule(batch_size=4, images_per_epoch=12, epochs=3, snapshot_every=1),
    )


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory):
    return training.train(recipe, tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run, to be spoilt."""
    return Run(shutil.copytree(finished.folder, tmp_path / "copied"))


def weights(path: pathlib.Path) -> list[bytes]:
    """Every weight, slot and seed state in a saved model, as bytes."""
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in sorted(archive.namelist()) if name.endswith(".h5")]


def state(path: pathlib.Path) -> list[np.ndarray]:
    model = keras.saving.load_model(path)
    optimizers = [v for player in model.players for v in model.optimizer_of(player).variables]
    return [v.numpy() for v in (*model.weights, model.seed_generator.state, *optimizers)]


def assert_equal_models(left: pathlib.Path, right: pathlib.Path) -> None:
    for mine, theirs in zip(state(left), state(right), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def newest(run: Run) -> pathlib.Path:
    """The last checkpoint: the model with its optimizers."""
    return list(run.all_checkpoints().values())[-1]


def rows(run: Run) -> list[dict[str, str]]:
    with run.history.open() as file:
        return list(csv.DictReader(file))


def assert_equal_histories(left: Run, right: Run) -> None:
    """All but the times; a row that was put together of two parts rounds otherwise."""
    mine, theirs = rows(left), rows(right)
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert set(one) == set(other)
        for key in set(one) - {"seconds", "images_per_second"}:
            assert float(one[key]) == pytest.approx(float(other[key]), rel=1e-5), key


def stop_at(step: int, number: int, recipe: Recipe, output: pathlib.Path, resume: bool = False) -> Run:
    """A run that gets that signal in that step."""

    def press(self, batch, logs=None):
        if steps_of(self.model) == step:
            signal.raise_signal(number)

    wanted = recipe.schedule.steps * recipe.schedule.batch_size
    said = f"Stopped and saved at {step * recipe.schedule.batch_size} of {wanted} images: add --resume"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(training.Interrupted, match=said):
        patch.setattr(callbacks.StopOnNaN, "on_train_batch_end", press)
        training.train(recipe, output, resume=resume)
    return Run(output)


def test_the_run_folder_is_complete(finished, recipe, folder):
    kept = finished.written
    assert kept["recipe"]["seed"] == recipe.seed
    assert set(kept["versions"]) >= {"kerasinterp", "tensorflow", "keras"}
    seen = kept["examples"]
    assert (seen["count"], seen["shape"], seen["notes"]) == (12, [SIZE, SIZE, 1], [])
    assert seen["fingerprint"] == data.load_examples(folder, image_size=SIZE, channels=1).fingerprint
    assert isinstance(kept["processor"], dict)
    history = rows(finished)
    assert [int(row["images_seen"]) for row in history] == [12, 24, 36]
    assert [int(row["epoch"]) for row in history] == [1, 2, 3]
    for row in history:
        assert float(row["reconstruction"]) > 0
        assert float(row["images_per_second"]) == pytest.approx(12 / float(row["seconds"]), rel=0.1)
    assert list(finished.logs.rglob("events*"))
    assert list(finished.all_checkpoints()) == [6, 9]
    assert list(finished.all_snapshots()) == [1, 2, 3]
    assert load_model(finished.model).image_shape == (SIZE, SIZE, 1)
    assert finished.is_finished(recipe)
    assert not list(finished.folder.rglob(".partial-*"))


def test_models_for_use_have_no_optimizer(finished):
    snapshot, final, whole = finished.snapshot(3), finished.model, newest(finished)
    assert [keras.saving.load_model(path).compiled for path in (snapshot, final, whole)] == [False, False, True]
    images = np.zeros((1, SIZE, SIZE, 1), np.float32)
    predicted = load_model(final).predict(images, verbose=0)
    np.testing.assert_array_equal(load_model(snapshot).predict(images, verbose=0), predicted)
    np.testing.assert_array_equal(load_model(whole).predict(images, verbose=0), predicted)


@pytest.mark.slow
def test_models_for_use_compute_in_float32(recipe, tmp_path):
    mixed = training.train(recipe.change(precision="bfloat16", epochs=1), tmp_path / "mixed")

    def computes_in(path):
        return {layer.compute_dtype for layer in load_model(path).encoder.layers} - {"int32"}

    assert computes_in(mixed.model) == computes_in(mixed.snapshot(1)) == {"float32"}
    assert "bfloat16" in computes_in(newest(mixed))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(finished, recipe, tmp_path):
    again = training.train(recipe, tmp_path / "again")
    assert_equal_models(newest(again), newest(finished))
    assert_equal_histories(again, finished)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4, 8])
def test_an_interrupted_run_ends_with_the_same_weights(step, finished, recipe, tmp_path, monkeypatch):
    def fail(self, batch, logs=None):
        if steps_of(self.model) == step:
            raise MemoryError

    output = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(callbacks.StopOnNaN, "on_train_batch_end", fail)
        training.train(recipe, output)
    run = training.train(recipe, output, resume=True)
    assert_equal_models(newest(run), newest(finished))
    assert_equal_histories(run, finished)


# Ctrl-C and SIGTERM


@pytest.mark.parametrize(
    ("steps", "number"),
    [((4, 5), signal.SIGINT), ((3,), signal.SIGTERM), pytest.param((1,), signal.SIGTERM, marks=pytest.mark.slow)],
)
def test_a_signal_saves_the_step_in_hand(steps, number, finished, recipe, tmp_path):
    """Also twice in one epoch, and in the last step of one, whose snapshot is due."""
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    output = tmp_path / "run"
    seconds = 0.0
    for step in steps:
        run = stop_at(step, number, recipe, output, resume=step != steps[0])
        assert max(run.all_checkpoints()) == step
        assert list(run.all_snapshots()) == list(range(1, 1 + step // 3))
        last = rows(run)[-1]
        assert int(last["images_seen"]) == 4 * step
        assert float(last["seconds"]) > seconds
        seconds = float(last["seconds"]) if step % 3 else 0.0
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
    training.train(recipe, output, resume=True)
    assert_equal_models(newest(run), newest(finished))
    assert_equal_histories(run, finished)
    whole = rows(run)[steps[0] // 3 - (steps[0] % 3 == 0)]
    assert float(whole["seconds"]) >= seconds
    for epoch, path in finished.all_snapshots().items():
        for mine, theirs in zip(load_model(run.snapshot(epoch)).weights, load_model(path).weights, strict=True):
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy(), mine.path)


def test_a_second_ctrl_c_ends_at_once_and_sigterm_does_not():
    stop = callbacks.StopOnSignal()
    stop.set_model(keras.Model())
    before = [signal.signal(one, lambda *_: None) for one in (signal.SIGINT, signal.SIGTERM)]
    mine = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    try:
        stop.on_train_begin()
        assert not stop.stopped
        signal.raise_signal(signal.SIGINT)
        assert stop.stopped and stop.model.stop_training
        assert signal.getsignal(signal.SIGINT) == mine[0]  # the next one is the process's own
        assert signal.getsignal(signal.SIGTERM) != mine[1]  # what the parent of runs at once sends after Ctrl-C
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
            assert signal.getsignal(signal.SIGTERM) != mine[1]
        stop.on_train_end()
        assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == mine
    finally:
        for one, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(one, handler)


def test_on_several_machines_all_are_asked_whether_anybody_was_stopped():
    asked = []
    stop = callbacks.StopOnSignal(lambda mine: asked.append(mine) or len(asked) == 3)
    stop.set_model(keras.Model())
    stop.on_train_begin()
    try:
        stop.on_train_batch_end(0)
        signal.raise_signal(signal.SIGTERM)
        assert not stop.stopped
        stop.on_train_batch_end(1)
        assert not stop.stopped
        stop.on_train_batch_end(2)
    finally:
        stop.on_train_end()
    assert asked == [False, True, True] and stop.stopped and stop.model.stop_training


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_how_to_go_on(number, tmp_path, capfd, monkeypatch):
    def press(self, batch, logs=None):
        signal.raise_signal(number)

    monkeypatch.setattr(callbacks.StopOnNaN, "on_train_batch_end", press)
    command = ["train", "plainae_lines16", "--smoke", "-o", str(tmp_path / "run")]
    assert cli.main(command) == 130
    assert "Stopped and saved at 64 of 5,120 images: add --resume" in capfd.readouterr().err
    assert max(Run(tmp_path / "run").all_checkpoints()) == 1


# Epochs, players who act more often, averages


@pytest.mark.slow
def test_more_epochs_go_on_from_the_end(recipe, finished, tmp_path):
    run = training.train(recipe.change(epochs=1), tmp_path / "run")
    training.train(recipe, run.folder, resume=True)
    assert_equal_models(newest(run), newest(finished))
    assert_equal_histories(run, finished)
    assert run.is_finished(recipe)


@pytest.mark.slow
def test_steps_are_counted_where_a_player_acts_more_often(recipe, tmp_path):
    """History, resuming and the end count steps, not updates; schedules cut at shares of the steps."""
    options = {"every": {"autoencoder": 2}}
    recipe = recipe.change(objective_options=options, epochs=2, optimizers={"all": Optimizer(cuts=(0.5,))})
    whole = training.train(recipe, tmp_path / "whole")
    run = stop_at(4, signal.SIGINT, recipe, tmp_path / "run")
    training.train(recipe, run.folder, resume=True)
    assert_equal_models(newest(run), newest(whole))
    assert_equal_histories(run, whole)
    for one in (run, whole):
        assert [int(row["images_seen"]) for row in rows(one)] == [12, 24]
        assert max(one.all_checkpoints()) == 6
        assert one.is_finished(recipe)
    model = keras.saving.load_model(newest(run))
    updates = [int(model.optimizer_of(player).iterations.numpy()) for player in model.players]
    assert updates == [6, 12]
    assert [float(model.optimizer_of(p).learning_rate) for p in model.players] == pytest.approx([1e-4, 1e-4])


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_averaged_weights_are_for_use_and_the_others_go_on(devices, recipe, tmp_path, monkeypatch, request):
    """Interrupted in the middle of an epoch or not, on one device or several, a run ends with the same averages."""
    recipe = recipe.change(optimizers={"all": Optimizer(averaging=0.75)})
    if devices == 2:
        strategy = request.getfixturevalue("two_devices")
        monkeypatch.setattr(training, "_strategy", lambda: strategy)
    whole = training.train(recipe, tmp_path / "whole")
    last, used = load_model(newest(whole)).get_weights(), load_model(whole.model).get_weights()
    assert max(np.abs(mine - theirs).max() for mine, theirs in zip(last, used, strict=True)) > 1e-5
    for mine, theirs in zip(load_model(whole.snapshot(3)).get_weights(), used, strict=True):
        np.testing.assert_array_equal(mine, theirs)

    run = stop_at(4, signal.SIGINT, recipe, tmp_path / "run")
    training.train(recipe, run.folder, resume=True)
    assert_equal_models(newest(run), newest(whole))
    for mine, theirs in zip(load_model(run.model).get_weights(), used, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
def test_a_float16_run_goes_on_to_the_bit(recipe, tmp_path, monkeypatch):
    """With its scales, which grow after two steps each here."""
    monkeypatch.setattr(loss_scale, "GROWTH", 2)
    recipe = recipe.change(precision="float16")
    whole = training.train(recipe, tmp_path / "whole")
    run = stop_at(4, signal.SIGINT, recipe, tmp_path / "run")
    training.train(recipe, run.folder, resume=True)
    assert_equal_models(newest(run), newest(whole))
    one, other = (keras.saving.load_model(newest(folder)).loss_scales for folder in (run, whole))
    for name, scale in other.items():
        assert scale.scale.numpy() != loss_scale.START
        np.testing.assert_array_equal(one[name].state, scale.state)
    assert not load_model(run.model).loss_scales  # for use it is in float32


@pytest.mark.parametrize(
    ("size", "devices", "slices", "said"),
    [
        (5, 2, 1, "2 devices cannot share a batch of 5 equally: choose a batch_size of 4 or 6."),
        (3, 4, 1, "4 devices cannot share a batch of 3 equally: choose a batch_size of 4."),
        (10, 4, 5, "4 devices cannot share a batch of 10 cut into 5 slices equally: choose a batch_size of 20."),
    ],
)
def test_shares_are_equal(size, devices, slices, said):
    with pytest.raises(InputError, match=f"^{said}$"):
        training._check_shares(size, devices, slices)
    training._check_shares(devices * slices, devices, slices)


def test_devices_that_do_not_divide_the_batch_are_told_at_once(recipe, tmp_path, monkeypatch, two_devices):
    monkeypatch.setattr(training, "_strategy", lambda: two_devices)
    with pytest.raises(InputError, match="2 devices cannot share a batch of 5 equally: choose a batch_size of 4 or 6"):
        training.train(recipe.change(batch_size=5), tmp_path / "run")
    with pytest.raises(InputError, match="jit_compile is for one device, and here are 2: leave it out"):
        training.train(recipe.change(jit_compile=True), tmp_path / "run")
    sliced = recipe.change(objective="WGANGP", objective_options={"every": {"generator": 2}}, batch_size=6)
    with pytest.raises(
        InputError, match=r"2 devices cannot share a batch of 6 cut into 2 slices equally: .* of 4 or 8"
    ):
        training.train(sliced, tmp_path / "run")
    assert not (tmp_path / "run").exists()


# What a kill or a damage leaves


def test_snapshots_that_were_due_are_written_on_resuming(copied, finished, recipe):
    copied.snapshot(3).unlink()
    (copied.snapshots / ".partial-1-epoch-0003.keras").write_bytes(b"cut off")
    copied.model.unlink()
    training.train(recipe, copied.folder, resume=True)
    assert weights(copied.snapshot(3)) == weights(finished.snapshot(3))
    assert weights(copied.model) == weights(finished.model)
    assert not list(copied.folder.rglob(".partial-*"))


@pytest.mark.slow
def test_only_whole_epochs_have_snapshots(recipe, tmp_path):
    run = training.train(recipe.change(snapshot_every=2), tmp_path / "run")
    assert list(run.all_snapshots()) == [2]
    assert training.train(recipe.change(snapshot_every=0, epochs=1), tmp_path / "none").all_snapshots() == {}


def spoil(run: Run, kind: str, recipe: Recipe) -> pathlib.Path:
    path = newest(run)
    content = path.read_bytes()
    path.unlink()
    if kind == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "without optimizers":
        shutil.copy(run.snapshot(3), path)
    elif kind == "another step's":
        shutil.copy(run.checkpoint(6), path)
    else:
        changes = {"seed": {"seed": 1}, "system": {"objective": "VAE"}, "size": {"image_size": 16}}[kind]
        model = training.build(recipe.change(**changes))
        model.step.assign(9)
        model.save(path)
    return path


KINDS = ["cut", "empty", "folder", "pipe", "without optimizers", "another step's", "seed", "system", "size"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_older_checkpoint_stands_in_for_a_damaged_one(kind, copied, recipe):
    path = spoil(copied, kind, recipe)
    said = r"step-000000009\.keras cannot be read \(.+\): going on from step-000000006\.keras; it is kept as "
    with pytest.warns(data.Note, match=said):
        model = training._newest_of(copied, recipe)
    assert steps_of(model) == 6
    assert not path.exists() and path.with_name(f"{path.name}.damaged").exists()
    assert list(copied.all_checkpoints()) == [6]


def test_a_run_with_a_damaged_checkpoint_ends_as_it_would(copied, finished, recipe):
    spoil(copied, "folder", recipe)
    with pytest.warns(data.Note, match="going on from"):
        training.train(recipe, copied.folder, resume=True)
    assert_equal_models(newest(copied), newest(finished))
    assert_equal_histories(copied, finished)


def test_two_damaged_checkpoints_are_one_sentence(copied, recipe):
    for path in copied.all_checkpoints().values():
        path.write_bytes(b"cut off")
    said = (
        r"No checkpoint of .* can be read, step-000000009\.keras \(.*\) among them: remove .*checkpoints to begin anew"
    )
    with pytest.raises(InputError, match=said):
        training.train(recipe, copied.folder, resume=True)
    assert len(copied.all_checkpoints()) == 2  # nothing is lost


def history_of(path: pathlib.Path, done: int) -> callbacks.History:
    return callbacks.History(path, done, Schedule(batch_size=4, images_per_epoch=12))


HEAD = "epoch,images_seen,seconds,images_per_second,loss\r\n1,12,2.00,6.0,0.5\r\n"


def test_a_cut_history_loses_its_last_row_alone(tmp_path):
    path = tmp_path / "history.csv"
    for cut in ("2,24,1.0", "2,24,2.00,6.0,0.2", "2"):
        path.write_text(HEAD + cut)
        assert [row["images_seen"] for row in history_of(path, done=6).rows] == [12]
    path.write_text(HEAD + "2,24,2.00,6.0,0.25\r\n")
    assert [row["loss"] for row in history_of(path, done=6).rows] == [0.5, 0.25]
    assert [row["loss"] for row in history_of(path, done=5).rows] == [0.5]  # which training repeats
    path.write_text("")
    assert history_of(path, done=3).rows == []


def test_a_begun_row_is_completed(tmp_path):
    """Terms by their share of the images, seconds added."""
    path = tmp_path / "history.csv"
    path.write_text(HEAD + "2,20,3.00,2.7,0.25\r\n")
    history = history_of(path, done=5)
    assert [row["epoch"] for row in history.rows] == [1]
    model = keras.Model()
    model.step = tf.Variable(5)
    history.set_model(model)
    history.on_epoch_begin(1)
    model.step.assign(6)
    history.started = time.perf_counter() - 1.0, history.started[1]
    history.on_epoch_end(1, {"loss": 1.0})
    kept = callbacks.read_history(path)
    assert [(row["epoch"], row["images_seen"]) for row in kept] == [(1, 12), (2, 24)]
    assert kept[1]["loss"] == pytest.approx((2 * 0.25 + 1.0) / 3)
    assert kept[1]["seconds"] == pytest.approx(4.0, abs=0.2)
    assert kept[1]["images_per_second"] == pytest.approx(12 / 4, abs=0.2)
    history.on_epoch_begin(2)
    model.step.assign(9)
    history.on_epoch_end(2, {"loss": 1.0})
    assert callbacks.read_history(path)[2]["loss"] == 1.0  # once


@pytest.mark.parametrize(
    "text",
    [
        "a,b\r\n1,2\r\n",
        HEAD + "x,24,1.0,6.0,0.2\r\n",
        HEAD + "2,many,1.0,6.0,0.2\r\n",
        HEAD + "2,24,1.0\r\n",
        HEAD + "2,24,1.0,6.0,0.2,7\r\n",
        HEAD + "2,24,,6.0,0.2\r\n",
        "epoch,images_seen\r\n1,12\r\n",
        HEAD + "2,inf,1.0,6.0,0.2\r\n",
        "\0\r\n1\r\n",
    ],
)
def test_a_damaged_history_is_one_sentence(text, tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"history\.csv cannot be read \(.*\): remove it, and it is begun anew"):
        history_of(path, done=6)
    path.write_bytes(b"\xff\xfe\r\n")
    with pytest.raises(InputError, match=r"history\.csv cannot be read"):
        history_of(path, done=6)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="pipe or device"):
        history_of(path, done=6)


@pytest.mark.parametrize("first", ["memory", pytest.param("cache", marks=pytest.mark.slow)])
def test_images_in_memory_and_in_the_cache_give_the_same_weights(first, finished, recipe, tmp_path, monkeypatch):
    """One run uses the one, and goes on with the other."""
    monkeypatch.setenv("KERASINTERP_CACHE", str(tmp_path / "cache"))
    memory = {"memory": 10**6, "cache": 300}  # bytes: a batch has 256, all images have 768
    monkeypatch.setattr(training, "for_images", lambda: memory.pop(first))
    run = stop_at(4, signal.SIGTERM, recipe, tmp_path / "run")
    assert (tmp_path / "cache").exists() == (first == "cache")
    training.train(recipe, run.folder, resume=True, memory=memory.popitem()[1])
    assert (tmp_path / "cache").exists()
    assert_equal_models(newest(run), newest(finished))
    assert run.written["examples"] == finished.written["examples"]


@pytest.mark.parametrize(
    ("memory", "sentence"),
    [
        (255, "memory is 255 bytes, and one batch of 4 images takes 256 bytes: allow more"),
        ("0.2KB", "memory is 200 bytes"),
        ("much", "memory is a size such as 2GB"),
    ],
)
def test_memory_that_holds_no_batch(memory, sentence, recipe, tmp_path):
    with pytest.raises(InputError, match=sentence):
        training.train(recipe, tmp_path / "run", memory=memory)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_kill_9_at_three_random_moments(recipe, tmp_path, monkeypatch):
    """The final weights are byte-equal to the uninterrupted run's, whether images are in memory or in the cache."""
    monkeypatch.setenv("KERASINTERP_CACHE", str(tmp_path / "cache"))
    recipe = recipe.change(images_per_epoch=400, epochs=12, width=8, objective="AugIntAE", form="triplets")
    program = (
        "import sys, json, pathlib; from kerasinterp import training; from kerasinterp.recipe import Recipe;"
        "recipe, output = Recipe.from_dict(json.loads(sys.argv[1])), pathlib.Path(sys.argv[2]);"
        "training.train(recipe, output, resume=output.exists(), memory=sys.argv[3])"
    )

    def start(output, memory="1GB"):
        arguments = [sys.executable, "-c", program, json.dumps(dataclasses.asdict(recipe)), str(output), memory]
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    begun = time.monotonic()
    assert start(tmp_path / "whole").wait() == 0
    took = time.monotonic() - begun
    moments = random.Random(time.time_ns())
    for memory in ("300", "1GB", "300"):
        process = start(tmp_path / "killed", memory)
        time.sleep(moments.uniform(0.3, 0.9) * took)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (tmp_path / "killed" / "checkpoints" / ".partial-1-step-000000001.keras").write_bytes(b"cut off")
    assert start(tmp_path / "killed", "300").wait() == 0
    assert not list((tmp_path / "killed").rglob(".partial-*"))
    assert weights(tmp_path / "killed" / "model.keras") == weights(tmp_path / "whole" / "model.keras")


def test_scales_at_their_end_stop_a_run():
    class Model:
        loss_scales = {"critic": loss_scale.LossScale()}

    stop = callbacks.StopOnNaN()
    stop.set_model(Model())
    stop.on_epoch_end(0)
    Model.loss_scales["critic"].scale.assign(loss_scale.LEAST)
    with pytest.raises(
        InputError, match=r"gradients of critic overflow float16 at every scale: .* bfloat16 or float32"
    ):
        stop.on_epoch_end(1)


def test_nan_stops_and_keeps_the_last_good_checkpoint(recipe, copied):
    model = training.build(recipe)
    model.decoder.layers[-2].bias.assign([np.nan])
    checkpoints = callbacks.Checkpoints(copied, recipe.schedule)
    checkpoints.set_model(model)
    before = copied.all_checkpoints()
    with pytest.raises(InputError, match="no longer finite"):
        checkpoints.save()
    assert copied.all_checkpoints() == before
    stop = callbacks.StopOnNaN()
    stop.set_model(model)
    stop.on_train_batch_end(0, {"reconstruction": 1.0})
    for value in (float("nan"), float("inf")):
        with pytest.raises(InputError, match=f"reconstruction became {value} at step 0: train anew"):
            stop.on_train_batch_end(0, {"reconstruction": value})


def test_what_is_refused(recipe, finished, tmp_path):
    with pytest.raises(InputError, match="--resume"):
        training.train(recipe, finished.folder)
    with pytest.raises(InputError, match="seed"):
        training.train(recipe.change(seed=1), finished.folder, resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("dear")
    with pytest.raises(InputError, match=r"recipe\.json"):
        training.train(recipe, tmp_path / "other", resume=True)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"objective": "AugIntEA"}, "Did you mean 'AugIntAE'"),
        ({"source": "nosuch"}, "nosuch"),
        ({"objective_options": {"weights": {"cycle": 1.0}}}, "There is no term 'cycle'"),
        ({"objective_options": {"weight": {}}}, r"AAE has no option 'weight': it has .*Did you mean 'weights'\?"),
        ({"objective_options": {"encoder": 1}}, "AAE has no option 'encoder'"),
        ({"objective_options": {"seed": 1}}, "AAE has no option 'seed'"),
        ({"objective_options": {"mixing": "linear"}}, "AAE has no option 'mixing'"),
        ({"objective_options": {"weights": {"fooling": "1"}}}, "weights cannot be"),
        ({"objective_options": {"every": {"autoencoder": 3}}}, "cannot be cut into 3 equal slices"),
        ({"objective": "AugIntAE", "objective_options": {"joint": "no"}}, "joint cannot be 'no'"),
        ({"objective": "GLO", "mixing": "linear"}, "GLO mixes no latents: leave mixing out"),
        ({"mixing": "spheric"}, r"Unknown mixing 'spheric': .* Did you mean 'spherical'\?"),
        ({"optimizers": {"critic": Optimizer()}}, "AAE has no player 'critic'"),
        ({"networks": {"critic": {}}}, "AAE has no network 'critic'"),
        ({"form": "sets"}, "The form sets needs a size"),
        ({"form_options": {"place": True}}, r"The form images has no option 'place'\. Did you mean 'places'"),
        ({"form_options": {"places": "yes"}}, "places cannot be 'yes'"),
        ({"form_options": {"start_step": 3}}, "has no option 'start_step'"),
        ({"form": "triplets", "form_options": {"rotate": 3}}, r"no option 'rotate'\. Did you mean 'rotation'"),
        ({"form": "triplets", "form_options": {"rotation": "3"}}, "rotation cannot be '3'"),
        ({"source_options": {"image_size": 16}}, "image_size is a setting of its own: leave it out of source_options"),
        ({"source_options": {"where": {}}}, "where"),
        ({"batch_size": 2**31 - 1, "image_size": 2**20}, "GB of memory"),
        ({"width": 2**16}, "memory"),
        ({"after": "nosuch"}, r"there is no model file .*nosuch"),
        ({"target": "glyphs", "target_split": "nosuch"}, "nosuch"),
    ],
)
def test_a_mistake_leaves_no_run_behind(settings, sentence, recipe, tmp_path):
    with pytest.raises(InputError, match=sentence):
        training.train(recipe.change(**settings), tmp_path / "run")
    assert not any(tmp_path.iterdir())


def test_a_target_without_pairs_leaves_no_run_behind(recipe, tmp_path):
    for name in ("a", "b"):
        draw(tmp_path / "target" / name, 1)
    with pytest.raises(InputError, match="No class of the target has 2 images"):
        training.train(recipe.change(target=str(tmp_path / "target")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_samples_are_drawn_after_each_epoch(recipe, tmp_path):
    for seed, name in enumerate("ab"):
        draw(tmp_path / "target" / name, 3, seed)
    changed = recipe.change(target=str(tmp_path / "target"), epochs=2)
    run = training.train(changed, tmp_path / "run")
    assert sorted(path.name for path in run.samples.iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    with Image.open(run.samples / "epoch-0001.png") as picture:
        assert picture.height > 8 * SIZE


def test_what_is_trained_on_is_told_first(recipe, tmp_path, capsys):
    for name in ("a", "b"):
        draw(tmp_path / "drawn" / name, 4)
    own = recipe.change(source=str(tmp_path / "drawn"), epochs=1)
    training.train(own, tmp_path / "run")
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(f"8 images of {tmp_path / 'drawn'} (2 classes), 8 x 8 in grey, on ")
    weights = sum(int(np.prod(one.shape)) for one in training.build(own).trainable_variables)
    assert second == f"AAE: {weights:,} weights, float32; 12 images in batches of 4"
    some = own.change(source_options={"classes": ["b"]})
    assert training._images_told(some, training.training_batches(some)[0]).startswith(
        f"4 images of {tmp_path / 'drawn'}, 8 x 8"
    )
    training.train(own.change(epochs=2), tmp_path / "run", resume=True)
    assert capsys.readouterr().out.splitlines()[1].endswith("24 images in batches of 4, of which 12 are done")


def test_progress_counts_images_of_the_whole_run():
    progress = callbacks.Progress(Schedule(epochs=2, images_per_epoch=64, batch_size=32), 1, ("error", "none"), "AE")
    try:
        assert (progress.bar.total, progress.bar.n, progress.bar.unit, progress.bar.desc) == (128, 32, " images", "AE")
        progress.on_train_batch_end(0, {"error": np.float32(0.12345), "other": 1.0})
        assert progress.bar.n == 64 and progress.bar.postfix == "error=0.123"
    finally:
        progress.close()
    assert progress.bar.disable  # it is closed


# The images


def test_a_run_goes_on_with_the_same_images_only(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = recipe.change(source="drawn", epochs=1)
    draw(tmp_path / "drawn", 8)
    run = training.train(own, "run")
    training.train(own.change(source="drawn/"), "run", resume=True)
    training.train(own.change(source=tmp_path / "drawn"), "run", resume=True)
    draw(tmp_path / "drawn", 4, seed=1)
    said = r"begun with 8 images of shape \[8, 8, 1\] \(fingerprint .*\), and drawn now gives 12 images"
    with pytest.raises(InputError, match=said):
        training.train(own.change(epochs=2), "run", resume=True)
    shutil.rmtree(tmp_path / "drawn")
    draw(tmp_path / "drawn", 8, seed=2)  # as many, but others
    with pytest.raises(InputError, match="bring the images back as they were"):
        training.train(own.change(epochs=2), "run", resume=True)
    assert run.is_finished(own)


def test_what_is_left_out_is_written_down(recipe, tmp_path):
    folder = draw(tmp_path / "drawn", 6)
    (folder / "odd.heic").write_bytes(b"no image that is read here")
    with pytest.warns(data.Note, match=r"1 .*heic"):
        run = training.train(recipe.change(source=str(folder), epochs=1), tmp_path / "run")
    assert run.written["examples"]["count"] == 6
    assert "heic" in run.written["examples"]["notes"][0]


def test_notes_are_given_once_and_others_warnings_too():
    with pytest.warns(UserWarning) as given, training._noted() as found:
        warnings.warn("one", data.Note, stacklevel=1)
        warnings.warn("two", UserWarning, stacklevel=1)
        warnings.warn("one", data.Note, stacklevel=1)
    assert found == ["one", "one"]
    assert [str(one.message) for one in given] == ["one", "two", "one"]


def test_a_share_is_what_the_recipe_drew(recipe, folder):
    whole = data.load_examples(folder, image_size=SIZE, channels=1)
    some = recipe.change(share=0.5, seed=3)
    examples, _ = training.training_batches(some)
    np.testing.assert_array_equal(examples.images, whole.images[some.trained_on(12)])
    assert len(examples) == 6


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({}, {"c"}),
        ({"form_options": {"places": True}}, {"c", "place"}),
        ({"form": "triplets", "form_options": {"rotation": 20, "ends": 0.5}}, {"a", "b", "c"}),
    ],
)
def test_each_form_gives_its_batches(settings, keys, recipe):
    _, batches = training.training_batches(recipe.change(**settings))
    batch = next(iter(batches(start_step=5)))
    assert keys <= set(batch) and all(len(value) == 4 for value in batch.values())


@pytest.mark.parametrize("name", ["SCOLA", "CGANPD"])
def test_systems_of_classes_see_those_that_there_are(name, recipe, tmp_path):
    for seed, folder in enumerate("abc"):
        draw(tmp_path / folder, 5, seed)
    labelled = training.with_objective(recipe, name).change(
        source=str(tmp_path), source_options={"classes": ["a", "c"]}
    )
    examples, batches = training.training_batches(labelled)
    assert examples.classes == ("a", "c")
    np.testing.assert_array_equal(np.bincount(examples.labels), [5, 5])
    assert set(next(iter(batches(start_step=0)))["labels"].numpy()) <= {0, 1}
    assert training.build(labelled, examples).classes == 2
    few, _ = training.training_batches(labelled.change(per_class=2, batch_size=4 if name == "SCOLA" else 5))
    np.testing.assert_array_equal(np.bincount(few.labels), [2, 2])
    assert {image.tobytes() for image in few.images} <= {image.tobytes() for image in examples.images}
    for source in (tmp_path / "a", "lines/16"):
        with pytest.raises(
            InputError, match=f"{name} learns from classes, and .* has not two of them|no feature .label"
        ):
            training.training_batches(labelled.change(source=str(source), source_options={}))


def test_a_system_of_clusters_needs_no_classes(recipe):
    examples, _ = training.training_batches(training.with_objective(recipe, "COLA").change(after="a run of MMDC"))
    assert examples.labels is None


def test_a_system_without_classes_learns_from_a_sample_too(recipe, tmp_path):
    for seed, folder in enumerate("ab"):
        draw(tmp_path / folder, 5, seed)
    examples, _ = training.training_batches(recipe.change(source=str(tmp_path), per_class=3))
    assert len(examples) == 6


def test_forms_of_classes(recipe, tmp_path):
    for seed, name in enumerate("ab"):
        draw(tmp_path / name, 5, seed)
    labelled = recipe.change(source=str(tmp_path))
    for settings in ({"form": "pairs"}, {"form": "sets", "form_options": {"size": 2}}):
        examples, batches = training.training_batches(labelled.change(**settings))
        assert examples.classes == ("a", "b")
        next(iter(batches(start_step=0)))


def test_attributes_are_those_of_the_classes_names(tmp_path):
    """Not those of their places among the folders that happen to be there."""
    recipe = find("supervised_amr_mnist")
    for seed, name in enumerate(("1", "7", "8")):
        draw(tmp_path / "three" / name, 2, seed)
    examples, _ = training.training_batches(recipe.change(source=str(tmp_path / "three"), split="train"))
    own = recipe.data.attributes
    np.testing.assert_array_equal(examples.labels, np.repeat([own["1"], own["7"], own["8"]], 2, axis=0))
    assert examples.labels.dtype == np.float32 and examples.classes == ()
    draw(tmp_path / "three" / "ten", 2)
    with pytest.raises(InputError, match=r"has attributes for 0, 1, .*: .* has the classes 1, 7, 8, ten"):
        training.training_batches(recipe.change(source=str(tmp_path / "three")))
    draw(tmp_path / "one" / "7", 2)
    with pytest.raises(InputError, match="has the classes 7"):
        training.training_batches(recipe.change(source=str(tmp_path / "one")))
    with pytest.raises(InputError, match="is a folder, which has no attributes"):
        training.training_batches(find("supervised_amr_celeba").change(source=str(tmp_path / "one")))


# What a process keeps


def settings_of_the_process() -> tuple:
    return (
        tf.config.optimizer.get_experimental_options(),
        tensorflow_config.is_op_determinism_enabled(),
        rng_utils.get_random_seed(),
        keras.config.dtype_policy().name,
        random.getstate(),
        np.random.get_state()[1].tolist(),
    )


@pytest.mark.parametrize("seeded", [False, True])
def test_training_leaves_the_process_as_it_was(seeded, recipe, monkeypatch):
    def drawn():
        return [random.random(), np.random.rand(), float(tf.random.uniform(())), float(keras.random.uniform(()))]

    inside = []
    if seeded:
        keras.utils.set_random_seed(5)
        drawn()
    before = settings_of_the_process()
    for error in (None, ValueError, KeyboardInterrupt):
        with contextlib.suppress(ValueError, KeyboardInterrupt), reproducible(0):
            inside.append((tensorflow_config.is_op_determinism_enabled(), rng_utils.get_random_seed()))
            assert tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"]
            drawn()
            if error:
                raise error
        assert settings_of_the_process() == before
    assert inside == [(True, 0)] * 3
    with reproducible(0, deterministic=False):
        assert not tensorflow_config.is_op_determinism_enabled()
    if seeded:
        after = drawn()
        keras.utils.set_random_seed(5)
        drawn()
        assert after == drawn()  # as if there had been no training


def test_settings_of_the_caller_stay(recipe):
    options = tf.config.optimizer.get_experimental_options()
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        with reproducible(0):
            pass
        assert tensorflow_config.is_op_determinism_enabled()
        assert tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"]
    finally:
        tensorflow_config.disable_op_determinism()
        tf.config.optimizer.set_experimental_options(options)


# A run after another


@keras.saving.register_keras_serializable("tests")
class Follower(PlainAE):
    """Begins with another system's decoder."""

    def take_over(self, earlier: keras.Model) -> None:
        self.decoder.set_weights(earlier.decoder.get_weights())


def test_a_run_begins_where_another_ended(recipe, finished, tmp_path, monkeypatch):
    monkeypatch.setitem(OBJECTIVES, "Follower", Follower)
    gone = Run(shutil.copytree(finished.folder, tmp_path / "before"))
    own = recipe.change(objective="Follower", after=str(gone.folder), epochs=1)
    own = dataclasses.replace(own, optimizers={"all": Optimizer(1e-30, kind="sgd")})
    run = stop_at(1, signal.SIGINT, own, tmp_path / "run")
    taken = keras.saving.load_model(newest(run))
    wanted = load_model(finished.model)
    for mine, theirs in zip(taken.decoder.trainable_variables, wanted.decoder.trainable_variables, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    monkeypatch.setattr(Follower, "take_over", lambda *_: pytest.fail("taken over again"))
    shutil.rmtree(gone.folder)  # what it began with is needed no more
    training.train(own, run.folder, resume=True)
    with pytest.raises(InputError, match="AAE takes over nothing from an earlier run: leave `after` out"):
        training.train(recipe.change(after=str(finished.folder)), tmp_path / "other")


def test_an_inversion_begins_with_a_trained_generator(recipe, finished, tmp_path):
    own = recipe.change(objective="Inversion", epochs=1)
    with pytest.raises(InputError, match="Inversion begins with a trained model: name its run folder by `after`"):
        training.train(own, tmp_path / "none")
    run = training.train(own.change(after=str(finished.folder)), tmp_path / "run")
    earlier, model = load_model(finished.model), load_model(run.model)
    codes = earlier.prior(3, seed=0)
    np.testing.assert_array_equal(model.decode(codes), earlier.decode(codes))
    assert np.abs(model.encoder.get_weights()[0] - training.build(own).encoder.get_weights()[0]).max() > 0


@pytest.mark.parametrize(
    ("objective", "form", "shown"),
    [("AugIntAE", "triplets", ("reconstruction", "k")), ("PlainAE", "images", ("reconstruction",))],
)
def test_the_bar_shows_the_first_term_and_the_last_measure(objective, form, shown, recipe, tmp_path, monkeypatch):
    given, made = [], callbacks.Progress
    monkeypatch.setattr(callbacks, "Progress", lambda *args: given.append(args) or made(*args))
    monkeypatch.setattr(OBJECTIVES[objective], "fit", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(pytest.fail.Exception, match="trained"):
        training.train(recipe.change(objective=objective, data={"form": form}), tmp_path / "run")
    assert [terms for *_, terms, _ in given] == [shown]


def test_a_system_of_which_no_pictures_can_be_made_is_told_before_it_trains(recipe, tmp_path, monkeypatch):
    class Neither(PlainAE):
        """Takes no seeds, and has no prior."""

        encode = decode = property()

    monkeypatch.setitem(OBJECTIVES, "Neither", Neither)
    monkeypatch.setattr(Neither, "fit", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(InputError, match="Neither has no prior to draw codes from"):
        training.train(recipe.change(objective="Neither", target=str(tmp_path)), tmp_path / "run")


# Building


def test_networks_are_numbered_within_the_system():
    """Each network of a system draws its first weights from a seed of its own."""
    recipe = find("acai_lines16", smoke=True).change(seed=3, width=2)
    model = training.build(recipe)
    for number, (name, net) in enumerate(model.nets().items(), 1):
        expected = recipe.backbone.build(net, name, 30 + number, Facts(recipe.data.shape)).get_weights()
        for mine, theirs in zip(getattr(model, name).get_weights(), expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_players_may_have_their_own_optimizers():
    recipe = find("aeai_pole", smoke=True).change(
        optimizers={"first": Optimizer(0.5), "discriminator": Optimizer(0.25)}
    )
    model = training.build(recipe)
    assert float(model.autoencoder_optimizer.learning_rate) == 0.5
    assert float(model.discriminator_optimizer.learning_rate) == 0.25
    same = training.build(dataclasses.replace(recipe, optimizers={"all": Optimizer(0.125, kind="sgd", momentum=0.5)}))
    assert float(same.discriminator_optimizer.learning_rate) == 0.125
    assert isinstance(same.discriminator_optimizer, keras.optimizers.SGD)
    for own in (Optimizer(clip=0.25), Optimizer(kind="sgd", clip=0.25)):
        clipped = training.build(recipe.change(optimizers={"first": own}))
        assert (clipped.autoencoder_optimizer.clipvalue, clipped.discriminator_optimizer.clipvalue) == (0.25, None)
    with pytest.raises(InputError, match="AEAI has no player 'critic'"):
        training.build(recipe.change(optimizers={"critic": Optimizer()}))


@pytest.mark.parametrize(("name", "options"), [("GLO", {}), ("AEAI", {"weights": {"smoothness": 0}})])
def test_a_recipe_names_a_fixed_network(name, options, recipe, monkeypatch):
    """Of any system that takes one, fitted on images that are learned from."""
    monkeypatch.setattr(training, "FITTED", 3 * SIZE**2)
    own = training.with_objective(recipe, name).change(
        objective_options=options | {"perceptual": {"network": "resnet32", "weights": "random"}}, seed=3
    )
    examples = training.learned_from(own, 10**6)
    model = training.build(own, examples)
    expected = perceptual.resnet32((SIZE, SIZE, 1), "random", data.to_float(examples.images[[0, 5, 11]]), seed=3)
    pairs = zip(model.perceptual.get_weights(), expected.get_weights(), strict=True)
    assert all(one.tobytes() == other.tobytes() for one, other in pairs)
    assert not model.perceptual.trainable_variables
    assert training.build(own).perceptual.output_shape == model.perceptual.output_shape


def test_a_trained_network_learns_from_the_recipe_s_classes(recipe, tmp_path, monkeypatch):
    asked = []

    def trained(images, labels, classes, *, network, width, **settings):
        asked.append((images, labels, classes))
        return Classifier(network(images.shape[1:], classes, width=width, seed=9), np.ones((classes, classes)))

    monkeypatch.setattr(training, "train_classifier", trained)
    for seed, name in enumerate("ab"):
        draw(tmp_path / name, 5, seed)
    options = {"perceptual": {"network": "resnet32", "weights": "trained"}}
    own = training.with_objective(recipe, "SCOLA").change(source=str(tmp_path), objective_options=options)
    examples, _ = training.training_batches(own)
    model = training.build(own, examples)
    assert model.reconstruction_loss == "absolute"
    ((images, labels, classes),) = asked
    assert classes == 2 and images.tobytes() == examples.images.tobytes()
    np.testing.assert_array_equal(labels, examples.labels)
    kernel = cifar_resnet.classifier((SIZE, SIZE, 1), 2, depth=32, seed=9).get_layer("stem_convolution").get_weights()
    np.testing.assert_array_equal(model.perceptual.get_layer("stem_convolution").get_weights(), kernel)
    plain = training.with_objective(recipe, "GLO").change(objective_options=options)
    with pytest.raises(InputError, match="A trained resnet32 learns from classes, and GLO is given none"):
        training.build(plain, training.learned_from(plain, 10**6))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"network": "resnet32", "weight": "random"}, "perceptual has no setting 'weight'"),
        ({"network": "resnet32"}, "perceptual has no weights"),
        ("resnet32", "perceptual is 'resnet32', not a group of settings"),
        ({"network": "resnet32", "weights": "kmeans"}, "There is no file kmeans"),
        ({"network": "vgg16", "weights": "imagenet"}, "VGG16 takes grey or colour images of 32 x 32 or more"),
    ],
)
def test_mistakes_in_a_fixed_network_are_a_sentence(settings, sentence, recipe):
    own = training.with_objective(recipe, "GLO").change(objective_options={"perceptual": settings})
    with pytest.raises(InputError, match=sentence):
        training.build(own, training.learned_from(own, 10**6))


def test_cuts_count_steps_not_updates():
    """A player who acts five times a step has its step size cut when the others have."""
    recipe = find("amr_lines16", smoke=True)
    options = recipe.objective_options | {"every": {"autoencoder": 5}}
    recipe = dataclasses.replace(recipe, optimizers={"all": Optimizer(cuts=(0.5,))}, objective_options=options)
    recipe = recipe.change(images_per_epoch=100 * 50, batch_size=50, epochs=1)
    model = training.build(recipe)
    for player, updates in ((model.players[0], 1), (model.players[1], 5)):
        schedule = model.optimizer_of(player)._learning_rate
        assert [float(schedule(50 * updates)), float(schedule(50 * updates + 1))] == pytest.approx([1e-3, 1e-4])


def test_a_discriminator_may_have_its_own_backbone():
    def kinds(recipe):
        model = training.build(recipe)
        return [{type(layer) for layer in getattr(model, name).layers} for name in ("encoder", "discriminator")]

    recipe = find("amr_lines16", smoke=True)
    encoder, discriminator = kinds(recipe)
    assert SpectralConv2D in discriminator - encoder
    assert SpectralConv2D not in kinds(recipe.change(networks={}))[1]
    with pytest.raises(InputError, match=r"backbone 'resnt'.*Did you mean 'resnet'"):
        training.build(recipe.change(networks={"discriminator": {"module": "resnt"}}))


def test_single_networks_may_have_settings_of_their_own():
    base = find("gaia_pole")
    own = {"decoder": {"options": {"activation": "tanh"}}}
    own |= {name: {"options": {"scales": 2}, "latent_size": 5} for name in ("judge_encoder", "judge_decoder")}
    model = training.build(base.change(networks=own))
    assert model.judge_encoder.output_shape == model.judge_decoder.input_shape == (None, 4, 4, 5)
    assert model.encoder.output_shape == model.decoder.input_shape == (None, 2, 2, 64)
    far = np.full((1, 2, 2, 64), 1e3, np.float32)
    assert np.abs(model.decoder.predict(far, verbose=0)).max() <= 1.0
    with pytest.raises(InputError, match="GAIA has no network 'critic': it has encoder, decoder, judge_encoder"):
        training.build(base.change(networks={"critic": {"width": 4}}))


def test_only_latents_that_are_mixed_on_the_sphere_are_normalised():
    recipe = find("augintae_mnist", smoke=True)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 28, 28, 1)).astype(np.float32)
    for settings, on_sphere in (
        ({"objective": "AugIntAE"}, True),
        ({"objective": "AAE"}, False),
        ({"objective": "PlainAE"}, False),
        ({"objective": "PlainAE", "mixing": "spherical"}, True),
        ({"objective": "AE"}, True),
        ({"objective": "AE", "mixing": "linear"}, False),
    ):
        own = {"objective_options": {}} | settings
        lengths = np.linalg.norm(training.build(recipe.change(**own)).encode(images), axis=1)
        assert np.allclose(lengths, 1.0, atol=1e-4) == on_sphere, settings


def test_supervised_training_needs_labels_that_have_attributes(folder, tmp_path):
    recipe = find("supervised_amr_mnist", smoke=True)
    with pytest.raises(InputError, match="learns from labelled images"):
        training.train(recipe.change(source=str(folder)), tmp_path / "run")
    with pytest.raises(InputError, match="for points of the plane"):
        training.train(find("acai_spiral", smoke=True).change(source=str(folder)), tmp_path / "run")
    with pytest.raises(InputError, match="is for images, not for points"):
        training.train(find("acai_lines16", smoke=True).change(source="spiral"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_celeb_a_on_mock_data(tmp_path, monkeypatch):
    """Its terms forbid passing it on, so its recipe runs on faces of noise."""
    rng = np.random.default_rng(0)

    def as_dataset(self, *_, **__):
        attributes = {name: rng.integers(0, 2, 40) > 0 for name in ("Male", "Heavy_Makeup", "Wearing_Lipstick")}
        images = rng.integers(0, 256, (40, 218, 178, 3), dtype=np.uint8)
        return tf.data.Dataset.from_tensor_slices({"image": images, "attributes": attributes})

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    recipe = find("supervised_amr_celeba", smoke=True)
    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        run = training.train(recipe.change(images_per_epoch=64, epochs=1), tmp_path / "run")
        faces = find("augintae_celeba", smoke=True).change(images_per_epoch=32, epochs=1)
        measured = compare.train_and_report(faces, tmp_path / "faces")
        with pytest.raises(InputError, match="celeb_a has no classes"):
            training.train(training.with_objective(faces, "GLO").change(form="pairs", form_options={}), tmp_path / "no")
    model = load_model(run.model)
    assert model.image_shape == (64, 64, 3)
    assert model.mixer.input_shape == (None, 3)
    row = json.loads((measured.folder / "report.json").read_text())["AugIntAE"]
    assert load_model(measured.model).image_shape == (128, 128, 3)
    assert row["fid"] >= 0.0 and row["turning_error"] > 0.0  # of any two faces: they are one class
    assert "class_fidelity" not in row


def test_options_that_two_systems_have_in_common():
    """Of a common ancestor, and no weights: these are of terms, which differ."""
    assert training.common_options("AugIntAE", "AE") == {"fake_label", "joint", "mixing", "reconstruction_loss"} | (
        {"encoder", "decoder", "discriminator"}
    )
    assert training.common_options("AEAI", "GAIA") == {"mixing", "reconstruction_loss"}
    assert training.common_options("AugIntAE", "GLO") == set()
    with pytest.raises(InputError, match="Unknown objective 'AugInt'"):
        training.common_options("AugInt", "AE")


# Systems and sizes


def test_another_system_leaves_behind_what_it_lacks():
    own = find("augintae_maps_mnist")
    assert training.with_objective(own, "AugIntAE") == own
    ae, plain, glo = (training.with_objective(own, name) for name in ("AE", "PlainAE", "GLO"))
    assert ae == own.change(objective="AE")  # it has all of it
    assert plain == own.change(objective="PlainAE", objective_options={}, backbone={"networks": {}})
    assert (glo.mixing, plain.mixing) == ("", "linear")
    assert (glo.data.form, glo.data.form_options) == ("images", {"places": True})
    player = Optimizer(0.1)
    named = training.with_objective(own.change(optimizers={"discriminator": player}), "PlainAE")
    assert named.optimizers == own.optimizers
    for one in (ae, plain):
        assert training.build(one.change(width=2, latent_size=2)).compiled
    with pytest.raises(InputError, match="Unknown objective 'AEE'"):
        training.with_objective(own, "AEE")


def test_a_system_that_cuts_batches_gets_larger_ones():
    own = find("augintae_maps_mnist")
    wgangp = training.with_objective(own, "WGANGP")
    assert wgangp.schedule.batch_size == 5 * own.schedule.batch_size  # its critic steps five times
    assert training.with_objective(wgangp, "AugIntAE").schedule.batch_size == own.schedule.batch_size
    alike = wgangp.change(objective_options={"every": {"generator": 1}}, batch_size=64)
    assert training.with_objective(alike, "VAE").schedule.batch_size == 64  # it cut none
    assert training.build(wgangp.change(width=2, latent_size=2)).compiled


def test_sets_are_counted_by_their_images(tmp_path):
    """A step of another system on 32 images is one on six sets of five, and says so wherever images are counted."""
    own = training.with_objective(find("augintae_maps_mnist"), "NeuralStatistician")
    assert own.schedule.batch_size == 30 and own.data.at_once == 5
    for seed, name in enumerate("ab"):
        draw(tmp_path / name, 6, seed)
    own = own.change(source=str(tmp_path), image_size=SIZE, batch_size=10)
    _, batches = training.training_batches(own)
    assert next(iter(batches(start_step=0)))["c"].shape == (2, 5, SIZE, SIZE, 1)
    with pytest.raises(InputError, match=r"32 images is no whole number of sets of 5: choose a batch_size of 30 or 35"):
        training.check(own.change(batch_size=32))
    with pytest.raises(InputError, match=r"2 devices cannot share a batch of 15 of sets of 5 equally: .* 10 or 20"):
        training._check_shares(15, 2, at_once=5)


def test_what_another_system_has_no_use_of_stays_behind():
    inversion, own = find("inversion_mnist"), find("augintae_maps_mnist")
    assert inversion.after and training.with_objective(inversion, "VAE").after == ""
    assert own.backbone.options == {"blocks": 2}
    assert training.with_objective(own, "NeuralStatistician").backbone.options == {}  # its file builds no network of it
    assert training.with_objective(own, "WGANGP").backbone.options == {"blocks": 2}
    unused = own.change(objective="NeuralStatistician", form="sets", form_options={"size": 5}, mixing="", batch_size=30)
    with pytest.raises(InputError, match="'blocks' has no effect on NeuralStatistician: leave it out"):
        training.build(unused.change(objective_options={}, networks={}, backbone={"networks": {}}))


def test_another_system_gets_the_form_of_data_that_it_needs():
    images = find("aae_lines16")
    triplets = training.with_objective(images, "AugIntAE").data
    assert triplets.form == "triplets"  # the ranges of 28 pixels, on 16
    assert triplets.form_options == {"rotation": 20.0, "translation": 4.0 * 16 / 28, "scale": 0.2, "shear": 6.0}
    assert training.with_objective(images.change(form="sets", form_options={"size": 5}), "AE").data == images.data
    kept = images.change(form_options={"places": True, "labels": True})
    assert training.with_objective(kept, "GLO").data == kept.data


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"image_size": (50, 66)},
            "InfoGAN needs image sides divisible by 4, got 50 x 66 pixels: 52 x 68 is the nearest",
        ),
        ({"backbone": {"module": "vgg"}}, "VGG needs image sides divisible by 16, got 28 x 28 pixels: 32 x 32"),
        ({"source": ""}, "augintae_mnist is for images of your own: give a folder of them"),
        ({"after": "nosuch"}, "there is no model file nosuch"),
        ({"objective": "AEE"}, "Unknown objective"),
        ({"image_size": 16_000, "batch_size": 100_000}, "need .* GB of memory"),
    ],
)
def test_what_cannot_be_made_is_refused_before_an_image_is_read(settings, sentence, tmp_path, monkeypatch):
    monkeypatch.setattr(training.data, "load_examples", lambda *_, **__: pytest.fail("read"))
    own = find("augintae_mnist").change(**{"source": "folder", **settings})
    with pytest.raises(InputError, match=sentence):
        training.train(own, tmp_path / "run")
    assert not (tmp_path / "run").exists()
