"""The models that ship with the package (`kerasinterp presets`): the recommended variant, trained at length.

`make.py` trains, measures and packs them. Nothing was chosen on the classes that they are measured on.
"""

from kerasinterp.recipes.augintae_maps import recipe as maps

from kerasinterp.recipe import Recipe, Schedule, Target

_SCHEDULE = Schedule(
    batch_size=32, images_per_epoch=65_536, epochs=10, snapshot_every=0
)  # ours: 15 to 20 minutes on a core with AMX
GLYPHS = maps.RECIPES[0].change(
    name="preset_glyphs",
    summary="fonts' letters and signs of 17 kinds -> Armenian and Georgian letters, 28 x 28: the preset glyphs",
    source="glyphs_scripts",
    split="scripts",
    schedule=_SCHEDULE,
    target=Target(target="glyphs_scripts", target_split="scripts_test", domain_by_class=True),
)
OMNIGLOT = maps.RECIPES[1].change(
    name="preset_omniglot",
    summary="Omniglot training -> test alphabets, 28 x 28: the preset omniglot",
    schedule=_SCHEDULE,
)
RECIPES = (GLYPHS, OMNIGLOT)


def smoke(recipe: Recipe) -> Recipe:
    return maps.smoke(recipe).change(split=recipe.data.split)


SMOKES = tuple(map(smoke, RECIPES))
