"""COLA's figure 5.2, its files and where it goes on, on toy images."""

import json
import types

import numpy as np
import pytest
from click.testing import CliRunner
from kerasinterp.recipes.scola import figure_5_2
from PIL import Image

from kerasinterp import data
from kerasinterp.data import Examples
from kerasinterp.nn import cifar_resnet

SMALL = ["--per-class", "3", "--steps", "4", "--width", "2", "--batch-size", "16", "--made", "2"]
SMALL += ["--classifier-steps", "2", "--classifier-width", "2"]


@pytest.fixture(autouse=True)
def read(monkeypatch):
    """In place of CIFAR-10, 6 images of each class."""

    def load_examples(source, split, **options):
        assert (source, options["image_size"], options["channels"]) == ("cifar10", (32, 32), 3)
        images = np.random.default_rng(split == "test").integers(0, 256, (60, 32, 32, 3), np.uint8)
        return Examples(images, np.arange(60) % 10, tuple("abcdefghij"))

    monkeypatch.setattr(data, "load_examples", load_examples)


@pytest.fixture
def trained(monkeypatch):
    """In place of training, what was asked for: recipes, and the images that the classifier learns from."""
    asked = types.SimpleNamespace(recipes=[], classified=[], scored=0)

    def model_of(recipe, sample, path):
        asked.recipes.append(recipe)
        return recipe

    def train_resnet32(examples, steps, seed):
        asked.classified.append((len(examples), steps))
        network = cifar_resnet.classifier((32, 32, 3), 10, width=2, depth=8)
        return types.SimpleNamespace(model=network, accuracy=0.7)

    def scores(train, test, made, *, steps, width, repeats, seed):
        assert (len(train), len(made), steps, width, repeats) == (30, 20, 2, 2, 2)
        asked.scored += 1
        means = {"cas": 0.2, "cas_test": 0.3, "real": 0.1 + 0.02 * seed, "mix": asked.scored / 10}
        return {f"{name}{end}": one for name, one in means.items() for end in ("", "_low", "_high")}

    monkeypatch.setattr(figure_5_2.enlarging, "trained", model_of)
    monkeypatch.setattr(
        figure_5_2.enlarging,
        "made_of_classes",
        lambda model, sample, counts, seed: sample.select(np.repeat(np.arange(10), counts)),
    )
    monkeypatch.setattr(figure_5_2.training, "train_resnet32", train_resnet32)
    monkeypatch.setattr(figure_5_2, "classification_scores", scores)
    return asked


def run(*asked):
    return CliRunner().invoke(figure_5_2.main, [*SMALL, *map(str, asked)], catch_exceptions=False)


def test_the_figure_its_table_and_what_is_kept(trained, tmp_path):
    (tmp_path / "vgg.h5").touch()
    output = tmp_path / "out"
    asked = ["-o", output, "--samples", 2, "--trained-on", 4, "--trained-steps", 7, "--vgg", tmp_path / "vgg.h5"]
    shown = run(*asked)
    assert shown.exit_code == 0
    table = json.loads((output / "table.json").read_text())
    assert [*table] == ["laplacian", "l1", "k-means", "random", "trained", "vgg16", "none", "protocol"]
    # The first sample's scores are 0.1 to 0.6, the second's 0.7 to 1.2.
    np.testing.assert_allclose([table[loss]["mix"] for loss in figure_5_2.LOSSES], np.arange(4, 9) / 10)
    assert table["none"]["mix"] == pytest.approx(0.11) and set(table["none"]) == {"mix", "mix_low", "mix_high"}
    half = 12.706 * 0.6 / 2  # Student's t of one degree of freedom, times the standard error
    assert table["l1"]["mix_high"] - table["l1"]["mix"] == pytest.approx(half, rel=1e-3)
    assert table["protocol"]["accuracy_of_trained"] == 0.7 and table["protocol"]["trained_on"] == 4
    assert "| trained ResNet-32 | 80.00 +- " in shown.output and "| 4 labelled images a class |" in shown.output
    with Image.open(output / "figure.png") as picture:
        assert picture.width > picture.height
    assert trained.classified == [(40, 7)] and trained.scored == 12
    options = [own.objective_options for own in trained.recipes[:6]]
    assert options[:2] == [{"reconstruction_loss": "laplacian"}, {"reconstruction_loss": "absolute"}]
    named = [(own["perceptual"]["network"], own["perceptual"]["weights"]) for own in options[2:]]
    assert named[:2] == [("resnet32", "k-means"), ("resnet32", "random")]
    assert named[2:] == [("resnet32", str(output / "resnet32.keras")), ("vgg16", str(tmp_path / "vgg.h5"))]
    schedule = trained.recipes[0].schedule
    assert (schedule.batch_size, schedule.steps, schedule.steps_per_epoch) == (16, 4, 2)
    assert [own.seed for own in trained.recipes] == [0] * 6 + [1] * 6
    assert run(*asked).output == shown.output[shown.output.index("| loss") :] and trained.scored == 12


def test_it_goes_on_where_it_was(trained, tmp_path):
    assert run("-o", tmp_path, "--samples", 1, "--loss", "l1").exit_code == 0
    shown = run("-o", tmp_path, "--samples", 2, "--loss", "l1", "--loss", "trained")
    assert shown.exit_code == 0 and trained.scored == 4
    shown = run("-o", tmp_path, "--samples", 1, "--steps", 9)
    assert shown.exit_code != 0 and "of an experiment with other steps: choose another --output" in shown.output
    (tmp_path / "scores.json").write_text("[]")
    shown = run("-o", tmp_path)
    assert shown.exit_code != 0 and "scores.json is no file of scores" in shown.output and trained.scored == 4


@pytest.mark.slow
def test_models_are_trained_and_scored(tmp_path):
    shown = run(
        *["-o", tmp_path, "--samples", 1, "--loss", "laplacian", "--loss", "k-means", "--loss", "trained"],
        *["--trained-steps", 2],
    )
    assert shown.exit_code == 0, shown.output
    assert {path.name for path in (tmp_path / "models").iterdir()} == {
        f"{loss}_0.keras" for loss in ("laplacian", "k-means", "trained")
    }
    table = json.loads((tmp_path / "table.json").read_text())
    assert all(0.0 <= table[loss]["mix"] <= 1.0 for loss in ("laplacian", "k-means", "trained", "none"))
