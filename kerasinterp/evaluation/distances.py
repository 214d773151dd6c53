"""Distances between sets of images or of their features, computed by TensorFlow-GAN."""

import warnings

import numpy as np
import tensorflow as tf

from kerasinterp import _tensorflow_gan
from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_pairs

_PATCH = 7  # pixels; Karras et al. (2018), section 5


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
    real, generated = _features(real_features, generated_features, np.float64)
    distance = float(_tensorflow_gan.frechet_classifier_distance_from_activations(real, generated))
    return max(distance, 0.0)  # rounding alone can make it negative


def kernel_distance(real_features: np.ndarray, generated_features: np.ndarray) -> float:
    """Kernel distance (the unbiased squared MMD of a cubic kernel); 0 in the mean for equal distributions.

    It can be slightly negative. The sets are compared in blocks of at most 1024 rows, so give the rows in random order.

    Args and errors: as `frechet_distance`.

    Source: Binkowski et al. (2018), section 4.
    """
    real, generated = _features(real_features, generated_features, np.float64)
    return float(_tensorflow_gan.kernel_classifier_distance_and_std_from_activations(real, generated)[0])


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


def _features(real: np.ndarray, generated: np.ndarray, dtype: type) -> tuple[tf.Tensor, tf.Tensor]:
    real, generated = np.asarray(real), np.asarray(generated)
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise InputError(f"features have shapes {real.shape} and {generated.shape}: give (N, D) and (M, D).")
    if min(len(real), len(generated)) < 2:
        raise InputError(
            f"a distance needs 2 or more rows a set, got {len(real)} and {len(generated)}: give more images."
        )
    if not (np.isfinite(real).all() and np.isfinite(generated).all()):
        raise InputError("features hold values that are not finite: check the images and the feature extractor.")
    return tf.constant(real, dtype), tf.constant(generated, dtype)
