"""The neural statistician from MNIST digits to handwritten letters, and on Omniglot (AugIntAE A.5, table 2).

Run as a script, or by `kerasinterp train neural_statistician_mnist`.
"""

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.augintae_mnist import recipe as mnist
from kerasinterp.recipes.augintae_omniglot import recipe as omniglot

from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule

MNIST = Recipe(
    name="neural_statistician_mnist",
    summary="the neural statistician, MNIST digits -> handwritten letters, 28 x 28 (AugIntAE table 2)",
    objective="NeuralStatistician",
    data=Data(
        source="mnist",
        image_size=28,
        channels=1,
        form="sets",
        form_options={"size": 5},  # official code
    ),
    backbone=Backbone(
        module="statistician",
        width=64,  # official code
        latent_size=16,  # official code, of z
        options={"context_size": 512},  # official code, of c
    ),
    optimizers={"all": Optimizer(rate=1e-3, clip=0.5)},  # official code
    schedule=Schedule(
        batch_size=5 * 32,  # official code: 32 sets
        images_per_epoch=60_000,  # one pass: each image leads a set every five epochs
        epochs=300,  # official code
        snapshot_every=10,
    ),
    target=mnist.RECIPE.target,
)
OMNIGLOT = MNIST.change(
    name="neural_statistician_omniglot",
    summary="the neural statistician, Omniglot training -> test alphabets, 28 x 28 (AugIntAE table 2)",
    source="omniglot",
    images_per_epoch=19_280,  # one pass
    target=omniglot.RECIPE.target,
)
RECIPES = (MNIST, OMNIGLOT)


def smoke(recipe: Recipe) -> Recipe:
    return recipe.change(
        split="train[:5000]",
        backbone={"width": 8, "options": {"context_size": 32}},
        images_per_epoch=1_600,
        epochs=2,
        snapshot_every=1,
        samples=500,
        judge_steps=100,
    )


SMOKES = tuple(smoke(recipe) for recipe in RECIPES)

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    train_and_report(MNIST, "runs/neural_statistician_mnist")
