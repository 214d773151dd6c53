"""The first thing to run: digits in, letters out, measured and exported, in minutes and without a download."""

import dataclasses
import pathlib
import shutil
import time

import numpy as np
import tensorflow as tf

from kerasinterp import callbacks, data, evaluation, exporting, generation, training
from kerasinterp.data.glyphs import LETTERS
from kerasinterp.ops import geometry
from kerasinterp.recipe import Recipe

RECIPE = Recipe(
    name="quickstart",
    summary="printed digits -> printed letters, 28 x 28",
    source="glyphs",
    # Digits of all faces, weights and widths, and those of four other scripts: the more strokes, the better.
    source_split="digits+more_digits",
    target=None,
    target_split="letters",
    # AugIntAE A.1
    transformations={"rotation": 20.0, "translation": 4.0, "scale": 0.2, "shear": 6.0},
    # ours: so short a training goes better with the weaker adversary, which k soon switches off
    objective_options={"joint": False, "fake_label": 0.0},
    width=32,  # ours, half the paper's: three times as fast
    batch_size=64,  # ours: more updates for as many images
    images_per_epoch=130_000,
    epochs=1,
    learning_rate_cuts=(0.7,),  # ours: a short training ends in small steps
)
OBJECTIVES = ("AE", "AugIntAE")
# What is measured: letters against the digits 0 to 9, both as fonts have them, a little heavier. Other scripts' digits
# are not judged by: some of them are letters in all but name.
JUDGED = {"weight": "heavy", "width": "normal"}
CLASSIFIER_STEPS = 500


def quickstart(output: str | pathlib.Path, seed: int = 0, recipe: Recipe = RECIPE) -> dict:
    """Trains AE and AugIntAE on printed digits, and makes, measures and exports letters, which they have never seen.

    Writes into `output`: `interpolations.png`, `few_shot.png`, `augintae.keras`, `saved_model/`, `augintae.tflite`,
    `report.json`, `report.png`, and the runs and classifiers that they come from.

    Returns:
        The report: for each model `fid`, `fid_reconstruction`, `misclassification` (0..1), `l2` (0..255) and more.
    """
    started = time.perf_counter()
    output = pathlib.Path(output)
    precision = "bfloat16" if _fast_bfloat16() else "float32"
    judged = {"labels": True, "where": JUDGED}
    source_images, source_labels = data.images(recipe.source, "digits", **judged)
    target_images, target_labels = data.images(recipe.source, recipe.target_split, classes=LETTERS, **judged)

    models, seconds = {}, 0.0
    for objective in OBJECTIVES:
        own = dataclasses.replace(recipe, objective=objective, seed=seed, precision=precision)
        run = output / "runs" / objective.lower()
        begun = time.perf_counter()
        training.train(own, run, resume=(run / "recipe.json").exists())
        seconds = time.perf_counter() - begun
        models[objective] = generation.load_model(run / "model.keras")
    augintae = models["AugIntAE"]
    images_per_second = recipe.epochs * recipe.steps_per_epoch * recipe.batch_size / seconds

    print("Measuring: two classifiers first, then the letters that the models make ...")
    report = evaluation.evaluate(
        models,
        source_images,
        source_labels,
        target_images,
        target_labels,
        samples=recipe.evaluation_samples,
        seed=seed,
        steps=CLASSIFIER_STEPS,
        precision="mixed_bfloat16" if precision == "bfloat16" else "float32",
        cache_dir=output / "classifiers",
    )
    _draw(output, models, target_images, target_labels, seed)
    callbacks.write_model(augintae, output / "augintae.keras")
    print("Exporting ...")
    for path, export in (
        (output / "saved_model", exporting.export_saved_model),
        (output / "augintae.tflite", exporting.export_tflite),
    ):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        export(augintae, path)
    report |= {"images_per_second": round(images_per_second, 1), "seconds": round(time.perf_counter() - started, 1)}
    evaluation.write_report(report, output)
    return report


def _draw(output: pathlib.Path, models: dict, images: np.ndarray, labels: np.ndarray, seed: int) -> None:
    """Pairs of one letter in unlike faces, and what each model makes of five seeds of a letter."""
    pairs = training.same_class_pairs(labels, 8, seed)
    # One seed turned left, the other right, as far as training turned digits: strokes must turn with them.
    turn = RECIPE.transformations["rotation"]
    first, second = (_turned(images[side], angle) for side, angle in zip(pairs.T, (-turn, turn), strict=True))
    generation.save_interpolations(output / "interpolations.png", first, second, models)
    rng = np.random.default_rng(seed)
    letters = rng.choice(np.unique(labels), 5, replace=False)
    seeds = np.stack([images[rng.choice(np.flatnonzero(labels == letter), 5, replace=False)] for letter in letters])
    seeds = data.to_float(seeds)
    made = {name: np.stack([generation.midpoints(model, row) for row in seeds]) for name, model in models.items()}
    generation.save_few_shot(output / "few_shot.png", seeds, made)


def _turned(images: np.ndarray, degrees: float) -> np.ndarray:
    count = len(images)
    still = tf.zeros([count])
    turn = geometry.affine(still + degrees, tf.zeros([count, 2]), still + 1.0, still, images.shape[1:3])
    return geometry.warp(tf.constant(data.to_float(images)), turn, fill=-1.0).numpy()


def _fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself."""
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def summary(report: dict) -> str:
    """The report's figures, a line for each model."""
    lines = []
    for name, row in report.items():
        if isinstance(row, dict) and "l2" in row:
            keys = ("fid", "fid_reconstruction", "misclassification", "l2")
            lines.append(f"{name}: " + ", ".join(f"{key} {row[key]:.3g}" for key in keys))
    return "\n".join([*lines, f"{report['images_per_second']:.0f} images/s, {report['seconds']:.0f} s in all"])
