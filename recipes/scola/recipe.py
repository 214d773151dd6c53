"""SCOLA on small labelled samples and, as GLO, on all of CIFAR-10 (COLA chapters 4 and 5, appendix C.2).

Run as a script, or by `kerasinterp train scola_cifar10_small`; of five images a class by `scola_cifar10_small_5`.
"""

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, Target

SIZES = (5, 10, 20, 50, 100)  # images a class (section 4.2, table 5.1)
_DEFAULT = 20  # ours, in recipes whose name says no number
_HALVED = {"cuts": tuple(n / 10 for n in range(1, 10)), "factor": 0.5}  # C.2: every 50 of 500 epochs


def of_sizes(recipe: Recipe, classes: int) -> tuple[Recipe, ...]:
    """The recipe on samples of each size, the usual one under its own name."""
    return tuple(
        sample(recipe, classes, size).change(name=recipe.name if size == _DEFAULT else f"{recipe.name}_{size}")
        for size in SIZES
    )


def sample(recipe: Recipe, classes: int, size: int = _DEFAULT) -> Recipe:
    """The recipe on so many images of each class, in epochs of one pass."""
    return recipe.change(
        per_class=size,
        summary=f"{recipe.summary}, {size} images a class",
        images_per_epoch=classes * size,
        batch_size=min(128, classes * size),
    )


SCOLA = Recipe(
    name="scola_cifar10_small",
    summary="SCOLA on CIFAR-10, 32 x 32 (COLA figure 4.5)",
    objective="SCOLA",
    objective_options={"reconstruction_loss": "laplacian"},  # C.2
    data=Data(source="cifar10", image_size=32, channels=3, form_options={"places": True}),  # table 4.1
    backbone=Backbone(
        module="infogan",  # C.2
        width=64,  # table 4.2: 8.6 million parameters
        latent_size=64,  # C.2, beside the classes
    ),
    optimizers={"generator": Optimizer(rate=1e-3, **_HALVED), "latents": Optimizer(rate=1e-2, **_HALVED)},  # C.2
    schedule=Schedule(epochs=500, batch_size=128, snapshot_every=100),  # C.2; GLO's batch (yedidh/glann)
    target=Target(),
)
CIFAR10 = of_sizes(SCOLA, classes=10)
CIFAR100 = SCOLA.change(
    name="scola_cifar100_small", summary="SCOLA on CIFAR-100, 32 x 32 (COLA figure 4.5)", source="cifar100"
)
STL10 = SCOLA.change(
    name="scola_stl10_small",
    summary="SCOLA on STL-10's labelled images, 48 x 48 (COLA figure 4.5)",
    source="stl10",
    image_size=48,  # table 4.1
)
TINY_IMAGENET = SCOLA.change(
    name="scola_tiny_imagenet_small",
    summary="SCOLA on Tiny ImageNet, its archive's folder unpacked here, 64 x 64 (COLA table 4.1)",
    source="./tiny-imagenet-200/train",  # no dataset of TFDS
    image_size=64,  # table 4.1
)
MNIST = SCOLA.change(
    name="scola_mnist_small", summary="SCOLA on MNIST, 28 x 28", source="mnist", image_size=28, channels=1
)
HANDWRITTEN_AZ = MNIST.change(
    name="scola_handwritten_az_small", summary="SCOLA on handwritten capitals, 28 x 28", source="handwritten_az"
)
OMNIGLOT = MNIST.change(
    name="scola_omniglot_small",
    summary="SCOLA on the 24 letters of Omniglot's Greek, 28 x 28",
    source="omniglot",
    source_options={"where": {"alphabet": "Greek"}},  # ours
)
# C.2, full data: the generator of CGAN, 128 numbers beside the classes; the others are table 4.3's.
CGAN = SCOLA.change(
    name="scola_cifar10",
    summary="SCOLA on all of CIFAR-10, CGAN's generator, 32 x 32 (COLA table 4.3)",
    backbone=Backbone(module="sngan", width=128, latent_size=128),
    images_per_epoch=50_000,  # one pass
)
DCGAN = CGAN.change(
    name="scola_cifar10_dcgan",
    summary="SCOLA on all of CIFAR-10, DCGAN's generator with residual blocks, 32 x 32 (COLA table 4.3)",
    backbone={"options": {"conditional": False}},
)
INFOGAN = CGAN.change(
    name="scola_cifar10_infogan",
    summary="SCOLA on all of CIFAR-10, InfoGAN's generator, 32 x 32 (COLA table 4.3)",
    backbone=Backbone(module="infogan", width=64, latent_size=128),
)
GLO = SCOLA.change(
    name="glo_cifar10",
    summary="GLO on CIFAR-10, 32 x 32 (COLA figures 4.1, 4.3)",
    objective="GLO",
    latent_size=128,  # C.2, of full data
    images_per_epoch=50_000,  # one pass
)
GLO_MNIST = GLO.change(
    name="glo_mnist",
    summary="GLO on MNIST, 28 x 28",
    source="mnist",
    image_size=28,
    channels=1,
    latent_size=64,  # ours
    images_per_epoch=60_000,
)
RECIPES = (
    *CIFAR10,
    sample(CIFAR100, classes=100),
    sample(STL10, classes=10),
    sample(TINY_IMAGENET, classes=200),
    sample(MNIST, classes=10),
    sample(HANDWRITTEN_AZ, classes=26),
    sample(OMNIGLOT, classes=24, size=10),  # of 20 that there are
    CGAN,
    DCGAN,
    INFOGAN,
    GLO,
    GLO_MNIST,
)


def smoke(recipe: Recipe) -> Recipe:
    """A twentieth of the classes' images at most, and four passes."""
    slices = 5 if recipe.objective == "CGANPD" else 1
    return recipe.change(
        width=8,
        latent_size=8,
        per_class=min(recipe.data.per_class, 5),
        images_per_epoch=200 * slices,
        batch_size=20 * slices,
        epochs=2,
        snapshot_every=1,
    )


SMOKES = tuple(map(smoke, RECIPES))

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    for one in RECIPES:
        train_and_report(one, f"runs/{one.name}")
