"""AMR and ACAI on points of a spiral in the plane (AMR appendix 5.2): `amr_beta<b>_spiral`, `acai_spiral`."""

from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, Target, of_systems

BASE = Recipe(
    name="spiral",
    summary="a spiral in the plane (AMR 5.2)",
    data=Data(source="spiral", form="points"),
    backbone=Backbone(
        module="mlp",
        width=128,  # ours
        latent_size=2,  # ours: the paper gives none
    ),
    optimizers={"all": Optimizer(rate=1e-3, betas=(0.5, 0.99))},  # rate: ours
    schedule=Schedule(
        batch_size=64,
        images_per_epoch=10_000,
        epochs=100,  # AMR 5.2; 200 and 300 in figure 8
        snapshot_every=10,
    ),
    target=Target(yardstick="points"),
)


def _amr(consistency: float) -> dict[str, object]:
    weights = {"reconstruction": 10.0, "consistency": consistency}  # AMR 5.2: lambda 10
    return {"objective_options": {"weights": weights, "reconstruction_loss": "absolute"}}  # released code


RECIPES = of_systems(
    BASE,
    {
        "AMR": _amr(0.0),
        **{f"AMR_beta{beta:g}": _amr(beta) for beta in (0.1, 10.0, 100.0)},  # AMR figure 7
        "ACAI": {"objective_options": {"weights": {"reconstruction": 10.0}}},  # AMR figure 8
    },
)
SMOKES = tuple(one.change(images_per_epoch=640, epochs=2, snapshot_every=1) for one in RECIPES)
