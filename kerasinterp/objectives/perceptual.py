"""Systems whose reconstructions may be compared by the features of a fixed network."""

from typing import Any

import keras

from kerasinterp.errors import InputError
from kerasinterp.nn.net import fits
from kerasinterp.objectives.objective import Objective


class Perceptual(Objective):
    """An objective with a fixed network beside its players': nobody trains it, and it is saved with the model.

    Args:
        perceptual: images (B, H, W, C) in [-1, 1] -> features, one tensor or several, such as `nn.perceptual` has.
        others: as `Objective`.

    Raises:
        InputError: as `Objective`; a network of images of another shape.
    """

    def __init__(self, *, perceptual: keras.Model | None = None, **others: Any):
        super().__init__(**others)
        self.perceptual = perceptual
        if perceptual is not None:
            if getattr(perceptual, "inputs", None) and not fits(perceptual.inputs[0].shape[1:], self.image_shape):
                raise InputError(
                    f"The perceptual network takes shape {tuple(perceptual.inputs[0].shape[1:])}, and images are "
                    f"{self.image_shape}: build it with the same image_shape."
                )
            perceptual.trainable = False

    def get_config(self) -> dict:
        return super().get_config() | {"perceptual": keras.saving.serialize_keras_object(self.perceptual)}
