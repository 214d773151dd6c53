import errno
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from kerasinterp import cli


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


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help_is_quick_and_needs_no_tensorflow(arguments):
    code = (
        "import sys; from kerasinterp import cli; code = cli.main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules); sys.exit(code)"
    )
    seconds = []
    for _ in range(3):  # the quickest of three: the machine may be busy
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        seconds.append(time.perf_counter() - started)
        assert done.returncode == 0, done.stderr
    assert min(seconds) < 0.5
    assert "kerasinterp" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["genrate"], "Did you mean 'generate'?"),
        (["train", "augintae_minst"], "Did you mean 'augintae_mnist'?"),
        (["train", "augintae_mnist", "--epoch", "3"], "--epochs"),
        (["train", "augintae_mnist", "--objective", "AugInAE"], "Did you mean 'AugIntAE'?"),
        (["train", "augintae_mnist", "--precision", "bfloat"], "Did you mean 'bfloat16'?"),
        (["train", "augintae_mnist", "--epochs", "0"], "x>=1"),
        (["export", "m.keras", "--format", "saved-model", "-o", "x"], "saved_model"),
        (["export", "m.keras", "--format", "saved_model", "--precision", "int8", "-o", "x"], "--format tflite"),
        (["export", "m.keras", "--format", "tflite", "--precision", "int8", "-o", "x"], "--representative"),
        (["generate", "m.keras", "-o", "x"], "SEEDS"),
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


def test_output_is_checked_before_the_work(capfd, tmp_path, seeds, monkeypatch):
    (tmp_path / "file").write_text("mine")
    assert "is a file" in fails(capfd, "train", "augintae_mnist", "-o", tmp_path / "file" / "run")
    assert (tmp_path / "file").read_text() == "mine"

    def refuse(**options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(cli.tempfile, "TemporaryFile", refuse)
    assert "Read-only file system" in fails(capfd, "generate", "none.keras", seeds, "-o", tmp_path / "new")
    assert not (tmp_path / "new").exists()


# The commands


def test_quickstart_says_what_it_wrote(capfd, monkeypatch, tmp_path):
    from kerasinterp import quickstart

    def write(output, seed):
        output.mkdir()
        (output / "report.json").write_text(str(seed))
        (output / "saved_model").mkdir()
        row = {"fid": 1.5, "fid_reconstruction": 1.0, "misclassification": 0.25, "l2": 30.0}
        return {"AE": row, "images_per_second": 900.0, "seconds": 200.0}

    monkeypatch.setattr(quickstart, "quickstart", write)
    code, out, _ = run(capfd, "quickstart", "--output", tmp_path / "new", "--seed", 4)
    assert code == 0 and out.startswith("AE: fid 1.5,") and out.splitlines()[-2:] == ["  report.json", "  saved_model/"]
    assert (tmp_path / "new" / "report.json").read_text() == "4"


def test_train_gives_the_recipe_its_changes(capfd, monkeypatch, tmp_path):
    from kerasinterp import recipe, training

    calls = []
    monkeypatch.setattr(training, "train", lambda *arguments, **options: calls.append((arguments, options)))
    monkeypatch.chdir(tmp_path)
    assert run(capfd, "train", "augintae_mnist", "--smoke", "--resume", "--batch-size", 16)[0] == 0
    options = ["--objective", "AE", "--epochs", 3, "--seed", 5, "--precision", "bfloat16", "--data", "glyphs"]
    assert run(capfd, "train", "augintae_mnist", *options, "--data-split", "digits", "-o", "there")[0] == 0
    ((first, output), first_options), ((second, other), second_options) = calls
    smoke = recipe.find("augintae_mnist", smoke=True)
    assert first == cli.dataclasses.replace(smoke, batch_size=16) and first_options == {"resume": True}
    assert str(output) == "runs/augintae_mnist" and str(other) == "there" and second_options == {"resume": False}
    assert (second.objective, second.epochs, second.seed, second.precision) == ("AE", 3, 5, "bfloat16")
    assert (second.source, second.source_split, second.target) == ("glyphs", "digits", None)
    # What belongs to the recipe's own data and objective stays behind with them.
    assert run(capfd, "train", "aeai_coil100", "--data", "glyphs", "--objective", "GAIA", "-o", "other")[0] == 0
    changed = calls[-1][0][0]
    assert (changed.source_options, changed.objective_options) == ({}, {})
    assert recipe.find("aeai_coil100").source_options and recipe.find("aeai_coil100").objective_options


def test_compare_passes_on_what_is_asked_for(capfd, monkeypatch, tmp_path):
    from kerasinterp import systems

    calls = []

    def write(dataset, names, output, **options):
        calls.append((dataset, names, options))
        output.mkdir()
        (output / "table.md").write_text("| ACAI |")

    monkeypatch.setattr(systems, "compare", write)
    asked = ["lines", "ACAI", "AMR", "--seeds", 2, "--jobs", 2, "--epochs", 3, "--smoke", "-o", tmp_path / "new"]
    code, out, _ = run(capfd, "compare", *asked)
    assert code == 0 and "| ACAI |" in out and "table.md" in out
    assert calls == [("lines", ("ACAI", "AMR"), {"seeds": 2, "jobs": 2, "smoke": True, "epochs": 3})]


@pytest.mark.parametrize("how", ["folder", "files"])
def test_generate_writes_images_and_an_overview(capfd, model, seeds, tmp_path, how):
    given = [seeds] if how == "folder" else sorted(seeds.iterdir())
    code, out, _ = run(capfd, "generate", model, *given, "-n", 5, "-o", tmp_path / "new", "--seed", 3)
    assert code == 0 and "5 images" in out and "few_shot.png" in out
    files = sorted((tmp_path / "new").glob("generated_*.png"))
    assert len(files) == 5
    with Image.open(files[0]) as image:
        assert image.size == (12, 12) and image.mode == "L"
    before = [file.read_bytes() for file in files]
    assert "--overwrite" in fails(capfd, "generate", model, *given, "-n", 2, "-o", tmp_path / "new")
    assert [file.read_bytes() for file in files] == before
    assert run(capfd, "generate", model, *given, "-n", 2, "-o", tmp_path / "new", "--seed", 3, "--overwrite")[0] == 0
    assert sorted((tmp_path / "new").glob("generated_*.png")) == files[:2]
    assert [file.read_bytes() for file in files[:2]] == before[:2]
    assert run(capfd, "generate", model, *given, "--midpoints", "-o", tmp_path / "pairs")[0] == 0
    assert len(list((tmp_path / "pairs").glob("generated_*.png"))) == 3


def test_generate_needs_two_seeds_and_hints_at_dark_on_white(capfd, model, seeds, tmp_path):
    assert "one seed image is not enough" in fails(capfd, "generate", model, seeds / "0.png", "-o", tmp_path / "new")
    (tmp_path / "text.png").write_text("no image")
    assert "cannot be read" in fails(capfd, "generate", model, seeds, tmp_path / "text.png", "-o", tmp_path / "new")
    (tmp_path / "empty").mkdir()
    assert "holds no images" in fails(capfd, "generate", model, tmp_path / "empty", "-o", tmp_path / "new")
    assert "no image file or folder" in fails(capfd, "generate", model, seeds, "none.png", "-o", tmp_path / "new")
    dark = tmp_path / "dark"
    dark.mkdir()
    for path in seeds.iterdir():
        with Image.open(path) as image:
            Image.fromarray(255 - np.asarray(image)).save(dark / path.name)
    assert "--invert" in run(capfd, "generate", model, dark, "-n", 2, "-o", tmp_path / "hint")[2]
    code, _, err = run(capfd, "generate", model, dark, "-n", 2, "-o", tmp_path / "inverted", "--invert")
    assert code == 0 and not err
    assert run(capfd, "generate", model, seeds, "-n", 2, "-o", tmp_path / "light")[2] == ""
    for path in sorted((tmp_path / "light").iterdir()):
        with Image.open(path) as light, Image.open(tmp_path / "inverted" / path.name) as inverted:
            np.testing.assert_allclose(
                np.asarray(inverted, int), np.asarray(light, int), atol=3
            )  # rounding in resizing


def test_interpolate_writes_a_grid_or_an_animation(capfd, model, seeds, tmp_path):
    a, b = seeds / "0.png", seeds / "2.png"
    assert run(capfd, "interpolate", model, a, b, "-o", tmp_path / "new" / "grid.png")[0] == 0
    assert run(capfd, "interpolate", model, a, b, "-o", tmp_path / "path.gif", "--steps", 4)[0] == 0
    with Image.open(tmp_path / "new" / "grid.png") as grid, Image.open(tmp_path / "path.gif") as animation:
        assert grid.width > 11 * 72 and animation.is_animated
    assert "is a folder" in fails(capfd, "interpolate", model, seeds, b, "-o", tmp_path / "x.png")
    assert "no image file" in fails(capfd, "interpolate", model, "none.png", b, "-o", tmp_path / "x.png")
    assert "no model file" in fails(capfd, "interpolate", "none.keras", a, b, "-o", tmp_path / "x.png")


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
    assert calls == [
        ("export_saved_model", tmp_path / "saved"),
        ("export_tflite", tmp_path / "lite" / "model.tflite", "float16", None),
        ("export_tflite", tmp_path / "mine.tflite", "float32", None),
        ("export_serving", tmp_path, "kerasinterp", 2),
    ]


def test_evaluate_takes_what_is_not_given_from_the_recipe(capfd, model, tmp_path, monkeypatch):
    from kerasinterp import data, evaluation

    loads, calls = [], []
    images, labels = np.zeros((4, 12, 12, 1), np.uint8), np.zeros(4, int)
    monkeypatch.setattr(data, "images", lambda *a, **options: loads.append((*a, options["split"])) or (images, labels))
    row = {"fid": 1.0, "misclassification": 0.25, "l2": 30.0}
    monkeypatch.setattr(
        evaluation,
        "evaluate",
        lambda models, *a, **options: calls.append((list(models), options)) or dict.fromkeys(models, row),
    )
    monkeypatch.setattr(evaluation, "write_report", lambda report, directory: (directory / "report.json",))
    settings = {
        "source": "mnist",
        "source_split": "train",
        "target": "az",
        "target_split": "all",
        "evaluation_samples": 9,
    }
    (model.parent / "recipe.json").write_text(json.dumps({"recipe": settings}))
    (tmp_path / "second.keras").write_bytes(model.read_bytes())
    try:
        code, out, _ = run(capfd, "evaluate", model, tmp_path / "second.keras", "-o", tmp_path / "out")
        assert code == 0 and "fid 1, misclassification 0.25, l2 30" in out and "report.json" in out
        assert run(capfd, "evaluate", model, "-o", tmp_path / "out", "--target", "other", "--samples", 7)[0] == 0
    finally:
        (model.parent / "recipe.json").unlink()
    assert loads == [("mnist", "train"), ("az", "all"), ("mnist", "train"), ("other", "test")]
    assert [options["samples"] for _, options in calls] == [9, 7]
    assert len(set(calls[0][0])) == 2 and calls[1][0] == ["PlainAE"]


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
