"""The first thing to run: digits in, letters out, measured and exported, within five minutes and without a download."""

import pathlib
import shutil
import time

import numpy as np
import tensorflow as tf

from kerasinterp import callbacks, compare, data, evaluation, exporting, generation, processor, training
from kerasinterp.cluster import Cluster
from kerasinterp.data.generated.glyphs import LETTERS, without_case
from kerasinterp.ops import geometry
from kerasinterp.recipe import Data, Recipe, Schedule, Target, find
from kerasinterp.reproducible import reproducible
from kerasinterp.run import Run
from kerasinterp.yardsticks import Judge, few_shot

RECIPE = find("augintae_maps_mnist").change(
    name="quickstart",
    summary="printed digits -> printed letters, 28 x 28",
    data=Data(
        source="glyphs",
        # Digits of all faces, weights and widths, and those of four other scripts: the more strokes, the better.
        split="digits+more_digits",
        form="triplets",
        # AugIntAE A.1; without `ends`, which cost two fifths of the turning that is shown here (augintae_ablation).
        form_options={"rotation": 20.0, "translation": 4.0, "scale": 0.2, "shear": 6.0},
    ),
    schedule=Schedule(batch_size=32, epochs=1),
    target=Target(samples=2000),
)
OBJECTIVES = ("AE", "AugIntAE")
# What is measured: letters against the digits 0 to 9, both as fonts have them, a little heavier. Other scripts' digits
# are not judged by: some of them are letters in all but name.
JUDGED = {"weight": "heavy", "width": "normal"}
CLASSIFIER_STEPS = 500

_SECONDS = 285.0  # in all: five minutes with the command's start
_FEWEST, _MOST = 16_384, 98_304  # images that each model sees
_AFTERWARDS = 40_000.0  # what comes after training takes as long as training on so many images
_TIMED = 64  # steps


def quickstart(output: str | pathlib.Path, seed: int = 0, images: int | None = None, recipe: Recipe = RECIPE) -> dict:
    """Trains AE and AugIntAE on printed digits, and makes, measures and exports letters, which they have never seen.

    Writes into `output`: `interpolations.png`, `few_shot.png`, `turning.png`, `augintae.keras`, `saved_model/`,
    `augintae.tflite`, `report.json`, `report.md`, `measures.png`, and the runs and classifiers that they come from.

    Args:
        images: that each model sees; None for as many as this machine manages in five minutes in all. Called again
            with the same output, it is as many as before.

    Returns:
        The report: for each model, and for the pixel fade, real letters and augmented seeds, `class_fidelity` (0..1),
        `turning_error`, `oracle_accuracy`, `fid`, `l2` (0..255) and more.
    """
    Cluster.none_for("quickstart")
    started = time.perf_counter()
    output = pathlib.Path(output)
    precision = "bfloat16" if processor.fast_bfloat16() else "float32"
    judged = {"labels": True, "where": JUDGED}
    source = data.images(recipe.data.source, "digits", **judged)
    letters = {"split": "letters", "classes": LETTERS, "labels": True}
    target, variants = (
        (pictures, without_case(labels))
        for pictures, labels in (data.images(recipe.data.source, **letters, **only) for only in ({"where": JUDGED}, {}))
    )

    runs = {objective: Run(output / "runs" / objective.lower()) for objective in OBJECTIVES}
    recipe = recipe.change(seed=seed, precision=precision)
    begun = [run.recipe.schedule.images_per_epoch for run in runs.values() if run.exists]
    images = images or (begun[0] if begun else _affordable(recipe, started))
    recipe = recipe.change(images_per_epoch=images)
    models, speed = {}, 0.0
    for objective, run in runs.items():
        training.finished(recipe.change(objective=objective), run.folder)
        models[objective] = generation.load_model(run.model)
        speed = images_per_second(run)
    augintae = models["AugIntAE"]

    print("Measuring: three classifiers first, then the letters that the models make ...")
    judge = few_shot.of_images(
        source,
        target,
        variants=variants,
        samples=recipe.target.samples,
        seed=seed,
        steps=CLASSIFIER_STEPS,
        precision=recipe.schedule.judges_precision,
        cache_dir=output / "classifiers",
    )
    rows = {name: judge.measure(model, None) for name, model in models.items()} | judge.bases()
    _draw(output, models, *target, seed)
    callbacks.write_model(augintae, output / "augintae.keras")
    print("Exporting ...")
    for path, export in (
        (output / "saved_model", exporting.export_saved_model),
        (output / "augintae.tflite", exporting.export_tflite),
    ):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        export(augintae, path)
    seconds = round(time.perf_counter() - started, 1)
    protocol = judge.protocol | {"images": images, "images_per_second": round(speed, 1), "seconds": seconds}
    judge = Judge(**vars(judge) | {"protocol": protocol})
    compare.write_table(output, "report", rows, judge)
    return rows | {"protocol": protocol}


def _affordable(recipe: Recipe, started: float) -> int:
    """How many images each model can see on this machine, by the speed of its first steps; said."""
    examples, batches = training.training_batches(recipe)
    with reproducible(recipe.seed):
        model = training.build(recipe, examples)
        dataset = batches(start_step=0)
        model.fit(dataset, steps_per_epoch=8, shuffle=False, verbose=0)  # traced, and the memory warm
        timed = time.perf_counter()
        model.fit(dataset, steps_per_epoch=_TIMED, shuffle=False, verbose=0)
        speed = _TIMED * recipe.schedule.batch_size / (time.perf_counter() - timed)
    left = (_SECONDS - (time.perf_counter() - started)) * speed - _AFTERWARDS
    images = int(np.clip(left / len(OBJECTIVES), _FEWEST, _MOST)) // 1024 * 1024
    print(f"This machine trains on {speed:.0f} images/s: each of two models sees {images:,}.")
    return images


def images_per_second(run: Run) -> float:
    """How fast a run trained, by its history: a run that is only restored took no time."""
    rows = callbacks.read_history(run.history)
    return rows[-1]["images_seen"] / sum(row["seconds"] for row in rows)


def _draw(output: pathlib.Path, models: dict, images: np.ndarray, labels: np.ndarray, seed: int) -> None:
    """Pairs of one letter in unlike faces, and what each model makes of five seeds of a letter."""
    pairs = few_shot.same_class_sets(labels, 8, 2, seed)
    # One seed turned left, the other right, as far as training turned digits: strokes must turn with them.
    turn = RECIPE.data.form_options["rotation"]
    first, second = (_turned(images[side], angle) for side, angle in zip(pairs.T, (-turn, turn), strict=True))
    generation.save_interpolations(output / "interpolations.png", first, second, models)
    rng = np.random.default_rng(seed)
    letters = rng.choice(np.unique(labels), 5, replace=False)
    seeds = np.stack([images[rng.choice(np.flatnonzero(labels == letter), 5, replace=False)] for letter in letters])
    seeds = data.to_float(seeds)
    made = {name: np.stack([generation.midpoints(model, row) for row in seeds]) for name, model in models.items()}
    generation.save_few_shot(output / "few_shot.png", seeds, made)
    evaluation.draw_turning(models, images, output / "turning.png", seed=seed)


def _turned(images: np.ndarray, degrees: float) -> np.ndarray:
    count = len(images)
    still = tf.zeros([count])
    turn = geometry.affine(still + degrees, tf.zeros([count, 2]), still + 1.0, still, images.shape[1:3])
    return geometry.warp(tf.constant(data.to_float(images)), turn, fill=-1.0).numpy()


def summary(report: dict) -> str:
    """The report's figures, a line for each model."""
    lines = []
    for name, row in report.items():
        if name in OBJECTIVES:
            keys = ("class_fidelity", "turning_error", "l2", "fid")
            lines.append(f"{name}: " + ", ".join(f"{key} {row[key]:.3g}" for key in keys))
    told = report["protocol"]
    lines.append(f"real letters, to the same classifier: class_fidelity {report['real']['class_fidelity']:.3g}")
    return "\n".join([*lines, f"{told['images_per_second']:.0f} images/s in training, {told['seconds']:.0f} s in all"])
