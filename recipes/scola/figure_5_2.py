"""COLA's figure 5.2: SCOLA trained with one measure of likeness or another, and what its images are worth.

    python -m kerasinterp.recipes.scola.figure_5_2 -o DIR [--vgg FILE]

DIR then holds `table.json`, `table.md`, `figure.png` and `scores.json`, from which the command goes on when it is
called again, and `models`; `resnet32.keras` is the network of the loss `trained`. README.md has what was measured.
"""

import json
import pathlib

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp import callbacks, data, enlarging, training
from kerasinterp.data import Examples
from kerasinterp.data.memory import for_images
from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import draw_bars
from kerasinterp.evaluation.learner import interval
from kerasinterp.evaluation.worth import classification_scores
from kerasinterp.files import read_text, write_text
from kerasinterp.recipe import Recipe, find

# Section 5.3.1, without VGG, whose weights are not shipped; "trained" saw more images than the others.
LOSSES = ("laplacian", "l1", "k-means", "random", "trained")
KEYS = {"mix": "half new", "cas": "new alone (CAS)", "cas_test": "of new (CAS-Test)"}
_PIXELS = {"laplacian": "laplacian", "l1": "absolute"}
_NAMES = {"laplacian": "Laplacian pyramid", "l1": "L1", "vgg16": "ImageNet VGG16"}


def figure_5_2(
    output: pathlib.Path,
    recipe: Recipe,
    losses: tuple[str, ...],
    *,
    vgg: pathlib.Path | None = None,
    steps: int,
    samples: int,
    trained_on: int,
    trained_steps: int,
    made: int,
    **classifier: int,
) -> dict:
    """Writes what the module's docstring says, and goes on from `scores.json`; returns the table.

    Args:
        recipe: SCOLA's, of a small sample; its seed draws the first one.
        losses: of `LOSSES`.
        vgg: a file of VGG16's weights, for a loss more.
        steps: of each model.
        samples: how many are drawn, for each of which all losses have a model.
        trained_on, trained_steps: images a class that `trained` learns from (0: all), and how long.
        made: images a class that each model makes.
        classifier: `steps`, `width` and `repeats` of `classification_scores`, each after `classifier_`.
    """
    settings = {name.removeprefix("classifier_"): value for name, value in classifier.items()}
    protocol = {
        "recipe": recipe.name,
        "images_a_class": recipe.data.per_class,
        "steps": steps,
        "batch_size": recipe.schedule.batch_size,
        "width": recipe.backbone.width,
        "trained_on": trained_on,
        "trained_steps": trained_steps,
        "made_a_class": made,
        "classifiers": settings,
    }
    kept = _read(output / "scores.json", protocol)
    losses += ("vgg16",) if vgg else ()
    todo = [(seed, loss) for seed in range(recipe.seed, recipe.seed + samples) for loss in losses]
    todo = [(seed, loss) for seed, loss in todo if f"{loss} {seed}" not in kept["scores"]]
    _write(output, kept)  # models that lie there are of this experiment
    unseen = _unseen(recipe) if todo else None
    for seed, loss in todo:
        weights = vgg if loss == "vgg16" else loss
        if loss == "trained":
            weights = output / "resnet32.keras"
            if kept["accuracy"] is None or not weights.exists():
                kept["accuracy"] = _train_classifier(recipe, weights, trained_on, trained_steps)
                _write(output, kept)
        print(f"{name_of(loss)}, sample {seed}")
        own = recipe.change(seed=seed, objective_options=_options(loss, weights))
        sample = training.learned_from(own, for_images())
        own = own.change(batch_size=min(own.schedule.batch_size, len(sample)))
        own = enlarging.in_passes(own, len(sample), steps)
        model = enlarging.trained(own, sample, output / "models" / f"{loss}_{seed}.keras")
        new = enlarging.made_of_classes(model, sample, np.full(len(sample.classes), made), seed)
        kept["scores"][f"{loss} {seed}"] = classification_scores(sample, unseen, new, seed=seed, **settings)
        _write(output, kept)
    seeds = range(recipe.seed, recipe.seed + samples)
    found = {loss: [kept["scores"][f"{loss} {seed}"] for seed in seeds] for loss in losses}
    alone = {key.replace("real", "mix"): one for key, one in _over_samples(found[losses[0]], "real").items()}
    table = {loss: _over_samples(own) for loss, own in found.items()} | {"none": alone}
    protocol |= {"samples": samples, "seed": recipe.seed, "accuracy_of_trained": kept["accuracy"]}
    write_text(output / "table.json", json.dumps(table | {"protocol": protocol}, indent=1) + "\n")
    write_text(output / "table.md", as_markdown(table, trained_on))
    rows = {
        name_of(loss): {key: 100 * row[key] for key in KEYS if key in row}
        | {f"{key}_error": 50 * (row[f"{key}_high"] - row[f"{key}_low"]) for key in KEYS if key in row}
        for loss, row in table.items()
    }
    titles = {key: f"accuracy in %, {title}" for key, title in KEYS.items()}
    draw_bars(rows, output / "figure.png", titles, errors={key: f"{key}_error" for key in KEYS})
    return table


def name_of(loss: str) -> str:
    return _NAMES.get(loss, "no new images" if loss == "none" else f"{loss} ResNet-32")


def as_markdown(table: dict, trained_on: int) -> str:
    """Accuracies in percent, +- half of their 95% intervals."""
    lines = ["| loss | " + " | ".join(KEYS.values()) + " | its network saw |", "|---" * (len(KEYS) + 2) + "|"]
    saw = {
        "trained": f"{trained_on or 'all'} labelled images a class",
        "vgg16": "ImageNet",
        "k-means": "the sample",
        "random": "the sample's statistics",
    }
    for loss, row in table.items():
        cells = [
            f"{100 * row[key]:.2f} +- {50 * (row[f'{key}_high'] - row[f'{key}_low']):.2f}" if key in row else ""
            for key in KEYS
        ]
        lines.append(f"| {name_of(loss)} | {' | '.join(cells)} | {saw.get(loss, '')} |")
    return "\n".join(lines) + "\n"


def _options(loss: str, weights: object) -> dict:
    if loss in _PIXELS:
        return {"reconstruction_loss": _PIXELS[loss]}
    return {"perceptual": {"network": "vgg16" if loss == "vgg16" else "resnet32", "weights": str(weights)}}


def _unseen(recipe: Recipe) -> Examples:
    own = recipe.data
    sizes = {"image_size": own.size, "channels": own.channels, "invert": own.invert}
    return data.load_examples(own.source, "test", labels=True, **sizes, **own.source_options)


def _train_classifier(recipe: Recipe, path: pathlib.Path, trained_on: int, steps: int) -> float:
    """Keeps the classifier; returns its accuracy on images held out."""
    examples = training.learned_from(recipe.change(per_class=trained_on), for_images())
    classifier = training.train_resnet32(examples, steps, recipe.seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    callbacks.write_model(classifier.model, path)
    return classifier.accuracy


def _over_samples(scores: list[dict], *keys: str) -> dict[str, float]:
    """Means, and intervals over samples; of a single one those over repeats."""
    found = {}
    for key in keys or KEYS:
        if len(scores) > 1:
            found |= interval(key, np.array([one[key] for one in scores]))
        else:
            found |= {f"{key}{end}": scores[0][f"{key}{end}"] for end in ("", "_low", "_high")}
    return found


def _read(path: pathlib.Path, protocol: dict) -> dict:
    if not path.exists():
        return {"protocol": protocol, "accuracy": None, "scores": {}}
    try:
        kept = json.loads(read_text(path))
        held, _, _ = kept["protocol"], kept["accuracy"], kept["scores"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no file of scores: remove it, and they are made again.") from error
    if changed := [name for name in protocol if held.get(name) != protocol[name]]:
        raise InputError(f"{path} is of an experiment with other {', '.join(changed)}: choose another --output.")
    return kept


def _write(output: pathlib.Path, kept: dict) -> None:
    write_text(output / "scores.json", json.dumps(kept, indent=1) + "\n")


@click.command()
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--recipe", "name", default="scola_cifar10_small", show_default=True, help="A recipe of SCOLA.")
@click.option(
    "--per-class", default=50, show_default=True, type=click.IntRange(2), help="Images a class (paper: 1% of CIFAR-10)."
)
@click.option("--loss", "losses", multiple=True, type=click.Choice(LOSSES), help="May be repeated. Default: all.")
@click.option("--vgg", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path), help="VGG16's weights.")
@click.option(
    "--steps", default=2000, show_default=True, type=click.IntRange(1), help="Of each model (C.2: 500 epochs)."
)
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(2))
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
@click.option("--classifier-steps", default=600, show_default=True, type=click.IntRange(1))
@click.option("--classifier-width", default=16, show_default=True, type=click.IntRange(1))
@click.option("--repeats", "classifier_repeats", default=2, show_default=True, type=click.IntRange(2))
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
