"""What generative models can represent of classes that they never saw (AugIntAE section 3, figure 2; table 1).

A VAE and an autoencoder on MNIST, and an encoder that is learned for MNIST's WGAN-GP once that is trained:

    kerasinterp train vae_mnist
    kerasinterp train plain_ae_mnist
    kerasinterp train wgangp_mnist && kerasinterp train inversion_adam_mnist

README.md has what they are compared by (`figure_2.py`) and what came out.
"""

from kerasinterp.recipes.augintae_mnist import recipe as augintae
from kerasinterp.recipes.wgangp import recipe as wgangp

from kerasinterp.recipe import Optimizer, Recipe

CUT = {"all": Optimizer(1e-3, cuts=(0.35, 0.7))}  # A.1: Adam, cut at epochs 35 and 70 of 100 without an adversary
# A.1: autoencoders learn from the mixed image of the triplets, VAEs and GANs from the images as they are.
IMAGES = {"form": "images", "form_options": {}}
STEPS = 6400  # A.2

RECIPES = (
    augintae.RECIPE.change(
        name="vae_mnist",
        summary="VAE on MNIST digits -> handwritten letters (AugIntAE figure 2, table 1's bottom row)",
        data=IMAGES,
        objective="VAE",
        # Ours, the paper gives none: pixels of unit variance on [-1, 1], the system's default, with which the squared
        # error on MNIST comes out near table 1's.
        optimizers=CUT,
    ),
    augintae.RECIPE.change(
        name="plain_ae_mnist",
        summary="autoencoder without an adversary, MNIST digits -> handwritten letters (AugIntAE table 1)",
        objective="PlainAE",
        mixing="spherical",  # A.1
        optimizers=CUT,
    ),
    augintae.RECIPE.change(
        name="inversion_mnist",
        summary="encoder of a trained WGAN-GP's images, MNIST digits -> handwritten letters (AugIntAE A.2)",
        data=IMAGES,  # of them only the number is read
        objective="Inversion",
        mixing="spherical",  # A.1
        # A.2: SGD, cut tenfold every 1,280 of 6,400 iterations
        optimizers={"all": Optimizer(1e-4, kind="sgd", momentum=0.1, cuts=(0.2, 0.4, 0.6, 0.8))},
        images_per_epoch=STEPS // 10 * augintae.RECIPE.schedule.batch_size,
        epochs=10,
        after="runs/wgangp_mnist",
    ),
)


RECIPES += (
    RECIPES[-1].change(
        name="inversion_adam_mnist",
        summary="encoder of a trained WGAN-GP's images, as inversion_mnist but by steps that learn (recommended)",
        optimizers=CUT,  # ours: A.2's steps leave the encoder as it began (README.md)
    ),
)


def smoke(recipe: Recipe) -> Recipe:
    """As that of `wgangp_mnist`, which the inversion may follow."""
    return augintae.smoke(recipe).change(width=wgangp.SMOKES[0].backbone.width)


SMOKES = tuple(map(smoke, RECIPES))
