"""The `kerasinterp` command: it parses, checks, calls one function of the package, and says where the results are.

TensorFlow is imported inside the commands, so that `--help` answers at once.
"""

import contextlib
import errno
import json
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

import kerasinterp
from kerasinterp import quiet
from kerasinterp.errors import InputError, suggest
from kerasinterp.files import read_text, regular

_COUNT = click.IntRange(1, 2**31 - 1)  # TensorFlow counts in 32 bits in many places
_SEED = click.IntRange(0, 2**32 - 1)  # what keras.utils.set_random_seed takes
_STEPS = click.IntRange(1, 10_000)  # at 15 frames a second, eleven minutes
_SPREAD = click.FloatRange(0, 1e6)
_JOBS = click.IntRange(1, max(8, os.cpu_count() or 1))  # each is a process with a TensorFlow of its own


class _ImageSize(click.ParamType):
    """`64` or `48x64`: the side of a square, or height and width, in pixels."""

    name = "image size"
    _LONGEST = 16_384  # kerasinterp.data reads no larger ones

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | tuple[int, int]:
        sides = re.fullmatch("([0-9]+)(?:x([0-9]+))?", value, re.ASCII)
        size = tuple(int(side) for side in sides.groups() if side) if sides and len(value) < 20 else ()
        if not size or not all(1 <= side <= self._LONGEST for side in size):
            self.fail(
                f"{value!r} is no image size: give the side of a square in pixels (64), or HEIGHTxWIDTH (48x64), of 1 "
                f"to {self._LONGEST:,} pixels.",
                param,
                ctx,
            )
        return size[0] if len(size) == 1 else size


class _Command(click.Command):
    """A command that refuses, of all its values, those that no path, name or number can be."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for before, arg in zip(["", *args], args, strict=False):
            name, sign, value = arg.partition("=") if arg.startswith("--") else (before, "=", arg)
            if sign and not value:
                place = f"The value of {name}" if name.startswith("-") else "An argument"
                raise click.UsageError(f"{place} is empty: give one, or leave it out.", ctx)
            try:
                readable = "\0" not in os.fsencode(arg).decode()
            except ValueError:
                readable = False
            if not readable:
                raise click.UsageError(
                    f"{arg!a} is not readable as text (UTF-8): rename it, or call it otherwise.", ctx
                )
        return super().parse_args(ctx, args)


class _Commands(click.Group):
    """A group that suggests the command that was meant."""

    command_class = _Command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple:
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            raise click.UsageError(f"No command {name!r}.{suggest(name, self.commands)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(kerasinterp.__version__, prog_name="kerasinterp")
def cli() -> None:
    """Few-shot image generation with interpolating autoencoders.

    Train on unlabelled images of some classes, then make new images of a class never seen, from two seeds or more.
    Start with `kerasinterp quickstart --output DIR`.
    """


@cli.command(short_help="Train on printed digits, generate letters, in five minutes.")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="Directory for the results.")
@click.option("--seed", default=0, show_default=True, type=_SEED, help="Seed of everything random.")
@click.option("--images", type=_COUNT, help="That each model sees.  [default: what five minutes allow here]")
def quickstart(output: Path, seed: int, images: int | None) -> None:
    """Train AE and AugIntAE on printed digits, generate letters, measure and export: five minutes, no download."""
    _check_directory(output)
    _set_processor(None)
    with _quiet():
        from kerasinterp import quickstart as start
    click.echo(start.summary(start.quickstart(output, seed=seed, images=images)))
    _say_files(output, sorted(path for path in output.iterdir() if not path.name.startswith(".")))


@cli.command("list")
def list_() -> None:
    """List recipes, objectives and datasets."""
    with _quiet():
        from kerasinterp import data, objectives, recipe

    _say_table("Recipes (kerasinterp train NAME)", {name: one.summary for name, one in recipe.recipes().items()})
    _say_table(
        "Objectives (--objective)",
        {name: (cls.__doc__ or "").strip().split("\n")[0] for name, cls in objectives.OBJECTIVES.items()},
    )
    _say_table(
        "Datasets (--data, --target; or any TFDS name, or a folder of images)",
        {name: source.summary for name, source in data.sources().items()},
    )


@cli.command("presets", short_help="List the trained models that come with the package.")
def presets_() -> None:
    """List the presets: trained models, whose names are taken wherever a command takes a model."""
    from kerasinterp import presets
    from kerasinterp.presets import cards

    known = presets.shipped()
    if not known:
        click.echo("no presets came with this package: make one of a run by `kerasinterp preset`.")
        return
    click.echo("Presets (kerasinterp generate NAME; kerasinterp.from_preset(NAME)):")
    for name, folder in known.items():
        card = presets.read_card(folder)
        size = sum(path.stat().st_size for path in folder.iterdir())
        click.echo(f"  {name}: {card.get('description', '')}")
        click.echo(f"    images {cards.shape(card)}; {size / 1e6:.1f} MB; class fidelity {cards.fidelity(card)}")


@cli.command(short_help="Make a preset of a finished run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="The preset's folder.")
@click.option("--name", help="The preset's.  [default: the folder's]")
@click.option("--description", required=True, help="One line on what the model is for.")
@click.option("--data", required=True, help="What it was trained on, in words.")
@click.option("--licence", required=True, help="Of that data.")
@click.option("--limit", "limits", multiple=True, help="Where the model should not be used; may be repeated.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A report.json of `kerasinterp evaluate` on the run; may be repeated.  [default: the run's own]",
)
@click.option("--overwrite", is_flag=True, help="Replace the preset that is in the folder.")
def preset(run: Path, output: Path, overwrite: bool, **card: Any) -> None:
    """Make a preset of the run folder RUN, with a card whose figures are the run's and its reports'.

    Its folder is then taken wherever a command takes a model.
    """
    _check_directory(output)
    with _quiet():
        from kerasinterp.publishing import publish
    made, notes = publish(run, output, overwrite=overwrite, **card)
    for note in notes:
        _note(note)
    _say_files(made, sorted(path for path in made.iterdir() if not path.name.startswith(".")))


def _with_form(command: Any) -> Any:
    """Adds the options that say what images are brought to."""
    for option in (
        click.option("--grey", is_flag=True, help="In grey, one channel."),
        click.option("--colour", is_flag=True, help="In colour, three channels.  [default: the recipe's]"),
        click.option(
            "--image-size",
            type=_ImageSize(),
            metavar="SIDE|HEIGHTxWIDTH",
            help="Pixels that images are brought to, 64 (a square) or 48x64 (HEIGHTxWIDTH), centre-cropped.  [default: "
            "the recipe's]",
        ),
    ):
        command = option(command)
    return command


def _channels(colour: bool, grey: bool) -> int | None:
    if colour and grey:
        raise InputError("--colour and --grey exclude each other: give one of them, or neither for the recipe's.")
    return 3 if colour else 1 if grey else None


def _numbers(context: click.Context, parameter: click.Parameter, text: str | None) -> list[int] | None:
    """`0,3,5` as numbers, each once."""
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,9}(,[0-9]{1,9})*", text, re.ASCII):
        raise click.BadParameter(f"{text!r} is no list of classes: give their numbers, 0,3 say.")
    return list(dict.fromkeys(map(int, text.split(","))))


@cli.command(short_help="Train a model by a recipe.")
@click.argument("recipe", required=False)
@click.option("--objective", help="Another than the recipe's, AE say (`kerasinterp list`).")
@click.option("--data", "source", metavar="NAME|FOLDER", help="Dataset or folder of images to train on.")
@click.option("--data-split", help="Split of the dataset given by --data.  [default: train]")
@click.option(
    "--invert", is_flag=True, help="The images of --data are dark on white; light on black is learned better."
)
@click.option(
    "--target", metavar="NAME|FOLDER", help="Unseen classes for samples and the report; with --data, none by default."
)
@click.option("--target-split", help="Split of the dataset given by --target.  [default: test]")
@_with_form
@click.option("--epochs", type=_COUNT, help="Epochs in all.")
@click.option("--batch-size", type=_COUNT, help="Images a step.")
@click.option("--precision", help="float32, bfloat16, or float16 (GPUs without bfloat16).")
@click.option("--seed", type=_SEED, help="Seed of everything random.")
@click.option("--after", metavar="RUN", help="Run folder whose model this one begins with.  [default: the recipe's]")
@click.option(
    "--memory",
    metavar="SIZE",
    help="The most that images may hold, 2GB say; more are read from a cache on the disk.  [default: a quarter]",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Run folder.  [default: runs/RECIPE, or runs/images]"
)
@click.option("--resume", is_flag=True, help="Go on with the run in the output folder.")
@click.option("--smoke", is_flag=True, help="The recipe's small variant: shows that everything runs.")
def train(
    recipe: str | None,
    source: str | None,
    data_split: str | None,
    invert: bool,
    target: str | None,
    target_split: str | None,
    image_size: int | tuple[int, int] | None,
    colour: bool,
    grey: bool,
    objective: str | None,
    memory: str | None,
    output: Path | None,
    resume: bool,
    smoke: bool,
    **overrides: Any,
) -> None:
    """Train a model by RECIPE (`kerasinterp list` names them), evaluate it, and keep all in a run folder.

    With --data alone it is the recommended one for your own images: images28 in grey or, with --image-size, the nearest
    of images28, images64 and images128.
    """
    if recipe is None and not source:
        raise InputError("Name a recipe (`kerasinterp list`), or give images to train on by --data.")
    channels = _channels(colour, grey)
    for given, option, other in (
        (data_split or invert, "--data-split and --invert", "--data"),
        (target_split, "--target-split", "--target"),
    ):
        if given and not {"--data": source, "--target": target}[other]:
            raise InputError(f"{option} would have no effect without {other}: give it too, or leave it out.")
    output = output or Path("runs", recipe or "images")
    _set_processor(output if resume else None)
    with _quiet():
        from kerasinterp import compare, training
        from kerasinterp.cluster import Cluster
        from kerasinterp.recipe import Target, find, for_own_images
    settings = {name: value for name, value in overrides.items() if value is not None}
    found = (
        find(recipe, smoke=smoke).of_size(image_size, channels)
        if recipe
        else for_own_images(image_size, channels, smoke=smoke)
    )
    if source:
        # What belongs to the recipe's own dataset stays behind; attributes are compared by name.
        settings["data"] = {
            "source": source,
            "split": data_split or "train",
            "source_options": {},
            "share": 1.0,
            "invert": invert,
            "per_class": 0,
        }
        settings["target"] = Target(judge_steps=found.target.judge_steps, samples=found.target.samples)
    if target:
        kept = {"judge_steps": found.target.judge_steps, "samples": found.target.samples}
        settings["target"] = Target(target=target, target_split=target_split or "test", **kept)
    if (image_size or channels) and not source and found.target.yardstick != "few_shot":
        raise InputError(
            f"{recipe} is measured on images of its own size and colour: give --image-size, --colour or --grey with "
            "--data, or leave it out."
        )
    if objective:
        found = training.with_objective(found, objective)
    _check_directory(output)
    found = found.change(**settings)
    if Cluster.from_environment() is None:  # it builds networks, and workers must meet before
        training.check(found)
    if source:
        _tell_form(found, chosen=bool(recipe or image_size), coloured=channels is not None)
    run = compare.train_and_report(found, output, resume=resume, memory=memory)
    written = [path for name in ("model.keras", "history.csv", "report.md") if (path := run.folder / name).exists()]
    if written:  # of several machines the chief alone writes
        _say_files(output, written)


@cli.command(short_help="Train systems on one dataset, or your images, and compare them.")
@click.argument("dataset", metavar="DATASET|FOLDER")
@click.argument("systems", nargs=-1, required=True)
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="Directory for table and figures.")
@click.option("--seeds", default=1, show_default=True, type=_COUNT, help="Runs of each system.")
@click.option("--target", metavar="NAME|FOLDER", help="A folder's: other classes, to measure on.  [default: its own]")
@_with_form
@click.option("--invert", is_flag=True, help="A folder's images are dark on white, to be learned light on black.")
@click.option("--jobs", default=1, show_default=True, type=_JOBS, help="Runs at once, sharing the cores.")
@click.option("--epochs", type=_COUNT, help="Epochs of each run.  [default: the recipes']")
@click.option("--precision", help="float32, bfloat16, or float16 (GPUs without bfloat16).")
@click.option("--smoke", is_flag=True, help="Small variants: shows that everything runs.")
def compare(
    dataset: str,
    systems: tuple[str, ...],
    output: Path,
    seeds: int,
    jobs: int,
    smoke: bool,
    colour: bool,
    grey: bool,
    invert: bool,
    **overrides: Any,
) -> None:
    """Train SYSTEMS (objectives) on DATASET (lines, lines16, pole, coil100, mnist, spiral) and compare them.

    A recipe that is measured on unseen classes, augintae_maps_omniglot say, is a DATASET too, and so is a FOLDER of
    images. Of its classes, the sub-folders, a fifth is held out and measured on, or those of --target are; without
    classes, a tenth of the images, by what needs no labels.

    A comparison that was stopped goes on when it is started again.
    """
    channels = _channels(colour, grey)
    _check_directory(output)
    _set_processor(None)
    with _quiet():
        from kerasinterp import data, recipe, training
        from kerasinterp.compare import compare as compare_systems
    settings = {name: value for name, value in overrides.items() if value is not None}
    settings |= {"channels": channels} if channels else {}
    settings |= {"invert": True} if invert else {}
    known = dataset in recipe.recipes()
    if known or data.is_dataset(dataset):
        of_folders = ("target", "invert") if known else ("target", "invert", "image_size", "colour", "grey")
        _refuse_given(of_folders, f"on {dataset}, which is no folder of images")
    else:
        own = recipe.for_own_images(settings.get("image_size"), channels).change(source=dataset)
        training.check(own)
        _tell_form(own, chosen="image_size" in settings, coloured=channels is not None)
    compare_systems(dataset, systems, output, seeds=seeds, jobs=jobs, smoke=smoke, **settings)
    _say_report(output, "table.md")


@cli.command(short_help="Generate images from a few seed images.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("seeds", nargs=-1, type=click.Path(path_type=Path))
@click.option("-n", "count", default=64, show_default=True, type=_COUNT, help="How many images.")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="Directory for the images.")
@click.option("--seed", default=0, show_default=True, type=_SEED, help="Seed of pairs and weights.")
@click.option("--spread", type=_SPREAD, help="Of a class's codes about their mean: 0.1 is concentrated.  [default: 1]")
@click.option("--midpoints", is_flag=True, help="The midpoint of every pair of seeds instead of -n random images.")
@click.option("--invert", is_flag=True, help="The seeds are dark on white, the model's images light on black.")
@click.option("--ink", is_flag=True, help="They are photos of pen on paper: makes them fit, and says how.")
@click.option("--overwrite", is_flag=True, help="Replace the images of an earlier call in the directory.")
def generate(
    model: Path,
    seeds: tuple[Path, ...],
    count: int,
    output: Path,
    seed: int,
    spread: float | None,
    midpoints: bool,
    invert: bool,
    ink: bool,
    overwrite: bool,
) -> None:
    """Generate images of the class that the SEEDS show: two image files or more, or a folder of them.

    MODEL is a .keras file or a preset (`kerasinterp presets`). One that makes images without seeds, from its prior, is
    given none.
    """
    _check_directory(output)
    old = _of_earlier_call(output, r"generated_\d+", "generated", overwrite)
    if midpoints:
        _refuse_given(("count", "seed"), "with --midpoints")
    if ink:
        _refuse_given(("invert",), "with --ink, which sees for itself what is dark")
    if seeds:
        _refuse_given(("spread",), "with SEEDS")
    else:
        _refuse_given(("midpoints", "invert", "ink"), "without SEEDS")
    with _quiet():
        from kerasinterp import generation
        from kerasinterp.generation.checks import takes_seeds
    loaded = _of_images(generation.load_model(model), model)
    name = type(loaded).__name__
    if seeds:
        images = _read_images(seeds, loaded.image_shape, invert, ink=ink)
        made = generation.midpoints(loaded, images) if midpoints else generation.few_shot(loaded, images, count, seed)
    elif hasattr(loaded, "prior"):
        made = generation.sample(loaded, count, seed, spread)
    elif takes_seeds(loaded):
        raise InputError(f"{name} needs SEEDS: give two image files or more of the class, or a folder of them.")
    else:
        raise InputError(f"{name} makes no images: give a model that does.")
    files = generation.save_images(output, made)
    for path in set(old) - set(files):
        path.unlink()
    most = generation.pictures.most_images(loaded.image_shape)
    shown = _spread(made, most)
    if seeds:
        overview = generation.save_few_shot(output / "few_shot.png", _spread(images, most), {name: shown})
    else:
        columns = round(len(shown) ** 0.5)
        rows = [shown[start : start + columns] for start in range(0, len(shown), columns)]
        overview = generation.save_grid(output / "samples.png", rows)
    click.echo(f"{len(files)} images: {files[0]}" + (f" to {files[-1].name}" if len(files) > 1 else ""))
    click.echo(f"overview{'' if len(shown) == len(made) else f' of {len(shown)} of them'}: {overview}")


@cli.command(short_help="Interpolate between two images.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="A .png (grid) or .gif file.")
@click.option("--steps", type=_STEPS, help="Images on the path.  [default: 9, or 31 for a GIF]")
@click.option("--fps", default=15.0, show_default=True, type=click.FloatRange(1, 50), help="Frames a second of a GIF.")
@click.option("--invert", is_flag=True, help="The images are dark on white, the model's light on black.")
@click.option("--ink", is_flag=True, help="They are photos of pen on paper: makes them fit, and says how.")
def interpolate(
    model: Path, first: Path, second: Path, output: Path, steps: int | None, fps: float, invert: bool, ink: bool
) -> None:
    """Interpolate between the image files A and B, as a grid (with the pixel fade to compare) or an animation.

    MODEL is a .keras file or a preset (`kerasinterp presets`).
    """
    if output.suffix.lower() not in (".png", ".gif"):
        raise InputError(f"{output} is neither a .png nor a .gif file: name the output so.")
    if output.suffix.lower() == ".png":
        _refuse_given(("fps",), "on a .png")
    if ink:
        _refuse_given(("invert",), "with --ink, which sees for itself what is dark")
    _check_file(output)
    with _quiet():
        from kerasinterp import generation
    loaded = _of_images(generation.load_model(model), model)
    a, b = (_read_images((path,), loaded.image_shape, invert, single=True, ink=ink) for path in (first, second))
    if output.suffix.lower() == ".gif":
        alphas = [step / max(1, (steps or 31) - 1) for step in range(steps or 31)]
        generation.save_gif(output, generation.interpolate(loaded, a, b, alphas)[0], fps)
    else:
        generation.save_interpolations(output, a, b, {type(loaded).__name__: loaded}, steps or 9)
    click.echo(f"wrote {output}")


@cli.command(short_help="Make a small labelled set larger, and say what that is worth.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="Directory for the larger set.")
@click.option("--per-class", required=True, type=click.IntRange(0, 1_000_000), help="New images of each class.")
@click.option("--balance", is_flag=True, help="More of the classes that have fewer, so that all have as many.")
@click.option("--method", default="scola", show_default=True, help="scola (a generator) or augintae (mixes of pairs).")
@_with_form
@click.option("--invert", is_flag=True, help="The images are dark on white, to be learned light on black.")
@click.option("--seed", default=0, show_default=True, type=_SEED, help="Seed of everything random.")
@click.option("--smoke", is_flag=True, help="Shows that everything runs.")
def enlarge(folder: Path, output: Path, colour: bool, grey: bool, **settings: Any) -> None:
    """Enlarge the labelled images in FOLDER, a sub-folder a class, by a model that is trained on them alone.

    The originals stay as they are; the larger set, a manifest, a picture and a report on what the new images are
    worth to a classifier are written to the output. A call that was stopped goes on when it is made again.
    """
    channels = _channels(colour, grey)
    _check_directory(output)
    _set_processor(None)
    with _quiet():
        from kerasinterp.enlarging import enlarge_folder
    report = enlarge_folder(folder, output, channels=channels, **settings)
    click.echo(report["advice"])
    _say_files(output, [output / name for name in ("images", "manifest.csv", "classes.png", "report.md")])


@cli.command(short_help="Find the codes that a model makes given images of.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="Directory for codes and figures.")
@click.option("--steps", type=click.IntRange(1, 1_000_000), help="Of descent, from the first codes.  [default: 1000]")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Step size.  [default: 0.01]")
@click.option("--seed", default=0, show_default=True, type=_SEED, help="Seed of the draws of a model without encoder.")
@click.option("--invert", "dark", is_flag=True, help="The images are dark on white, the model's light on black.")
@click.option("--ink", is_flag=True, help="They are photos of pen on paper: makes them fit, and says how.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier call wrote in the directory.")
def invert(
    model: Path,
    images: tuple[Path, ...],
    output: Path,
    steps: int | None,
    rate: float | None,
    seed: int,
    dark: bool,
    ink: bool,
    overwrite: bool,
) -> None:
    """Find the codes of which MODEL makes the IMAGES best, files or folders: an oracle encoder (AugIntAE A.2).

    They are encoded, and the codes refined by descent. For a model without an encoder, any Keras model from codes to
    images (.keras) too, the nearest of 1,024 draws from its prior are refined.
    """
    _check_directory(output)
    codes = output / "codes.npy"
    if codes.exists() and not overwrite:
        raise InputError(f"{output} already holds codes: choose another --output, or add --overwrite.")
    if ink:
        _refuse_given(("dark",), "with --ink, which sees for itself what is dark")
    with _quiet():
        import numpy as np

        from kerasinterp import generation
        from kerasinterp.evaluation.inversion import draw_errors, mean_errors
        from kerasinterp.files import written_whole
    loaded = _of_images(generation.load_generator(model), model)
    encodes = hasattr(loaded, "encode")
    if encodes:
        _refuse_given(("seed",), "on a model with an encoder")
    real = _read_images(images, loaded.image_shape, dark, ink=ink)
    first = generation.first_codes(loaded, real, seed)
    asked = {"steps": steps, "rate": rate}
    found = generation.refine(loaded, real, first, **{name: value for name, value in asked.items() if value})
    rows = {"encoded" if encodes else "nearest draw": first, "refined": found.codes}
    made = {name: generation.decode(loaded, of_row) for name, of_row in rows.items()}
    with written_whole(codes) as partial, partial.open("wb") as file:
        np.save(file, found.codes)
    shown = min(32, generation.pictures.most_images(loaded.image_shape))
    pictures = {"real": real} | made
    picture = [_spread(row, shown) for row in pictures.values()]
    generation.save_grid(output / "inversion.png", picture, list(pictures))
    draw_errors({"refined": found.errors}, output / "errors.png")
    if not encodes:
        click.echo(f"{model} has no encoder: each code began as the nearest of 1,024 draws from the prior.")
    for name, of_row in made.items():
        told = mean_errors(real, of_row)
        click.echo(f"{name}: L2 {told['l2']:.2f} (0 to 255), L1 {told['l1']:.4f} (of a range of 2)")
    _say_files(output, [codes, output / "inversion.png", output / "errors.png"])


@cli.command(short_help="Make images in other classes.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="Directory for the images.")
@click.option("--classes", metavar="N,...", callback=_numbers, help="Numbers of classes.  [default: all]")
@click.option("--invert", is_flag=True, help="The images are dark on white, the model's light on black.")
@click.option("--ink", is_flag=True, help="They are photos of pen on paper: makes them fit, and says how.")
@click.option("--overwrite", is_flag=True, help="Replace the images of an earlier call in the directory.")
def transfer(
    model: Path,
    images: tuple[Path, ...],
    output: Path,
    classes: list[int] | None,
    invert: bool,
    ink: bool,
    overwrite: bool,
) -> None:
    """Make each of the IMAGES, files or folders, in other classes by MODEL, which learned classes (COLA appendix B).

    Its code is found by descent; the part for the class is exchanged, the rest stays.
    """
    _check_directory(output)
    old = _of_earlier_call(output, r"class_\d+_\d+", "transferred", overwrite)
    if ink:
        _refuse_given(("invert",), "with --ink, which sees for itself what is dark")
    with _quiet():
        from kerasinterp import generation
        from kerasinterp.evaluation.inversion import mean_errors
        from kerasinterp.generation.classes import chosen
    loaded = _of_images(generation.load_model(model), model)
    classes = chosen(loaded, classes).tolist()
    real = _read_images(images, loaded.image_shape, invert, ink=ink)
    codes = generation.codes_of(loaded, real)
    as_found, made = generation.decode(loaded, codes), generation.transfer(loaded, codes, classes)
    files = [
        path
        for number, one in enumerate(classes)
        for path in generation.save_images(output, made[:, number], f"class_{one}")
    ]
    for path in set(old) - set(files):
        path.unlink()
    shown = max(1, generation.pictures.most_images(loaded.image_shape) // (len(classes) + 2))
    columns = {"as found": as_found} | {f"class {one}": made[:, number] for number, one in enumerate(classes)}
    rows = {name: _spread(column, shown)[:, None] for name, column in columns.items()}
    picture = generation.save_few_shot(output / "transfer.png", _spread(real, shown)[:, None], rows, heading="real")
    told = mean_errors(real, as_found)
    click.echo(f"as found: L2 {told['l2']:.2f} (0 to 255), L1 {told['l1']:.4f} (of a range of 2)")
    click.echo(f"{len(files)} images in {output}, {files[0].name} to {files[-1].name}; overview: {picture}")


@cli.command(short_help="Measure models on unseen classes.")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", metavar="NAME|FOLDER", help="Data the models were trained on.  [default: their recipe's]")
@click.option("--source-split", help="Its split.  [default: the recipe's, or train]")
@click.option("--target", metavar="NAME|FOLDER", help="Labelled data of unseen classes.  [default: their recipe's]")
@click.option("--target-split", help="Its split.  [default: the recipe's, or test]")
@click.option("--samples", type=click.IntRange(2, 2**31 - 1), help="Images a model.  [default: the recipe's, or 5000]")
@click.option("--shots", type=click.IntRange(2, 2**31 - 1), help="Seeds of each set of new images.  [default: 5]")
@click.option(
    "--usefulness",
    metavar="N",
    type=click.IntRange(2, 2**31 - 1),
    help="Train classifiers on seeds and new images too, N draws of each (minutes a model).",
)
@click.option("--seed", default=0, show_default=True, type=_SEED, help="Seed of pairs and judges.")
@click.option("--every", type=_COUNT, help="Run folders: each n-th snapshot.  [default: all]")
@click.option("--as-first", is_flag=True, help="Measure all as the first model's recipe says.")
@click.option("--domain-by-class", is_flag=True, help="Judge the domain by the likeliest class, not by two classes.")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="Directory for the report.")
def evaluate(
    models: tuple[Path, ...],
    source: str | None,
    source_split: str | None,
    target: str | None,
    target_split: str | None,
    samples: int | None,
    shots: int | None,
    usefulness: int | None,
    seed: int,
    every: int | None,
    as_first: bool,
    domain_by_class: bool,
    output: Path,
) -> None:
    """Measure each MODEL by its recipe's yardstick, or how well it mixes images of the unseen classes of --target.

    A MODEL is a .keras file, a preset or a run folder, whose snapshots are measured too and drawn against the images
    seen.
    """
    _check_directory(output)
    _set_processor(None)
    with _quiet():
        from kerasinterp.compare import evaluate as evaluate_models
    data = {"source": source, "source_options": {}, "split": source_split or "train"} if source else {}
    if source_split:
        data["split"] = source_split
    judged = {"samples": samples, "shots": shots, "usefulness": usefulness}
    judged |= {"target_split": target_split, "domain_by_class": domain_by_class or None}
    judged = {name: value for name, value in judged.items() if value is not None}
    if target:
        # What belongs to the recipe's own target stays behind.
        judged = {"target_options": {}, "target_without": (), "domain_by_class": False, "target_split": "test"} | judged
        judged |= {"yardstick": "few_shot", "target": target}
    evaluate_models(models, output, every=every, seed=seed, data=data, target=judged, as_first=as_first)
    _say_report(output, "report.md")


@cli.command(short_help="Measure what models reconstruct of other images, and of noise.")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--data",
    "domains",
    metavar="NAME[:SPLIT]|FOLDER",
    multiple=True,
    required=True,
    help="Images to reconstruct, mnist or omniglot:test, say; may be repeated.  [default split: train]",
)
@click.option("--samples", default=5000, show_default=True, type=_COUNT, help="Images of each, at most.")
@click.option("--invert", is_flag=True, help="The images of folders are dark on white, the models' light on black.")
@click.option("--trials", default=1000, show_default=True, type=_COUNT, help="Noise images of each frequency.")
@click.option("--seed", default=0, show_default=True, type=_SEED, help="Seed of what is drawn.")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="Directory for the report.")
def generalise(
    models: tuple[Path, ...],
    domains: tuple[str, ...],
    samples: int,
    invert: bool,
    trials: int,
    seed: int,
    output: Path,
) -> None:
    """Measure how each MODEL, a .keras file, a preset or a run folder, reconstructs images that it never saw.

    Beside it stand the nearest images that it was trained on, and its reconstructions of noise of every frequency.
    """
    _check_directory(output)
    _set_processor(None)
    with _quiet():
        from kerasinterp.generalisation import generalise as measure
    measure(models, output, domains=domains, samples=samples, trials=trials, invert=invert, seed=seed)
    _say_report(output, "report.md")


@cli.command(short_help="Export for TensorFlow, LiteRT or TF Serving.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--format", "kind", required=True, type=click.Choice(["saved_model", "tflite", "serving"]), help="What to write."
)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    help="The SavedModel's folder; the .tflite file, or a folder for it; or the folder that TF Serving mounts.",
)
@click.option("--precision", help="tflite: float32 (default), float16, dynamic or int8.")
@click.option("--representative", metavar="NAME|FOLDER", help="tflite in int8: images that the model will see.")
@click.option("--name", help="serving: the model's name.  [default: kerasinterp]")
@click.option("--version", "number", type=_COUNT, help="serving: the version.  [default: 1]")
def export(
    model: Path,
    kind: str,
    output: Path,
    precision: str | None,
    representative: str | None,
    name: str | None,
    number: int | None,
) -> None:
    """Export MODEL, a .keras file or a preset, as a SavedModel, a LiteRT (TFLite) file or a TF Serving directory."""
    if kind != "tflite":
        _refuse_given(("precision", "representative"), "without --format tflite")
    elif precision != "int8":
        _refuse_given(("representative",), "without --precision int8")
    if kind != "serving":
        _refuse_given(("name", "number"), "without --format serving")
    if precision == "int8" and not representative:
        raise InputError("int8 needs the range of every activation: give --representative, images the model will see.")
    if kind == "tflite" and output.suffix != ".tflite":
        output = output / f"{model.stem}.tflite"
    if kind == "tflite":
        _check_file(output)
    else:
        _check_directory(output.parent if kind == "saved_model" else output)
        _refuse_dangling(output)
    with _quiet():
        from kerasinterp import data, exporting, generation
    loaded = generation.load_model(model)
    if kind == "saved_model":
        written = exporting.export_saved_model(loaded, output)
    elif kind == "serving":
        written = exporting.export_serving(loaded, output, name or "kerasinterp", number or 1)
    else:
        images = None
        if representative:
            images = data.images(representative, split="train", **_form(loaded.image_shape))
        output.parent.mkdir(parents=True, exist_ok=True)
        written = exporting.export_tflite(loaded, output, precision or "float32", images)
    click.echo(f"wrote {written}")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; errors that a user can mend become one sentence on stderr.

    Returns:
        The exit code: 0, 2 after such an error, 130 after Ctrl-C or SIGTERM.
    """
    with _plain_messages():
        try:
            return cli.main(args=arguments, prog_name="kerasinterp", standalone_mode=False) or 0
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "kerasinterp"
            return _fail(f"{error.format_message()} (See {command} --help.)")
        except click.ClickException as error:
            return _fail(error.format_message())
        except (click.Abort, KeyboardInterrupt) as error:
            return _fail(str(error.__cause__ or error) or "Stopped by Ctrl-C.", code=130)
        except InputError as error:
            return _fail(str(error))
        except Exception as error:
            sentence = _sentence(error)
            if not sentence:
                raise
            return _fail(sentence)


def _fail(message: str, code: int = 2) -> int:
    click.echo(f"kerasinterp: {' '.join(message.split())}", err=True)
    return code


def _note(message: str) -> None:
    click.echo(f"kerasinterp: note: {' '.join(message.split())}", err=True)


# What keeps a file from being written. Libraries in C (TensorFlow, HDF5) raise errors of their own with the same text.
_UNWRITTEN = {
    errno.ENOSPC: "the disk is full, so {} was not written: free some space and call again.",
    errno.EDQUOT: "your quota of disk space is used up, so {} was not written: free some space and call again.",
    errno.EFBIG: "{} would be larger than the file system or the limit of the process (ulimit -f) allows: choose "
    "another place, or raise the limit.",
}


def _sentence(error: Exception) -> str:
    """What to tell of an error of the surroundings, and nothing of any other."""
    text = str(error)
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        number = next((number for number in _UNWRITTEN if os.strerror(number) in text), None)
    where = str(getattr(error, "filename", None) or "a file")
    if number in _UNWRITTEN:
        return _UNWRITTEN[number].format(where)
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's
        return "there is not enough memory: ask for fewer images at once, or for smaller batches."
    if not isinstance(error, OSError):
        return ""
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"no permission to use {where} ({error.strerror}): choose another place."
    if number == errno.ENAMETOOLONG:
        return f"the name {where} is too long for the file system: choose a shorter one."
    if number == errno.EISDIR:
        return f"{where} is a folder, where a file is needed: choose another name."
    if number in (errno.EMFILE, errno.ENFILE):
        return "too many files are open: raise the limit (ulimit -n), or run less at once."
    return f"{error.strerror or text}{f': {where}' if error.filename else ''}."


@contextlib.contextmanager
def _plain_messages() -> Iterator[None]:
    """Shows our warnings as a line each, without the line of the source, and nothing of how TensorFlow traces."""
    # TensorFlow reports a machine without a GPU as an error; who wants its messages sets the variable.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logger = logging.getLogger("tensorflow")
    level = logger.level
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_plainly(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
            if issubclass(category, UserWarning):
                _note(str(message))
            else:
                show(message, category, *place, **options)

        warnings.showwarning = show_plainly
        if not quiet.messages_are_wanted():
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Looks at Keras's settings, and at nothing of what TensorFlow writes while it is imported."""
    with quiet.importing():
        from kerasinterp import _keras  # noqa: F401

        yield


def _refuse_given(names: Sequence[str], why: str) -> None:
    """Raises InputError for the first of these parameters that the call gives, though it has no effect."""
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name) is not ParameterSource.DEFAULT
        if parameter.name in names and given:
            raise InputError(f"{parameter.opts[0]} has no effect {why}: leave it out.")


def _of_earlier_call(output: Path, stem: str, kind: str, overwrite: bool) -> list[Path]:
    """Images of a command that lie in the directory, and no one else's."""
    old = [path for path in sorted(output.glob("*.png")) if re.fullmatch(stem, path.stem)]
    if old and not overwrite:
        raise InputError(f"{output} already holds {kind} images: choose another --output, or add --overwrite.")
    return old


def _check_directory(directory: Path) -> None:
    """Finds out before the work whether `directory` can be made and written to; leaves nothing behind."""
    place = directory.absolute()
    while not place.exists():
        _refuse_dangling(place)
        place = place.parent
    if not place.is_dir():
        raise InputError(f"{place} is a file, so nothing can be written to {directory}: choose another output.")
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(1 << 16))
            probe.flush()
    except OSError as error:
        raise InputError(f"{directory} cannot be written to ({error.strerror}): choose another output.") from error


def _check_file(path: Path) -> None:
    """As `_check_directory`, for a file that is to be written at `path`, where another may be."""
    _refuse_dangling(path)
    if path.exists():
        regular(path)
    _check_directory(path.parent)


def _refuse_dangling(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise InputError(f"{path} is a link to {path.readlink()}, which does not exist: choose another output.")


def _of_images(loaded: Any, path: Path) -> Any:
    if len(loaded.image_shape) != 3:
        raise InputError(f"{path} is a model of points, not of images: use it from Python, or export it as tflite.")
    return loaded


def _read_images(
    paths: tuple[Path, ...], image_shape: tuple[int, int, int], invert: bool, single: bool = False, ink: bool = False
) -> Any:
    """Image files and folders as uint8 (N, H, W, C) of the model's shape."""
    import numpy as np

    from kerasinterp import data

    for path in paths:
        if not path.exists():
            raise InputError(f"there is no image file {'' if single else 'or folder '}{path}.")
        if single and path.is_dir():
            raise InputError(f"{path} is a folder: give one image file.")
    if ink:
        if image_shape[2] != 1:
            raise InputError("--ink makes grey strokes, and this model's images are coloured: leave it out.")
        return np.stack([_photo(file, image_shape[:2]) for path in paths for file in data.files_of(path)])
    images = np.concatenate([data.images(path, **_form(image_shape), invert=invert) for path in paths])
    if not invert and (text := data.ink_note(images)):
        _note(text)
    return images


def _photo(file: Path, image_size: tuple[int, int]) -> Any:
    from kerasinterp import data

    image, said = data.read_photo(file, image_size)
    click.echo(f"{file}: {said}", err=True)
    return image


def _form(image_shape: tuple[int, int, int]) -> dict[str, Any]:
    """What `kerasinterp.data` is asked for: images of the model's size and channels."""
    return {"image_size": image_shape[:2], "channels": image_shape[2]}


def _tell_form(recipe: Any, *, chosen: bool, coloured: bool) -> None:
    """Says what is made of a folder's images where nobody chose it, and which options change that.

    Args:
        chosen: the size was.
        coloured: colour or grey was.
    """
    from kerasinterp import data
    from kerasinterp.recipe import recipes

    source, (height, width), in_colour = recipe.data.source, recipe.data.size, recipe.data.channels == 3
    if data.is_dataset(source) or (seen := data.looks(source)) is None:
        return
    size, has_colour = seen
    larger = [min(one.data.size) for one in recipes().values() if not one.data.source]
    larger = sorted(side for side in larger if min(height, width) < side <= min(size))
    options = [f"--image-size {larger[0]}"] if larger and not chosen else []
    if has_colour != in_colour and not coloured:
        options.append("--colour" if has_colour else "--grey")
    if options:
        kinds = ("in grey", "in colour")
        _note(
            f"the images of {source} are {size[0]} x {size[1]} pixels (height x width) {kinds[has_colour]}, and are "
            f"trained on at {height} x {width} {kinds[in_colour]}: {' '.join(options)} changes that."
        )


def _spread(images: Any, most: int) -> Any:
    """At most so many of the images, from all of them: files and classes come sorted."""
    if len(images) <= most:
        return images
    return images[[number * len(images) // most for number in range(most)]]


def _set_processor(run: Path | None) -> None:
    """Sets what is fastest on this processor, before TensorFlow reads it; of a resumed run what it was begun with."""
    from kerasinterp import processor

    kept = None
    if run is not None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            kept = json.loads(read_text(run / "recipe.json"))["processor"]
    processor.prepare(kept)


def _say_table(title: str, rows: dict[str, str]) -> None:
    click.echo(f"{title}:")
    width = max(map(len, rows), default=0)
    for name, text in rows.items():
        click.echo(f"  {name:<{width}}  {text}")
    click.echo()


def _say_report(directory: Path, table: str) -> None:
    """Shows a report's table, and says which files it has."""
    click.echo((directory / table).read_text())
    shown = (path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    _say_files(directory, sorted(shown))


def _say_files(directory: Path, files: Any) -> None:
    click.echo(f"results in {directory}:")
    for path in files:
        click.echo(f"  {path.name}{'/' if path.is_dir() else ''}")


if __name__ == "__main__":
    sys.exit(main())
