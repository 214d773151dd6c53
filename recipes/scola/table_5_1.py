"""COLA's table 5.1 and figures 4.4, 4.5 and 5.1: small samples, what generators make of them, and what that is worth.

    python -m kerasinterp.recipes.scola.table_5_1 --data cifar10 -o table_5_1

For each size and each random sample of it the generators are trained on the sample alone, and classifiers learn from
the sample, from what was made of it, and from both. DIR then holds `results.json`, from which the command goes on when
it is called again, `table.md`, `table_5_1.png` (figure 5.1's curves), `figure_4_5.png`, `figure_4_4.png`, and the
generators. README.md has what was measured.
"""

import json
import pathlib
import time
from collections.abc import Callable

import click
import numpy as np

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp import data, enlarging, generation, training
from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation import train_classifier
from kerasinterp.evaluation.distances import gaussian_distance, kernel_distance_and_deviation
from kerasinterp.evaluation.figures import legend, look, panels, save
from kerasinterp.evaluation.learner import interval
from kerasinterp.evaluation.small_sample import WAYS, SmallSample
from kerasinterp.files import read_text, write_text
from kerasinterp.nn import cifar_resnet, conv4
from kerasinterp.recipe import Data, Recipe, find

NETWORKS = {
    "resnet20": (cifar_resnet.classifier, 16),  # COLA C.3
    "wrn_16_8": (cifar_resnet.wide_classifier, 16),  # C.3, of Tiny ImageNet
    "conv4": (conv4.classifier, 16),  # ours, for time
}
METHODS = ("scola", "cganpd", "cganpd_diffaugment")
SHARE = click.FloatRange(0.0, 1.0, min_open=True)
_MEMORY = 2**40  # bytes: small samples are held in memory
_SHOWN = 4  # images of a class and size in figure 4.4
_QUALITY = {
    "kid": "kernel distance",
    "fid": "Frechet distance",
    "made": "CAS",
    "cas_test": "CAS-Test",
    "class_fidelity": "of its class, by the judge",
}


def of_sample(name: str, size: int, seed: int, share: float, batch: int = 0) -> tuple[Recipe, Examples]:
    """A small sample's recipe by name with a share of its width, and its sample: `size` images of each class.

    A `batch` of 0 is the recipe's, or the whole sample if that is smaller.
    """
    recipe = find(name).change(per_class=size, seed=seed)
    sample = training.learned_from(recipe, _MEMORY)
    batch = batch or min(recipe.schedule.batch_size, len(sample))
    return recipe.change(width=max(1, round(share * recipe.backbone.width)), batch_size=batch), sample


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
    rival_steps: int,
    rival_share: float,
    rival_batch: int,
    network: str,
    classifier_steps: int,
    batch_size: int,
    judge_steps: int,
    made: int,
) -> dict:
    """Writes what the module's text says; returns the results by method, size and sample."""
    protocol = {key: value for key, value in locals().items() if key not in ("output", "sizes", "samples")}
    ours, *rivals = methods
    own = find(f"{ours}_{source}_small").data
    test = labelled(own, test_split)
    build, width = NETWORKS[network]
    measured = SmallSample(test, steps=classifier_steps, batch_size=batch_size, network=build, width=width)
    whole = labelled(own, own.split if data.is_dataset(own.source) else own.source)
    judge = train_classifier(
        np.asarray(whole.images),
        whole.labels,
        len(whole.classes),
        steps=judge_steps,
        cache_dir=output / "judge",
        verbose=1,
    )
    results, write = kept_results(output, protocol, judge_accuracy=judge.accuracy)
    for seed in range(samples):
        for size in sizes:
            if f"{ours} {size} {seed}" in results:
                continue
            made_by, rows = {}, {}
            for method in methods:
                part, batch, many = (share, 0, steps) if method == ours else (rival_share, rival_batch, rival_steps)
                recipe, sample = of_sample(f"{method}_{source}_small", size, seed, part, batch)
                recipe = enlarging.in_passes(recipe, len(sample), many)
                began = time.process_time()
                model = enlarging.trained(recipe, sample, output / "models" / f"{method}_{size}_{seed}.keras")
                spent = time.process_time() - began
                counts = np.full(len(sample.classes), made)
                made_by[method] = enlarging.made_of_classes(model, sample, counts, seed)
                rows[method] = {"seconds": spent} | quality(judge, made_by[method], test)
            others = {name: made_by[name] for name in rivals}
            place = f"{size} a class, sample {seed}:"
            found = measured.measure(
                sample, made_by[ours], ways, seed, others, lambda way, place=place: print(place, way, flush=True)
            )
            for name in rivals:
                for key, whole_key in (("made", f"made {name}"), ("cas_test", f"cas_test {name}")):
                    if whole_key in found:
                        rows[name][key] = found.pop(whole_key)
            rows[ours] |= found
            rows["real"] = quality(judge, sample, test) | {"made": found.get("real")}
            results |= {f"{name} {size} {seed}": row for name, row in rows.items()}
            write()
    write_text(output / "table.md", as_markdown(results, sizes, methods, ways))
    draw_ways(results, sizes, ours, ways, output / "table_5_1.png")
    draw_quality(results, sizes, ("real", *methods), output / "figure_4_5.png")
    draw_made(output, source, sizes, methods, whole)
    return results


def labelled(own: Data, split: str) -> Examples:
    """All images of a split of a recipe's dataset; of a recipe of a folder those of another folder."""
    form = {"image_size": own.size, "channels": own.channels, "labels": True, "invert": own.invert}
    if data.is_dataset(own.source):
        return data.load_examples(own.source, split, **form, **own.source_options)
    return data.load_examples(split, **form)


def kept_results(output: pathlib.Path, protocol: dict, **told: float) -> tuple[dict, Callable[[], None]]:
    """What `results.json` holds, and what writes it anew, with what is `told` beside the protocol.

    Raises:
        InputError: it is of an experiment with another protocol, or damaged.
    """
    kept, protocol = output / "results.json", json.loads(json.dumps(protocol))
    results: dict = {}
    if kept.exists():
        try:
            held = json.loads(read_text(kept))
            results, before = held["results"], held["protocol"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{kept} is no file of results: remove it, and they are made again.") from error
        if changed := [key for key, value in protocol.items() if before.get(key) != value]:
            raise InputError(f"{output} holds an experiment with other {', '.join(changed)}: choose another --output.")

    def write() -> None:
        whole = protocol | told | {"processor": processor.describe()}
        write_text(kept, json.dumps({"protocol": whole, "results": results}, indent=1) + "\n")

    return results, write


def quality(judge, images: Examples, test: Examples) -> dict[str, float]:
    """Distances from as many test images, in the judge's features, and the share that it takes for their class."""
    drawn = np.random.default_rng(0).permutation(len(test))[: max(len(images), 1000)]
    new, real = judge.features(np.asarray(images.images)), judge.features(np.asarray(test.images)[drawn])
    order = np.random.default_rng(1).permutation(len(new))
    kid, deviation = kernel_distance_and_deviation(real, new[order])
    return {
        "kid": kid,
        "kid_deviation": deviation,
        "fid": gaussian_distance(real, new),
        "class_fidelity": float((judge.predict(np.asarray(images.images)) == images.labels).mean()),
    }


def over_samples(results: dict, method: str, size: int, key: str, less: str = "") -> tuple[float, float] | None:
    """Mean and half of the 95% interval over samples; of differences to another measure, `less`."""
    rows = [row for place, row in results.items() if place.split()[:2] == [method, str(size)]]
    values = [row[key] - (row[less] if less else 0.0) for row in rows if row.get(key) is not None]
    if len(values) < 2:  # no interval
        return (values[0], float("nan")) if values else None
    found = interval("mean", np.array(values))
    return found["mean"], found["mean_high"] - found["mean"]


def as_markdown(results: dict, sizes: tuple[int, ...], methods: tuple[str, ...], ways: tuple[str, ...]) -> str:
    head = f"| | {' | '.join(f'{size} a class' for size in sizes)} |\n|---|{'---|' * len(sizes)}\n"

    def line(name: str, method: str, key: str, less: str = "", scale: float = 100.0, form: str = ".1f") -> str:
        found = [over_samples(results, method, size, key, less) for size in sizes]
        cells = ["" if one is None else f"{scale * one[0]:{form}} +- {scale * one[1]:.1f}" for one in found]
        return f"| {name} | {' | '.join(cells)} |"

    text = ["Accuracy on test images in %, mean and 95% interval over samples:", "", head.rstrip()]
    text += [line(way.replace("_", ", "), methods[0], way) for way in ways]
    pairs = [(way, way.replace("mix", "real")) for way in ways if way.startswith("mix")]
    text += [line(f"{a} - {b}", methods[0], a, b, form="+.1f") for a, b in pairs if b in ways]
    for key, title in _QUALITY.items():
        scale = 1.0 if key in ("fid",) else 1000.0 if key == "kid" else 100.0
        text += ["", title + (" x 1000" if key == "kid" else "") + ":", "", head.rstrip()]
        text += [line(method, method, key, scale=scale) for method in ("real", *methods)]
    text += ["", "Processor seconds of a generator's training:", "", head.rstrip()]
    text += [line(method, method, "seconds", scale=1.0) for method in methods]
    return "\n".join(text) + "\n"


def draw_ways(results: dict, sizes: tuple[int, ...], method: str, ways: tuple[str, ...], path: pathlib.Path) -> None:
    figure, (axis,) = panels(["accuracy on test images, %"])
    for number, way in enumerate(ways):
        _curve(axis, results, sizes, method, way, way, number, 100.0)
    legend(figure, axis)
    save(figure, path)


def draw_quality(results: dict, sizes: tuple[int, ...], methods: tuple[str, ...], path: pathlib.Path) -> None:
    figure, axes = panels(list(_QUALITY.values()), columns=3)
    for axis, key in zip(axes, _QUALITY, strict=True):
        for number, method in enumerate(methods):
            _curve(axis, results, sizes, method, key, method, number, 1.0)
    legend(figure, axes[0])
    save(figure, path)


def _curve(axis, results: dict, sizes, method: str, key: str, label: str, number: int, scale: float) -> None:
    found = [(size, over_samples(results, method, size, key)) for size in sizes]
    known = [(size, scale * mean, scale * half) for size, one in found if one is not None for mean, half in [one]]
    if known:
        places, means, halves = zip(*known, strict=True)
        axis.errorbar(places, means, yerr=np.nan_to_num(halves), **look(number), markersize=4, capsize=2, label=label)
    axis.set_xlabel("images a class")


def draw_made(
    output: pathlib.Path, source: str, sizes: tuple[int, ...], methods: tuple[str, ...], whole: Examples
) -> None:
    """Figure 4.4: a column a class, some rows a method and size."""
    rng, classes = np.random.default_rng(0), len(whole.classes)
    real = [rng.choice(np.flatnonzero(whole.labels == one), _SHOWN, replace=False) for one in range(classes)]
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
        return tuple(sorted({int(one) for one in text.split(",")}))
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of numbers: give 5,10,20, say.") from None


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
@click.option("--rival-steps", default=1000, show_default=True, type=click.IntRange(1), help="Of the other methods.")
@click.option("--rival-share", default=0.5, show_default=True, type=SHARE, help="Of their recipes' width.")
@click.option("--rival-batch", default=0, show_default=True, type=click.IntRange(0), help="0: their recipes'.")
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
