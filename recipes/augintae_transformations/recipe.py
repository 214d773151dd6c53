"""AugIntAE with a single kind of transformation, on the paper's networks and on maps (AugIntAE version 2, figure 7).

Run by `kerasinterp train augintae_only_rotation_mnist`, say; README.md says how figure 7 is drawn.
"""

from kerasinterp.recipes.augintae_maps import recipe as maps
from kerasinterp.recipes.augintae_mnist import recipe as mnist

from kerasinterp.recipe import Recipe

RANGES = mnist.RECIPE.data.form_options  # A.1
# On maps without `ends`: what the transformations alone teach.
BASES = {"augintae": mnist.RECIPE, "augintae_maps": maps.RECIPES[0].change(form_options=RANGES)}

RECIPES = tuple(
    base.change(
        name=f"{name}_only_{kind}_mnist",
        summary=f"{base.summary.split(' (')[0]}, {kind} alone (AugIntAE version 2, figure 7)",
        form_options={kind: size},
    )
    for name, base in BASES.items()
    for kind, size in RANGES.items()
)


def smoke(recipe: Recipe) -> Recipe:
    return mnist.smoke(recipe).change(width=8)


SMOKES = tuple(map(smoke, RECIPES))
