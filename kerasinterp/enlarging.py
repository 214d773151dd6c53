"""A small labelled set made larger: a model is trained on it alone, makes new images of each class, and is judged."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import time
from collections.abc import Mapping

import numpy as np
from PIL import Image

from kerasinterp import callbacks, data, generation, progress, training
from kerasinterp.callbacks import steps_of
from kerasinterp.cluster import Cluster
from kerasinterp.data import Examples, notes
from kerasinterp.errors import InputError
from kerasinterp.evaluation.seed_sets import seeds_of_sets
from kerasinterp.evaluation.worth import WAYS, Worth, newness
from kerasinterp.files import read_text, write_rows, write_text, written_whole
from kerasinterp.generation.checks import check_memory, check_seed, takes_seeds
from kerasinterp.generation.pictures.sheet import write
from kerasinterp.nn.precision import in_float32
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe, for_own_images
from kerasinterp.reproducible import reproducible

METHODS = ("scola", "augintae")  # kinds of recipes for own images
_LARGEST = 64  # pixels a side, where no size is asked for: ours, for time
_PASSES = 500  # COLA C.2
_SHOWN = 12  # images of a class in its picture


def enlarge(
    images: Examples | np.ndarray,
    labels: np.ndarray | None = None,
    *,
    per_class: int,
    balance: bool = False,
    method: str = "scola",
    seed: int = 0,
    smoke: bool = False,
    model: str | os.PathLike | None = None,
) -> Examples:
    """New images of each class, by a model that is trained on the given ones alone.

    Args:
        images: examples with labels, or uint8 (N, H, W, C), at least two of each class.
        labels: of an array: integers (N,).
        per_class: new images of each class, 0 or more.
        balance: makes more of the classes that have fewer images, so that all have as many.
        method: `scola`, a generator with codes (COLA), or `augintae`, mixes of two images.
        seed: of everything that is drawn, 0 to 2**32 - 1.
        smoke: shows that it runs, in seconds.
        model: a file to keep the trained model in; one that is there is taken, and nothing trained.

    Returns:
        The new images alone, uint8, class after class, and their labels.

    Raises:
        InputError: no classes, a class with one image, nothing to be made, or an unusable setting.

    Source: COLA 3.2 to 3.4, AugIntAE section 4.
    """
    examples = images if isinstance(images, Examples) else Examples(np.asarray(images), labels)
    counts = _counts(examples, per_class, balance)
    if not examples.classes:
        examples = dataclasses.replace(examples, classes=tuple(map(str, range(len(counts)))))
    check_seed(seed)
    check_memory(int(counts.sum()), examples.shape)
    recipe = _recipe(examples, method, seed, smoke)
    learned = trained(recipe, examples, None if model is None else pathlib.Path(model))
    return made_of_classes(learned, examples, counts, seed)


def enlarge_folder(
    folder: str | os.PathLike,
    output: str | os.PathLike,
    *,
    per_class: int,
    balance: bool = False,
    method: str = "scola",
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    invert: bool = False,
    seed: int = 0,
    smoke: bool = False,
) -> dict:
    """Enlarges a folder of class folders, which stays as it is, and says what the new images are worth.

    `output` then holds `images/`, a folder a class with the originals and the new ones; `manifest.csv`, which says of
    each file whether it is real or made, and what it is nearest to; `classes.png`; `report.md` and `report.json`; and
    `model.keras`. Called again after it was stopped, it goes on.

    Args:
        folder: a sub-folder a class; mixed sizes are centre-cropped to one.
        per_class, balance, method, seed, smoke: as `enlarge`.
        image_size, channels: of new images; by default the images' usual size, at most 64, and their colours.
        invert: the images are dark on white, and the model learns light on black; new ones are dark on white too.

    Returns:
        The content of `report.json`.

    Raises:
        InputError: as `enlarge`; an output inside the folder, or that holds something else.
    """
    Cluster.none_for("enlarge")
    started = time.perf_counter()
    folder, output = pathlib.Path(folder), pathlib.Path(output)
    if folder.resolve() in (output.resolve(), *output.resolve().parents):
        raise InputError(f"{output} lies inside {folder}, which stays as it is: choose another --output.")
    data.classes_of(folder)  # a folder that is none is told first
    files, size, channels = data.files_of(folder), *_form(folder, image_size, channels)
    examples = data.load_examples(str(folder), labels=True, image_size=size, channels=channels, invert=invert)
    if len(files) != len(examples):
        raise InputError(f"{folder} holds files that are not learned from (pictures of kerasinterp): take them out.")
    counts = _counts(examples, per_class, balance)
    check_seed(seed)
    if not invert and (text := data.ink_note(examples.images)):
        notes.note(text)
    asked = {
        "images": examples.fingerprint,
        "counts": counts.tolist(),
        "method": method,
        "size": list(examples.shape),
        "invert": invert,
        "seed": seed,
        "smoke": smoke,
    }
    _check_output(output, asked)
    recipe = _recipe(examples, method, seed, smoke)
    many = f"{len(examples):,} images of {len(examples.classes)} classes, {size[0]} x {size[1]}"
    print(f"{many}; {counts.sum():,} new ones are made.")
    write_text(output / "enlarged.json", json.dumps(asked) + "\n")

    made = made_of_classes(trained(recipe, examples, output / "model.keras"), examples, counts, seed)
    new = newness(made.images, made.labels, np.asarray(examples.images), examples.labels)
    _write_images(output, folder, files, examples, made, new, invert)
    row = 255 - examples.images if invert else examples.images
    _draw(output / "classes.png", row, 255 - made.images if invert else made.images, examples, made)
    worth = _worth(recipe, examples, counts, output, seed, smoke)
    report = worth | {
        "copies": new["copies"],
        "distance": float(np.nanmedian(new["distance"])) if np.isfinite(new["distance"]).any() else None,
        "real_images": np.bincount(examples.labels).tolist(),
        "new_images": counts.tolist(),
        "classes": list(examples.classes),
        "method": method,
        "seconds": round(time.perf_counter() - started, 1),
    }
    report["advice"] = advice(report)
    write_text(output / "report.json", json.dumps(report, indent=1) + "\n")
    write_text(output / "report.md", as_markdown(report))
    return report


def advice(report: Mapping) -> str:
    """What a report comes to, in a few sentences."""
    said = []
    if report.get("copies") is not None and report["copies"] > 0.2:
        said.append(f"{100 * report['copies']:.0f}% of the new images are near copies of yours.")
    if "mix" not in report:
        return " ".join([*said, "What they are worth to a classifier was not measured: it takes two classes."])
    gain, moved, over = (
        [100 * report[way][f"{key}{end}"] for end in ("", "_low", "_high")]
        for way, key in (("mix", "gain"), ("real_transformed", "gain"), ("mix_transformed", "gain_over_transformed"))
    )

    def told(values: list[float], helps: str, harms: str = "", unknown: str = "") -> str:
        """The sentence that an interval calls for."""
        mean, low, high = values
        sentence = helps if low > 0 or not harms else harms if high < 0 else unknown
        return sentence.format(f"({mean:+.1f} points, {low:+.1f} to {high:+.1f})")

    said.append(
        told(
            gain,
            "The new images help a classifier that learns from the images as they are {}.",
            "The new images harm a classifier that learns from the images as they are {}.",
            "Whether the new images help a classifier cannot be told from so few images {}.",
        )
    )
    if moved[0] > max(gain[0], 0.0):
        may = "Random transformations alone may do more {}: try those first."
        said.append(told(moved, "Random transformations alone do more {}: use those first.", may, may))
    said.append(
        told(
            over,
            "Beside transformations they still help {}: use both.",
            "Beside transformations they do harm {}: leave the new images out of training.",
            "Beside transformations they make no difference that could be seen {}.",
        )
    )
    return " ".join(said)


def as_markdown(report: Mapping) -> str:
    lines = [report["advice"], "", "| class | real images | new |", "|---|---|---|"]
    lines += [
        f"| {name} | {a} | {b} |"
        for name, a, b in zip(report["classes"], report["real_images"], report["new_images"], strict=True)
    ]
    lines.append("")
    if report["copies"] is not None:
        lines.append(
            f"Copies: {100 * report['copies']:.1f}% of the new images are less than a quarter as far from the nearest "
            "real one of their class as real images are from each other; the median is "
            f"{report['distance']:.2f} times as far."
        )
    if "mix" in report:
        lines += [
            "",
            f"Of the class: {100 * report['class_fidelity']:.1f}% of new images made of one half of the set, by a "
            "classifier that learned from the other half (with transformations).",
            "",
            "A classifier's accuracy, two-fold: a model and classifiers learn from one half of your images, and are "
            "tested on the other. With all of your images both know more. 95% intervals over images.",
            "",
            "| learned from | accuracy | over real images alone |",
            "|---|---|---|",
        ]
        for way in WAYS:
            cells = []
            for key, form in (("accuracy", ".1f"), ("gain", "+.1f")):
                own = [100 * report[way][f"{key}{end}"] for end in ("", "_low", "_high") if key in report[way]]
                if key == "accuracy":
                    own = np.clip(own, 0.0, 100.0)  # Student's interval knows no bounds
                cells.append("{:{f}}% ({:{f}} to {:{f}})".format(*own, f=form) if len(own) else "")
            lines.append(f"| {_NAMES[way]} | {' | '.join(cells)} |")
    lines += ["", f"Made by `{report['method']}` in {report['seconds']:.0f} s."]
    return "\n".join(lines) + "\n"


_NAMES = {
    "real": "real images",
    "mix": "half real, half new",
    "real_transformed": "real images, randomly transformed",
    "mix_transformed": "half real, half new, randomly transformed",
}


def _counts(examples: Examples, per_class: int, balance: bool) -> np.ndarray:
    """How many images are made of each class."""
    if examples.labels is None or examples.labels.ndim != 1:
        raise InputError("The images have no classes: give a folder of class folders, or labels.")
    if per_class < 0:
        raise InputError(f"per_class is 0 or more, not {per_class}.")
    known = np.bincount(examples.labels)
    names = examples.classes or tuple(map(str, range(len(known))))
    if few := [name for name, count in zip(names, known, strict=True) if count < 2]:
        raise InputError(f"Class {few[0]} has fewer than two images: give it more, or take it out.")
    counts = per_class + (known.max() - known if balance else np.zeros_like(known))
    if not counts.any():
        raise InputError("Nothing is to be made: give per_class of 1 or more, or balance classes of different sizes.")
    return counts


def _recipe(examples: Examples, method: str, seed: int, smoke: bool) -> Recipe:
    """The method's recipe for such images: 500 passes over them, and at most as many steps as it says."""
    if method not in METHODS:
        raise InputError(f"method is {' or '.join(METHODS)}, not {method!r}.")
    found = for_own_images(examples.shape[:2], examples.shape[2], smoke, kind=method)
    most = found.schedule.steps
    found = found.change(batch_size=min(found.schedule.batch_size, len(examples)), seed=seed, source="images")
    passes = _PASSES * -(-len(examples) // found.schedule.batch_size)
    return in_passes(found, len(examples), min(most, passes))


def in_passes(recipe: Recipe, images: int, steps: int) -> Recipe:
    """The recipe in epochs of one pass over so few images, and at least so many steps."""
    found = recipe.change(images_per_epoch=max(recipe.schedule.batch_size, images))
    return found.change(epochs=-(-steps // found.schedule.steps_per_epoch))


def trained(recipe: Recipe, examples: Examples, path: pathlib.Path | None = None) -> Objective:
    """A model that learned from examples in memory alone, without checkpoints; one that lies in the file is taken.

    Raises:
        InputError: as `training.check`; the file's model makes images of another shape.
    """
    if path is not None and path.exists():
        model = generation.load_model(path)
        if model.image_shape != examples.shape:
            raise InputError(
                f"{path} makes images {model.image_shape}, and these are {examples.shape}: name another file."
            )
        return model
    training.check(recipe)
    with reproducible(recipe.seed):
        model = training.build(recipe, examples)
        model.begin(examples)
        if path is not None:
            callbacks.write_model(in_float32(model), path, trial=True)  # a full disk is told before anything is learned
        told = callbacks.Progress(recipe.schedule, 0, model.term_names()[:1], f"training on {len(examples):,} images")
        try:
            model.fit(
                training.batches_of(recipe, examples)(start_step=0),
                epochs=recipe.schedule.epochs,
                steps_per_epoch=recipe.schedule.steps_per_epoch,
                callbacks=[callbacks.StopOnNaN(), told],
                verbose=0,
                shuffle=False,
            )
        finally:
            told.close()
    assert steps_of(model) == recipe.schedule.steps
    if path is not None:
        callbacks.write_model(in_float32(model), path)  # for use: without optimizers
    return model


def made_of_classes(model: Objective, examples: Examples, counts: np.ndarray, seed: int) -> Examples:
    """So many images of each class, uint8, class after class: of the model's prior, or of the examples as seeds."""
    labels = np.repeat(np.arange(len(counts)), counts)
    if hasattr(model, "prior_of"):
        images = generation.decode(model, model.prior_of(labels, seed))
    elif takes_seeds(model):
        each = [np.asarray(examples.images[np.flatnonzero(examples.labels == one)]) for one in range(len(counts))]
        own = zip(each, counts, seeds_of_sets(seed, len(counts)), strict=True)  # so no class has another's draws
        made = [generation.few_shot(model, seeds, int(n), int(number)) for seeds, n, number in own if n]
        images = np.concatenate(made)
    else:
        raise InputError(f"{type(model).__name__} makes no images of a class.")
    return Examples(data.to_uint8(images), labels, examples.classes)


def _worth(
    recipe: Recipe, examples: Examples, counts: np.ndarray, output: pathlib.Path, seed: int, smoke: bool
) -> dict:
    """What `Worth` measures, kept in a file; nothing of a single class."""
    kept = output / "worth.json"
    if kept.exists():
        return _read(kept)
    if len(counts) < 2:
        return {}
    worth = Worth(examples, seed=seed, **({"steps": 5, "width": 2, "repeats": 1} if smoke else {}))

    def made(half: int) -> Examples:
        own = examples.select(worth.halves[half])
        again = _recipe(own, recipe.name.rstrip("0123456789"), seed, smoke)
        return made_of_classes(trained(again, own, output / f"half_{half}.keras"), own, np.maximum(counts, 1), seed)

    of_halves = [made(0), made(1)]  # before the bar, whose rate is that of classifiers
    with progress.bar(worth.number, "what they are worth", "classifiers") as told:
        found = worth.measure(of_halves.__getitem__, told.update)
    write_text(kept, json.dumps(found) + "\n")
    for half in (0, 1):
        (output / f"half_{half}.keras").unlink(missing_ok=True)
    return found


def _form(
    folder: pathlib.Path, image_size: int | tuple[int, int] | None, channels: int | None
) -> tuple[tuple[int, int], int]:
    """The size and channels of new images: as asked for, or the folder's own."""
    (height, width), coloured = data.looks(folder) or ((28, 28), False)
    if image_size is None:
        share = min(1.0, _LARGEST / max(height, width))
        image_size = tuple(max(8, 4 * round(share * side / 4)) for side in (height, width))
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    return size, channels or (3 if coloured else 1)


def _check_output(output: pathlib.Path, asked: dict) -> None:
    path = output / "enlarged.json"
    if not path.exists():
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise InputError(f"{output} already holds something else: choose another --output.")
        return
    held = _read(path)
    if changed := [name for name, value in asked.items() if held.get(name) != value]:
        raise InputError(
            f"{output} holds a set that was enlarged with other {', '.join(changed)}: choose another --output."
        )


def _read(path: pathlib.Path) -> dict:
    with contextlib.suppress(ValueError):
        if isinstance(held := json.loads(read_text(path)), dict):
            return held
    raise InputError(f"{path} cannot be read: remove it, and it is made again.")


def _write_images(
    output: pathlib.Path,
    folder: pathlib.Path,
    files: list[pathlib.Path],
    examples: Examples,
    made: Examples,
    new: dict,
    invert: bool,
) -> None:
    """Copies of the originals, the new images beside them, and the manifest, last."""
    rows = []
    for file, label in zip(files, examples.labels, strict=True):
        place = pathlib.Path("images", examples.classes[label], *file.relative_to(folder).parts[1:])
        _copied(file, output / place)
        rows.append([place.as_posix(), examples.classes[label], "real", file.relative_to(folder).as_posix(), "", ""])
    prefix = "made"
    while any(file.name.startswith(f"{prefix}_") for file in files):  # of a set that was enlarged before
        prefix = f"new_{prefix}"
    numbers = np.concatenate([np.arange(count) for count in np.bincount(made.labels, minlength=len(examples.classes))])
    for number, image, label, nearest, distance in zip(
        numbers, made.images, made.labels, new["nearest"], new["distance"], strict=True
    ):
        name = examples.classes[label]
        place = pathlib.Path("images", name, f"{prefix}_{number:05}.png")
        pixels = 255 - image if invert else image
        write(output / place, Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels))
        near = files[nearest].relative_to(folder).as_posix()
        rows.append([place.as_posix(), name, "made", "", near, f"{distance:.4f}"])
    write_rows(output / "manifest.csv", [["file", "class", "kind", "original", "nearest", "distance"], *rows])


def _copied(file: pathlib.Path, place: pathlib.Path) -> None:
    if not place.exists():
        with written_whole(place) as partial:
            shutil.copyfile(file, partial)


def _draw(path: pathlib.Path, real: np.ndarray, new: np.ndarray, examples: Examples, made: Examples) -> None:
    """A row a class: some of its images, framed, and some new ones."""
    kept = [one for one in range(len(examples.classes)) if (made.labels == one).any()]
    most = min(_SHOWN, int(np.bincount(examples.labels).min()), *(int((made.labels == one).sum()) for one in kept))
    rows = {"real": real, "new": new}
    labels = {"real": examples.labels, "new": made.labels}
    shown = {
        key: np.stack([np.asarray(images)[np.flatnonzero(labels[key] == one)[:most]] for one in kept])
        for key, images in rows.items()
    }
    generation.save_few_shot(path, shown["real"], {"new": shown["new"]}, heading="real")
