"""AugIntAE's table 3, its files and where it goes on, on toy images."""

import json

import pytest
from click.testing import CliRunner
from kerasinterp.recipes.augmentation import table_3

from kerasinterp.data import Examples
from kerasinterp.evaluation import Augmentation
from tests.evaluation import toys


@pytest.fixture
def trained(monkeypatch):
    """In place of data and training, how many classifiers there were."""
    counted = []
    seeds = {"train": 0, "test": 1}
    monkeypatch.setattr(
        table_3.data, "load_examples", lambda name, split, **_: Examples(*toys.images(seeds[split], 40))
    )
    monkeypatch.setattr(table_3.generation, "load_model", lambda path: toys.identity())
    monkeypatch.setattr(Augmentation, "_accuracy", lambda *_: counted.append(1) or len(counted) / 100)
    return counted


def test_the_table_its_files_and_what_is_kept(trained, tmp_path):
    asked = ["copy=m.keras", "-o", str(tmp_path), "--steps", "3=2", "--runs", "2", "--width", "2"]
    shown = CliRunner().invoke(table_3.main, asked, catch_exceptions=False)
    assert shown.exit_code == 0 and "| copy |" in shown.output
    assert {path.name for path in tmp_path.iterdir()} == {"table.json", "table.md", "table.png", "accuracies.json"}
    written = json.loads((tmp_path / "table.json").read_text())
    assert set(written) == {"none", "none_twice", "mixup", "affine", "affine_of_all", "copy", "protocol"}
    assert written["protocol"]["steps"] == {"3": 2} and written["protocol"]["width"] == 2
    assert len(trained) == 12
    assert CliRunner().invoke(table_3.main, asked).exit_code == 0 and len(trained) == 12


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["m.keras"], "'m.keras' is no NAME=MODEL"),
        (["--steps", "twenty=6"], "'twenty=6' is not SIZE=STEPS"),
        (["--steps", "99=6"], "give numbers from 2 to 20"),
        (["mixup=m.keras", "--steps", "3=2"], "'mixup' is the name of a way without a model"),
    ],
)
def test_mistakes_are_a_sentence(asked, sentence, trained, tmp_path):
    shown = CliRunner().invoke(table_3.main, [*asked, "-o", str(tmp_path)])
    assert shown.exit_code != 0 and sentence in shown.output and not trained
