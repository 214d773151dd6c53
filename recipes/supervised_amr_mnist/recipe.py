"""SupervisedAMR on MNIST, with binary attributes of the digits in place of CelebA's (AMR section 3.1)."""

from kerasinterp.recipes.amr_mnist.recipe import BASE

# Ours: what can be seen of a digit: has a closed loop, has a straight stroke, is odd.
ATTRIBUTES = {
    "0": (1, 0, 0),
    "1": (0, 1, 1),
    "2": (0, 1, 0),
    "3": (0, 0, 1),
    "4": (0, 1, 0),
    "5": (0, 1, 1),
    "6": (1, 0, 0),
    "7": (0, 1, 1),
    "8": (1, 0, 0),
    "9": (1, 1, 1),
}
RECIPE = BASE.change(
    name="supervised_amr_mnist",
    summary="SupervisedAMR on MNIST digits and three of their attributes, 32 x 32",
    objective="SupervisedAMR",
    mixing="bernoulli",
    attributes=ATTRIBUTES,
)
SMOKE = RECIPE.change(width=4, images_per_epoch=1_280, epochs=2)
