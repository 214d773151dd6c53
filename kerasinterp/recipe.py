"""A recipe: everything that decides a training run, frozen and written down with its sources."""

import dataclasses
import importlib
import json
import pathlib
import pkgutil
from collections.abc import Mapping

from kerasinterp.errors import InputError, suggest

_BACKBONES = ("infogan", "dcgan", "acai", "vgg", "resnet", "mlp")
_MIXINGS = ("", "linear", "spherical", "per_feature", "bernoulli", "dirichlet")
_SCALED = ("acai", "resnet")  # backbones that take `scales`
_PRECISIONS = ("float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One training run and the few-shot domain that judges it.

    Attributes:
        name: the folder under `recipes/`.
        summary: one line for `kerasinterp list`.
        source, source_split: the unlabelled training images: a dataset's name or a folder, and a TFDS split.
        source_options: further arguments of `kerasinterp.data.images`, such as `{"where": {"object_id": "obj1"}}`.
        source_share: a random share of the images to train on, drawn by `seed` (AEAI 2.3: 0.8).
        attributes: if the system learns with them, the names of the source's binary attributes, or a row of them for
            each of its labels.
        target, target_split: images of classes never trained on, for sample grids and the report; None for no report.
        image_size: height and width in pixels.
        channels: 1 (grey) or 3 (colour).
        objective: the system's class name in `kerasinterp.objectives`.
        objective_options: further arguments of it, by name (`weights`, `every`, ...).
        mixing: how latents are mixed: `linear`, `spherical`, `per_feature`, `bernoulli`, `dirichlet`; "" for the
            system's own way.
        backbone: the module of `kerasinterp.nn` that builds the networks.
        discriminator_backbone: that of the discriminator, where it is another; "" for the same.
        width: maps of the backbone's first layer.
        latent_size: size of the latent; of convolutional latents, their channels.
        scales: how often `acai` and `resnet` halve the image, None for a latent 4 x 4.
        networks: arguments of single networks, by their name in the system, where they differ from what the recipe says
            of all: `{"judge_encoder": {"scales": 2}}`.
        transformations: the range of each transformation, by name (`kerasinterp.data.Transformations`), for training
            on triplets; None trains on the images as they are.
        batch_size: images a step.
        images_per_epoch: images between two checkpoints, rounded up to whole batches.
        epochs: how many times.
        learning_rate: Adam's step size.
        adversary_learning_rate: the step size of every player but the autoencoder, None for the same.
        adam_betas: Adam's two decay rates.
        learning_rate_cuts: shares of the training at which it is divided by 10.
        averaging: the decay, a step, of the moving average of the weights that models for use have; 0 for the last
            weights.
        precision: `float32` or `bfloat16` (mixed: variables, losses and outputs stay float32).
        jit_compile: compile the step with XLA; a resumed run is then equal but for rounding.
        snapshot_every: epochs between two models kept for figures against images seen; 0 for none.
        target_without: labels of the target that the report leaves out.
        domain_by_class: the report tells the domains apart by all their classes (`evaluation.train_judges`).
        judge_steps: training steps of each of the report's classifiers.
        evaluation_samples: images that the report's distances are computed on (A.3: 5,000).
        seed: decides weights, order, transformations and mixing.
    """

    name: str
    summary: str
    source: str
    source_split: str
    target: str | None
    target_split: str
    transformations: dict[str, float | str] | None
    source_options: dict[str, object] = dataclasses.field(default_factory=dict)
    source_share: float = 1.0
    attributes: tuple[str, ...] | tuple[tuple[int, ...], ...] = ()
    objective: str = "AugIntAE"
    objective_options: dict[str, object] = dataclasses.field(default_factory=dict)
    mixing: str = ""
    image_size: int = 28
    channels: int = 1
    backbone: str = "infogan"
    discriminator_backbone: str = ""
    width: int = 64
    latent_size: int = 32
    scales: int | None = None
    networks: dict[str, dict[str, object]] = dataclasses.field(default_factory=dict)
    batch_size: int = 128
    images_per_epoch: int = 60_000
    epochs: int = 100
    learning_rate: float = 1e-3
    adversary_learning_rate: float | None = None
    adam_betas: tuple[float, float] = (0.9, 0.999)
    learning_rate_cuts: tuple[float, ...] = ()
    averaging: float = 0.0
    precision: str = "float32"
    jit_compile: bool = False
    snapshot_every: int = 0
    target_without: tuple[int, ...] = ()
    domain_by_class: bool = False
    judge_steps: int = 2000
    evaluation_samples: int = 5000
    seed: int = 0

    def __post_init__(self):
        choices = {
            "mixing": _MIXINGS,
            "backbone": _BACKBONES,
            "discriminator_backbone": ("", *_BACKBONES),
            "precision": _PRECISIONS,
        }
        for field, known in choices.items():
            value = getattr(self, field)
            if value not in known:
                raise InputError(f"Unknown {field} {value!r}: choose of {', '.join(known)}.{suggest(value, known)}")
        for field in ("image_size", "width", "latent_size", "batch_size", "images_per_epoch", "epochs"):
            if getattr(self, field) < 1:
                raise InputError(f"{field} is 1 or more, not {getattr(self, field)}.")
        if self.scales is not None and self.backbone not in _SCALED:
            raise InputError(f"The backbone {self.backbone} has no scales (only {', '.join(_SCALED)}): set it to None.")
        if not 0.0 < self.source_share <= 1.0:
            raise InputError(f"source_share is above 0 and at most 1, not {self.source_share}.")
        if self.seed < 0:
            raise InputError(f"seed is 0 or more, not {self.seed}.")

    @property
    def named_attributes(self) -> bool:
        return bool(self.attributes) and isinstance(self.attributes[0], str)

    @property
    def number_of_attributes(self) -> int:
        return len(self.attributes if self.named_attributes or not self.attributes else self.attributes[0])

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.images_per_epoch // self.batch_size)


def of_systems(base: Recipe, systems: Mapping[str, Mapping[str, object]]) -> tuple[Recipe, ...]:
    """`<system>_<base>`, a recipe a system on the data of `base`.

    Args:
        systems: what each changes in `base`, by the objective's name, with a variant's after it (`AEAI_without_cycle`).
    """
    return tuple(
        dataclasses.replace(
            base,
            name=f"{label.lower()}_{base.name}",
            summary=f"{label.replace('_', ' ')} on {base.summary}",
            objective=label.split("_")[0],
            **options,
        )
        for label, options in systems.items()
    )


def recipes() -> dict[str, Recipe]:
    """All recipes by name."""
    return {name: recipe for name, (recipe, _) in sorted(_all().items())}


def find(name: str, smoke: bool = False) -> Recipe:
    """The recipe of that name; `smoke` gives its variant that only shows that everything runs, in about a minute.

    Raises:
        InputError: if there is no such recipe.
    """
    known = _all()
    if name not in known:
        raise InputError(f"No recipe {name!r}: choose of {', '.join(sorted(known))}.{suggest(name, known)}")
    return known[name][smoke]


def of_run(run: pathlib.Path) -> Recipe:
    """The recipe of a run folder, from its `recipe.json`.

    Raises:
        InputError: the folder has none, or it is damaged or of another version.
    """
    path = run / "recipe.json"
    try:
        return Recipe(**json.loads(path.read_text())["recipe"])
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{run} is no run folder: it has no recipe.json.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read ({error}): bring it back, or choose another folder.") from error


def _all() -> dict[str, tuple[Recipe, Recipe]]:
    """Every recipe and its smoke variant: a `recipe.py` has one (RECIPE, SMOKE) or several (RECIPES, SMOKES)."""
    import kerasinterp.recipes

    found = {}
    for module in pkgutil.iter_modules(kerasinterp.recipes.__path__):
        if module.ispkg:
            written = importlib.import_module(f"kerasinterp.recipes.{module.name}.recipe")
            several = getattr(written, "RECIPES", None) or (written.RECIPE,)
            found |= {
                r.name: (r, s)
                for r, s in zip(several, getattr(written, "SMOKES", None) or (written.SMOKE,), strict=True)
            }
    return found
