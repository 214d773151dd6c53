"""AugIntAE's figure 2 on tiny models: a row a way to codes, and what has no prior or encoder is left white."""

import json

import networks
import numpy as np
from click.testing import CliRunner
from kerasinterp.recipes.inversion import figure_2
from PIL import Image

from kerasinterp.objectives import VAE, PlainAE


def test_the_figure_and_its_table(tmp_path, monkeypatch):
    drawn = {kind: networks.image_batch(8, seed)["c"] for seed, kind in enumerate(("training", "novel"))}
    as_bytes = {kind: np.round(127.5 * (own + 1.0)).astype(np.uint8) for kind, own in drawn.items()}
    monkeypatch.setattr(figure_2, "images_of", lambda count, seed: {(8, 3): as_bytes}[count, seed])
    for name, cls in (("VAE", VAE), ("AE", PlainAE)):
        networks.make(cls).save(tmp_path / f"{name}.keras")
    models = [f"{name}={tmp_path / name}.keras" for name in ("VAE", "AE")]
    asked = [*models, "-o", str(tmp_path / "out"), "--count", "8", "--seed", "3", "--steps", "3", "--rate", "0.5"]
    shown = CliRunner().invoke(figure_2.main, asked, catch_exceptions=False)
    assert shown.exit_code == 0 and "| AE, refined at 0.5 |" in shown.output
    table = json.loads((tmp_path / "out" / "table.json").read_text())
    for own in table.values():
        for kind in ("training", "novel"):
            assert own[kind]["refined at 0.5"]["l1"] < own[kind]["encoded"]["l1"]
    with Image.open(tmp_path / "out" / "figure_2.png") as picture:
        assert picture.height > 7 * 8
    wrong = CliRunner().invoke(figure_2.main, ["m.keras", "-o", str(tmp_path / "no")])
    assert wrong.exit_code != 0 and "'m.keras' is no NAME=MODEL" in wrong.output


def test_images_are_digits_and_letters_unlike_them(monkeypatch):
    digits = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)
    monkeypatch.setattr(figure_2.data, "images", lambda *_, **__: digits)
    monkeypatch.setattr(figure_2.few_shot, "target_images", lambda recipe: (digits + 100, None))
    shown, again = figure_2.images_of(9, 3), figure_2.images_of(9, 3)
    assert len(np.unique(shown["training"])) == len(np.unique(shown["novel"])) == 9
    assert shown["training"].max() < 100 <= shown["novel"].min()
    assert all((shown[kind] == again[kind]).all() for kind in shown)
