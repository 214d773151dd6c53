"""COLA's table 5.1, its files and where it goes on, on toy images."""

import dataclasses
import json
import types

import numpy as np
import pytest
from click.testing import CliRunner
from kerasinterp.recipes.scola import experiment, table_4_3, table_5_1, table_5_2

from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation.small_sample import SmallSample
from kerasinterp.recipe import find

CLASSES = 10
SMALL = [
    "--data",
    "cifar10",
    "--sizes",
    "2,5",
    "--samples",
    "2",
    "--steps",
    "2",
    "--rival-steps",
    "1",
    "--share",
    "0.03",
]
SMALL += ["--rival-share", "0.02", "--rival-batch", "20", "--judge-steps", "2", "--made", "2", "--network", "conv4"]
SMALL += ["--methods", "scola,cganpd", "--ways", "real,mix,made", "--classifier-steps", "2", "--batch-size", "8"]


def toys(source, split="train", **choices):
    rng = np.random.default_rng(["train", "test"].index(split))
    labels = np.arange(400) % CLASSES
    return Examples(rng.integers(0, 256, (400, 32, 32, 3), np.uint8), labels, tuple(map(str, range(CLASSES))))


@pytest.fixture
def measured(monkeypatch):
    """In place of data, toys, and in place of classifiers, what they were asked for."""
    asked = []

    def measure(self, sample, made, ways, seed, others, told):
        assert len(made) == 2 * CLASSES and np.array_equal(np.bincount(made.labels), [2] * CLASSES)
        asked.append((len(sample) // CLASSES, seed))
        found = {way: len(asked) / 100 for way in ways} | {"mix": 0.5 + len(asked) / 100, "cas_test": 0.25}
        return found | {f"{key} {name}": 0.75 for name in others for key in ("made", "cas_test")}

    monkeypatch.setattr(table_5_1.data, "load_examples", toys)
    monkeypatch.setattr(table_5_1.training.data, "load_examples", toys)
    monkeypatch.setattr(SmallSample, "measure", measure)
    return asked


@pytest.mark.slow
def test_the_table_its_files_and_where_it_goes_on(measured, tmp_path):
    asked = [*SMALL, "-o", str(tmp_path)]
    shown = CliRunner().invoke(table_5_1.main, asked, catch_exceptions=False)
    assert shown.exit_code == 0 and "| mix - real | +50.0 +- 0.0 | +50.0 +- 0.0 |" in shown.output
    assert measured == [(2, 0), (5, 0), (2, 1), (5, 1)]
    files = {"results.json", "table.md", "table_5_1.png", "figure_4_4.png", "figure_4_5.png", "models", "judge"}
    assert {path.name for path in tmp_path.iterdir()} == files
    kept = json.loads((tmp_path / "results.json").read_text())
    assert set(kept["results"]) == {
        f"{who} {n} {seed}" for who in ("scola", "cganpd", "real") for n in (2, 5) for seed in (0, 1)
    }
    assert kept["results"]["cganpd 5 1"]["made"] == 0.75 and kept["results"]["real 5 1"]["made"] == 0.04
    gone = kept["results"].pop("scola 5 1")
    (tmp_path / "results.json").write_text(json.dumps(kept))
    assert CliRunner().invoke(table_5_1.main, asked).exit_code == 0 and measured[4:] == [(5, 1)]
    again = json.loads((tmp_path / "results.json").read_text())["results"]["scola 5 1"]
    assert again["kid"] == gone["kid"] and gone["seconds"] > 0.0 and again["seconds"] is None  # its model was there
    other = CliRunner().invoke(table_5_1.main, [*asked, "--made", "3"])
    assert other.exit_code == 1 and "other made: choose another --output" in other.output
    other = CliRunner().invoke(table_5_1.main, [*asked, "--samples", "4"])  # another judge
    assert other.exit_code == 1 and "other kept_apart: choose another --output" in other.output


@pytest.mark.slow
def test_other_tables_of_the_same_protocol(measured, tmp_path, monkeypatch):
    """Table 5.2's networks after one SCOLA, and table 4.3's generators."""
    learned = []

    def measure(self, sample, made, ways, seed, others=None, told=None):
        learned.append((len(sample), len(made), *(others or {})))
        named = {"": 0.1} | {f" {name}": 0.2 + number / 10 for number, name in enumerate(others or {})}
        found = {f"{key}{name}": value for name, value in named.items() for key in ("made", "cas_test")}
        return found | {"real": 0.25, "mix": 0.5}

    monkeypatch.setattr(SmallSample, "measure", measure)
    asked = [
        "-o",
        str(tmp_path / "52"),
        *["--network", "conv4", "--network", "resnet20", "--size", "2", "--samples", "2"],
    ]
    asked += ["--steps", "2", "--share", "0.03", "--made", "2", "--classifier-steps", "2"]
    shown = CliRunner().invoke(table_5_2.main, asked, catch_exceptions=False)
    assert "| resnet20 | 0.27 M | 50.0 +- 0.0 | 25.0 +- 0.0 |" in shown.output
    assert {path.name for path in (tmp_path / "52" / "models").iterdir()} == {"scola_2_0.keras", "scola_2_1.keras"}
    assert learned == [(20, 20)] * 4
    asked = ["-o", str(tmp_path / "43"), "--passes", "1", "--share", "0.03", "--made", "2", "--judge-steps", "2"]
    monkeypatch.setattr(table_4_3, "find", lambda name: find(name).change(images_per_epoch=100, batch_size=20))
    shown = CliRunner().invoke(table_4_3.main, asked, catch_exceptions=False)
    rows = shown.output.strip().splitlines()[-3:]
    assert [row.split(" | ")[0] for row in rows] == ["| InfoGAN", "| DCGAN", "| CGAN"]
    assert [row.split(" | ")[-2:] for row in rows] == [[f"{n}0.0", f"{n}0.0 |"] for n in (1, 2, 3)]
    assert learned[4:] == [(400, 20, "DCGAN", "CGAN")]  # the classifier of real images once


def test_intervals_are_over_samples():
    """Student's t of two degrees of freedom: 4.303 at 95%."""
    results = {f"scola 5 {seed}": {"mix": mix, "real": 0.1} for seed, mix in enumerate((0.2, 0.3, 0.4))}
    mean, half = table_5_1.over_samples(results | {"scola 50 0": {"mix": 0.9}}, "scola", 5, "mix", "real")
    assert mean == pytest.approx(0.2) and half == pytest.approx(4.3027 * 0.1 / 3**0.5, rel=1e-4)
    assert table_5_1.over_samples(results, "scola", 10, "mix") is None
    mean, half = table_5_1.over_samples({"scola 5 0": {"mix": 0.2}}, "scola", 5, "mix")
    assert mean == 0.2 and np.isnan(half)  # of one
    assert table_5_1.cell((mean, half)) == "20.0" and table_5_1.cell((0.2, 0.05)) == "20.0 +- 5.0"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--sizes", "five"], "'five' is no list of numbers"),
        (["--ways", "real,mixed"], "'mixed' is none of real"),
        (["--methods", "gan"], "'gan' is none of scola"),
        (["--data", "cifar1"], "cifar1_small"),
        (["--data", "mnist"], "cganpd_mnist_small"),
        (["--sizes", "1,5"], "1 images a class are too few"),
        (["--methods", "scola"], "rival_steps has no effect without other methods"),
        (["--rival-batch", "21"], "A batch of 21 cannot be cut into 5 equal slices"),
    ],
)
def test_mistakes_are_a_sentence(asked, sentence, measured, tmp_path):
    shown = CliRunner().invoke(table_5_1.main, [*SMALL, "-o", str(tmp_path / "out"), *asked])
    assert shown.exit_code != 0 and sentence in shown.output and not (tmp_path / "out").exists()


def test_a_part_of_real_images_has_all_classes_alike():
    """Else a distance from images made, as many of each class, is one of the classes' shares."""
    labels = np.random.default_rng(3).permutation(np.repeat([0, 1, 3], [4000, 400, 800]))
    examples = Examples(np.arange(len(labels), dtype=np.uint8)[:, None, None, None], labels, tuple("abcd"))
    kept = experiment.evenly(examples)
    counts = np.bincount(kept.labels, minlength=4)
    assert counts[1] == 400 and not counts[2] and all(320 < counts[one] < 480 for one in (0, 3))
    shares = np.array([100, 100, 0, 50])  # drawn from so many, not from themselves
    drawn = np.bincount(experiment.evenly(examples, shares).labels, minlength=4)
    assert drawn[3] == 800 and 1850 < drawn[0] < 2150 and 160 < drawn[1] < 240
    whole = examples.select(np.flatnonzero(labels == 3))
    np.testing.assert_array_equal(experiment.evenly(whole).images, whole.images)


def test_distances_do_not_see_how_frequent_classes_are():
    class Judge:
        def features(self, images):
            return np.asarray(images, np.float64).reshape(len(images), -1)

        def predict(self, images):
            return np.zeros(len(images), int)

    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [1800, 200])
    images = (rng.integers(0, 20, (2000, 2, 2, 1)) + 100 * labels[:, None, None, None]).astype(np.uint8)
    real = Examples(images, labels, ("a", "b"))
    found = experiment.quality(Judge(), real.select(np.r_[0:200, 1800:2000]), real)
    aside = experiment.distances(Judge().features(images[:400]), Judge().features(images))
    assert found["fid"] < aside["fid"] / 50 and found["class_fidelity"] == 0.5
    few = experiment.quality(Judge(), real.select(np.r_[0:3, 1800:1804]), real)
    assert few["fid"] is None and few["kid"] is not None and few["images"] == 7
    two = experiment.quality(Judge(), real.select(np.r_[0, 1800]), real)
    assert two["kid"] is None and two["class_fidelity"] == 0.5


def test_a_judge_has_what_no_sample_takes_and_real_images_are_of_all_classes_alike(monkeypatch):
    labels = np.random.default_rng(1).permutation(np.repeat([0, 1], [3000, 60]))
    images = np.arange(len(labels) * 4, dtype=np.uint32).view(np.uint8).reshape(-1, 4, 4, 1)[: len(labels)]
    whole, learned = Examples(images, labels, ("a", "b")), []
    monkeypatch.setattr(table_5_1, "judge_of", lambda examples, *_: learned.append(examples))
    assert table_5_1._kept_apart(whole, 5, 1) == (10, 3) and table_5_1._kept_apart(whole, 20, 4) == (20, 4)
    recipe = find("scola_mnist_small")
    _, unseen = table_5_1._judge(whole, recipe, 10, 3, 500, 1, None)
    taken = np.zeros(len(whole), bool)
    for seed in range(3):
        taken |= recipe.change(per_class=10, seed=seed).trained_on(len(whole), whole.labels)
    seen = {one.tobytes() for one in (*learned[0].images, *unseen.images)}
    assert not seen & {one.tobytes() for one in images[taken]}
    known = np.bincount(unseen.labels)
    assert 0 < known[1] < 20 and known[0] < 30  # not 50 to one


def test_models_without_results_are_of_another_experiment(tmp_path):
    (tmp_path / "models").mkdir()
    with pytest.raises(InputError, match="holds models of another experiment: choose another --output"):
        experiment.kept_results(tmp_path, {"steps": 3})


def test_results_of_another_experiment_are_not_taken(tmp_path):
    """They are written before anything is trained, so that models without results are of this experiment too."""
    results, write = experiment.kept_results(tmp_path, {"steps": 3})
    assert results == {} and (tmp_path / "results.json").exists()
    with pytest.raises(InputError, match="other steps: choose another --output"):
        experiment.kept_results(tmp_path, {"steps": 4})
    results["one"] = {"mix": 0.5}
    write(judge_accuracy=0.9)
    assert experiment.kept_results(tmp_path, {"steps": 3})[0] == {"one": {"mix": 0.5}}
    for text in ("{", "[]", '{"protocol": 3, "results": {}}'):
        (tmp_path / "results.json").write_text(text)
        with pytest.raises(InputError, match="is no file of results"):
            experiment.kept_results(tmp_path, {"steps": 3})


def test_images_of_other_classes_are_refused(measured, monkeypatch):
    own = find("scola_cifar10_small").data
    whole = experiment.labelled(own)
    assert len(experiment.labelled(own, "test", whole)) == 400
    fewer = dataclasses.replace(whole, classes=("x", *whole.classes[1:]))
    with pytest.raises(InputError, match="test has other classes than cifar10"):
        experiment.labelled(own, "test", fewer)


def test_figure_4_4_has_a_column_for_each_class(tmp_path, monkeypatch):
    """Real images of grey 0, 80, 160 by class; of class -1, 0, 1 what is made of it."""
    labels, drawn = np.repeat(np.arange(3), 6), []
    images = np.broadcast_to(np.uint8(80 * labels)[:, None, None, None], (18, 2, 2, 1))
    model = types.SimpleNamespace(prior_of=lambda wanted, seed: wanted)
    rooms = table_5_1.generation
    monkeypatch.setattr(rooms, "load_generator", lambda path: model)
    monkeypatch.setattr(rooms, "decode", lambda _, codes: np.ones((1, 2, 2, 1)) * (codes - 1.0)[:, None, None, None])
    monkeypatch.setattr(rooms, "save_grid", lambda path, rows, names, **_: drawn.extend((np.stack(rows), names)))
    table_5_1.draw_made(tmp_path, (5, 10), ("scola",), Examples(images, labels, "abc"))
    rows, names = drawn
    np.testing.assert_array_equal(rows[..., 0, 0, 0], [[0, 80, 160]] * 4 + [[0, 128, 255]] * 8)
    assert [name for name in names if name] == ["real", "scola, 5", "scola, 10"]
