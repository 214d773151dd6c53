import errno
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from kerasinterp import cli
from kerasinterp.errors import InputError


def run(capfd, *arguments) -> tuple[int, str, str]:
    code = cli.main([str(argument) for argument in arguments])
    captured = capfd.readouterr()
    return code, captured.out, captured.err


def fails(capfd, *arguments, code: int = 2) -> str:
    """The one sentence of a failing call."""
    got, _, err = run(capfd, *arguments)
    assert got == code and err.startswith("kerasinterp: ") and err.count("\n") == 1, (got, err)
    return err


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from kerasinterp import objectives
    from kerasinterp.nn import infogan

    shape = (12, 12, 1)
    networks = {"encoder": infogan.encoder(shape, 4, 2), "decoder": infogan.decoder(shape, 4, 2)}
    path = tmp_path_factory.mktemp("run") / "model.keras"
    model = objectives.PlainAE(**networks)
    model.compile("adam")
    model.save(path)
    return path


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    """A model file without an encoder; its prior draws the images themselves."""
    import keras

    @keras.saving.register_keras_serializable("kerasinterp_tests")
    class Generator(keras.Model):
        image_shape = (12, 12, 1)

        def prior(self, count, seed):
            return np.random.default_rng(seed).uniform(-1, 1, (count, 144)).astype(np.float32)

        def decode(self, latents):
            return keras.ops.reshape(latents, (-1, 12, 12, 1))

    model = Generator()
    model.built = True  # Keras warns of others
    path = tmp_path_factory.mktemp("generator") / "model.keras"
    model.save(path)
    return path


@pytest.fixture
def seeds(tmp_path):
    folder = tmp_path / "seeds"
    folder.mkdir()
    for n in range(3):
        image = np.zeros((24, 24), np.uint8)
        image[4:20, 4 + 5 * n : 8 + 5 * n] = 255
        Image.fromarray(image).save(folder / f"{n}.png")
    return folder


# Help and mistaken commands


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"], ["presets"]])
def test_help_needs_no_tensorflow(arguments):
    """So that it answers at once."""
    code = (
        "import sys; from kerasinterp import cli; code = cli.main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kerasinterp" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["genrate"], "Did you mean 'generate'?"),
        (["train", "augintae_minst"], "Did you mean 'augintae_mnist'?"),
        (["train", "augintae_mnist", "--epoch", "3"], "--epochs"),
        (["train", "augintae_mnist", "--objective", "AugInAE"], "Did you mean 'AugIntAE'?"),
        (["train", "augintae_mnist", "--precision", "bfloat"], "Did you mean 'bfloat16'?"),
        (["train", "augintae_mnist", "--epochs", "0"], "1<=x<="),
        (["export", "m.keras", "--format", "saved-model", "-o", "x"], "saved_model"),
        (["export", "m.keras", "--format", "saved_model", "--precision", "int8", "-o", "x"], "--format tflite"),
        (["export", "m.keras", "--format", "tflite", "--precision", "int8", "-o", "x"], "--representative"),
        (["export", "m.keras", "--format", "tflite", "--representative", "x", "-o", "x"], "without --precision int8"),
        (["export", "m.keras", "--format", "tflite", "--version", "2", "-o", "x"], "--version has no effect"),
        (
            ["export", "m.keras", "--format", "serving", "--precision", "float32", "-o", "x"],
            "--precision has no effect",
        ),
        (["generate", "m.keras", "-o", "x"], "there is no model file m.keras"),
        (["generate", "m.keras", "a", "b", "--midpoints", "-n", "64", "-o", "x"], "-n has no effect with --midpoints"),
        (["generate", "m.keras", "a", "b", "--midpoints", "--seed", "0", "-o", "x"], "--seed has no effect with --mid"),
        (["generate", "m.keras", "--midpoints", "-o", "x"], "--midpoints has no effect without SEEDS"),
        (["generate", "m.keras", "--invert", "-o", "x"], "--invert has no effect without SEEDS"),
        (["generate", "m.keras", "--ink", "-o", "x"], "--ink has no effect without SEEDS"),
        (["generate", "m.keras", "a", "--ink", "--invert", "-o", "x"], "--invert has no effect with --ink"),
        (["generate", "m.keras", "a", "--spread", "1", "-o", "x"], "--spread has no effect with SEEDS"),
        (["generate", "m.keras", "--spread", "-1", "-o", "x"], "-1.0 is not in the range 0<=x<=1000000.0"),
        (
            ["transfer", "m.keras", "a", "--classes", "0,cat", "-o", "x"],
            "'0,cat' is no list of classes: give their num",
        ),
        (["transfer", "m.keras", "a", "--ink", "--invert", "-o", "x"], "--invert has no effect with --ink"),
        (["transfer", "m.keras", "a", "-o", "x"], "there is no model file m.keras"),
        (["invert", "m.keras", "a", "--steps", "0", "-o", "x"], "0 is not in the range 1<=x<=1000000"),
        (["invert", "m.keras", "a", "--rate", "0", "-o", "x"], "0.0 is not in the range x>0"),
        (["invert", "m.keras", "a", "-o", "x"], "there is no model file m.keras"),
        (["interpolate", "m.keras", "a", "b", "--ink", "--invert", "-o", "x.png"], "--invert has no effect with --ink"),
        (["invert", "m.keras", "a", "--ink", "--invert", "-o", "x"], "--invert has no effect with --ink"),
        (["generate", "m.keras", "a", "-n", "2147483648", "-o", "x"], "is not in the range 1<=x<=2147483647"),
        (["generate", "m.keras", "a", "--seed", "4294967296", "-o", "x"], "is not in the range 0<=x<=4294967295"),
        (["quickstart", "--seed", "4294967296", "-o", "x"], "is not in the range 0<=x<=4294967295"),
        (["train", "augintae_mnist", "--seed", "4294967296"], "is not in the range 0<=x<=4294967295"),
        (["train", "augintae_mnist", "--batch-size", "2147483648"], "is not in the range 1<=x<=2147483647"),
        (["compare", "lines", "AE", "--jobs", "1000000", "-o", "x"], "is not in the range 1<=x<="),
        (["evaluate", "m.keras", "--samples", "2147483648", "-o", "x"], "is not in the range 2<=x<=2147483647"),
        (["evaluate", "m.keras", "--seed", "4294967296", "-o", "x"], "is not in the range 0<=x<=4294967295"),
        (["interpolate", "m.keras", "a", "b", "--steps", "10001", "-o", "x.gif"], "is not in the range 1<=x<=10000"),
        (["interpolate", "m.keras", "a", "b", "--fps", "15", "-o", "x.png"], "--fps has no effect on a .png"),
        (["generate", "m.keras", "a", "-o", ""], "The value of -o is empty"),
        (["generate", "m.keras", "a", "--output="], "The value of --output is empty"),
        (["export", "m.keras", "--format", "serving", "--name=a=", "-o", "x"], "there is no model file m.keras"),
        (["generate", "", "a", "-o", "x"], "An argument is empty"),
        (["train", "augintae_mnist", "--data", ""], "The value of --data is empty"),
        (["export", "m.keras", "--format", "serving", "--name", "", "-o", "x"], "The value of --name is empty"),
        (["generate", "m.keras", "a\0b", "-o", "x"], r"'a\x00b' is not readable as text"),
        (["generate", "m.keras", "a", "-o", "caf\udce9"], r"'caf\udce9' is not readable as text"),
        (["generate", "x" * 300, "a", "-o", "x"], "is too long for the file system"),
        (["interpolate", "m.keras", "a.png", "b.png", "-o", "x.jpg"], "neither a .png nor a .gif"),
        (["evaluate", "m.keras", "-o", "x"], "give --source"),
    ],
)
def test_mistakes_get_one_sentence(capfd, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in fails(capfd, *arguments)
    assert not list(tmp_path.iterdir())


# Errors of the surroundings


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "model.keras"), 2, "the disk is full, so model.keras"),
        (OSError(errno.EROFS, "Read-only file system", "run/x"), 2, "no permission to use run/x (Read-only"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "a.png"), 2, "your quota of disk space is used up, so a.png"),
        (OSError(errno.EFBIG, "File too large", "a.h5"), 2, "a.h5 would be larger than the file system or the limit"),
        (OSError("Can't write data (errno = 27, error message = 'File too large')"), 2, "a file would be larger than"),
        (RuntimeError("write failed: No space left on device; x"), 2, "the disk is full, so a file was not written"),
        (OSError(errno.EISDIR, "Is a directory", "a"), 2, "a is a folder, where a file is needed"),
        (OSError(errno.EMFILE, "Too many open files", "a"), 2, "too many files are open"),
        (OSError(errno.EIO, "Input/output error", "a"), 2, "Input/output error: a."),
        (OSError("of no kind"), 2, "of no kind."),
        (MemoryError(), 2, "there is not enough memory"),
        (type("ResourceExhaustedError", (Exception,), {})("OOM when allocating"), 2, "there is not enough memory"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a"), 2, "No such file or directory: a."),
        (KeyboardInterrupt(), 130, "Stopped by Ctrl-C."),
        (KeyboardInterrupt("Stopped and saved: --resume goes on."), 130, "--resume goes on."),
    ],
)
def test_errors_in_the_middle_of_the_work(capfd, monkeypatch, tmp_path, error, code, message):
    from kerasinterp import training

    def stop(*arguments, **options):
        raise error

    monkeypatch.setattr(training, "train", stop)
    got, _, err = run(capfd, "train", "augintae_mnist", "-o", tmp_path / "run")
    assert got == code and message in err.strip().splitlines()[-1] and "Traceback" not in err


def test_a_fault_of_our_own_is_not_hidden(monkeypatch, tmp_path):
    from kerasinterp import training

    def fail(*arguments, **options):
        raise RuntimeError("a fault")

    monkeypatch.setattr(training, "train", fail)
    with pytest.raises(RuntimeError, match="a fault"):
        cli.main(["train", "augintae_mnist", "-o", str(tmp_path / "run")])


def test_warnings_are_a_line_and_tensorflows_tracing_none(capfd, monkeypatch, tmp_path):
    from kerasinterp import compare
    from kerasinterp.run import Run

    logger = logging.getLogger("tensorflow")
    handler = logging.StreamHandler()
    level = logger.level

    def warn(*arguments, **options):
        warnings.warn("two files\n were left out.", UserWarning, stacklevel=1)
        warnings.warn("a runtime's", RuntimeWarning, stacklevel=1)
        logger.warning("5 out of the last 5 calls triggered tf.function retracing.")
        logger.error("an error")
        return Run(tmp_path / "run")

    monkeypatch.setattr(compare, "train_and_report", warn)
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as others:
            warnings.simplefilter("always")
            code, _, err = run(capfd, "train", "augintae_mnist", "-o", tmp_path / "run")
    finally:
        logger.removeHandler(handler)
    assert code == 0 and "kerasinterp: note: two files were left out.\n" in err
    assert "retracing" not in err and "an error" in err and "test_cli.py" not in err
    assert [str(warning.message) for warning in others] == ["a runtime's"]
    assert logger.level == level


def test_an_output_that_leads_nowhere_is_refused(capfd, tmp_path, seeds):
    (tmp_path / "new").symlink_to(tmp_path / "nothing")
    (tmp_path / "path.png").symlink_to(tmp_path / "nothing.png")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for arguments in (
        ["generate", "none.keras", seeds, "-o", tmp_path / "new"],
        ["generate", "none.keras", seeds, "-o", tmp_path / "new" / "deep"],
        ["train", "augintae_mnist", "-o", tmp_path / "new"],
        ["export", "none.keras", "--format", "saved_model", "-o", tmp_path / "new"],
        ["interpolate", "none.keras", "a", "b", "-o", tmp_path / "path.png"],
    ):
        assert "does not exist: choose another output" in fails(capfd, *arguments)
    assert "is a folder, not a file" in fails(capfd, "interpolate", "m", "a", "b", "-o", tmp_path / "folder.png")
    assert "is a pipe or device" in fails(capfd, "interpolate", "m", "a", "b", "-o", tmp_path / "pipe.png")
    assert not (tmp_path / "nothing").exists()


def test_a_pipe_is_no_model_and_no_image(capfd, model, seeds, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "is a pipe" in fails(capfd, "generate", tmp_path / "pipe.png", seeds, "-o", tmp_path / "new")
    assert "pipe.png is no regular file" in fails(
        capfd, "generate", model, seeds, tmp_path / "pipe.png", "-o", tmp_path / "new"
    )
    (tmp_path / "recipe.json").symlink_to(tmp_path / "pipe.png")
    assert "give --source" in fails(capfd, "evaluate", tmp_path / "model.keras", "-o", tmp_path / "new")


@pytest.mark.parametrize(
    ("variables", "settings", "message"),
    [
        ({"KERAS_BACKEND": "jax"}, None, "needs Keras' TensorFlow backend: unset KERAS_BACKEND (now jax) or set it to"),
        ({}, {"backend": "torch"}, "needs Keras' backend 'tensorflow', not 'torch': change it in {home}/keras.json."),
        ({}, {"image_data_format": "channels_first"}, "image_data_format 'channels_last', not 'channels_first'"),
        ({}, {"floatx": "float16"}, "floatx 'float32', not 'float16'"),
        ({}, [], "are no dictionary"),
        ({"KERAS_BACKEND": "tensorflow"}, {"backend": "jax", "floatx": "float64"}, "floatx 'float32', not 'float64'"),
    ],
)
def test_what_keras_is_set_to_is_looked_at_before_it_is_imported(tmp_path, variables, settings, message):
    if settings is not None:
        (tmp_path / "keras.json").write_text(json.dumps(settings))
    code = (
        "import sys; from kerasinterp import cli; code = cli.main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "list"],
        env={**os.environ, "KERAS_HOME": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and done.stderr.startswith("kerasinterp: ") and done.stderr.count("\n") == 1
    assert message.format(home=tmp_path) in done.stderr


WRITING = {name: one for name, one in cli.cli.commands.items() if any(p.name == "output" for p in one.params)}


@pytest.mark.parametrize("name", WRITING)
def test_every_command_that_writes_checks_where_before_anything_else(name, capfd, tmp_path, seeds):
    """Nothing that is named is there but a picture: of that nobody hears."""
    (tmp_path / "file").write_text("mine")
    given = {"output": tmp_path / "file" / "run.png", "kind": "serving", "per_class": 3}
    arguments = [name, *(["augintae_mnist"] if name == "train" else [])]
    for one in WRITING[name].params:
        if one.required or one.name == "output":
            option = [one.opts[0]] if one.param_type_name == "option" else []
            arguments += [*option, given.get(one.name, seeds / "0.png")]
    assert "is a file" in fails(capfd, *arguments)
    assert (tmp_path / "file").read_text() == "mine"


def test_output_is_checked_before_the_work(capfd, tmp_path, seeds, monkeypatch):
    def refuse(**options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(cli.tempfile, "TemporaryFile", refuse)
    assert "Read-only file system" in fails(capfd, "generate", "none.keras", seeds, "-o", tmp_path / "new")
    assert not (tmp_path / "new").exists()


# The commands


def test_quickstart_says_what_it_wrote(capfd, monkeypatch, tmp_path):
    from kerasinterp import quickstart

    def write(output, seed, images):
        output.mkdir()
        (output / "report.json").write_text(f"{seed} {images}")
        (output / "saved_model").mkdir()
        row = {"class_fidelity": 0.9, "turning_error": 0.02, "l2": 30.0, "fid": 1.5}
        told = {"images_per_second": 900.0, "seconds": 200.0}
        return {"AE": row, "AugIntAE": row, "real": {"class_fidelity": 0.95}, "protocol": told}

    monkeypatch.setattr(quickstart, "quickstart", write)
    code, out, _ = run(capfd, "quickstart", "--output", tmp_path / "new", "--seed", 4, "--images", 640)
    assert code == 0 and out.startswith("AE: class_fidelity 0.9, turning_error 0.02, l2 30, fid 1.5")
    assert "real letters, to the same classifier: class_fidelity 0.95" in out
    assert out.splitlines()[-2:] == ["  report.json", "  saved_model/"]
    assert (tmp_path / "new" / "report.json").read_text() == "4 640"


def test_train_gives_the_recipe_its_changes(capfd, monkeypatch, tmp_path):
    from kerasinterp import compare, recipe
    from kerasinterp.run import Run

    calls = []

    def train(*arguments, **options):
        calls.append((arguments, options))
        return Run(arguments[1])

    monkeypatch.setattr(compare, "train_and_report", train)
    monkeypatch.chdir(tmp_path)
    assert run(capfd, "train", "augintae_mnist", "--smoke", "--resume", "--batch-size", 16)[0] == 0
    options = ["--objective", "AE", "--epochs", 3, "--seed", 5, "--precision", "bfloat16", "--data", "glyphs"]
    options += ["--data-split", "digits", "--memory", "2GB"]
    assert run(capfd, "train", "augintae_mnist", *options, "-o", "there")[0] == 0
    ((first, output), first_options), ((second, other), second_options) = calls
    smoke = recipe.find("augintae_mnist", smoke=True)
    assert first == smoke.change(batch_size=16) and first_options == {"resume": True, "memory": None}
    assert (
        str(output) == "runs/augintae_mnist"
        and str(other) == "there"
        and second_options == {"resume": False, "memory": "2GB"}
    )
    schedule = second.schedule
    assert (second.objective, schedule.epochs, second.seed, schedule.precision) == ("AE", 3, 5, "bfloat16")
    assert (second.data.source, second.data.split, second.target.target) == ("glyphs", "digits", None)
    # What belongs to the recipe's own data and objective stays behind with them.
    assert run(capfd, "train", "aeai_coil100", "--data", "glyphs", "--objective", "GAIA", "-o", "other")[0] == 0
    changed = calls[-1][0][0]
    assert (changed.data.source_options, changed.data.share, changed.objective_options) == ({}, 1.0, {})
    own = recipe.find("aeai_coil100")
    assert own.data.source_options and own.data.share < 1.0 and own.objective_options
    assert run(capfd, "train", "augintae_mnist", "--target", "mine", "--target-split", "all", "-o", "other")[0] == 0
    changed = calls[-1][0][0].target
    assert (changed.target, changed.target_split, changed.target_without) == ("mine", "all", ())
    assert recipe.find("augintae_mnist").target.target_without
    assert run(capfd, "train", "augintae_mnist", "--data", "mine", "--invert", "-o", "other")[0] == 0
    assert calls[-1][0][0].data.invert
    # What another system has in common with the recipe's own keeps its value.
    assert run(capfd, "train", "augintae_maps_mnist", "--objective", "AE", "-o", "other")[0] == 0
    assert calls[-1][0][0].objective_options == {"joint": False, "fake_label": 0.0}
    # Images alone are enough.
    assert run(capfd, "train", "--data", "mine", "-o", "other")[0] == 0
    assert (calls[-1][0][0].name, calls[-1][0][0].data.source) == ("images28", "mine")
    assert calls[-1][0][0] == recipe.find("images28").change(source="mine", target=calls[-1][0][0].target)
    # In the size and colour that are asked for.
    form = ["--image-size", "48x64", "--grey"]
    assert run(capfd, "train", "--data", "mine", *form)[0] == 0
    assert (calls[-1][0][0].name, str(calls[-1][0][1])) == ("images64", "runs/images")
    assert calls[-1][0][0].data == recipe.find("images64").of_size((48, 64), 1).change(source="mine").data
    assert run(capfd, "train", "augintae_omniglot", "--image-size", "32", "--colour", "-o", "other")[0] == 0
    assert calls[-1][0][0] == recipe.find("augintae_omniglot").of_size(32, 3)
    assert "Name a recipe" in fails(capfd, "train", "-o", "other")
    for option in (["--data-split", "test"], ["--invert"], ["--target-split", "test"]):
        assert "no effect without" in fails(capfd, "train", "augintae_mnist", *option, "-o", "other")


def test_a_resumed_run_of_ones_own_images_keeps_its_processors_settings(capfd, monkeypatch, tmp_path):
    from kerasinterp import compare, processor
    from kerasinterp.run import Run

    kept = []
    monkeypatch.chdir(tmp_path)
    Path = pathlib.Path
    Path("runs/images").mkdir(parents=True)
    Path("runs/images/recipe.json").write_text(json.dumps({"processor": {"TF_ENABLE_ONEDNN_OPTS": "1"}}))
    monkeypatch.setattr(processor, "prepare", kept.append)
    monkeypatch.setattr(compare, "train_and_report", lambda recipe, output, **_: Run(output))
    assert run(capfd, "train", "--data", "mine", "--resume")[0] == 0
    assert kept == [{"TF_ENABLE_ONEDNN_OPTS": "1"}]


@pytest.mark.parametrize(
    ("size", "colour", "options", "told"),
    [
        (
            (48, 64),
            True,
            [],
            "are 48 x 64 pixels (height x width) in colour, and are trained on at 28 x 28 in grey: --colour",
        ),
        ((90, 70), True, [], "at 28 x 28 in grey: --image-size 64 --colour changes that."),
        ((90, 70), False, [], "in grey, and are trained on at 28 x 28 in grey: --image-size 64 changes that."),
        ((90, 70), False, ["--image-size", "64"], "are trained on at 64 x 64 in colour: --grey changes that."),
        ((90, 70), False, ["--image-size", "64", "--colour"], ""),
        ((90, 70), True, ["--grey"], "at 28 x 28 in grey: --image-size 64 changes that."),
        ((200, 300), True, ["--image-size", "48x64", "--colour"], ""),
        ((30, 30), False, [], ""),
    ],
)
def test_what_is_made_of_ones_images_is_told_where_nobody_chose_it(
    size, colour, options, told, capfd, monkeypatch, tmp_path
):
    from kerasinterp import compare
    from kerasinterp.run import Run

    folder = tmp_path / "mine"
    folder.mkdir()
    image = np.random.default_rng(0).integers(0, 200, (*size, 3) if colour else size, np.uint8)
    Image.fromarray(image).save(folder / "a.png")
    monkeypatch.setattr(compare, "train_and_report", lambda recipe, output, **_: Run(output))
    monkeypatch.setattr(compare, "compare", lambda dataset, systems, output, **_: (output / "table.md").write_text("|"))
    (tmp_path / "table").mkdir()
    for call in (
        ["train", "--data", folder, "-o", tmp_path / "run"],
        ["compare", folder, "AE", "-o", tmp_path / "table"],
    ):
        code, _, err = run(capfd, *call, *options)
        assert code == 0 and (told in err if told else not err) and err.count("\n") == bool(told), err


@pytest.mark.parametrize(
    "value", ["0", "1e9", "48x", "3x3x3", "x48", "-5", "48 x 64", "1000000000", "4x16385", "4.5", "\u0664"]
)
def test_what_is_no_image_size(value, capfd, tmp_path):
    for call in (["train", "--data", tmp_path], ["compare", tmp_path, "AE"]):
        said = fails(capfd, *call, "--image-size", value, "-o", tmp_path / "x")
        assert f"{value!r} is no image size: give the side of a square in pixels (64), or HEIGHTxWIDTH (48x64)" in said


def test_size_and_colour_that_cannot_be(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    Image.new("L", (50, 50), 9).save(tmp_path / "mine" / "a.png")
    for call in (["train", "--data", "mine"], ["compare", "mine", "AE"]):
        assert "exclude each other" in fails(capfd, *call, "--colour", "--grey", "-o", "x")
    said = fails(capfd, "train", "images64", "--data", "mine", "--image-size", "50x70", "-o", "x")
    assert "sides divisible by 8, got 50 x 70 pixels: 48 x 72 is the nearest" in said
    assert "images64 is for images of your own: give a folder" in fails(capfd, "train", "images64", "-o", "x")
    assert "of its own size and colour" in fails(capfd, "train", "acai_lines", "--image-size", "48x64", "-o", "x")
    assert "points of the plane" in fails(capfd, "train", "acai_spiral", "--image-size", "64", "-o", "x")
    for option in (["--image-size", "64"], ["--colour"], ["--invert"], ["--target", "mine"]):
        said = fails(capfd, "compare", "lines", "AE", *option, "-o", "x")
        assert f"{option[0]} has no effect on lines, which is no folder of images" in said
    assert "--target has no effect on augintae_omniglot" in fails(
        capfd, "compare", "augintae_omniglot", "AE", "--target", "mine", "-o", "x"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"mine"}


def test_compare_passes_on_what_is_asked_for(capfd, monkeypatch, tmp_path):
    from kerasinterp import compare

    calls = []

    def write(dataset, names, output, **options):
        calls.append((dataset, names, options))
        output.mkdir()
        (output / "table.md").write_text("| ACAI |")

    monkeypatch.setattr(compare, "compare", write)
    asked = ["lines", "ACAI", "AMR", "--seeds", 2, "--jobs", 2, "--epochs", 3, "--smoke", "-o", tmp_path / "new"]
    code, out, _ = run(capfd, "compare", *asked)
    assert code == 0 and "| ACAI |" in out and "table.md" in out
    assert calls == [("lines", ("ACAI", "AMR"), {"seeds": 2, "jobs": 2, "smoke": True, "epochs": 3})]
    (tmp_path / "mine").mkdir()
    Image.new("L", (30, 30), 9).save(tmp_path / "mine" / "a.png")
    asked = ["--image-size", "48x64", "--colour", "--invert", "--target", "other", "-o", tmp_path / "newer"]
    assert run(capfd, "compare", tmp_path / "mine", "AE", *asked)[0] == 0
    form = {"image_size": (48, 64), "channels": 3, "invert": True, "target": "other"}
    assert calls[-1][2] == {"seeds": 1, "jobs": 1, "smoke": False} | form


@pytest.mark.parametrize("how", ["folder", "files"])
def test_generate_writes_images_and_an_overview(capfd, model, seeds, tmp_path, how):
    from kerasinterp import data, generation

    given = [seeds] if how == "folder" else sorted(seeds.iterdir())
    code, out, _ = run(capfd, "generate", model, *given, "-n", 5, "-o", tmp_path / "new", "--seed", 3)
    assert code == 0 and "5 images" in out and "few_shot.png" in out
    files = sorted((tmp_path / "new").glob("generated_*.png"))
    assert len(files) == 5
    with Image.open(files[0]) as image:
        assert image.size == (12, 12) and image.mode == "L"
    with_python = generation.few_shot(generation.load_model(model), data.images(seeds, image_size=12), 5, seed=3)
    for file, image in zip(files, data.to_uint8(with_python), strict=True):
        np.testing.assert_array_equal(data.read_image(file, 12, 1), image)
    before = [file.read_bytes() for file in files]
    assert "--overwrite" in fails(capfd, "generate", model, *given, "-n", 2, "-o", tmp_path / "new")
    assert [file.read_bytes() for file in files] == before
    assert run(capfd, "generate", model, *given, "-n", 2, "-o", tmp_path / "new", "--seed", 3, "--overwrite")[0] == 0
    assert sorted((tmp_path / "new").glob("generated_*.png")) == files[:2]
    assert [file.read_bytes() for file in files[:2]] == before[:2]
    assert run(capfd, "generate", model, *given, "--midpoints", "-o", tmp_path / "pairs")[0] == 0
    assert len(list((tmp_path / "pairs").glob("generated_*.png"))) == 3


def test_generate_without_seeds_draws_from_the_prior(capfd, model, generator, seeds, tmp_path):
    code, out, err = run(capfd, "generate", generator, "-n", 5, "--seed", 3, "-o", tmp_path / "new")
    assert code == 0 and not err and "5 images" in out and "samples.png" in out
    files = sorted((tmp_path / "new").glob("generated_*.png"))
    drawn = np.random.default_rng(3).uniform(-1, 1, (5, 12, 12))
    for file, image in zip(files, drawn, strict=True):
        with Image.open(file) as picture:
            np.testing.assert_allclose(np.asarray(picture, float), (image + 1) * 127.5, atol=0.51)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"samples.png", *(file.name for file in files)}
    refused = fails(capfd, "generate", generator, seeds, "-o", tmp_path / "none")
    assert "Generator has no encoder to take images: it makes images from its prior alone" in refused
    assert "no encoder" in fails(capfd, "generate", generator, seeds, "--midpoints", "-o", tmp_path / "none")
    a, b = seeds / "0.png", seeds / "1.png"
    assert "no encoder" in fails(capfd, "interpolate", generator, a, b, "-o", tmp_path / "none.png")
    assert "PlainAE needs SEEDS" in fails(capfd, "generate", model, "-o", tmp_path / "none")
    from networks import make

    from kerasinterp.objectives import MMDC

    make(MMDC).save(tmp_path / "mmdc.keras")
    assert "MMDC makes no images" in fails(capfd, "generate", tmp_path / "mmdc.keras", "-o", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_generate_keeps_the_old_images_if_the_new_ones_cannot_be_written(capfd, generator, tmp_path, monkeypatch):
    from kerasinterp import generation

    assert run(capfd, "generate", generator, "-n", 3, "-o", tmp_path / "new")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}

    def full(directory, images):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(directory))

    monkeypatch.setattr(generation, "save_images", full)
    assert "disk is full" in fails(capfd, "generate", generator, "-n", 2, "--overwrite", "-o", tmp_path / "new")
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == before


def test_more_images_than_memory_holds(capfd, generator, tmp_path):
    said = fails(capfd, "generate", generator, "-n", 2**31 - 1, "-o", tmp_path / "new")
    assert "2147483647 images of 12x12x1 need" in said and not (tmp_path / "new").exists()


def test_the_overview_shows_as_many_images_as_a_picture_holds(capfd, generator, tmp_path, monkeypatch):
    from kerasinterp.generation import pictures

    assert pictures.most_images((28, 28, 1)) == 1024 and 100 < pictures.most_images((512, 512, 3)) < 179
    monkeypatch.setattr(pictures, "most_images", lambda shape: 9)
    assert "overview of 9 of them" in run(capfd, "generate", generator, "-n", 30, "-o", tmp_path / "new")[1]
    with Image.open(tmp_path / "new" / "samples.png") as overview:
        assert overview.size == (3 * 75 - 3 + 18,) * 2  # three rows of three tiles


def test_images_need_not_be_square(capfd, tmp_path, monkeypatch):
    from kerasinterp import exporting, objectives
    from kerasinterp.nn import infogan

    shape = (12, 20, 3)
    networks = {"encoder": infogan.encoder(shape, 4, 2), "decoder": infogan.decoder(shape, 4, 2)}
    model = tmp_path / "model.keras"
    objectives.PlainAE(**networks).save(model)
    folder = tmp_path / "seeds"
    folder.mkdir()
    for n in range(3):
        noise = np.random.default_rng(n).integers(0, 255, (24, 40, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{n}.png")
    assert run(capfd, "generate", model, folder, "-n", 2, "-o", tmp_path / "new")[0] == 0
    with Image.open(tmp_path / "new" / "generated_0001.png") as image:
        assert image.size == (20, 12)
    a, b = folder / "0.png", folder / "1.png"
    assert run(capfd, "interpolate", model, a, b, "-o", tmp_path / "path.gif")[0] == 0
    with Image.open(tmp_path / "path.gif") as animation:
        assert animation.size == (240, 144)
    given = []
    monkeypatch.setattr(exporting, "export_tflite", lambda _, path, precision, images: given.append(images))
    options = ["--format", "tflite", "--precision", "int8", "--representative", folder]
    assert run(capfd, "export", model, *options, "-o", tmp_path / "m.tflite")[0] == 0
    assert [images.shape for images in given] == [(3, *shape)]


def test_what_is_spread_is_from_all_of_it():
    assert cli._spread(np.arange(10), 4).tolist() == [0, 2, 5, 7]
    assert cli._spread(np.arange(3), 4).tolist() == [0, 1, 2]


def test_generate_needs_two_seeds_and_hints_at_dark_on_white(capfd, model, seeds, tmp_path):
    assert "one seed image is not enough" in fails(capfd, "generate", model, seeds / "0.png", "-o", tmp_path / "new")
    (tmp_path / "text.png").write_text("no image")
    assert "text.png" in fails(capfd, "generate", model, seeds, tmp_path / "text.png", "-o", tmp_path / "new")
    (tmp_path / "empty").mkdir()
    assert "holds no images" in fails(capfd, "generate", model, tmp_path / "empty", "-o", tmp_path / "new")
    assert "no image file or folder" in fails(capfd, "generate", model, seeds, "none.png", "-o", tmp_path / "new")
    dark = tmp_path / "dark"
    dark.mkdir()
    for path in seeds.iterdir():
        with Image.open(path) as image:
            Image.fromarray(255 - np.asarray(image)).save(dark / path.name)
    hint = run(capfd, "generate", model, dark, "-n", 2, "-o", tmp_path / "hint")[2]
    assert hint.startswith("kerasinterp: note: ") and "--invert" in hint and hint.count("\n") == 1
    code, _, err = run(capfd, "generate", model, dark, "-n", 2, "-o", tmp_path / "inverted", "--invert")
    assert code == 0 and not err
    assert run(capfd, "generate", model, seeds, "-n", 2, "-o", tmp_path / "light")[2] == ""
    for path in sorted((tmp_path / "light").iterdir()):
        with Image.open(path) as light, Image.open(tmp_path / "inverted" / path.name) as inverted:
            np.testing.assert_allclose(
                np.asarray(inverted, int), np.asarray(light, int), atol=3
            )  # rounding in resizing


def test_photos_of_ink_are_made_fit_and_what_was_done_is_told(capfd, model, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for n in range(2):
        photo = np.full((60, 90), 200, np.uint8)
        photo[10:50, 20 + n : 25 + n] = photo[10:15, 10:50] = 30
        Image.fromarray(photo).save(photos / f"{n}.png")
    for call in (
        ("generate", model, photos, "-n", 2, "--ink", "-o", tmp_path / "new"),
        ("interpolate", model, photos / "0.png", photos / "1.png", "--ink", "-o", tmp_path / "path.gif"),
        ("invert", model, photos, "--steps", 1, "--ink", "-o", tmp_path / "codes"),
    ):
        code, _, err = run(capfd, *call)
        lines = err.splitlines()
        assert code == 0 and len(lines) == 2
        for n, line in enumerate(lines):
            assert line.startswith(f"{photos / str(n)}.png: inverted, cropped to 40 x 40, scaled to 9, ")
    with pytest.raises(InputError, match="coloured"):
        cli._read_images((photos,), (12, 12, 3), invert=False, ink=True)


def test_interpolate_writes_a_grid_or_an_animation(capfd, model, seeds, tmp_path):
    from kerasinterp import data, generation

    a, b = seeds / "0.png", seeds / "2.png"
    assert run(capfd, "interpolate", model, a, b, "-o", tmp_path / "new" / "grid.png")[0] == 0
    assert run(capfd, "interpolate", model, a, b, "-o", tmp_path / "short.png", "--steps", 3)[0] == 0
    assert run(capfd, "interpolate", model, a, b, "-o", tmp_path / "path.gif", "--steps", 4, "--fps", 10)[0] == 0
    with Image.open(tmp_path / "new" / "grid.png") as grid, Image.open(tmp_path / "short.png") as short:
        assert grid.width - short.width == 6 * 75 and grid.height == short.height  # tiles of 72, and gaps of 3
    ends = generation.reconstruct(
        generation.load_model(model), np.stack([data.read_image(path, 12, 1) for path in (a, b)])
    )
    with Image.open(tmp_path / "path.gif") as animation:
        assert animation.n_frames == 4 + 2 and animation.info["duration"] == 100
        for frame, end in ((0, ends[0]), (3, ends[1])):
            animation.seek(frame)
            shown = np.asarray(animation.convert("L"))[::12, ::12]
            np.testing.assert_allclose(shown, data.to_uint8(end)[..., 0], atol=1)
    assert "is a folder" in fails(capfd, "interpolate", model, seeds, b, "-o", tmp_path / "x.png")
    assert "no image file" in fails(capfd, "interpolate", model, "none.png", b, "-o", tmp_path / "x.png")
    assert "no model file" in fails(capfd, "interpolate", "none.keras", a, b, "-o", tmp_path / "x.png")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Any Keras model from codes to images."""
    import keras

    codes = keras.Input((4,))
    made = keras.layers.Reshape((12, 12, 1))(keras.layers.Dense(144, "tanh")(codes))
    path = tmp_path_factory.mktemp("network") / "network.keras"
    keras.Model(codes, made).save(path)
    return path


def test_invert_writes_codes_and_figures(capfd, model, network, seeds, tmp_path):
    code, out, err = run(capfd, "invert", model, seeds, "-o", tmp_path / "new", "--steps", 7, "--rate", 0.5)
    assert code == 0, err
    assert np.load(tmp_path / "new" / "codes.npy").shape[1:] == (4,)
    for name in ("inversion.png", "errors.png"):
        with Image.open(tmp_path / "new" / name) as picture:
            assert min(picture.size) > 100
        assert name in out
    assert re.search(r"encoded: L2 [\d.]+ .*\nrefined: L2 [\d.]+ \(0 to 255\), L1 0\.\d+", out) and "nearest" not in out
    assert "--overwrite" in fails(capfd, "invert", model, seeds, "-o", tmp_path / "new")
    again = ("invert", model, seeds / "0.png", "-o", tmp_path / "new", "--steps", 1, "--overwrite")
    assert run(capfd, *again)[0] == 0
    assert len(np.load(tmp_path / "new" / "codes.npy")) == 1
    assert "--seed has no effect on a model with an encoder" in fails(
        capfd, "invert", model, seeds, "--seed", 1, "-o", tmp_path / "x"
    )
    code, out, _ = run(capfd, "invert", network, seeds, "-o", tmp_path / "of_network", "--steps", 2, "--seed", 1)
    assert code == 0 and "has no encoder: each code began as the nearest of 1,024 draws" in out
    assert "nearest draw: L2" in out


def test_what_cannot_be_inverted(capfd, seeds, tmp_path):
    import keras

    path = tmp_path / "classifier.keras"
    keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]).save(path)
    assert "has no decoder to make images" in fails(capfd, "invert", path, seeds, "-o", tmp_path / "new")


@pytest.fixture
def of_classes(tmp_path):
    """A model of three classes, of which it knows two."""
    from networks import make

    from kerasinterp.objectives import SCOLA

    model = make(SCOLA, classes=3)
    model.clusters.assign([0, 2, 2, 0, 2, 0])
    model.save(tmp_path / "of_classes.keras")
    return tmp_path / "of_classes.keras"


def test_transfer_writes_each_image_in_each_class(capfd, of_classes, generator, seeds, tmp_path):
    code, out, err = run(capfd, "transfer", of_classes, seeds, "-o", tmp_path / "new")
    assert code == 0, err
    names = {f"class_{one}_000{n}.png" for one in (0, 2) for n in range(3)}
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"transfer.png", *names}
    assert re.search(r"as found: L2 [\d.]+ \(0 to 255\)", out) and "6 images" in out
    from kerasinterp import data, generation

    model = generation.load_model(of_classes)
    size, channels = model.image_shape[:2], model.image_shape[2]
    real = data.images(seeds, image_size=size, channels=channels)
    made = generation.transfer(model, generation.codes_of(model, real), [2])[:, 0]
    for n, image in enumerate(data.to_uint8(made)):
        written = data.read_image(tmp_path / "new" / f"class_2_000{n}.png", size, channels)
        np.testing.assert_allclose(written, image, atol=2)
    assert "--overwrite" in fails(capfd, "transfer", of_classes, seeds, "-o", tmp_path / "new")
    again = ("transfer", of_classes, seeds / "0.png", "-o", tmp_path / "new", "--overwrite", "--classes")
    assert "knows no image of class 1: choose of its 2 classes, 0 to 2" in fails(capfd, *again, "1")
    assert len(list((tmp_path / "new").iterdir())) == 7
    for name in ("class_photo_1.png", "generated_by_me.png"):  # someone's own
        (tmp_path / "new" / "class_2_0000.png").rename(tmp_path / "new" / name)
        assert run(capfd, *again, "2,2")[0] == 0
    kept = {"class_photo_1.png", "generated_by_me.png"}
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"transfer.png", "class_2_0000.png", *kept}
    assert run(capfd, "generate", of_classes, "-n", 2, "-o", tmp_path / "new")[0] == 0
    assert kept < {path.name for path in (tmp_path / "new").iterdir()}
    refused = fails(capfd, "transfer", generator, seeds, "-o", tmp_path / "none")
    assert "Generator has no codes of images with a part for their class" in refused


def test_generate_concentrates_where_a_prior_does(capfd, of_classes, generator, tmp_path):
    assert run(capfd, "generate", of_classes, "-n", 4, "--spread", 0, "-o", tmp_path / "new")[0] == 0
    a, b, c, d = (np.asarray(Image.open(path), int) for path in sorted((tmp_path / "new").glob("generated_*.png")))
    assert np.abs(a - c).max() <= 1 and np.abs(b - d).max() <= 1 < np.abs(a - b).max()  # the known classes in turn
    refused = fails(capfd, "generate", generator, "-n", 4, "--spread", 0.5, "-o", tmp_path / "none")
    assert "The prior of Generator takes no spread" in refused


def test_export_calls_the_format_asked_for(capfd, model, tmp_path, monkeypatch):
    from kerasinterp import exporting

    calls = []
    for name in ("export_saved_model", "export_tflite", "export_serving"):
        monkeypatch.setattr(
            exporting, name, lambda _, path, *more, name=name: calls.append((name, path, *more)) or path
        )
    assert run(capfd, "export", model, "--format", "saved_model", "-o", tmp_path / "saved")[0] == 0
    assert run(capfd, "export", model, "--format", "tflite", "-o", tmp_path / "lite", "--precision", "float16")[0] == 0
    assert run(capfd, "export", model, "--format", "tflite", "-o", tmp_path / "mine.tflite")[0] == 0
    assert run(capfd, "export", model, "--format", "serving", "-o", tmp_path, "--version", 2)[0] == 0
    assert run(capfd, "export", model, "--format", "serving", "-o", tmp_path, "--name", "mine")[0] == 0
    assert calls == [
        ("export_saved_model", tmp_path / "saved"),
        ("export_tflite", tmp_path / "lite" / "model.tflite", "float16", None),
        ("export_tflite", tmp_path / "mine.tflite", "float32", None),
        ("export_serving", tmp_path, "kerasinterp", 2),
        ("export_serving", tmp_path, "mine", 1),
    ]


def test_evaluate_passes_on_what_is_asked_for(capfd, model, tmp_path, monkeypatch):
    from kerasinterp import compare

    calls = []

    def write(models, output, **options):
        calls.append((models, options))
        output.mkdir(exist_ok=True)
        (output / "report.md").write_text("| AE |")

    monkeypatch.setattr(compare, "evaluate", write)
    nothing = {"every": None, "seed": 0, "data": {}, "target": {}, "as_first": False}
    code, out, _ = run(capfd, "evaluate", model, "-o", tmp_path / "out")
    assert code == 0 and "| AE |" in out and "report.md" in out and calls[-1] == ((model,), nothing)
    asked = ["--source", "a", "--target", "b", "--samples", 9, "--seed", 3, "--every", 2, "--domain-by-class"]
    asked += ["--as-first"]
    assert run(capfd, "evaluate", model, *asked, "--target-split", "all", "-o", tmp_path / "out")[0] == 0
    target = {"target": "b", "yardstick": "few_shot", "target_split": "all", "samples": 9}
    target |= {"target_options": {}, "target_without": ()}  # the recipe's own stay behind
    data = {"source": "a", "split": "train", "source_options": {}}
    target |= {"domain_by_class": True}
    assert calls[-1][1] == {"every": 2, "seed": 3, "data": data, "target": target, "as_first": True}


def test_generalise_passes_on_what_is_asked_for(capfd, model, tmp_path, monkeypatch):
    from kerasinterp import generalisation

    calls = []

    def write(models, output, **options):
        calls.append((models, options))
        output.mkdir(exist_ok=True)
        (output / "report.md").write_text("| AE |")

    monkeypatch.setattr(generalisation, "generalise", write)
    asked = ["--data", "mnist", "--data", "omniglot:test", "--samples", 9, "--trials", 7, "--seed", 3]
    code, out, _ = run(capfd, "generalise", model, *asked, "-o", tmp_path / "out")
    assert code == 0 and "| AE |" in out and "report.md" in out
    assert calls == [
        ((model,), {"domains": ("mnist", "omniglot:test"), "samples": 9, "trials": 7, "invert": False, "seed": 3})
    ]
    assert "Missing option '--data'" in fails(capfd, "generalise", model, "-o", tmp_path / "out")


def test_evaluate_takes_what_is_not_given_from_the_recipe(tmp_path, model):
    from kerasinterp import compare
    from kerasinterp.recipe import find
    from kerasinterp.run import Run

    beside = tmp_path / "run" / "model.keras"
    run_ = Run(beside.parent)
    recipe = find("augintae_mnist").change(source="nosuch", image_size=12)
    run_.begin(recipe, {}, {})
    beside.write_bytes(model.read_bytes())
    with pytest.raises(ValueError, match="nosuch"):
        compare.evaluate([beside], tmp_path / "out")
    with pytest.raises(ValueError, match="other"):
        compare.evaluate([beside], tmp_path / "out", data={"source": "other"})


# Presets


@pytest.fixture
def shelf(tmp_path, model, monkeypatch):
    """Presets as if they came with the package: one, `shapes`."""
    from kerasinterp import generation
    from kerasinterp.presets import finding, storing

    measures = [{"model": "PlainAE", "shots": 5, "rows": {"PlainAE": {"class_fidelity": 0.9312}}}]
    card = {"description": "Bars.", "measures": measures}
    monkeypatch.setattr(storing.cards, "text", lambda card: "")
    storing.save(generation.load_model(model), tmp_path / "shelf" / "shapes", card)
    monkeypatch.setattr(finding, "_SHELF", tmp_path / "shelf")
    monkeypatch.chdir(tmp_path)


def test_presets_are_listed(capfd, shelf, tmp_path):
    code, out, _ = run(capfd, "presets")
    size = sum(path.stat().st_size for path in (tmp_path / "shelf" / "shapes").iterdir()) / 1e6
    shown = f"  shapes: Bars.\n    images 12 x 12 x 1; {size:.1f} MB; class fidelity 93.1% from 5 seeds\n"
    assert code == 0 and out == f"Presets (kerasinterp generate NAME; kerasinterp.from_preset(NAME)):\n{shown}"


def test_a_preset_is_taken_for_a_model(capfd, shelf, seeds, tmp_path, monkeypatch):
    from kerasinterp import data, exporting, generation

    for name in ("shapes", tmp_path / "shelf" / "shapes"):
        assert run(capfd, "generate", name, seeds, "-n", 5, "--overwrite", "-o", "new")[0] == 0
    made = np.stack([data.read_image(path, 12, 1) for path in sorted((tmp_path / "new").glob("generated_*"))])
    expected = generation.few_shot(generation.load_model("shapes"), data.images(seeds, image_size=12), 5, seed=0)
    assert np.abs(made.astype(float) - 127.5 * (expected + 1)).max() <= 1
    assert run(capfd, "interpolate", "shapes", seeds / "0.png", seeds / "1.png", "-o", "path.png")[0] == 0
    exported = []
    monkeypatch.setattr(exporting, "export_tflite", lambda model, path, *_: exported.append((type(model), path)))
    assert run(capfd, "export", "shapes", "--format", "tflite", "-o", "exported")[0] == 0
    assert [(cls.__name__, str(path)) for cls, path in exported] == [("PlainAE", "exported/shapes.tflite")]
    assert "Did you mean 'shapes'?" in fails(capfd, "generate", "shape", seeds, "-o", "x")


def test_preset_passes_on_what_is_asked_for(capfd, monkeypatch, tmp_path):
    from kerasinterp import publishing

    calls = []

    def write(run_, folder, **options):
        calls.append((run_, folder, options))
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        return folder, ["a note"]

    monkeypatch.setattr(publishing, "publish", write)
    monkeypatch.chdir(tmp_path)
    said = {"description": "D", "data": "E", "licence": "F", "name": "G"}
    options = [word for key, value in said.items() for word in (f"--{key}", value)]
    lists = ["--limit", "a", "--limit", "b", "--report", "c.json", "--overwrite"]
    code, out, err = run(capfd, "preset", "run", *options, *lists, "-o", "made")
    assert code == 0 and "config.json" in out and err == "kerasinterp: note: a note\n"
    rest = {"limits": ("a", "b"), "reports": (pathlib.Path("c.json"),), "overwrite": True}
    assert calls == [(pathlib.Path("run"), pathlib.Path("made"), said | rest)]
    assert "Missing option '--licence'" in fails(capfd, "preset", "run", *options[:4], "-o", "made")
    monkeypatch.undo()
    assert "is no run folder" in fails(capfd, "preset", tmp_path / "none", *options, "-o", tmp_path / "x")


def test_list_names_recipes_objectives_and_datasets(capfd):
    code, out, _ = run(capfd, "list")
    assert code == 0
    for name in ("augintae_mnist", "augintae_omniglot", "AugIntAE", "IntAE", "glyphs", "mnist"):
        assert f"  {name} " in out


def test_a_model_of_points_is_no_model_of_images(capfd, seeds, tmp_path):
    from kerasinterp import training
    from kerasinterp.recipe import find

    path = tmp_path / "points.keras"
    training.build(find("acai_spiral", smoke=True)).save(path)
    for arguments in (
        ["generate", path, seeds, "-o", tmp_path / "new"],
        ["interpolate", path, seeds / "0.png", seeds / "1.png", "-o", tmp_path / "path.png"],
        ["export", path, "--format", "saved_model", "-o", tmp_path / "served"],
    ):
        assert "model of points" in fails(capfd, *arguments)
    assert run(capfd, "export", path, "--format", "tflite", "-o", tmp_path / "points.tflite")[0] == 0
