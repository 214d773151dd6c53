"""The quickstart and a comparison of runs, small, from nothing to files."""

import json
import types

import pytest
import tensorflow as tf
from PIL import Image

from kerasinterp import compare, processor, quickstart, training
from kerasinterp.errors import InputError
from kerasinterp.recipe import Backbone, Data, Recipe, Schedule, Target
from kerasinterp.run import Run

SMALL = quickstart.RECIPE.change(width=8, samples=60)


@pytest.mark.slow
def test_quickstart_writes_all_that_it_promises(tmp_path, monkeypatch):
    monkeypatch.setattr(quickstart, "CLASSIFIER_STEPS", 20)
    report = quickstart.quickstart(tmp_path, seed=1, recipe=SMALL, images=640)
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(report))
    for model in ("AE", "AugIntAE"):
        assert set(report[model]) >= {"class_fidelity", "turning_error", "oracle_accuracy", "fid", "l2", "kernel"}
        assert 0.0 <= report[model]["misclassification"] <= 1.0
        assert 0.0 < report[model]["l2"] < 255.0
    told = report["protocol"]
    assert 0.0 <= told["classifier_accuracy"] <= 1.0
    assert told["images_per_second"] > 0 and told["seconds"] > 0 and told["images"] == 640
    assert set(report) == {"AE", "AugIntAE", "real", "pixel_fade", "augmented", "protocol"}
    for picture in ("interpolations.png", "few_shot.png", "turning.png", "measures.png"):
        with Image.open(tmp_path / picture) as image:
            assert image.size[0] > 500
    assert (tmp_path / "augintae.keras").stat().st_size > 1000
    assert (tmp_path / "augintae.tflite").stat().st_size > 1000
    assert "interpolate" in tf.saved_model.load(tmp_path / "saved_model").signatures
    monkeypatch.setattr(quickstart, "_affordable", lambda *_: pytest.fail("chosen anew"))
    again = quickstart.quickstart(tmp_path, seed=1, recipe=SMALL)  # what is there is taken up, not refused
    assert again["AugIntAE"] == report["AugIntAE"]
    assert again["protocol"]["images_per_second"] == told["images_per_second"]  # of the training, not of restoring it


def test_the_speed_is_that_of_training_by_the_history(tmp_path):
    """Also of a run that is only restored, which took no time."""
    run = Run(tmp_path)
    run.history.write_text("epoch,images_seen,seconds,loss\r\n1,640,2.00,0.5\r\n2,1280,1.20,0.4\r\n")
    assert quickstart.images_per_second(run) == pytest.approx(400)
    run.history.write_text("epoch,seen\r\n1,640\r\n")
    with pytest.raises(InputError, match=r"history\.csv cannot be read"):
        quickstart.images_per_second(run)


@pytest.mark.parametrize(("elapsed", "images"), [(0.0, quickstart._MOST), (1e9, quickstart._FEWEST)])
def test_the_budget_is_what_the_time_allows(elapsed, images, monkeypatch, capsys):
    small = SMALL.change(split="digits[:200]")
    monkeypatch.setattr(quickstart, "_SECONDS", 1e9 if not elapsed else 285.0)
    assert quickstart._affordable(small, quickstart.time.perf_counter() - elapsed) == images
    assert f"each of two models sees {images:,}." in capsys.readouterr().out


def test_models_share_the_images_that_the_time_allows(monkeypatch):
    """1,000 images/s: 100 s are left, of which 40,000 images' are for what follows."""
    batch = SMALL.schedule.batch_size
    clock = iter([5.0, 5.0 + quickstart._TIMED * batch / 1000, 285.0 - 100.0])
    monkeypatch.setattr(quickstart.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(quickstart.training, "training_batches", lambda recipe: (None, lambda start_step: None))
    monkeypatch.setattr(quickstart.training, "build", lambda *_: types.SimpleNamespace(fit=lambda *_, **__: None))
    assert quickstart._affordable(SMALL, 0.0) == 60_000 // 2 // 1024 * 1024


def test_a_finished_run_is_taken_up(tmp_path, monkeypatch):
    """Called again, nothing is trained, and everything is measured and told as before."""

    class Judged(Exception):
        pass

    def stop(*_, **__):
        raise Judged

    for objective in quickstart.OBJECTIVES:
        own = SMALL.change(
            images_per_epoch=640, objective=objective, precision="bfloat16" if processor.fast_bfloat16() else "float32"
        )
        run = Run(tmp_path / "runs" / objective.lower())
        run.begin(own, {}, {})
        run.checkpoint(own.schedule.steps).touch()
        training.build(own.change(width=2)).save(run.model)
        run.history.write_text("epoch,images_seen,seconds\r\n1,640,2.00\r\n")
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(quickstart.few_shot, "of_images", stop)
    with pytest.raises(Judged):
        quickstart.quickstart(tmp_path, recipe=SMALL)


@pytest.mark.slow
def test_runs_are_evaluated_against_images_seen(tmp_path):
    small = Recipe(
        name="small",
        summary="",
        data=Data(source="glyphs", split="digits", form="triplets", form_options={"rotation": 20.0}),
        backbone=Backbone(width=4),
        schedule=Schedule(images_per_epoch=256, epochs=2, snapshot_every=1),
        target=Target(target="glyphs", target_split="letters[:2000]", judge_steps=20, samples=60),
    )
    runs = [compare.train_and_report(small.change(objective=one), tmp_path / one) for one in ("AE", "AugIntAE")]
    assert "fid" in json.loads((runs[0].folder / "report.json").read_text())["AE"]
    table = compare.evaluate([run.folder for run in runs], tmp_path / "report")
    assert [table[name]["images_seen"] for name in ("AE", "AugIntAE")] == [512, 512]
    assert {"AE", "AugIntAE", "pixel_fade", "real"} <= set(table)
    assert (tmp_path / "report" / "curves.png").exists()
    files = compare.evaluate([runs[0].model], tmp_path / "file", seed=0)
    assert files["AE"]["fid"] == pytest.approx(table["AE"]["fid"], rel=1e-4)
    fewer = compare.evaluate(
        [runs[0].folder], tmp_path / "fewer", target={"samples": 30, "domain_by_class": True}, seed=3
    )
    told = fewer["protocol"]
    assert (told["samples"], told["seed"], told["target"]["domain_by_class"]) == (30, 3, True)
    with pytest.raises(InputError, match="Snapshots are of run folders"):
        compare.evaluate([runs[0].model], tmp_path / "file", every=2)
