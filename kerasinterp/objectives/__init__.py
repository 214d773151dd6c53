"""The papers' systems, one short file each: what is computed, and which player minimises what."""

# Imported for their registration: a saved objective holds such layers and optimizers.
from kerasinterp.nn import batch_normalization as _batch_normalization  # noqa: F401
from kerasinterp.nn import convolution as _convolution  # noqa: F401
from kerasinterp.nn import leaky_relu as _leaky_relu  # noqa: F401
from kerasinterp.objectives.ae import AE
from kerasinterp.objectives.augintae import AugIntAE
from kerasinterp.objectives.intae import IntAE
from kerasinterp.objectives.objective import Balance, Objective, Player
from kerasinterp.objectives.plain_ae import PlainAE
from kerasinterp.ops import adam as _adam  # noqa: F401

OBJECTIVES = {cls.__name__: cls for cls in (PlainAE, AE, IntAE, AugIntAE)}

__all__ = ["AE", "OBJECTIVES", "AugIntAE", "Balance", "IntAE", "Objective", "PlainAE", "Player"]
