"""Few-shot images beside each other and beside their seeds: do they differ, and are they new?"""

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.evaluation.paths import nearest

_LEAST = 5  # real images of a class besides the seeds; ours: a mean of ten distances
_REAL_ONES_CALLED_COPIES = 0.01  # ours
_EQUAL = 1e-6  # of the typical length: what float32 features of one image in another batch differ by


def diversity_novelty(
    generated: np.ndarray, seeds: np.ndarray, classes: np.ndarray, real: np.ndarray, real_classes: np.ndarray
) -> dict:
    """How much generated images differ from each other and from their seeds, in units of what real images do.

    A set is S seeds of one class and the n images made of them. Distances are Euclidean, of features. Real images that
    equal one of the set's seeds are left out of what the set is compared with, so all real images may be given.

    Args:
        generated: features of generated images, (K, n, D), set by set.
        seeds: features of their seeds, (K, S, D).
        classes: the sets' classes, integers (K,); several sets may be of one class.
        real: features of real images, (R, D).
        real_classes: their classes, integers (R,).

    Returns:
        Means over classes, which are means over their sets; None if no class is measured (or n is 1, of diversity).

        - "diversity": the mean distance between two images of a set, over that between two real images of the class:
          1 if they differ as real ones do, 0 if all are equal. The mean of real pairs does not depend on how many real
          images there are, so all are used;
        - "novelty": the mean distance of an image from the nearest of its seeds, over that of the class's other real
          images from the nearest of the same seeds: 1 if as new as a real image is, 0 for copies.
          Above 1 they may be of no class at all: read it beside class fidelity and precision;
        - "copies": the share of images, in 0..1, that are nearer to a seed than 99% of the other real images of the
          class are. Those distances are in units of each set's mean (as novelty) and taken together over all sets,
          since a class has few. So exact copies are copies, and mixes at the very ends of a path; of real images 1%
          are. Where real images have doubles, only what is as near as those is a copy;
        - "measured_classes", "classes_left_out": how many; left out are those with fewer than 5 real images besides
          the seeds, and those whose real images are all equal.

    Raises:
        InputError: shapes that do not fit, no sets, seeds or images, or values that are not finite.

    Source: ours, after the within-class distances of few-shot papers (LoFGAN: Gu et al., 2021).
    """
    generated, seeds, real, classes, real_classes = _checked(generated, seeds, classes, real, real_classes)
    rows = {}
    for label in np.unique(classes):
        members = real[real_classes == label]
        if len(members) < _LEAST:
            continue
        typical = _mean_distance(members)
        equal = _EQUAL * np.sqrt(np.square(members).sum(axis=1).mean())
        found = []
        for number in np.flatnonzero(classes == label):
            away, known = (np.sqrt(nearest(x, seeds[number])[1]) for x in (generated[number], members))
            known = known[known > equal]
            if len(known) < _LEAST or typical <= equal:
                break
            spread = _mean_distance(generated[number])
            found.append((None if spread is None else spread / typical, away / known.mean(), known / known.mean()))
        else:
            rows[label] = found
    left_out = len(np.unique(classes)) - len(rows)
    result = {"diversity": None, "novelty": None, "copies": None}
    if rows:
        known = np.concatenate([known for sets in rows.values() for _, _, known in sets])
        limit = np.quantile(known, _REAL_ONES_CALLED_COPIES)
        if generated.shape[1] > 1:
            result["diversity"] = _mean([[spread for spread, _, _ in sets] for sets in rows.values()])
        result["novelty"] = _mean([[away.mean() for _, away, _ in sets] for sets in rows.values()])
        result["copies"] = _mean([[(away < limit).mean() for _, away, _ in sets] for sets in rows.values()])
    return result | {"measured_classes": len(rows), "classes_left_out": left_out}


def _mean(by_class: list[list[float]]) -> float:
    """The mean over classes of the means over sets."""
    return float(np.mean([np.mean(sets) for sets in by_class]))


def _mean_distance(features: np.ndarray) -> float | None:
    """Of two different rows of (N, D); None of fewer than two."""
    if len(features) < 2:
        return None
    # A row at a time: memory does not grow as N * N, and no digits are lost as by the expanded square.
    total = sum(np.linalg.norm(features[i + 1 :] - features[i], axis=1).sum() for i in range(len(features) - 1))
    return float(total / (len(features) * (len(features) - 1) / 2))


def _checked(generated, seeds, classes, real, real_classes) -> tuple[np.ndarray, ...]:
    generated, seeds, real = (np.asarray(x, np.float64) for x in (generated, seeds, real))
    classes, real_classes = np.asarray(classes), np.asarray(real_classes)
    if generated.ndim != 3 or seeds.ndim != 3 or real.ndim != 2 or 0 in (*generated.shape, *seeds.shape):
        raise InputError(
            f"generated, seeds and real have shapes {generated.shape}, {seeds.shape} and {real.shape}: give (sets, "
            "images, D), (sets, seeds, D) and (images, D)."
        )
    if len({generated.shape[-1], seeds.shape[-1], real.shape[-1]}) > 1:
        raise InputError(
            f"generated, seeds and real have {generated.shape[-1]}, {seeds.shape[-1]} and {real.shape[-1]} features: "
            "take them from one extractor."
        )
    if len(generated) != len(seeds) or classes.shape != (len(seeds),) or real_classes.shape != (len(real),):
        raise InputError(
            f"there are {len(generated)} sets of images, {len(seeds)} of seeds and classes of shape {classes.shape}, "
            f"{len(real)} real images and classes of shape {real_classes.shape}: give one class for each."
        )
    if not all(np.isfinite(x).all() for x in (generated, seeds, real)):
        raise InputError("features hold values that are not finite: check the images and the feature extractor.")
    return generated, seeds, real, classes, real_classes
