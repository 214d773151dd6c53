"""WGAN-GP on each domain of AugIntAE, that models learn from and, "(test)" of its table 2, that they are measured on.

Run as a script, or by `kerasinterp train wgangp_mnist`.
"""

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.augintae_mnist import recipe as mnist
from kerasinterp.recipes.augintae_omniglot import recipe as omniglot
from kerasinterp.recipes.augintae_photographs import recipe as photographs

from kerasinterp.recipe import Optimizer, Recipe

GAN = {
    "objective": "WGANGP",
    "form": "images",
    "form_options": {},
    # A.1's rate (algorithm 1 of Gulrajani et al. has 1e-4) and algorithm 1's decays, which A.1 leaves open (README.md).
    "optimizers": {"all": Optimizer(rate=1e-3, betas=(0.0, 0.9))},
    "batch_size": 5 * 64,  # 64 a slice, the generator on each fifth (A.1; Gulrajani et al., algorithm 1)
    "epochs": 200,  # A.1: twice as long as the others
    "snapshot_every": 10,
}
MNIST = mnist.RECIPE.change(
    name="wgangp_mnist", summary="WGANGP on MNIST digits, 28 x 28 (AugIntAE figure 2, table 2)", **GAN
)
OMNIGLOT = omniglot.RECIPE.change(
    name="wgangp_omniglot",
    summary="WGANGP on Omniglot's training alphabets, 28 x 28 (AugIntAE table 2)",
    **GAN,
)
CIFAR = photographs.CIFAR.change(name="wgangp_cifar10", summary="WGANGP on CIFAR-10, 64 x 64 (AugIntAE table 2)", **GAN)
FACES = photographs.FACES.change(
    name="wgangp_celeba",
    summary="WGANGP on Celeb-A's male faces, 128 x 128 (AugIntAE section 5.2)",
    **GAN,
)
RECIPES = (
    MNIST,
    MNIST.change(
        name="wgangp_letters",
        summary="WGANGP on the handwritten letters that MNIST's models are measured on (AugIntAE table 2)",
        source=MNIST.target.target,
        split=MNIST.target.target_split,
        # As many images as of the digits: ours.
        source_options={"classes": [n for n in range(26) if n not in MNIST.target.target_without]},
    ),
    OMNIGLOT,
    OMNIGLOT.change(
        name="wgangp_omniglot_test",
        summary="WGANGP on Omniglot's test alphabets (AugIntAE table 2)",
        split=OMNIGLOT.target.target_split,
        images_per_epoch=13_180,  # one pass
    ),
    CIFAR,
    CIFAR.change(name="wgangp_cifar100", summary="WGANGP on CIFAR-100, 64 x 64 (AugIntAE table 2)", source="cifar100"),
    FACES,
    FACES.change(
        name="wgangp_celeba_test",
        summary="WGANGP on Celeb-A's female faces, 128 x 128 (AugIntAE section 5.2)",
        source_options={"where": {"Male": False}},
        images_per_epoch=94_509,  # one pass
    ),
)


def smoke(recipe: Recipe) -> Recipe:
    return mnist.smoke(recipe).change(width=8, split="train[:2000]", images_per_epoch=640, batch_size=40)


SMOKES = tuple(map(smoke, RECIPES))

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    for one in RECIPES:
        train_and_report(one, f"runs/{one.name}")
