"""Makes a preset that ships with the package: trains it, measures it with five seeds a set and with two, and packs it.

python -m kerasinterp.recipes.presets.make omniglot -o made/    # goes on where it stopped; the preset is made/omniglot
"""

import pathlib

import click

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp import training
from kerasinterp.compare import evaluate
from kerasinterp.errors import InputError
from kerasinterp.publishing import publish
from kerasinterp.recipe import find

SHOTS = 5, 2  # seeds of a set; the first as the paper has them
_GREY = (
    "28 x 28, grey, light strokes on black: invert dark drawings (--invert), or give photos of pen on paper by --ink."
)
CARDS = {
    "glyphs": {
        "description": "new printed letters and signs, 28 x 28, from two of them",
        "data": (
            "glyphs_scripts, split scripts: 554 letters and signs of 17 kinds (Cyrillic, Greek, Hebrew, Arabic, Lao, "
            "Canadian syllabics, operators, symbols and others; no Latin letters, no digits), drawn from the fonts "
            "that matplotlib carries"
        ),
        "licence": (
            "DejaVu's (Bitstream Vera's terms) and STIX's (SIL Open Font License) for the fonts; the images are "
            "drawings of them"
        ),
        "limits": (
            _GREY,
            "Handwriting: take the preset omniglot.",
            "Unlike fonts of one letter may mix into shapes that no font has.",
        ),
    },
    "omniglot": {
        "description": "new handwritten characters, 28 x 28, from two of them",
        "data": (
            "Omniglot's 30 training alphabets, 964 characters drawn by 20 people each, inverted, averaged down to "
            "28 x 28"
        ),
        "licence": "MIT (Lake et al., 2015)",
        "limits": (
            _GREY,
            "Thin strokes, as Omniglot's; thick pens are thinned or lost.",
            "Two drawings of one character whose strokes do not correspond may mix into neither.",
        ),
    },
}


def make(name: str, output: pathlib.Path, precision: str | None = None, smoke: bool = False) -> pathlib.Path:
    """Trains, or goes on with, the recipe `preset_<name>` in `output/runs`; returns the preset's folder.

    Args:
        precision: of training, in place of the recipe's; the card says which.
        smoke: the recipe's small variant.

    Raises:
        InputError: `output` holds other runs, or a folder of that name that is no preset.
    """
    recipe = find(f"preset_{name}", smoke)
    recipe = recipe.change(precision=precision) if precision else recipe
    run = training.finished(recipe, output / "runs" / name)
    reports = {shots: output / "runs" / f"{name}_{shots}_seeds" for shots in SHOTS}
    for shots, folder in reports.items():
        evaluate([run.folder], folder, target={"shots": shots})
    made, _ = publish(
        run.folder,
        output / name,
        **CARDS[name],
        reports=[folder / "report.json" for folder in reports.values()],
        overwrite=True,
    )
    return made


@click.command()
@click.argument("name", type=click.Choice(sorted(CARDS)))
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--precision", type=click.Choice(("float32", "bfloat16")), help="Of training.  [default: the recipe's]")
@click.option("--smoke", is_flag=True, help="The recipe's small variant: shows that everything runs.")
def main(name: str, output: pathlib.Path, precision: str | None, smoke: bool) -> None:
    """Makes the preset NAME in the folder OUTPUT/NAME."""
    try:
        click.echo(make(name, output, precision, smoke))
    except InputError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
