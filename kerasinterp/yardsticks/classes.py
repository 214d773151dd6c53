"""Labelled images: do mixes look like data (AMR tables 1 and 2), and what do the codes know (ACAI section 5)?"""

import contextlib
import functools
import pathlib

import keras
import numpy as np
import tensorflow as tf

from kerasinterp import data, evaluation
from kerasinterp.errors import InputError
from kerasinterp.generation import decode, encode
from kerasinterp.objectives import Objective
from kerasinterp.ops.mixing import Linear
from kerasinterp.recipe import Recipe
from kerasinterp.yardsticks import Judge, paths

READS = ("source", "split", "source_options", "invert", "target_split")  # of a recipe's data and target
_PAIRS, _POINTS = 2, 11  # of the picture
_WIDTH = 8  # of the classifier whose features the distances take: 128 features


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool, seed: int) -> Judge:
    (images, labels), (test_images, test_labels) = (
        labelled(recipe, split) for split in (recipe.data.split, recipe.target.target_split)
    )
    steps = 100 if smoke else 2_000
    classifier = evaluation.train_classifier(
        images, labels, int(labels.max()) + 1, width=_WIDTH, steps=steps, seed=seed, cache_dir=cache_dir
    )
    many = 500 if smoke else 10_000
    # Of all classes: a folder's images come sorted.
    some, others = (
        np.random.default_rng(seed).permutation(len(one))[:most]
        for one, most in ((labels, many), (test_labels, many // 2))
    )
    learned, judged = data.to_float(images[some]), data.to_float(test_images[others])
    labels, test_labels = labels[some], test_labels[others]

    def measure(model: Objective | None, _: Recipe | None) -> dict:
        if model is None:
            return _mixes(_same, _same, Linear())
        both = functools.partial(encode, model, made=True), functools.partial(decode, model)
        found = _mixes(*both, model.mixing)
        codes = encode(model, learned)
        codes_judged = encode(model, judged)
        found |= evaluation.probe(codes, labels, codes_judged, test_labels)
        if hasattr(model, "mixer"):
            found["mixer"] = evaluation.bernoulli_parameters(model.mixer, model.mixer.input_shape[-1])
        with contextlib.suppress(InputError):  # a collapsed model's codes are all alike: no clusters, the rest counts
            found |= evaluation.clustering(codes, labels, codes_judged, test_labels)
            found |= evaluation.cluster_distance(codes_judged, len(np.unique(labels)), tsne=False)
        return found

    def _mixes(encoder, decoder, mixing) -> dict:
        def draw(codes, seed):
            return mixing.draw(tf.constant(codes), keras.random.SeedGenerator(seed)).numpy()

        return evaluation.mixes(encoder, decoder, draw, judged, classifier.features, seed=seed)

    ends = judged[: 2 * _PAIRS]
    return Judge(
        measure=measure,
        bases=paths.fade(measure),
        columns={
            "fid_mix": "FID mixes",
            "fid_reconstruction": "FID reconstructions",
            "consistency_relative": "consistency (relative)",
            "probe_accuracy": "probe",
            "clustering_accuracy": "clustering",
            "cluster_distance_relative": "cluster distance (relative)",
        },
        picture=functools.partial(paths.draw, ends[:_PAIRS], ends[_PAIRS:], {}, _POINTS),
        figures={"mixes.png": evaluation.draw_mixes, "codes.png": _draw_codes, "mixer.png": _draw_mixer},
    )


def labelled(recipe: Recipe, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and classes; where there are attributes only, each combination is one."""
    own = recipe.data
    named = bool(own.attributes) and not isinstance(own.attributes, dict)
    form = {"image_size": own.size, "channels": own.channels, "invert": own.invert, **own.source_options}
    images, labels = data.images(own.source, split=split, labels=own.attributes if named else True, **form)
    return images, labels @ 2 ** np.arange(labels.shape[1]) if named else labels


def _draw_codes(table: dict, path: pathlib.Path) -> None:
    evaluation.draw_codes({name: row for name, row in table.items() if "probe_accuracy" in row}, path)


def _draw_mixer(table: dict, path: pathlib.Path) -> None:
    """The mixer of the one system that has one."""
    for row in table.values():
        if "mixer" in row:
            evaluation.draw_bernoulli_parameters(row["mixer"], path)


def _same(values: np.ndarray) -> np.ndarray:
    return values
