"""COLA's appendices: images of concentrated and of sparse codes, what FID and CAS say of them, and other classes.

    python -m kerasinterp.recipes.scola.appendix runs/scola -o DIR

DIR then holds `figure_a1.png`, `figure_a2.png` with `table_a2.md` and `table_a2.json`, `figure_b3.png`; and
`results.json`, from which the command goes on when it is called again. MODEL is a run folder or a model's file in one.
"""

import hashlib
import json
import pathlib

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.scola.experiment import NETWORKS, away, evenly, judge_of, kept_results, labelled, protocol_of

from kerasinterp import compare, data, generation, training
from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation import Classifier
from kerasinterp.evaluation.figures import draw_bars
from kerasinterp.evaluation.learner import interval
from kerasinterp.files import write_text
from kerasinterp.generation.checks import needs
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.run import Run
from kerasinterp.yardsticks.few_shot import MOST_SOURCE

_REAL = "real sample"
SPREADS = (0.1, 1.0)  # ours; README.md says why .1 is concentrated
_SHOWN = 8  # images of a row, and rows
_CLASSES = 10  # columns of figure B.3
_TITLES = {
    "variance": "variance within classes (real images: 1)",
    "fid": "FID",
    "kid": "kernel distance",
    "cas": "CAS",
}


def appendix(
    path: pathlib.Path,
    output: pathlib.Path,
    *,
    spreads: tuple[float, float] = SPREADS,
    split: str = "",
    made: int,
    network: str,
    classifier_steps: int,
    batch_size: int,
    repeats: int,
    judge_steps: int,
    seed: int,
) -> dict:
    """Writes figures A.1, A.2 and B.3; returns table A.2, by set of images and measure.

    Args:
        path: a run folder, or a model's file in one.
        spreads: of the concentrated and the sparse codes.
        split: of unseen images; by default the recipe's target.
        made: images made of each class.
        network, classifier_steps, batch_size, repeats: of the classifiers of CAS; `repeats` initial weights of each.
        judge_steps: of the classifier whose features distances take.

    Raises:
        InputError: no recipe beside the model, a model that did not learn from classes, no unseen images of them.
    """
    path = Run(path).model if Run(path).exists else path
    model, recipe = generation.load_model(path), compare.recipe_beside(path)
    if recipe is None:
        raise InputError(f"There is no recipe.json beside {path} to say what it learned from: give a run folder.")
    needs(model, "prior_of")
    if not training.system(recipe).needs_classes:
        raise InputError(f"{type(model).__name__} was given no classes to learn, and CAS asks for them.")
    sample = training.learned_from(recipe, MOST_SOURCE)
    sets = dict(zip(("concentrated", "sparse"), spreads, strict=True))
    digest = hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in model.weights)).hexdigest()
    protocol = {"model": digest[:16], "split": split or recipe.target.target_split, "seed": seed, "made": made}
    protocol |= {"network": network, "classifier_steps": classifier_steps, "batch_size": batch_size}
    results, write = kept_results(output, protocol | {"judge_steps": judge_steps})
    _draw_spreads(model, sample, sets, output / "figure_a1.png", seed)
    if hasattr(model, "with_class"):
        _draw_transfer(model, sample, output / "figure_b3.png")

    names = {name: str(spread) for name, spread in sets.items()} | {_REAL: _REAL}
    if todo := [key for key in names.values() if len(results.get(key, {}).get("scores", ())) < repeats]:
        learned, test = _unseen(recipe, sample, protocol["split"])
        judge = judge_of(learned, judge_steps, output / "judge")
        labels, new = np.random.default_rng(seed).permutation(np.repeat(np.unique(sample.labels), made)), {}
        real = evenly(test)
        features = judge.features(np.asarray(real.images))
        for key in dict.fromkeys(todo):
            results.setdefault(key, {"scores": []})
            if key != _REAL:
                images = generation.decode(model, model.prior_of(labels, seed, float(key)))
                new[key] = Examples(data.to_uint8(images), labels, sample.classes)
                results[key] |= _distances(judge, features, real.labels, new[key], seed)
        measured = protocol_of(network, test, classifier_steps, batch_size)
        for repeat in range(repeats):
            for key in todo:
                if len(results[key]["scores"]) <= repeat:
                    way, number = "made" if key in new else "real", (seed + 1000 * repeat) % 2**32
                    found = measured.measure(sample, new.get(key, sample), (way,), number)
                    results[key]["scores"].append(found[way])
                    print(f"{key}: classifier {repeat + 1} of {repeats}", flush=True)
                    write(judge_accuracy=judge.accuracy)
    rows = {}
    for name, key in names.items():
        measures = {measure: value for measure, value in results[key].items() if measure != "scores"}
        rows[name] = measures | interval("cas", np.array(results[key]["scores"][:repeats]))
    write_text(output / "table_a2.json", json.dumps(rows | {"protocol": protocol | sets}, indent=1) + "\n")
    write_text(output / "table_a2.md", as_markdown(rows))
    bars = {name: row | {"cas_half": row["cas_high"] - row["cas"]} for name, row in rows.items()}
    draw_bars(bars, output / "figure_a2.png", _TITLES, {"kid": "kid_deviation", "cas": "cas_half"})
    return rows


def as_markdown(rows: dict) -> str:
    """A row a set; CAS as a share in %, with its 95% interval."""
    lines = ["| images | variance within classes | FID | kernel distance | CAS |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        known = {key: value for key, value in row.items() if value is not None}
        cells = [f"{known[key]:.2f}" if key in known else "" for key in ("variance", "fid")]
        cells.append("{kid:.4f} +- {kid_deviation:.4f}".format(**known) if "kid" in known else "")
        cas = np.clip([100 * row[f"cas{end}"] for end in ("", "_low", "_high")], 0.0, 100.0)  # Student's has no bounds
        cells.append("{:.1f} ({:.1f} to {:.1f})".format(*cas))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _unseen(recipe: Recipe, sample: Examples, split: str) -> tuple[Examples, Examples]:
    """Images that the model did not learn from, for the judge to learn from and to compare with, none in both.

    They are of the classes that it learned, numbered as it numbers them. Of its own split half are for either.
    """
    own = recipe.data
    whole = labelled(own)
    free = np.flatnonzero(~recipe.trained_on(len(whole), whole.labels))
    if split == own.split:
        free = np.random.default_rng(0).permutation(free)
        parts = [whole.select(free[::2]), whole.select(free[1::2])]
    else:
        parts = [whole.select(free) if len(free) else whole, labelled(own, split)]
    found = []
    for part in parts:
        numbers = np.array([sample.classes.index(name) if name in sample.classes else -1 for name in part.classes])
        labels = numbers[part.labels] if len(part) else np.zeros(0, int)
        if not (labels >= 0).any():
            raise InputError(
                f"The split {split} of {own.source} has no unseen image of the classes: give another --split."
            )
        kept = part.select(np.flatnonzero(labels >= 0))
        found.append(Examples(np.asarray(kept.images), labels[labels >= 0], sample.classes))
    return found[0], found[1]


def _distances(
    judge: Classifier, real: np.ndarray, classes: np.ndarray, made: Examples, seed: int
) -> dict[str, float | None]:
    """`away` of the classes that unseen images have, alike in both, and the variance within them over theirs.

    Args:
        real, classes: the judge's features of unseen images, and these images' classes.
    """
    made = made.select(np.isin(made.labels, classes))
    new = judge.features(np.asarray(made.images))
    return away(new, real, seed) | {"variance": _within(new, made.labels) / _within(real, classes)}


def _within(features: np.ndarray, labels: np.ndarray) -> float:
    """The mean over classes of their features' total variance."""
    return float(np.mean([features[labels == one].var(axis=0).sum() for one in np.unique(labels)]))


def _some(sample: Examples, most: int) -> np.ndarray:
    """At most so many of the classes, from all of them."""
    known = np.unique(sample.labels)
    return known[np.arange(min(most, len(known))) * len(known) // min(most, len(known))]


def _draw_spreads(model: Objective, sample: Examples, sets: dict[str, float], path: pathlib.Path, seed: int) -> None:
    """Figure A.1: of each of a few classes a row of concentrated codes, and below it one of sparse ones."""
    rows, names = [], []
    for one in _some(sample, _SHOWN // 2):
        for name, spread in sets.items():
            codes = model.prior_of(np.full(_SHOWN, one), seed, spread)
            rows.append(generation.decode(model, codes))
            names.append(f"{sample.classes[one]}, {name}")
    generation.save_grid(path, rows, names)


def _draw_transfer(model: Objective, sample: Examples, path: pathlib.Path) -> None:
    """Figure B.3: an image of each of some classes, made of its own code, and with other classes' parts."""
    if not np.array_equal(model.clusters.numpy(), sample.labels):
        raise InputError("The model learned from other images than its recipe finds now: bring those back.")
    places = [int(np.flatnonzero(sample.labels == one)[0]) for one in _some(sample, _SHOWN)]
    codes, classes = model.latents.numpy()[places], _some(sample, _CLASSES)
    made = generation.transfer(model, codes, classes)
    columns = {"own code": generation.decode(model, codes)[:, None]}
    columns |= {f"as {sample.classes[one]}": made[:, [number]] for number, one in enumerate(classes)}
    generation.save_few_shot(path, np.asarray(sample.images)[places][:, None], columns, heading="real")


@click.command()
@click.argument("model", type=click.Path(path_type=pathlib.Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option(
    "--spreads",
    nargs=2,
    default=SPREADS,
    show_default=True,
    type=click.FloatRange(0, 1e6),
    help="Of codes about their class's mean: of the concentrated, and of the sparse set.",
)
@click.option("--split", default="", help="Of unseen images.  [default: the recipe's target]")
@click.option("--made", default=500, show_default=True, type=click.IntRange(2), help="Images made of each class.")
@click.option("--network", default="resnet20", show_default=True, type=click.Choice([*NETWORKS]), help="Of CAS.")
@click.option("--classifier-steps", default=500, show_default=True, type=click.IntRange(2))
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(2), help="Of these classifiers.")
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(2), help="Of each of them.")
@click.option("--judge-steps", default=2000, show_default=True, type=click.IntRange(1), help="Of that of distances.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
def main(model: pathlib.Path, output: pathlib.Path, **settings: object) -> None:
    """Draws COLA's figures A.1, A.2 and B.3 of MODEL, and writes what A.2 measures as a table."""
    try:
        click.echo(as_markdown(appendix(model, output, **settings)))
    except InputError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
