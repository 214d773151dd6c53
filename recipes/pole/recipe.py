"""AEAI's pole and its rivals: `<system>_pole` (AEAI section 4).

Run by `kerasinterp train aeai_pole`, or side by side by `kerasinterp compare pole AEAI ACAI AMR --output DIR`.
"""

import dataclasses

from kerasinterp.recipe import Recipe

# Every loss of AEAI switched off in turn (appendix B).
ABLATIONS = {
    f"AEAI_without_{term}": {"objective_options": {"weights": {term: 0.0}}}
    for term in ("adversarial", "cycle", "smoothness")
} | {
    "AEAI_reconstruction": {
        "objective_options": {"weights": dict.fromkeys(("adversarial", "cycle", "smoothness"), 0.0)}
    }
}
SYSTEMS = {
    "AEAI": {},
    "PlainAE": {"objective_options": {"reconstruction_loss": "squared"}},
    "BetaVAE": {},
    "AAE": {},
    "ACAI": {},
    "GAIA": {},
    "AMR": {},
    **ABLATIONS,
}

BASE = Recipe(
    name="pole",
    summary="the pole's shadow as the light turns, 32 x 32 (AEAI section 4.1)",
    source="pole/32",
    source_split="train",
    source_share=0.8,  # AEAI 2.3
    target=None,
    target_split="train",
    transformations=None,
    image_size=32,  # ours: small enough for a CPU; AEAI gives no size
    channels=3,
    backbone="vgg",  # AEAI 2.3
    width=16,  # AEAI 2.3: from 16 maps on
    latent_size=256,  # AEAI 4.2
    mixing="linear",  # AEAI 2.1
    batch_size=32,  # ours
    images_per_epoch=1_152,
    # Ours, chosen on COIL-100's second object, of which no figure is reported:
    epochs=60,
    learning_rate=3e-3,
    adversary_learning_rate=5e-4,
    learning_rate_cuts=(0.75,),
    adam_betas=(0.5, 0.999),  # usual with a discriminator (DCGAN)
    snapshot_every=30,
)


def named(base: Recipe) -> tuple[Recipe, ...]:
    """The recipe of each system on the data of `base`."""
    return tuple(
        dataclasses.replace(
            base,
            name=f"{label.lower()}_{base.name}",
            summary=f"{label.replace('_', ' ')} on {base.summary}",
            objective=label.split("_")[0],
            **options,
        )
        for label, options in SYSTEMS.items()
    )


def smoke(recipe: Recipe) -> Recipe:
    return dataclasses.replace(recipe, width=4, latent_size=16, images_per_epoch=320, epochs=2, snapshot_every=1)


RECIPES = named(BASE)
SMOKES = tuple(map(smoke, RECIPES))
