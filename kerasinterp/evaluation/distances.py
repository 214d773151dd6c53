"""Distances between sets of images or of their features, computed by TensorFlow-GAN."""

import warnings

import numpy as np
import tensorflow as tf

from kerasinterp import _tensorflow_gan
from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_pairs

_PATCH = 7  # pixels; Karras et al. (2018), section 5
_BLOCK = 1024  # rows that the kernel distance compares at once; TensorFlow-GAN's
_LEAST = 3  # rows of a block: the jackknife leaves one out, and the estimator needs two


def frechet_distance(real_features: np.ndarray, generated_features: np.ndarray) -> float:
    """Frechet distance of two sets of features, each taken as one Gaussian: 0 for equal sets, unbounded above.

    It is computed in float64. With N images a set and D features the estimate is too large by about
    D (D + 1) / (2 N) times the features' variance, so compare distances at equal N only, and keep D far below N.

    Args:
        real_features: (N, D), N at least 2.
        generated_features: (M, D), M at least 2.

    Raises:
        InputError: other ranks, different D, fewer than two rows, values that are not finite.

    Warns:
        UserWarning: fewer rows than `reliable` asks for.

    Source: AugIntAE A.3, equation 7; Heusel et al. (2017).
    """
    distance = gaussian_distance(real_features, generated_features)
    rows, size = min(len(real_features), len(generated_features)), np.shape(real_features)[1]
    if not reliable(rows, size):
        warnings.warn(
            f"a Frechet distance of {rows} images and {size} features measures how few they are rather than how they "
            f"differ: give {2 * size} images or more, or take the kernel distance.",
            stacklevel=2,
        )
    return distance


def reliable(images: int, features: int) -> bool:
    """Whether the smaller set has images enough for a Frechet distance of so many features: two a feature or more.

    Two sets of N images of one distribution, whose true distance is 0, come out about (D + 1) / (2 N) of the features'
    total variance apart: a quarter of it at N = 2 D. Below N = D the covariances are singular besides.
    """
    return images >= 2 * features


def gaussian_distance(real_features: np.ndarray, generated_features: np.ndarray) -> float:
    """`frechet_distance` without a warning, for a caller that reports `reliable` beside it."""
    real, generated = map(tf.constant, as_features(real_features, generated_features))
    distance = float(_tensorflow_gan.frechet_classifier_distance_from_activations(real, generated))
    return max(distance, 0.0)  # rounding alone can make it negative


def kernel_distance(real_features: np.ndarray, generated_features: np.ndarray) -> float:
    """Kernel distance (the unbiased squared MMD of a cubic kernel); 0 in the mean for equal distributions.

    It can be slightly negative. The sets are compared in blocks of about 1024 rows, so give the rows in random order.

    Args and errors: as `frechet_distance`.

    Source: Binkowski et al. (2018), section 4.
    """
    real, generated = as_features(real_features, generated_features)
    return _kernel_distance(real, generated, _blocks(real, generated))


def kernel_distance_and_deviation(real_features: np.ndarray, generated_features: np.ndarray) -> tuple[float, float]:
    """`kernel_distance`, and its standard error: how much it would vary from draw to draw of as many images of both.

    Differences between models of less than about two deviations tell nothing. The deviation is the jackknife's: each
    row of each block is left out once (in closed form: it is exact and draws nothing). It is in the mean too large
    rather than too small: by a factor of about 1.4 where the distributions are equal. It counts images as independent.

    This is not the deviation over subsets that papers print as "KID +- std": that one says how much a distance of one
    subset's images varies, and grows or shrinks with the size chosen for the subsets.

    Args:
        real_features: (N, D), N at least 3.
        generated_features: (M, D), M at least 3.

    Returns:
        The distance and its standard error (0 or more).

    Raises:
        InputError: as `frechet_distance`, with three rows for two.

    Source: Binkowski et al. (2018), section 4; Efron and Stein (1981) on the jackknife's bias.
    """
    real, generated = as_features(real_features, generated_features, _LEAST)
    blocks = _blocks(real, generated)
    parts = zip(np.array_split(real, blocks), np.array_split(generated, blocks), strict=True)
    variance = sum(_jackknife(*part) for part in parts) / blocks**2
    return _kernel_distance(real, generated, blocks), float(np.sqrt(variance))


def distances(generated: np.ndarray, real: np.ndarray, seed: int = 0) -> dict[str, float]:
    """ "fid", "kid" and "kid_deviation": the functions above, of as many rows of either, drawn at random.

    Distances of other numbers of images do not compare (`frechet_distance`), and rows that were chosen, as many of each
    class say, come out too near.

    Args and errors: as `kernel_distance_and_deviation`.
    """
    rng, count = np.random.default_rng(seed), min(len(real), len(generated))
    drawn = [np.asarray(one)[rng.permutation(len(one))[:count]] for one in (real, generated)]
    kid, deviation = kernel_distance_and_deviation(*drawn)
    return {"fid": gaussian_distance(*drawn), "kid": kid, "kid_deviation": deviation}


def _kernel_distance(real: np.ndarray, generated: np.ndarray, blocks: int) -> float:
    rows = -(-max(len(real), len(generated)) // blocks)
    distance = _tensorflow_gan.kernel_classifier_distance_and_std_from_activations
    return float(distance(tf.constant(real), tf.constant(generated), max_block_size=rows)[0])


def _blocks(real: np.ndarray, generated: np.ndarray) -> int:
    """How many blocks: as many as the larger set needs, but none with less than `_LEAST` rows of the smaller."""
    larger, smaller = max(len(real), len(generated)), min(len(real), len(generated))
    rows = max(_BLOCK, -(-larger // max(1, smaller // _LEAST)))
    return -(-larger // rows)


def _jackknife(real: np.ndarray, generated: np.ndarray) -> float:
    """The variance of one block's distance, from the distances that it has without each of its rows."""
    n, m, size = len(real), len(generated), real.shape[1]
    within_real, within_generated, across = (
        (x @ y.T / size + 1) ** 3 for x, y in ((real, real), (generated, generated), (real, generated))
    )
    np.fill_diagonal(within_real, 0)
    np.fill_diagonal(within_generated, 0)
    # What depends on the row left out; the rest is the same for all, and the variance does not see it.
    without_real = (within_real.sum() - 2 * within_real.sum(1)) / ((n - 1) * (n - 2))
    without_real -= 2 * (across.sum() - across.sum(1)) / ((n - 1) * m)
    without_generated = (within_generated.sum() - 2 * within_generated.sum(1)) / ((m - 1) * (m - 2))
    without_generated -= 2 * (across.sum() - across.sum(0)) / (n * (m - 1))
    return (n - 1) * without_real.var() + (m - 1) * without_generated.var()


def sliced_wasserstein(
    real_images: np.ndarray, generated_images: np.ndarray, seed: int = 0, limit: int = 2048
) -> float:
    """Sliced Wasserstein distance of 7 x 7 patches, averaged over the levels of a Laplacian pyramid (>= 16 pixels).

    Each image is dithered by half a grey level: patches are divided by their deviation, 0 on a flat background.

    Args:
        real_images: (N, H, H, C), float in [-1, 1] or uint8, H at least 8.
        generated_images: (N, H, H, C).
        seed: of patches, projections and dither; no global random state is changed.
        limit: compare at most so many images a set, the first ones (memory: 38 kB an image and level).

    Raises:
        InputError: images of other shapes or ranges, or of unequal number.

    Source: Karras et al. (2018), section 5; grey images count as colour images with equal channels.
    """
    real, generated = as_pairs(real_images, generated_images)
    if real.shape[1] != real.shape[2] or real.shape[1] <= _PATCH:
        raise InputError(f"images are {real.shape[1]} x {real.shape[2]}: give square ones of at least 8 pixels.")
    random = np.random.default_rng(seed)
    sets = []
    for images in (real[:limit], generated[:limit]):
        images = np.broadcast_to(images, (*images.shape[:3], 3))
        sets.append(images + random.uniform(-1 / 255, 1 / 255, images.shape).astype(np.float32))

    # TensorFlow-GAN draws patches from NumPy's global generator and projections from TensorFlow's. Keep both as they
    # were, the one by restoring it, the other by a graph of its own; and draw the patches one set after the other.
    state = np.random.get_state()
    try:
        with tf.Graph().as_default() as graph:
            tf.compat.v1.set_random_seed(seed)
            inputs = [tf.compat.v1.placeholder(tf.float32, images.shape) for images in sets]
            scores = _tensorflow_gan.sliced_wasserstein_distance(*inputs, patch_size=_PATCH)
            values = dict(zip(inputs, sets, strict=True))
            with tf.compat.v1.Session() as session:
                np.random.seed(seed % 2**32)
                for operation in graph.get_operations():
                    if operation.type == "PyFuncStateless":
                        values[operation.outputs[0]] = session.run(operation.outputs[0], values)
                levels = session.run([distance for _, distance in scores], values)
    finally:
        np.random.set_state(state)
    return float(np.mean(levels))


def as_features(real: np.ndarray, generated: np.ndarray, rows: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of features, float64 (N, D) and (M, D).

    Raises:
        InputError: other ranks, different D, fewer than `rows` rows, values that are not finite.
    """
    real, generated = np.asarray(real), np.asarray(generated)
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise InputError(f"features have shapes {real.shape} and {generated.shape}: give (N, D) and (M, D).")
    if min(len(real), len(generated)) < rows:
        raise InputError(
            f"this measure needs {rows} or more rows a set, got {len(real)} and {len(generated)}: give more images."
        )
    if not (np.isfinite(real).all() and np.isfinite(generated).all()):
        raise InputError("features hold values that are not finite: check the images and the feature extractor.")
    return real.astype(np.float64), generated.astype(np.float64)
