"""COLA's table 4.3: SCOLA on all of CIFAR-10 with one generator and another.

    python -m kerasinterp.recipes.scola.table_4_3 -o table_4_3

DIR then holds `table.json`, `table.md`, and `runs`, which go on when the command is called again.
"""

import json
import pathlib

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.scola.experiment import NETWORKS, SHARE, judge_of, labelled, protocol_of, quality

from kerasinterp import enlarging, generation
from kerasinterp.errors import InputError
from kerasinterp.files import read_text, write_text
from kerasinterp.recipe import find
from kerasinterp.training import finished

_BATCH = 128  # C.3
RECIPES = {"InfoGAN": "scola_cifar10_infogan", "DCGAN": "scola_cifar10_dcgan", "CGAN": "scola_cifar10"}


def table_4_3(
    output: pathlib.Path,
    *,
    passes: int,
    share: float,
    made: int,
    network: str,
    classifier_steps: int,
    judge_steps: int,
    seed: int,
) -> dict:
    """Writes what the module's text says; returns the table: parameters, distances and scores by generator."""
    protocol = {key: value for key, value in locals().items() if key != "output"}
    table = {}
    recipes = {name: find(one).change(seed=seed, epochs=passes, snapshot_every=0) for name, one in RECIPES.items()}
    own = recipes["CGAN"].data
    train, test = (labelled(own, split) for split in (own.split, "test"))
    judge, count = judge_of(train, judge_steps, output / "judge"), len(train.classes)
    measured, made_by = protocol_of(network, test, classifier_steps, _BATCH), {}
    for name, recipe in recipes.items():
        recipe = recipe.change(width=max(1, round(share * recipe.backbone.width)))
        model = generation.load_generator(finished(recipe, output / "runs" / name).model)
        made_by[name] = enlarging.made_of_classes(model, train, np.full(count, made), seed)
        table[name] = {"parameters": model.generator.count_params()} | quality(judge, made_by[name], test)
    first, *rest = made_by
    others = {name: made_by[name] for name in rest}
    found = measured.measure(train, made_by[first], ("real", "made"), seed, others, lambda way: print(way, flush=True))
    for name in made_by:
        end = "" if name == first else f" {name}"
        table[name] |= {key: found[f"{key}{end}"] for key in ("made", "cas_test")}
    write_text(
        output / "table.json", json.dumps(table | {"real": found["real"], "protocol": protocol}, indent=1) + "\n"
    )
    write_text(output / "table.md", as_markdown(table))
    return table


def as_markdown(table: dict) -> str:
    lines = ["| | parameters | FID | KID x 1000 | CAS, % | CAS-Test, % |", "|---|---|---|---|---|---|"]
    for name, row in table.items():
        fid = "" if row["fid"] is None else f"{row['fid']:.1f}"
        cells = [f"{row['parameters'] / 1e6:.2f} M", fid, f"{1000 * row['kid']:.1f}"]
        lines.append(f"| {' | '.join([name, *cells, *(f'{100 * row[key]:.1f}' for key in ('made', 'cas_test'))])} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--passes", default=500, show_default=True, type=click.IntRange(1), help="Over the images (C.2).")
@click.option("--share", default=1.0, show_default=True, type=SHARE, help="Of the recipes' width.")
@click.option("--made", default=1000, show_default=True, type=click.IntRange(2), help="Images made of each class.")
@click.option("--network", default="resnet20", show_default=True, type=click.Choice([*NETWORKS]), help="Of scores.")
@click.option("--classifier-steps", default=5000, show_default=True, type=click.IntRange(2))
@click.option("--judge-steps", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
def main(output: pathlib.Path, **settings) -> None:
    """SCOLA with table 4.2's generators, measured."""
    try:
        table_4_3(output, **settings)
        click.echo(read_text(output / "table.md"))
    except InputError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
