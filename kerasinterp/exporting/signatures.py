"""Named functions of named tensors, and which of them a model's networks give."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf

from kerasinterp.exporting.image_files import from_files, to_files
from kerasinterp.exporting.networks import Networks


@dataclass(frozen=True)
class Signature:
    """`function` takes the tensors of `inputs` (name to shape) in order and returns the tensor named `output`.

    Tensors named `*_bytes` are strings, as TF Serving's REST interface wants it; the others float32.
    """

    function: Callable
    inputs: dict[str, tuple]
    output: str

    def add_to(self, archive: keras.export.ExportArchive, name: str) -> None:
        specification = [
            tf.TensorSpec(shape, tf.string if key.endswith("_bytes") else tf.float32, name=key)
            for key, shape in self.inputs.items()
        ]
        call = tf.function(lambda *tensors: {self.output: self.function(*tensors)}, specification, autograph=False)
        call.get_concrete_function()
        archive.add_endpoint(name, call)


def of_tensors(networks: Networks, batch: int | None = None) -> dict[str, Signature]:
    """`encode` of a model with an encoder, `decode` of one with a decoder."""
    images, latent = (batch, *networks.image_shape), (batch, *networks.latent_shape)
    found = {}
    if networks.encoder is not None:
        found["encode"] = Signature(networks.encode, {"images": images}, "latent")
    if networks.decoder is not None:
        found["decode"] = Signature(networks.decode, {"latent": latent}, "images")
    return found


def default(networks: Networks, batch: int | None = None) -> Signature:
    """`serving_default`: what a model with both networks does is to reconstruct; else the one that it has."""
    found = of_tensors(networks, batch)
    if len(found) == 2:
        return Signature(networks.reconstruct, found["encode"].inputs, "images")
    (only,) = found.values()
    return only


def of_images(networks: Networks) -> dict[str, Signature]:
    """Those of `of_tensors`, of two images where the model mixes latents, and the same of whole image files."""
    images, one = (None, *networks.image_shape), (None,)
    # Traced once for all signatures.
    read = tf.function(
        lambda files: from_files(files, networks.image_shape), [tf.TensorSpec(one, tf.string)], autograph=False
    )
    found = of_tensors(networks)
    if networks.encoder is not None:
        found["encode_image_bytes"] = Signature(
            lambda files: networks.encode(read(files)), {"image_bytes": one}, "latent"
        )
    if networks.mixing is not None:
        found["interpolate"] = Signature(
            networks.interpolate, {"image_a": images, "image_b": images, "alpha": one}, "images"
        )
        found["interpolate_image_bytes"] = Signature(
            lambda a, b, alpha: to_files(networks.interpolate(read(a), read(b), alpha)),
            {"image_a_bytes": one, "image_b_bytes": one, "alpha": one},
            "image_bytes",
        )
    return found | {"serving_default": default(networks)}


def of_latents(networks: Networks, batch: int | None) -> dict[str, Signature]:
    """Those of `of_tensors`, of two latents where the model mixes them, and of a decoder alone `serving_default`."""
    found = of_tensors(networks, batch)
    if networks.mixing is not None:
        latent = (batch, *networks.latent_shape)
        found["interpolate"] = Signature(
            networks.interpolate_latents, {"latent_a": latent, "latent_b": latent, "alpha": (batch,)}, "images"
        )
    if networks.encoder is None:
        found["serving_default"] = default(networks, batch)
    return found
