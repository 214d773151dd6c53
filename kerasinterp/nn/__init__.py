"""Functional network builders; images are NHWC float32 in [-1, 1], latents float32, vectors or maps."""

# Before any module of the package imports Keras: with that, the objectives are registered, which need these modules.
from kerasinterp import _keras  # noqa: F401
