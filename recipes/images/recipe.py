"""AugIntAE on images of one's own, at three sizes: the recommended variant (`augintae_maps`) where `--data` says.

Run by `kerasinterp train --data my_images/ --image-size 64 --colour`, which takes the nearest of them, or by name.
"""

from kerasinterp.recipes.augintae_maps import recipe as maps

from kerasinterp.recipe import Recipe, Target

RECIPES = (
    maps.RECIPES[0].change(
        name="images28",
        summary="your own images (--data), 28 x 28 in grey, on maps (recommended)",
        source="",
        target=Target(),
    ),
)
RECIPES += (
    RECIPES[0]
    .of_size(64, channels=3)  # moved, turned and coloured as AugIntAE's CIFAR (A.1)
    .change(
        name="images64",
        summary="your own images (--data), 64 x 64 in colour, on maps",
        latent_size=16,  # ours, 8 x 8 x 16: a 12th of the image's values; AugIntAE's CIFAR has a 24th (A.1)
        images_per_epoch=20_000,  # ours: epochs of minutes
        epochs=51,  # 1,020,000 images, as at 28 x 28
        snapshot_every=10,
        target=Target(samples=2000, judge_steps=1000),  # ours: for memory and time
    ),
)
RECIPES += (
    RECIPES[1]
    .of_size(128)
    .change(
        name="images128",
        summary="your own images (--data), 128 x 128 in colour, on maps",
        latent_size=32,  # ours, 8 x 8 x 32: a 24th of the image's values; AugIntAE's Celeb-A has a 96th (A.1)
        batch_size=16,  # ours: fewer are too few for batch normalisation, more too few updates
        images_per_epoch=10_000,
        epochs=102,
        target=Target(samples=1000, judge_steps=1000),
    ),
)


def smoke(recipe: Recipe) -> Recipe:
    return recipe.change(
        width=8,
        images_per_epoch=20 * recipe.schedule.batch_size,
        epochs=2,
        snapshot_every=1,
        samples=100,
        judge_steps=20,
    )


SMOKES = tuple(map(smoke, RECIPES))
