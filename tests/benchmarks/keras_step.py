"""The package's own training step, as `fit` calls it, and the figures it is measured by."""

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.nn import infogan
from kerasinterp.objectives import AugIntAE
from kerasinterp.ops.adam import Adam


class KerasStep:
    """One training step a call: the function that `fit` runs, on the batches of `dataset`, as `triplets` makes them."""

    def __init__(self, bfloat16: bool, jit_compile: bool, dataset: tf.data.Dataset):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16" if bfloat16 else "float32")
        try:
            self.model = AugIntAE(infogan.encoder(seed=1), infogan.decoder(seed=2), infogan.discriminator(seed=3))
        finally:
            keras.config.set_dtype_policy(before)
        self.model.compile(Adam(1e-3), jit_compile=jit_compile)
        self.model.make_train_function()
        self.feed(dataset)

    def feed(self, dataset: tf.data.Dataset) -> None:
        """Takes the batches from another dataset."""
        self._iterator = iter(dataset)

    def __call__(self) -> float:
        return float(self.model.train_function(self._iterator)["reconstruction"])


def operations(model: AugIntAE) -> int:
    """Floating-point operations of convolutions and matrix products in one training step, an image.

    Two encodings, one decoding, D(real) and D(fake); each weight's gradient once; gradients at the input of every layer
    but those that take given images; and the adversarial gradient, sent back through D to the decoded image. What this
    costs more because batch normalisation joins real and fake images is not counted: the step is not for it.
    """
    encoder, decoder, discriminator = (_products(n) for n in (model.encoder, model.decoder, model.discriminator))
    forward = 2 * sum(encoder) + sum(decoder) + 2 * sum(discriminator)
    autoencoder = 2 * (2 * sum(encoder) - encoder[0]) + 2 * sum(decoder) + sum(discriminator)
    return 2 * (forward + autoencoder + 2 * (2 * sum(discriminator) - discriminator[0]))


def _products(network: keras.Model) -> list[int]:
    """Multiplications of each layer with a kernel, an image."""
    products = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            positions = int(np.prod(layer.input.shape[1:3]))
        elif isinstance(layer, keras.layers.Conv2D):
            positions = int(np.prod(layer.output.shape[1:3]))
        elif isinstance(layer, keras.layers.Dense):
            positions = 1
        else:
            continue
        products.append(positions * int(np.prod(layer.kernel.shape)))
    return products
