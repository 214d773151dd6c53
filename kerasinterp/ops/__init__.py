"""Pure tensor functions: mixing, losses, gradient balancing, geometry and colour."""

# Before any module of the package imports Keras: with that, the objectives are registered, which need these modules.
from kerasinterp import _keras  # noqa: F401
