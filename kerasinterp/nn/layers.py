"""The few blocks that every backbone is made of.

Every layer has a name of its own choosing: Keras would number them by what was built before in the process, and
TensorFlow's graph optimizer fuses operations by their names, so the same seed would not give the same bytes.
"""

import math
from collections.abc import Iterator

import keras

from kerasinterp.errors import InputError, SizeError
from kerasinterp.nn.batch_normalization import BatchNormalization
from kerasinterp.nn.exact_batch_normalization import ExactBatchNormalization
from kerasinterp.nn.leaky_relu import LeakyReLU

# Both GAN papers draw weights from N(0, 0.02) (DCGAN section 4; openai/InfoGAN).
_INITIAL_DEVIATION = 0.02


class Weights:
    """Draws a different, reproducible initialiser for each layer of one network.

    Args:
        scale: the variance of a weight is `scale` / fan_in; without it the deviation is the GANs' 0.02.
        mode: what `scale` is divided by: `fan_in`, or `fan_avg`, the mean of fan_in and fan_out.
        distribution: `untruncated_normal`, or `uniform`.
    """

    def __init__(
        self, seed: int, scale: float | None = None, mode: str = "fan_in", distribution: str = "untruncated_normal"
    ):
        self._seed = seed
        self._scale = scale
        self._mode = mode
        self._distribution = distribution
        self._count = 0

    def __call__(self, gain: float = 1.0) -> keras.initializers.Initializer:
        """One layer's; `gain` multiplies `scale`."""
        self._count += 1
        seed = 1000 * self._seed + self._count
        if self._scale is None:
            return keras.initializers.RandomNormal(stddev=_INITIAL_DEVIATION, seed=seed)
        return keras.initializers.VarianceScaling(gain * self._scale, self._mode, self._distribution, seed=seed)


def normalised(x: keras.KerasTensor, activation: str, number: int | str, fused: bool = True) -> keras.KerasTensor:
    """`batch_normalised`, then `activated`."""
    return activated(batch_normalised(x, number, fused), activation, number)


def batch_normalised(x: keras.KerasTensor, number: int | str, fused: bool = True) -> keras.KerasTensor:
    """Batch normalisation; momentum and epsilon are PyTorch's, which AugIntAE used.

    `fused` is quicker, but the gradient of a Jacobian-vector product through it is wrong (`ExactBatchNormalization`).
    """
    layer = BatchNormalization if fused else ExactBatchNormalization
    return layer(momentum=0.9, epsilon=1e-5, name=f"normalisation_{number}")(x)


def activated(x: keras.KerasTensor, activation: str, number: int | str) -> keras.KerasTensor:
    """`relu`, `elu`, or `leaky_relu` with slope 0.2 (google/compare_gan; 0.01 in openai/InfoGAN)."""
    name = f"{activation}_{number}"
    plain = {"relu": keras.layers.ReLU, "elu": keras.layers.ELU}
    return plain[activation](name=name)(x) if activation in plain else LeakyReLU(0.2, name=name)(x)


def head(x: keras.KerasTensor, units: int, weights: Weights, kind: str) -> keras.KerasTensor:
    """The last dense layer, in float32: kind `latent` (L2-normalised), `probability` (softmax), or any linear."""
    x = keras.layers.Dense(units, kernel_initializer=weights(), name="output")(x)
    if kind == "latent":
        return keras.layers.UnitNormalization(dtype="float32", name="latent")(x)
    return keras.layers.Activation("softmax" if kind == "probability" else "linear", dtype="float32", name=kind)(x)


def code(x: keras.KerasTensor) -> keras.KerasTensor:
    """The latents as they are, in float32."""
    return keras.layers.Activation("linear", dtype="float32", name="code")(x)


def image(x: keras.KerasTensor, activation: str = "tanh") -> keras.KerasTensor:
    """The decoded image, in float32: tanh into [-1, 1], or another activation."""
    return keras.layers.Activation(activation, dtype="float32", name="image")(x)


def scales_to_4x4(image_shape: tuple[int, int, int]) -> int:
    """How many halvings bring the shorter side nearest to 4 pixels, at least one (official acai.py)."""
    return max(1, round(math.log2(max(1, min(image_shape[:2])) / 4)))


def check_image_shape(image_shape: tuple[int, int, int], divisor: int, network: str) -> tuple[int, int, int]:
    """Returns `image_shape` as integers.

    Raises:
        SizeError: if the size is not divisible by `divisor`.
        InputError: if the channels are neither those of one image, grey or in colour, nor of two behind each other.
    """
    height, width, channels = (int(n) for n in image_shape)
    if height % divisor or width % divisor or height < divisor or width < divisor:
        raise SizeError(network, divisor, (height, width))
    if channels not in (1, 3, 2, 6):
        raise InputError(f"{network} takes grey (1) or colour (3) images, got {channels} channels.")
    return height, width, channels


def layers_of(network: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a network, and of the networks in it."""
    for layer in network.layers:
        yield from layers_of(layer) if isinstance(layer, keras.Model) else (layer,)
