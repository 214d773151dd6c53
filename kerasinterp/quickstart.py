"""The first thing to run: digits in, letters out, measured and exported, in minutes and without a download."""

import dataclasses
import pathlib
import shutil
import time

import numpy as np

from kerasinterp import callbacks, data, evaluation, exporting, generation, training
from kerasinterp.data.glyphs import LETTERS
from kerasinterp.recipe import Recipe

RECIPE = Recipe(
    name="quickstart",
    summary="printed digits -> printed letters, 28 x 28",
    source="glyphs",
    source_split="digits",
    target=None,
    target_split="letters",
    # AugIntAE A.1
    transformations={"rotation": 20.0, "translation": 4.0, "scale": 0.2, "shear": 6.0},
    width=32,  # ours, half the paper's: four times as fast
    batch_size=64,  # ours: more updates for as many images
    images_per_epoch=80_000,
    epochs=1,
    learning_rate_cuts=(0.7,),  # ours: a short training ends in small steps
)
OBJECTIVES = ("AE", "AugIntAE")
CLASSIFIER_STEPS = 700


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
    source_images, source_labels = data.images(recipe.source, recipe.source_split, labels=True)
    target_images, target_labels = data.images("glyphs", recipe.target_split, labels=True, classes=LETTERS)

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
    first, second = (data.to_float(images[side]) for side in pairs.T)
    generation.save_interpolations(output / "interpolations.png", first, second, models)
    rng = np.random.default_rng(seed)
    letters = rng.choice(np.unique(labels), 5, replace=False)
    seeds = np.stack([images[rng.choice(np.flatnonzero(labels == letter), 5, replace=False)] for letter in letters])
    seeds = data.to_float(seeds)
    made = {name: np.stack([generation.midpoints(model, row) for row in seeds]) for name, model in models.items()}
    generation.save_few_shot(output / "few_shot.png", seeds, made)


def _fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself."""
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
