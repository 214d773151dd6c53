"""SupervisedAMR on MNIST, with binary attributes of the digits in place of CelebA's (AMR section 3.1)."""

import dataclasses

from kerasinterp.recipes.amr_mnist.recipe import BASE

# Ours: what can be seen of a digit. Rows are digits, columns: has a closed loop, has a straight stroke, is odd.
ATTRIBUTES = (
    (1, 0, 0),  # 0
    (0, 1, 1),  # 1
    (0, 1, 0),  # 2
    (0, 0, 1),  # 3
    (0, 1, 0),  # 4
    (0, 1, 1),  # 5
    (1, 0, 0),  # 6
    (0, 1, 1),  # 7
    (1, 0, 0),  # 8
    (1, 1, 1),  # 9
)
RECIPE = dataclasses.replace(
    BASE,
    name="supervised_amr_mnist",
    summary="SupervisedAMR on MNIST digits and three of their attributes, 32 x 32",
    objective="SupervisedAMR",
    mixing="bernoulli",
    attributes=ATTRIBUTES,
)
SMOKE = dataclasses.replace(RECIPE, width=4, images_per_epoch=1_280, epochs=2)
