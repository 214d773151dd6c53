"""Runs of one recipe side by side: their metrics against images seen."""

import pathlib
import re
from collections.abc import Sequence

from kerasinterp import evaluation, generation, training
from kerasinterp.errors import InputError
from kerasinterp.recipe import of_run


def compare_runs(runs: Sequence[pathlib.Path], output: pathlib.Path, every: int = 1) -> list[dict]:
    """Evaluates the snapshots of run folders with the same judges, into `report.json` and `report.png` (curves).

    Args:
        runs: run folders of one recipe, of different objectives or seeds.
        output: the report's folder; the judges are kept in `classifiers/` beside the runs.
        every: takes every n-th snapshot, and the last.

    Returns:
        A report of `evaluation.evaluate` for each number of images seen, in order, with "images_seen".

    Raises:
        InputError: a folder without a run or snapshots, or runs on different data.
    """
    recipes = {run: of_run(run) for run in runs}
    first = next(iter(recipes.values()))
    for run, recipe in recipes.items():
        for field in ("source", "source_split", "target", "target_split", "image_size", "channels", "batch_size"):
            if getattr(recipe, field) != getattr(first, field):
                raise InputError(f"{run} has another {field} than {runs[0]}: compare runs of one recipe.")
    if first.target is None:
        raise InputError(f"{runs[0]} has no target to be measured on: train it with --target.")
    objectives = [recipe.objective for recipe in recipes.values()]
    found: dict[int, dict[str, pathlib.Path]] = {}
    for run, recipe in recipes.items():
        name = recipe.objective if objectives.count(recipe.objective) == 1 else f"{recipe.objective} seed {recipe.seed}"
        snapshots = {int(re.findall(r"\d+", path.name)[-1]): path for path in run.glob("snapshots/epoch-*.keras")}
        if not snapshots:
            raise InputError(f"{run} has no snapshots: its recipe keeps none (snapshot_every).")
        for epoch, path in sorted(snapshots.items()):
            if epoch % every == 0 or epoch == max(snapshots):
                found.setdefault(epoch * recipe.steps_per_epoch * recipe.batch_size, {})[name] = path
    judges, source, target = training.judges_and_images(first, runs[0].parent / "classifiers")
    reports = []
    for seen, paths in sorted(found.items()):
        models = {name: generation.load_model(path) for name, path in paths.items()}
        report = evaluation.evaluate(models, *source, *target, samples=first.evaluation_samples, judges=judges)
        reports.append({"images_seen": seen, **report})
        print(f"{seen:,} images: " + ", ".join(f"{name} FID {report[name]['fid']:.2f}" for name in models), flush=True)
        evaluation.write_report(reports, output)
    return reports
