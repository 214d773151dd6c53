"""AMR and ACAI on points of a spiral in the plane (AMR appendix 5.2): `amr_beta<b>_spiral`, `acai_spiral`."""

import dataclasses

from kerasinterp.recipe import Recipe

BASE = Recipe(
    name="amr_spiral",
    summary="AMR on a spiral in the plane, beta 0 (AMR 5.2)",
    source="spiral",
    source_split="train",
    target=None,
    target_split="test",
    transformations=None,
    objective="AMR",
    objective_options={"weights": {"reconstruction": 10.0, "consistency": 0.0}},  # AMR 5.2: lambda 10, beta 0
    backbone="mlp",
    width=128,  # ours
    latent_size=2,  # ours: the paper gives none
    batch_size=64,
    images_per_epoch=10_000,
    epochs=100,  # AMR 5.2; 200 and 300 in figure 8
    learning_rate=1e-3,  # ours
    adam_betas=(0.5, 0.99),
    snapshot_every=10,
)
RECIPES = (
    BASE,
    *(
        dataclasses.replace(
            BASE,
            name=f"amr_beta{beta:g}_spiral",
            summary=f"AMR on a spiral in the plane, beta {beta:g} (AMR 5.2)",
            objective_options={"weights": {"reconstruction": 10.0, "consistency": beta}},
        )
        for beta in (0.1, 10.0, 100.0)  # AMR figure 7
    ),
    dataclasses.replace(
        BASE,
        name="acai_spiral",
        summary="ACAI on a spiral in the plane (AMR 5.2)",
        objective="ACAI",
        objective_options={"weights": {"reconstruction": 10.0}},  # AMR figure 8
    ),
)
SMOKES = tuple(dataclasses.replace(one, images_per_epoch=640, epochs=2, snapshot_every=1) for one in RECIPES)
