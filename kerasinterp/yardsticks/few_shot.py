"""Classes never trained on: what models make of pairs of their images (AugIntAE section 5, A.3)."""

import contextlib
import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from kerasinterp import data, evaluation, generation
from kerasinterp.errors import InputError
from kerasinterp.evaluation.paths import nearest
from kerasinterp.generation.checks import codes_images, takes_seeds
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Judge

READS = (
    "source",
    "split",
    "source_options",
    "invert",
    "target",
    "target_split",
    "target_options",
    "target_without",
    "domain_by_class",
    "judge_steps",
    "samples",
    "shots",
    "usefulness",
)  # of a recipe's data and target
ALSO_TAKES = ("few_shot", "prior")  # what makes images of seeds in its own way; what makes them of none
_PAIRS = 8  # of the picture
_ON_A_LINE = 3  # panels
_SETS, _MADE, _DRAWN = 6, 10, 24  # of other pictures: sets of seeds, what is made of each, and of a prior
_SIX = 6  # seeds, whose pairs' midpoints are fifteen new images (AugIntAE figure 8)
_TRIED = 512  # pairs that the telling ones are of
MOST_SOURCE = 640 * 10**6  # bytes; AugIntAE's largest, CIFAR's 50,000 images of 64 x 64 (A.1), are used whole
_PER_SET = 5  # new images of each set of seeds
_NEIGHBOURS = 5  # that density and coverage look at, the most of these measures
_COLUMNS = {
    "class_fidelity": "class fidelity",
    "turning_error": "turning error",
    "l2": "L2 (0 to 255)",
    "kernel": "kernel distance",
    "fid": "FID mixes",
    "fid_reconstruction": "FID reconstructions",
    "diversity": "diversity",
    "novelty": "novelty",
    "copies": "copies",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "misclassification": "taken for the source",
}
_USEFULNESS = {f"usefulness_{shots}": f"useful, {shots} seeds" for shots in (2, 5, 10)}


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool, seed: int) -> Judge:
    source, among = source_images(recipe)
    target, unseen = recipe.target, target_images(recipe)
    made = of_images(
        source,
        unseen,
        samples=target.samples,
        shots=target.shots,
        usefulness=target.usefulness,
        seed=seed,
        steps=target.judge_steps,
        domain_by_class=target.domain_by_class,
        precision=recipe.schedule.judges_precision,
        cache_dir=cache_dir,
        oracle={"steps": target.judge_steps} if smoke else None,
    )
    found = made.protocol | {
        f"{kind}_classes": len(np.unique(labels))
        for kind, (_, labels) in zip(("source", "target"), (source, unseen), strict=True)
    }
    if (count := len(source[0])) == among:
        return dataclasses.replace(made, protocol=found)
    told = f"The judges know {count:,} of the source's {among:,} images, drawn at random."
    found["source_images_in_all"] = among
    return dataclasses.replace(made, protocol=found, note=f"{made.note} {told}".strip())


def of_images(
    source: tuple[np.ndarray, np.ndarray],
    target: tuple[np.ndarray, np.ndarray],
    *,
    variants: tuple[np.ndarray, np.ndarray] | None = None,
    samples: int = 5000,
    shots: int = 5,
    usefulness: int = 0,
    seed: int = 0,
    steps: int = 2000,
    precision: str = "float32",
    cache_dir: pathlib.Path | None = None,
    oracle: Mapping[str, object] | None = None,
    **settings: object,
) -> Judge:
    """The judge of images and labels of the source and the target.

    Args:
        source, target: uint8 images and integer labels.
        variants: more of the target's classes, for the oracle of class fidelity to learn from.
        samples, shots, usefulness, steps: as `recipe.Target` has them.
        oracle: what its training differs in, arguments of `evaluation.SeedSets`.
        seed, precision, cache_dir, settings: as `evaluation.FewShot`.
    """
    common = {"seed": seed, "precision": precision, "cache_dir": cache_dir, "verbose": 1}
    distances = evaluation.FewShot(*source, *target, samples=samples, steps=steps, **common, **settings)
    images, labels = target
    pairs = same_class_sets(labels, _PAIRS, 2, seed=0)
    notes = []
    if distances.protocol["fid_unreliable"]:
        notes.append("The target has too few images for a Frechet distance: its FIDs tell little.")
    sets = worth = None
    try:  # the paper's measures need fewer images than these
        extra = {} if variants is None else dict(zip(("extra_images", "extra_labels"), variants, strict=True))
        own = {"shots": shots, "samples": samples, "per_set": min(_PER_SET, samples)} | common | dict(oracle or {})
        sets = evaluation.SeedSets(*target, **extra, **own)
        worth = evaluation.Usefulness(*target, draws=usefulness, seed=seed, verbose=1) if usefulness else None
    except InputError as why:
        notes.append(f"Not everything could be measured: {why}")

    @functools.cache
    def real() -> np.ndarray:
        return distances.features(sets.images[sets.labels >= 0])

    def of_made(made: np.ndarray, differing: np.ndarray | None = None) -> dict:
        return sets.measure(made) | _among(made, real(), sets, distances, differing)

    def measure(model: Objective, _: Recipe | None) -> dict:
        row = distances.measure(model, type(model).__name__) | turning(model, images, seed)
        if not takes_seeds(model):  # what it draws from its prior is of no class
            drawn = distances.features(generation.sample(model, samples, seed)) if sets else None
            return row | (_neighbours(drawn, real(), sets) if sets else {})
        make = functools.partial(evaluation.few_shot_of_sets, model)
        row |= of_made(sets.generate(make)) if sets else {}
        return row | (worth.measure(make) if worth else {})

    def bases() -> dict[str, dict]:
        rows = distances.without_model()
        rows["pixel_fade"] |= turning(None, images, seed)
        if sets:
            made = sets.without_model()
            rows["augmented"] = distances.distances(made["augmented"])
            rows["real"] |= of_made(made["real"], sets.others())
            rows["pixel_fade"] |= of_made(made["pixel_fade"])
            rows["augmented"] |= of_made(made["augmented"])
        if worth:
            rows["pixel_fade"] |= worth.measure(evaluation.fade_of_sets)
            for name, row in worth.without_model().items():
                rows[name] = rows.get(name, {}) | row
        return rows

    def picture(models: Mapping[str, Objective], path: pathlib.Path) -> None:
        def able(can: Callable[[Objective], bool]) -> dict[str, Objective]:
            return {name: model for name, model in models.items() if can(model)}

        draw_pairs(images, pairs, able(codes_images), path)
        ranges = evaluation.usual_transformations(images)
        evaluation.draw_turning(able(_turns), images, path.with_name("turning.png"), ranges, seed=seed)
        with contextlib.suppress(InputError):  # no class has seeds for it
            draw_few_shot(images, labels, shots, able(takes_seeds), path.with_name("few_shot.png"))
        with contextlib.suppress(InputError):
            draw_midpoints(images, labels, able(codes_images), path.with_name("midpoints.png"))
        if len(mixing := able(_turns)) > 1:
            telling = telling_pairs(images, labels, mixing, distances.features)
            draw_pairs(images, telling, mixing, path.with_name("telling_pairs.png"))
        if drawing := able(lambda model: hasattr(model, "prior")):
            draw_samples(drawing, path.with_name("samples.png"))

    protocol = distances.protocol | (sets.protocol if sets else {}) | (worth.protocol if worth else {})
    return Judge(
        measure=measure,
        bases=bases,
        columns=_COLUMNS | (_USEFULNESS if worth else {}),
        picture=picture,
        figures={"measures.png": evaluation.draw_few_shot}
        | ({"usefulness.png": evaluation.draw_usefulness} if worth else {}),
        protocol=protocol,
        note=" ".join(notes),
    )


def turning(model: Objective | None, images: np.ndarray, seed: int) -> dict:
    if model is not None and not _turns(model):
        return {"turning_error": None, "turning_error_deviation": None}
    ranges = evaluation.usual_transformations(images)
    return evaluation.turning_error(evaluation.turning_between(model), images, ranges, seed=seed)


def _turns(model: Objective) -> bool:
    """Whether a mix of it has a known place between two images."""
    return codes_images(model) and model.mixing.at_any_weight


def _among(
    made: np.ndarray,
    real: np.ndarray,
    sets: evaluation.SeedSets,
    distances: evaluation.FewShot,
    differing: np.ndarray | None = None,
) -> dict:
    """Made images beside the target's, `real`, by the features of the Frechet distance.

    Precision and its like are None of too few images.
    `differing` are those whose diversity and novelty are measured, if these are others.
    """
    known = sets.labels >= 0
    labels = sets.labels[known]
    place = np.cumsum(known) - 1  # of an image of the target among them
    features = distances.features(made)
    compared = features if differing is None else distances.features(differing)
    whole = len(made) // sets.per_set  # sets that all their images were made of
    found = evaluation.diversity_novelty(
        compared[: whole * sets.per_set].reshape(whole, sets.per_set, -1),
        real[place[sets.sets[:whole]]],
        sets.set_classes[:whole],
        real,
        labels,
    )
    chosen = real[place[sets.seeds]] if differing is not None else features
    return found | _neighbours(chosen, real, sets)


def _neighbours(chosen: np.ndarray, real: np.ndarray, sets: evaluation.SeedSets) -> dict:
    """The measures of neighbours, of features (N, D), in whatever order, beside those of the target's images, `real`.

    They are taken against images that no seeds were drawn from, as many of each side for every row, real images too.
    """
    place = np.cumsum(sets.labels >= 0) - 1
    others = np.setdiff1d(np.arange(len(real)), place[sets.seeds])
    count = min(len(others), len(sets.seeds), len(sets.origins))
    rng = np.random.default_rng(0)
    reference = real[rng.choice(others, count, replace=False)]
    chosen = chosen[rng.choice(len(chosen), count, replace=False)]
    if count <= _NEIGHBOURS:
        return dict.fromkeys(("precision", "recall", "density", "coverage"))
    return evaluation.precision_recall(reference, chosen) | evaluation.density_coverage(reference, chosen)


def draw_pairs(images: np.ndarray, pairs: np.ndarray, models: Mapping[str, Objective], path: pathlib.Path) -> None:
    """What each model makes between the images of each pair, indices (N, 2)."""
    first, second = (data.to_float(images[side]) for side in pairs.T)
    generation.save_interpolations(path, first, second, models)


def telling_pairs(
    images: np.ndarray,
    labels: np.ndarray,
    models: Mapping[str, Objective],
    features: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Of random pairs of a class those that tell models apart, indices (N, 2), the most telling first.

    On them the models differ most in how far, by `features`, what they make half-way is from the nearest of the
    images. Source: AugIntAE figures 14 to 17, pairs chosen by eye for the artefacts of some models; by a rule here,
    which spares none of them.
    """
    pairs = np.unique(np.sort(same_class_sets(labels, _TRIED, 2, seed=0)), axis=0)
    first, second = (images[side] for side in pairs.T)
    real = features(images[np.sort(np.random.default_rng(0).permutation(len(images))[: 2 * _TRIED])])
    half_way = (generation.interpolate(model, first, second, (0.5,))[:, 0] for model in models.values())
    far = [np.sqrt(nearest(features(made), real)[1]) for made in half_way]
    return pairs[np.argsort(-np.std(far, axis=0), kind="stable")[:_PAIRS]]


def draw_midpoints(images: np.ndarray, labels: np.ndarray, models: Mapping[str, Objective], path: pathlib.Path) -> None:
    """Each model's fifteen midpoints of six seeds, for some sets of seeds (AugIntAE figure 8)."""
    sets = same_class_sets(labels, _SETS, _SIX, seed=0)
    made = {
        name: np.stack([generation.midpoints(model, images[one]) for one in sets]) for name, model in models.items()
    }
    generation.save_few_shot(path, images[sets], made, columns=_ON_A_LINE - 1)


def draw_few_shot(
    images: np.ndarray, labels: np.ndarray, shots: int, models: Mapping[str, Objective], path: pathlib.Path
) -> None:
    """What each model makes of some sets of seeds (AugIntAE figure 6)."""
    sets = same_class_sets(labels, _SETS, shots, seed=0)
    made = {"pixel fade": evaluation.fade_of_sets(images, sets, _MADE, 0)}
    made |= {name: evaluation.few_shot_of_sets(model, images, sets, _MADE, 0) for name, model in models.items()}
    made = {name: one.reshape(_SETS, _MADE, *one.shape[1:]) for name, one in made.items()}
    generation.save_few_shot(path, images[sets], made, columns=_ON_A_LINE)


def draw_samples(models: Mapping[str, Objective], path: pathlib.Path) -> None:
    """What each model makes of its prior's draws, a row a model."""
    generation.save_grid(path, [generation.sample(model, _DRAWN, 0) for model in models.values()], [*models])


def source_images(recipe: Recipe) -> tuple[tuple[np.ndarray, np.ndarray], int]:
    """What the judges know of the recipe's source, uint8 images and labels, and how many images it has in all.

    Of a source of more than 640 MB it is a random part: in 2,000 steps a classifier sees 256,000 images at most.
    """
    own = recipe.data
    form = {"image_size": own.size, "channels": own.channels, "invert": own.invert, "labels": _has_classes(own.source)}
    examples = data.load_examples(own.source, own.split, memory=MOST_SOURCE, **form, **own.source_options)
    if examples.labels is None:
        examples = dataclasses.replace(examples, labels=np.zeros(len(examples), np.int64))
    most = max(1, MOST_SOURCE // int(np.prod(examples.shape)))
    among = len(examples)
    if among > most:
        examples = examples.select(np.sort(np.random.default_rng(0).choice(among, most, replace=False)))
    return (np.asarray(examples.images), examples.labels), among


def target_images(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """The recipe's target as uint8 images and labels, without the classes that it leaves out.

    Raises:
        InputError: it has none, or leaves all out.
    """
    if recipe.target.target is None:
        raise InputError(f"{recipe.name or 'The recipe'} has no target to be measured on: give one by --target.")
    target = recipe.target
    images, labels = _images(recipe, target.target, target.target_split, **target.target_options)
    kept = ~np.isin(labels, target.target_without)
    if not kept.any():
        raise InputError(f"target_without leaves no image of {target.target}: leave some class in.")
    return images[kept], labels[kept]


def same_class_sets(labels: np.ndarray, count: int, size: int, seed: int) -> np.ndarray:
    """Indices (count, size) of different images of one class, the classes in turn, drawn by `seed`.

    Raises:
        InputError: no class has so many images.
    """
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    classes = [members for members in classes if len(members) >= size]
    if not classes:
        raise InputError(f"No class of the target has {size} images: give more images of a class.")
    order = rng.permutation(len(classes))
    return np.stack([rng.choice(classes[order[n % len(order)]], size, replace=False) for n in range(count)])


def _images(recipe: Recipe, what: str, split: str, **options: object) -> tuple[np.ndarray, np.ndarray]:
    own = recipe.data
    form = {"image_size": own.size, "channels": own.channels, "invert": own.invert, **options}
    if _has_classes(what):
        return data.images(what, split=split, labels=True, **form)
    images = data.images(what, split=split, **form)
    return images, np.zeros(len(images), np.int64)


def _has_classes(what: str) -> bool:
    """Whether it may; of a dataset that has none all images are one class, Celeb-A's faces say (AugIntAE 5.2)."""
    known = data.sources().get(what)
    return known is None or bool(known.label)
