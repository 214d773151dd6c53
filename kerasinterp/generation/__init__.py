"""New images from trained models: codes and images of them, interpolation, few-shot generation, pictures for people."""

from kerasinterp.generation.augmentation import augment
from kerasinterp.generation.classes import codes_of, transfer
from kerasinterp.generation.codes import decode, encode, mix
from kerasinterp.generation.inversion import first_codes, refine
from kerasinterp.generation.loading import load_generator, load_model
from kerasinterp.generation.paths import bilinear, interpolate, pixel_fade, reconstruct
from kerasinterp.generation.pictures import (
    save_corners,
    save_few_shot,
    save_gif,
    save_grid,
    save_images,
    save_interpolations,
)
from kerasinterp.generation.samples import few_shot, midpoints, sample

__all__ = [
    "augment",
    "bilinear",
    "codes_of",
    "decode",
    "encode",
    "few_shot",
    "first_codes",
    "interpolate",
    "load_generator",
    "load_model",
    "midpoints",
    "mix",
    "pixel_fade",
    "reconstruct",
    "refine",
    "sample",
    "save_corners",
    "save_few_shot",
    "save_gif",
    "save_grid",
    "save_images",
    "save_interpolations",
    "transfer",
]
