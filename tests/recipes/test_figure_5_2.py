"""COLA's figure 5.2, its files and where it goes on, on toy images."""

import json
import types

import numpy as np
import pytest
from click.testing import CliRunner
from kerasinterp.recipes.scola import experiment, figure_5_2
from PIL import Image

from kerasinterp import data
from kerasinterp.data import Examples
from kerasinterp.nn import cifar_resnet, conv4

SMALL = ["--per-class", "3", "--steps", "4", "--width", "2", "--generator-batch-size", "16", "--made", "2"]
SMALL += ["--classifier-steps", "2", "--network", "conv4"]


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
    asked = types.SimpleNamespace(recipes=[], classified=[], scored=[])

    def model_of(recipe, sample, path):
        asked.recipes.append(recipe)
        return recipe

    def train_resnet32(examples, steps, seed):
        asked.classified.append((len(examples), steps))
        network = cifar_resnet.classifier((32, 32, 3), 10, width=2, depth=8)
        return types.SimpleNamespace(model=network, accuracy=0.7)

    class Known:
        """Scores each model, in the order that they are asked for."""

        def __init__(self, test, *, steps, network, width, **others):
            assert (len(test), steps, network, width) == (60, 2, conv4.classifier, 16)

        def measure(self, sample, made, ways, seed):
            assert len(sample) == 30 and len(made) == (30 if ways == ("real",) else 20)
            asked.scored.append((ways, seed))
            return {ways[0]: len(asked.scored) / 100}

    monkeypatch.setattr(figure_5_2.enlarging, "trained", model_of)
    monkeypatch.setattr(
        figure_5_2.enlarging,
        "made_of_classes",
        lambda model, sample, counts, seed: sample.select(np.repeat(np.arange(10), counts)),
    )
    monkeypatch.setattr(figure_5_2.training, "train_resnet32", train_resnet32)
    monkeypatch.setattr(experiment, "SmallSample", Known)
    return asked


def run(*asked):
    return CliRunner().invoke(figure_5_2.main, [*SMALL, *map(str, asked)], catch_exceptions=False)


def test_the_figure_its_table_and_what_is_kept(trained, tmp_path):
    (tmp_path / "vgg.h5").touch()
    output = tmp_path / "out"
    asked = [
        "-o",
        output,
        "--samples",
        2,
        "--repeats",
        2,
        "--trained-on",
        4,
        "--trained-steps",
        7,
        "--vgg",
        tmp_path / "vgg.h5",
    ]
    shown = run(*asked)
    assert shown.exit_code == 0
    table = json.loads((output / "table.json").read_text())
    assert [*table] == ["laplacian", "l1", "k-means", "random", "trained", "vgg16", "none", "protocol"]
    # 7 rows of two repeats: the first sample's scores are 1 to 14 hundredths, the second's 15 to 28.
    np.testing.assert_allclose([table[loss]["accuracy"] for loss in [*table][:7]], 0.085 + 0.02 * np.arange(7))
    half = 12.706 * 0.14 / 2  # Student's t of one degree of freedom, times the standard error
    assert table["l1"]["accuracy_high"] - table["l1"]["accuracy"] == pytest.approx(half, rel=1e-3)
    assert table["protocol"]["accuracy_of_trained"] == 0.7 and table["protocol"]["trained_on"] == 4
    assert "| trained ResNet-32 | 16.50 +- 88.94 | 4 labelled images a class |" in shown.output
    with Image.open(output / "figure.png") as picture:
        assert picture.width > 300
    assert trained.classified == [(40, 7)]
    ways = [("mix",)] * 12 + [("real",)] * 2
    assert trained.scored == [(way, seed + 1000 * (n % 2)) for seed in (0, 1) for n, way in enumerate(ways)]
    options = [own.objective_options for own in trained.recipes[:6]]
    assert options[:2] == [{"reconstruction_loss": "laplacian"}, {"reconstruction_loss": "absolute"}]
    named = [(own["perceptual"]["network"], own["perceptual"]["weights"]) for own in options[2:]]
    assert named[:2] == [("resnet32", "k-means"), ("resnet32", "random")]
    assert named[2:] == [("resnet32", str(output / "resnet32.keras")), ("vgg16", str(tmp_path / "vgg.h5"))]
    schedule = trained.recipes[0].schedule
    assert (schedule.batch_size, schedule.steps, schedule.steps_per_epoch) == (16, 4, 2)
    assert [own.seed for own in trained.recipes] == [0] * 6 + [1] * 6
    assert run(*asked).output == shown.output[shown.output.index("| loss") :] and len(trained.scored) == 28


def test_it_goes_on_where_it_was(trained, tmp_path):
    """Of one sample the interval is over repeats."""
    asked = ["-o", tmp_path, "--repeats", 3]
    assert run(*asked, "--samples", 1, "--loss", "l1").exit_code == 0
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["l1"]["accuracy"] == pytest.approx(0.02) and table["none"]["accuracy"] == pytest.approx(0.05)
    assert table["l1"]["accuracy_high"] == pytest.approx(0.02 + 4.303 * 0.01 / 3**0.5, rel=1e-3)
    shown = run(*asked, "--samples", 2, "--loss", "l1", "--loss", "trained")
    assert shown.exit_code == 0 and len(trained.scored) == 18
    for more, sentence in (
        ([*asked, "--steps", 9], "holds an experiment with other steps: choose another --output"),
        (["-o", tmp_path, "--samples", 1], "Give two samples or repeats"),
    ):
        shown = run(*more)
        assert shown.exit_code != 0 and sentence in shown.output
    kept = json.loads((tmp_path / "results.json").read_text())
    del kept["results"]["accuracy of trained"], kept["results"]["trained 1"]  # stopped before they were written
    (tmp_path / "results.json").write_text(json.dumps(kept))
    assert run(*asked, "--samples", 2, "--loss", "trained").exit_code == 0 and len(trained.classified) == 2
    del trained.scored[18:]
    (tmp_path / "results.json").write_text("[]")
    shown = run(*asked)
    assert shown.exit_code != 0 and "results.json is no file of results" in shown.output and len(trained.scored) == 18


@pytest.mark.slow
def test_models_are_trained_and_scored(tmp_path):
    shown = run(
        *["-o", tmp_path, "--samples", 1, "--loss", "laplacian", "--loss", "k-means", "--loss", "trained"],
        *["--trained-steps", 2, "--repeats", 2],
    )
    assert shown.exit_code == 0, shown.output
    assert {path.name for path in (tmp_path / "models").iterdir()} == {
        f"{loss}_0.keras" for loss in ("laplacian", "k-means", "trained")
    }
    table = json.loads((tmp_path / "table.json").read_text())
    assert all(0.0 <= table[loss]["accuracy"] <= 1.0 for loss in ("laplacian", "k-means", "trained", "none"))
