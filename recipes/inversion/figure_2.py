"""AugIntAE's figure 2, and a table: what generative models can represent of training and of novel classes.

    python -m kerasinterp.recipes.inversion.figure_2 -o figure_2 VAE=runs/vae_mnist/model.keras \\
        WGANGP=runs/inversion_adam_mnist/model.keras AugIntAE=runs/augintae_mnist/model.keras

A column a model: training images, encoded, drawn from the prior; letters, encoded, refined (the "oracle encoder").
"""

import json
import pathlib

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.augintae_mnist import recipe as augintae

from kerasinterp import data, generation
from kerasinterp.errors import InputError
from kerasinterp.evaluation.inversion import representation
from kerasinterp.files import write_text
from kerasinterp.generation.inversion import RATE, STEPS
from kerasinterp.yardsticks import few_shot

ROWS = ("training images", "encoded", "refined", "from the prior", "novel images", "encoded", "refined")
_SHOWN = 8  # images of a model in the figure


def images_of(count: int, seed: int) -> dict[str, np.ndarray]:
    """MNIST's test images, and letters that do not look like digits, uint8 (count, 28, 28, 1) each."""
    recipe, rng = augintae.RECIPE, np.random.default_rng(seed)
    digits = data.images(recipe.data.source, split="test", image_size=28, channels=1)
    letters, _ = few_shot.target_images(recipe)
    return {
        name: own[rng.choice(len(own), count, replace=False)]
        for name, own in (("training", digits), ("novel", letters))
    }


def figure_2(
    models: dict[str, pathlib.Path], output: pathlib.Path, count: int, steps: int, rates: tuple[float, ...], seed: int
) -> dict:
    """Writes `figure_2.png`, `table.json` and `table.md`; returns the table: errors by model, domain and code."""
    shown, table, columns = images_of(count, seed), {}, []
    for name, path in models.items():
        model = generation.load_generator(path)
        made, table[name] = {}, {}
        for kind, images in shown.items():
            table[name][kind] = {}
            for rate in rates:
                errors, made[kind] = representation(model, images, steps=steps, rate=rate, seed=seed)
                table[name][kind] |= {"encoded": errors["encoded"], f"refined at {rate:g}": errors["refined"]}
        blank = np.full((_SHOWN, *model.image_shape), 255, np.uint8)
        drawn = generation.sample(model, _SHOWN, seed) if hasattr(model, "prior") else blank
        rows = [shown["training"], *made["training"].values(), drawn, shown["novel"], *made["novel"].values()]
        columns.append([_as_bytes(row[:_SHOWN]) for row in rows])
    gap = np.full((1, *columns[0][0].shape[1:]), 255, np.uint8)
    joined = [np.concatenate([part for row in rows for part in (row, gap)][:-1]) for rows in zip(*columns, strict=True)]
    generation.save_grid(output / "figure_2.png", joined, list(ROWS))
    write_text(output / "table.json", json.dumps(table, indent=1) + "\n")
    write_text(output / "table.md", as_markdown(table))
    return table


def as_markdown(table: dict) -> str:
    """L2 (0 to 255) and L1 (of a range of 2), a row a model and way to its codes."""
    lines = ["| | training: L2 | L1 | novel: L2 | L1 |", "|---|---|---|---|---|"]
    for name, own in table.items():
        for way in own["training"]:
            cells = [f"{own[kind][way][key]:{form}}" for kind in own for key, form in (("l2", ".1f"), ("l1", ".4f"))]
            lines.append(f"| {name}, {way} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _as_bytes(images: np.ndarray) -> np.ndarray:
    return images if images.dtype == np.uint8 else data.to_uint8(images)


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="NAME=MODEL...")
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--count", default=200, show_default=True, type=click.IntRange(_SHOWN), help="Images of each domain.")
@click.option("--steps", default=STEPS, show_default=True, type=click.IntRange(1))
@click.option("--rate", "rates", multiple=True, default=(RATE, 1.0), show_default=True, help="May be repeated.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
def main(
    models: tuple[str, ...], output: pathlib.Path, count: int, steps: int, rates: tuple[float, ...], seed: int
) -> None:
    """Draws AugIntAE's figure 2 of MODELs, and writes what they were measured at as a table."""
    if wrong := [one for one in models if not all(one.partition("="))]:
        raise click.UsageError(f"{wrong[0]!r} is no NAME=MODEL.")
    named = {name: pathlib.Path(path) for name, _, path in (one.partition("=") for one in models)}
    try:
        click.echo(as_markdown(figure_2(named, output, count, steps, rates, seed)))
    except InputError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
