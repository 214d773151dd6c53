"""What models reconstruct of other domains: the table, the nearest training images, the pictures."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from kerasinterp import data, generalisation, training
from kerasinterp.errors import InputError
from kerasinterp.recipe import Backbone, Data, Recipe, Schedule, find

SIZE = 8


def draw(folder: pathlib.Path, count: int, seed: int) -> pathlib.Path:
    folder.mkdir(parents=True)
    for number, image in enumerate(np.random.default_rng(seed).integers(0, 256, (count, SIZE, SIZE), dtype=np.uint8)):
        Image.fromarray(image).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generalise")
    recipe = Recipe(
        "own",
        "",
        Data(str(draw(folder / "known", 12, 0)), image_size=SIZE),
        "PlainAE",
        backbone=Backbone("infogan", 2, 4),
        schedule=Schedule(1, 8, 4),
    )
    return training.train(recipe, folder / "run")


def test_the_table_and_its_pictures(run, tmp_path, monkeypatch):
    known, other = run.folder.parent / "known", draw(tmp_path / "other", 6, 1)
    save, titles = generalisation.generation.save_grid, {}

    def save_grid(path, rows, names, **settings):
        titles[path.name] = names
        return save(path, rows, names, **settings)

    monkeypatch.setattr(generalisation.generation, "save_grid", save_grid)
    found = generalisation.generalise([run.folder], tmp_path / "out", domains=[str(known), str(other)], trials=3)
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == found
    assert found["protocol"]["images"] == {"known": 12, "other": 6}
    nearest = found["nearest image of known"]
    assert nearest["l2"]["known"] == 0.0
    # By hand: of each other image the nearest of all known ones.
    images, pool = (data.images(path, image_size=SIZE).reshape(-1, SIZE * SIZE) / 255.0 for path in (other, known))
    squared = np.square(images[:, np.newaxis] - pool).mean(axis=2).min(axis=1)
    assert nearest["l2"]["other"] == pytest.approx(255 * np.sqrt(squared).mean(), rel=1e-4)
    assert nearest["squared_error_255"]["other"] == pytest.approx(255 * squared.mean(), rel=1e-4)
    row = found["PlainAE"]
    assert set(row["l2"]) == {"known", "other"} and row["l2"]["other"] > 0.0
    assert set(row["noise"]) == {str(number) for number in range(1, 9)}
    table = (tmp_path / "out" / "report.md").read_text()
    heading, below, *_ = table.splitlines()
    assert below == "|" + "---|" * (heading.count("|") - 1)
    assert f"| PlainAE | {row['l2']['known']:.2f} / {row['squared_error_255']['known']:.2f} |" in table
    assert "12 of known, 6 of other." in table
    for name in ("reconstructions.png", "noise.png", "noise_reconstructions.png"):
        with Image.open(tmp_path / "out" / name) as picture:
            assert picture.height > 100
    with Image.open(tmp_path / "out" / "reconstructions.png") as picture:
        assert picture.height > 6 * 8 * SIZE  # two domains: images, the model's, the nearest
    of_model = ["PlainAE", "nearest of known"]
    assert titles["reconstructions.png"] == ["known: images", *of_model, "other: images", *of_model]


def test_a_model_file_and_samples_and_seeds(run, tmp_path):
    other = draw(tmp_path / "other", 6, 1)
    rows = [
        generalisation.generalise([run.model], tmp_path / "out", domains=[str(other)], samples=4, trials=2, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert rows[0]["protocol"]["images"] == {"other": 4}
    assert rows[0] == rows[1] and rows[0]["PlainAE"] != rows[2]["PlainAE"]


def test_splits_stand_behind_names(run, tmp_path, monkeypatch):
    asked = []

    def load_examples(what, split, **form):
        asked.append((what, split, form))
        return data.Examples(np.zeros((2, SIZE, SIZE, 1), np.uint8))

    monkeypatch.setattr(generalisation.data, "load_examples", load_examples)
    for domain in ("omniglot:test", "mnist", "emnist/letters:train[:10]", "mnist:3.*.*:test", "mnist:3.0.1"):
        generalisation.generalise([run.model], tmp_path / "out", domains=[domain], trials=1)
    form = {"image_size": (SIZE, SIZE), "channels": 1, "invert": False}
    splits = [(what, split) for what, split, own in asked if own == form]
    assert splits == [
        ("omniglot", "test"),
        ("mnist", "train"),
        ("emnist/letters", "train[:10]"),
        ("mnist:3.*.*", "test"),
        ("mnist:3.0.1", "train"),
    ]


def test_what_cannot_be_measured(run, tmp_path):
    glo, small, points = (tmp_path / f"{name}.keras" for name in ("glo", "small", "points"))
    own = run.recipe
    training.build(training.with_objective(own, "GLO")).save(glo)
    training.build(own.change(image_size=12)).save(small)
    training.build(find("acai_spiral")).save(points)
    other = str(run.folder.parent / "known")
    for models, settings, sentence in (
        ([], {}, "Name models"),
        ([run.model], {"domains": []}, "Name models"),
        ([run.model], {"samples": 0}, "both are 1 or more"),
        ([run.model], {"seed": -1}, "seed is -1"),
        ([run.model], {"domains": ["mnist"], "invert": True}, "invert has no effect without a folder"),
        ([run.model], {"domains": ["nosuch_"]}, "nosuch_"),
        ([glo], {}, "GLO has no encoder"),
        ([points], {}, r"points\.keras is a model of points, not of images"),
        ([run.model, small], {}, r"small\.keras takes images of \(12, 12, 1\) and .* measure them apart"),
    ):
        with pytest.raises(InputError, match=sentence):
            generalisation.generalise(models, tmp_path / "out", **{"domains": [other], "trials": 1} | settings)
    assert not (tmp_path / "out").exists()


def test_folders_are_called_by_what_tells_them_apart(run, tmp_path):
    both = [str(draw(tmp_path / name / "letters", 3, seed)) for seed, name in enumerate("ab")]
    found = generalisation.generalise([run.model], tmp_path / "out", domains=both, trials=1)
    assert set(found["PlainAE"]["l2"]) == {"a/letters", "b/letters"}


def test_training_images_that_are_not_at_hand_are_left_out_with_a_note(run, tmp_path, monkeypatch):
    """Nothing is downloaded to find the nearest of them."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "none"))
    elsewhere = run.recipe.change(source="mnist")
    monkeypatch.setattr(generalisation, "recipe_beside", lambda _: elsewhere)
    other = draw(tmp_path / "other", 3, 1)
    with pytest.warns(UserWarning, match="The nearest training images are left out: mnist is not in"):
        found = generalisation.generalise([run.model], tmp_path / "out", domains=[str(other)], trials=1)
    assert set(found) == {"PlainAE", "protocol"}


def test_dark_drawings_are_told_and_inverted(run, tmp_path):
    paper = tmp_path / "paper"
    paper.mkdir()
    drawn = np.full((SIZE, SIZE), 255, np.uint8)
    drawn[2:5, 3] = 0
    for number in range(4):
        Image.fromarray(drawn).save(paper / f"{number}.png")
    given = {"domains": [str(paper)], "trials": 1}
    with pytest.warns(UserWarning, match="--invert"):
        dark = generalisation.generalise([run.model], tmp_path / "dark", **given)
    light = generalisation.generalise([run.model], tmp_path / "light", invert=True, **given)
    assert light["PlainAE"]["l2"] != dark["PlainAE"]["l2"]
    nearest = np.square((255.0 - drawn) / 255.0 - data.images(run.recipe.data.source, image_size=SIZE)[..., 0] / 255.0)
    expected = 255 * nearest.mean(axis=(1, 2)).min()
    assert light["nearest image of known"]["squared_error_255"]["paper"] == pytest.approx(expected, rel=1e-4)


def test_training_sets_of_one_name_and_shares_of_them_have_rows_of_their_own(run, tmp_path, monkeypatch):
    """Of a share only what was trained on is near: what it held out is reconstructed as well as any other image."""
    whole = run.recipe.change(seed=3)
    part = whole.change(share=0.5)
    other = whole.change(source=str(draw(tmp_path / "b" / "known", 4, 5)))
    beside = dict(zip("wpo", (whole, part, other), strict=True))
    for name in beside:
        (tmp_path / f"{name}.keras").write_bytes(run.model.read_bytes())
    monkeypatch.setattr(generalisation, "recipe_beside", lambda path: beside[path.stem])
    models = [tmp_path / f"{name}.keras" for name in beside]
    domains = [whole.data.source, other.data.source]
    found = generalisation.generalise(models, tmp_path / "out", domains=domains, trials=1)
    described = found["protocol"]["training_sets"]
    assert [own["source"] for own in described.values()] == [domains[0], domains[0], domains[1]]
    first, half, second = (found[f"nearest image of {name}"]["l2"] for name in described)
    here, there = first
    assert first[here] == second[there] == 0.0 and min(first[there], second[here]) > 0.0
    images = data.images(domains[0], image_size=SIZE) / 255.0
    kept = images[part.trained_on(len(images))]
    nearest = np.square(images[:, np.newaxis] - kept).mean(axis=(2, 3, 4)).min(axis=1)
    assert half[here] == pytest.approx(255 * np.sqrt(nearest).mean(), rel=1e-4) and half[here] > 0.0


def test_a_datasets_name_means_the_dataset_where_a_folder_is_called_so(run, tmp_path, monkeypatch):
    draw(tmp_path / "mnist", 3, 0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="invert has no effect without a folder"):
        generalisation.generalise([run.model], "out", domains=["mnist"], invert=True)
    named = generalisation.generalise([run.model], "out", domains=["./mnist"], trials=1)
    assert named["protocol"]["images"] == {"mnist": 3}
