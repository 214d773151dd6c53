"""Runs and models, measured alike: a table, pictures, and curves against images seen.

`compare` trains systems on one dataset first; `evaluate` takes what is there; `report` is what the end of a training
shows of its run.
"""

import concurrent.futures
import contextlib
import dataclasses
import json
import multiprocessing
import os
import pathlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kerasinterp import data, generation, presets, progress, training
from kerasinterp.cluster import Cluster
from kerasinterp.errors import InputError, suggest
from kerasinterp.evaluation.figures import against_images_seen, from_zero, legend, look, panels, readable, save
from kerasinterp.files import read_text, write_rows, write_text
from kerasinterp.objectives import OBJECTIVES, Objective
from kerasinterp.recipe import Data, Recipe, find, for_own_images, recipes
from kerasinterp.run import Run
from kerasinterp.yardsticks import Judge, check_measurable, judge, read_by

_PATIENCE = 30.0  # seconds for a run that is ended to save
_JUDGES = "judges"  # the folder of classifiers, beside the runs that share them
_HELD_OUT = 0.2  # of a folder's classes (ours; of views AEAI 2.3 has as many)
_KEPT, _FEWEST = 0.1, 20  # of a folder's images without classes (ours), and how many it has at least
_BESIDE_SEEDS = 3  # images of a class that is measured on, beside the seeds of a set (`evaluation.SeedSets`)
_SHOWN = 8  # names


def compare(
    dataset: str | os.PathLike,
    systems: Sequence[str],
    output: str | os.PathLike,
    *,
    seeds: int = 1,
    jobs: int = 1,
    smoke: bool = False,
    **settings: object,
) -> dict:
    """Trains systems on one dataset and measures them, where it is known against the true in-betweens.

    Images of one's own are measured on classes never trained on: those of a `target` or, of a folder of class folders,
    a fifth of its classes, drawn once for all runs. Of a folder without classes a tenth of the images, drawn by each
    run's seed, are kept from training and measured by what needs no labels.

    `output` then holds `table.json` (an object a system, keyed by measure), `table.md`, `comparison.png` (a row a
    system, the same pairs), `curves.png` and `curves.csv` (measures against images seen) and `runs/`. Called again it
    goes on where it stopped, with more systems, seeds or epochs too.

    Args:
        dataset: `lines`, `lines16`, `pole`, `coil100`, `mnist` or `spiral`: the recipes `<system>_<dataset>`; or a
            folder of images; or a recipe that is measured on unseen classes, such as `augintae_maps_omniglot`.
        systems: names of objectives that have such a recipe, or of their ablations (`AEAI_without_cycle`); for the
            others any objectives.
        seeds: trains each system with seeds 0, 1, ...; the table has their means and deviations.
        jobs: runs at once, each with its share of the processor's cores: small networks leave most of them idle. Sums
            may round otherwise than in one run at a time.
        smoke: the recipes' small variants.
        settings: of the recipes to change (`Recipe.change`), such as `epochs`; of a folder `image_size`, `channels`,
            which choose its recipe (`recipe.for_own_images`), and `target`.

    Returns:
        The content of `table.json`: for each system, and for the row "pixel_fade", each measure's mean over seeds and,
        with several, its deviation as `<measure>_over_seeds`; "images_seen" and "seeds". Where a measure is None for
        some of the seeds, the mean is that of the others, whose number is `<measure>_seeds`. "protocol" says how it was
        measured.

    Raises:
        InputError: an unknown dataset or system, one seed, or a folder that holds another comparison; or of which too
            few classes or images are left to be measured on; several machines.
    """
    Cluster.none_for("compare")
    if "seed" in settings:
        raise InputError("a comparison trains with seeds 0, 1, ...: give how many as seeds, in place of seed.")
    if seeds < 1 or jobs < 1:
        raise InputError(f"seeds and jobs are 1 or more, not {seeds} and {jobs}.")
    dataset, output = os.fspath(dataset), pathlib.Path(output)
    chosen, said = _recipes(dataset, systems, smoke, settings)
    path, asked = output / "comparison.json", {"dataset": dataset, "smoke": smoke}
    if path.exists() and (before := _read(path)) != asked:
        if not isinstance(before, dict) or set(before) != set(asked):
            raise InputError(f"{path} is no comparison's: remove it, and it is made again.")
        held = f"{before['dataset']}{', smoke' if before['smoke'] else ''}"
        raise InputError(f"{output} already holds a comparison ({held}): choose another --output.")
    yard = next(iter(chosen.values())), output / _JUDGES, smoke
    if said:
        print(said)
    judged_by = judge(*yard)
    judged_by = dataclasses.replace(judged_by, note=" ".join(filter(None, (said, judged_by.note))))
    write_text(path, json.dumps(asked) + "\n")
    runs = {
        (system, seed): (Run(output / "runs" / f"{system}_{seed}"), recipe.change(seed=seed))
        for seed in range(seeds)
        for system, recipe in chosen.items()
    }
    if jobs > 1:
        _finish_at_once([(run, own) for run, own in runs.values() if not run.is_finished(own)], yard, jobs)
    measured: dict[str, list[list[dict]]] = {}
    for (system, _), (run, own) in runs.items():
        measured.setdefault(system, []).append(_finish(run, own, judged_by))
    models = {system: generation.load_model(runs[system, 0][0].model) for system in chosen}
    return _show(output, "table", measured, judged_by, models)


def evaluate(
    models: Sequence[str | os.PathLike],
    output: str | os.PathLike,
    *,
    every: int | None = None,
    seed: int = 0,
    data: Mapping[str, Any] | None = None,
    target: Mapping[str, Any] | None = None,
    as_first: bool = False,
) -> dict:
    """Measures trained models, of files or of whole run folders, by one yardstick.

    `output` then holds `report.json`, `report.md`, `comparison.png` and the yardstick's figures; with snapshots of run
    folders also `curves.png` and `curves.csv`.

    Args:
        models: `.keras` files; or run folders, whose snapshots are measured too.
        every: of run folders, takes every n-th snapshot, and the last; None for all.
        seed: of what the judge draws and trains.
        data: changes to the recipe's data (`source`, `split`); what is judged against.
        target: changes to the recipe's target.
        as_first: measures all as the first model's recipe says, whatever the others were trained on (AugIntAE table 2's
            WGAN-GP of the test classes).

    Returns:
        The content of `report.json`: a row a model, the rows without a model, and "protocol".

    Raises:
        InputError: models of different images, nothing to be measured on, or `every` without a run folder.
    """
    output, paths = pathlib.Path(output), [pathlib.Path(path) for path in models]
    runs = {path: Run(path) for path in paths if Run(path).exists}
    if not paths:
        raise InputError("Name a model or a run folder to evaluate.")
    if every is not None and (not runs or every < 1):
        raise InputError("Snapshots are of run folders: give one and an --every of 1 or more, or leave it out.")
    files = {path: snapshots(runs[path], every or 1) if path in runs else {None: path} for path in dict.fromkeys(paths)}
    recipes_of = {path: runs[path].recipe if path in runs else recipe_beside(path) for path in files}
    changes = {"data": dict(data or {}), "target": dict(target or {})}
    for path, recipe in recipes_of.items():
        if recipe is None and not changes["data"].get("source"):
            raise InputError(f"there is no recipe.json beside {path} that names a source: give --source.")
    last = {path: generation.load_model(list(own.values())[-1]) for path, own in files.items()}
    known = {path: recipe or _of_model(path, last[path]) for path, recipe in recipes_of.items()}
    asked = {path: recipe.change(**changes) for path, recipe in known.items()}
    base = asked[paths[0]]
    if as_first:
        asked = dict.fromkeys(asked, base)
    for group, name in ((group, name) for group, change in changes.items() for name in change):
        before, after = (getattr(getattr(recipe, group), name) for recipe in (known[paths[0]], base))
        if before != after and name not in read_by(base.target.yardstick):
            raise InputError(f"{name} has no effect on what {base.target.yardstick} measures: leave it out.")
    names = names_of(last, {path: run.recipe for path, run in runs.items()})
    for path, model in last.items():
        if _measured_on(asked[path], model) != _measured_on(base, last[paths[0]]):
            raise InputError(
                f"{path} was trained on other data than {paths[0]}, or for other images: evaluate it alone, or, if the "
                "images are of one size, --as-first."
            )
    check_measurable(base.target.yardstick, *last.values())
    judged_by = judge(base, output / _JUDGES, seed=seed)
    measured: dict[str, list[list[dict]]] = {}
    with progress.bar(sum(map(len, files.values())), "measuring", "models") as told:
        for path, own in files.items():
            measured[names[path]] = rows = [[]]
            for seen, file in own.items():
                rows[0].append(_measured(file, recipes_of[path], judged_by, seen))
                told.update()
    return _show(output, "report", measured, judged_by, {names[path]: model for path, model in last.items()})


def report(run: Run) -> dict | None:
    """Measures a finished run by its recipe's target into `report.json` and pictures; None if there is no target."""
    recipe = run.recipe
    if not _is_measured(recipe):
        return None
    judged_by = judge(recipe, run.folder.parent / _JUDGES)  # shared by the runs beside this one
    rows = [_measured(run.model, recipe, judged_by, recipe.schedule.steps * recipe.schedule.batch_size)]
    last = {recipe.objective: generation.load_model(run.model)}
    return _show(run.folder, "report", {recipe.objective: [rows]}, judged_by, last)


def _is_measured(recipe: Recipe) -> bool:
    return recipe.target.yardstick != "few_shot" or recipe.target.target is not None


def train_and_report(
    recipe: Recipe, output: str | os.PathLike, *, resume: bool = False, memory: int | str | None = None
) -> Run:
    """As `training.train`, and the run's `report`.

    Raises:
        InputError: as `training.train`; before that, a yardstick that there is not, or that cannot measure the system.
    """
    if _is_measured(recipe):
        check_measurable(recipe.target.yardstick, training.system(recipe))
    run = training.train(recipe, output, resume=resume, memory=memory)
    cluster = Cluster.from_environment()
    if cluster is None or cluster.is_chief:
        report(run)
    return run


# Training what is compared


def _finish(run: Run, recipe: Recipe, judged_by: Judge) -> list[dict]:
    """Trains and measures one run, or what is left of it."""
    return _kept_measures(training.finished(recipe, run.folder), judged_by)


def _finish_at_once(runs: list[tuple[Run, Recipe]], yard: tuple, jobs: int) -> None:
    """Finishes runs in processes of their own, `jobs` at a time."""
    spawn = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    threads = max(1, (os.cpu_count() or 1) // jobs)
    others = set(multiprocessing.active_children())  # not ours to end
    with concurrent.futures.ProcessPoolExecutor(jobs, spawn, _share_cores, (threads,)) as pool:
        tasks = [pool.submit(_finish_alone, run.folder, recipe, yard) for run, recipe in runs]
        try:
            for task in concurrent.futures.as_completed(tasks):
                task.result()
        except BaseException:
            # They save, and go on from there when the comparison is started again.
            ours = set(multiprocessing.active_children()) - others
            for process in ours:
                process.terminate()
            for process in ours:
                process.join(_PATIENCE)
                process.kill()  # one that has saved may wait for ever for a task, from a queue that another held
            pool.shutdown(cancel_futures=True)  # their last words come before ours
            raise


def _share_cores(threads: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _finish_alone(folder: pathlib.Path, recipe: Recipe, yard: tuple) -> None:
    try:
        _finish(Run(folder), recipe, judge(*yard))
    except training.Interrupted:  # saved; whoever stopped it waits for no answer
        os._exit(130)


def _recipes(dataset: str, systems: Sequence[str], smoke: bool, settings: dict) -> tuple[dict[str, Recipe], str]:
    """What each system is trained by, with its settings, and a sentence on what it is measured on, or ""."""
    groups: dict[str, dict[str, str]] = {}
    for recipe in recipes().values():
        if recipe.target.yardstick != "few_shot":
            prefix, group = recipe.name.rsplit("_", 1)
            # acai_lines and supervised_amr_mnist are their objectives, aeai_without_cycle_pole is AEAI_without_cycle.
            own = prefix.replace("_", "") == recipe.objective.lower()
            label = recipe.objective if own else recipe.objective + prefix[len(recipe.objective) :]
            groups.setdefault(group, {})[label] = recipe.name
    if dataset in groups:
        chosen = _named(systems, groups[dataset], f"has no recipe for {dataset}")
        made = {system: find(groups[dataset][system], smoke=smoke).change(**settings) for system in chosen}
        check_measurable(next(iter(made.values())).target.yardstick, *map(training.system, made.values()))
        return made, ""
    settings = dict(settings)
    form = {key: settings.pop(key, None) for key in ("image_size", "channels")}
    if dataset in recipes() and recipes()[dataset].target.yardstick == "few_shot":
        base, said = find(dataset, smoke=smoke).of_size(**form).change(**settings), ""
        if not base.data.source:
            raise InputError(f"{dataset} is for images of your own: name their folder in its place.")
    elif not data.is_dataset(dataset):
        target = settings.pop("target", None)
        base = for_own_images(**form, smoke=smoke).change(source=dataset, **settings)
        base, said = _held_out(base, target)
    else:
        known = [*groups, *(name for name, recipe in recipes().items() if recipe.target.target)]
        raise InputError(
            f"No comparison on {dataset!r}: choose of {', '.join(known)}, or give a folder of images."
            f"{suggest(dataset, known)}"
        )
    chosen = _named(systems, OBJECTIVES, "is no system")
    check_measurable(base.target.yardstick, *(OBJECTIVES[system] for system in chosen))
    made = {system: training.with_objective(base, system) for system in chosen}
    for one in made.values():  # before any image is read or judge trained; no one wrote these for each other
        training.check(one)
        training.build(one.change(width=2, latent_size=2))
    return made, said


def _named(systems: Sequence[str], known: Iterable[str], unknown: str) -> list[str]:
    """The systems' names as they are written."""
    names = {name.lower(): name for name in known}
    for system in systems:
        if system.lower() not in names:
            hint = suggest(system, names.values())
            raise InputError(f"{system!r} {unknown}: choose of {', '.join(names.values())}.{hint}")
    if not systems:
        raise InputError(f"Name the systems to compare: {', '.join(names.values())}.")
    return list(dict.fromkeys(names[system.lower()] for system in systems))


def _held_out(recipe: Recipe, target: str | None) -> tuple[Recipe, str]:
    """The recipe of a folder measured on what it does not learn from, and a sentence on what that is."""
    folder = recipe.data.source
    if target is not None:
        return recipe.change(target=target), f"Measured on the classes of {target}, which are not trained on."
    classes, needed = data.classes_of(folder), recipe.target.shots + _BESIDE_SEEDS
    if len(classes) == 1:
        if (count := sum(classes.values())) < _FEWEST:
            raise InputError(
                f"{folder} has {count} images: a tenth is kept from training to measure on, so give {_FEWEST} or more."
            )
        recipe = recipe.change(share=1.0 - _KEPT, yardstick="unlabelled")
        return recipe, (
            f"{folder} has no classes: measured on {np.sum(~recipe.trained_on(count))} of {count} images, which each "
            "seed keeps from training, by what needs no labels."
        )
    able = [number for number, count in enumerate(classes.values()) if count >= needed]
    if len(classes) < 4 or len(able) < 2:
        raise InputError(
            f"{folder} has {len(classes)} classes, {len(able)} of them with {needed} images or more: to measure on "
            f"classes never trained on, give 4 or more, two of them with {needed} images, or other classes by --target."
        )
    count = min(len(able), max(2, round(_HELD_OUT * len(classes))), len(classes) - 2)
    held = set(np.random.default_rng(0).choice(able, count, replace=False).tolist())
    learned = {number: name for number, name in enumerate(classes) if number not in held}
    names = [name for number, name in enumerate(classes) if number in held]
    changed = recipe.change(
        source_options={"classes": [*learned.values()]}, target={"target": folder, "target_without": (*learned,)}
    )
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return changed, f"Measured on {count} of the {len(classes)} classes of {folder}, held out by seed 0: {shown}."


# Measuring


def _measured(file: pathlib.Path, recipe: Recipe | None, judged_by: Judge, seen: int | None) -> dict:
    row = {} if seen is None else {"images_seen": seen}
    return row | judged_by.measure(generation.load_model(file), recipe)


def _kept_measures(run: Run, judged_by: Judge) -> list[dict]:
    """The rows of each snapshot and of the final model, kept in the run's folder.

    A row is made again if it was measured by another protocol, or lacks a measure.
    """
    kept = _read(run.measures) if run.measures.exists() else None
    same = isinstance(kept, dict) and kept.get("protocol") == judged_by.protocol and isinstance(kept.get("rows"), list)
    whole = {row["images_seen"]: row for row in kept["rows"] if _is_whole(row, judged_by)} if same else {}
    models, recipe = snapshots(run), run.recipe
    for seen, file in models.items():
        if seen not in whole:
            whole[seen] = _measured(file, recipe, judged_by, seen)
            rows = [whole[key] for key in sorted(whole)]
            write_text(run.measures, json.dumps({"protocol": judged_by.protocol, "rows": rows}) + "\n")
    return [whole[seen] for seen in models]


def _is_whole(row: Any, judged_by: Judge) -> bool:
    return (
        isinstance(row, dict)
        and type(row.get("images_seen")) is int
        and all(type(row.get(key, "")) in (int, float, type(None)) for key in judged_by.columns)
    )


def snapshots(run: Run, every: int = 1) -> dict[int, pathlib.Path]:
    """The models of a run by images seen, in order: every n-th snapshot and, of a finished run, the final model."""
    schedule = run.recipe.schedule
    found = {epoch: file for epoch, file in run.all_snapshots().items() if epoch <= schedule.epochs}
    last = max(found, default=0)
    found = {epoch: file for epoch, file in found.items() if epoch % every == 0 or epoch == last}
    if run.model.exists():
        found[schedule.epochs] = run.model
    if not found:
        raise InputError(
            f"{run} has no snapshots and no final model: train it first, or let its recipe keep snapshots."
        )
    return {epoch * schedule.steps_per_epoch * schedule.batch_size: file for epoch, file in sorted(found.items())}


def recipe_beside(model: pathlib.Path) -> Recipe | None:
    """The recipe of a preset's card, or of the run folder around a model's file, if there is one that can be read."""
    if folder := presets.folder_of(model):
        with contextlib.suppress(InputError, KeyError, TypeError):
            return Recipe.from_dict(presets.read_card(folder)["training"]["recipe"])
    for folder in (model.parent, model.absolute().parent.parent):
        with contextlib.suppress(InputError):
            return Run(folder).recipe
    return None


def _of_model(path: pathlib.Path, model: Objective) -> Recipe:
    """A recipe for a model of whose training nothing is known."""
    if len(model.image_shape) != 3:
        raise InputError(f"there is no recipe.json beside {path}, a model of points, to say what it is measured on.")
    *size, channels = model.image_shape
    return Recipe("", "", Data("", image_size=tuple(size), channels=channels))


def _measured_on(recipe: Recipe, model: Objective) -> tuple:
    own, target = recipe.data, recipe.target
    options = json.dumps([own.source_options, target.target_options, target.target_without], sort_keys=True)
    return own.source, own.split, options, target.yardstick, target.target, target.target_split, *model.image_shape


def names_of(models: Mapping[pathlib.Path, Objective], recipes_of: Mapping[pathlib.Path, Recipe]) -> dict:
    """Models by the first of these that no other has: class, class and seed, with folder and file, with whole path."""
    ways = [
        lambda path: "",
        lambda path: f" seed {recipes_of[path].seed}" if path in recipes_of else "",
        lambda path: f" {pathlib.Path(path.absolute().parent.name, path.stem)}",
        lambda path: f" {path.absolute()}",
    ]
    names = {}
    for way in ways:
        given = {path: type(model).__name__ + way(path) for path, model in models.items()}
        alone = [path for path, name in given.items() if list(given.values()).count(name) == 1]
        names |= {path: given[path] for path in alone if path not in names}
    return {path: names[path] for path in models}


# Showing


def _show(
    output: pathlib.Path,
    stem: str,
    measured: dict[str, list[list[dict]]],
    judged_by: Judge,
    models: Mapping[str, Objective],
) -> dict:
    """Writes the table of what was measured (by name, for each seed the rows of its models), and the pictures."""
    table = {name: _row(runs) for name, runs in measured.items()} | judged_by.bases()
    write_table(output, stem, table, judged_by)
    judged_by.picture(models, output / "comparison.png")
    if any(len(rows) > 1 for runs in measured.values() for rows in runs):
        _draw_curves(output / "curves.png", measured, judged_by)
        _write_curves(output / "curves.csv", measured)
    return table | {"protocol": judged_by.protocol}


def write_table(output: pathlib.Path, stem: str, table: dict[str, dict], judged_by: Judge) -> None:
    """Writes rows by name as `<stem>.json` and `<stem>.md`, and the yardstick's figures."""
    write_text(output / f"{stem}.json", json.dumps(table | {"protocol": judged_by.protocol}, indent=1) + "\n")
    write_text(output / f"{stem}.md", markdown(table, judged_by))
    for name, draw in judged_by.figures.items():
        draw(table, output / name)


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


def markdown(table: dict[str, dict], judged_by: Judge) -> str:
    """The table for people."""
    lines = [f"| | {' | '.join(judged_by.columns.values())} | images seen | seeds |"]
    lines.append("|" + "---|" * (len(judged_by.columns) + 3))
    for name, row in table.items():
        cells = [_cell(row, key) for key in judged_by.columns]
        seen = f"{row['images_seen']:,}" if "images_seen" in row else ""
        lines.append(f"| {readable(name)} | {' | '.join(cells)} | {seen} | {row.get('seeds', '')} |")
    return "\n".join([*lines, *(["", judged_by.note] if judged_by.note else [])]) + "\n"


def _cell(row: dict, key: str) -> str:
    if row.get(key) is None:
        return "none"
    text = f"{row[key]:.3g}"
    if f"{key}_over_seeds" in row:
        text += f" +- {row[f'{key}_over_seeds']:.1g}"
    if (seeds := row.get(f"{key}_seeds")) is None:
        return text
    return f"{text} ({seeds} seed{'s' * (seeds > 1)})"


def _draw_curves(path: pathlib.Path, measured: dict[str, list[list[dict]]], judged_by: Judge) -> None:
    """Each measure of the table against images seen, the mean over seeds."""
    figure, axes = panels(list(judged_by.columns.values()), columns=3)
    for axis, key in zip(axes, judged_by.columns, strict=True):
        for index, (name, runs) in enumerate(measured.items()):
            found: dict[int, list[float]] = {}
            for row in (row for rows in runs for row in rows if row.get(key) is not None and "images_seen" in row):
                found.setdefault(row["images_seen"], []).append(row[key])
            # A seed may have a model at another number, of a comparison that was shorter.
            points = [(seen, statistics.fmean(values)) for seen, values in found.items() if len(values) == len(runs)]
            if points:
                axis.plot(*zip(*sorted(points), strict=True), **look(index), markersize=4, label=name)
        against_images_seen(axis)
    from_zero(*axes)
    legend(figure, axes[0])
    save(figure, path)


def _write_curves(path: pathlib.Path, measured: dict[str, list[list[dict]]]) -> None:
    """What `_draw_curves` draws, in numbers: a line a model, seed and number of images seen."""
    lines = [
        {"model": name, "seed": seed, **{key: value for key, value in row.items() if np.isscalar(value)}}
        for name, runs in measured.items()
        for seed, rows in enumerate(runs)
        for row in rows
    ]
    columns = list(dict.fromkeys(key for line in lines for key in line))
    write_rows(path, [columns, *([line.get(key, "") for key in columns] for line in lines)])


def _read(path: pathlib.Path) -> Any:
    try:
        return json.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        why = str(error).rstrip(".")
        raise InputError(f"{path} cannot be read ({why}): remove it, and it is made again.") from error
