"""What a system's network is: stated by the system, built by a backbone, checked against the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kerasinterp.errors import InputError

if TYPE_CHECKING:
    import keras

# What each kind of network takes and, last, gives. Two ends of one name have one shape; so have the members of sets.
KINDS = {
    "encoder": ("images", "latents"),
    "decoder": ("latents", "images"),
    "discriminator": ("images", "scores"),
    "critic": ("images", "scores"),
    "projection_discriminator": ("images", "labels", "scores"),
    "latent_discriminator": ("latents", "scores"),
    "label_mixer": ("labels", "features"),
    "latent_table": ("indices", "latents"),
    "trunk": ("images", "representations"),
    "latent_head": ("representations", "latents"),
    "orientation_head": ("representations", "orientations"),
    "image_encoder": ("images", "embeddings"),
    "statistic_network": ("sets_of_embeddings", "contexts"),
    "inference_network": ("embeddings", "contexts", "latents"),
    "latent_decoder": ("contexts", "latents"),
    "observation_decoder": ("latents", "contexts", "images"),
}
_SETS = "sets_of_"
ORIENTATIONS = 4  # that an image has by quarter turns (RotNet; Gidaris et al., 2018)


@dataclasses.dataclass(frozen=True)
class Net:
    """A network of a system.

    Attributes:
        kind: of `KINDS`; a network that a system does not describe is of the kind that it is called by.
        outputs: how many latents, or contexts, it gives, one behind the other (2: a mean and a log variance).
        images: how many images, channel behind channel, the network sees at once.
        latents: how many latents, one behind the other, a decoder takes at once.
        classes: a second output, the logits of the data's classes or attributes.
        class_part: of a decoder or a table: latents begin with one number for each of the data's classes.
        space: the name of the latents, where a system has several kinds of them.
        batch_normalised: of a critic or a decoder: it may normalise over the batch; false where what it gives is of
            each image, or latent, alone.

    Raises:
        InputError: there is no such kind.
    """

    kind: str
    outputs: int = 1
    images: int = 1
    latents: int = 1
    classes: bool = False
    class_part: bool = False
    space: str = "latents"
    batch_normalised: bool = True

    def __post_init__(self):
        if self.kind not in KINDS:
            raise InputError(f"There is no network of kind {self.kind!r}: choose of {', '.join(KINDS)}.")

    @property
    def takes(self) -> list[str]:
        return [self._named(end) for end in KINDS[self.kind][:-1]]

    @property
    def gives(self) -> str:
        return self._named(KINDS[self.kind][-1])

    def _named(self, end: str) -> str:
        return self.space if end == "latents" else end


def common_shapes(nets: Mapping[str, Net], networks: Mapping[str, keras.Model]) -> dict[str, tuple]:
    """The shapes, without the batch, of `images`, `latents` and whatever else the networks take and give.

    Networks that state no shapes (subclassed models) are taken as they are.

    Raises:
        InputError: two networks do not fit.
    """
    found: dict[str, tuple[str, tuple]] = {}  # of each end, who stated it first
    for name, net in nets.items():
        network = networks[name]
        if not getattr(network, "inputs", None):
            continue
        ends = [
            ("takes shape", *taken, net.images * net.latents) for taken in zip(net.takes, network.inputs, strict=False)
        ]
        ends.append((f"makes {net.gives} of shape", net.gives, network.outputs[0], net.outputs))
        for verb, end, tensor, times in ends:
            shape = tuple(tensor.shape[1:])
            if end.startswith(_SETS):
                end, shape = end.removeprefix(_SETS), shape[1:]
            if times > 1:
                if shape[-1] % times:
                    raise InputError(
                        f"The {name} {verb} {shape}: its last axis holds {times} {end}, a multiple of {times}."
                    )
                shape = (*shape[:-1], shape[-1] // times)
            if end == "scores":
                if shape and shape[-1] != 1:
                    raise InputError(f"The {name} gives {shape[-1]} scores an image: build it with one.")
                continue
            first, known = found.setdefault(end, (name, shape))
            if not fits(shape, known):
                raise InputError(
                    f"The {name} {verb} {shape}, where the {first} has {known}: build both with the same image_shape "
                    "and latent_size."
                )
    return {end: shape for end, (_, shape) in found.items()}


def fits(given: tuple, wanted: tuple) -> bool:
    """Whether the shapes are equal, None being any size."""
    return len(given) == len(wanted) and all(
        None in (one, other) or one == other for one, other in zip(given, wanted, strict=True)
    )
