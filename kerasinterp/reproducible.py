"""The same seed gives the same bytes."""

import contextlib
import random
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from tensorflow.python.eager import context as tensorflow_context
from tensorflow.python.framework import config as tensorflow_config

# What `keras.utils.set_random_seed` sets, beside the seeds of Python, NumPy and TensorFlow.
_KERAS_SEEDS = ("global_random_seed", "global_seed_generator")


@contextlib.contextmanager
def reproducible(seed: int, deterministic: bool = True) -> Iterator[None]:
    """Within it, the same seed gives the same bytes; what it sets for that is as it was afterwards.

    Args:
        seed: of whatever draws without a seed of its own.
        deterministic: operations too; Keras does not compile (XLA) deterministic models.
    """
    seeds = random.getstate(), np.random.get_state(), tensorflow_context.global_seed()
    of_keras = {name: global_state.get_global_attribute(name) for name in _KERAS_SEEDS}
    of_operations = getattr(tensorflow_context.context(), "_rng", None)
    options = tf.config.optimizer.get_experimental_options()
    determinism = tensorflow_config.is_op_determinism_enabled()
    try:
        if deterministic:
            tf.config.experimental.enable_op_determinism()
            # TensorFlow's graph rewriting is not the same each time, and then equal steps round unequally.
            tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        keras.utils.set_random_seed(seed)  # determinism asks for it; nothing of ours draws from it
        yield
    finally:
        tf.config.optimizer.set_experimental_options(options)
        if not determinism:
            tensorflow_config.disable_op_determinism()
        random.setstate(seeds[0])
        np.random.set_state(seeds[1])
        tensorflow_context.set_global_seed(seeds[2])
        if of_operations is not None:  # goes on where it was, not from the seed
            tensorflow_context.context()._rng = of_operations
        for name, value in of_keras.items():
            global_state.set_global_attribute(name, value)
