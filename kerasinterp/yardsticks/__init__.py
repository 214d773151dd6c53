"""What models are measured by, a file a kind of data; a recipe's target names one."""

import dataclasses
import importlib
import json
import pathlib
import pkgutil
import types
from collections.abc import Callable, Mapping

import kerasinterp
from kerasinterp.errors import InputError, suggest
from kerasinterp.generation.checks import codes_images
from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe

# What of a recipe's data the judges may read.
_OF_DATA = ("source", "split", "source_options", "attributes", "invert", "image_size", "channels")


@dataclasses.dataclass(frozen=True)
class Judge:
    """The measures and pictures of one dataset.

    Attributes:
        measure: a model and its run's recipe (None if it has none) -> a row, a dict ready for JSON.
        bases: the rows of what needs no model, by name: blended pixels, say.
        columns: the table's measures and their titles.
        picture: models by name, and the path of a PNG: what each makes of the same pairs.
        figures: by file name, functions of the rows by name and a path.
        protocol: how it was measured; equal protocols give comparable rows.
        note: a sentence on how far the rows can be trusted, or "".
    """

    measure: Callable[[Objective, Recipe | None], dict]
    bases: Callable[[], dict[str, dict]]
    columns: dict[str, str]
    picture: Callable[[Mapping[str, Objective], pathlib.Path], None]
    figures: dict[str, Callable] = dataclasses.field(default_factory=dict)
    protocol: dict = dataclasses.field(default_factory=dict)
    note: str = ""


def judge(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool = False, seed: int = 0) -> Judge:
    """The judge that the recipe's target names.

    Args:
        cache_dir: where classifiers that judge are kept.
        smoke: measure fewer paths.
        seed: of what the judge draws and trains.

    Raises:
        InputError: no such yardstick, or data that it cannot use.
    """
    made = _module(recipe.target.yardstick).judge(recipe, cache_dir, smoke, seed)
    data, target = dataclasses.asdict(recipe.data), dataclasses.asdict(recipe.target)
    asked = {key: data[key] for key in _OF_DATA} | {"target": target, "smoke": smoke, "seed": seed}
    # As JSON has it: it is compared with what was kept.
    protocol = json.loads(json.dumps({"kerasinterp": kerasinterp.__version__} | asked | made.protocol))
    return dataclasses.replace(made, protocol=protocol)


def read_by(yardstick: str) -> tuple[str, ...]:
    """The settings of a recipe's data and target that a yardstick reads.

    Raises:
        InputError: there is no such yardstick.
    """
    return (*_module(yardstick).READS, "yardstick")


def check_measurable(yardstick: str, *models: Objective | type[Objective]) -> None:
    """Raises InputError unless the yardstick takes the models, or systems.

    Every yardstick takes those that have codes of images and mix them; some take others too, and say by which method
    these make images (`ALSO_TAKES`).
    """
    others = getattr(_module(yardstick), "ALSO_TAKES", ())
    for model in models:
        if not codes_images(model) and not any(hasattr(model, method) for method in others):
            name = (model if isinstance(model, type) else type(model)).__name__
            raise InputError(
                f"{name} has no encoder, and what {yardstick} measures lies between images: leave the target out, or "
                "choose an autoencoder."
            )


def _module(name: str) -> types.ModuleType:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "paths")
    if name not in names:
        raise InputError(f"Unknown yardstick {name!r}: choose of {', '.join(names)}.{suggest(name, names)}")
    return importlib.import_module(f"{__name__}.{name}")
