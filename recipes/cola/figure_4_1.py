"""COLA's figures 4.1 to 4.3: COLA against GLO and other models of images without labels, on networks of one size.

    python -m kerasinterp.recipes.cola.figure_4_1 --data mnist --passes 8 -o figure_4_1

MMDC finds clusters, COLA begins with them, and GLO without; GLO's codes get a mixture of Gaussians afterwards (section
4.1). DIR then holds `table.json`, `table.md`, `figure_4_1.png`, `figure_4_3.png`, and `runs`, which go on when the
command is called again. README.md has what was measured.
"""

import dataclasses
import json
import pathlib

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.scola.experiment import NETWORKS, SHARE, judge_of, labelled, protocol_of

from kerasinterp import data, generation, training
from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation import clustering_accuracy
from kerasinterp.evaluation.clusters import classes_of_clusters
from kerasinterp.evaluation.distances import distances
from kerasinterp.evaluation.figures import draw_bars
from kerasinterp.files import read_text, write_text
from kerasinterp.objectives import Objective
from kerasinterp.recipe import find
from kerasinterp.run import Run

COLUMNS = {
    "fid": "Frechet distance",
    "kid": "kernel distance x 1000",
    "cas": "CAS, %",
    "cas_test": "CAS-Test, %",
    "clusters": "clusters that are classes, %",
    "images_seen": "images seen",
}
_CLUSTERS = 10
_BATCH = 128  # COLA C.3
_SHOWN = 10  # images of a cluster in figure 4.3


def figure_4_1(
    output: pathlib.Path,
    source: str,
    rivals: tuple[str, ...],
    *,
    passes: int,
    share: float,
    initialisation: str,
    clusters: pathlib.Path | None,
    made: int,
    judge_steps: int,
    network: str,
    classifier_steps: int,
    seed: int,
) -> dict:
    """Writes what the module's text says; returns the table.

    Classes of clusters are those of most of their training images, one to one.

    Args:
        rivals: recipes whose systems and optimizers get networks of that size: a row each, of distances alone.
        passes: over the images, of each generator.
        share: of the recipes' width.
        clusters: a run of MMDC; None for one of the recipe.
        made: images made of each cluster.
    """
    protocol = {key: value for key, value in locals().items() if key not in ("output", "rivals", "clusters")}
    first, recipes = find(f"mmdc_{source}").change(seed=seed), {}
    short = {"epochs": passes, "snapshot_every": 0, "seed": seed}
    for name in ("COLA", "GLO"):
        own = find(f"{name.lower()}_{source}")
        options = own.objective_options | {"initialisation": initialisation}
        recipes[name] = own.change(objective_options=options, width=max(1, round(share * own.backbone.width)), **short)
    for name in rivals:
        other = find(name)
        own = training.with_objective(recipes["GLO"], other.objective)
        recipes[name] = dataclasses.replace(own, optimizers=other.optimizers)
    for recipe in (first, *recipes.values()):
        training.check(recipe)  # before anything is trained
    train = labelled(first.data)
    test = labelled(first.data, first.target.target_split, train)
    clusters = clusters or training.finished(first, output / "runs" / "MMDC").folder
    before = Run(clusters).recipe.schedule
    recipes["COLA"] = recipes["COLA"].change(after=str(clusters))

    order = np.random.default_rng(seed).permutation(len(train))
    learned, unseen = train.select(order[_CLUSTERS * made :]), train.select(order[: _CLUSTERS * made])
    judge = judge_of(learned, judge_steps, output / "judge")
    real = judge.features(np.asarray(test.images))

    def away(images: np.ndarray) -> dict[str, float]:
        found = distances(judge.features(images), real)
        return found | {key: 1000 * found[key] for key in ("kid", "kid_deviation")}

    table, made_by, shown = {"real": away(np.asarray(unseen.images))}, {}, {}
    for name, recipe in recipes.items():
        model = generation.load_generator(training.finished(recipe, output / "runs" / name).model)
        seen = recipe.schedule.steps * recipe.schedule.batch_size
        table[name] = {"images_seen": seen + (before.steps * before.batch_size if name == "COLA" else 0)}
        if name in rivals:
            images = data.to_uint8(generation.sample(model, _CLUSTERS * made, seed))
        else:
            known, wanted, codes = _codes(model, made, seed)
            images = data.to_uint8(generation.decode(model, codes))
            classes = classes_of_clusters(known, train.labels)[wanted]
            made_by[name] = Examples(images, classes, train.classes)
            shown[name] = [images[classes == one][:_SHOWN] for one in range(_CLUSTERS)]
            table[name]["clusters"] = 100 * clustering_accuracy(known, train.labels)
        table[name] |= away(images)
    measured = protocol_of(network, test, classifier_steps, _BATCH)
    found = measured.measure(unseen, made_by["COLA"], ("real", "made"), seed, {"GLO": made_by["GLO"]})
    for name, end in (("COLA", ""), ("GLO", " GLO")):
        table[name] |= {key: 100 * found[f"{one}{end}"] for key, one in (("cas", "made"), ("cas_test", "cas_test"))}
    table["real"]["cas"] = 100 * found["real"]
    told = protocol | {"processor": processor.describe(), "judge_accuracy": judge.accuracy}
    write_text(output / "table.json", json.dumps(table | {"protocol": told}, indent=1) + "\n")
    write_text(output / "table.md", as_markdown(table))
    draw_bars(table, output / "figure_4_1.png", COLUMNS, errors={"kid": "kid_deviation"})
    _draw(output / "figure_4_3.png", shown, first.data.shape)
    return table


def as_markdown(table: dict) -> str:
    lines = [f"| | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in table.items():
        cells = ["" if row.get(key) is None else f"{row[key]:,.{0 if row[key] >= 1000 else 1}f}" for key in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _codes(model: Objective, made: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The clusters of the images learned from, those of new ones, as many of each, and codes of the new ones."""
    own = hasattr(model, "prior_of")
    known = np.asarray(model.clusters) if own else model.mixture(_CLUSTERS, seed)
    wanted = np.repeat(np.unique(known), made)
    return known, wanted, model.prior_of(wanted, seed) if own else model.of_mixture(known, wanted, seed)


def _draw(path: pathlib.Path, shown: dict[str, list[np.ndarray]], shape: tuple[int, int, int]) -> None:
    """Figure 4.3: a row a class, each model's images in a column of its own; nothing where no cluster has the class."""
    blank = np.full((_SHOWN, *shape), 255, np.uint8)
    gap, rows = blank[:1], []
    for number in range(_CLUSTERS):
        parts = [np.concatenate([own[number], blank])[:_SHOWN] for own in shown.values()]
        rows.append(np.concatenate([part for one in parts for part in (one, gap)][:-1]))
    generation.save_grid(path, rows, [", ".join(shown), *[""] * (_CLUSTERS - 1)], scale=2)


@click.command()
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--data", "source", default="mnist", show_default=True, type=click.Choice(["mnist", "cifar10"]))
@click.option("--rival", "rivals", multiple=True, help="A recipe without classes, wgangp_mnist say; may be repeated.")
@click.option("--passes", default=8, show_default=True, type=click.IntRange(1), help="Of each generator (C.2: 500).")
@click.option("--share", default=0.5, show_default=True, type=SHARE, help="Of the recipes' width.")
@click.option("--initialisation", default="random", show_default=True, type=click.Choice(["random", "pca"]))
@click.option("--clusters", type=click.Path(exists=True, path_type=pathlib.Path), help="A run of MMDC.")
@click.option("--made", default=500, show_default=True, type=click.IntRange(10), help="Images of each cluster.")
@click.option("--judge-steps", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--network", default="resnet20", show_default=True, type=click.Choice([*NETWORKS]), help="Of CAS.")
@click.option("--classifier-steps", default=500, show_default=True, type=click.IntRange(2))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
def main(output: pathlib.Path, **settings) -> None:
    """Compares generators of images without labels."""
    try:
        figure_4_1(output, **settings)
        click.echo(read_text(output / "table.md"))
    except InputError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
