"""A backbone: a file of this room and its settings, which builds whatever networks a system states.

Keras is imported when something is built, so that recipes are read without it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import kerasinterp.nn
from kerasinterp.errors import InputError, SizeError, suggest
from kerasinterp.nn.net import ORIENTATIONS, Net
from kerasinterp.typed import as_type, changed, check_fields

if TYPE_CHECKING:
    import keras

_OF_SETS = ("image_encoder", "statistic_network", "inference_network", "latent_decoder", "observation_decoder")
_HEADS = ("latent_head", "orientation_head")
_OF_ANY = ("latent_discriminator", "label_mixer", "latent_table", *_HEADS)  # built alike, whatever the backbone
_BUILDERS = ("encoder", "decoder", "discriminator", "critic", "projection_discriminator", "trunk", *_OF_SETS)
_USUAL = {"trunk": "resnet18"}  # of several files that build one, for backbones that build none (COLA C.1)
# What every builder is told; the rest of its parameters are the backbone's options.
_LARGEST, _DEEPEST = 2**16, 64  # ours: far above what any recipe has; more would fill the memory
_GIVEN = {
    "image_shape",
    "latent_size",
    "width",
    "seed",
    "name",
    "normalised",
    "batch_normalised",
    "classes",
    "channels",
    "outputs",
}


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
        module: a file of `kerasinterp.nn` with an `encoder`, a `decoder` and a `discriminator`: `infogan`, say. A kind
            of network that it does not build is built by the only file that does, if there is one, or the usual one.
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
        check_fields(self)
        for field in ("width", "latent_size"):
            if not 1 <= getattr(self, field) <= _LARGEST:
                raise InputError(f"{field} is 1 or more and at most {_LARGEST:,}, not {getattr(self, field)}.")

    def build(self, net: Net, name: str, seed: int, facts: Facts) -> keras.Model:
        """The network that a system calls `name`, of the kind that `net` states, with weights drawn from `seed`."""
        own = self._of(name)
        named = {"seed": seed, "name": name}
        part = _labels(net, facts) if net.class_part else 0
        match net.kind:
            case "latent_discriminator":
                shape = own.build(Net("encoder"), "encoder", 0, facts).output_shape[1:]
                return _module("mlp").latent_discriminator(shape, **named)
            case "label_mixer":
                return _module("mlp").label_mixer(_labels(net, facts), own.latent_size, **named)
            case "latent_table":
                return _module("latent_table").latent_table(facts.count, own.latent_size + part, **named)
            case "latent_head" | "orientation_head":
                given = self.build(Net("trunk"), "trunk", 0, facts).output_shape[-1]
                outputs = own.latent_size if net.kind == "latent_head" else ORIENTATIONS
                return _module("mlp").linear_head(given, outputs, **named)
        module, kind = own._home(net.kind)
        builder = getattr(_module(module), kind)
        takes = inspect.signature(builder).parameters
        *sides, channels = facts.image_shape
        if (len(facts.image_shape) == 1) != (module == "mlp"):
            kinds = ("images", "points")
            raise InputError(
                f"The backbone {module} is for {kinds[module == 'mlp']}, and the data are "
                f"{kinds[len(facts.image_shape) == 1]}: choose another backbone or dataset."
            )
        given = {
            "latent_size": own.latent_size * net.outputs * net.latents + part,
            "width": own.width,
            "normalised": facts.unit_latents and net.outputs == 1,
            "batch_normalised": net.batch_normalised,
            "channels": own.latent_size,  # of a critic that is built as the encoder
            "outputs": net.outputs,
        }
        if net.classes and "classes" not in takes:
            fitting = ", ".join(one for one in backbones() if "classes" in _options(_module(one), net.kind))
            raise InputError(f"The {name} also classifies: of the backbones {fitting} has such a one.")
        if net.classes or net.class_part or "labels" in net.takes:
            given["classes"] = _labels(net, facts)
        for option in self.networks.get(name, {}).get("options", {}):
            if option not in takes:
                raise InputError(f"The backbone's option {option!r} has no effect on the {name}: leave it out.")
        hints, options = typing.get_type_hints(builder), own.options if module == own.module else {}
        given |= {key: as_type(hints[key], value, key) for key, value in options.items() if key in takes}
        return builder(
            (*sides, channels * net.images), **named, **{key: value for key, value in given.items() if key in takes}
        )

    def check(self, nets: Mapping[str, Net], image_shape: tuple[int, ...]) -> None:
        """Finds out, before any image is read, whether it builds networks for images of that shape.

        Args:
            nets: a system's networks by name.

        Raises:
            SizeError: it cannot; with the nearest size that all of them can.
            InputError: as `build`.
        """
        small = dataclasses.replace(self, width=2, latent_size=2)  # the width has no say in it

        def try_size(shape: tuple[int, ...]) -> None:
            for name, net in nets.items():
                small.build(net, name, 0, Facts(shape, labels=2))

        try:
            try_size(image_shape)
        except SizeError as first:
            nearest = first.nearest
            with contextlib.suppress(InputError):
                while max(nearest) <= _LARGEST:
                    try:
                        try_size((*nearest, image_shape[-1]))
                        break
                    except SizeError as other:  # of a network that needs more: divisors are powers of two
                        nearest = SizeError(other.network, other.divisor, first.size).nearest
            raise SizeError(first.network, first.divisor, first.size, nearest) from None

    def _home(self, kind: str) -> tuple[str, str]:
        """The file that builds such a network, and what it calls it."""
        builders = self.builders()
        if kind == "critic" and kind not in builders:
            kind = "discriminator"
        others = [name for name in sorted((*backbones(), *decoders(), *encoders())) if hasattr(_module(name), kind)]
        if kind in builders or kind in _USUAL or len(others) == 1:
            return (self.module if kind in builders else _USUAL.get(kind, others[0])), kind
        raise InputError(f"The backbone {self.module} builds no {kind}: choose of {', '.join(others)}.")

    def unused(self, nets: Mapping[str, Net]) -> list[str]:
        """Its options that none of a system's networks takes: its file builds none of them that would."""
        used: set[str] = set()
        for name, net in nets.items():
            own = self._of(name)
            if own.module == self.module and net.kind not in _OF_ANY:
                module, kind = own._home(net.kind)
                used |= _options(_module(module), kind) if module == self.module else set()
        return sorted(set(self.options) - used)

    def builders(self) -> dict[str, Callable[..., keras.Model]]:
        """Its functions that build networks, by kind.

        Raises:
            InputError: no such backbone, or an option that none of them takes.
        """
        if self.module not in (known := backbones() + encoders() + decoders()):
            raise InputError(
                f"Unknown backbone {self.module!r}: choose of {', '.join(known)}.{suggest(self.module, known)}"
            )
        module = _module(self.module)
        known = set().union(*(_options(module, kind) for kind in _BUILDERS)) - _GIVEN
        for option in self.options:
            if option not in known:
                takes = f"it takes {', '.join(sorted(known))}" if known else "it has none"
                raise InputError(f"The backbone {self.module} has no option {option!r}: {takes}.")
            most = _LARGEST if option.endswith("_size") else _DEEPEST  # the others count layers
            if isinstance(self.options[option], int) and self.options[option] > most:
                raise InputError(f"{option} is at most {most:,}, not {self.options[option]}.")
        return {kind: getattr(module, kind) for kind in _BUILDERS if hasattr(module, kind)}

    def _of(self, name: str) -> Backbone:
        """The backbone of that network alone."""
        own: dict[str, Any] = dict(self.networks.get(name, {}))
        if "networks" in own:
            raise InputError(f"The backbone's settings for {name} have no 'networks': it is one network.")
        kept = {} if own.get("module", self.module) != self.module else self.options
        own["options"] = {**kept, **as_type(dict[str, Any], own.get("options", {}), "options")}
        return changed(self, own | {"networks": {}}, f"The backbone of {name}")


def backbones() -> tuple[str, ...]:
    """The names of all backbones: the files of this room that build an encoder and what decodes."""
    both = _having("encoder", "decoder") + _having("image_encoder", "observation_decoder")
    return tuple(sorted(both))


def encoders() -> tuple[str, ...]:
    """The names of the files that build an encoder or a trunk alone; what decodes, if a system has such, others do."""
    return tuple(sorted({*_having("encoder"), *_having("trunk")} - {*_having("decoder")}))


def decoders() -> tuple[str, ...]:
    """The names of the files that build a decoder alone, for a system that has no encoder or another one's."""
    return tuple(name for name in _having("decoder") if not hasattr(_module(name), "encoder"))


@functools.cache
def _having(*kinds: str) -> tuple[str, ...]:
    """The names of the files that build all these kinds."""
    names = (module.name for module in pkgutil.iter_modules(kerasinterp.nn.__path__))
    return tuple(name for name in names if all(hasattr(_module(name), kind) for kind in kinds))


def _module(name: str) -> Any:
    return importlib.import_module(f"kerasinterp.nn.{name}")


def _options(module: Any, kind: str) -> set[str]:
    return set(inspect.signature(getattr(module, kind)).parameters) if hasattr(module, kind) else set()


def _labels(net: Net, facts: Facts) -> int:
    if not facts.labels:
        raise InputError(f"A network of kind {net.kind} learns with labels or attributes, and the data have none.")
    return facts.labels
