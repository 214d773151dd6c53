"""Yardsticks: which there are, what they read and refuse, and that equal protocols are equal in any process."""

import dataclasses
import json
import pathlib
import types

import numpy as np
import pytest

from kerasinterp import data, yardsticks
from kerasinterp.errors import InputError
from kerasinterp.objectives import AAE, GLO, MMDC, Objective
from kerasinterp.ops.mixing import Linear
from kerasinterp.recipe import Data, Recipe, Target
from kerasinterp.yardsticks import classes, few_shot, lines, paths, points, views

RECIPE = Recipe("tiny", "", Data("lines/16", image_size=16), target=Target("lines"))
NAMES = ("classes", "clusters", "few_shot", "lines", "points", "unlabelled", "views")


def judged(recipe: Recipe = RECIPE, smoke: bool = True, **settings: object) -> yardsticks.Judge:
    return yardsticks.judge(recipe, pathlib.Path("nowhere"), smoke=smoke, **settings)


def test_unknown_yardsticks_are_refused():
    for use in (judged, lambda one: yardsticks.read_by(one.target.yardstick)):
        with pytest.raises(InputError, match=rf"Unknown yardstick 'lins': choose of {', '.join(NAMES)}\. Did you mean"):
            use(RECIPE.change(yardstick="lins"))
        with pytest.raises(InputError, match="Unknown yardstick 'paths'"):  # it only draws
            use(RECIPE.change(yardstick="paths"))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_yardstick_reads_are_settings_of_data_and_target(name):
    known = {field.name for group in (Data, Target) for field in dataclasses.fields(group)}
    assert set(yardsticks.read_by(name)) <= known
    assert "yardstick" in yardsticks.read_by(name)
    assert ("samples" in yardsticks.read_by(name)) == (name in ("few_shot", "unlabelled"))


def test_protocols_are_as_json_has_them():
    """They are compared with what was kept in a file."""
    changed = RECIPE.change(target_without=(1, 2), image_size=(16, 16), source_options={"where": {"id": (1,)}})
    protocol = judged(changed).protocol
    assert json.loads(json.dumps(protocol)) == protocol
    assert protocol["target"]["target_without"] == [1, 2]
    assert protocol["image_size"] == [16, 16]
    assert protocol["smoke"] is True and protocol["seed"] == 0
    assert judged(changed).protocol == protocol


@pytest.mark.parametrize(
    ("settings", "differs"),
    [
        ({"samples": 7}, True),
        ({"source": "lines"}, True),
        ({"split": "test"}, True),
        ({"target_options": {"where": {"script": "greek"}}}, True),
        ({"invert": True}, True),
        ({"image_size": 32}, True),
        ({"source_options": {"where": 1}}, True),
        ({"name": "x"}, False),
        ({"epochs": 2}, False),
        ({"seed": 2}, False),
    ],
)
def test_protocols_differ_where_measures_would(settings, differs):
    assert (judged(RECIPE.change(**settings)).protocol != judged().protocol) == differs


def test_protocols_tell_seeds_versions_and_small_forms():
    assert judged(seed=1).protocol != judged().protocol
    assert judged().protocol != yardsticks.judge(RECIPE, pathlib.Path("nowhere")).protocol
    kept = judged().protocol
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yardsticks.kerasinterp, "__version__", "9.9")
        assert judged().protocol == kept | {"kerasinterp": "9.9"}


def test_what_has_no_encoder_is_not_measured():
    yardsticks.check_measurable("lines", AAE)
    with pytest.raises(InputError, match="GLO has no encoder, and what lines measures lies between images"):
        yardsticks.check_measurable("lines", AAE, GLO)
    yardsticks.check_measurable("few_shot", AAE, GLO)  # of its prior
    with pytest.raises(InputError, match="Objective has no encoder, and what few_shot measures"):
        yardsticks.check_measurable("few_shot", Objective)


def test_lines_are_drawn_on_squares():
    with pytest.raises(InputError, match="Lines are drawn on square images, not on 16 x 32"):
        judged(RECIPE.change(image_size=(16, 32)))
    asked = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines.evaluation, "lines", lambda *_, **form: asked.update(form) or {})
        lines.judge(RECIPE, None, smoke=False, seed=3).measure(None, None)
    assert asked == {"seed": 3, "size": 16, "width": 1.0}  # ACAI's 2 pixels of 32


# Few-shot


@pytest.fixture
def letters(monkeypatch):
    """Images of five classes, told by their value; what is asked for is noted."""
    asked = []

    def images(what, **settings):
        asked.append((what, settings))
        labels = np.repeat(np.arange(5), 4)
        return np.full((20, 8, 8, 1), labels[:, None, None, None], np.uint8), labels

    def load_examples(what, split, *, memory, **settings):
        return data.Examples(*images(what, split=split, **settings))

    monkeypatch.setattr(few_shot.data, "images", images)
    monkeypatch.setattr(few_shot.data, "load_examples", load_examples)
    return asked


def test_classes_that_are_left_out(letters):
    recipe = RECIPE.change(target="letters", target_split="all", target_without=(1, 3), image_size=8, invert=True)
    images, labels = few_shot.target_images(recipe)
    assert labels.tolist() == [0] * 4 + [2] * 4 + [4] * 4
    np.testing.assert_array_equal(images[:, 0, 0, 0], labels)
    form = {"split": "all", "image_size": (8, 8), "channels": 1, "invert": True, "labels": True}
    assert letters == [("letters", form)]
    assert len(few_shot.target_images(recipe.change(target_without=()))[0]) == 20
    few_shot.target_images(recipe.change(target_options={"where": {"script": "greek"}}))
    assert letters[-1] == ("letters", form | {"where": {"script": "greek"}})
    with pytest.raises(InputError, match="target_without leaves no image of letters"):
        few_shot.target_images(recipe.change(target_without=tuple(range(5))))
    with pytest.raises(InputError, match="tiny has no target to be measured on: give one by --target"):
        few_shot.target_images(RECIPE)


def test_the_judges_are_asked_what_the_recipe_says(letters, monkeypatch):
    asked = []

    class FewShot:
        def __init__(self, *images, **settings):
            asked.append(settings)
            self.protocol = {"fid_unreliable": True, "accuracy": 0.5}
            self.without_model = dict

    monkeypatch.setattr(few_shot.evaluation, "FewShot", FewShot)
    recipe = RECIPE.change(target=Target(target="letters", judge_steps=3, samples=9, domain_by_class=True))
    made = judged(recipe.change(precision="bfloat16", source_options={"classes": "a"}), seed=4)
    settings = {"samples": 9, "seed": 4, "steps": 3, "domain_by_class": True, "precision": "mixed_bfloat16"}
    assert asked == [settings | {"cache_dir": pathlib.Path("nowhere"), "verbose": 1}]
    assert [what for what, _ in letters] == ["lines/16", "letters"]
    assert letters[0][1]["classes"] == "a" and "classes" not in letters[1][1]  # of the source's own dataset
    assert "too few images" in made.note and made.protocol["accuracy"] == 0.5
    judged(recipe)
    assert asked[1]["precision"] == "float32"


@pytest.mark.parametrize(("most", "count"), [(20 * 64, 20), (20 * 64 - 1, 19), (7 * 64, 7)])
def test_judges_know_a_random_part_of_a_large_source(most, count, letters, monkeypatch):
    known = []

    class FewShot:
        def __init__(self, images, labels, *_, **__):
            known.append(labels.tolist())
            np.testing.assert_array_equal(images[:, 0, 0, 0], labels)
            self.protocol = {"fid_unreliable": False}
            self.without_model = dict

    monkeypatch.setattr(few_shot.evaluation, "FewShot", FewShot)
    monkeypatch.setattr(few_shot, "MOST_SOURCE", most)
    recipe = RECIPE.change(target=Target(target="letters", judge_steps=3, samples=9), image_size=8)
    made, again = judged(recipe), judged(recipe)
    assert len(known[0]) == count and known[0] == known[1] and len(set(known[0])) > 1
    told = f"The judges know {count} of the source's 20 images, drawn at random."
    assert (told in made.note) == (made.protocol.get("source_images_in_all") == 20) == (count < 20)
    assert made.protocol == again.protocol


def test_pairs_are_of_one_class():
    labels = np.array([0, 1, 1, 2, 0, 3])
    pairs = few_shot.same_class_sets(labels, 7, 2, seed=0)
    assert pairs.shape == (7, 2)
    assert (labels[pairs[:, 0]] == labels[pairs[:, 1]]).all()
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert set(labels[pairs[:2, 0]]) == {0, 1}  # in turn
    np.testing.assert_array_equal(pairs, few_shot.same_class_sets(labels, 7, 2, seed=0))
    assert (pairs != few_shot.same_class_sets(np.repeat([0, 1], 3), 7, 2, seed=1)).any()
    with pytest.raises(InputError, match="No class of the target has 2 images"):
        few_shot.same_class_sets(np.arange(3), 2, 2, seed=0)


def test_sets_are_of_classes_that_have_enough():
    labels = np.array([0] * 3 + [1] * 5 + [2] * 4)
    sets = few_shot.same_class_sets(labels, 6, 4, seed=0)
    assert sets.shape == (6, 4) and all(len(set(one)) == 4 for one in sets.tolist())
    assert [set(labels[one]) for one in sets] in ([{1}, {2}] * 3, [{2}, {1}] * 3)


# Classes and views


def test_labels_of_classes_and_of_attributes(monkeypatch):
    asked = []

    def images(what, **settings):
        asked.append(settings)
        named = settings["labels"] is not True
        return np.zeros((3, 8, 8, 1), np.uint8), np.array([[1, 0], [0, 1], [1, 1]]) if named else np.array([4, 5, 6])

    monkeypatch.setattr(classes.data, "images", images)
    recipe = RECIPE.change(image_size=8, source_options={"where": {"a": 1}})
    assert classes.labelled(recipe, "test")[1].tolist() == [4, 5, 6]
    assert asked[0]["where"] == {"a": 1} and asked[0]["split"] == "test"  # what was trained on, and no more
    named = recipe.change(attributes=("Male", "Smiling"))
    assert classes.labelled(named, "test")[1].tolist() == [1, 2, 3]
    assert asked[1]["labels"] == ("Male", "Smiling")
    assert classes.labelled(recipe.change(attributes={"4": (0, 1)}), "train")[1].tolist() == [4, 5, 6]


class Halves:
    """Clusters images by whether they are bright, and numbers them otherwise than the labels."""

    def clusters_of(self, images):
        return 1 + (images.mean(axis=(1, 2, 3)) > 0).astype(int)


def test_clusters_are_measured_against_classes(monkeypatch, tmp_path):
    labels = {"train": np.repeat([0, 1], 20), "test": np.array([0, 0, 0, 1, 1, 1, 1, 1] * 3)}

    def images(what, split, **settings):
        rng, bright = np.random.default_rng(len(split)), labels[split].copy()
        bright[:3] = 1 - bright[:3] if split == "test" else bright[:3]  # three of the test images lie
        return (np.where(bright, 200, 50)[:, None, None, None] + rng.integers(0, 20, (len(bright), 8, 8, 1))).astype(
            np.uint8
        ), labels[split]

    monkeypatch.setattr(classes.data, "images", images)
    made = judged(RECIPE.change(image_size=8, yardstick="clusters"))
    row = made.measure(Halves(), None)
    assert row["clustering_accuracy"] == pytest.approx(21 / 24)
    assert row["clustering_accuracy_learned"] == row["clustering_nmi_learned"] == 1.0
    assert 0 < row["clustering_nmi"] < 1
    assert made.bases()["k-means of pixels"]["clustering_accuracy"] == pytest.approx(21 / 24)
    assert set(made.columns) <= set(row)
    made.picture({"halves": Halves()}, tmp_path / "comparison.png")
    assert (tmp_path / "comparison.png").exists()


@pytest.mark.parametrize(("smoke", "many"), [(False, 10_000), (True, 500)])
def test_clusters_are_those_of_so_many_images(smoke, many, monkeypatch):
    drawn = np.zeros((10_010, 1, 1, 1), np.uint8), np.arange(10_010) % 2
    monkeypatch.setattr(classes.data, "images", lambda *args, **settings: drawn)
    asked = []

    class Counts(Halves):
        def clusters_of(self, images):
            asked.append(len(images))
            return np.zeros(len(images), int)

    judged(RECIPE.change(image_size=1, yardstick="clusters"), smoke=smoke).measure(Counts(), None)
    assert asked == [many, many]


def test_clusters_are_not_asked_of_what_makes_images_alone():
    yardsticks.check_measurable("clusters", MMDC, AAE)
    with pytest.raises(InputError, match="GLO has no encoder"):
        yardsticks.check_measurable("clusters", GLO)
    with pytest.raises(InputError, match="MMDC has no encoder, and what classes measures"):
        yardsticks.check_measurable("classes", MMDC)


def test_views_are_of_the_one_object_that_was_trained_on(monkeypatch):
    asked = []

    class Stop(Exception):
        pass

    def of(*given, **settings):
        asked.append((given, settings))
        raise Stop

    monkeypatch.setattr(views.data, "views", of)
    for options in ({}, {"where": {"object_id": "obj3"}}):
        with pytest.raises(Stop):
            judged(RECIPE.change(yardstick="views", source="pole", source_options=options))
    assert [one["series"] for _, one in asked] == [None, ["obj3"]]
    assert asked[0][0] == ("pole", (16, 16), 1)


def test_points_are_measured_without_a_model():
    recipe = Recipe("", "", Data("spiral", form="points"), target=Target("points"))
    row = judged(recipe).bases()["pixel_fade"]
    assert set(row) == {"distance"} and row["distance"] > 0.01  # mixed points leave the spiral
    assert judged(recipe, seed=1).bases()["pixel_fade"] != {"pixel_fade": row}
    assert data.spiral.points(4, seed=1).shape == (4, 2)


class Doubling:
    """Codes are twice the values; what is decoded may be moved off."""

    mixing = Linear()

    def __init__(self, image_shape, moved=0.0):
        self.image_shape, self.moved = image_shape, moved

    def encode(self, images):
        return 2.0 * images

    def decode(self, codes):
        return 0.5 * codes + self.moved


def test_points_are_measured_from_the_spiral(tmp_path, monkeypatch):
    yard = judged(Recipe("", "", Data("spiral", form="points"), target=Target("points")))
    near, far = (yard.measure(Doubling((2,), moved), None) for moved in (0.0, 1000.0))
    assert set(near) >= {*yard.columns, "distance"}
    assert near["distance"] == pytest.approx(yard.bases()["pixel_fade"]["distance"], rel=1e-4)  # the same mixes
    given = data.spiral.points(200, seed=1_000_000)
    curve = data.spiral.curve(np.linspace(0.0, data.spiral.LAST_ANGLE, 10_000))
    expected = np.linalg.norm(given[:, np.newaxis] - curve, axis=2).min(axis=1).mean()
    assert near["distance_reconstruction"] == pytest.approx(expected, rel=1e-3)
    assert near["consistency"] == pytest.approx(0.0, abs=1e-4)  # they are encoded again to what was mixed
    assert far["distance"] > 1000.0 < far["distance_reconstruction"] and far["consistency"] > 1000.0

    figures = []
    monkeypatch.setattr(points, "save", lambda figure, path: figures.append(figure))
    yard.picture({"A": Doubling((2,)), "B": Doubling((2,), 1000.0)}, tmp_path / "x.png")
    drawn = {axis.get_title(): [one.get_offsets() for one in axis.collections] for axis in figures[0].axes}
    assert list(drawn)[:3] == ["mixed points", "A", "B"]
    for title, moved in (("mixed points", 0.0), ("A", 0.0), ("B", 1000.0)):
        np.testing.assert_allclose(drawn[title][0], given)
        np.testing.assert_allclose(drawn[title][1], drawn["mixed points"][1] + moved, atol=1e-3)


@pytest.fixture
def of_two_classes(monkeypatch):
    """Judging images of two classes that lie far apart, by their values themselves."""

    class Judging:
        def features(self, images):
            return images.reshape(len(images), -1)[:, :3]

    def images(what, split, **settings):
        labels = np.repeat([0, 1], 40)
        bright = np.where(labels, 200, 50)[:, None, None, None]
        noise = np.random.default_rng(len(split)).integers(-20, 20, (80, 1, 1, 1))
        return np.broadcast_to(bright + noise, (80, 4, 4, 1)).astype(np.uint8), labels

    asked = []
    monkeypatch.setattr(classes.data, "images", images)
    monkeypatch.setattr(
        classes.evaluation, "train_classifier", lambda *given, **how: asked.append((given, how)) or Judging()
    )
    return asked


CLASSES = Recipe("", "", Data("digits", image_size=4), target=Target("classes"))


def test_classes_are_what_codes_know(of_two_classes):
    yard = judged(CLASSES, seed=3)
    (_, labels, count), how = of_two_classes[0]
    assert len(labels) == 80 and count == 2
    assert how == {"width": 8, "steps": 100, "seed": 3, "cache_dir": pathlib.Path("nowhere")}
    row = yard.measure(Doubling((4, 4, 1)), None)
    assert set(yard.columns) <= set(row) and "mixer" not in row
    assert row["probe_accuracy"] == row["clustering_accuracy"] == 1.0
    assert row["fid_reconstruction"] == pytest.approx(0.0, abs=1e-3) and row["fid_mix"] > 0.01  # mixes are between
    base = yard.bases()["pixel_fade"]
    assert base["fid_mix"] == pytest.approx(row["fid_mix"], rel=1e-3) and "probe_accuracy" not in base
    moved = yard.measure(Doubling((4, 4, 1), 0.2), None)
    assert moved["fid_reconstruction"] == pytest.approx(3 * 0.2**2, rel=0.05)  # three features, each moved by 0.2


def test_a_collapsed_models_other_measures_count(of_two_classes):
    class Collapsed(Doubling):
        def encode(self, images):
            return 0.0 * images

    row = judged(CLASSES).measure(Collapsed((4, 4, 1)), None)
    assert "clustering_accuracy" not in row and row["probe_accuracy"] == pytest.approx(0.5)
    assert row["fid_mix"] > 0.1


def test_classes_of_a_model_with_a_mixer(of_two_classes, monkeypatch):
    model = Doubling((4, 4, 1))
    model.mixer = types.SimpleNamespace(input_shape=(None, 5))
    monkeypatch.setattr(classes.evaluation, "bernoulli_parameters", lambda mixer, count: {"count": count})
    assert judged(CLASSES).measure(model, None)["mixer"] == {"count": 5}


def test_figures_of_classes_leave_out_what_has_no_such_measure(monkeypatch):
    drawn = []
    monkeypatch.setattr(classes.evaluation, "draw_codes", lambda table, path: drawn.append(table))
    monkeypatch.setattr(classes.evaluation, "draw_bernoulli_parameters", lambda mixer, path: drawn.append(mixer))
    table = {"pixel_fade": {"fid_mix": 1.0}, "A": {"probe_accuracy": 1.0}, "B": {"probe_accuracy": 0.5, "mixer": 7}}
    classes._draw_codes(table, None)
    classes._draw_mixer(table, None)
    assert drawn == [{"A": table["A"], "B": table["B"]}, 7]


# Pictures


@pytest.fixture
def grids(monkeypatch):
    """What `save_grid` and `save_corners` are given."""
    given = []
    monkeypatch.setattr(paths.generation, "save_grid", lambda path, rows, labels: given.append((path, rows, labels)))
    monkeypatch.setattr(paths.generation, "save_corners", lambda *corners: given.append(corners))
    return given


def test_paths_are_drawn_a_row_a_system_pair_behind_pair(grids):
    first, second = np.full((2, 4, 4, 1), -0.5, np.float32), np.full((2, 4, 4, 1), 0.5, np.float32)
    second[1] = 1.0
    known = np.arange(2 * 3 * 16, dtype=np.float32).reshape(2, 3, 4, 4, 1) / 100
    paths.draw(first, second, {"truth": known}, 3, {"A": Doubling((4, 4, 1), 0.125)}, "x.png")
    ((path, rows, labels),) = grids
    assert path == "x.png" and labels == ["truth", "pixel fade", "A"]
    np.testing.assert_array_equal(rows[0], known.reshape(6, 4, 4, 1))
    np.testing.assert_allclose(rows[1][:, 0, 0, 0], [-0.5, 0.0, 0.5, -0.5, 0.25, 1.0], atol=1e-6)
    made = np.clip(rows[1] + 0.125, -1.0, 1.0)
    np.testing.assert_allclose(rows[2], made, atol=1e-6)


def test_what_goes_beyond_the_range_counts_in_measures():
    first, second = np.full((1, 4, 4, 1), -0.5, np.float32), np.full((1, 4, 4, 1), 1.0, np.float32)
    made = paths.interpolation(Doubling((4, 4, 1), 0.5))(first, second, [0.0, 1.0])
    np.testing.assert_allclose(made[0, :, 0, 0, 0], [0.0, 1.5], atol=1e-6)
    faded = paths.interpolation(None)(first, second, [0.0, 0.5])
    np.testing.assert_allclose(faded[0, :, 0, 0, 0], [-0.5, 0.25], atol=1e-6)


def test_lines_are_shown_beside_the_true_ones(grids):
    judged().picture({"A": Doubling((16, 16, 1))}, "x.png")
    ((_, rows, labels),) = grids
    assert labels == ["truth", "pixel fade", "A"] and [len(row) for row in rows] == [2 * 11] * 3
    ends = data.to_float(data.lines.render(np.array([0.3, 2.6, 5.5, 3.6]), size=16, width=1.0))
    for row in rows:  # all have the same ends
        np.testing.assert_allclose(row[[0, 10, 11, 21]], ends, atol=1e-6)
    middle = data.to_float(data.lines.render(np.array([(0.3 + 2.6) / 2]), size=16, width=1.0))
    np.testing.assert_allclose(rows[0][5], middle[0], atol=1e-6)  # the line turns evenly


def test_small_forms_measure_fewer_lines(monkeypatch):
    asked = []
    monkeypatch.setattr(lines.evaluation, "lines", lambda *_, **form: asked.append(form) or {})
    judged().measure(None, None)
    assert asked == [{"seed": 0, "size": 16, "width": 1.0, "paths": 64, "references": 2_000}]


def test_few_shot_shows_eight_pairs_of_a_class(letters, monkeypatch):
    class FewShot:
        def __init__(self, *_, **__):
            self.protocol, self.without_model = {"fid_unreliable": False}, dict

        def measure(self, model, name):
            return {"of": name}

    drawn = []
    monkeypatch.setattr(few_shot.evaluation, "FewShot", FewShot)
    monkeypatch.setattr(few_shot.generation, "save_interpolations", lambda *given: drawn.append(given))
    made = judged(RECIPE.change(target=Target(target="letters")))
    assert "Frechet" not in made.note and made.measure(Doubling((8, 8, 1)), None)["of"] == "Doubling"
    turned = []
    monkeypatch.setattr(few_shot.evaluation, "draw_turning", lambda models, _, path, *__, **___: turned.append(path))
    shown = {"A": Doubling((8, 8, 1))}
    made.picture(shown, pathlib.Path("x.png"))
    ((path, first, second, models),) = drawn
    assert (path, models, turned) == (pathlib.Path("x.png"), shown, [pathlib.Path("turning.png")])
    assert first.shape == second.shape == (8, 8, 8, 1) and first.min() == -1.0 and first.max() <= 1.0
    np.testing.assert_array_equal(first, second)  # of one class, whose images are alike here
    pairs = few_shot.same_class_sets(np.repeat(np.arange(5), 4), 8, 2, seed=0)
    np.testing.assert_allclose((first[:, 0, 0, 0] + 1) * 127.5, pairs[:, 0] // 4, atol=1e-4)


@pytest.fixture
def turning(monkeypatch):
    """Two series of 36 views, ten degrees apart, of a brightness of their own each; what measures are asked for."""
    images = np.broadcast_to(np.arange(72, dtype=np.uint8).reshape(2, 36, 1, 1, 1), (2, 36, 4, 4, 1))
    series = types.SimpleNamespace(images=images, step=10, places=np.arange(72).reshape(2, 36))
    asked = []

    def measured(name):
        def measure(*given, **how):
            asked.append((name, given[1:], how))
            return {"mse": float(len(asked)), name: 1}

        return measure

    monkeypatch.setattr(views.data, "views", lambda *_, **__: series)
    for name in ("in_between", "departure", "admissibility"):
        monkeypatch.setattr(views.evaluation, name, measured(name))
    return series, asked


VIEWS = RECIPE.change(yardstick="views", image_size=4)


def test_views_that_were_not_trained_on_are_measured_apart(turning):
    series, asked = turning
    yard = judged(VIEWS)
    row = yard.measure(Doubling((4, 4, 1)), VIEWS.change(share=0.5, seed=3))
    names = [name for name, _, _ in asked]
    assert names == ["in_between", "in_between", "departure", "admissibility"]
    assert asked[0][1:] == ((series,), {"every": 8}) and asked[2][2] == {"pairs": 64}
    (_, lengths), how = asked[1][1:]
    np.testing.assert_array_equal(how.pop("judged"), ~VIEWS.change(share=0.5, seed=3).trained_on(72).reshape(2, 36))
    assert lengths == [80] and how == {"length": 80, "retrieval_length": 80}  # AEAI 4.3
    assert row["mse_unseen"] == 2.0 != row["mse"]
    first, second, _ = asked[3][1]
    levels = [np.rint((ends[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist() for ends in (first, second)]
    assert levels[0] == [0, 8, 16, 24, 32, 36, 44, 52, 60, 68]
    assert levels[1] == [8, 16, 24, 32, 4, 44, 52, 60, 68, 40]  # 80 degrees on, around the circle


def test_views_without_a_share_have_no_second_error_and_fades_have_the_first(turning):
    _, asked = turning
    yard = judged(VIEWS)
    assert "mse_unseen" not in yard.measure(Doubling((4, 4, 1)), VIEWS)
    yard = yardsticks.judge(VIEWS, pathlib.Path("nowhere"))
    asked.clear()
    base = yard.bases()["pixel_fade"]
    assert [name for name, _, _ in asked] == ["in_between", "departure", "admissibility"]
    assert asked[0][2] == {"every": 1} and asked[1][2] == {"pairs": 256} and len(asked[2][1][0]) == 72
    assert base["mse_unseen"] == 1.0


def test_views_are_shown_with_the_true_ones_between(turning, grids):
    judged(VIEWS).picture({"A": Doubling((4, 4, 1))}, pathlib.Path("out", "comparison.png"))
    (path, rows, labels), (corners_path, corners, models) = grids
    assert path.name == "comparison.png" and corners_path == pathlib.Path("out", "corners.png")
    assert labels == ["truth", "pixel fade", "A"] and list(models) == ["A"]
    levels = [np.rint((row[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist() for row in (rows[0], corners)]
    # Every other view of 80 degrees: of the first series from 0, of the last from half a turn on.
    assert levels[0] == [0, 2, 4, 6, 8, 54, 56, 58, 60, 62]
    assert levels[1] == [0, 54, 8, 62]
    for row in rows[1:]:
        np.testing.assert_allclose(row[[0, 4, 5, 9]], rows[0][[0, 4, 5, 9]], atol=1e-6)
