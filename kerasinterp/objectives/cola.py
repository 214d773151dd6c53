"""Clustered optimisation of the latent space, of images without labels."""

import keras
import tensorflow as tf

from kerasinterp.data.examples import Examples
from kerasinterp.errors import InputError
from kerasinterp.objectives.scola import SCOLA


@keras.saving.register_keras_serializable("kerasinterp")
class COLA(SCOLA):
    """As `SCOLA`, but codes begin with the targets of clusters that were found without labels (COLA 3.1, 3.2).

        z_i = (t_i, v_i) in R^(K+d),  t_i the target that `MMDC` has given to the image

    `take_over` takes them from a trained model (a recipe's `after`), of the same images in the same order.
    """

    follows = True
    needs_classes = False

    def begin(self, examples: Examples) -> None:
        self._begin(examples, self.latents[:, : self.classes], self.clusters)

    def take_over(self, earlier: keras.Model) -> None:
        kind, targets = type(earlier).__name__, getattr(earlier, "targets", None)
        if targets is None:
            raise InputError(f"{kind} has no targets of images to begin with: name a run of MMDC by `after`.")
        (count, classes), own = targets.shape, self.latents.shape[0]
        if (count, classes, earlier.image_shape) != (own, self.classes, self.image_shape):
            raise InputError(
                f"{kind} has {classes} clusters of {count} images {earlier.image_shape}, and COLA {self.classes} of "
                f"{own} {self.image_shape}: give both the same images, and COLA as many classes."
            )
        targets = tf.convert_to_tensor(targets)
        self.latents.assign(self.normalised(tf.concat([targets, self.latents[:, classes:]], -1)))
        self.clusters.assign(tf.argmax(targets, -1, tf.int32))
