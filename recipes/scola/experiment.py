"""What the tables and figures of COLA's chapters 4 and 5 have in common."""

import functools
import json
import pathlib
from collections.abc import Callable

import click
import numpy as np

from kerasinterp import data, processor, training
from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation import Classifier, train_classifier
from kerasinterp.evaluation.distances import distances, reliable
from kerasinterp.evaluation.small_sample import SmallSample
from kerasinterp.files import read_text, write_text
from kerasinterp.nn import cifar_resnet, conv4
from kerasinterp.recipe import Data, Recipe, find

RESNET = {"cuts": tuple(n / 6 for n in range(1, 6)), "factor": 0.5}  # C.3: every 30 of 180 epochs
WRN = {"cuts": (0.3, 0.6, 0.9), "factor": 0.2}  # C.3: every 60 of 200
NETWORKS = {
    "resnet20": (cifar_resnet.classifier, RESNET),  # C.3
    "resnet32": (functools.partial(cifar_resnet.classifier, depth=32), RESNET),  # table 5.2
    "wrn_16_8": (cifar_resnet.wide_classifier, WRN),  # C.3, of Tiny ImageNet
    "wrn_28_10": (functools.partial(cifar_resnet.wide_classifier, depth=28, widening=10), WRN),  # table 5.2
    "conv4": (conv4.classifier, RESNET),  # ours, for time
}
SHARE = click.FloatRange(0.0, 1.0, min_open=True)
_MEASURE = 2  # its version: distances of one and of another do not compare
_MEMORY = 2**40  # bytes: small samples are held in memory


def protocol_of(network: str, test: Examples, steps: int, batch_size: int) -> SmallSample:
    """Classifiers of one of `NETWORKS`, of its own schedule."""
    build, schedule = NETWORKS[network]
    return SmallSample(test, steps=steps, batch_size=batch_size, network=build, width=16, **schedule)


def of_sample(name: str, size: int, seed: int, share: float, batch: int | None = None) -> tuple[Recipe, Examples]:
    """A small sample's recipe by name with a share of its width, and its sample: `size` images of each class.

    Without a `batch` it is the recipe's, or the whole sample if that is smaller.
    """
    recipe = find(name).change(per_class=size, seed=seed)
    sample = training.learned_from(recipe, _MEMORY)
    batch = batch or min(recipe.schedule.batch_size, len(sample))
    return recipe.change(width=max(1, round(share * recipe.backbone.width)), batch_size=batch), sample


def labelled(own: Data, split: str = "", like: Examples | None = None) -> Examples:
    """All images of a split of a recipe's dataset, by default its own; of a recipe of a folder those of that folder.

    Args:
        like: examples whose classes these must have.

    Raises:
        InputError: they have others.
    """
    form = {"image_size": own.size, "channels": own.channels, "labels": True, "invert": own.invert}
    if data.is_dataset(own.source):
        found = data.load_examples(own.source, split or own.split, **form, **own.source_options)
    else:
        found = data.load_examples(split or own.source, **form, **own.source_options)
    if like is not None and found.classes != like.classes:
        raise InputError(f"{split} has other classes than {own.source} ({own.split}): give images of the same.")
    return found


def judge_of(learned: Examples, steps: int, cache: pathlib.Path) -> Classifier:
    """A classifier of these images, in whose features distances are."""
    images, count = np.asarray(learned.images), len(learned.classes)
    return train_classifier(images, learned.labels, count, steps=steps, cache_dir=cache, verbose=1)


def quality(judge: Classifier, made: Examples, real: Examples) -> dict[str, float | None]:
    """`away` in the judge's features, and the share that it takes for their class.

    Of images made there are as many of each class; of the real ones a part is taken in which this is so.
    """
    images = np.asarray(made.images)
    found = away(judge.features(images), judge.features(np.asarray(evenly(real).images)))
    return found | {"class_fidelity": float((judge.predict(images) == made.labels).mean())}


def away(new: np.ndarray, real: np.ndarray, seed: int = 0) -> dict[str, float | None]:
    """Distances of as many features (N, D) and (M, D) of either, and "images", how many.

    They are None where images are too few: a Frechet distance of fewer than two a feature is one of their number.
    """
    count = min(len(new), len(real))
    found = dict(distances(new, real, seed)) if count > 2 else dict.fromkeys(("fid", "kid", "kid_deviation"))
    if not reliable(count, new.shape[1]):
        found["fid"] = None
    return found | {"images": count}


def evenly(examples: Examples, counts: np.ndarray | None = None) -> Examples:
    """A random part in which all classes are about as frequent: each image stays with a chance for its class.

    Args:
        counts: images of each class where these were drawn from; by default these.
    """
    counts = np.bincount(examples.labels) if counts is None else counts
    draws = np.random.default_rng(0).random(len(examples))
    return examples.select(draws * counts[examples.labels] < counts[counts > 0].min())


def kept_results(output: pathlib.Path, protocol: dict) -> tuple[dict, Callable[..., None]]:
    """What `results.json` in a folder holds, and what writes it anew, with what else it is told.

    It is written at once, so that what lies beside it is of this experiment.

    Raises:
        InputError: it is of an experiment with another protocol, damaged, or not there beside models.
    """
    kept, protocol = output / "results.json", json.loads(json.dumps(protocol | {"measure": _MEASURE}))
    results: dict = {}
    if not kept.exists() and (output / "models").exists():
        raise InputError(f"{output} holds models of another experiment: choose another --output.")
    if kept.exists():
        try:
            held = json.loads(read_text(kept))
            results, before = dict(held["results"]), dict(held["protocol"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{kept} is no file of results: choose another --output.") from error
        if changed := [key for key, value in protocol.items() if before.get(key) != value]:
            raise InputError(f"{output} holds an experiment with other {', '.join(changed)}: choose another --output.")

    def write(**told: float) -> None:
        whole = protocol | told | {"processor": processor.describe()}
        write_text(kept, json.dumps({"protocol": whole, "results": results}, indent=1) + "\n")

    if not kept.exists():
        write()
    return results, write
