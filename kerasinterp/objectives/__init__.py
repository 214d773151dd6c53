"""The papers' systems, one short file each: what is computed, and which player minimises what."""

import importlib
import pkgutil

# Imported for their registration: a saved objective holds such layers and optimizers.
from kerasinterp.nn import (  # noqa: F401
    batch_normalization,
    conditional_batch_normalization,
    convolution,
    dense,
    exact_batch_normalization,
    instance_normalization,
    latent_table,
    leaky_relu,
    spectral_convolution,
    sub_pixel,
)
from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.balanced import BalancedAutoencoder
from kerasinterp.objectives.generator import Generator
from kerasinterp.objectives.objective import Objective
from kerasinterp.objectives.perceptual import Perceptual
from kerasinterp.objectives.player import Player
from kerasinterp.objectives.wasserstein import Wasserstein
from kerasinterp.ops import adam as _adam  # noqa: F401
from kerasinterp.ops import sgd as _sgd  # noqa: F401


def _systems() -> dict[str, type[Objective]]:
    """Every objective in this folder, by its class's name: a new file is all that a new system needs."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found, bases = [Objective], {Objective, Autoencoder, BalancedAutoencoder, Generator, Perceptual, Wasserstein}
    for cls in found:
        found += [sub for sub in cls.__subclasses__() if sub.__module__.startswith(__name__) and sub not in found]
    return {cls.__name__: cls for cls in sorted(set(found) - bases, key=lambda cls: cls.__name__)}


OBJECTIVES = _systems()
globals().update(OBJECTIVES)

__all__ = ["OBJECTIVES", "Autoencoder", "Generator", "Objective", "Player", *OBJECTIVES]
