"""What every figure of measures draws, for given results, as `drawn.json` has it: data, names, axes and looks.

`python -m tests.evaluation.test_drawn` writes the file anew after a change that is meant: look at the figures first.
"""

import json
import pathlib
import re
import tempfile
import types
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
from kerasinterp.recipes.scola import table_5_1
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from kerasinterp import compare, evaluation
from kerasinterp.evaluation import sample_size
from kerasinterp.evaluation.few_shot_figure import draw_usefulness
from kerasinterp.evaluation.inversion import draw_errors
from kerasinterp.recipe import Data, Recipe, Target
from kerasinterp.yardsticks import points
from tests import held
from tests.evaluation import toys

PATH = pathlib.Path(__file__).with_name("drawn.json")
NAMES = ("AE", "pixel_fade")


def rows(*keys: str) -> dict[str, dict[str, float]]:
    """By system and measure, numbers that all differ."""
    return {name: {key: 0.1 * (place + 1) + 1.3 * n for n, key in enumerate(keys)} for place, name in enumerate(NAMES)}


def curves(*keys: str, length: int = 3) -> dict[str, dict[str, list[float]]]:
    return {
        name: {key: [0.1 * (place + 1) + n + 0.3 * one**2 for one in range(length)] for n, key in enumerate(keys)}
        for place, name in enumerate(NAMES)
    }


def with_intervals(*keys: str) -> dict[str, dict[str, float]]:
    ends = {"": 0.0, "_low": -0.02, "_high": 0.05}
    return {
        name: {key + end: value / 4 + by for key, value in row.items() for end, by in ends.items()}
        for name, row in rows(*keys).items()
    }


def in_between(path: pathlib.Path) -> None:
    errors = curves("alphas", "mse", "std", "lengths")
    by = {name: {"by_alpha": row | {"length": 60}, "by_length": row} for name, row in errors.items()}
    evaluation.draw_in_between(by, path)


def few_shot(path: pathlib.Path) -> None:
    table = rows("class_fidelity", "fid", "l2") | {"real": {"fid": 0.5}}
    table["AE"]["class_fidelity"] = None
    evaluation.draw_few_shot(table, path)


def usefulness(path: pathlib.Path) -> None:
    table = with_intervals("usefulness_2", "usefulness_5", "usefulness_2_augmented", "usefulness_5_augmented")
    draw_usefulness(table | {"seeds": with_intervals("usefulness_2")["AE"]}, path)


def comparison(path: pathlib.Path) -> None:
    seeds = [[{"images_seen": n * 1000, "fid": 5.0 - n + seed, "l2": 9.0 / n} for n in (1, 2)] for seed in (0, 1)]
    seeds[1].append({"images_seen": 3000, "fid": 1.0})  # the other seed has none there
    judge = types.SimpleNamespace(columns={"fid": "Frechet distance", "l2": "L2"})
    compare._draw_curves(path, {"AE": seeds, "pixel_fade": [[{"images_seen": 1000, "l2": 3.0}]]}, judge)


def of_samples(draw: Callable, *which: tuple, path: pathlib.Path) -> None:
    """Three random samples of 5 and one of 10 images a class."""
    results = {
        f"{method} {size} {sample}": {key: 0.1 * sample + 0.02 * size + n for n, key in enumerate(keys)}
        for method in ("scola", "cganpd")
        for size, samples in ((5, 3), (10, 1))
        for sample in range(samples)
        for keys in [("real", "mix", *table_5_1._QUALITY)]
    }
    draw(results, (5, 10), *which, path)


def one_by_one(draw: Callable, *keys: str, **more: float) -> Callable[[pathlib.Path], None]:
    return lambda path: draw({name: row | more for name, row in rows(*keys).items()}, path)


def spiral(path: pathlib.Path) -> None:
    with mock.patch.object(points, "_POINTS", 6):
        recipe = Recipe("tiny", "", Data("spiral"), target=Target("points"))
        points.judge(recipe, None, smoke=False, seed=0).picture({"model": toys.moving()}, path)


FIGURES: dict[str, Callable[[pathlib.Path], Any]] = {
    "admissibility": one_by_one(
        evaluation.draw_admissibility, "boundary", "monotonicity", "lipschitz", "credibility", lipschitz_max=7.0
    ),
    "augmentation": lambda path: evaluation.draw_augmentation(with_intervals("accuracy_20", "accuracy_all"), path),
    "bernoulli_parameters": lambda path: evaluation.draw_bernoulli_parameters(
        {"attributes": ["none", "all"], "parameters": [[0.1, 0.2, 0.3], [0.9, 1.0, 0.0]]}, path
    ),
    "codes": one_by_one(
        evaluation.draw_codes,
        *("probe_accuracy", "clustering_accuracy", "cluster_distance", "cluster_distance_relative"),
        cluster_distance_std=0.25,
    ),
    "comparison": comparison,
    "departure": lambda path: evaluation.draw_departure(
        {name: row | {"span": 90.0} for name, row in curves("alphas", "source", "target").items()}, path
    ),
    "few_shot": few_shot,
    "in_between": in_between,
    "inversion": lambda path: draw_errors(
        {"VAE": np.array([[1.0, 2.0], [0.5, 0.7], [0.1, 0.2]]), "AE": np.array([[2.0, 4.0], [1.0, 0.0]])}, path
    ),
    "lines": one_by_one(evaluation.draw_lines, "mean_distance", "smoothness", "smoothness_official", "paths_left_out"),
    "mixes": one_by_one(
        evaluation.draw_mixes, "fid_mix", "fid_reconstruction", "consistency_relative", fid_mix_std=0.5
    ),
    "noise": lambda path: evaluation.draw_noise(
        {"AE": {4: 0.2, 1: 0.1}, "VAE": {1: 0.9, 4: 0.3}}, {"AE": {"letters": 0.4, "digits": 0.3}}, path
    ),
    "points": spiral,
    "retrieval": lambda path: evaluation.draw_retrieval(
        {name: {"retrieval": row} for name, row in curves("alphas", "lower", "median", "upper").items()}, path
    ),
    "sample_size": lambda path: sample_size.draw_sample_size(path, 1.0, 0.5, (0.0, 0.5), most=4),
    "table_5_1 quality": lambda path: of_samples(table_5_1.draw_quality, ("scola", "cganpd"), path=path),
    "table_5_1 ways": lambda path: of_samples(table_5_1.draw_ways, "scola", ("real", "mix"), path=path),
    "usefulness": usefulness,
}


def numbers(values: Any) -> Any:
    """To five digits: sums may round otherwise elsewhere."""
    return [numbers(one) for one in values] if np.ndim(values) else float(f"{float(values):.5g}")


def artist(one: Any) -> list | None:
    match one:
        case Line2D():
            look = [
                one.get_color(),
                one.get_linestyle(),
                one.get_linewidth(),
                str(one.get_marker()),
                one.get_markersize(),
            ]
            return ["line", *look, one.get_label().split("_child")[0], numbers(one.get_xydata())]
        case PathCollection():
            return ["points", numbers(one.get_offsets())]
        case LineCollection():
            return ["whiskers", numbers(one.get_segments())]
        case PolyCollection():
            return ["area", numbers([path.vertices for path in one.get_paths()])]
        case AxesImage():
            return ["image", numbers(one.get_array()), numbers(one.get_clim())]
    return None


def described(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {"legends": [[text.get_text() for text in one.get_texts()] for one in figure.legends]}
    found["size"] = numbers(figure.get_size_inches())
    for number, axis in enumerate(figure.axes):
        named = [[text.get_text() for text in side] for side in (axis.get_xticklabels(), axis.get_yticklabels())]
        found[f"{number} names"] = [axis.get_title(), axis.get_xlabel(), axis.get_ylabel()]
        found[f"{number} ticks"] = [side for side in named if not all(_is_number(text) for text in side)]
        found[f"{number} grid"] = axis.get_gridspec().get_geometry() if axis.get_gridspec() else None
        found[f"{number} scales"] = [axis.get_xscale(), axis.get_yscale(), axis.get_aspect()]
        found[f"{number} limits"] = [numbers(axis.get_xlim()), numbers(axis.get_ylim())]
        found[f"{number} drawn"] = [made for one in axis.get_children() if (made := artist(one))]
        bars = axis.patches
        found[f"{number} bars"] = [[numbers(one.get_bbox().extents), numbers(one.get_facecolor())] for one in bars]
        found[f"{number} texts"] = [text.get_text() for text in axis.texts]
        own = axis.get_legend()
        found[f"{number} legend"] = [text.get_text() for text in own.get_texts()] if own else []
    return found


def _is_number(text: str) -> bool:
    return not text or re.fullmatch(r"\W*[\d.]+[kM]?", text) is not None or "math" in text


def drawn() -> dict[str, dict[str, Any]]:
    found = {}
    for name, draw in FIGURES.items():
        with mock.patch.object(Figure, "savefig", autospec=True) as saved, tempfile.TemporaryDirectory() as folder:
            saved.side_effect = lambda figure, file, **_: pathlib.Path(file).touch()
            draw(pathlib.Path(folder, "figure.png"))
        (call,) = saved.call_args_list
        found[name] = described(call.args[0])
    return json.loads(json.dumps(found))


@pytest.mark.filterwarnings("ignore:.*constrained_layout.*")
def test_figures_draw_what_they_drew():
    assert not held.changed(PATH, drawn())


if __name__ == "__main__":
    held.write(PATH, drawn())
