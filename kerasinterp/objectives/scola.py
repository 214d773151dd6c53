"""Clustered optimisation of the latent space, of labelled images."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.data.components import principal_components
from kerasinterp.data.examples import Examples
from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
from kerasinterp.objectives.class_codes import ClassCodes
from kerasinterp.objectives.glo import GLO
from kerasinterp.ops import descent, gaussian
from kerasinterp.ops.parts import in_parts

_KNOWN, _STEPS, _RATE = 1000, 300, 0.01  # of descent: images that it begins from, C.2's rate of codes; the rest ours


@keras.saving.register_keras_serializable("kerasinterp")
class SCOLA(ClassCodes, GLO):
    """A generator learns together with codes that begin as their images' classes (COLA 3.2 to 3.4, algorithm 1).

        z_i = (t_i, v_i) in R^(K+d),  t_i the one-hot class,  v_i ~ N(0, s^2 I) / |.|;   min over G, z:  L(x_i, G(z_i))
        after each epoch:  t_i <- t_i / |t_i|,  v_i <- v_i / |v_i|

    New images come from a Gaussian for each class, fitted to its codes (3.3), all classes as often.

    Differs from the original in: what is drawn is normalised as the codes are (as in yedidh/glann).

    Args:
        classes: K, how many classes, or clusters, there are; a recipe takes it from the data.
        initialisation: of v, as of `GLO`.
        table: places (B,) -> codes (B, K + d).
        generator: codes -> images.
    """

    needs_classes = True
    networks = {
        "generator": Net("decoder", class_part=True, batch_normalised=False),
        "table": Net("latent_table", class_part=True),
    }

    def __init__(self, *, classes: int = 1, **others: Any):
        super().__init__(**others)
        count, size = self.latents.shape
        if not 1 <= classes < size:
            raise InputError(f"Codes of {size} numbers have at least one beside those of {classes} classes: add some.")
        self.classes = int(classes)
        self.clusters = self.add_weight(shape=(count,), dtype="int32", trainable=False, name="clusters")

    def begin(self, examples: Examples) -> None:
        if examples.labels is None or examples.labels.ndim != 1:
            raise InputError(f"{type(self).__name__} learns from classes, and there are none: give class folders.")
        if examples.labels.max() >= self.classes:
            raise InputError(f"Labels are below {self.classes}, the number of classes, not {examples.labels.max()}.")
        self._begin(examples, np.eye(self.classes, dtype=np.float32)[examples.labels], examples.labels)

    def _begin(self, examples: Examples, targets: np.ndarray, clusters: np.ndarray) -> None:
        variation = self.latents.shape[1] - self.classes
        if self.initialisation == "pca":
            drawn = principal_components(examples.images, variation)
        else:
            drawn = np.random.default_rng(self.seed).standard_normal((len(targets), variation), np.float32)
        self.latents.assign(self.normalised(tf.concat([targets, drawn], -1)))
        self.clusters.assign(clusters)

    def bounded(self, latents: tf.Tensor) -> tf.Tensor:
        return latents

    def after_epoch(self) -> None:
        self.latents.assign(self.normalised(tf.convert_to_tensor(self.latents)))

    def few_shot(self, seeds: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
        """`n` images of any class, float32 (n, H, W, C), of a Gaussian fitted to codes of its seeds (S, H, W, C)."""
        noise = np.random.default_rng(seed).standard_normal((n, *self.latent_shape), np.float32)
        drawn = gaussian.transformed(tf.constant(noise), *gaussian.fitted(self.codes_of(seeds)))
        return in_parts(self.decode, self.normalised(drawn))

    def codes_of(self, images: np.ndarray) -> tf.Tensor:
        """Codes that make given images (B, H, W, C) best, by descent from those of the nearest known ones."""
        images, known = tf.constant(images, tf.float32), self.latents[:_KNOWN]
        nearest = tf.gather(known, descent.nearest_image(images, self.decode(known)))
        found = descent.by_adam(lambda z: self.reconstruction_error(images, self.decode(z)), nearest, _STEPS, _RATE)
        return self.normalised(found)

    def get_config(self) -> dict:
        return super().get_config() | {"classes": self.classes}
