"""A backbone: a file of this room and its settings, which builds whatever networks a system states.

Keras is imported when something is built, so that recipes are read without it.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import kerasinterp.nn
from kerasinterp.errors import InputError, suggest
from kerasinterp.nn.net import Net

if TYPE_CHECKING:
    import keras

_BUILDERS = ("encoder", "decoder", "discriminator", "critic")
# What every builder is told; the rest of its parameters are the backbone's options.
_GIVEN = {"image_shape", "latent_size", "width", "seed", "name", "normalised", "classes", "channels"}


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the data tells of networks.

    Attributes:
        image_shape: (H, W, C), or (n,) for points.
        count: how many examples there are.
        labels: how many classes or attributes; 0 for none.
        unit_latents: latents are mixed on the unit sphere, so encoders that can normalise theirs do (AugIntAE A.1).
    """

    image_shape: tuple[int, ...]
    count: int = 1
    labels: int = 0
    unit_latents: bool = False


@dataclasses.dataclass(frozen=True)
class Backbone:
    """What builds the networks of a system.

    Attributes:
        module: a file of `kerasinterp.nn` with an `encoder`, a `decoder` and a `discriminator`: `infogan`, say.
        width: maps of its first layer.
        latent_size: features of a latent; channels, if latents are maps.
        options: further arguments of its builders by name, `{"scales": 3}`; each must be one that some of them takes.
        networks: by a network's name, what differs for it: `{"discriminator": {"module": "resnet"}}`.

    Raises:
        InputError: no such backbone or option (when it builds), or settings that are no sizes.
    """

    module: str = "infogan"
    width: int = 64
    latent_size: int = 32
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    networks: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        for field in ("width", "latent_size"):
            if not 1 <= getattr(self, field) < 2**31:
                raise InputError(f"{field} is 1 or more and below 2**31, not {getattr(self, field)}.")

    def build(self, net: Net, name: str, seed: int, facts: Facts) -> keras.Model:
        """The network that a system calls `name`, of the kind that `net` states, with weights drawn from `seed`."""
        own = self._of(name)
        named = {"seed": seed, "name": name}
        match net.kind:
            case "latent_discriminator":
                shape = own.build(Net("encoder"), "encoder", 0, facts).output_shape[1:]
                return _module("mlp").latent_discriminator(shape, **named)
            case "label_mixer":
                return _module("mlp").label_mixer(_labels(net, facts), own.latent_size, **named)
            case "latent_table":
                return _module("latent_table").latent_table(facts.count, own.latent_size, **named)
        builders = own.builders()
        builder = builders.get(net.kind) or builders["discriminator"]  # a critic is one, where there is no other
        takes = inspect.signature(builder).parameters
        *sides, channels = facts.image_shape
        if (len(facts.image_shape) == 1) != (own.module == "mlp"):
            kinds = ("images", "points")
            raise InputError(
                f"The backbone {own.module} is for {kinds[own.module == 'mlp']}, and the data are "
                f"{kinds[len(facts.image_shape) == 1]}: choose another backbone or dataset."
            )
        given = {
            "latent_size": own.latent_size * net.outputs,
            "width": own.width,
            "normalised": facts.unit_latents and net.outputs == 1,
            "channels": own.latent_size,  # of a critic that is built as the encoder
        }
        if net.classes:
            if "classes" not in takes:
                fitting = ", ".join(one for one in backbones() if "classes" in _options(_module(one), net.kind))
                raise InputError(f"The {name} also classifies: of the backbones {fitting} has such a one.")
            given["classes"] = _labels(net, facts)
        given |= own.options
        return builder(
            (*sides, channels * net.images), **named, **{key: value for key, value in given.items() if key in takes}
        )

    def builders(self) -> dict[str, Callable[..., keras.Model]]:
        """Its functions that build networks, by kind.

        Raises:
            InputError: no such backbone, or an option that none of them takes.
        """
        if self.module not in backbones():
            raise InputError(
                f"Unknown backbone {self.module!r}: choose of {', '.join(backbones())}."
                f"{suggest(self.module, backbones())}"
            )
        module = _module(self.module)
        known = set().union(*(_options(module, kind) for kind in _BUILDERS)) - _GIVEN
        for option in self.options:
            if option not in known:
                takes = f"it takes {', '.join(sorted(known))}" if known else "it has none"
                raise InputError(f"The backbone {self.module} has no option {option!r}: {takes}.")
        return {kind: getattr(module, kind) for kind in _BUILDERS if hasattr(module, kind)}

    def _of(self, name: str) -> Backbone:
        """The backbone of that network alone."""
        own: Mapping[str, Any] = self.networks.get(name, {})
        unknown = set(own) - {field.name for field in dataclasses.fields(self)}
        if unknown:
            raise InputError(f"The backbone's settings for {name} have no {unknown.pop()!r}.")
        options = {} if own.get("module", self.module) != self.module else self.options
        options = {**options, **own.get("options", {})}
        return dataclasses.replace(self, **dict(own) | {"options": options, "networks": {}})


@functools.cache
def backbones() -> tuple[str, ...]:
    """The names of all backbones: the files of this room that build an encoder and a decoder."""
    names = (module.name for module in pkgutil.iter_modules(kerasinterp.nn.__path__))
    return tuple(name for name in names if {"encoder", "decoder"} <= set(vars(_module(name))))


def _module(name: str) -> Any:
    return importlib.import_module(f"kerasinterp.nn.{name}")


def _options(module: Any, kind: str) -> set[str]:
    return set(inspect.signature(getattr(module, kind)).parameters) if hasattr(module, kind) else set()


def _labels(net: Net, facts: Facts) -> int:
    if not facts.labels:
        raise InputError(f"A network of kind {net.kind} learns with labels or attributes, and the data have none.")
    return facts.labels
