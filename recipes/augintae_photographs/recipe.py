"""AugIntAE on photographs: CIFAR-10 -> CIFAR-100, Celeb-A's men -> women, COIL-100's objects (AugIntAE 5.2, 5.3).

Run as a script, or by `kerasinterp train augintae_cifar10`.
"""

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.augintae_mnist import recipe as mnist

from kerasinterp.recipe import Backbone, Recipe, Target

# A.1: half the rotation and shear, twice the translation in pixels, and colours; what comes in mirrors what is there.
MOVED = {"rotation": 10.0, "translation": 8.0, "scale": 0.2, "shear": 3.0, "padding": "symmetric"}
COLOURED = {"brightness": 0.25, "contrast": 0.25, "saturation": 0.25, "hue": 0.05}

CIFAR = mnist.RECIPE.change(
    name="augintae_cifar10",
    summary="CIFAR-10 -> CIFAR-100, 64 x 64 (AugIntAE section 5.3, table 2)",
    source="cifar10",
    image_size=64,  # A.1: DCGAN's
    channels=3,
    form_options={**MOVED, **COLOURED},
    backbone=Backbone(module="dcgan", width=64, latent_size=512),  # A.1
    images_per_epoch=50_000,  # one pass
    target=Target(target="cifar100", target_split="test"),  # ours: as many classes, a fifth of the images
)
FACES = CIFAR.change(
    name="augintae_celeba",
    summary="Celeb-A's male -> female faces, 128 x 128 (AugIntAE section 5.2, table 2)",
    source="celeb_a",
    source_options={"where": {"Male": True}},
    image_size=128,  # A.1
    images_per_epoch=68_261,  # one pass
    target=Target(target="celeb_a", target_split="test", target_options={"where": {"Male": False}}),
)
OBJECTS = CIFAR.change(
    name="augintae_coil100",
    summary="ten objects of COIL-100 on their turntable -> six others, 128 x 128 (stands in for Celeb-A)",
    source="coil100",
    source_options={"where": {"object_id": [f"obj{n}" for n in range(1, 11)]}},
    image_size=128,
    form_options={**MOVED, **COLOURED, "padding": "constant"},  # ours: the turntable is black
    images_per_epoch=720,  # one pass
    batch_size=16,  # ours: there are few images, and many pixels
    target=Target(
        target="coil100",
        target_split="train",  # it has no other
        target_options={"where": {"object_id": [f"obj{n}" for n in (12, 13, 14, 17, 18, 19)]}},
        samples=1000,  # ours: there are 432 images
    ),
)
RECIPES = (CIFAR, FACES, OBJECTS)


def smoke(recipe: Recipe) -> Recipe:
    return recipe.change(
        width=4, latent_size=16, batch_size=16, images_per_epoch=64, epochs=2, samples=100, judge_steps=20
    )


SMOKES = tuple(map(smoke, RECIPES))

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    for one in RECIPES:
        train_and_report(one, f"runs/{one.name}")
