"""Fixed networks whose features a perceptual loss compares (Johnson et al., 2016)."""

from collections.abc import Sequence

import keras

from kerasinterp.errors import InputError

_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's blue, green and red, which VGG's weights expect taken off


def vgg16(
    image_shape: tuple[int, int, int],
    layers: Sequence[str] = ("block2_conv2",),
    weights: str | None = "imagenet",
    name: str = "perceptual",
) -> keras.Model:
    """Images (B, H, W, 1 or 3) in [-1, 1] -> the features of VGG16 after some of its layers, a list if several.

    Args:
        image_shape: sides of 32 or more.
        layers: by Keras' names; Johnson et al. reconstruct features from the second block's last (relu2_2).
        weights: `imagenet` (fetched once by Keras), a file of them, or None for random ones.

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
    scaled = keras.layers.Rescaling(127.5, [127.5 - mean for mean in _MEANS], name="scaled")(colours)
    features = keras.Model(network.input, [network.get_layer(layer).output for layer in layers])
    found = features(scaled)
    found = found if len(layers) > 1 else found[0] if isinstance(found, list) else found
    model = keras.Model(images, found, name=name)
    model.trainable = False
    return model
