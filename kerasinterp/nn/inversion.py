"""The encoder that inverts a generator of large images (AugIntAE A.2, table 4; there for a PGAN of 512 x 512).

It has no decoder: a recipe names it for the encoder alone, as in
`Backbone("dcgan", networks={"encoder": {"module": "inversion", "width": 32}})`.
"""

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.convolution import Conv2D
from kerasinterp.nn.layers import Weights

_LAYERS = 6  # table 4


def encoder(
    image_shape: tuple[int, int, int] = (512, 512, 3),
    latent_size: int = 512,
    width: int = 32,
    seed: int = 0,
    name: str = "encoder",
    normalised: bool = True,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> latents (B, latent_size), L2-normalised unless `normalised` is false.

    Six convolutions, each of twice the maps of the one before (32 to 1,024 in the paper), with batch normalisation and
    ELU, and a dense layer.

    Raises:
        SizeError: sides that are not divisible by 64.
    """
    layers.check_image_shape(image_shape, 2**_LAYERS, "The inversion network")
    weights = Weights(seed)
    x = images = keras.Input(tuple(image_shape), name="images")
    for number in range(1, _LAYERS + 1):
        maps = width * 2 ** (number - 1)
        x = Conv2D(maps, 4, 2, "same", use_bias=False, kernel_initializer=weights(), name=f"convolution_{number}")(x)
        x = layers.normalised(x, "elu", number)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, layers.head(x, latent_size, weights, "latent" if normalised else "code"), name=name)
