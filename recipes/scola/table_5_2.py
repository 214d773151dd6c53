"""COLA's table 5.2: which classifier to train on a small sample and what SCOLA makes of it.

    python -m kerasinterp.recipes.scola.table_5_2 -o table_5_2

One SCOLA for each sample, and each network after it, half of a batch made. DIR then holds `results.json`, from which
the command goes on when it is called again, `table.md`, and the generators.
"""

import pathlib

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.scola.experiment import NETWORKS, SHARE, kept_results, labelled, of_sample, protocol_of
from kerasinterp.recipes.scola.table_5_1 import cell, over_samples

from kerasinterp import enlarging
from kerasinterp.errors import InputError
from kerasinterp.files import read_text, write_text

_PAPERS = ("resnet20", "resnet32", "wrn_28_10")


def table_5_2(
    output: pathlib.Path,
    networks: tuple[str, ...],
    source: str,
    test_split: str,
    size: int,
    samples: int,
    **settings: float,
) -> dict:
    """Writes what the module's text says; returns accuracies by network and sample, "parameters" beside them."""
    protocol = {"source": source, "test_split": test_split, "size": size, **settings}
    results, write = kept_results(output, protocol)
    test = None
    for seed in range(samples):
        todo = [name for name in networks if f"{name} {size} {seed}" not in results]
        if not todo:
            continue
        recipe, sample = of_sample(f"scola_{source}_small", size, seed, settings["share"])
        test = test or labelled(recipe.data, test_split, sample)
        recipe = enlarging.in_passes(recipe, len(sample), int(settings["steps"]))
        model = enlarging.trained(recipe, sample, output / "models" / f"scola_{size}_{seed}.keras")
        new = enlarging.made_of_classes(model, sample, np.full(len(sample.classes), int(settings["made"])), seed)
        for name in todo:
            measured = protocol_of(name, test, int(settings["classifier_steps"]), int(settings["batch_size"]))
            row = measured.measure(sample, new, ("real", "mix"), seed, told=lambda way, name=name: print(name, way))
            network = NETWORKS[name][0](sample.shape, len(sample.classes))
            results[f"{name} {size} {seed}"] = row | {"parameters": network.count_params()}
            write()
    write_text(output / "table.md", as_markdown(results, networks, size))
    return results


def as_markdown(results: dict, networks: tuple[str, ...], size: int) -> str:
    """Accuracies in %, mean and 95% interval over samples."""
    lines = ["| | parameters | half real, half new | real alone |", "|---|---|---|---|"]
    for name in networks:
        (count, _), *rest = (over_samples(results, name, size, key) for key in ("parameters", "mix", "real"))
        cells = map(cell, rest)
        lines.append(f"| {name} | {count / 1e6:.2f} M | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--network", "networks", multiple=True, type=click.Choice([*NETWORKS]), help="May be repeated.")
@click.option("--data", "source", default="cifar10", show_default=True, help="A dataset that has a small recipe.")
@click.option("--test", "test_split", default="test", show_default=True, help="A split, or of folders a folder.")
@click.option("--size", default=100, show_default=True, type=click.IntRange(2), help="Images a class.")
@click.option("--samples", default=3, show_default=True, type=click.IntRange(1))
@click.option("--steps", default=1000, show_default=True, type=click.IntRange(1), help="Of SCOLA.")
@click.option("--share", default=0.5, show_default=True, type=SHARE, help="Of its recipe's width.")
@click.option("--classifier-steps", default=500, show_default=True, type=click.IntRange(2))
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(2), help="Of classifiers.")
@click.option("--made", default=200, show_default=True, type=click.IntRange(2), help="Images made of each class.")
def main(output: pathlib.Path, networks: tuple[str, ...], **settings) -> None:
    """Accuracies of several networks that learn from the same images; by default the paper's."""
    try:
        table_5_2(output, networks or _PAPERS, **settings)
        click.echo(read_text(output / "table.md"))
    except InputError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
