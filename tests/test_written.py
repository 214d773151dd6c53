"""What is written of given results, line by line, as `written.json` has it: tables, reports, advice, cards.

`python -m tests.test_written` writes the file anew after a change that is meant: read the texts first.
"""

import json
import pathlib
from unittest import mock

import numpy as np
import pytest
from kerasinterp.recipes.cola import figure_4_1
from kerasinterp.recipes.inversion import figure_2
from kerasinterp.recipes.scola import appendix, figure_5_2, table_4_3, table_5_1, table_5_2

from kerasinterp import compare, enlarging, generalisation
from kerasinterp.evaluation import table_of_augmentation
from kerasinterp.evaluation.small_sample import WAYS
from kerasinterp.presets import cards
from kerasinterp.yardsticks import Judge
from tests import held

PATH = pathlib.Path(__file__).with_name("written.json")


def numbers(*keys: str, start: float = 0.1, step: float = 0.037) -> dict[str, float]:
    """Numbers that all differ."""
    return {key: start + step * place for place, key in enumerate(keys)}


def intervals(*keys: str, start: float = 0.3) -> dict[str, float]:
    ends = {"": 0.0, "_low": -0.0321, "_high": 0.0456}
    return {f"{key}{end}": value + by for key, value in numbers(*keys, start=start).items() for end, by in ends.items()}


def of_comparisons() -> str:
    runs = {
        "AE": [[{"a": 1.0, "images_seen": 10}, {"a": 1.5, "b": 0.25, "images_seen": 20_000}], [{"a": 1.75, "b": None}]],
        "pixel_fade": [[{"a": 0.012345, "b": None}]],
    }
    judge = Judge(mock.Mock(), dict, {"a": "measure a", "b": "measure b"}, mock.Mock(), note="Few images.")
    table = {name: compare._row(rows) for name, rows in runs.items()}
    return compare.markdown(table, judge) + json.dumps(table) + "\n" + compare._cell({"b": 2.0, "b_seeds": 3}, "b")


def of_generalisation() -> str:
    table = {
        name: {
            key: numbers("MNIST", "faces", start=start)
            for key, start in (("l2", place + 1.0), ("squared_error_255", 7.0))
        }
        for place, name in enumerate(("AE", "IntAE"))
    }
    return generalisation._markdown(table, {"MNIST": np.zeros(1234), "faces": np.zeros(5)})


def of_augmentation() -> str:
    keys = [f"accuracy_{size}{kind}" for size in (5, "all") for kind in ("", "_gain")]
    return table_of_augmentation({"none": intervals("accuracy_5", "accuracy_all"), "affine_of_all": intervals(*keys)})


def report(**gains: float) -> dict:
    """Of an enlarged set; `gains` are the three that advice is of, their intervals 0.05 to both sides."""
    rows = {way: intervals("accuracy", start=0.5 + 0.1 * place) for place, way in enumerate(enlarging.WAYS)}
    for name, value in gains.items():
        way, key = ("mix_transformed", "gain_over_transformed") if name == "over" else (name, "gain")
        rows[way] |= {key: value, f"{key}_low": value - 0.05, f"{key}_high": value + 0.05}
    for way in enlarging.WAYS[1:]:
        rows[way] = {"gain": 0.01, "gain_low": -0.02, "gain_high": 0.04} | rows[way]
    whole = {"classes": ["a", "b"], "real_images": [4, 7], "new_images": [10, 3], "copies": 0.234, "distance": 0.678}
    return whole | rows | {"class_fidelity": 0.9123, "method": "augintae", "seconds": 123.4}


def of_enlarging() -> str:
    given = [
        report(mix=gain, real_transformed=moved, over=over)
        for gain, moved, over in [(0.1, 0.2, 0.07), (-0.1, 0.06, -0.08), (0.01, 0.03, 0.02), (0.2, 0.1, 0.0)]
    ]
    few = {key: value for key, value in given[0].items() if key not in enlarging.WAYS} | {"copies": None}
    advice = [enlarging.advice(one) for one in (*given, few)]
    texts = [enlarging.as_markdown(one | {"advice": "Do this."}) for one in (given[0], few)]
    return "\n".join([*advice, *texts])


def of_cards() -> str:
    rows = {
        "AugIntAE": numbers(*cards._SHOWN, "oracle_accuracy") | {"copies": None},
        "pixel_fade": numbers("class_fidelity", "kernel", start=12.3456),
    }
    measures = [
        {"target": "letters", "split": "test", "shots": shots, "model": "AugIntAE", "rows": rows} for shots in (5, 2)
    ]
    card = {
        "name": "some",
        "description": "What it is.",
        "class": "AugIntAE",
        "parameters": 1234567,
        "image_shape": [28, 28, 1],
        "latent_shape": [32],
        "data": {"description": "Digits", "source": "mnist", "split": "train", "images": 60000, "licence": "free"},
        "training": {
            "images_seen": 6000000,
            "recipe": {"name": "augintae_mnist", "seed": 3, "schedule": {"precision": "float32"}},
            "date": "2026-01-02",
            "versions": {"keras": "3", "tensorflow": "2"},
        },
        "processor": "some processor",
        "limits": ["It knows no faces."],
        "measures": measures,
    }
    few = {key: value for key, value in card.items() if key not in ("measures", "limits")}
    return "\n".join([cards.text(card), cards.fidelity(card), cards.text(few), cards.fidelity(few), cards.shape(card)])


def of_small_samples() -> str:
    keys = (*WAYS, *table_5_1._QUALITY)
    results = {
        f"{method} {size} {seed}": numbers(*keys, start=0.1 + 0.1 * place + 0.03 * seed**2 + size / 100)
        for place, method in enumerate(("real", "scola", "cganpd"))
        for size in (5, 10)
        for seed in range(3 if size == 5 else 1)
    }
    del results["scola 5 0"]["fid"], results["scola 10 0"]["fid"]
    others = {
        f"{name} 100 {seed}": {"parameters": 270_000 + place, "mix": 0.4 + 0.1 * seed, "real": 0.3 + 0.05 * seed**2}
        for place, name in enumerate(("resnet20", "vgg16"))
        for seed in range(2)
    }
    return table_5_1.as_markdown(results, (5, 10), ("scola", "cganpd"), WAYS, 0.8765) + table_5_2.as_markdown(
        others, ("resnet20", "vgg16"), 100
    )


def of_other_tables() -> str:
    kid = numbers("kid", "kid_deviation", start=0.0123)
    scores = {"parameters": 4_567_890, "fid": None, **kid, **numbers("made", "cas_test")}
    ways = {way: numbers("l2", "l1", start=place) for place, way in enumerate(("encoded", "refined"))}
    wide = numbers("cas", start=0.98) | {"cas_low": 0.91, "cas_high": 1.05}
    appendixes = {"real": {"variance": 12.345, "fid": None, **kid, **wide}, "made": {"kid": None, "fid": 3.21, **wide}}
    large = dict.fromkeys(list(figure_4_1.COLUMNS)[1:2], 1234.56)
    return "".join(
        [
            table_4_3.as_markdown({"SCOLA": scores, "cGANPD": scores | {"fid": 12.345}}),
            figure_2.as_markdown({"VAE": {"training": ways, "novel": ways}}),
            appendix.as_markdown(appendixes),
            figure_4_1.as_markdown({"COLA": numbers(*figure_4_1.COLUMNS), "GLO": large}),
            figure_5_2.as_markdown(
                {loss: intervals("accuracy") for loss in ("trained", "vgg16", "k-means", "l1")}, 500
            ),
            figure_5_2.as_markdown({"trained": intervals("accuracy")}, 0),
        ]
    )


WRITTEN = held.cases(globals())


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_what_was_written(name):
    assert WRITTEN[name]().splitlines() == held.read(PATH)[name]


if __name__ == "__main__":
    held.write(PATH, {name: make().splitlines() for name, make in WRITTEN.items()})
