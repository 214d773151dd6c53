"""What systems are measured by when they are compared on one dataset, a file a kind of data."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping

from kerasinterp.objectives import Objective
from kerasinterp.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Yardstick:
    """The measures and pictures of one dataset.

    Attributes:
        measure: a model and its run's recipe, or None twice for what needs no model (blended pixels), -> a dict ready
            for JSON.
        columns: the table's measures and their titles.
        picture: models by name, and the path of a PNG: what each makes of the same pairs.
        figures: by file name, functions of the systems' measures and a path.
    """

    measure: Callable[[Objective | None, Recipe | None], dict]
    columns: dict[str, str]
    picture: Callable[[Mapping[str, Objective], pathlib.Path], None]
    figures: dict[str, Callable] = dataclasses.field(default_factory=dict)


def yardstick(recipe: Recipe, cache_dir: pathlib.Path, smoke: bool = False) -> Yardstick:
    """The yardstick of the recipe's data.

    Args:
        cache_dir: where classifiers that judge are kept.
        smoke: measure fewer paths.
    """
    from kerasinterp.yardsticks import classes, lines, points, views

    kinds = {"lines": lines, "pole": views, "coil100": views, "spiral": points}
    return kinds.get(recipe.source.split("/")[0], classes).yardstick(recipe, cache_dir, smoke)
