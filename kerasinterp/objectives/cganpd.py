"""The conditional GAN with a projection discriminator."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
from kerasinterp.objectives.batch import one_hot
from kerasinterp.objectives.generator import Generator
from kerasinterp.objectives.player import Player
from kerasinterp.ops import diff_augment, losses


@keras.saving.register_keras_serializable("kerasinterp")
class CGANPD(Generator):
    """A generator of images of given classes, judged together with them (Miyato and Koyama, 2018): COLA's rival.

        fake = G(t, v),  t a one-hot class, all as often,  v ~ N(0, 1)
        discriminator: max(0, 1 - D(x, y)) + max(0, 1 + D(fake, t));  generator: -D(fake, t)

    A step's batch is cut into five slices: the discriminator acts on each, the generator on the last, on the images
    that the discriminator sees there. With an augmentation T both see T(x) and T(fake), each image under draws of its
    own (Zhao et al., 2020). Trains on labelled images: the batches of `kerasinterp.data.batches` of labelled examples.

    Differs from the original in: the generator steps on the latents of the last slice, in place of new ones, so that a
    step has no second forward pass.

    Args:
        augmentation: of `color`, `translation` and `cutout`; all three are DiffAugment's for small samples.
        discriminator: images (B, H, W, C) in [-1, 1] and one-hot classes (B, K) -> scores (B, 1).
        generator: codes (B, K + d), the class first -> images.
    """

    players = (
        Player("discriminator", networks=("discriminator",), terms=("real", "fake")),
        Player("generator", networks=("generator",), terms=("fooling",), every=5),
    )
    networks = {"discriminator": Net("projection_discriminator"), "generator": Net("decoder", class_part=True)}
    reads_labels = True
    needs_classes = True

    def __init__(self, *, augmentation: tuple[str, ...] = (), **others: Any):
        super().__init__(**others)
        self.augmentation = (augmentation,) if isinstance(augmentation, str) else tuple(augmentation)
        diff_augment.check(self.augmentation)
        self.classes, size = self.shapes["labels"][0], self.latent_shape[0]
        if self.classes >= size:
            raise InputError(
                f"Codes of {size} numbers have at least one beside those of {self.classes} classes: add some."
            )

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        real, classes = batch["c"], one_hot(batch.get("labels"), self.classes, type(self).__name__)
        count = tf.shape(real)[0]
        drawn = tf.one_hot(tf.cast(self.classes * self.uniform(count), tf.int32), self.classes, dtype=classes.dtype)
        noise = self.normal(count, self.latent_shape[0] - self.classes)
        fake = self.generator(tf.concat([drawn, noise], -1), training=training)
        if self.augmentation:
            draws = self.uniform(count, 2, diff_augment.drawn(self.augmentation))
            real, fake = (
                diff_augment.augmented(images, self.augmentation, draws[:, number])
                for number, images in enumerate((real, fake))
            )
        both = tf.concat([real, fake], 0), tf.concat([classes, drawn], 0)
        of_real, of_fake = tf.split(self.discriminator(both, training=training), 2)
        return {
            "real": losses.hinge(of_real, 1.0),
            "fake": losses.hinge(of_fake, -1.0),
            "fooling": tf.reshape(-of_fake, [-1]),
        }

    def prior(self, count: int, seed: int = 0, spread: float = 1.0) -> tf.Tensor:
        """`count` codes, the classes in turn; `spread` as in `prior_of`."""
        return self.prior_of(np.arange(count) % self.classes, seed, spread)

    def prior_of(self, classes: np.ndarray, seed: int = 0, spread: float = 1.0) -> tf.Tensor:
        """A code for each of some classes, float32 (n, K + d).

        Args:
            classes: integers (n,).
            spread: what the noise is multiplied by.

        Raises:
            InputError: a class that there is not.
        """
        classes = np.asarray(classes)
        if unknown := [one for one in np.unique(classes) if not 0 <= one < self.classes]:
            raise InputError(f"The model knows no image of class {unknown[0]}: its classes are below {self.classes}.")
        size = (len(classes), self.latent_shape[0] - self.classes)
        noise = spread * np.random.default_rng(seed).standard_normal(size, np.float32)
        return tf.concat([np.eye(self.classes, dtype=np.float32)[classes], noise.astype(np.float32)], -1)

    def get_config(self) -> dict:
        return super().get_config() | {"augmentation": list(self.augmentation)}
