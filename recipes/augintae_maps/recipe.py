"""AugIntAE on maps: what we recommend for new images of unseen classes (the paper's own networks: `augintae_mnist`).

The objective and its triplets are the paper's; networks, mixing, batch and rate are ours, chosen on printed digits in,
Greek and Cyrillic letters out, which no report uses (README.md).

Run as a script, or by `kerasinterp train augintae_maps_omniglot`.
"""

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.augintae_mnist import recipe as mnist
from kerasinterp.recipes.augintae_omniglot import recipe as omniglot

from kerasinterp.recipe import Backbone, Optimizer, Recipe

ON_MAPS = {
    # Half of the triplets reconstruct: less turning than without, and more of the class (`augintae_ablation`).
    "form_options": {**mnist.RECIPE.data.form_options, "ends": 0.5},
    # Latents as maps keep what an unseen class looks like; blocks that see the whole image let it turn.
    "backbone": Backbone(
        module="convolutional",
        width=32,
        latent_size=4,
        options={"blocks": 2},
        networks={"discriminator": {"width": 16}},
    ),
    "mixing": "linear",  # of maps
    "optimizers": {"all": Optimizer(rate=4e-3, cuts=(0.7,))},
    "batch_size": 32,
    # The weaker adversary, which k soon switches off: with the paper's, turning takes longer to learn.
    "objective_options": {"joint": False, "fake_label": 0.0},
}

RECIPES = (
    mnist.RECIPE.change(
        name="augintae_maps_mnist",
        summary="MNIST digits -> handwritten letters, 28 x 28, on maps (recommended)",
        epochs=17,  # 1,020,000 images
        **ON_MAPS,
    ),
    omniglot.RECIPE.change(
        name="augintae_maps_omniglot",
        summary="Omniglot training -> test alphabets, 28 x 28, on maps (recommended)",
        epochs=52,  # 1,002,560 images
        **ON_MAPS,
    ),
)


def smoke(recipe: Recipe) -> Recipe:
    return mnist.smoke(recipe).change(width=8)


SMOKES = tuple(map(smoke, RECIPES))

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    for one in RECIPES:
        train_and_report(one, f"runs/{one.name}")
