"""COLA's table 5.1 and figures 4.4, 4.5 and 5.1: small samples, what generators make of them, and what that is worth.

    python -m kerasinterp.recipes.scola.table_5_1 --data cifar10 -o table_5_1

For each size and each random sample of it the generators are trained on the sample alone, and classifiers learn from
the sample, from what was made of it, and from both. DIR then holds `results.json`, from which the command goes on when
it is called again, `table.md`, `table_5_1.png` (figure 5.1's curves), `figure_4_5.png`, `figure_4_4.png`, and the
generators. README.md has what was measured.
"""

import pathlib
import time

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.scola.experiment import (
    NETWORKS,
    SHARE,
    evenly,
    judge_of,
    kept_results,
    labelled,
    of_sample,
    protocol_of,
    quality,
)

from kerasinterp import data, enlarging, generation, training
from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation import Classifier
from kerasinterp.evaluation.figures import legend, look, panels, save
from kerasinterp.evaluation.learner import interval
from kerasinterp.evaluation.small_sample import WAYS
from kerasinterp.files import read_text, write_text
from kerasinterp.recipe import Recipe, find

METHODS = ("scola", "cganpd", "cganpd_diffaugment")
RIVAL = {"rival_steps": 1000, "rival_share": 0.5, "rival_batch": None}
_LARGEST, _SAMPLES = 100, 3  # images a class and samples of chapter 5
_SHOWN = 4  # images of a class and size in figure 4.4
# By key, a title, a factor and a form.
_QUALITY = {
    "kid": ("kernel distance x 1000", 1000.0, ".0f"),
    "fid": ("Frechet distance", 1.0, ".0f"),
    "made": ("CAS, %", 100.0, ".1f"),
    "cas_test": ("CAS-Test, %", 100.0, ".1f"),
    "class_fidelity": ("of its class by the judge, %", 100.0, ".1f"),
    "images": ("images compared", 1.0, ".0f"),
    "seconds": ("processor seconds of training", 1.0, ".0f"),
    "parameters": ("thousands of the generator's weights", 1e-3, ".0f"),
}


def table_5_1(
    output: pathlib.Path,
    source: str,
    test_split: str,
    sizes: tuple[int, ...],
    samples: int,
    methods: tuple[str, ...],
    ways: tuple[str, ...],
    *,
    steps: int,
    share: float,
    network: str,
    classifier_steps: int,
    batch_size: int,
    judge_steps: int,
    made: int,
    **rival: float | None,
) -> dict:
    """Writes what the module's text says; returns the results by method, size and sample.

    Args:
        methods: the first is ours, whose images classifiers learn from in all `ways`; others are its rivals.
        rival: of `RIVAL`, in place of its values.
    """
    protocol = {key: value for key, value in locals().items() if key not in ("output", "sizes", "samples", "rival")}
    ours, *rivals = methods
    if not rivals and (given := [name for name, value in rival.items() if value is not None]):
        raise InputError(f"{given[0]} has no effect without other methods than {ours}: leave it out.")
    rival = RIVAL | {name: value for name, value in rival.items() if value is not None}
    protocol |= rival if rivals else {}
    made_as = {ours: (share, None, steps)}
    for name in rivals:
        recipe = find(f"{name}_{source}_small")  # before anything is trained
        batch = rival["rival_batch"] or recipe.schedule.batch_size
        training.build(recipe.change(batch_size=batch, width=2))  # can it be cut?
        made_as[name] = rival["rival_share"], batch, rival["rival_steps"]
    recipe = find(f"{ours}_{source}_small")
    whole = labelled(recipe.data)
    test = labelled(recipe.data, test_split, whole)
    apart = _kept_apart(whole, max(sizes), samples)
    results, write = kept_results(output, protocol | {"kept_apart": apart})
    judge, unseen = _judge(whole, recipe, *apart, made, judge_steps, output / "judge")
    measured = protocol_of(network, test, classifier_steps, batch_size)
    for seed in range(samples):
        for size in sizes:
            if f"{ours} {size} {seed}" in results:
                continue
            made_by, rows = {}, {}
            for method, (part, batch, many) in made_as.items():
                recipe, sample = of_sample(f"{method}_{source}_small", size, seed, part, batch)
                recipe = enlarging.in_passes(recipe, len(sample), many)
                path, began = output / "models" / f"{method}_{size}_{seed}.keras", time.process_time()
                there = path.exists()
                model = enlarging.trained(recipe, sample, path)
                rows[method] = {
                    "seconds": None if there else time.process_time() - began,
                    "parameters": model.generator.count_params(),
                }
                made_by[method] = enlarging.made_of_classes(model, sample, np.full(len(sample.classes), made), seed)
                rows[method] |= quality(judge, made_by[method], test)
            others = {name: made_by[name] for name in rivals}
            place = f"{size} a class, sample {seed}:"
            found = measured.measure(
                sample, made_by[ours], ways, seed, others, lambda way, place=place: print(place, way, flush=True)
            )
            for name in rivals:
                own = [key for key in ("made", "cas_test") if f"{key} {name}" in found]
                rows[name] |= {key: found.pop(f"{key} {name}") for key in own}
            rows[ours] |= found
            rows["real"] = quality(judge, unseen, test) | {"made": found.get("real")}
            results |= {f"{name} {size} {seed}": row for name, row in rows.items()}
            write(judge_accuracy=judge.accuracy)
    results = {
        place: row
        for place, row in results.items()
        for _, size, seed in [place.split()]
        if int(size) in sizes and int(seed) < samples
    }
    write_text(output / "table.md", as_markdown(results, sizes, methods, ways, judge.accuracy))
    draw_ways(results, sizes, ours, ways, output / "table_5_1.png")
    draw_quality(results, sizes, ("real", *methods), output / "figure_4_5.png")
    draw_made(output, sizes, methods, whole)
    return results


def _kept_apart(whole: Examples, size: int, samples: int) -> tuple[int, int]:
    """Images a class, and samples, that the judge does not learn from.

    They are the same for all sizes up to 100 a class, or where that takes more than half of a class up to what takes
    half of it, and up to three samples.
    """
    many = max(samples, _SAMPLES)
    return max(size, min(_LARGEST, int(np.bincount(whole.labels).min()) // (2 * many))), many


def _judge(
    whole: Examples, recipe: Recipe, size: int, samples: int, made: int, steps: int, cache: pathlib.Path
) -> tuple[Classifier, Examples]:
    """A classifier of images that are in no sample, and as many that it did not learn from either as are made.

    Of the latter there are fewer where images are few, or classes not alike.
    """
    free = np.ones(len(whole), bool)
    for seed in range(samples):  # a smaller sample is part of a larger one of its seed
        free &= ~recipe.change(per_class=size, seed=seed).trained_on(len(whole), whole.labels)
    order = np.random.default_rng(0).permutation(np.flatnonzero(free))
    apart = min(made * len(whole.classes), len(order) // 5)
    learned, unseen = whole.select(order[apart:]), whole.select(order[:apart])
    return judge_of(learned, steps, cache), evenly(unseen, np.bincount(whole.labels[free]))


def over_samples(results: dict, method: str, size: int, key: str, less: str = "") -> tuple[float, float] | None:
    """Mean and half of the 95% interval over samples, NaN of one; of differences to another measure, `less`."""
    rows = [row for place, row in results.items() if place.split()[:2] == [method, str(size)]]
    values = [row[key] - (row[less] if less else 0.0) for row in rows if row.get(key) is not None]
    if len(values) < 2:
        return (values[0], float("nan")) if values else None
    found = interval("mean", np.array(values))
    return found["mean"], found["mean_high"] - found["mean"]


def cell(found: tuple[float, float] | None, scale: float = 100.0, form: str = ".1f") -> str:
    """A table's: mean, and half of the interval where there is one; nothing of nothing."""
    if found is None:
        return ""
    mean, half = (scale * one for one in found)
    return f"{mean:{form}}" + ("" if np.isnan(half) else f" +- {half:{form.removeprefix('+')}}")


def as_markdown(
    results: dict, sizes: tuple[int, ...], methods: tuple[str, ...], ways: tuple[str, ...], accuracy: float
) -> str:
    head = [f"| | {' | '.join(f'{size} a class' for size in sizes)} |", f"|---|{'---|' * len(sizes)}"]

    def line(name: str, method: str, key: str, less: str = "", scale: float = 100.0, form: str = ".1f") -> str:
        cells = [cell(over_samples(results, method, size, key, less), scale, form) for size in sizes]
        return f"| {name} | {' | '.join(cells)} |"

    text = ["Accuracy on test images, %, mean and half of the 95% interval over samples:", "", *head]
    text += [line(way.replace("_", ", "), methods[0], way) for way in ways]
    pairs = [(way, way.replace("mix", "real")) for way in ways if way.startswith("mix")]
    text += [line(f"{a} - {b}".replace("_", ", "), methods[0], a, b, form="+.1f") for a, b in pairs if b in ways]
    for key, (title, scale, form) in _QUALITY.items():
        text += ["", f"{title[0].upper()}{title[1:]}:", "", *head]
        rows = ("real", *methods) if key not in ("cas_test", "seconds", "parameters") else methods
        text += [line(method, method, key, scale=scale, form=form) for method in rows]
    note = "Distances are from as many test images; `real` are images of no sample, which the judge did not learn from."
    note += " A Frechet distance of fewer than two images a feature says little, and is left out."
    text += ["", f"{note} Of other unseen images the judge knows {100 * accuracy:.1f}%."]
    return "\n".join(text) + "\n"


def draw_ways(results: dict, sizes: tuple[int, ...], method: str, ways: tuple[str, ...], path: pathlib.Path) -> None:
    figure, (axis,) = panels(["accuracy on test images, %"])
    for number, way in enumerate(ways):
        _curve(axis, results, sizes, method, way, way, number, 100.0)
    legend(figure, axis)
    save(figure, path)


def draw_quality(results: dict, sizes: tuple[int, ...], methods: tuple[str, ...], path: pathlib.Path) -> None:
    shown = {key: own for key, own in _QUALITY.items() if key not in ("images", "seconds", "parameters")}
    figure, axes = panels([title for title, *_ in shown.values()], columns=3)
    for axis, (key, (_, scale, _)) in zip(axes, shown.items(), strict=True):
        for number, method in enumerate(methods):
            _curve(axis, results, sizes, method, key, method, number, scale)
    legend(figure, axes[0])
    save(figure, path)


def _curve(axis, results: dict, sizes, method: str, key: str, label: str, number: int, scale: float) -> None:
    found = [(size, over_samples(results, method, size, key)) for size in sizes]
    known = [(size, scale * mean, scale * half) for size, one in found if one is not None for mean, half in [one]]
    if known:
        places, means, halves = zip(*known, strict=True)
        axis.errorbar(places, means, yerr=np.nan_to_num(halves), **look(number), markersize=4, capsize=2, label=label)
    axis.set_xlabel("images a class")


def draw_made(output: pathlib.Path, sizes: tuple[int, ...], methods: tuple[str, ...], whole: Examples) -> None:
    """Figure 4.4: a column a class, some rows a method and size."""
    rng, classes = np.random.default_rng(0), len(whole.classes)
    real = [np.resize(rng.permutation(np.flatnonzero(whole.labels == one)), _SHOWN) for one in range(classes)]
    rows, names = [*np.asarray(whole.images)[np.stack(real, axis=1)]], ["real", *[""] * (_SHOWN - 1)]
    for size in sizes:
        for method in methods:
            model = generation.load_generator(output / "models" / f"{method}_{size}_0.keras")
            codes = model.prior_of(np.tile(np.arange(classes), _SHOWN), 1)
            drawn = data.to_uint8(generation.decode(model, codes))
            rows += [*drawn.reshape(_SHOWN, classes, *drawn.shape[1:])]
            names += [f"{method}, {size}", *[""] * (_SHOWN - 1)]
    generation.save_grid(output / "figure_4_4.png", rows, names, scale=2)


def _numbers(context: click.Context, parameter: click.Parameter, text: str) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(one) for one in text.split(",")}))
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of numbers: give 5,10,20, say.") from None
    if found[0] < 2:
        raise click.BadParameter(f"{found[0]} images a class are too few: give 2 or more.")
    return found


def _names(known: tuple[str, ...]):
    def chosen(context: click.Context, parameter: click.Parameter, text: str) -> tuple[str, ...]:
        asked = tuple(text.split(","))
        if unknown := [one for one in asked if one not in known]:
            raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(known)}.")
        return asked

    return chosen


@click.command()
@click.option("--output", "-o", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--data", "source", default="cifar10", show_default=True, help="A dataset that has a small recipe.")
@click.option("--test", "test_split", default="test", show_default=True, help="A split, or of folders a folder.")
@click.option("--sizes", default="5,10,20", show_default=True, callback=_numbers, help="Images a class.")
@click.option("--samples", default=3, show_default=True, type=click.IntRange(1), help="Random samples of each size.")
@click.option(
    "--methods", default=",".join(METHODS), show_default=True, callback=_names(METHODS), help="The first is ours."
)
@click.option("--ways", default=",".join(WAYS), show_default=True, callback=_names(WAYS), help="Ways to learn.")
@click.option("--steps", default=1000, show_default=True, type=click.IntRange(1), help="Of the first method.")
@click.option("--share", default=0.5, show_default=True, type=SHARE, help="Of its recipe's width.")
@click.option("--rival-steps", type=click.IntRange(1), help="Of the other methods.  [default: 1000]")
@click.option("--rival-share", type=SHARE, help="Of their recipes' width.  [default: 0.5]")
@click.option("--rival-batch", type=click.IntRange(1), help="[default: their recipes']")
@click.option("--network", default="resnet20", show_default=True, type=click.Choice([*NETWORKS]), help="Classifiers.")
@click.option("--classifier-steps", default=500, show_default=True, type=click.IntRange(2))
@click.option("--batch-size", default=128, show_default=True, type=click.IntRange(2), help="Of classifiers.")
@click.option("--judge-steps", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--made", default=200, show_default=True, type=click.IntRange(2), help="Images made of each class.")
def main(output: pathlib.Path, **settings) -> None:
    """What generators make of small samples, and what that is worth to classifiers."""
    try:
        table_5_1(output, **settings)
        click.echo(read_text(output / "table.md"))
    except InputError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
