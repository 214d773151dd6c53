"""Every system on ACAI's lines, whose in-betweens are known: `<system>_lines` and the small `<system>_lines16`.

Run by `kerasinterp train acai_lines`, or side by side by `kerasinterp compare lines PlainAE ACAI AMR --output DIR`.
"""

import dataclasses

from kerasinterp.recipes.pole import recipe as pole

from kerasinterp.recipe import Recipe, of_systems

# ACAI's baseline minimises squares (official ae.py). Absolute errors are least for an empty image: a line is thin.
SQUARED = {"reconstruction_loss": "squared"}


def _systems(learning_rate: float, width: int) -> dict[str, dict]:
    """What each system changes; the rest is ACAI's setting (official acai.py, lib/train.py), the same for all."""
    # AMR section 3's discriminator, spectrally normalised, at a fifth of the rate: ACAI's critic wins too early.
    normalised = {
        "discriminator_backbone": "resnet",
        "adversary_learning_rate": learning_rate / 5,
        "adam_betas": (0.5, 0.999),
    }
    adversarial = {"objective_options": SQUARED, "mixing": "linear"} | normalised  # latents are convolutional
    return {
        "PlainAE": {"objective_options": SQUARED},
        "DenoisingAE": {},
        "VAE": pole.SHARP,
        "BetaVAE": pole.SHARP,
        "AAE": pole.SHARP,
        "ACAI": {},
        "AE": adversarial,
        "IntAE": adversarial,
        # lambda and beta: ours; with AMR's 10 and 1 for MNIST the codes shrink until they carry nothing.
        "ARAE": {"objective_options": SQUARED | {"weights": {"reconstruction": 200.0}}} | normalised,
        "AMR": {"objective_options": SQUARED | {"weights": {"reconstruction": 200.0, "consistency": 0.01}}}
        | normalised,
        "GAIA": {"objective_options": SQUARED, "networks": pole.judges(width)},
        # Ours: nearly the pole's weights; here ACAI's critic at half the rate serves as discriminator.
        "AEAI": {
            "objective_options": {"weights": {"adversarial": 5e-2, "cycle": 1e-3, "smoothness": 1e-3}},
            "adversary_learning_rate": learning_rate / 2,
        },
    }


OFFICIAL = Recipe(
    name="lines",
    summary="lines at every angle, 32 x 32, the official setting (ACAI section 4.1)",
    source="lines",
    source_split="train",
    target=None,
    target_split="test",
    transformations=None,
    image_size=32,  # ACAI 4.1
    channels=1,
    backbone="acai",
    width=16,  # official: depth 16
    scales=4,  # official: latent width 2
    latent_size=16,  # official: 16 channels
    batch_size=64,  # official
    images_per_epoch=16_384,
    epochs=1024,  # official: 2^24 images
    learning_rate=1e-4,  # official
    snapshot_every=3,
)
SMALL = dataclasses.replace(
    OFFICIAL,
    name="lines16",
    summary="lines at every angle, 16 x 16, small enough to converge on a laptop",
    source="lines/16",
    image_size=16,
    width=8,
    scales=3,
    latent_size=8,
    learning_rate=1e-3,  # ours: for fewer steps
    epochs=64,
    snapshot_every=8,
)


RECIPES = tuple(one for base in (OFFICIAL, SMALL) for one in of_systems(base, _systems(base.learning_rate, base.width)))
SMOKES = tuple(dataclasses.replace(one, width=4, images_per_epoch=2_560, epochs=2, snapshot_every=1) for one in RECIPES)
