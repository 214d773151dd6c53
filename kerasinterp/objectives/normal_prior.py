"""The prior of systems that name none of their own."""

import keras
import tensorflow as tf


class NormalPrior:
    """The part of an objective that says where new latents come from; for those with a `latent_shape`."""

    def prior(self, count: int, seed: int = 0) -> tf.Tensor:
        """`count` latents of new images, float32 (count, *latent_shape): N(0, 1), unless the system has its own.

        The same seed gives the same latents; the first of a longer draw need not be those of a shorter one.
        """
        return keras.random.normal((count, *self.latent_shape), seed=seed)
