"""Every system on ACAI's lines, whose in-betweens are known: `<system>_lines` and the small `<system>_lines16`.

Run by `kerasinterp train acai_lines`, or side by side by `kerasinterp compare lines PlainAE ACAI AMR --output DIR`.
"""

from kerasinterp.recipes.pole import recipe as pole

from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, Target, of_systems

# ACAI's baseline minimises squares (official ae.py). Absolute errors are least for an empty image: a line is thin.
SQUARED = {"reconstruction_loss": "squared"}


def _systems(rate: float, width: int) -> dict[str, dict]:
    """What each system changes; the rest is ACAI's setting (official acai.py, lib/train.py), the same for all."""
    # AMR section 3's discriminator, spectrally normalised, at a fifth of the rate: ACAI's critic wins too early.
    normalised = {
        "backbone": {"networks": {"discriminator": {"module": "resnet"}}},
        "optimizers": {
            "all": Optimizer(rate, betas=(0.5, 0.999)),
            "others": Optimizer(rate / 5, betas=(0.5, 0.999)),
        },
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
        "GAIA": {"objective_options": SQUARED, "backbone": pole.judges(width)},
        # Ours: nearly the pole's weights; here ACAI's critic at half the rate serves as discriminator.
        "AEAI": {
            "objective_options": {"weights": {"adversarial": 5e-2, "cycle": 1e-3, "smoothness": 1e-3}},
            "optimizers": {"others": Optimizer(rate / 2)},
        },
    }


OFFICIAL = Recipe(
    name="lines",
    summary="lines at every angle, 32 x 32, the official setting (ACAI section 4.1)",
    data=Data(
        source="lines",
        image_size=32,  # ACAI 4.1
        channels=1,
    ),
    backbone=Backbone(
        module="acai",
        width=16,  # official: depth 16
        latent_size=16,  # official: 16 channels
        options={"scales": 4},  # official: latent width 2
    ),
    optimizers={"all": Optimizer(1e-4)},  # official
    schedule=Schedule(
        batch_size=64,  # official
        images_per_epoch=16_384,
        epochs=1024,  # official: 2^24 images
        snapshot_every=3,
    ),
    target=Target(yardstick="lines"),
)
SMALL = OFFICIAL.change(
    name="lines16",
    summary="lines at every angle, 16 x 16, small enough to converge on a laptop",
    source="lines/16",
    image_size=16,
    backbone={"width": 8, "latent_size": 8, "options": {"scales": 3}},
    optimizers={"all": Optimizer(1e-3)},  # ours: for fewer steps
    epochs=64,
    snapshot_every=8,
)


RECIPES = tuple(
    one
    for base in (OFFICIAL, SMALL)
    for one in of_systems(base, _systems(base.optimizers["all"].rate, base.backbone.width))
)
SMOKES = tuple(one.change(width=4, images_per_epoch=2_560, epochs=2, snapshot_every=1) for one in RECIPES)
