"""The quickstart and a comparison of runs, small, from nothing to files."""

import dataclasses
import json

import pytest
import tensorflow as tf
from PIL import Image

from kerasinterp import quickstart, training
from kerasinterp.comparison import compare_runs
from kerasinterp.errors import InputError
from kerasinterp.recipe import Recipe

SMALL = dataclasses.replace(quickstart.RECIPE, images_per_epoch=640, width=8, evaluation_samples=60)


@pytest.mark.slow
def test_quickstart_writes_all_that_it_promises(tmp_path, monkeypatch):
    monkeypatch.setattr(quickstart, "CLASSIFIER_STEPS", 20)
    report = quickstart.quickstart(tmp_path, seed=1, recipe=SMALL)
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(report))
    for model in ("AE", "AugIntAE"):
        assert set(report[model]) >= {"fid", "fid_reconstruction", "misclassification", "l2"}
        assert 0.0 <= report[model]["misclassification"] <= 1.0
        assert 0.0 < report[model]["l2"] < 255.0
    assert 0.0 <= report["classifier_accuracy"] <= 1.0
    assert report["images_per_second"] > 0
    assert report["seconds"] > 0
    for picture in ("interpolations.png", "few_shot.png"):
        with Image.open(tmp_path / picture) as image:
            assert image.size[0] > 500
    assert (tmp_path / "augintae.keras").stat().st_size > 1000
    assert (tmp_path / "augintae.tflite").stat().st_size > 1000
    assert "interpolate" in tf.saved_model.load(tmp_path / "saved_model").signatures
    again = quickstart.quickstart(tmp_path, seed=1, recipe=SMALL)  # what is there is taken up, not refused
    assert again["AugIntAE"] == report["AugIntAE"]


@pytest.mark.slow
def test_runs_are_compared_against_images_seen(tmp_path):
    small = Recipe(
        name="small",
        summary="",
        source="glyphs",
        source_split="digits",
        target="glyphs",
        target_split="letters[:2000]",
        transformations={"rotation": 20.0},
        width=4,
        images_per_epoch=256,
        epochs=2,
        snapshot_every=1,
        judge_steps=20,
        evaluation_samples=60,
    )
    runs = []
    for objective in ("AE", "AugIntAE"):
        own = dataclasses.replace(small, objective=objective)
        runs.append(training.train(own, tmp_path / objective, report=False))
    reports = compare_runs(runs, tmp_path / "report")
    assert [report["images_seen"] for report in reports] == [256, 512]
    assert {"AE", "AugIntAE", "pixel_fade"} <= set(reports[0])
    assert (tmp_path / "report" / "report.png").exists()
    with pytest.raises(InputError, match=r"recipe\.json"):
        compare_runs([tmp_path], tmp_path / "report")
