"""COLA against GLO on toy images: the table, its pictures and where it goes on."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from kerasinterp.recipes.cola import figure_4_1

from kerasinterp import data, training
from kerasinterp.data import Examples
from kerasinterp.evaluation.small_sample import SmallSample
from kerasinterp.recipe import find

SMALL = ["--data", "mnist", "--passes", "1", "--share", "0.05", "--made", "10", "--judge-steps", "2"]


@pytest.fixture
def measured(monkeypatch):
    """In place of data toys, of recipes short ones, of classifiers what they would learn from; and what was trained."""
    asked, trained, train = [], [], training.train

    def load_examples(source, split="train", labels=False, **choices):
        rng = np.random.default_rng(["train", "test"].index(split))
        images = rng.integers(0, 256, (200, 28, 28, 1), np.uint8)
        return Examples(images, np.arange(200) % 10, tuple(map(str, range(10)))) if labels else Examples(images)

    def measure(self, sample, made, ways, seed, others):
        asked.extend([made, *others.values()])
        return {"made": 0.01, "made GLO": 0.02, "real": 0.5, "cas_test": 0.25, "cas_test GLO": 0.75}

    def short(name):
        recipe = find(name).change(images_per_epoch=200, batch_size=40, snapshot_every=0)
        return recipe.change(epochs=1) if name.startswith("mmdc") else recipe

    monkeypatch.setattr(data, "load_examples", load_examples)
    monkeypatch.setattr(SmallSample, "measure", measure)
    monkeypatch.setattr(figure_4_1, "find", short)

    def noted(recipe, *given, **options):
        trained.append(recipe)
        return train(recipe, *given, **options)

    monkeypatch.setattr(figure_4_1.training, "train", noted)
    return asked, trained


@pytest.mark.slow
def test_the_table_its_pictures_and_where_it_goes_on(measured, tmp_path):
    asked, trained = measured
    given = [*SMALL, "-o", str(tmp_path), "--rival", "vae_mnist", "--rival", "wgangp_mnist"]
    shown = CliRunner().invoke(figure_4_1.main, given, catch_exceptions=False)
    assert [recipe.objective for recipe in trained] == ["MMDC", "COLA", "GLO", "VAE", "WGANGP"]
    lines = [line.split(" | ") for line in shown.output.splitlines() if line.startswith("| ")]
    rows = {line[0].removeprefix("| "): line for line in lines}
    assert [rows[name][3] for name in ("real", "COLA", "GLO", "vae_mnist")] == ["50.0", "1.0", "2.0", ""]
    assert [rows[name][6].rstrip("| ") for name in ("COLA", "GLO", "vae_mnist")] == [
        "400.0",
        "200.0",
        "200.0",
    ]  # MMDC's too
    table = json.loads((tmp_path / "table.json").read_text())
    for name in ("COLA", "GLO"):  # of 200 images of ten classes, in percent
        assert 10.0 <= table[name]["clusters"] <= 100.0 and "clusters" not in table["vae_mnist"]
    assert all(np.isfinite(table[name]["fid"]) for name in ("COLA", "GLO", "vae_mnist", "wgangp_mnist", "real"))
    assert trained[4].optimizers == find("wgangp_mnist").optimizers  # a critic learns by its own, not by GLO's
    assert trained[4].backbone.width == trained[2].backbone.width
    for made in asked:  # as many of each cluster, whose class is that of most of its images
        assert set(np.bincount(made.labels, minlength=10)) == {10}
    assert {"figure_4_1.png", "figure_4_3.png", "table.md"} <= {path.name for path in tmp_path.iterdir()}
    assert CliRunner().invoke(figure_4_1.main, given).exit_code == 0 and len(trained) == 5


def test_a_run_that_is_none_is_a_sentence(measured, tmp_path):
    shown = CliRunner().invoke(figure_4_1.main, [*SMALL, "-o", str(tmp_path / "out"), "--clusters", str(tmp_path)])
    assert shown.exit_code == 1 and "recipe.json" in shown.output and not measured[0]
