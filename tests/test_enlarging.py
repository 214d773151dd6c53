import csv
import errno
import json

import keras
import numpy as np
import pytest
from PIL import Image

from kerasinterp import data, enlarging, training
from kerasinterp.data import Examples
from kerasinterp.enlarging import advice, as_markdown, enlarge, enlarge_folder
from kerasinterp.errors import InputError
from kerasinterp.evaluation.worth import WAYS, halves
from tests.evaluation import toys

SMOKE = {"per_class": 3, "smoke": True}


@pytest.fixture
def folder(tmp_path):
    images, labels = toys.images(0, 9)  # five of class 0, four of class 1
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        place = tmp_path / "mine" / "ab"[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(place / f"{number}.png")
    return tmp_path / "mine"


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def row(**values):
    ends = {"": 0.0, "_low": -0.02, "_high": 0.02}
    return {f"{key}{end}": value + off for key, value in values.items() for end, off in ends.items()}


class Known:
    """In place of `Worth`: trains no classifiers."""

    number = 1

    def __init__(self, examples, seed, **_):
        self.halves = halves(examples.labels, seed)

    def measure(self, made, told):
        assert len(made(0)) == len(made(1))
        told()
        found = {way: row(accuracy=0.5, gain=0.0, gain_over_transformed=0.0) for way in WAYS}
        return found | {"class_fidelity": 0.5}


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(enlarging, "Worth", Known)


@pytest.mark.parametrize("method", ["scola", pytest.param("augintae", marks=pytest.mark.slow)])
def test_arrays(method):
    images, labels = toys.images(0, 9)
    found = enlarge(images, labels, per_class=3, method=method, smoke=True, seed=1)
    assert found.images.shape == (6, 12, 12, 1) and found.images.dtype == np.uint8
    np.testing.assert_array_equal(found.labels, [0, 0, 0, 1, 1, 1])
    again = enlarge(Examples(images, labels), per_class=3, method=method, smoke=True, seed=1)
    assert found.images.tobytes() == again.images.tobytes()
    other = enlarge(images, labels, per_class=3, method=method, smoke=True, seed=2)
    assert found.images.tobytes() != other.images.tobytes()


def test_classes_are_balanced(tmp_path):
    images, labels = toys.images(0, 9)
    model = tmp_path / "model.keras"
    found = enlarge(images, labels, per_class=0, balance=True, smoke=True, model=model)
    np.testing.assert_array_equal(found.labels, [1])
    found = enlarge(images, labels, per_class=2, balance=True, smoke=True, model=model)
    np.testing.assert_array_equal(found.labels, [0, 0, 1, 1, 1])


def test_a_folder(folder, tmp_path, capsys):
    before, output = files(folder), tmp_path / "new" / "out"
    report = enlarge_folder(folder, output, **SMOKE)
    assert files(folder) == before
    kept = {f"images/{name}": content for name, content in before.items()}
    assert kept.items() <= files(output).items()
    made = {f"images/{name}/made_{n:05}.png" for name in "ab" for n in range(3)}
    others = {"manifest.csv", "classes.png", "report.md", "report.json", "model.keras", "enlarged.json", "worth.json"}
    assert set(files(output)) == set(kept) | made | others
    with (output / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {one["file"] for one in rows if one["kind"] == "real"} == set(kept)
    assert {one["file"] for one in rows if one["kind"] == "made"} == made
    for one in rows:
        assert one["file"].split("/")[1] == one["class"]
        if one["kind"] == "made":
            assert one["nearest"].startswith(one["class"]) and one["nearest"] in before and float(one["distance"]) >= 0
        else:
            assert one["original"] in before
    assert json.loads((output / "report.json").read_text()) == report
    assert report["real_images"] == [5, 4] and report["new_images"] == [3, 3] and report["classes"] == ["a", "b"]
    assert report["advice"] in (output / "report.md").read_text()
    assert "9 images of 2 classes, 12 x 12; 6 new ones are made." in capsys.readouterr().out


def test_it_goes_on_where_it_was(folder, tmp_path, monkeypatch, known):
    """Stopped after its model was trained, nothing is trained twice, and everything is as without a stop."""
    whole = tmp_path / "whole"
    enlarge_folder(folder, whole, **SMOKE)

    class Stopped(Exception):
        pass

    def stop(*_):
        raise Stopped

    output = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(enlarging, "_worth", stop)
        with pytest.raises(Stopped):
            enlarge_folder(folder, output, **SMOKE)
    (output / "images" / "a" / "made_00001.png").unlink()
    (output / "manifest.csv").unlink()
    sizes, build = [], training.build

    def counting(recipe, examples):
        sizes.append(len(examples))
        return build(recipe, examples)

    monkeypatch.setattr(training, "build", counting)
    enlarge_folder(folder, output, **SMOKE)
    assert sizes == [5, 4]  # the halves
    one, other = files(whole), files(output)
    for name in one:
        if name.startswith("images/") or name in ("manifest.csv", "worth.json", "classes.png"):
            assert one[name] == other[name], name
    sizes.clear()
    enlarge_folder(folder, output, **SMOKE)
    assert not sizes
    with pytest.raises(InputError, match="enlarged with other counts, seed: choose another --output"):
        enlarge_folder(folder, output, per_class=4, smoke=True, seed=1)


def test_a_full_disk_is_told_before_anything_is_learned(tmp_path, monkeypatch):
    images, labels = toys.images(0, 9)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keras.Model, "save", full)
        patched.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("it learned"))
        with pytest.raises(OSError, match="No space left on device"):
            enlarge(images, labels, per_class=1, smoke=True, model=tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())
    kept = enlarge(images, labels, per_class=1, smoke=True, model=tmp_path / "model.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    np.testing.assert_array_equal(kept.images, enlarge(images, labels, per_class=1, smoke=True).images)


def test_an_enlarged_set_is_enlarged_without_losing_a_file(folder, tmp_path, known):
    enlarge_folder(folder, tmp_path / "once", **SMOKE)
    first = files(tmp_path / "once" / "images")
    report = enlarge_folder(tmp_path / "once" / "images", tmp_path / "twice", **SMOKE)
    assert report["real_images"] == [8, 7]
    second = files(tmp_path / "twice" / "images")
    assert first.items() <= second.items() and len(second) == len(first) + 6
    assert {name for name in second if "new_made_" in name} == set(second) - set(first)
    (tmp_path / "twice" / "worth.json").write_text('{"mix": ')
    with pytest.raises(InputError, match=r"worth\.json cannot be read: remove it, and it is made again"):
        enlarge_folder(tmp_path / "once" / "images", tmp_path / "twice", **SMOKE)


def test_a_kept_model_of_other_images_is_refused(tmp_path):
    images, labels = toys.images(0, 9)
    enlarge(images, labels, per_class=1, smoke=True, model=tmp_path / "model.keras")
    with pytest.raises(InputError, match=r"makes images \(12, 12, 1\), and these are \(8, 12, 1\): name another file"):
        enlarge(images[:, :8], labels, per_class=1, smoke=True, model=tmp_path / "model.keras")


@pytest.mark.slow
def test_dark_drawings_stay_dark(folder, tmp_path, known):
    dark = tmp_path / "dark"
    for path in folder.rglob("*.png"):
        place = dark / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            Image.fromarray(255 - np.asarray(image)).save(place)
    enlarge_folder(folder, tmp_path / "light_out", **SMOKE)
    enlarge_folder(dark, tmp_path / "dark_out", invert=True, **SMOKE)
    with pytest.warns(data.Note, match="These images look dark on white"):
        enlarge_folder(dark, tmp_path / "as_it_is", **SMOKE)
    for name in ("images/a/made_00000.png", "images/b/made_00002.png"):
        with Image.open(tmp_path / "light_out" / name) as light, Image.open(tmp_path / "dark_out" / name) as inverted:
            np.testing.assert_allclose(255 - np.asarray(inverted, int), np.asarray(light, int), atol=3)


def test_one_class_is_enlarged_and_not_judged(tmp_path):
    images, _ = toys.images(0, 4)
    (tmp_path / "mine" / "a").mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(tmp_path / "mine" / "a" / f"{number}.png")
    report = enlarge_folder(tmp_path / "mine", tmp_path / "out", **SMOKE)
    assert "was not measured: it takes two classes" in report["advice"]
    assert "accuracy" not in as_markdown(report)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"per_class": -1}, "per_class is 0 or more, not -1"),
        ({"per_class": 0}, "Nothing is to be made"),
        ({"method": "magic"}, "method is scola or augintae, not 'magic'"),
        ({"seed": -1}, "seed"),
        ({"labels": None}, "have no classes"),
        ({"labels": np.array([0] * 8 + [1])}, "Class 1 has fewer than two images: give it more, or take it out"),
        ({"labels": np.array([0] * 7 + [2] * 2)}, "Class 1 has fewer than two images"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    images, labels = toys.images(0, 9)
    with pytest.raises(InputError, match=said):
        enlarge(images, **({"labels": labels, "smoke": True, "per_class": 2} | change))


def test_folders_that_do_not_fit_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="lies inside"):
        enlarge_folder(folder, folder / "new", **SMOKE)
    with pytest.raises(InputError, match="lies inside"):
        enlarge_folder(folder, folder, **SMOKE)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="already holds something else"):
        enlarge_folder(folder, tmp_path / "full", **SMOKE)
    (folder / "a" / "0.png").rename(folder / "0.png")
    with pytest.raises(InputError, match="beside the folders of its classes"):
        enlarge_folder(folder, tmp_path / "out", **SMOKE)
    with pytest.raises(InputError, match="nowhere"):
        enlarge_folder(tmp_path / "nowhere", tmp_path / "out", **SMOKE)


def test_advice_follows_the_intervals():
    helps = {
        "copies": 0.3,
        "mix": row(gain=0.05),
        "real_transformed": row(gain=0.1),
        "mix_transformed": row(gain_over_transformed=0.04),
    }
    said = advice(helps)
    assert "30% of the new images are near copies" in said
    assert (
        "The new images help a classifier that learns from the images as they are (+5.0 points, +3.0 to +7.0)" in said
    )
    assert "Random transformations alone do more (+10.0 points" in said and "they still help" in said
    harms = {
        "copies": 0.0,
        "mix": row(gain=-0.05),
        "real_transformed": row(gain=-0.1),
        "mix_transformed": row(gain_over_transformed=-0.04),
    }
    said = advice(harms)
    assert (
        "copies" not in said
        and "The new images harm" in said
        and "alone do more" not in said
        and "they do harm" in said
    )
    assert "alone do more" not in said and "may do more" not in said
    perhaps = harms | {"real_transformed": row(gain=0.01)}
    assert "Random transformations alone may do more (+1.0 points, -1.0 to +3.0): try those first." in advice(perhaps)
    unknown = {
        "copies": None,
        "mix": row(gain=-0.01),
        "real_transformed": row(gain=0.0),
        "mix_transformed": row(gain_over_transformed=0.0),
    }
    assert "do more" not in advice(unknown)
    assert "cannot be told" in advice(unknown) and "no difference that could be seen" in advice(unknown)


def test_a_share_is_not_told_to_be_above_all():
    report = {way: row(accuracy=0.99, gain=0.99) for way in WAYS}
    report |= {"advice": "", "classes": ["a"], "real_images": [4], "new_images": [2], "copies": None}
    text = as_markdown(report | {"class_fidelity": 0.5, "method": "scola", "seconds": 1.0})
    assert "99.0% (97.0 to 100.0)" in text and "+99.0% (+97.0 to +101.0)" in text
