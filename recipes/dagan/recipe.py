"""DAGAN from MNIST digits to handwritten letters (AugIntAE section 5.1, figure 6, A.5).

Run as a script, or by `kerasinterp train dagan_mnist`.
"""

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.wgangp import recipe as wgangp

# A.5: the networks and hyperparameters of WGAN-GP; the critic, alone, sees pairs.
RECIPE = wgangp.MNIST.change(
    name="dagan_mnist",
    summary="DAGAN on MNIST digits -> handwritten letters, 28 x 28 (AugIntAE A.5)",
    objective="DAGAN",
    form="pairs",
)
SMOKE = wgangp.smoke(RECIPE)

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    train_and_report(RECIPE, "runs/dagan_mnist")
