"""Export as a SavedModel."""

import os
from pathlib import Path

import keras

from kerasinterp.errors import InputError
from kerasinterp.exporting import signatures
from kerasinterp.exporting.networks import Networks
from kerasinterp.exporting.signatures import Signature
from kerasinterp.exporting.writing import new_path, written_whole


def export_saved_model(model: keras.Model, path: str | os.PathLike) -> Path:
    """Writes a SavedModel whose signatures hold the weights once, in float32.

    Images are float32 (B, H, W, C) in [-1, 1]; latents float32 (B, *latent_shape); alpha float32 (B,), the weight of
    the second image; `*_bytes` are strings (B,), whole image files. Signatures, inputs -> output:

    - `encode`: images -> latent
    - `decode`: latent -> images
    - `interpolate`: image_a, image_b, alpha -> images
    - `encode_image_bytes`: image_bytes -> latent
    - `interpolate_image_bytes`: image_a_bytes, image_b_bytes, alpha -> image_bytes (PNG)
    - `serving_default`: images -> images (the reconstruction)

    A model without an encoder, a generator, has `decode`, and `serving_default` that does the same: latent -> images.

    Image files are PNG or JPEG of any size, read as the command line reads them (`exporting.image_files`): upright,
    transparency on white, cropped about the centre to the model's shape and resized. They are not inverted.

    Args:
        model: a trained objective; mixed precision is rebuilt in float32 first.
        path: the folder to make.

    Returns:
        The path written.

    Raises:
        InputError: if `path` exists or cannot be a path, or `model` has nothing to export.
        OSError: if the disk is full or cannot be written to; nothing is left at `path`.
    """
    path = new_path(path)
    archive = traced(of_model(Networks.of(model)))
    with written_whole(path) as staged:
        archive.write_out(str(staged), verbose=False)
    return path


def of_model(networks: Networks) -> dict[str, Signature]:
    """A SavedModel's signatures.

    Raises:
        InputError: for a model of points.
    """
    if len(networks.image_shape) != 3:
        raise InputError("A model of points takes no image files, which a SavedModel offers: export it as tflite.")
    return signatures.of_images(networks)


def traced(endpoints: dict[str, Signature]) -> keras.export.ExportArchive:
    """The signatures' graphs, ready to be written."""
    # Neither `archive.track` nor `model.export`: both store every weight twice (keras issue 23553).
    archive = keras.export.ExportArchive()
    for name, endpoint in endpoints.items():
        endpoint.add_to(archive, name)
    return archive
