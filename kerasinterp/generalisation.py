"""What models reconstruct of images that they never saw, and of noise (AugIntAE section 3, table 1, A.4)."""

import json
import os
import pathlib
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

import kerasinterp
from kerasinterp import data, evaluation, generation, progress
from kerasinterp.compare import names_of, recipe_beside, snapshots
from kerasinterp.data.memory import for_images
from kerasinterp.data.stored import blocks
from kerasinterp.errors import InputError
from kerasinterp.evaluation.frequencies import reconstructed_noise
from kerasinterp.evaluation.paths import nearest
from kerasinterp.files import write_text
from kerasinterp.generation.checks import check_seed, needs
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.run import Run
from kerasinterp.training import learned_from

_SHOWN = 12  # images of a row
# A dataset and its split; a version of TFDS is digits and dots, or a star.
_NAMED = re.compile(r"([A-Za-z_][\w-]*(?:/[\w.+-]+)?(?::[\d*][\d.*]*)?):([^\d*].*)", re.ASCII)


def generalise(
    models: Sequence[str | os.PathLike],
    output: str | os.PathLike,
    *,
    domains: Sequence[str],
    samples: int = 5000,
    trials: int = 1000,
    invert: bool = False,
    seed: int = 0,
) -> dict:
    """Measures how models reconstruct images of other domains, beside the nearest image they were trained on and noise.

    `output` then holds `report.json`, `report.md` (AugIntAE's table 1), `reconstructions.png` (figure 3, a block a
    domain), `noise.png` (figure 10) and `noise_reconstructions.png` (figures 11 and 12).

    Args:
        models: `.keras` files, presets or run folders (their last model). The recipe beside one names what it was
            trained on; without it, or them, the nearest training images are left out. Nothing is downloaded for these.
        domains: datasets or folders of images; a split stands after a colon, `omniglot:test`, and is `train` else.
            Images are brought to the models' form.
        samples: images of a domain, at most, drawn by `seed`.
        trials: noise images of each frequency.
        invert: the folders' images are dark on white, the models' light on black. A `Note` says where it seems so.
        seed: 0 to 2**32 - 1.

    Returns:
        The content of `report.json`: by model, "l2" and "squared_error_255" by domain (`evaluation.l2_error`), and
        "noise", the error by frequency (`evaluation.noise_errors`); by training set, "nearest image of ...", what its
        images are off by; "protocol", which says what each training set is.

    Raises:
        InputError: models without encoder or decoder, or of different images; no domains, or such as cannot be read;
            `invert` without a folder.

    Source: AugIntAE section 3, table 1, figures 3, 10, 11 and 12.
    """
    output, paths = pathlib.Path(output), [pathlib.Path(path) for path in models]
    if not paths or not domains:
        raise InputError("Name models, and what they are to reconstruct: one of each at least.")
    if samples < 1 or trials < 1:
        raise InputError(f"samples is {samples} and trials {trials}: both are 1 or more.")
    check_seed(seed)
    if invert and all(map(data.is_dataset, domains)):
        raise InputError("Datasets come light on black: invert has no effect without a folder, so leave it out.")
    runs = {path: Run(path) for path in paths if Run(path).exists}
    recipes = {path: runs[path].recipe if path in runs else recipe_beside(path) for path in paths}
    loaded = {
        path: generation.load_model(list(snapshots(runs[path]).values())[-1] if path in runs else path)
        for path in dict.fromkeys(paths)
    }
    shape = _common_shape(loaded)
    names = names_of(loaded, {path: run.recipe for path, run in runs.items()})
    images = {
        _name(domain, domains): _images(domain, shape, samples, seed, invert) for domain in dict.fromkeys(domains)
    }

    table: dict[str, dict] = {}
    frequencies = evaluation.frequencies_of(shape)
    shown = {domain: {"images": own[:_SHOWN]} for domain, own in images.items()}
    with progress.bar(len(loaded), "measuring", "models") as told:
        for path, model in loaded.items():
            made = {domain: generation.reconstruct(model, own) for domain, own in images.items()}
            row = _errors(images, made)
            found = evaluation.noise_errors(model, frequencies, trials, seed)
            table[names[path]] = row | {"noise": dict(zip(map(str, frequencies), found, strict=True))}
            for domain, own in made.items():
                shown[domain][names[path]] = own[:_SHOWN]
            told.update()
    training_sets, described = _training_sets(recipes.values(), shape)
    for name, examples in training_sets.items():
        made = _nearest_of(examples, images)
        table[f"nearest image of {name}"] = _errors(images, made)
        for domain, own in made.items():
            shown[domain][f"nearest of {name}"] = own[:_SHOWN]
    protocol = {
        "kerasinterp": kerasinterp.__version__,
        "images": {domain: len(own) for domain, own in images.items()},
        "training_sets": described,
        "trials": trials,
        "seed": seed,
    }
    write_text(output / "report.json", json.dumps(table | {"protocol": protocol}, indent=1) + "\n")
    write_text(output / "report.md", _markdown(table, images))
    of_models = {names[path]: model for path, model in loaded.items()}
    curves = {name: {int(key): error for key, error in table[name]["noise"].items()} for name in of_models}
    levels = {name: {domain: error / 255.0 for domain, error in table[name]["l2"].items()} for name in of_models}
    evaluation.draw_noise(curves, levels, output / "noise.png")
    rows = [
        (f"{domain}: {name}" if name == "images" else name, own)
        for domain in shown
        for name, own in shown[domain].items()
    ]
    generation.save_grid(output / "reconstructions.png", [own for _, own in rows], [name for name, _ in rows])
    _draw_noise_reconstructions(of_models, frequencies, seed, output / "noise_reconstructions.png")
    return table | {"protocol": protocol}


def _common_shape(models: Mapping[pathlib.Path, Objective]) -> tuple[int, int, int]:
    first = next(iter(models))
    for path, model in models.items():
        for method in ("encode", "decode"):
            needs(model, method)
        if len(model.image_shape) != 3:
            raise InputError(f"{path} is a model of points, not of images.")
        if model.image_shape != models[first].image_shape:
            raise InputError(
                f"{path} takes images of {model.image_shape} and {first} of {models[first].image_shape}: measure them "
                "apart."
            )
    return models[first].image_shape


def _name(domain: str, among: Sequence[str]) -> str:
    """What a domain is called: a folder by the last parts of its path, as few as tell it from the others."""
    folders = [pathlib.Path(one).parts for one in dict.fromkeys(among) if not data.is_dataset(one)]
    own = pathlib.Path(domain).parts
    tails = (own[-number:] for number in range(1, len(own) + 1))
    told = (tail for tail in tails if [folder[-len(tail) :] for folder in folders].count(tail) == 1)
    return domain if data.is_dataset(domain) else str(pathlib.Path(*next(told, own)))


def _images(domain: str, shape: tuple[int, int, int], samples: int, seed: int, invert: bool) -> np.ndarray:
    folder = not data.is_dataset(domain)
    named = None if folder else _NAMED.fullmatch(domain)
    what, split = named.groups() if named else (domain, "train")
    examples = data.load_examples(what, split, image_size=shape[:2], channels=shape[2], invert=invert and folder)
    if folder and not invert and (text := data.ink_note(examples.images)):
        data.notes.note(text)
    chosen = np.random.default_rng(seed).permutation(len(examples))[:samples]
    return np.asarray(examples.select(chosen).images)


def _training_sets(
    recipes: Iterable[Recipe | None], shape: tuple[int, int, int]
) -> tuple[dict[str, data.Examples], dict[str, dict]]:
    """What the models were trained on, and which data that is, both by name; what is not at hand is left out, noted."""
    recipes = [
        recipe.change(image_size=shape[:2], channels=shape[2], form="images", form_options={}, attributes=())
        for recipe in recipes
        if recipe and recipe.data.source
    ]
    found, described = {}, {}
    for recipe in recipes:
        own = recipe.data
        description = {key: getattr(own, key) for key in ("source", "split", "source_options", "invert", "share")}
        description |= {"per_class": own.per_class} if own.per_class else {}
        description |= {"seed": recipe.seed} if own.share < 1.0 or own.per_class else {}
        if description in described.values():
            continue
        name = _name(own.source, [one.data.source for one in recipes])
        name = name if own.split == "train" else f"{name}:{own.split}"
        same = sum(one == name or one.startswith(f"{name} (") for one in described)
        name = f"{name} ({same + 1})" if same else name  # of another part or form: the report says which
        described[name] = description
        choices = {"download": False} if data.is_dataset(own.source) else {}  # a preset's, whole, say
        try:
            found[name] = learned_from(recipe, for_images(), **choices)
        except InputError as why:
            data.notes.note(f"The nearest training images are left out: {why}")
    return found, described


def _nearest_of(examples: data.Examples, images: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of each domain's images the nearest examples, uint8, which need not be in memory."""
    floats = {domain: data.to_float(own) for domain, own in images.items()}
    least = {domain: np.full(len(own), np.inf) for domain, own in images.items()}
    found = {domain: np.empty_like(own) for domain, own in images.items()}
    for part in blocks(examples.images):
        pool = data.to_float(part)
        for domain, own in floats.items():
            place, squared = nearest(own, pool)
            closer = squared < least[domain]
            least[domain][closer], found[domain][closer] = squared[closer], part[place[closer]]
    return found


def _errors(images: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    measures = {"l2": evaluation.l2_error, "squared_error_255": evaluation.squared_error_255}
    return {
        key: {domain: measure(images[domain], made[domain]) for domain in images} for key, measure in measures.items()
    }


def _markdown(table: Mapping[str, Mapping], images: Mapping[str, np.ndarray]) -> str:
    """Rows are models, columns domains, as in table 1; both readings of its error."""
    lines = [f"| L2 (0 to 255) / squared error times 255 | {' | '.join(images)} |", "|" + "---|" * (len(images) + 1)]
    for name, row in table.items():
        cells = [f"{row['l2'][domain]:.2f} / {row['squared_error_255'][domain]:.2f}" for domain in images]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    counts = ", ".join(f"{len(own):,} of {domain}" for domain, own in images.items())
    return "\n".join([*lines, "", f"Images: {counts}."]) + "\n"


def _draw_noise_reconstructions(
    models: Mapping[str, Objective], frequencies: Sequence[int], seed: int, path: pathlib.Path
) -> None:
    shape = next(iter(models.values())).image_shape
    drawn = np.concatenate([evaluation.noise(frequency, shape, 1, seed) for frequency in frequencies])
    rows = {"noise": drawn} | {name: reconstructed_noise(model, drawn) for name, model in models.items()}
    generation.save_grid(path, [*rows.values()], [*rows])
