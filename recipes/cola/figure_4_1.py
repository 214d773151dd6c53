"""COLA's figures 4.1 to 4.3: COLA against GLO and other models of images without labels, on networks of one size.

    python -m kerasinterp.recipes.cola.figure_4_1 --data mnist --passes 8 -o figure_4_1

MMDC finds clusters, COLA begins with them, and GLO without; GLO's codes get a mixture of Gaussians afterwards (section
4.1). DIR then holds `table.json`, `table.md`, `figure_4_1.png`, `figure_4_3.png`, and `runs`, which go on when the
command is called again. README.md has what was measured.
"""

import json
import pathlib
import time

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp import data, generation, training
from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation import clustering_accuracy, train_classifier
from kerasinterp.evaluation.clusters import classes_of_clusters
from kerasinterp.evaluation.distances import gaussian_distance, kernel_distance_and_deviation
from kerasinterp.evaluation.figures import draw_bars
from kerasinterp.evaluation.small_sample import SmallSample
from kerasinterp.files import read_text, write_text
from kerasinterp.nn import conv4
from kerasinterp.recipe import Recipe, find
from kerasinterp.run import Run

COLUMNS = {
    "fid": "Frechet distance",
    "kid": "kernel distance x 1000",
    "cas": "CAS, %",
    "cas_test": "CAS-Test, %",
    "clusters": "clusters that are classes, %",
}
_CLUSTERS = 10
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
    classifier_steps: int,
    seed: int,
) -> dict:
    """Writes what the module's text says; returns the table.

    Args:
        rivals: names of other objectives for networks of that size: a row each, of distances alone.
        passes: over the images, of each generator.
        share: of the recipes' width.
        clusters: a run of MMDC; None for one of the recipe.
        made: images made of each cluster.
    """
    first = find(f"mmdc_{source}").change(seed=seed)
    clusters = clusters or _run(first, output / "runs" / "MMDC")
    cola, glo = (
        _shortened(find(f"{name}_{source}"), passes, share, seed).change(objective_options=options)
        for name, options in (
            ("cola", {"classes": _CLUSTERS, "initialisation": initialisation}),
            ("glo", {"initialisation": initialisation}),
        )
    )
    recipes = {"COLA": cola.change(after=str(clusters)), "GLO": glo}
    recipes |= {name: training.with_objective(glo, name) for name in rivals}
    sizes = {"image_size": first.data.size, "channels": first.data.channels, "labels": True}
    train, test = (
        data.load_examples(source, split, **sizes) for split in (first.data.split, first.target.target_split)
    )
    judge = train_classifier(
        np.asarray(train.images),
        train.labels,
        len(train.classes),
        steps=judge_steps,
        cache_dir=output / "judge",
        verbose=1,
    )
    measured = SmallSample(test, steps=classifier_steps, batch_size=64, network=conv4.classifier)
    sample = train.select(np.random.default_rng(seed).permutation(len(train))[: _CLUSTERS * made])
    table, shown = {}, {}
    for name, recipe in recipes.items():
        began = time.process_time()
        model = generation.load_generator(_run(recipe, output / "runs" / name) / "model.keras")
        spent = time.process_time() - began
        if hasattr(model, "prior_of") or hasattr(model, "mixture"):
            if hasattr(model, "prior_of"):
                known = np.asarray(model.clusters)
                wanted = np.repeat(np.unique(known), made)
                codes = model.prior_of(wanted, seed)
            else:
                known = model.mixture(_CLUSTERS, seed)
                wanted = np.repeat(np.unique(known), made)
                codes = model.of_mixture(known, wanted, seed)
            images = data.to_uint8(generation.decode(model, codes))
            classes = classes_of_clusters(known, train.labels)
            shown[name] = images.reshape(-1, made, *images.shape[1:])[:, :_SHOWN]
            new = Examples(images, classes[wanted], train.classes)
            found = measured.measure(sample, new, ("made", "real"), seed)
            table[name] = {"cas": 100 * found["made"], "cas_test": 100 * found["cas_test"], "real": 100 * found["real"]}
            table[name]["clusters"] = 100 * clustering_accuracy(known, train.labels)
        else:
            images = data.to_uint8(generation.sample(model, _CLUSTERS * made, seed))
            table[name] = {}
        table[name] |= _distances(judge, images, test) | ({"seconds": spent} if spent > 5.0 else {})
    table["real"] = _distances(judge, np.asarray(sample.images), test) | {"cas": table["COLA"]["real"]}
    protocol = {"passes": passes, "share": share, "initialisation": initialisation, "made": made, "seed": seed}
    protocol |= {"processor": processor.describe(), "judge_accuracy": judge.accuracy}
    write_text(output / "table.json", json.dumps(table | {"protocol": protocol}, indent=1) + "\n")
    write_text(output / "table.md", as_markdown(table))
    draw_bars(table, output / "figure_4_1.png", COLUMNS)
    rows = [np.concatenate(pair) for pair in zip(*shown.values(), strict=True)]
    generation.save_grid(output / "figure_4_3.png", rows, [f"cluster {one}" for one in range(len(rows))], scale=2)
    return table


def as_markdown(table: dict) -> str:
    lines = [f"| | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in table.items():
        cells = ["" if row.get(key) is None else f"{row[key]:.3g}" for key in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _shortened(recipe: Recipe, passes: int, share: float, seed: int) -> Recipe:
    return recipe.change(width=max(1, round(share * recipe.backbone.width)), epochs=passes, snapshot_every=0, seed=seed)


def _run(recipe: Recipe, folder: pathlib.Path) -> pathlib.Path:
    """The folder of the recipe's run, which is begun, gone on with, or done."""
    run = Run(folder)
    if not run.is_finished(recipe):
        training.train(recipe, folder, resume=run.exists)
    return folder


def _distances(judge, images: np.ndarray, test: Examples) -> dict[str, float]:
    rng = np.random.default_rng(0)
    features = [
        judge.features(one[rng.permutation(len(one))[: len(images)]]) for one in (np.asarray(test.images), images)
    ]
    kid, deviation = kernel_distance_and_deviation(*features)
    return {"fid": gaussian_distance(*features), "kid": 1000 * kid, "kid_deviation": 1000 * deviation}


@click.command()
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--data", "source", default="mnist", show_default=True, type=click.Choice(["mnist", "cifar10"]))
@click.option("--rival", "rivals", multiple=True, help="An objective without classes, WGANGP say; may be repeated.")
@click.option("--passes", default=8, show_default=True, type=click.IntRange(1), help="Of each generator (C.2: 500).")
@click.option("--share", default=0.5, show_default=True, type=click.FloatRange(0.0, 1.0, min_open=True))
@click.option("--initialisation", default="random", show_default=True, type=click.Choice(["random", "pca"]))
@click.option("--clusters", type=click.Path(exists=True, path_type=pathlib.Path), help="A run of MMDC.")
@click.option("--made", default=500, show_default=True, type=click.IntRange(10), help="Images of each cluster.")
@click.option("--judge-steps", default=2000, show_default=True, type=click.IntRange(1))
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
