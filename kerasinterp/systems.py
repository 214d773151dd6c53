"""Systems side by side on one dataset: trained alike, measured alike."""

import concurrent.futures
import dataclasses
import json
import multiprocessing
import os
import pathlib
import statistics
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kerasinterp import generation, training
from kerasinterp.errors import InputError, suggest
from kerasinterp.evaluation.figures import against_images_seen, legend, look, panels, readable, save
from kerasinterp.files import written_whole
from kerasinterp.recipe import Recipe, find, recipes
from kerasinterp.yardsticks import Yardstick, yardstick

NO_MODEL = "pixel_fade"


def compare(
    dataset: str,
    systems: Sequence[str],
    output: pathlib.Path,
    *,
    seeds: int = 1,
    jobs: int = 1,
    smoke: bool = False,
    **settings: object,
) -> dict:
    """Trains systems on one dataset and measures them, where it is known against the true in-betweens.

    `output` then holds `table.json` (an object a system, keyed by measure), `table.md`, `comparison.png` (a row a
    system, the same pairs), `curves.png` (measures against images seen) and `runs/`. Called again it goes on where it
    stopped, with more systems, seeds or epochs too.

    Args:
        dataset: `lines`, `lines16`, `pole`, `coil100`, `mnist` or `spiral`: the recipes `<system>_<dataset>`.
        systems: names of objectives that have such a recipe, or of their ablations (`AEAI_without_cycle`).
        seeds: trains each system with seeds 0, 1, ...; the table has their means and deviations.
        jobs: runs at once, each with its share of the processor's cores: small networks leave most of them idle. Sums
            may round otherwise than in one run at a time.
        smoke: the recipes' small variants.
        settings: fields of the recipes to change, such as `epochs`.

    Returns:
        The content of `table.json`: for each system, and for the row "pixel_fade", each measure's mean over seeds and,
        with several, its deviation as `<measure>_over_seeds`; "images_seen" and "seeds". Where a measure is None for
        some of the seeds, the mean is that of the others, whose number is `<measure>_seeds`.

    Raises:
        InputError: an unknown dataset or system, one seed, or a folder that holds another comparison.
    """
    if "seed" in settings:
        raise InputError("a comparison trains with seeds 0, 1, ...: give how many as seeds, in place of seed.")
    chosen = {system: dataclasses.replace(own, **settings) for system, own in _recipes(dataset, systems, smoke).items()}
    output = pathlib.Path(output)
    path, asked = output / "comparison.json", {"dataset": dataset, "smoke": smoke}
    if path.exists() and (before := _read(path)) != asked:
        held = f"{before['dataset']}{', smoke' if before['smoke'] else ''}"
        raise InputError(f"{output} already holds a comparison ({held}): choose another --output.")
    yard = next(iter(chosen.values())), output / "judges", smoke
    judge = yardstick(*yard)
    _write(path, json.dumps(asked) + "\n")
    runs = {
        output / "runs" / f"{system}_{seed}": dataclasses.replace(recipe, seed=seed)
        for seed in range(seeds)
        for system, recipe in chosen.items()
    }
    if jobs > 1:
        left = {run: own for run, own in runs.items() if not training.is_finished(own, run)}
        _finish_at_once(left, yard, jobs)
    measured: dict[str, list[list[dict]]] = {}
    for run, own in runs.items():
        measured.setdefault(run.name.rsplit("_", 1)[0], []).append(_finish(run, own, judge))
    table = {system: _row(rows) for system, rows in measured.items()}
    table[NO_MODEL] = judge.measure(None, None)
    _write(output / "table.json", json.dumps(table, indent=1) + "\n")
    _write(output / "table.md", _markdown(table, judge))
    models = {system: generation.load_model(output / "runs" / f"{system}_0" / "model.keras") for system in measured}
    judge.picture(models, output / "comparison.png")
    _draw_curves(output / "curves.png", measured, judge)
    for name, draw in judge.figures.items():
        draw(table, output / name)
    return table


def _finish(run: pathlib.Path, recipe: Recipe, judge: Yardstick) -> list[dict]:
    """Trains and measures one run, or what is left of it."""
    if not training.is_finished(recipe, run):
        training.train(recipe, run, resume=(run / "recipe.json").exists(), report=False)
    return _measured(run, recipe, judge)


def _finish_at_once(runs: dict[pathlib.Path, Recipe], yard: tuple, jobs: int) -> None:
    """Finishes runs in processes of their own, `jobs` at a time."""
    spawn = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with concurrent.futures.ProcessPoolExecutor(jobs, spawn, _share_cores, (threads,)) as pool:
        tasks = [pool.submit(_finish_alone, run, recipe, yard) for run, recipe in runs.items()]
        try:
            for task in concurrent.futures.as_completed(tasks):
                task.result()
        except BaseException:
            # They go on from their checkpoints when the comparison is started again.
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _share_cores(threads: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _finish_alone(run: pathlib.Path, recipe: Recipe, yard: tuple) -> None:
    _finish(run, recipe, yardstick(*yard))


def _recipes(dataset: str, systems: Sequence[str], smoke: bool) -> dict[str, Recipe]:
    groups: dict[str, dict[str, str]] = {}
    for recipe in recipes().values():
        if recipe.target is None:
            prefix, group = recipe.name.rsplit("_", 1)
            # acai_lines and supervised_amr_mnist are their objectives, aeai_without_cycle_pole is AEAI_without_cycle.
            own = prefix.replace("_", "") == recipe.objective.lower()
            label = recipe.objective if own else recipe.objective + prefix[len(recipe.objective) :]
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


def _measured(run: pathlib.Path, recipe: Recipe, judge: Yardstick) -> list[dict]:
    """The measures of each snapshot and of the final model, with "images_seen"; kept in the run's folder."""
    path = run / "measures.json"
    kept = {row["images_seen"]: row for row in _read(path)} if path.exists() else {}
    per_epoch = recipe.steps_per_epoch * recipe.batch_size
    models = {int(file.stem.split("-")[1]) * per_epoch: file for file in run.glob("snapshots/epoch-*.keras")}
    models[recipe.epochs * per_epoch] = run / "model.keras"
    for seen, file in sorted(models.items()):
        if seen not in kept:
            model = generation.load_model(file)
            kept[seen] = {"images_seen": seen} | judge.measure(model, recipe)
            _write(path, json.dumps([kept[key] for key in sorted(kept)]) + "\n")
    return [kept[key] for key in sorted(kept) if key <= recipe.epochs * per_epoch]


def _row(runs: list[list[dict]]) -> dict:
    """The last measures' means and deviations over the seeds that have them; curves and lists are those of seed 0."""
    last, row = [rows[-1] for rows in runs], {}
    for key in dict.fromkeys(key for one in last for key in one):
        values = [one[key] for one in last if one.get(key) is not None]
        if key == "images_seen" or not values or not all(isinstance(one, float | int) for one in values):
            row[key] = values[0] if values else None
            continue
        row[key] = statistics.fmean(values)
        if len(values) > 1:
            row[f"{key}_over_seeds"] = statistics.stdev(values)
        if len(values) < len(last):
            row[f"{key}_seeds"] = len(values)
    return row | {"seeds": len(runs)}


def _markdown(table: dict, judge: Yardstick) -> str:
    lines = [f"| | {' | '.join(judge.columns.values())} | images seen | seeds |"]
    lines.append("|" + "---|" * (len(judge.columns) + 3))
    for system, row in table.items():
        cells = [_cell(row, key) for key in judge.columns]
        seen = f"{row['images_seen']:,}" if "images_seen" in row else ""
        lines.append(f"| {readable(system)} | {' | '.join(cells)} | {seen} | {row.get('seeds', '')} |")
    return "\n".join(lines) + "\n"


def _cell(row: dict, key: str) -> str:
    if row.get(key) is None:
        return "none"
    text = f"{row[key]:.3g}"
    if f"{key}_over_seeds" in row:
        text += f" +- {row[f'{key}_over_seeds']:.1g}"
    return text + (f" ({row[f'{key}_seeds']} seeds)" if f"{key}_seeds" in row else "")


def _draw_curves(path: pathlib.Path, measured: dict[str, list[list[dict]]], judge: Yardstick) -> None:
    """Each measure of the table against images seen, the mean over seeds."""
    figure, axes = panels(list(judge.columns.values()), columns=3)
    for axis, key in zip(axes, judge.columns, strict=True):
        for index, (system, runs) in enumerate(measured.items()):
            found: dict[int, list[float]] = {}
            for row in (row for rows in runs for row in rows if row.get(key) is not None):
                found.setdefault(row["images_seen"], []).append(row[key])
            # A seed may have a model at another number, of a comparison that was shorter.
            points = [(seen, statistics.fmean(values)) for seen, values in found.items() if len(values) == len(runs)]
            if points:
                axis.plot(*zip(*sorted(points), strict=True), **look(index), markersize=4, label=system)
        against_images_seen(axis)
        axis.set_ylim(bottom=0)
    legend(figure, axes[0])
    save(figure, path)


def _read(path: pathlib.Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): remove it, and it is made again.") from error


def _write(path: pathlib.Path, text: str) -> None:
    with written_whole(path) as partial:
        partial.write_text(text)
