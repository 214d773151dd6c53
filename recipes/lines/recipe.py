"""Every system on ACAI's lines, whose in-betweens are known: `<system>_lines` and the small `<system>_lines16`.

Run by `kerasinterp train acai_lines`, or side by side by `kerasinterp compare lines PlainAE ACAI AMR --output DIR`.
"""

import dataclasses

from kerasinterp.recipe import Recipe

# ACAI's baseline minimises squares (official ae.py). Absolute errors are least for an empty image: a line is thin.
SQUARED = {"reconstruction_loss": "squared"}
# Ours: a decoder's deviation of 0.1; one of 1 makes an empty image the cheapest, and the latent carries nothing.
SHARP = {"objective_options": {"weights": {"reconstruction": 50.0}}}
# AMR section 3's discriminator, spectrally normalised, at a fifth of the rate; any other wins before there is a line.
NORMALISED = {"discriminator_backbone": "resnet", "adam_betas": (0.5, 0.999)}

# What each system changes; the rest is ACAI's setting (official acai.py, lib/train.py), the same for all.
SYSTEMS = {
    "PlainAE": {"objective_options": SQUARED},
    "DenoisingAE": {},
    "VAE": SHARP,
    "BetaVAE": SHARP,
    "AAE": SHARP,
    "ACAI": {},
    "AE": {"objective_options": SQUARED, "mixing": "linear"} | NORMALISED,  # convolutional latents are mixed linearly
    "IntAE": {"objective_options": SQUARED, "mixing": "linear"} | NORMALISED,
    # lambda and beta: ours; with AMR's 10 and 1 for MNIST the codes shrink until they carry nothing.
    "ARAE": {"objective_options": SQUARED | {"weights": {"reconstruction": 200.0}}} | NORMALISED,
    "AMR": {"objective_options": SQUARED | {"weights": {"reconstruction": 200.0, "consistency": 0.01}}} | NORMALISED,
    "GAIA": {"objective_options": SQUARED, "learning_rate": 1e-4},  # its code's
    # As on the pole: the paper's smoothness, 1e-1, draws in-betweens to the pixel fade.
    "AEAI": {"objective_options": {"weights": dict.fromkeys(("adversarial", "cycle", "smoothness"), 1e-3)}}
    | NORMALISED,
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


def _named(base: Recipe) -> tuple[Recipe, ...]:
    return tuple(
        dataclasses.replace(
            base,
            name=f"{system.lower()}_{base.name}",
            summary=f"{system} on {base.summary}",
            objective=system,
            adversary_learning_rate=base.learning_rate / 5 if "discriminator_backbone" in options else None,
            **options,
        )
        for system, options in SYSTEMS.items()
    )


RECIPES = (*_named(OFFICIAL), *_named(SMALL))
SMOKES = tuple(dataclasses.replace(one, width=4, images_per_epoch=2_560, epochs=2, snapshot_every=1) for one in RECIPES)
