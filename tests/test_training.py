"""Training into a run folder: what is in it, interruptions, and what is refused."""

import csv
import dataclasses
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from kerasinterp import callbacks, training
from kerasinterp.callbacks import steps_of
from kerasinterp.errors import InputError
from kerasinterp.generation import load_model
from kerasinterp.nn.spectral_convolution import SpectralConv2D
from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, find
from kerasinterp.run import Run
from kerasinterp.yardsticks import few_shot


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve 28 x 28 drawings."""
    path = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for n in range(12):
        Image.fromarray(rng.integers(0, 256, (28, 28), dtype=np.uint8)).save(path / f"{n:02}.png")
    return path


@pytest.fixture(scope="module")
def recipe(folder):
    return Recipe(
        name="tiny",
        summary="",
        data=Data(source=str(folder), form="triplets", form_options={"rotation": 20.0}),
        backbone=Backbone(width=4),
        schedule=Schedule(batch_size=4, images_per_epoch=12, epochs=3, snapshot_every=1),
    )


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory):
    return training.train(recipe, tmp_path_factory.mktemp("runs") / "whole").folder


def weights(path: pathlib.Path) -> list[bytes]:
    """Every weight, slot and seed state in a saved model, as bytes."""
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in sorted(archive.namelist()) if name.endswith(".h5")]


def state(path: pathlib.Path) -> list[np.ndarray]:
    model = keras.saving.load_model(path)
    optimizers = [v for player in model.players for v in model.optimizer_of(player).variables]
    return [v.numpy() for v in (*model.weights, *optimizers)]


def assert_equal_models(left: pathlib.Path, right: pathlib.Path) -> None:
    for mine, theirs in zip(state(left), state(right), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def newest(run):
    """The last checkpoint: the model with its optimizers."""
    return sorted((run / "checkpoints").glob("step-*.keras"))[-1]


def test_the_run_folder_is_complete(finished, recipe):
    kept = json.loads((finished / "recipe.json").read_text())
    assert kept["recipe"]["seed"] == recipe.seed
    assert set(kept["versions"]) >= {"kerasinterp", "tensorflow", "keras"}
    with (finished / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["images_seen"]) for row in rows] == [12, 24, 36]
    assert all(float(row["reconstruction"]) > 0 and float(row["images_per_second"]) > 0 for row in rows)
    assert list((finished / "logs").rglob("events*"))
    assert len(list((finished / "checkpoints").iterdir())) == 2
    assert len(list((finished / "snapshots").iterdir())) == 3
    assert load_model(finished / "model.keras").image_shape == (28, 28, 1)


def test_models_for_use_have_no_optimizer_and_compute_in_float32(finished, recipe, tmp_path):
    snapshot, final, whole = finished / "snapshots" / "epoch-0003.keras", finished / "model.keras", newest(finished)
    assert max(snapshot.stat().st_size, final.stat().st_size) < 0.6 * whole.stat().st_size
    images = np.zeros((1, 28, 28, 1), np.float32)
    predicted = load_model(final).predict(images, verbose=0)
    np.testing.assert_array_equal(load_model(snapshot).predict(images, verbose=0), predicted)
    np.testing.assert_array_equal(load_model(whole).predict(images, verbose=0), predicted)
    mixed = recipe.change(precision="bfloat16", epochs=1)
    path = training.train(mixed, tmp_path / "mixed").model
    assert {layer.compute_dtype for layer in load_model(path).encoder.layers} == {"float32"}


def press_ctrl_c(step: int, recipe: Recipe, output: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is stopped in that step."""

    def press(self, batch, logs=None):
        if steps_of(self.model) == step:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch, pytest.raises(training.Interrupted, match="--resume"):
        patch.setattr(callbacks.StopOnNaN, "on_train_batch_end", press)
        training.train(recipe, output)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(finished, recipe, tmp_path):
    again = training.train(recipe, tmp_path / "again").folder
    assert_equal_models(newest(again), newest(finished))


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 4, pytest.param(8, marks=pytest.mark.slow)])
def test_an_interrupted_run_ends_with_the_same_weights(step, finished, recipe, tmp_path, monkeypatch):
    def fail(self, batch, logs=None):
        if steps_of(self.model) == step:
            raise MemoryError

    output = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(callbacks.StopOnNaN, "on_train_batch_end", fail)
        training.train(recipe, output)
    training.train(recipe, output, resume=True)
    assert_equal_models(newest(output), newest(finished))
    assert len((output / "history.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("step", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_ctrl_c_saves_the_step_in_hand(step, finished, recipe, tmp_path, monkeypatch):
    output = tmp_path / "run"
    press_ctrl_c(step, recipe, output, monkeypatch)
    assert (output / "checkpoints" / f"step-{step:09}.keras").exists()
    training.train(recipe, output, resume=True)
    assert_equal_models(newest(output), newest(finished))


@pytest.mark.slow
def test_more_epochs_go_on_from_the_end(recipe, finished, tmp_path):
    output = training.train(recipe.change(epochs=1), tmp_path / "run").folder
    training.train(recipe, output, resume=True)
    assert_equal_models(newest(output), newest(finished))


@pytest.mark.parametrize("devices", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_averaged_weights_are_for_use_and_the_others_go_on(devices, recipe, tmp_path, monkeypatch, request):
    """Interrupted in the middle of an epoch or not, on one device or several, a run ends with the same averages."""
    recipe = recipe.change(optimizers={"all": Optimizer(averaging=0.75)})
    if devices == 2:
        strategy = request.getfixturevalue("two_devices")
        monkeypatch.setattr(training, "_strategy", lambda: strategy)
    whole, output = training.train(recipe, tmp_path / "whole").folder, tmp_path / "run"
    last, used = load_model(newest(whole)).get_weights(), load_model(whole / "model.keras").get_weights()
    assert max(np.abs(mine - theirs).max() for mine, theirs in zip(last, used, strict=True)) > 1e-5
    snapshot = load_model(whole / "snapshots" / "epoch-0003.keras")
    for mine, theirs in zip(snapshot.get_weights(), used, strict=True):
        np.testing.assert_array_equal(mine, theirs)

    press_ctrl_c(4, recipe, output, monkeypatch)
    training.train(recipe, output, resume=True)
    assert_equal_models(newest(output), newest(whole))
    for mine, theirs in zip(load_model(output / "model.keras").get_weights(), used, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
def test_kill_9_at_three_random_moments(recipe, tmp_path):
    """The final weights are byte-equal to the uninterrupted run's."""
    recipe = recipe.change(images_per_epoch=400, epochs=12, width=8)
    program = (
        "import sys, json, pathlib; from kerasinterp import training; from kerasinterp.recipe import Recipe;"
        "recipe, output = Recipe.from_dict(json.loads(sys.argv[1])), pathlib.Path(sys.argv[2]);"
        "training.train(recipe, output, resume=output.exists())"
    )

    def start(output):
        arguments = [sys.executable, "-c", program, json.dumps(dataclasses.asdict(recipe)), str(output)]
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    begun = time.monotonic()
    assert start(tmp_path / "whole").wait() == 0
    took = time.monotonic() - begun
    moments = random.Random(time.time_ns())
    for _ in range(3):
        process = start(tmp_path / "killed")
        time.sleep(moments.uniform(0.3, 0.9) * took)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (tmp_path / "killed" / "checkpoints" / ".partial-1-step-000000001.keras").write_bytes(b"cut off")
    assert start(tmp_path / "killed").wait() == 0
    assert not list((tmp_path / "killed").rglob(".partial-*"))
    assert weights(tmp_path / "killed" / "model.keras") == weights(tmp_path / "whole" / "model.keras")


def test_nan_stops_and_keeps_the_last_good_checkpoint(recipe, tmp_path):
    output = tmp_path / "run"
    training.train(recipe.change(epochs=1), output)
    model = training.build(recipe)
    model.decoder.layers[-2].bias.assign([np.nan])
    checkpoints = callbacks.Checkpoints(Run(output), recipe.schedule)
    checkpoints.set_model(model)
    before = Run(output).all_checkpoints()
    with pytest.raises(InputError, match="no longer finite"):
        checkpoints.save()
    assert Run(output).all_checkpoints() == before
    stop = callbacks.StopOnNaN()
    stop.set_model(model)
    with pytest.raises(InputError, match="reconstruction became nan"):
        stop.on_train_batch_end(0, {"reconstruction": float("nan")})


def test_what_is_refused(recipe, finished, tmp_path):
    with pytest.raises(InputError, match="--resume"):
        training.train(recipe, finished)
    with pytest.raises(InputError, match="seed"):
        training.train(recipe.change(seed=1), finished, resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("dear")
    with pytest.raises(InputError, match=r"recipe\.json"):
        training.train(recipe, tmp_path / "other", resume=True)
    assert (tmp_path / "other" / "thesis.txt").read_text() == "dear"
    with pytest.raises(InputError, match="Did you mean 'AugIntAE'"):
        training.train(recipe.change(objective="AugIntEA"), tmp_path / "unknown")
    with pytest.raises(InputError, match="nosuch"):
        training.train(recipe.change(source="nosuch"), tmp_path / "unknown")
    with pytest.raises(InputError, match="There is no term 'cycle'"):
        options = {"weights": {"cycle": 1.0}}
        training.train(recipe.change(objective_options=options), tmp_path / "unknown")
    assert not (tmp_path / "unknown").exists()
    with pytest.raises(InputError, match="Did you mean 'augintae_mnist'"):
        find("augintae_mnst")


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
    with pytest.raises(InputError, match="AEAI has no player 'critic'"):
        training.build(recipe.change(optimizers={"critic": Optimizer()}))


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


def test_pairs_are_of_one_class():
    labels = np.array([0, 1, 1, 2, 0, 3])
    pairs = few_shot.same_class_pairs(labels, 7, seed=0)
    assert (labels[pairs[:, 0]] == labels[pairs[:, 1]]).all()
    assert (pairs[:, 0] != pairs[:, 1]).all()
    with pytest.raises(InputError, match="two images"):
        few_shot.same_class_pairs(np.arange(3), 2, seed=0)


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
    model = load_model(run.model)
    assert model.image_shape == (64, 64, 3)
    assert model.mixer.input_shape == (None, 3)
