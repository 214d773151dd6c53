"""AugIntAE from MNIST digits to handwritten letters (AugIntAE section 5.1, table 2).

Run as a script, or by `kerasinterp train augintae_mnist`.
"""

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, Target

RECIPE = Recipe(
    name="augintae_mnist",
    summary="MNIST digits -> handwritten letters, 28 x 28 (AugIntAE table 2)",
    data=Data(
        source="mnist",
        image_size=28,  # AugIntAE A.1
        channels=1,
        form="triplets",
        form_options={"rotation": 20.0, "translation": 4.0, "scale": 0.2, "shear": 6.0},  # A.1
    ),
    backbone=Backbone(
        module="infogan",  # A.1
        width=64,  # openai/InfoGAN
        latent_size=32,  # A.1
    ),
    optimizers={"all": Optimizer(rate=1e-3)},  # A.1: Adam, constant for adversarial models
    schedule=Schedule(
        batch_size=128,  # ours: the paper gives none
        images_per_epoch=60_000,  # one pass
        epochs=100,  # A.1
        snapshot_every=1,
    ),
    target=Target(
        target="handwritten_az",  # ours: the paper's EMNIST letters are not to be had everywhere
        target_split="train+test",
        target_without=tuple(map("ABCDEFGHIJKLMNOPQRSTUVWXYZ".index, "BDGIOQSZ")),  # ours: they look like digits
    ),
)


def smoke(recipe: Recipe) -> Recipe:
    return recipe.change(split="train[:5000]", width=16, images_per_epoch=2_560, epochs=2, samples=500, judge_steps=100)


SMOKE = smoke(RECIPE)

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    train_and_report(RECIPE, "runs/augintae_mnist")
