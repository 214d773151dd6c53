"""COLA's figure 5.2: SCOLA trained with one measure of likeness or another, and what its images are worth.

    python -m kerasinterp.recipes.scola.figure_5_2 -o DIR [--vgg FILE]

DIR then holds `table.json`, `table.md`, `figure.png` and `results.json`, from which the command goes on when it
is called again, and `models`; `resnet32.keras` is the network of the loss `trained`. README.md has what was measured.
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

from kerasinterp.recipes.scola.experiment import NETWORKS, kept_results, labelled, protocol_of

from kerasinterp import callbacks, enlarging, processor, training
from kerasinterp.data.memory import for_images
from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import draw_bars
from kerasinterp.evaluation.learner import interval
from kerasinterp.files import write_text
from kerasinterp.recipe import Recipe, find

# Section 5.3.1, without VGG, whose weights are not shipped; "trained" saw more images than the others.
LOSSES = ("laplacian", "l1", "k-means", "random", "trained")
_BATCH = 128  # C.3
_PIXELS = {"laplacian": "laplacian", "l1": "absolute"}
_TRAINED = "accuracy of trained"
_NAMES = {"laplacian": "Laplacian pyramid", "l1": "L1", "vgg16": "ImageNet VGG16", "none": "no new images"}


def figure_5_2(
    output: pathlib.Path,
    recipe: Recipe,
    losses: tuple[str, ...],
    *,
    vgg: pathlib.Path | None = None,
    test_split: str = "test",
    steps: int,
    samples: int,
    trained_on: int,
    trained_steps: int,
    made: int,
    network: str,
    classifier_steps: int,
    repeats: int,
) -> dict:
    """Writes what the module's docstring says, and goes on from `results.json`; returns the table.

    Its accuracies are those of classifiers that learn as in C.3, half of each batch new images; its intervals are over
    samples or, of a single one, over repeats.

    Args:
        recipe: SCOLA's, of a small sample; its seed draws the first one.
        losses: of `LOSSES`.
        vgg: a file of VGG16's weights, for a loss more.
        test_split: what classifiers are tested on; of a recipe of a folder another folder.
        steps: of each model.
        samples: how many are drawn, for each of which all losses have a model.
        trained_on, trained_steps: images a class that `trained` learns from (0: all), and how long.
        made: images a class that each model makes.
        network, classifier_steps, repeats: of the classifiers that score a model; `repeats` initial weights.
    """
    if samples * repeats < 2:
        raise InputError("Give two samples or repeats, or more: intervals need them.")
    protocol = {
        "recipe": recipe.name,
        "images_a_class": recipe.data.per_class,
        "batch_size": recipe.schedule.batch_size,
        "width": recipe.backbone.width,
        "steps": steps,
        "trained_on": trained_on,
        "trained_steps": trained_steps,
        "made_a_class": made,
        "network": network,
        "classifier_steps": classifier_steps,
        "repeats": repeats,
        "seed": recipe.seed,
        "test_split": test_split,
        "vgg": vgg and hashlib.sha256(vgg.read_bytes()).hexdigest(),
    }
    scores, write = kept_results(output, protocol)
    losses, seeds = (*losses, *(["vgg16"] if vgg else []), "none"), range(recipe.seed, recipe.seed + samples)
    todo = [(seed, loss) for seed in seeds for loss in losses if f"{loss} {seed}" not in scores]
    if todo:
        measured = protocol_of(network, labelled(recipe.data, test_split), classifier_steps, _BATCH)
    for seed, loss in todo:
        own = recipe.change(seed=seed)
        sample = new = training.learned_from(own, for_images())
        print(f"{name_of(loss)}, sample {seed}")
        if loss != "none":
            weights = vgg if loss == "vgg16" else loss
            if loss == "trained":
                weights = output / "resnet32.keras"
                if _TRAINED not in scores or not weights.exists():
                    scores[_TRAINED] = _train_classifier(recipe, weights, trained_on, trained_steps)
                    write()
            own = own.change(
                objective_options=_options(loss, weights), batch_size=min(recipe.schedule.batch_size, len(sample))
            )
            own = enlarging.in_passes(own, len(sample), steps)
            model = enlarging.trained(own, sample, output / "models" / f"{loss}_{seed}.keras")
            new = enlarging.made_of_classes(model, sample, np.full(len(sample.classes), made), seed)
        way = "real" if loss == "none" else "mix"
        scores[f"{loss} {seed}"] = [
            measured.measure(sample, new, (way,), seed + 1000 * repeat)[way] for repeat in range(repeats)
        ]
        write()
    table = {}
    for loss in losses:
        found = np.array([scores[f"{loss} {seed}"] for seed in seeds])
        table[loss] = interval("accuracy", found.mean(axis=1) if samples > 1 else found[0])
    told = {"samples": samples, "accuracy_of_trained": scores.get(_TRAINED)}
    protocol |= told | {"processor": processor.describe()}
    write_text(output / "table.json", json.dumps(table | {"protocol": protocol}, indent=1) + "\n")
    write_text(output / "table.md", as_markdown(table, trained_on))
    rows = {name_of(loss): {"accuracy": 100 * row["accuracy"], "half": 100 * _half(row)} for loss, row in table.items()}
    draw_bars(rows, output / "figure.png", {"accuracy": "accuracy in %, 95% interval"}, errors={"accuracy": "half"})
    return table


def name_of(loss: str) -> str:
    return _NAMES.get(loss, f"{loss} ResNet-32")


def as_markdown(table: dict, trained_on: int) -> str:
    """Accuracies in percent, +- half of their 95% intervals."""
    saw = {
        "trained": f"{trained_on or 'all'} labelled images a class",
        "vgg16": "ImageNet",
        "k-means": "the sample",
        "random": "the sample, for its statistics",
    }
    rows = [
        f"| {name_of(loss)} | {100 * row['accuracy']:.2f} +- {100 * _half(row):.2f} | {saw.get(loss, '')} |"
        for loss, row in table.items()
    ]
    return "\n".join(["| loss | accuracy | its network saw |", "|---|---|---|", *rows]) + "\n"


def _half(row: dict[str, float]) -> float:
    return (row["accuracy_high"] - row["accuracy_low"]) / 2


def _options(loss: str, weights: object) -> dict:
    if loss in _PIXELS:
        return {"reconstruction_loss": _PIXELS[loss]}
    return {"perceptual": {"network": "vgg16" if loss == "vgg16" else "resnet32", "weights": str(weights)}}


def _train_classifier(recipe: Recipe, path: pathlib.Path, trained_on: int, steps: int) -> float:
    """Keeps the classifier; returns its accuracy on images held out."""
    examples = training.learned_from(recipe.change(per_class=trained_on), for_images())
    classifier = training.train_resnet32(examples, steps, recipe.seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    callbacks.write_model(classifier.model, path)
    return classifier.accuracy


@click.command()
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--recipe", "name", default="scola_cifar10_small", show_default=True, help="A recipe of SCOLA.")
@click.option(
    "--per-class", default=50, show_default=True, type=click.IntRange(2), help="Images a class (paper: 1% of CIFAR-10)."
)
@click.option("--test", "test_split", default="test", show_default=True, help="A split, or of folders a folder.")
@click.option("--loss", "losses", multiple=True, type=click.Choice(LOSSES), help="May be repeated. Default: all.")
@click.option("--vgg", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path), help="VGG16's weights.")
@click.option(
    "--steps", default=2000, show_default=True, type=click.IntRange(1), help="Of each model (C.2: 500 epochs)."
)
@click.option("--generator-batch-size", "batch_size", default=128, show_default=True, type=click.IntRange(2))
@click.option("--width", default=64, show_default=True, type=click.IntRange(1), help="Of the generator.")
@click.option("--samples", default=3, show_default=True, type=click.IntRange(1))
@click.option(
    "--trained-on",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Images a class that the trained ResNet-32 has seen, more than the others; 0 for all, as in the paper.",
)
@click.option("--trained-steps", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--made", default=200, show_default=True, type=click.IntRange(2), help="New images a class.")
@click.option("--network", default="resnet20", show_default=True, type=click.Choice([*NETWORKS]), help="Classifiers.")
@click.option("--classifier-steps", default=500, show_default=True, type=click.IntRange(2))
@click.option("--repeats", default=1, show_default=True, type=click.IntRange(1), help="Classifiers of each model.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31))
def main(
    output: pathlib.Path,
    name: str,
    per_class: int,
    losses: tuple[str, ...],
    batch_size: int,
    width: int,
    seed: int,
    **settings: int,
) -> None:
    """Measures what SCOLA's images are worth by the loss that it was trained with."""
    try:
        recipe = find(name).change(per_class=per_class, batch_size=batch_size, width=width, seed=seed)
        table = figure_5_2(output, recipe, losses or LOSSES, **settings)
    except InputError as error:
        raise click.ClickException(str(error)) from error
    click.echo(as_markdown(table, settings["trained_on"]))


if __name__ == "__main__":
    main()
