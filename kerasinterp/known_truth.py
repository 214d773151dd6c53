"""Systems side by side on data whose in-betweens are known: lines, the pole, turntables."""

import dataclasses
import functools
import json
import pathlib
import statistics
from collections.abc import Callable, Sequence

import numpy as np

from kerasinterp import data, evaluation, generation, training
from kerasinterp.errors import InputError, suggest
from kerasinterp.evaluation.figures import legend, look, panels, save
from kerasinterp.recipe import Recipe, find, recipes

FADE = "pixel_fade"
_PAIRS, _POINTS = 2, 11  # in the picture
_INTERVAL = 80  # degrees, AEAI 4.3


@dataclasses.dataclass(frozen=True)
class Truth:
    """What a dataset with known in-betweens is judged by.

    Attributes:
        measure: interpolation (a, b, alphas) -> a dict ready for JSON; its numbers go into the table.
        columns: the table's measures, by their titles.
        paths: (a, b, true paths) for the picture: (P, H, W, C) twice and (P, K, H, W, C).
        draw: figures of several systems' measures, by file name.
    """

    measure: Callable[[Callable], dict]
    columns: dict[str, str]
    paths: Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]
    draw: dict[str, Callable]


def compare(
    dataset: str,
    systems: Sequence[str],
    output: pathlib.Path,
    *,
    seeds: int = 1,
    smoke: bool = False,
    **settings: object,
) -> dict:
    """Trains systems on one dataset and measures them against its known in-betweens.

    `output` then holds `table.json` (an object a system, keyed by measure), `table.md`, `comparison.png` (a row a
    system, the same pairs), `curves.png` (measures against images seen) and `runs/`. Called again it goes on where it
    stopped.

    Args:
        dataset: `lines`, `lines16`, `pole` or `coil100`: the recipes `<system>_<dataset>`.
        systems: names of objectives that have such a recipe, or of their ablations (`AEAI_without_cycle`).
        seeds: trains each system with seeds 0, 1, ...; the table has their means and deviations.
        smoke: the recipes' small variants.
        settings: fields of the recipes to change, such as `epochs`.

    Returns:
        The content of `table.json`: for each system, and for the row "pixel_fade", each measure's mean over seeds and,
        with several, its deviation as `<measure>_std`; "images_seen" and "seeds".

    Raises:
        InputError: an unknown dataset or system, or a folder that holds another comparison.
    """
    chosen = _recipes(dataset, systems, smoke)
    output = pathlib.Path(output)
    truth = _truth(next(iter(chosen.values())), smoke)
    measured: dict[str, list[list[dict]]] = {}
    for seed in range(seeds):
        for system, recipe in chosen.items():
            run = output / "runs" / f"{system}_{seed}"
            own = dataclasses.replace(recipe, seed=seed, **settings)
            if not (run / "model.keras").exists():
                training.train(own, run, resume=(run / "recipe.json").exists(), report=False)
            measured.setdefault(system, []).append(_measured(run, own, truth))
    table = {system: _row(runs) for system, runs in measured.items()}
    table[FADE] = truth.measure(generation.pixel_fade)
    _write(output / "table.json", json.dumps(table, indent=1) + "\n")
    _write(output / "table.md", _markdown(table, truth))
    models = {system: generation.load_model(output / "runs" / f"{system}_0" / "model.keras") for system in measured}
    _draw_paths(output / "comparison.png", models, truth)
    _draw_curves(output / "curves.png", measured, truth)
    for name, draw in truth.draw.items():
        draw(table, output / name)
    return table


def _recipes(dataset: str, systems: Sequence[str], smoke: bool) -> dict[str, Recipe]:
    groups: dict[str, dict[str, str]] = {}
    for recipe in recipes().values():
        if recipe.source.split("/")[0] in ("lines", "pole", "coil100"):
            prefix, group = recipe.name.rsplit("_", 1)
            # acai_lines is ACAI, aeai_without_cycle_pole is AEAI_without_cycle
            label = recipe.objective + prefix[len(recipe.objective) :]
            groups.setdefault(group, {})[label] = recipe.name
    if dataset not in groups:
        raise InputError(f"No comparison on {dataset!r}: choose of {', '.join(groups)}.{suggest(dataset, groups)}")
    known = {system.lower(): system for system in groups[dataset]}
    chosen = {}
    for system in systems:
        if system.lower() not in known:
            names = ", ".join(known.values())
            hint = suggest(system, known.values())
            raise InputError(f"{system!r} has no recipe for {dataset}: choose of {names}.{hint}")
        name = known[system.lower()]
        chosen[name] = find(groups[dataset][name], smoke=smoke)
    if not chosen:
        raise InputError(f"Name the systems to compare: {', '.join(known.values())}.")
    return chosen


def _measured(run: pathlib.Path, recipe: Recipe, truth: Truth) -> list[dict]:
    """The measures of each snapshot and of the final model, with "images_seen"; kept in the run's folder."""
    path = run / "measures.json"
    kept = {row["images_seen"]: row for row in json.loads(path.read_text())} if path.exists() else {}
    per_epoch = recipe.steps_per_epoch * recipe.batch_size
    models = {int(file.stem.split("-")[1]) * per_epoch: file for file in run.glob("snapshots/epoch-*.keras")}
    models[recipe.epochs * per_epoch] = run / "model.keras"
    for seen, file in sorted(models.items()):
        if seen not in kept:
            model = generation.load_model(file)
            kept[seen] = {"images_seen": seen} | truth.measure(functools.partial(generation.interpolate, model))
            _write(path, json.dumps([kept[key] for key in sorted(kept)]) + "\n")
    return [kept[key] for key in sorted(kept) if key <= recipe.epochs * per_epoch]


def _row(runs: list[list[dict]]) -> dict:
    """The last measures' means and deviations over seeds; curves and other lists are those of seed 0."""
    last = [rows[-1] for rows in runs]
    row = dict(last[0])
    for key, value in last[0].items():
        values = [one[key] for one in last]
        if isinstance(value, float) and None not in values:
            row[key] = statistics.fmean(values)
            if len(values) > 1:
                row[f"{key}_std"] = statistics.stdev(values)
    return row | {"seeds": len(runs)}


def _markdown(table: dict, truth: Truth) -> str:
    lines = [f"| | {' | '.join(truth.columns.values())} | images seen | seeds |"]
    lines.append("|" + "---|" * (len(truth.columns) + 3))
    for system, row in table.items():
        cells = [_cell(row.get(key), row.get(f"{key}_std")) for key in truth.columns]
        seen = f"{row['images_seen']:,}" if "images_seen" in row else ""
        lines.append(f"| {system.replace('_', ' ')} | {' | '.join(cells)} | {seen} | {row.get('seeds', '')} |")
    return "\n".join(lines) + "\n"


def _cell(value: float | None, deviation: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.3g}" if deviation is None else f"{value:.3g} +- {deviation:.1g}"


def _draw_paths(path: pathlib.Path, models: dict, truth: Truth) -> None:
    """The same pairs in every row: the truth, the pixel fade, and each system."""
    first, second, true = truth.paths()
    alphas = np.linspace(0.0, 1.0, true.shape[1])
    rows = {"truth": true, "pixel fade": generation.pixel_fade(first, second, alphas)}
    rows |= {name: generation.interpolate(model, first, second, alphas) for name, model in models.items()}
    flat = [np.clip(made, -1.0, 1.0).reshape(-1, *made.shape[2:]) for made in rows.values()]
    generation.save_grid(path, flat, list(rows))


def _draw_curves(path: pathlib.Path, measured: dict[str, list[list[dict]]], truth: Truth) -> None:
    """Each measure of the table against images seen, the mean over seeds."""
    figure, axes = panels(list(truth.columns.values()), columns=3)
    for axis, key in zip(axes, truth.columns, strict=True):
        for index, (system, runs) in enumerate(measured.items()):
            points = [
                (rows[0]["images_seen"], statistics.fmean(row[key] for row in rows))
                for rows in zip(*runs, strict=True)
                if all(row.get(key) is not None for row in rows)
            ]
            if points:
                axis.plot(*zip(*points, strict=True), **look(index), markersize=4, label=system)
        axis.set_xlabel("images seen")
        axis.set_ylim(bottom=0)
    legend(figure, axes[0])
    save(figure, path)


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text)
    partial.replace(path)


# What is known of each dataset


def _truth(recipe: Recipe, smoke: bool) -> Truth:
    return _lines(recipe, smoke) if recipe.source.startswith("lines") else _views(recipe, smoke)


def _lines(recipe: Recipe, smoke: bool) -> Truth:
    size = recipe.image_size
    width = size / 16  # ACAI's 2 pixels of 32
    count = {"paths": 64, "references": 2_000} if smoke else {}

    def paths() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ends = np.array([[0.3, 2.6], [5.5, 3.6]])[:_PAIRS]
        angles = np.linspace(ends[:, 0], ends[:, 1], _POINTS, axis=1)
        drawn = data.to_float(data.lines.render(angles.ravel(), size, width))
        drawn = drawn.reshape(_PAIRS, _POINTS, *drawn.shape[1:])
        return drawn[:, 0], drawn[:, -1], drawn

    return Truth(
        measure=functools.partial(evaluation.lines, size=size, width=width, **count),
        columns={
            "mean_distance": "mean distance",
            "smoothness": "smoothness (corrected)",
            "smoothness_official": "smoothness (official)",
        },
        paths=paths,
        draw={"measures.png": evaluation.draw_lines},
    )


def _views(recipe: Recipe, smoke: bool) -> Truth:
    where = recipe.source_options.get("where", {})
    series = where.get("object_id")
    turns = data.views(recipe.source, recipe.image_size, recipe.channels, series=None if series is None else [series])
    every = 8 if smoke else 1

    def measure(interpolate: Callable) -> dict:
        first, second = _interval_ends(turns)
        measured = evaluation.in_between(interpolate, turns, every=every)
        measured |= evaluation.departure(interpolate, turns, pairs=64 if smoke else 256)
        flat = turns.images.reshape(-1, *turns.images.shape[2:])
        return measured | evaluation.admissibility(interpolate, first, second, evaluation.near(flat))

    def paths() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        steps = round(_INTERVAL / turns.step)
        starts = np.linspace(0, turns.images.shape[1], _PAIRS, endpoint=False, dtype=int)
        true = np.stack(
            [
                np.roll(turns.images[n % len(turns.images)], -start, axis=0)[: steps + 1 : 2]
                for n, start in enumerate(starts)
            ]
        )
        true = data.to_float(true)
        return true[:, 0], true[:, -1], true

    return Truth(
        measure=measure,
        columns={
            "mse": f"MSE, {_INTERVAL} degrees",
            "mse_std": "its deviation",
            "alpha_error": "error of predicted alpha",
            "departure_error": "departure error",
        },
        paths=paths,
        draw={
            "in_between.png": evaluation.draw_in_between,
            "retrieval.png": evaluation.draw_retrieval,
            "departure.png": evaluation.draw_departure,
            "admissibility.png": evaluation.draw_admissibility,
        },
    )


def _interval_ends(turns: data.Views) -> tuple[np.ndarray, np.ndarray]:
    """The ends of every interval of `_INTERVAL` degrees, float32 (N, H, W, C) twice."""
    apart = np.roll(turns.images, -round(_INTERVAL / turns.step), axis=1)
    return tuple(data.to_float(images.reshape(-1, *images.shape[2:])) for images in (turns.images, apart))
