"""What exporting needs of an objective, with weights that spread the outputs as training does."""

import dataclasses
import importlib
import io
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from kerasinterp.nn import infogan
from kerasinterp.ops.mixing import Spherical

SHAPE = (28, 20, 1)  # not square: every height and width in its place
LATENT = 8


@dataclasses.dataclass
class TrainedModel:
    encoder: keras.Model
    decoder: keras.Model
    mixing: Callable = dataclasses.field(default_factory=Spherical)
    image_shape: tuple[int, ...] = SHAPE


class TrainedGenerator:
    """A model with nothing but a generator, as GANs are."""

    image_shape, latent_shape = SHAPE, (LATENT,)

    def __init__(self, generator: keras.Model):
        self.generator = generator

    def prior(self, count, seed):
        return tf.constant(np.random.default_rng(seed).normal(size=(count, LATENT)), tf.float32)

    def decode(self, latents, labels=None):
        return self.generator(latents, training=False)


def spread(*networks: keras.Model) -> None:
    random = np.random.default_rng(0)
    for network in networks:
        for weight in network.weights:
            fan_in = np.prod(weight.shape[:-1])
            if weight.name == "kernel":
                weight.assign(random.normal(scale=np.sqrt(2 / fan_in), size=weight.shape))
            elif weight.name in ("gamma", "moving_variance"):
                weight.assign(random.uniform(0.5, 1.5, weight.shape))
            else:
                weight.assign(random.normal(scale=0.1, size=weight.shape))


def trained(backbone: str = "infogan", shape: tuple = SHAPE, mixing=None, latent: int = LATENT) -> TrainedModel:
    module = importlib.import_module(f"kerasinterp.nn.{backbone}")
    encoder, decoder = (f(shape, latent, width=8, seed=seed) for seed, f in enumerate((module.encoder, module.decoder)))
    spread(encoder, decoder)
    return TrainedModel(encoder, decoder, mixing or Spherical(), shape)


def generator() -> TrainedGenerator:
    network = infogan.decoder(SHAPE, LATENT, width=8)
    spread(network)
    return TrainedGenerator(network)


def noise(seed: int, count: int = 5, shape: tuple = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype(np.float32)


def image_file(pixels: np.ndarray | Image.Image, form: str = "PNG", **options) -> bytes:
    image, file = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels), io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()
