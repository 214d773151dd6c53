"""What generative models can represent of classes that they never saw (AugIntAE section 3, figure 2; table 1).

A VAE and an autoencoder on MNIST, and an encoder that is learned for MNIST's WGAN-GP once that is trained:

    kerasinterp train vae_mnist
    kerasinterp train plain_ae_mnist
    kerasinterp train wgangp_mnist && kerasinterp train inversion_mnist

README.md has what they are compared by (`figure_2.py`) and what came out.
"""

from kerasinterp.recipes.augintae_mnist import recipe as augintae

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
        # Ours, the paper gives none: the variance of pixels is the squared error that table 1 has of its VAE on MNIST.
        objective_options={"weights": {"reconstruction": 0.5 / (4 * 5.92 / 255)}},
        optimizers=CUT,
    ),
    augintae.RECIPE.change(
        name="plain_ae_mnist",
        summary="autoencoder without an adversary, MNIST digits -> handwritten letters (AugIntAE table 1)",
        objective="PlainAE",
        mixing="spherical",  # A.1
        optimizers=CUT,
    ),
)


def smoke(recipe: Recipe) -> Recipe:
    return augintae.smoke(recipe)


SMOKES = tuple(map(smoke, RECIPES))
