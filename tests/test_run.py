"""Run folders: what is in them, who holds them, and what a resumed run may change."""

import contextlib
import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys

import pytest

from kerasinterp import run as run_module
from kerasinterp.errors import InputError
from kerasinterp.nn.backbone import Backbone
from kerasinterp.recipe import Data, Optimizer, Recipe, Schedule, Target
from kerasinterp.run import Run

RECIPE = Recipe(
    "tiny",
    "",
    Data("images"),
    objective="PlainAE",
    backbone=Backbone(width=2),
    schedule=Schedule(epochs=2, images_per_epoch=64, batch_size=32),
)
SEEN = {"count": 12, "shape": [28, 28, 1], "fingerprint": "f" * 16, "notes": []}


@pytest.fixture
def run(tmp_path):
    """A run that was begun, without any model yet."""
    begun = Run(tmp_path / "run")
    begun.begin(RECIPE, SEEN, {"SOME": "1"})
    return begun


def test_what_is_written_is_read_again(run):
    assert run.exists and run.recipe == RECIPE
    written = run.written
    assert written["examples"] == SEEN and written["processor"] == {"SOME": "1"}
    assert set(written["versions"]) == {"kerasinterp", "python", "tensorflow", "keras", "numpy"}
    assert str(run) == str(run.folder)
    assert run.checkpoint(7).name == "step-000000007.keras"
    assert run.snapshot(3).name == "epoch-0003.keras"


def test_what_a_killed_process_left_is_removed(run):
    for left in (run.checkpoints / ".partial-1-step-000000001.keras", run.folder / "deep" / ".partial-2-x.png"):
        left.parent.mkdir(exist_ok=True)
        left.write_text("cut")
    (run.folder / ".partial-folder").mkdir()
    run.begin(RECIPE, SEEN, {})
    assert [path.name for path in run.folder.rglob(".partial-*")] == [".partial-folder"]


def test_checkpoints_and_snapshots_by_number(run):
    run.snapshots.mkdir()
    for path in (run.checkpoint(10), run.checkpoint(2), run.snapshot(12), run.snapshot(3)):
        path.touch()
    for name in ("step-1.keras.damaged", "step-x.keras", ".partial-1-step-000000004.keras", "xstep-4.keras"):
        (run.checkpoints / name).touch()
    assert list(run.all_checkpoints()) == [2, 10]
    assert list(run.all_snapshots()) == [3, 12]
    assert Run(run.folder / "none").all_checkpoints() == {}


def at(path, value):
    """The content of recipe.json with a value at a dotted path."""
    content = {"recipe": json.loads(json.dumps(dataclasses.asdict(RECIPE))), "versions": {}, "examples": dict(SEEN)}
    place = content
    *folders, last = path.split(".")
    for key in folders:
        place = place[key]
    place[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "",
        "[]",
        "{}",
        "null",
        "3",
        '{"recipe": 3}',
        '{"recipe": {"name": "x"}}',
        '{"recipe": {"later": 1}}',
        "[" * 100_000,
        '{"recipe": ' * 3_000,
        '{"recipe": {"seed": ' + "9" * 5_000 + "}}",
        at("examples", [1]),
        at("versions", "1"),
        at("processor", None),
        at("recipe.seed", "0"),
        at("recipe.seed", 0.5),
        at("recipe.seed", True),
        at("recipe.seed", 10**30),
        at("recipe.data", []),
        at("recipe.data.source", 5),
        at("recipe.data.image_size", [28, "x"]),
        at("recipe.data.share", float("nan")),
        at("recipe.data.share", 10**400),
        at("recipe.data.form_options", {"a": [[[[[[[[[[[[1]]]]]]]]]]]]}),
        at("recipe.schedule.epochs", -3),
        at("recipe.schedule.epochs", "many"),
        at("recipe.schedule.batch_size", 2**31),
        at("recipe.schedule.later", 2),
        at("recipe.optimizers", {"all": {"rate": float("inf")}}),
        at("recipe.optimizers", [1]),
        at("recipe.backbone.width", [2]),
        at("recipe.backbone.networks", {"decoder": "x"}),
        at("recipe.objective_options", {"weights": {"reconstruction": float("nan")}}),
        at("recipe.target.samples", None),
    ],
)
def test_a_damaged_recipe_is_one_sentence(text, run):
    run.recipe_file.write_text(text)
    for use in (lambda: run.recipe, lambda: run.is_finished(RECIPE), lambda: run.check_free(RECIPE, resume=True)):
        with pytest.raises(InputError, match=r"recipe\.json cannot be read \(.*\): bring it back") as refused:
            use()
        assert "\n" not in str(refused.value) and len(str(refused.value)) < 500


def test_bytes_that_are_no_text_are_one_sentence(run):
    run.recipe_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        _ = run.recipe


def test_pipes_and_folders_are_not_opened(run):
    run.recipe_file.unlink()
    os.mkfifo(run.recipe_file)
    with pytest.raises(InputError, match="pipe or device, not a file"):  # not for ever
        _ = run.recipe
    run.recipe_file.unlink()
    run.recipe_file.mkdir()
    with pytest.raises(InputError, match=r"cannot be read \(.* is a folder, not a file"):
        _ = run.recipe


def test_a_run_that_is_none_is_named(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(InputError, match=r"is no run folder: it has no recipe\.json"):
            _ = Run(folder).recipe
        assert not Run(folder).is_finished(RECIPE)


def test_a_run_of_version_0_1_is_named(run):
    flat = {"name": "acai_lines16", "source": "lines/16", "source_split": "train", "objective": "ACAI", "epochs": 2}
    run.recipe_file.write_text(json.dumps({"recipe": flat, "versions": {"kerasinterp": "0.1.0"}}))
    sentence = r"is a run of kerasinterp 0\.1\.0, whose recipes this version \(.*\) does not read: use its model\.keras"
    with pytest.raises(InputError, match=sentence):
        _ = run.recipe
    with pytest.raises(InputError, match=sentence):
        run.check_free(RECIPE, resume=True)


# Other settings


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"seed": 1}, "seed = 0, not 1"),
        ({"batch_size": 16}, "batch_size = 32, not 16"),
        ({"source": "elsewhere"}, "source = 'images', not 'elsewhere'"),
        ({"objective": "AE"}, "objective = 'PlainAE', not 'AE'"),
        ({"objective_options": {"every": {"a": 2}}}, "a = None, not 2"),
        ({"optimizers": {"all": Optimizer(0.5)}}, r"rate = 0\.001, not 0\.5"),
        ({"width": 3}, "width = 2, not 3"),
        ({"after": "elsewhere"}, "after = '', not 'elsewhere'"),
        ({"precision": "bfloat16"}, "precision = 'float32', not 'bfloat16'"),
    ],
)
def test_a_run_of_other_settings_is_refused(settings, sentence, run):
    with pytest.raises(InputError, match=f"was begun with {sentence}: resume it with the same"):
        run.check_same(RECIPE.change(**settings))


def test_the_first_difference_by_name_is_told(run):
    others = {"seed": 1, "width": 3, "latent_size": 4, "batch_size": 16, "objective": "AE", "mixing": "linear"}
    with pytest.raises(InputError, match="latent_size = 32, not 4"):  # of the backbone
        run.check_same(RECIPE.change(**others))


def test_another_size_is_told_before_what_follows_from_it(run):
    with pytest.raises(InputError, match=r"image_size = 28, not \[48, 64\]"):
        run.check_same(RECIPE.change(image_size=(48, 64), form_options={"translation": 6.0}))


def test_what_a_resumed_run_may_change(run):
    run.check_same(
        RECIPE.change(name="x", summary="y", epochs=9, snapshot_every=2, target=Target(target="z", samples=3))
    )
    run.check_same(RECIPE.change(objective_options={}, networks={}))
    whole = Optimizer(cuts=(0.5,))
    for optimizers in ({"all": whole}, {"first": whole, "all": Optimizer()}):  # of one player, too
        cut = RECIPE.change(optimizers=optimizers)
        run.begin(cut, SEEN, {})
        with pytest.raises(InputError, match="epochs = 2, not 9"):  # they decide when the step size is cut
            run.check_same(cut.change(epochs=9))
        run.check_same(cut.change(snapshot_every=1))


def test_a_folder_by_another_name_is_the_same(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "images")
    for same in ("images/", "./images", str(tmp_path / "images"), "link", "run/../images"):
        run.check_same(RECIPE.change(source=same))
    for other in ("image", "images/a", "run"):
        with pytest.raises(InputError, match="source = "):
            run.check_same(RECIPE.change(source=other))


@pytest.mark.parametrize(("name", "value"), [("count", 13), ("shape", [28, 28, 3]), ("fingerprint", "0" * 16)])
def test_other_images_are_refused(name, value, run):
    run.check_same(RECIPE, SEEN)
    run.check_same(RECIPE, SEEN | {"notes": ["one file is left out"]})
    with pytest.raises(
        InputError, match=r"begun with 12 images of shape \[28, 28, 1\] \(fingerprint f+\), and"
    ) as told:
        run.check_same(RECIPE, SEEN | {name: value})
    assert str(value) in str(told.value)


def test_images_that_were_not_written_down_are_not_compared(run):
    content = json.loads(run.recipe_file.read_text())
    del content["examples"]
    run.recipe_file.write_text(json.dumps(content))
    run.check_same(RECIPE, SEEN)
    run.recipe_file.write_text(json.dumps(content | {"examples": {"count": "many"}}))
    with pytest.raises(InputError, match="begun with many images"):
        run.check_same(RECIPE, SEEN)


# Free, finished, claimed


def test_folders_with_something_in_them(run, tmp_path):
    with pytest.raises(InputError, match="already holds a run: add --resume"):
        run.check_free(RECIPE, resume=False)
    run.check_free(RECIPE, resume=True)
    other = Run(tmp_path / "other")
    other.check_free(RECIPE, resume=True)  # nothing there yet
    other.folder.mkdir()
    (other.folder / ".lock").touch()
    other.check_free(RECIPE, resume=True)
    (other.folder / "thesis.txt").touch()
    other.check_free(RECIPE, resume=False)
    with pytest.raises(InputError, match=r"holds no run to resume \(no recipe\.json\)"):
        other.check_free(RECIPE, resume=True)


def test_a_finished_run_has_its_last_checkpoint_and_a_newer_model(run):
    assert not run.is_finished(RECIPE)
    run.checkpoint(2).touch()  # the newest counts
    run.checkpoint(4).touch()
    assert not run.is_finished(RECIPE)
    run.model.touch()
    assert run.is_finished(RECIPE)
    assert not run.is_finished(RECIPE.change(epochs=3))
    with pytest.raises(InputError, match="was trained for more than 1 epochs"):
        run.is_finished(RECIPE.change(epochs=1))
    os.utime(run.model, ns=(0, run.checkpoint(4).stat().st_mtime_ns - 1))  # of fewer epochs
    assert not run.is_finished(RECIPE)
    with pytest.raises(InputError, match="seed"):
        run.is_finished(RECIPE.change(seed=3))


def test_two_at_once_are_refused(run):
    """Steps do not count updates: the second is told before it touches anything."""
    with run.claimed():
        second = Run(run.folder)
        with pytest.raises(InputError, match="Another process is training into"), second.claimed():
            pytest.fail("claimed twice")
        assert run.recipe == RECIPE
    with run.claimed():
        pass


def test_a_killed_process_leaves_no_claim(tmp_path):
    code = (
        "import sys, time; from kerasinterp.run import Run\n"
        "with Run(sys.argv[1]).claimed(): print('held', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="Another process is training into"), Run(tmp_path / "run").claimed():
            pass
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    with Run(tmp_path / "run").claimed():
        pass


def test_a_run_that_does_not_begin_leaves_nothing(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    for run in (Run(tmp_path / "a" / "b" / "run"), Run(mine)):
        with contextlib.suppress(ZeroDivisionError), run.claimed():
            run.checkpoints.mkdir()
            raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]
    (mine / "thesis.txt").touch()
    with contextlib.suppress(ZeroDivisionError), Run(mine / "run").claimed():
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]


def test_a_run_that_began_stays(tmp_path):
    run = Run(tmp_path / "run")
    with contextlib.suppress(ZeroDivisionError), run.claimed():
        run.begin(RECIPE, SEEN, {})
        raise ZeroDivisionError
    assert run.recipe == RECIPE


def test_folders_that_cannot_be_written(tmp_path, run):
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match=r"Cannot write to .*file \(.*\): choose another"),
        Run(tmp_path / "file").claimed(),
    ):
        pass
    run.checkpoints.rmdir()
    run.checkpoints.touch()
    with pytest.raises(InputError, match=r"Cannot write to .* \(File exists\)"):
        run.begin(RECIPE, SEEN, {})


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS])
def test_a_file_system_without_locks_is_used_without(number, run, monkeypatch):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(run_module.fcntl, "flock", refuse)
    with run.claimed():
        assert run.exists
