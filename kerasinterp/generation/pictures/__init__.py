"""Pictures for people, of images and of what models make of them."""

from kerasinterp.generation.pictures.corners import save_corners
from kerasinterp.generation.pictures.gif import save_gif
from kerasinterp.generation.pictures.grid import save_few_shot, save_grid, save_interpolations
from kerasinterp.generation.pictures.images import save_images
from kerasinterp.generation.pictures.sheet import most_images

__all__ = [
    "most_images",
    "save_corners",
    "save_few_shot",
    "save_gif",
    "save_grid",
    "save_images",
    "save_interpolations",
]
