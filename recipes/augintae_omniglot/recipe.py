"""AugIntAE from Omniglot's training alphabets to its test alphabets (AugIntAE section 5.1, table 2).

Run as a script, or by `kerasinterp train augintae_omniglot`.
"""

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.augintae_mnist import recipe as mnist

from kerasinterp.recipe import Target

RECIPE = mnist.RECIPE.change(
    name="augintae_omniglot",
    summary="Omniglot training -> test alphabets, 28 x 28 (AugIntAE table 2)",
    source="omniglot",
    images_per_epoch=19_280,  # one pass
    target=Target(
        target="omniglot",
        target_split="test",
        domain_by_class=True,  # ours: two classes alone are not told apart (75% of held-out images)
    ),
)
SMOKE = mnist.smoke(RECIPE)

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    train_and_report(RECIPE, "runs/augintae_omniglot")
