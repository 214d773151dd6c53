"""A recipe: everything that decides a training run, frozen and written down with its sources, grouped by its reader."""

import dataclasses
import importlib
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasinterp.data.forms.triplets import Transformations, usual_ranges
from kerasinterp.errors import InputError, suggest
from kerasinterp.nn.backbone import Backbone
from kerasinterp.typed import as_type, changed, check_fields

# By their names in recipes, Keras' policies: variables are float32 in all.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
_FORMS = ("images", "triplets", "pairs", "sets", "points")


def _choose(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"Unknown {name} {value!r}: choose of {', '.join(known)}.{suggest(str(value), known)}")


def _whole(group: Any, *fields: str, least: int = 1) -> None:
    for field in fields:
        if not least <= getattr(group, field) < 2**31:
            raise InputError(f"{field} is {least} or more and below 2**31, not {getattr(group, field)}.")


def _below_1(group: Any, *fields: str) -> None:
    for field in fields:
        if not 0.0 <= getattr(group, field) < 1.0:
            raise InputError(f"{field} is 0 or more and below 1, not {getattr(group, field)}.")


@dataclasses.dataclass(frozen=True)
class Data:
    """The images that are trained on.

    Attributes:
        source: a dataset's name or a folder; "" in recipes for images of one's own.
        split: of a dataset.
        source_options: further arguments of `kerasinterp.data.images`, such as `{"where": {"object_id": "obj1"}}`.
        share: a random share of the images to train on, drawn by the seed (AEAI 2.3: 0.8).
        invert: for dark drawings on white, where light on black is wanted.
        attributes: if the system learns with them, the names of the source's binary attributes, or a row of them for
            each class, by the class's name.
        image_size: height and width in pixels, or both.
        channels: 1 (grey) or 3 (colour).
        form: what a batch holds: `images`, `triplets`, `pairs`, `sets` (`kerasinterp.data`) or `points`.
        form_options: arguments of the form: of triplets the range of each transformation
            (`kerasinterp.data.Transformations`) and `ends`, of images `{"places": True}`, of sets `{"size": 5}`.
        per_class: how many images of each class to train on, drawn by the seed: a small sample (COLA chapter 5). Fewer
            are among those of more. 0 for all.
    """

    source: str
    split: str = "train"
    source_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    share: float = 1.0
    invert: bool = False
    attributes: tuple[str, ...] | dict[str, tuple[int, ...]] = ()
    image_size: int | tuple[int, int] = 28
    channels: int = 1
    form: str = "images"
    form_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    per_class: int = 0

    def __post_init__(self):
        check_fields(self)
        _choose("form", self.form, _FORMS)
        _whole(self, "per_class", least=0)
        if self.per_class and (self.share < 1.0 or self.attributes):
            raise InputError("per_class draws of whole classes: leave share and attributes out.")
        if self.channels not in (1, 3):
            raise InputError(f"channels is 1 (grey) or 3 (colour), not {self.channels}.")
        if min(self.size) < 1 or max(self.size) >= 2**31:
            raise InputError(f"image_size is 1 or more and below 2**31, not {self.image_size}.")
        if len({len(row) for row in self._rows}) > 1:
            raise InputError("attributes have rows of different lengths: give each class a value of every attribute.")
        if not 0.0 < self.share <= 1.0:
            raise InputError(f"share, of the images, is above 0 and at most 1, not {self.share}.")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return (self.image_size,) * 2 if isinstance(self.image_size, int) else self.image_size

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image, (H, W, C); (2,) for points of the plane."""
        return (2,) if self.form == "points" else (*self.size, self.channels)

    @property
    def at_once(self) -> int:
        """Images of an example, which are not parted: those of a set."""
        return int(self.form_options.get("size", 1)) if self.form == "sets" else 1

    @property
    def number_of_attributes(self) -> int:
        return len(self._rows[0]) if self._rows else 0

    @property
    def _rows(self) -> list[tuple]:
        return list(self.attributes.values()) if isinstance(self.attributes, dict) else [self.attributes]


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """How a player steps.

    Attributes:
        rate: the step size.
        kind: `adam`, or `sgd`.
        betas: Adam's two decay rates.
        momentum: SGD's.
        decay: of the weights, a step, decoupled from the gradient.
        clip: every value of the batch's gradient is brought into -clip to clip; 0 leaves it as it is.
        cuts: shares of the training at which the step size is multiplied by `factor`.
        factor: above 0 and below 1.
        to_zero: the step size falls in a line, to 0 at the end of the training (SNGAN's).
        averaging: the decay, a step, of the moving average of the weights that models for use have; 0 for the last
            weights.
    """

    rate: float = 1e-3
    kind: str = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.0
    decay: float = 0.0
    clip: float = 0.0
    cuts: tuple[float, ...] = ()
    factor: float = 0.1
    averaging: float = 0.0
    to_zero: bool = False

    def __post_init__(self):
        check_fields(self)
        _choose("kind", self.kind, ("adam", "sgd"))
        if self.rate <= 0.0:
            raise InputError(f"An optimizer's rate is above 0, not {self.rate}.")
        for name in ("decay", "clip"):
            if getattr(self, name) < 0.0:
                raise InputError(f"An optimizer's {name} is 0 or more, not {getattr(self, name)}.")
        _below_1(self, "momentum", "averaging")
        if not all(0.0 <= beta < 1.0 for beta in self.betas):
            raise InputError(f"betas are 0 or more and below 1, not {self.betas}.")
        if list(self.cuts) != sorted(set(self.cuts)) or not all(0.0 < cut < 1.0 for cut in self.cuts):
            raise InputError(f"cuts are shares of the training above 0 and below 1, in order, not {self.cuts}.")
        if not 0.0 < self.factor < 1.0:
            raise InputError(f"An optimizer's factor is above 0 and below 1, not {self.factor}.")
        if not self.cuts and self.factor != type(self).factor:
            raise InputError("An optimizer's factor has no effect without cuts: leave it out.")
        if self.cuts and self.to_zero:
            raise InputError("An optimizer's rate falls by cuts or to_zero: leave one of them out.")
        unused = {"adam": ("momentum",), "sgd": ("betas",)}[self.kind]
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        for name in unused:
            if getattr(self, name) != defaults[name]:
                raise InputError(f"The optimizer {self.kind} has no {name}: leave it out.")


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long training takes, and what is kept of it.

    Attributes:
        epochs: how many times `images_per_epoch`.
        images_per_epoch: images between two checkpoints, rounded up to whole batches.
        batch_size: images a step; of sets, all their images count.
        precision: `float32`; `bfloat16` or, for GPUs that have no bfloat16 (T4, V100), `float16` (mixed: variables,
            losses and outputs stay float32; float16 under a loss scale for each player).
        jit_compile: compile the step with XLA, on one device; a resumed run is then equal but for rounding.
        snapshot_every: epochs between two models kept for figures against images seen; 0 for none.
    """

    epochs: int = 100
    images_per_epoch: int = 60_000
    batch_size: int = 128
    precision: str = "float32"
    jit_compile: bool = False
    snapshot_every: int = 0

    def __post_init__(self):
        check_fields(self)
        _choose("precision", self.precision, tuple(POLICIES))
        _whole(self, "epochs", "images_per_epoch", "batch_size")
        _whole(self, "snapshot_every", least=0)

    @property
    def judges_precision(self) -> str:
        """Keras' policy of classifiers that judge: they train without a loss scale, so for float16 it is float32."""
        return "float32" if self.precision == "float16" else POLICIES[self.precision]

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.images_per_epoch // self.batch_size)

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch


@dataclasses.dataclass(frozen=True)
class Target:
    """What the trained model is measured on.

    Attributes:
        yardstick: a file of `kerasinterp.yardsticks`: `few_shot`, `lines`, `views`, `points`, `classes` or
            `unlabelled`.
        target: few-shot: labelled images of classes never trained on, a dataset's name or a folder; None for no
            measure at the end of training.
        target_split: of a dataset; for `classes` that of the training dataset which judges.
        target_without: labels of the target that are left out.
        domain_by_class: the domains are told apart by all their classes (`evaluation.train_judges`).
        judge_steps: training steps of each classifier that judges.
        samples: images that the distances are computed on (AugIntAE A.3: 5,000), and as many new ones for the others.
        shots: seeds that each set of new images is made from.
        usefulness: how often classifiers are trained on few seeds and on new images, to see what these are worth to
            them; each of seven kinds at 2, 5 and 10 seeds a class. 0 leaves it out.
        target_options: few-shot: further arguments of `kerasinterp.data.images` for the target, such as
            `{"where": {"script": "greek"}}`.
    """

    yardstick: str = "few_shot"
    target: str | None = None
    target_split: str = "test"
    target_without: tuple[int, ...] = ()
    domain_by_class: bool = False
    judge_steps: int = 2000
    samples: int = 5000
    shots: int = 5
    usefulness: int = 0
    target_options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        check_fields(self)
        _whole(self, "judge_steps", "samples")
        _whole(self, "shots", least=2)
        if self.usefulness:
            _whole(self, "usefulness", least=2)  # for an interval


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One training run and what judges it.

    Attributes:
        name: of the recipe.
        summary: one line for `kerasinterp list`.
        data, backbone, schedule, target: as their classes say.
        objective: the system's class name in `kerasinterp.objectives`.
        objective_options: further arguments of it, by name (`weights`, `every`, ...).
        mixing: how latents are mixed: `linear`, `spherical`, `per_feature`, `bernoulli`, `dirichlet`; "" for the
            system's own way.
        optimizers: by player; `first` is the system's first player, `others` the rest, `all` everybody, where nothing
            nearer is named.
        after: a run folder whose model `take_over` begins with; "" for none.
        seed: decides weights, order, transformations and mixing.
    """

    name: str
    summary: str
    data: Data
    objective: str = "AugIntAE"
    objective_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    mixing: str = ""
    backbone: Backbone = dataclasses.field(default_factory=Backbone)
    optimizers: dict[str, Optimizer] = dataclasses.field(default_factory=lambda: {"all": Optimizer()})
    schedule: Schedule = dataclasses.field(default_factory=Schedule)
    target: Target = dataclasses.field(default_factory=Target)
    after: str = ""
    seed: int = 0

    def __post_init__(self):
        check_fields(self)
        if not 0 <= self.seed < 2**32:
            raise InputError(f"seed is 0 or more and below 2**32, not {self.seed}.")

    def change(self, **settings: Any) -> "Recipe":
        """The recipe with other settings: fields of its own or, by their name alone, of one of its groups.

        A dictionary for a group changes some of that group's fields; one for `optimizers` is joined to the present one.

        Raises:
            InputError: no such setting, or a value that it cannot have.
        """
        own: dict[str, Any] = {}
        groups = {name: getattr(self, name) for name in _GROUPS}
        for key, value in settings.items():
            group = next((name for name, cls in _GROUPS.items() if key in cls.__dataclass_fields__), None)
            if key in groups and isinstance(value, dict):
                groups[key] = changed(groups[key], value, f"A recipe's {key}")
            elif key in groups and (isinstance(value, _GROUPS[key]) or group is None):
                groups[key] = value
            elif key == "optimizers" and isinstance(value, dict):
                own[key] = {**self.optimizers, **value}
            elif group is None:
                own[key] = value
            else:
                groups[group] = changed(groups[group], {key: value}, f"A recipe's {group}")
        return changed(self, groups | own, "A recipe")

    def of_size(self, image_size: int | tuple[int, int] | None = None, channels: int | None = None) -> "Recipe":
        """The recipe for images of another size, or in colour (3) or grey (1); None keeps its own.

        What triplets move by, in pixels, keeps its share of the shorter side. Where colour comes or goes, their ranges
        are those usual for such images (`kerasinterp.data.usual_ranges`).

        Raises:
            InputError: a size or number of channels that there is not, or a recipe for points.
        """
        if image_size is None and channels is None:
            return self
        if self.data.form == "points":
            raise InputError(f"{self.name} is for points of the plane, which have no size and no colour.")
        asked = {"image_size": image_size, "channels": channels}
        changed = self.change(**{key: value for key, value in asked.items() if value is not None})
        if self.data.form != "triplets":
            return changed
        known = Transformations.__annotations__
        if changed.data.channels != self.data.channels:
            ranges = usual_ranges(changed.data.shape)
        else:
            own = {key: value for key, value in self.data.form_options.items() if key in known}
            ranges = as_type(Transformations, own, "form_options").enlarged(
                min(changed.data.size) / min(self.data.size)
            )
        options = {key: value for key, value in self.data.form_options.items() if key not in known}
        return changed.change(form_options=options | ranges.changed_from_none())

    def trained_on(self, count: int, labels: np.ndarray | None = None) -> np.ndarray:
        """Which of the source's `count` images are trained on, bool (count,): a random `share`, drawn by the seed.

        Args:
            labels: their classes, int64 (count,), for `per_class`.

        Raises:
            InputError: there are no classes, or too few images of one.
        """
        kept = np.zeros(count, bool)
        if self.data.per_class:
            if labels is None or labels.ndim != 1:
                raise InputError(f"per_class draws of each class, and {self.data.source} has none: leave it out.")
            for one, found in zip(*np.unique(labels, return_counts=True), strict=True):
                if found < self.data.per_class:
                    raise InputError(
                        f"per_class is {self.data.per_class}, and class {one} of {self.data.source} has {found}: "
                        "choose fewer."
                    )
                order = np.random.default_rng([self.seed, one]).permutation(found)
                kept[np.flatnonzero(labels == one)[order[: self.data.per_class]]] = True
            return kept
        size = max(1, round(self.data.share * count))
        kept[np.random.default_rng(self.seed).choice(count, size, replace=False)] = True
        return kept

    def optimizer(self, player: str, first: bool) -> Optimizer:
        """The optimizer of a player, who is the system's first or not."""
        for key in (player, "first" if first else "others", "all"):
            if key in self.optimizers:
                return self.optimizers[key]
        raise InputError(f"The recipe {self.name} names no optimizer for {player}: give one for it, or for `all`.")

    @classmethod
    def from_dict(cls, given: Any) -> "Recipe":
        """The recipe that `dataclasses.asdict` and JSON made a dictionary of.

        Raises:
            InputError: settings that are missing, unknown or of another type.
        """
        return as_type(cls, given, "recipe")


def for_own_images(
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    smoke: bool = False,
    kind: str = "images",
) -> Recipe:
    """The recipe for a user's own images of that height and width (one number for a square) and colour.

    Of the recipes that name no source, and whose name is `kind` and a size, it is the one whose size is nearest;
    without a size, the smallest.

    Raises:
        InputError: as `Recipe.of_size`; no recipe of that kind.
    """
    kinds = {name: name.rstrip("0123456789") for name, one in recipes().items() if not one.data.source}
    if kind not in kinds.values():
        raise InputError(f"There is no {kind!r} for own images: choose of {', '.join(sorted(set(kinds.values())))}.")
    own = sorted((min(recipes()[name].data.size), name) for name, of in kinds.items() if of == kind)
    side = 0 if image_size is None else image_size if isinstance(image_size, int) else min(image_size)
    return find(min(own, key=lambda one: abs(one[0] - side))[1], smoke).of_size(image_size, channels)


_GROUPS = {"data": Data, "backbone": Backbone, "schedule": Schedule, "target": Target}


def of_systems(base: Recipe, systems: Mapping[str, Mapping[str, object]]) -> tuple[Recipe, ...]:
    """`<system>_<base>`, a recipe a system on the data of `base`.

    Args:
        systems: what each changes in `base` (`Recipe.change`), by the objective's name, with a variant's after it
            (`AEAI_without_cycle`).
    """
    return tuple(
        base.change(
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


def _all() -> dict[str, tuple[Recipe, Recipe]]:
    """Every recipe and its smoke variant: a `recipe.py` has one (RECIPE, SMOKE) or several (RECIPES, SMOKES)."""
    folder = importlib.import_module("kerasinterp.recipes").__path__[0]
    found = {}
    for file in pathlib.Path(folder).glob("*/recipe.py"):
        written = importlib.import_module(f"kerasinterp.recipes.{file.parent.name}.recipe")
        several = getattr(written, "RECIPES", None) or (written.RECIPE,)
        found |= {
            r.name: (r, s) for r, s in zip(several, getattr(written, "SMOKES", None) or (written.SMOKE,), strict=True)
        }
    return found
