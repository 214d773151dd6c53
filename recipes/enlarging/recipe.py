"""What `kerasinterp enlarge` trains on a small labelled set, and on nothing else: one of these, by `--method`.

`scola28` is COLA's generator with codes (C.2, "Small-Sample"), `augintae28` the recommended AugIntAE, both on as many
images as minutes allow. README.md has what came out.
"""

from kerasinterp.recipes.images import recipe as images

from kerasinterp.recipe import Backbone, Optimizer, Recipe

HALVED = tuple(n / 10 for n in range(1, 10))  # C.2: 500 epochs, halved every 50
SCOLA = images.RECIPES[0].change(
    name="scola28",
    summary="a generator and codes for a small labelled set of your own (COLA, small sample)",
    form="images",
    form_options={"places": True},
    objective="SCOLA",
    objective_options={"initialisation": "pca"},  # ours: learns faster than from random codes (README.md)
    mixing="",
    backbone=Backbone(module="infogan", width=64, latent_size=64),  # C.2: d = 64
    optimizers={
        "generator": Optimizer(1e-3, cuts=HALVED, factor=0.5),  # C.2
        "latents": Optimizer(1e-2, cuts=HALVED, factor=0.5),  # C.2
    },
    batch_size=128,  # yedidh/glann
    images_per_epoch=1000 * 128,  # ours; `enlarge` makes 500 passes (C.2), and at most so many steps
    epochs=1,
    snapshot_every=0,
)
AUGINTAE = images.RECIPES[0].change(
    name="augintae28",
    summary="AugIntAE for a small labelled set of your own (recommended variant)",
    images_per_epoch=32_768,  # ours: as long as `scola28`
    epochs=1,
    snapshot_every=0,
)
RECIPES = (SCOLA, AUGINTAE)


def smoke(recipe: Recipe) -> Recipe:
    return recipe.change(width=8, images_per_epoch=20 * recipe.schedule.batch_size)


SMOKES = tuple(map(smoke, RECIPES))
