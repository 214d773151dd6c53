"""AugIntAE's table 3: a letters classifier trained without augmentation and with one or another.

    python -m kerasinterp.recipes.augmentation.table_3 AE=ae.keras AugIntAE=augintae.keras maps=maps.keras -o DIR

DIR then holds `table.json`, `table.md`, `table.png` and `accuracies.json`, from which the command goes on when it is
called again. README.md has what was measured.
"""

import json
import pathlib

import click

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp import data, generation
from kerasinterp.errors import InputError
from kerasinterp.evaluation import Augmentation, draw_augmentation, table_of_augmentation
from kerasinterp.files import write_text

# Images a class, and the steps of each classifier: README.md says how they were chosen.
STEPS = "20=600,100=1200,all=2000"


def table_3(
    models: dict[str, pathlib.Path],
    output: pathlib.Path,
    steps: dict[int | str, int],
    source: tuple[str, str, str] = ("handwritten_az", "train", "test"),
    **settings: int,
) -> dict:
    """Writes `table.json`, `table.md` and `table.png`, and goes on from `accuracies.json`; returns the table.

    Args:
        models: by the row's name, `.keras` files or presets.
        steps: as `evaluation.Augmentation`, and so `settings`.
        source: a dataset, the split that classifiers learn from, and the one that they are tested on.
    """
    name, *splits = source
    loaded = {row: generation.load_model(path) for row, path in models.items()}
    train, test = (data.load_examples(name, split, labels=True) for split in splits)
    measured = Augmentation(train, test, steps, kept=output / "accuracies.json", verbose=1, **settings)
    table = measured.measure(loaded)
    protocol = measured.protocol | {
        "steps": {str(size): number for size, number in steps.items()},
        "data": list(source),
        "models": {row: str(path) for row, path in models.items()},
        "processor": processor.describe(),
    }
    write_text(output / "table.json", json.dumps(table | {"protocol": protocol}, indent=1) + "\n")
    write_text(output / "table.md", table_of_augmentation(table))
    draw_augmentation(table, output / "table.png")
    return table


def _steps(context: click.Context, parameter: click.Parameter, text: str) -> dict[int | str, int]:
    try:
        pairs = [one.partition("=") for one in text.split(",")]
        return {size if size == "all" else int(size): int(steps) for size, _, steps in pairs}
    except ValueError:
        raise click.BadParameter(f"{text!r} is not SIZE=STEPS,...: give {STEPS}, say.") from None


@click.command()
@click.argument("models", nargs=-1, metavar="NAME=MODEL...")
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--data", "source", default="handwritten_az", show_default=True, help="A dataset.")
@click.option("--split", default="train", show_default=True, help="What classifiers learn from.")
@click.option("--test", default="test", show_default=True, help="What they are tested on.")
@click.option(
    "--steps", default=STEPS, show_default=True, callback=_steps, help="SIZE=STEPS,...: images a class, steps."
)
@click.option("--runs", default=10, show_default=True, type=click.IntRange(2))
@click.option(
    "--width", default=64, show_default=True, type=click.IntRange(1), help="Of the classifier (64: the paper)."
)
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(2))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
def main(
    models: tuple[str, ...], output: pathlib.Path, source: str, split: str, test: str, steps: dict, **settings: int
) -> None:
    """Measures what each way of augmentation, MODELs' among them, is worth to a classifier."""
    if wrong := [one for one in models if not all(one.partition("="))]:
        raise click.UsageError(f"{wrong[0]!r} is no NAME=MODEL.")
    named = {name: pathlib.Path(path) for name, _, path in (one.partition("=") for one in models)}
    try:
        click.echo(table_of_augmentation(table_3(named, output, steps, (source, split, test), **settings)))
    except InputError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
