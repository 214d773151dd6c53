"""Systems side by side, on each kind of data."""

import json
import multiprocessing
import types

import numpy as np
import pytest
from PIL import Image

from kerasinterp import compare, recipe, training
from kerasinterp.errors import InputError

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
        (output / name).write_text(whole[:-3])
        with pytest.raises(InputError, match=r"\.json cannot be read .*: remove it, and it is made again"):
            compare.compare("lines16", ["PlainAE", "AAE"], output, seeds=2, smoke=True, **TINY)
        (output / name).unlink()
        assert compare.compare("lines16", ["PlainAE", "AAE"], output, seeds=2, smoke=True, **TINY) == table
    finally:
        (output / name).write_text(whole)


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
    assert table["AMR"]["distance"] > table["AMR"]["distance_reconstruction"] * 0.1
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


@pytest.mark.parametrize("name", sorted(recipe.recipes()))
def test_every_recipe_builds(name):
    found = recipe.find(name, smoke=True)
    assert found.name == recipe.find(name).name == name
    assert training.build(found.change(width=2, latent_size=4)).compiled
