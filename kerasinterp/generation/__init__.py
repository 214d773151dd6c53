"""New images from trained models: interpolation, few-shot generation, pictures and animations of them."""

from kerasinterp.generation.corners import bilinear, save_corners
from kerasinterp.generation.few_shot import few_shot, midpoints
from kerasinterp.generation.grid import save_few_shot, save_gif, save_grid, save_images, save_interpolations
from kerasinterp.generation.interpolate import interpolate, pixel_fade, reconstruct
from kerasinterp.generation.loading import load_model

__all__ = [
    "bilinear",
    "few_shot",
    "interpolate",
    "load_model",
    "midpoints",
    "pixel_fade",
    "reconstruct",
    "save_corners",
    "save_few_shot",
    "save_gif",
    "save_grid",
    "save_images",
    "save_interpolations",
]
