"""Codes of a class part and a variation part, and what new ones are drawn from."""

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.ops import gaussian
from kerasinterp.ops.mixing import on_sphere


class ClassCodes:
    """The part of an objective whose `latents` (N, K + d) begin with K numbers for their images' `clusters` (N,).

    New codes are of one Gaussian for each class (COLA 3.3), normalised as the codes are.
    """

    latents: keras.Variable
    clusters: keras.Variable
    classes: int

    @property
    def known_classes(self) -> np.ndarray:
        """The classes that there are codes of, in order."""
        return np.unique(self.clusters.numpy())

    def normalised(self, codes: tf.Tensor) -> tf.Tensor:
        """Codes (B, K + d) with both parts on their spheres."""
        return tf.concat([on_sphere(codes[:, : self.classes]), on_sphere(codes[:, self.classes :])], -1)

    def prior(self, count: int, seed: int = 0, spread: float = 1.0) -> tf.Tensor:
        """`count` codes, the known classes in turn; `spread` as in `prior_of`."""
        known = self.known_classes
        return self.prior_of(known[np.arange(count) % len(known)], seed, spread)

    def prior_of(self, classes: np.ndarray, seed: int = 0, spread: float = 1.0) -> tf.Tensor:
        """A code for each of some classes, float32 (n, K + d).

        Args:
            classes: integers (n,).
            spread: of codes about their class's mean: below 1 concentrated, above 1 sparse (appendix A).

        Raises:
            InputError: a class of which there is no code.
        """
        classes = np.asarray(classes)
        self._check_known(classes)
        noise = np.random.default_rng(seed).standard_normal((len(classes), self.latents.shape[1]), np.float32)
        latents = tf.convert_to_tensor(self.latents)
        return self.normalised(gaussian.of_sets(noise, classes, latents, self.clusters.numpy(), spread))

    def with_class(self, codes: tf.Tensor, classes: np.ndarray) -> tf.Tensor:
        """Codes (B, K + d) with another class's part each: the mean of its codes' (appendix B).

        Args:
            classes: integers (B,).

        Raises:
            InputError: as `prior_of`.
        """
        self._check_known(classes)
        known, places = np.unique(classes, return_inverse=True)
        own = tf.convert_to_tensor(self.latents)[:, : self.classes]
        means = [tf.reduce_mean(tf.boolean_mask(own, self.clusters.numpy() == one), 0) for one in known]
        return self.normalised(tf.concat([tf.gather(tf.stack(means), places), codes[:, self.classes :]], -1))

    def _check_known(self, classes: np.ndarray) -> None:
        if len(unknown := np.setdiff1d(classes, self.known_classes)):
            known = ", ".join(map(str, self.known_classes[:10]))
            raise InputError(f"The model knows no image of class {unknown[0]}: it has {known}.")
