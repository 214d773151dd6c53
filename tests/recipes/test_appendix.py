"""COLA's appendices on a tiny model and toy images, with counted stand-ins for classifiers."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner
from kerasinterp.recipes.scola import appendix
from PIL import Image

from kerasinterp import training
from kerasinterp.data import Examples
from kerasinterp.recipe import find
from kerasinterp.run import Run

NAMES = ("cat", "dog", "owl", "bee")
SPLITS = {"train": 0, "test": 1}


def toys(split: str) -> Examples:
    """40 images out of order, of four classes; those of a class are alike."""
    rng = np.random.default_rng(SPLITS[split])
    labels = rng.permutation(np.arange(40) % 4)
    images = 60 * labels[:, None, None, None] + rng.integers(0, 60, (40, 16, 16, 1))
    return Examples(images.astype(np.uint8), labels, NAMES)


class Judge:
    """Its features are the means of an image's quarters."""

    def features(self, images):
        return np.asarray(images, np.float64).reshape(len(images), 4, -1).mean(axis=2) / 127.5


@pytest.fixture
def judged():
    """What judges learned from."""
    return []


@pytest.fixture
def scored(monkeypatch, judged):
    """In place of datasets and classifiers, what the scores were taken of."""
    seen = []

    def scores(train, test, made, **settings):
        seen.append((train, test, made, settings))
        return {f"{name}{end}": 0.5 for name in ("cas", "real") for end in ("", "_low", "_high")}

    monkeypatch.setattr(appendix.data, "load_examples", lambda source, split, **_: toys(split))
    monkeypatch.setattr(
        appendix.evaluation, "train_classifier", lambda images, *_, **__: judged.append(images) or Judge()
    )
    monkeypatch.setattr(appendix, "classification_scores", scores)
    return seen


def saved(folder, objective="SCOLA"):
    recipe = training.with_objective(find("scola_mnist_small", smoke=True), objective)
    recipe = recipe.change(image_size=16, width=2, latent_size=3, per_class=3)
    sample = training.learned_from(recipe, 2**30)
    model = training.build(recipe, sample)
    model.begin(sample)
    folder.mkdir()
    model.save(Run(folder).model)
    Run(folder).recipe_file.write_text(json.dumps({"recipe": dataclasses.asdict(recipe)}))
    return folder


def call(*asked):
    return CliRunner().invoke(appendix.main, [str(one) for one in asked], catch_exceptions=False)


def test_figures_and_a_table_that_goes_on(scored, judged, tmp_path):
    asked = (saved(tmp_path / "run"), "-o", tmp_path / "out", "--per-class", 5, "--repeats", 2)
    shown = call(*asked)
    assert shown.exit_code == 0 and "| concentrated |" in shown.output and "| real sample |" in shown.output
    names = {"figure_a1.png", "figure_a2.png", "figure_b3.png", "table_a2.json", "table_a2.md", "measured.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    for name in ("figure_a1.png", "figure_a2.png", "figure_b3.png"):
        with Image.open(tmp_path / "out" / name) as picture:
            assert min(picture.size) > 100
    table = json.loads((tmp_path / "out" / "table_a2.json").read_text())
    assert table["concentrated"]["variance"] < table["sparse"]["variance"]
    assert table["protocol"]["concentrated"] == 0.1 and table["protocol"]["split"] == "test"
    (train, test, made, settings), _ = scored
    assert len(train) == 12 and len(test) == 40 and len(judged[0]) == 28 and settings["repeats"] == 2
    assert np.bincount(made.labels).tolist() == [5, 5, 5, 5] and made.images.dtype == np.uint8
    assert call(*asked).exit_code == 0 and len(scored) == 2  # nothing is measured again
    assert call(*asked, "--spreads", 0.1, 2).exit_code == 0 and len(scored) == 3  # but what is new


def test_unseen_images_may_be_half_of_the_rest_of_the_split_learned_from(scored, judged, tmp_path):
    run = saved(tmp_path / "run")
    assert call(run / "model.keras", "-o", tmp_path / "out", "--split", "train", "--per-class", 2).exit_code == 0
    train, test, *_ = scored[0]
    assert len(test) == (40 - len(train)) // 2 == len(judged[0])
    three = [{image.tobytes() for image in images} for images in (train.images, test.images, judged[0])]
    assert len(set.union(*three)) == 40


def test_mistakes_are_a_sentence(scored, tmp_path):
    run, out = saved(tmp_path / "run"), tmp_path / "out"
    (tmp_path / "alone").mkdir()
    moved = run.joinpath("model.keras").rename(tmp_path / "alone" / "model.keras")
    assert "There is no recipe.json beside" in call(moved, "-o", out).output
    assert "no prior of classes to draw codes from" in call(saved(tmp_path / "glo", "GLO"), "-o", out).output
    moved.rename(run / "model.keras")
    out.mkdir()
    (out / "measured.json").write_text("{")
    shown = call(run, "-o", out)
    assert shown.exit_code == 1 and "measured.json is damaged" in shown.output and not scored
