"""Fixed networks whose features a perceptual loss compares (Johnson et al., 2016; COLA section 5.3.1)."""

import dataclasses
import math
import os
import pathlib
import warnings
from collections.abc import Sequence

import keras
import numpy as np
import scipy.cluster.vq
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn import cifar_resnet
from kerasinterp.nn.batch_normalization import BatchNormalization
from kerasinterp.typed import check_fields

_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's blue, green and red, which VGG's weights expect taken off
# yedidh/glann; of images of 32 pixels the first three, of 64 four.
_DEPTHS = ("block1_conv2", "block2_conv2", "block3_conv2", "block4_conv3", "block5_conv3")
_NETWORKS = ("vgg16", "resnet32")
_PATCHES = 4000  # of a layer, that its weights are the clusters of: ours, for time
FITTED = 2**16  # pixels of the images that a network is fitted on (64 of 32 x 32): ours, for memory
_FLAT = 1e-3  # of the liveliest patch's length


@dataclasses.dataclass(frozen=True)
class FixedNetwork:
    """A fixed network as a recipe names it.

    Attributes:
        network: `vgg16`, whose layers are compared before their ReLU, deeper ones of larger images (yedidh/glann), or
            `resnet32`.
        weights: of `vgg16` `imagenet`, or a file of them; of `resnet32` `random`, `k-means`, `trained` on the classes
            that are learned from, or the file of a classifier.
    """

    network: str
    weights: str

    def __post_init__(self):
        check_fields(self)
        if self.network not in _NETWORKS:
            raise InputError(f"A fixed network is {' or '.join(_NETWORKS)}, not {self.network!r}.")

    def build(
        self,
        image_shape: tuple[int, int, int],
        images: np.ndarray | None = None,
        trained: keras.Model | None = None,
        seed: int = 0,
    ) -> keras.Model:
        """The network; `trained` is the classifier where weights are `trained`, other arguments as of `resnet32`."""
        if len(image_shape) != 3:
            raise InputError("A perceptual network sees images, and these are points: leave it out.")
        if self.network == "resnet32":
            return resnet32(image_shape, trained or self.weights, images, seed)
        depth = round(math.log2(min(image_shape[:2]))) - 2
        return vgg16(image_shape, _DEPTHS[: max(1, depth)], self.weights, before_relu=True)


def resnet32(
    image_shape: tuple[int, int, int],
    weights: str | os.PathLike | keras.Model = "random",
    images: np.ndarray | None = None,
    seed: int = 0,
    name: str = "perceptual",
) -> keras.Model:
    """Images (B, H, W, C) in [-1, 1] -> ResNet-32's features after the stem and each of three stages, a list of four.

    Args:
        weights: `random`; `k-means`, from the stem on the normalised centres of each layer's normalised input patches
            (Coates and Ng, 2012; Kraehenbuehl et al., 2016, without whitening); a classifier
            (`cifar_resnet.classifier`, depth 32), or a file of one.
        images: float32 (N, H, W, C) in [-1, 1], whose patches are clustered, and whose statistics batch normalisation
            takes, as if in training; some dozens are enough (`FITTED`). Random weights without images normalise
            nothing.
        seed: of weights and patches.

    Raises:
        InputError: k-means without images, or another network than ResNet-32.
    """
    if not isinstance(weights, keras.Model) and str(weights) not in ("random", "k-means"):
        weights = _classifier(pathlib.Path(weights))
    if isinstance(weights, keras.Model):
        network = _of_classifier(weights, image_shape, name)
    else:
        if weights == "k-means" and images is None:
            raise InputError("k-means clusters patches of images: give some.")
        network = cifar_resnet.stages(image_shape, seed=seed, name=name)
        if images is not None:
            _fit(network, images, weights == "k-means", seed)
    network.trainable = False
    return network


def _classifier(path: pathlib.Path) -> keras.Model:
    if not path.is_file():
        raise InputError(f"There is no file {path}: weights are random, k-means, or the file of a classifier.")
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # a damaged file raises anything from KeyError to BadZipFile
        raise InputError(f"{path} cannot be read as a model ({str(error)[:80]}).") from error


def _of_classifier(classifier: keras.Model, image_shape: tuple[int, int, int], name: str) -> keras.Model:
    try:
        width = classifier.get_layer("stem_convolution").filters
        network = cifar_resnet.stages(image_shape, width, name=name)
        for layer in network.layers:
            layer.set_weights(classifier.get_layer(layer.name).get_weights())
    except (ValueError, AttributeError) as error:
        raise InputError(
            f"The classifier is no ResNet-32 for {image_shape[2]} channels: make it by "
            "nn.cifar_resnet.classifier(depth=32)."
        ) from error
    return network


def _fit(network: keras.Model, images: np.ndarray, clustered: bool, seed: int) -> None:
    """Gives each layer in turn its weights and statistics, by what the layers before make of the images."""
    random, values = np.random.default_rng([seed, 33]), {id(network.inputs[0]): tf.constant(images, tf.float32)}
    for layer in network.layers[1:]:
        given = [values[id(one)] for one in tf.nest.flatten(layer.input)]
        if clustered and isinstance(layer, keras.layers.Conv2D):
            _cluster(layer, given[0], random)
        if isinstance(layer, BatchNormalization):
            mean, variance = tf.nn.moments(given[0], axes=[0, 1, 2])
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(variance)
        values[id(layer.output)] = layer(given if len(given) > 1 else given[0], training=False)


def _cluster(layer: keras.layers.Conv2D, given: tf.Tensor, random: np.random.Generator) -> None:
    """Makes a convolution's maps of its input's patches' clusters; of too few that differ it stays as it was drawn."""
    sides, strides = [1, *layer.kernel_size, 1], [1, *layer.strides, 1]
    patches = tf.image.extract_patches(given, sides, strides, [1, 1, 1, 1], "SAME").numpy()
    patches = patches.reshape(-1, patches.shape[-1])
    patches = patches[random.permutation(len(patches))[:_PATCHES]]
    patches -= patches.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(patches, axis=1, keepdims=True)
    lively = lengths[:, 0] > _FLAT * lengths.max()
    if lively.sum() < layer.filters:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cluster that runs empty keeps its centre, which is a patch
        centres, _ = scipy.cluster.vq.kmeans2(
            patches[lively] / lengths[lively], layer.filters, minit="points", seed=random
        )
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    layer.set_weights([centres.T.reshape(layer.kernel.shape)])


def vgg16(
    image_shape: tuple[int, int, int],
    layers: Sequence[str] = ("block2_conv2",),
    weights: str | None = "imagenet",
    name: str = "perceptual",
    before_relu: bool = False,
) -> keras.Model:
    """Images (B, H, W, 1 or 3) in [-1, 1] -> the features of VGG16 after some of its layers, a list if several.

    Args:
        image_shape: sides of 32 or more.
        layers: by Keras' names; Johnson et al. reconstruct features from the second block's last (relu2_2).
        weights: `imagenet` (fetched once by Keras), a file of them, or None for random ones.
        before_relu: the features are the layers' before their activation (yedidh/glann).

    Raises:
        InputError: no such layer, small images, or weights that cannot be had.
    """
    if min(image_shape[:2]) < 32 or image_shape[2] not in (1, 3):
        raise InputError(f"VGG16 takes grey or colour images of 32 x 32 or more, not {tuple(image_shape)}.")
    try:
        network = keras.applications.VGG16(include_top=False, weights=weights, input_shape=(*image_shape[:2], 3))
    except Exception as error:  # whatever network and disk raise
        raise InputError(
            f"VGG16's weights cannot be had ({str(error)[:80]}): pass a file of them as weights."
        ) from error
    known = [layer.name for layer in network.layers if "conv" in layer.name]
    if not layers or set(layers) - set(known):
        raise InputError(f"layers are of {', '.join(known)}, not {', '.join(layers) or 'none'}.")
    images = keras.Input(tuple(image_shape), name="images")
    colours = keras.layers.Concatenate(name="grey")([images] * 3) if image_shape[2] == 1 else images[..., ::-1]
    x = keras.layers.Rescaling(127.5, [127.5 - mean for mean in _MEANS], name="scaled")(colours)
    found: dict[str, keras.KerasTensor] = {}
    for layer in network.layers[1:]:
        if before_relu and layer.name in layers:
            layer.activation = keras.activations.linear
            found[layer.name] = layer(x)
            x = keras.layers.ReLU(name=f"{layer.name}_relu")(found[layer.name])
        else:
            x = layer(x)
            found[layer.name] = x
        if set(layers) <= set(found):
            break
    model = keras.Model(images, [found[one] for one in layers] if len(layers) > 1 else found[layers[0]], name=name)
    model.trainable = False
    return model
