"""The parts of TensorFlow-GAN that kerasinterp uses, importable on current TensorFlow.

`import tensorflow_gan` (2.1.0) fails on TensorFlow >= 2.16 because its estimator part needs `tf.estimator`, and on
Python >= 3.12 because it needs `distutils`. The files with its losses and metrics work. They are imported here below
empty stand-ins for their parent packages, which are taken away again at once, so that a user's own
`import tensorflow_gan` still behaves (and fails) as it would have without kerasinterp.

Each name is imported when it is first asked for, and needs TensorFlow alone: the one function that the distances take
from TensorFlow Probability stands in below, for that package would ask for tf-keras beside Keras 3 and, from Python
3.12 on, for setuptools. TensorFlow Hub is never imported.
"""

import functools
import importlib
import importlib.util
import pathlib
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

_MODULES = {
    "least_squares_generator_loss": "losses.losses_impl",
    "least_squares_discriminator_loss": "losses.losses_impl",
    "frechet_classifier_distance_from_activations": "eval.classifier_metrics",
    "kernel_classifier_distance_and_std_from_activations": "eval.classifier_metrics",
    "sliced_wasserstein_distance": "eval.sliced_wasserstein",
}
_PARENTS = ("tensorflow_gan", "tensorflow_gan.python", "tensorflow_gan.python.losses", "tensorflow_gan.python.eval")
_lock = threading.Lock()

__all__ = list(_MODULES)


def _covariance(samples: Any) -> Any:
    """`tensorflow_probability.stats.covariance` of (N, D): by N, which TensorFlow-GAN corrects to N - 1."""
    import tensorflow as tf

    centred = samples - tf.reduce_mean(samples, axis=0)
    return tf.matmul(centred, centred, transpose_a=True) / tf.cast(tf.shape(samples)[0], samples.dtype)


def _import(name: str) -> types.ModuleType:
    """Import one file of TensorFlow-GAN without running the `__init__` of the packages above it."""
    with _lock:
        specification = importlib.util.find_spec("tensorflow_gan")  # finds the top level without importing it
        if specification is None or not specification.submodule_search_locations:
            raise ImportError("tensorflow-gan is not installed: run `pip install tensorflow-gan`.")
        root = pathlib.Path(next(iter(specification.submodule_search_locations))).parent
        stand_ins = {}
        for parent in _PARENTS:
            if parent not in sys.modules:
                module = types.ModuleType(parent)
                module.__path__ = [str(root.joinpath(*parent.split(".")))]
                # A specification, as an import would set: `find_spec` refuses a module without one.
                module.__spec__ = importlib.util.spec_from_loader(parent, loader=None)
                stand_ins[parent] = sys.modules[parent] = module
        if "tensorflow_probability" not in sys.modules:
            probability = types.ModuleType("tensorflow_probability")
            probability.stats = types.SimpleNamespace(covariance=_covariance)
            stand_ins["tensorflow_probability"] = sys.modules["tensorflow_probability"] = probability
        try:
            return importlib.import_module(f"tensorflow_gan.python.{name}")
        finally:
            for parent, module in stand_ins.items():
                if sys.modules.get(parent) is module:
                    del sys.modules[parent]


def _without_deprecations(function: Callable) -> Callable:
    """`function` without TensorFlow's log lines on old calls inside it, which a user can do nothing about."""
    import tensorflow as tf

    @functools.wraps(function)
    def quiet(*args, **kwargs):
        logger = tf.get_logger()
        level = logger.level
        logger.setLevel("ERROR")
        try:
            return function(*args, **kwargs)
        finally:
            logger.setLevel(level)

    return quiet


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import tensorflow as tf

    # Left as it is by autograph: none of these functions branches on a tensor, and converting costs tracing time.
    function = tf.autograph.experimental.do_not_convert(getattr(_import(_MODULES[name]), name))
    if _MODULES[name].startswith("eval."):
        function = _without_deprecations(function)
    globals()[name] = function
    return function
