"""COLA: images without labels are clustered (step I, MMDC), and a generator learns with codes that begin so (step II).

    kerasinterp train mmdc_cifar10 && kerasinterp train cola_cifar10

and step I alone on digits, `mmdc_mnist`. README.md has what was measured.
"""

import dataclasses

from kerasinterp.ops.views import OF_DIGITS
from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, Target

EPOCHS = 200  # COLA C.1, of each of the two tasks
# C.1's weight decay of 5e-4 is part of the gradient, which a momentum of 0.9 adds up tenfold; here it is apart from it.
DECAY = 5e-4 / (1.0 - 0.9)

MMDC = Recipe(
    name="mmdc_cifar10",
    summary="MMDC on CIFAR-10: ten clusters without labels (COLA, step I)",
    data=Data(source="cifar10", image_size=32, channels=3, form_options={"places": True}),
    objective="MMDC",
    backbone=Backbone(
        module="resnet18",  # C.1
        width=64,  # He et al. (2016), table 1
        latent_size=10,  # 3.1: K, the number of clusters
    ),
    # C.1: SGD, halved every 50 epochs
    optimizers={"all": Optimizer(0.05, kind="sgd", momentum=0.9, decay=DECAY, cuts=(0.25, 0.5, 0.75), factor=0.5)},
    schedule=Schedule(
        batch_size=128,  # C.1; RotNet's 512 are four of each
        images_per_epoch=50_000,  # one pass
        epochs=2 * EPOCHS,
        snapshot_every=50,
    ),
    target=Target(yardstick="clusters", target_split="test"),
)

COLA = Recipe(
    name="cola_cifar10",
    summary="COLA on CIFAR-10: a generator and codes that begin as mmdc_cifar10's clusters (COLA, step II)",
    data=MMDC.data,
    objective="COLA",
    objective_options={"classes": 10},  # K
    # 4.2: InfoGAN's; C.2: d = 128, beside K
    backbone=Backbone(module="infogan", width=64, latent_size=128),
    optimizers={
        "generator": Optimizer(1e-3, cuts=tuple(n / 10 for n in range(1, 10)), factor=0.5),  # C.2
        "latents": Optimizer(1e-2, cuts=tuple(n / 10 for n in range(1, 10)), factor=0.5),  # C.2
    },
    schedule=Schedule(
        batch_size=128,  # yedidh/glann, whose schedule C.2 has
        images_per_epoch=50_000,
        epochs=500,  # C.2
        snapshot_every=50,
    ),
    after="runs/mmdc_cifar10",
)

RECIPES = (
    MMDC,
    MMDC.change(
        name="mmdc_mnist",
        summary="MMDC on MNIST: ten clusters of digits without labels",
        source="mnist",
        image_size=28,
        channels=1,
        objective_options={
            "views": dataclasses.asdict(OF_DIGITS) | {"crops": [*OF_DIGITS.crops]},  # as JSON has it
            "turns": {"clusters": [0, 1], "orientations": [1, 1]},  # ours: no RotNet, of which digits have no need
        },
        backbone=Backbone(module="conv4", width=16, latent_size=10),  # ours, for time; guysrn/mmdc has a small VGG
        optimizers={"all": Optimizer(0.05, kind="sgd", momentum=0.9, decay=DECAY, cuts=(0.8,))},  # guysrn/mmdc
        images_per_epoch=60_000,  # one pass
        epochs=9,  # ours: 6 are too few for some seeds (README.md); guysrn/mmdc has 50
        snapshot_every=1,
    ),
    COLA,
    COLA.change(
        name="cola_mnist",
        summary="COLA on MNIST: a generator and codes that begin as mmdc_mnist's clusters",
        source="mnist",
        image_size=28,
        channels=1,
        latent_size=64,  # ours
        images_per_epoch=60_000,
        after="runs/mmdc_mnist",
    ),
)


def smoke(recipe: Recipe) -> Recipe:
    return recipe.change(split="train[:1000]", width=4, images_per_epoch=1_000, epochs=2, snapshot_every=1)


SMOKES = tuple(map(smoke, RECIPES))
