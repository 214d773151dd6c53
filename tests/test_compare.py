"""Systems side by side, on each kind of data."""

import csv
import json
import multiprocessing
import os
import shutil
import time
import types

import numpy as np
import pytest
from PIL import Image

from kerasinterp import compare, data, generation, recipe, training
from kerasinterp.errors import InputError
from kerasinterp.recipe import find
from kerasinterp.run import Run
from kerasinterp.yardsticks import Judge

# The smallest run of a recipe.
TINY = {"width": 2, "images_per_epoch": 64, "batch_size": 32, "epochs": 2, "snapshot_every": 1}


def width(path):
    with Image.open(path) as picture:
        return picture.width


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    output = tmp_path_factory.mktemp("lines")
    return output, compare.compare("lines16", ["plainae", "AAE"], output, seeds=2, smoke=True, **TINY)


def test_table_and_figures(compared):
    output, table = compared
    assert list(table) == ["PlainAE", "AAE", "pixel_fade", "protocol"]
    assert json.loads((output / "table.json").read_text()) == table
    for system in ("PlainAE", "AAE"):
        row = table[system]
        assert (row["images_seen"], row["seeds"]) == (128, 2)
        runs = [
            json.loads((output / "runs" / f"{system}_{seed}" / "measures.json").read_text())["rows"] for seed in (0, 1)
        ]
        assert [one["images_seen"] for one in runs[0]] == [64, 128]
        distances = [one[-1]["mean_distance"] for one in runs]
        assert row["mean_distance"] == pytest.approx(np.mean(distances))
        assert row["mean_distance_over_seeds"] == pytest.approx(np.std(distances, ddof=1))
    assert table["pixel_fade"]["smoothness"] == pytest.approx(0.87, abs=0.05)  # the public code's oracle
    text = (output / "table.md").read_text()
    assert text.splitlines()[0].startswith("| | mean distance |") and "| AAE |" in text
    for name in ("comparison.png", "curves.png", "measures.png"):
        assert width(output / name) > 300
    with (output / "curves.csv").open() as file:
        lines = list(csv.DictReader(file))
    asked = [(system, str(seed), seen) for system in ("PlainAE", "AAE") for seed in (0, 1) for seen in ("64", "128")]
    assert [(line["model"], line["seed"], line["images_seen"]) for line in lines] == asked
    assert [float(line["mean_distance"]) for line in lines[-2:]] == [one["mean_distance"] for one in runs[1]]


def test_settings_hold_for_the_measures_too(tmp_path, monkeypatch):
    class Asked(Exception):
        pass

    def judge(recipe, cache_dir, smoke):
        raise Asked(recipe.data.image_size)

    monkeypatch.setattr(compare, "judge", judge)
    with pytest.raises(Asked, match="32"):
        compare.compare("lines16", ["PlainAE"], tmp_path, image_size=32)


def test_a_measure_with_a_deviation_of_its_own_keeps_both():
    """`mse_std` is over intervals: it is neither the deviation of `mse` over seeds nor overwritten by it."""
    runs = [[{"images_seen": 64, "mse": mse, "mse_std": 0.5}] for mse in (1.0, 3.0)]
    row = compare._row(runs)
    assert (row["mse"], row["mse_over_seeds"], row["mse_std"]) == (2.0, pytest.approx(2**0.5), 0.5)
    alone = compare.markdown({"AE": compare._row(runs[:1])}, types.SimpleNamespace(columns={"mse": "MSE"}, note=""))
    assert "| AE | 1 | 64 | 1 |" in alone


def test_a_measure_that_some_seeds_lack_is_the_mean_of_the_others():
    runs = [[{"images_seen": 64, "smoothness": one, "left_out": n}] for one, n in ((None, 2), (0.5, 256), (0.7, 3))]
    row = compare._row(runs)
    assert (row["smoothness"], row["smoothness_seeds"], row["seeds"]) == (pytest.approx(0.6), 2, 3)
    assert row["left_out"] == pytest.approx(87) and "left_out_seeds" not in row
    lacking = compare._row([[{"images_seen": 64, "smoothness": None}]] * 2)
    assert (lacking["smoothness"], lacking["images_seen"]) == (None, 64)
    text = compare.markdown(
        {"AE": row, "VAE": lacking}, types.SimpleNamespace(columns={"smoothness": "smoothness"}, note="few")
    )
    assert "| AE | 0.6 +- 0.1 (2 seeds) | 64 | 3 |" in text and "| VAE | none | 64 | 2 |" in text


def test_goes_on_where_it_stopped(compared, monkeypatch):
    output, table = compared
    monkeypatch.setattr(training, "train", lambda *args, **kwargs: pytest.fail("trained again"))
    kept = (output / "runs" / "AAE_0" / "measures.json").stat().st_mtime_ns
    again = compare.compare("lines16", ["PlainAE", "AAE"], output, seeds=2, smoke=True, **TINY)
    assert again == table
    assert (output / "runs" / "AAE_0" / "measures.json").stat().st_mtime_ns == kept


@pytest.mark.slow
def test_runs_at_once_are_the_same_runs(compared, tmp_path):
    _, table = compared
    again = compare.compare("lines16", ["PlainAE", "AAE"], tmp_path, seeds=2, jobs=2, smoke=True, **TINY)
    for system in ("PlainAE", "AAE"):
        assert again[system]["mean_distance"] == pytest.approx(table[system]["mean_distance"], rel=0.01)


@pytest.mark.slow
def test_a_run_that_fails_ends_those_beside_it(tmp_path):
    (tmp_path / "runs" / "PlainAE_0").mkdir(parents=True)
    (tmp_path / "runs" / "PlainAE_0" / "checkpoints").write_text("no folder")
    endless = TINY | {"epochs": 1_000_000}
    with pytest.raises(InputError, match="Cannot write to"):
        compare.compare("lines16", ["AAE", "PlainAE"], tmp_path, jobs=2, smoke=True, **endless)
    assert not multiprocessing.active_children()


def test_finished_runs_start_no_processes(compared, monkeypatch):
    output, table = compared
    pool = compare.concurrent.futures.ProcessPoolExecutor
    monkeypatch.setattr(pool, "submit", lambda *args: pytest.fail("started"))
    assert compare.compare("lines16", ["PlainAE", "AAE"], output, seeds=2, jobs=2, smoke=True, **TINY) == table


def test_another_comparison_in_the_folder_is_refused(compared):
    """A finished run of other settings, or of more epochs, must not pass for the one that is asked for."""
    output, _ = compared
    with pytest.raises(InputError, match="was begun with batch_size = 32"):
        compare.compare("lines16", ["PlainAE"], output, smoke=True, **TINY | {"batch_size": 16})
    with pytest.raises(InputError, match="more than 1 epochs"):
        compare.compare("lines16", ["PlainAE"], output, smoke=True, **TINY | {"epochs": 1})
    with pytest.raises(InputError, match="give how many as seeds"):
        compare.compare("lines16", ["PlainAE"], output, seed=5)
    for other in (("lines16", {}), ("pole", {"smoke": True})):
        with pytest.raises(InputError, match=r"already holds a comparison \(lines16, smoke\)"):
            compare.compare(other[0], ["PlainAE"], output, **other[1], **TINY)


def test_a_comparison_that_could_not_begin_claims_no_folder(tmp_path, monkeypatch):
    def fail(*_):
        raise InputError("no data")

    monkeypatch.setattr(compare, "judge", fail)
    with pytest.raises(InputError, match="no data"):
        compare.compare("coil100", ["PlainAE"], tmp_path, smoke=True)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["comparison.json", "runs/PlainAE_0/measures.json"])
def test_a_damaged_file_is_named(name, compared):
    output, table = compared
    whole = (output / name).read_text()
    try:
        for text in (whole[:-3], "[" * 100_000, ""):
            (output / name).write_text(text)
            with pytest.raises(InputError, match=r"\.json cannot be read .*: remove it, and it is made again"):
                compare.compare("lines16", ["PlainAE", "AAE"], output, seeds=2, smoke=True, **TINY)
        (output / name).unlink()
        os.mkfifo(output / name)
        with pytest.raises(InputError, match=r"\.json cannot be read .*pipe"):  # not opened for ever
            compare.compare("lines16", ["PlainAE", "AAE"], output, seeds=2, smoke=True, **TINY)
        (output / name).unlink()
        assert compare.compare("lines16", ["PlainAE", "AAE"], output, seeds=2, smoke=True, **TINY) == table
    finally:
        (output / name).write_text(whole)


@pytest.mark.parametrize("text", ["[]", "null", "3", '"x"', "{}", '{"dataset": "lines16"}', '{"a": 1, "b": 2}'])
def test_a_file_that_is_no_comparisons_is_named(text, compared):
    output, _ = compared
    whole = (output / "comparison.json").read_text()
    try:
        (output / "comparison.json").write_text(text)
        with pytest.raises(InputError, match=r"comparison\.json is no comparison's: remove it"):
            compare.compare("lines16", ["PlainAE"], output, smoke=True, **TINY)
    finally:
        (output / "comparison.json").write_text(whole)


# Images of one's own


def folder_of(path, classes, size=(24, 32)):
    """Coloured noise, so many images a class."""
    for name, count in classes.items():
        (path / name).mkdir(parents=True)
        for n in range(count):
            noise = np.random.default_rng(n).integers(0, 256, (*size, 3), np.uint8)
            Image.fromarray(noise).save(path / name / f"{n}.png")
    return path


@pytest.fixture
def asked(monkeypatch):
    """What a comparison would be judged by, in place of the judge."""
    recipes = []

    def judge(recipe, cache_dir, smoke):
        recipes.append(recipe)
        raise InputError("judged")

    monkeypatch.setattr(compare, "judge", judge)
    return recipes


def test_a_fifth_of_a_folders_classes_is_held_out(asked, tmp_path, capsys):
    mine = folder_of(tmp_path / "mine", {str(n): 9 if n != 4 else 5 for n in range(10)})
    for systems in (["plainae"], ["ACAI", "PlainAE"]):
        with pytest.raises(InputError, match="judged"):
            compare.compare(mine, systems, tmp_path / "out", image_size=(24, 32), epochs=3)
    first, second = asked
    learned = first.data.source_options["classes"]
    held = [str(n) for n in range(10) if str(n) not in learned]
    assert len(learned) == 8 and learned == sorted(learned) and "4" in learned  # which has too few images
    assert first.target.target == first.data.source == str(mine)
    assert first.target.target_without == tuple(map(int, learned))
    assert (first.name, first.objective, first.data.shape, first.schedule.epochs) == (
        "images28",
        "PlainAE",
        (24, 32, 1),
        3,
    )
    assert first.target == second.target and first.data == second.data
    said = f"Measured on 2 of the 10 classes of {mine}, held out by seed 0: {', '.join(held)}."
    assert capsys.readouterr().out.count(said) == 2
    assert not (tmp_path / "out").exists()


def test_other_classes_may_be_the_target(asked, tmp_path):
    mine = folder_of(tmp_path / "mine", {"a": 1, "b": 1})
    with pytest.raises(InputError, match="judged"):
        compare.compare(mine, ["AE"], tmp_path / "out", target="letters", channels=3, invert=True)
    assert asked[0].target == recipe.Target(target="letters", samples=5000)
    assert (asked[0].data.source_options, asked[0].data.shape, asked[0].data.invert) == ({}, (28, 28, 3), True)


def test_a_folder_without_classes_is_measured_without(asked, tmp_path, capsys):
    mine = folder_of(tmp_path, {"mine": 40}) / "mine"
    with pytest.raises(InputError, match="judged"):
        compare.compare(mine, ["AE"], tmp_path / "out", smoke=True)
    assert (asked[0].target.yardstick, asked[0].target.target) == ("unlabelled", None)
    assert np.sum(~asked[0].trained_on(40)) == 4
    assert "has no classes: measured on 4 of 40 images" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("classes", "settings", "sentence"),
    [
        (
            {"a": 9, "b": 9, "c": 9},
            {},
            "mine has 3 classes, 3 of them with 8 images or more: .* or other classes by --target",
        ),
        ({"a": 9, "b": 7, "c": 7, "d": 7}, {}, "mine has 4 classes, 1 of them with 8 images"),
        ({"a": 9, "b": 9, "c": 9, "d": 9}, {"shots": 7}, "0 of them with 10 images or more"),
        ({"a": 19}, {}, "mine has 19 images: .* give 20 or more"),
        ({"a": 20}, {"image_size": 50}, "divisible by 8, got 50 x 50 pixels: 48 x 48 is the nearest"),
    ],
)
def test_folders_that_are_too_small_or_of_another_size(classes, settings, sentence, asked, tmp_path):
    mine = folder_of(tmp_path / "mine", classes, (4, 4))
    with pytest.raises(InputError, match=sentence):
        compare.compare(mine, ["AE"], tmp_path / "out", **settings)
    assert not asked and not (tmp_path / "out").exists()


def test_systems_that_cannot_learn_or_be_measured_there(asked, tmp_path):
    mine = folder_of(tmp_path, {"mine": 20}, (4, 4)) / "mine"
    for system, sentence in (
        ("GLO", "GLO has no encoder"),
        ("AEAI", "AEAI's smoothness differentiates twice"),
        ("SupervisedAMR", "also classifies: of the backbones resnet has such a one"),
        ("ACAIS", r"'ACAIS' is no system: choose of .* Did you mean 'ACAI'\?"),
    ):
        with pytest.raises(InputError, match=sentence):
            compare.compare(mine, ["PlainAE", system], tmp_path / "out")
    with pytest.raises(InputError, match="Name the systems"):
        compare.compare(mine, [], tmp_path / "out")
    assert not asked


def test_recipes_of_unseen_classes_are_compared_on(asked, tmp_path):
    with pytest.raises(InputError, match="judged"):
        compare.compare("augintae_maps_omniglot", ["AE", "AugIntAE"], tmp_path / "out", smoke=True, image_size=32)
    expected = find("augintae_maps_omniglot", smoke=True).of_size(32)
    assert asked == [training.with_objective(expected, "AE")]
    with pytest.raises(InputError, match="images64 is for images of your own: name their folder"):
        compare.compare("images64", ["AE"], tmp_path / "out")
    with pytest.raises(InputError, match=r"No comparison on 'acai_lines': choose of .* lines, .*, or give a folder"):
        compare.compare("acai_lines", ["AE"], tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("classes", [{"a": 9, "b": 9, "c": 9, "d": 9}, {"a": 30}])
def test_ones_own_images_from_nothing_to_table_and_figure(classes, tmp_path):
    mine = folder_of(tmp_path / "mine", classes)
    settings = TINY | {"channels": 3, "image_size": (24, 32), "samples": 20, "judge_steps": 4}
    table = compare.compare(mine, ["AugIntAE", "PlainAE"], tmp_path / "out", smoke=True, **settings)
    assert table["AugIntAE"]["l2"] > 0 and table["PlainAE"]["turning_error"] > 0 and table["pixel_fade"]["fid"] > 0
    assert table["protocol"]["image_size"] == [24, 32]
    if len(classes) > 1:
        assert 0 <= table["PlainAE"]["class_fidelity"] <= 1
        assert (table["protocol"]["source_classes"], table["protocol"]["target_classes"]) == (2, 2)
    assert "Measured on" in (text := (tmp_path / "out" / "table.md").read_text()) or "measured on" in text
    for name in ("comparison.png", "curves.png", "turning.png"):
        assert width(tmp_path / "out" / name) > 300
    again = compare.compare(mine, ["AugIntAE", "PlainAE"], tmp_path / "out", smoke=True, **settings)
    assert again == table


# What is kept


@pytest.fixture
def measured(compared, monkeypatch):
    """A finished run, and the images seen of its models that are measured, which takes no time."""
    output, _ = compared
    run = Run(output / "runs" / "AAE_1")
    whole, done = run.measures.read_text(), []

    def measure(file, recipe, judged_by, seen):
        done.append(seen)
        return {"images_seen": seen, "distance": float(seen)}

    monkeypatch.setattr(compare, "_measured", measure)
    yield run, done
    run.measures.write_text(whole)


JUDGE = types.SimpleNamespace(protocol={"kind": "toy"}, columns={"distance": "distance"})


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {},
        3,
        "x",
        {"protocol": {"kind": "toy"}},
        {"protocol": {"kind": "toy"}, "rows": None},
        {"protocol": {"kind": "toy"}, "rows": "rows"},
        {"protocol": {"kind": "toy"}, "rows": [1, "images_seen", None, [], {}]},
        {"protocol": {"kind": "toy"}, "rows": [{"images_seen": 64}, {"images_seen": 128}]},
        {"protocol": {"kind": "toy"}, "rows": [{"images_seen": "64", "distance": 1.0}]},
        {"protocol": {"kind": "toy"}, "rows": [{"images_seen": [64], "distance": 1.0}]},
        {"protocol": {"kind": "toy"}, "rows": [{"images_seen": n, "distance": "far"} for n in (64, 128)]},
        {"protocol": {"kind": "toy"}, "rows": [{"images_seen": n, "distance": True} for n in (64, 128)]},
        {"protocol": {"kind": "other"}, "rows": [{"images_seen": n, "distance": 0.0} for n in (64, 128)]},
    ],
)
def test_measures_of_another_form_or_protocol_are_made_again(kept, measured):
    run, done = measured
    run.measures.write_text(json.dumps(kept))
    rows = [{"images_seen": seen, "distance": float(seen)} for seen in (64, 128)]
    assert compare._kept_measures(run, JUDGE) == rows
    assert done == [64, 128]
    assert json.loads(run.measures.read_text()) == {"protocol": {"kind": "toy"}, "rows": rows}


def test_only_what_lacks_a_measure_is_measured_again(measured):
    run, done = measured
    rows = [{"images_seen": 64, "distance": None, "more": [1]}, {"images_seen": 128}, {"images_seen": 7, "distance": 1}]
    run.measures.write_text(json.dumps({"protocol": JUDGE.protocol, "rows": rows}))
    assert compare._kept_measures(run, JUDGE) == [rows[0], {"images_seen": 128, "distance": 128.0}]
    assert done == [128]


# Models and runs together


@pytest.fixture
def judges(monkeypatch):
    """Stands in for the judging; what is asked for is noted."""
    asked = []

    def judge(recipe, cache_dir, smoke=False, seed=0):
        asked.append((recipe, seed))
        return Judge(
            measure=lambda model, own: {"mse": 1.0, "own": own and own.seed},
            bases=lambda: {"pixel_fade": {"mse": 2.0}},
            columns={"mse": "MSE"},
            picture=lambda models, path: path.write_text(" ".join(models)),
            protocol={"seed": seed},
        )

    monkeypatch.setattr(compare, "judge", judge)
    return asked


def test_runs_and_files_are_named_and_measured(compared, judges, tmp_path):
    runs = [compared[0] / "runs" / name for name in ("PlainAE_0", "AAE_0", "AAE_1")]
    table = compare.evaluate([*runs, runs[0]], tmp_path, seed=5)
    assert list(table) == ["PlainAE", "AAE seed 0", "AAE seed 1", "pixel_fade", "protocol"]
    assert [table[name]["images_seen"] for name in list(table)[:3]] == [128] * 3
    assert [table[name]["own"] for name in list(table)[:3]] == [0, 0, 1]
    assert (tmp_path / "comparison.png").read_text() == "PlainAE AAE seed 0 AAE seed 1"
    assert (tmp_path / "curves.png").exists()
    assert (tmp_path / "curves.csv").read_text().splitlines()[:2] == [
        "model,seed,images_seen,mse,own",
        "PlainAE,0,64,1.0,0",
    ]
    assert judges[0][1] == table["protocol"]["seed"] == 5
    files = compare.evaluate([runs[1] / "model.keras", runs[1] / "snapshots" / "epoch-0001.keras"], tmp_path / "files")
    assert list(files)[:2] == ["AAE AAE_0/model", "AAE snapshots/epoch-0001"]
    assert "images_seen" not in files["AAE AAE_0/model"]
    assert files["AAE snapshots/epoch-0001"]["own"] == 0  # the recipe beside it
    assert not any((tmp_path / "files" / f"curves.{kind}").exists() for kind in ("png", "csv"))


def test_models_that_only_their_whole_path_tells_apart(compared, judges, tmp_path):
    for place in ("a", "b"):
        (tmp_path / place / "run").mkdir(parents=True)
        shutil.copy(compared[0] / "runs" / "AAE_0" / "model.keras", tmp_path / place / "run" / "model.keras")
    paths = [tmp_path / place / "run" / "model.keras" for place in ("a", "b")]
    table = compare.evaluate(paths, tmp_path / "out", data={"source": "lines/16"}, target={"target": "x"})
    assert list(table)[:2] == [f"AAE {path}" for path in paths]
    asked = judges[0][0]
    assert (asked.data.source, asked.data.shape, asked.target.target) == ("lines/16", (16, 16, 1), "x")


def test_every_takes_each_nth_snapshot_and_the_last(compared):
    run = Run(compared[0] / "runs" / "AAE_0")
    assert list(compare.snapshots(run)) == list(compare.snapshots(run, 1)) == [64, 128]
    assert list(compare.snapshots(run, 2)) == [128]
    assert compare.snapshots(run)[128] == run.model and compare.snapshots(run)[64] == run.snapshot(1)


def test_a_run_without_models_is_refused(tmp_path, compared):
    shutil.copy(compared[0] / "runs" / "AAE_0" / "recipe.json", tmp_path / "recipe.json")
    with pytest.raises(InputError, match="has no snapshots and no final model: train it first"):
        compare.evaluate([tmp_path], tmp_path / "out")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"target": {"samples": 7}}, "samples has no effect on what lines measures: leave it out"),
        ({"target": {"domain_by_class": True}}, "domain_by_class has no effect on what lines"),
        ({"data": {"split": "test"}}, "split has no effect on what lines"),
        ({"target": {"sample": 7}}, "A recipe's target has no setting 'sample'. Did you mean 'samples'"),
        ({"data": {"image_size": 32}}, "image_size has no effect"),
        ({"target": {"yardstick": "lins"}}, "Unknown yardstick 'lins'"),
        ({"every": 0}, "an --every of 1 or more"),
    ],
)
def test_what_has_no_effect_is_refused(settings, sentence, compared, judges, tmp_path):
    with pytest.raises(InputError, match=sentence):
        compare.evaluate([compared[0] / "runs" / "AAE_0"], tmp_path, **settings)
    assert not judges


def test_a_target_of_ones_own_is_measured_on(compared, judges, tmp_path):
    own = {"yardstick": "few_shot", "target": "letters", "samples": 7}
    compare.evaluate([compared[0] / "runs" / "AAE_0"], tmp_path, target=own, data={"source": "glyphs"})
    asked = judges[0][0]
    assert (asked.target.target, asked.target.samples, asked.data.source) == ("letters", 7, "glyphs")


def test_what_cannot_be_measured_together_is_refused(compared, judges, tmp_path):
    run = compared[0] / "runs" / "AAE_0"
    for setting in ("source_options", "target_options"):  # images chosen otherwise are other images
        chosen = shutil.copytree(run, tmp_path / setting)
        written = json.loads((chosen / "recipe.json").read_text())
        group = written["recipe"][{"source_options": "data", "target_options": "target"}[setting]]
        group[setting] = {"where": {"length": 3}}
        (chosen / "recipe.json").write_text(json.dumps(written))
        with pytest.raises(InputError, match=f"{setting} was trained on other data than"):
            compare.evaluate([run, chosen], tmp_path / "out")
        compare.evaluate([run, chosen], tmp_path / "as_first", as_first=True)
        assert judges.pop()[0].data.source_options == {}
    small = find("aae_lines16", smoke=True).change(width=2, latent_size=4)
    other = tmp_path / "other.keras"
    training.build(small.change(image_size=32)).save(other)
    with pytest.raises(InputError, match=r"other\.keras was trained on other data than"):
        compare.evaluate([run, other], tmp_path / "out", data={"source": "lines/16"}, as_first=True)
    points = tmp_path / "points.keras"
    training.build(find("acai_spiral", smoke=True)).save(points)
    with pytest.raises(InputError, match=r"points\.keras, a model of points, to say what it is measured on"):
        compare.evaluate([points], tmp_path / "out", data={"source": "spiral"})
    glo = tmp_path / "glo.keras"
    own = recipe.Recipe("", "", recipe.Data("x", image_size=16), "GLO", backbone=recipe.Backbone(width=2))
    training.build(own).save(glo)
    with pytest.raises(InputError, match="GLO has no encoder"):
        compare.evaluate([glo], tmp_path / "out", data={"source": "x"}, target={"yardstick": "unlabelled"})
    with pytest.raises(InputError, match=r"there is no recipe\.json beside .*glo\.keras that names a source"):
        compare.evaluate([glo], tmp_path / "out")
    with pytest.raises(InputError, match="Name a model"):
        compare.evaluate([], tmp_path / "out")
    with pytest.raises(InputError, match="Snapshots are of run folders"):
        compare.evaluate([other], tmp_path / "out", every=2)
    assert not judges and not (tmp_path / "out").exists()


def test_a_recipe_beside_that_cannot_be_read_is_as_none(compared, judges, tmp_path):
    shutil.copy(compared[0] / "runs" / "AAE_0" / "model.keras", tmp_path)
    (tmp_path / "recipe.json").write_text('{"recipe": {"source": "lines/16"}, "versions": {"kerasinterp": "0.1.0"}}')
    with pytest.raises(InputError, match="give --source"):
        compare.evaluate([tmp_path / "model.keras"], tmp_path / "out")
    compare.evaluate([tmp_path / "model.keras"], tmp_path / "out", data={"source": "lines/16"})
    with pytest.raises(InputError, match=r"a run of kerasinterp 0\.1\.0"):
        compare.evaluate([tmp_path], tmp_path / "out")


def test_the_report_of_a_run_is_its_recipes_yardsticks(compared, judges, tmp_path):
    run = Run(shutil.copytree(compared[0] / "runs" / "PlainAE_0", tmp_path / "run"))
    table = compare.report(run)
    assert table["PlainAE"] == {"images_seen": 128, "mse": 1.0, "own": 0, "seeds": 1}
    assert json.loads((run.folder / "report.json").read_text()) == table
    assert "| PlainAE | 1 | 128 | 1 |" in (run.folder / "report.md").read_text()
    assert judges[0][0].target.yardstick == "lines"
    content = json.loads(run.recipe_file.read_text())
    content["recipe"]["target"]["yardstick"] = "few_shot"  # and no target
    run.recipe_file.write_text(json.dumps(content))
    assert compare.report(run) is None


def test_what_could_not_be_reported_is_not_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("trained"))
    own = find("plainae_lines16", smoke=True)
    with pytest.raises(InputError, match="Unknown yardstick 'lins'"):
        compare.train_and_report(own.change(yardstick="lins"), tmp_path)
    with pytest.raises(InputError, match="GLO has no encoder"):
        compare.train_and_report(own.change(objective="GLO"), tmp_path)


# Processes


@pytest.mark.slow
def test_processes_of_the_caller_go_on(tmp_path, monkeypatch):
    """Where runs at once fail, only they are ended."""
    mine = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    mine.start()
    try:
        bad = Run(tmp_path / "bad")
        bad.folder.write_text("no folder")
        with pytest.raises(InputError):
            compare._finish_at_once(
                [(bad, find("aae_lines16", smoke=True))],
                (recipe.Recipe("", "", recipe.Data("x"), target=recipe.Target("lins")), tmp_path, True),
                1,
            )
        assert mine.is_alive()
    finally:
        mine.terminate()
        mine.join()


def test_runs_beside_one_that_fails_are_ended_and_given_time_to_save(tmp_path, monkeypatch):
    class Process:
        def __init__(self):
            self.told = []

        def __getattr__(self, name):
            return lambda *given: self.told.append((name, *given))

    class Pool:
        def __init__(self, jobs, context, initializer, given):
            started.append((jobs, context.get_start_method(), initializer, given))

        def submit(self, function, *given):
            assert function is compare._finish_alone
            task = compare.concurrent.futures.Future()
            if given[0].name == "bad":
                task.set_exception(InputError("no"))
            return task

        def shutdown(self, **how):
            closed.append(how)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

    started, closed, callers, ours = [], [], Process(), Process()
    alive = iter([[callers], [callers, ours]])
    monkeypatch.setattr(multiprocessing, "active_children", lambda: next(alive))
    monkeypatch.setattr(compare.concurrent.futures, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    with pytest.raises(InputError, match="no"):
        compare._finish_at_once([(Run(tmp_path / name), None) for name in ("endless", "bad")], (), 3)
    assert callers.told == []
    assert ours.told == [("terminate",), ("join", 30.0), ("kill",)]
    assert closed == [{"cancel_futures": True}]
    assert started == [(3, "spawn", compare._share_cores, (2,))]  # seven cores for three runs


def test_curves_are_means_over_seeds_at_numbers_that_all_have(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(compare, "save", lambda figure, path: figures.append(figure))
    runs = [
        [{"images_seen": 128, "mse": 1.0, "other": None}, {"images_seen": 64, "mse": 3.0}],
        [{"images_seen": 64, "mse": 5.0, "other": 4.0}, {"images_seen": 128, "mse": 2.0}, {"images_seen": 9, "mse": 9}],
    ]
    judged_by = types.SimpleNamespace(columns={"mse": "MSE", "other": "other"})
    compare._draw_curves(tmp_path / "x.png", {"AE": runs, "file": [[{"mse": 1.0}]]}, judged_by)
    first, second = figures[0].axes[:2]
    assert (first.get_title(), second.get_title()) == ("MSE", "other")
    (line,) = first.lines
    assert line.get_label() == "AE" and first.get_ylim()[0] == 0
    np.testing.assert_allclose(line.get_xydata(), [[64, 4.0], [128, 1.5]])
    assert not second.lines


def test_a_run_shares_the_cores(monkeypatch):
    asked = []
    threading = compare.tf.config.threading
    monkeypatch.setattr(threading, "set_intra_op_parallelism_threads", lambda count: asked.append(("intra", count)))
    monkeypatch.setattr(threading, "set_inter_op_parallelism_threads", lambda count: asked.append(("inter", count)))
    compare._share_cores(3)
    assert asked == [("intra", 3), ("inter", 1)]


def test_numbers_of_seeds_and_jobs(tmp_path):
    for numbers in ({"seeds": 0}, {"jobs": 0}, {"seeds": -1}):
        with pytest.raises(InputError, match="seeds and jobs are 1 or more"):
            compare.compare("lines16", ["AAE"], tmp_path, smoke=True, **numbers)
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_more_seeds_and_epochs_than_before(tmp_path):
    settings = TINY | {"snapshot_every": 2}
    compare.compare("lines16", ["PlainAE"], tmp_path, smoke=True, **settings | {"epochs": 1})
    table = compare.compare("lines16", ["PlainAE"], tmp_path, seeds=2, smoke=True, **settings)
    assert (table["PlainAE"]["images_seen"], table["PlainAE"]["seeds"]) == (128, 2)


@pytest.mark.slow
def test_views(tmp_path):
    table = compare.compare("pole", ["AEAI", "AEAI_without_cycle"], tmp_path, smoke=True, **TINY | {"epochs": 1})
    assert {"mse", "mse_unseen", "alpha_error", "departure_error", "boundary", "credibility"} <= set(table["AEAI"])
    assert table["pixel_fade"]["mse"] > 0
    for name in (
        "comparison.png",
        "corners.png",
        "in_between.png",
        "retrieval.png",
        "departure.png",
        "admissibility.png",
    ):
        assert width(tmp_path / name) > 300


@pytest.mark.slow
def test_points(tmp_path):
    table = compare.compare("spiral", ["AMR", "AMR_beta10", "ACAI"], tmp_path, smoke=True, **TINY | {"epochs": 1})
    model = generation.load_model(tmp_path / "runs" / "AMR_0" / "model.keras")
    decoded = generation.decode(model, generation.encode(model, data.spiral.points(200, seed=1_000_000)))
    curve = data.spiral.curve(np.linspace(0.0, data.spiral.LAST_ANGLE, 10_000))
    expected = np.linalg.norm(decoded[:, np.newaxis] - curve, axis=2).min(axis=1).mean()
    assert table["AMR"]["distance_reconstruction"] == pytest.approx(expected, rel=1e-3)
    assert 0 < table["AMR"]["distance"] != pytest.approx(expected, rel=1e-3)  # of mixes, not of reconstructions
    assert table["pixel_fade"]["distance"] > 0.01  # mixed points leave the spiral
    assert width(tmp_path / "comparison.png") > 300


@pytest.mark.needs_data
def test_classes(tmp_path):
    table = compare.compare("mnist", ["ARAE", "SupervisedAMR"], tmp_path, smoke=True, **TINY | {"epochs": 1})
    assert {"fid_mix", "probe_accuracy", "clustering_accuracy", "consistency_relative"} <= set(table["SupervisedAMR"])
    assert table["pixel_fade"]["fid_reconstruction"] == pytest.approx(0.0, abs=1e-2)
    mixer = table["SupervisedAMR"]["mixer"]
    assert len(mixer["attributes"]) == 8 and len({tuple(row) for row in mixer["parameters"]}) > 1
    assert "mixer" not in table["ARAE"]
    for name in ("comparison.png", "codes.png", "mixes.png", "mixer.png"):
        assert width(tmp_path / name) > 300


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(InputError, match="pole"):
        compare.compare("poles", ["ACAI"], tmp_path)
    with pytest.raises(InputError, match="ACAI"):
        compare.compare("lines", ["ACAIS"], tmp_path)
    with pytest.raises(InputError, match="Name the systems"):
        compare.compare("lines", [], tmp_path)


def test_every_recipe_builds():
    """Of those that differ in name, data and schedule alone one is built."""
    alike = {}
    for name in sorted(recipe.recipes()):
        found = recipe.find(name, smoke=True)
        assert found.name == recipe.find(name).name == name
        own = [
            found.objective,
            found.objective_options,
            found.mixing,
            found.backbone,
            found.optimizers,
            found.data.shape,
        ]
        alike[repr([*own, found.data.number_of_attributes])] = found
    for found in alike.values():
        assert training.build(found.change(width=2, latent_size=4)).compiled, found.name
