"""COLA's appendices on a tiny model and toy images, with counted stand-ins for classifiers."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner
from kerasinterp.recipes.scola import appendix, experiment
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

    accuracy = 0.9

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

    class Known:
        def __init__(self, test, **settings):
            self.test, self.settings = test, settings

        def measure(self, sample, made, ways, seed):
            seen.append((sample, self.test, made, ways, seed))
            return {"real": {"real": 0.9}, "made": {"made": 0.6}}[ways[0]] if not seed else {ways[0]: 0.5}

    monkeypatch.setattr(appendix.data, "load_examples", lambda source, split, **_: toys(split))
    monkeypatch.setattr(experiment, "train_classifier", lambda images, *_, **__: judged.append(images) or Judge())
    monkeypatch.setattr(experiment, "SmallSample", Known)
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


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_figures_and_a_table_that_goes_on(scored, judged, tmp_path):
    asked = (saved(tmp_path / "run"), "-o", tmp_path / "out", "--made", 5, "--repeats", 2)
    shown = call(*asked)
    assert shown.exit_code == 0 and "| concentrated |" in shown.output and "| real sample |" in shown.output
    assert "55.0 (0.0 to 100.0)" in shown.output  # no share below none or above all
    before = files(tmp_path / "out")
    names = {"figure_a1.png", "figure_a2.png", "figure_b3.png", "table_a2.json", "table_a2.md", "results.json"}
    assert set(before) == names
    for name in ("figure_a1.png", "figure_a2.png", "figure_b3.png"):
        with Image.open(tmp_path / "out" / name) as picture:
            assert min(picture.size) > 100
    table = json.loads((tmp_path / "out" / "table_a2.json").read_text())
    assert table["concentrated"]["variance"] < table["sparse"]["variance"]
    # Two repeats: Student's t of one degree of freedom times half of their difference.
    for name, first in (("concentrated", 0.6), ("sparse", 0.6), ("real sample", 0.9)):
        found, half = [table[name][f"cas{end}"] for end in ("", "_low", "_high")], 12.706 * (first - 0.5) / 2
        mean = (first + 0.5) / 2
        np.testing.assert_allclose(found, [mean, mean - half, mean + half], rtol=1e-3)
    assert table["protocol"]["concentrated"] == 0.1 and table["protocol"]["split"] == "test"
    sample, test, made, _, _ = scored[0]
    assert len(sample) == 12 and len(test) == 40 and len(judged[0]) == 28
    assert [(*ways, seed) for *_, ways, seed in scored] == [
        (way, seed) for seed in (0, 1000) for way in ("made", "made", "real")
    ]
    for _, _, images, _, _ in (scored[0], scored[1]):
        assert np.bincount(images.labels).tolist() == [5, 5, 5, 5] and images.images.dtype == np.uint8
    assert made.images.std() > 0 and not np.array_equal(made.images, scored[1][2].images)
    assert call(*asked).exit_code == 0 and len(scored) == 6  # nothing is measured again
    assert call(*asked, "--spreads", 0.1, 2).exit_code == 0 and len(scored) == 8  # but what is new
    assert call(*asked, "--repeats", 3).exit_code == 0 and len(scored) == 11
    before = files(tmp_path / "out")
    refused = call(*asked, "--seed", 1)
    assert refused.exit_code == 1 and "holds an experiment with other seed" in refused.output
    assert files(tmp_path / "out") == before


def test_a_classifier_that_has_learned_is_kept(scored, judged, tmp_path, monkeypatch):
    asked = (saved(tmp_path / "run"), "-o", tmp_path / "out", "--made", 5, "--repeats", 2)
    measure = experiment.SmallSample.measure

    def stopped(self, *given):
        if len(scored) == 4:
            raise KeyboardInterrupt
        return measure(self, *given)

    with monkeypatch.context() as patched:
        patched.setattr(experiment.SmallSample, "measure", stopped)
        assert call(*asked).exit_code == 1
    assert call(*asked).exit_code == 0 and len(scored) == 6


def test_classes_that_unseen_images_do_not_have_are_left_out_of_distances(scored, judged, tmp_path, monkeypatch):
    """Of a class that only one side has, the distance would be of the classes; and classes unlike, of how many."""

    def fewer(source, split, **_):
        found = toys(split)
        if split == "train":
            return found
        own = np.flatnonzero(found.labels < 3)
        return found.select(np.concatenate([own, *[own[found.labels[own] == 0]] * 20]))

    monkeypatch.setattr(appendix.data, "load_examples", fewer)
    compared, distances = [], experiment.distances
    monkeypatch.setattr(
        experiment, "distances", lambda new, real, seed: compared.append(len(new)) or distances(new, real, seed)
    )
    assert call(saved(tmp_path / "run"), "-o", tmp_path / "out", "--made", 20, "--repeats", 2).exit_code == 0
    table = json.loads((tmp_path / "out" / "table_a2.json").read_text())
    assert (
        compared == [60, 60] and 20 < table["sparse"]["images"] < 40 and len(scored[0][1]) == 230
    )  # ten of each class, not 60
    assert table["sparse"]["fid"] is not None  # of four features


def test_unseen_images_may_be_half_of_the_rest_of_the_split_learned_from(scored, judged, tmp_path):
    run = saved(tmp_path / "run")
    assert call(run / "model.keras", "-o", tmp_path / "out", "--split", "train", "--made", 2).exit_code == 0
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
    (out / "results.json").write_text("{")
    shown = call(run, "-o", out)
    assert shown.exit_code == 1 and "results.json is no file of results" in shown.output and not scored


def test_the_variance_is_that_within_classes():
    """Of two classes far apart, one of them alike, the other 1 and 2 from its mean along two features."""
    features = np.array([[100.0, 0.0], [100.0, 0.0], [1.0, 2.0], [-1.0, -2.0]])
    assert appendix._within(features, np.array([3, 3, 7, 7])) == pytest.approx((0.0 + 1.0 + 4.0) / 2)
