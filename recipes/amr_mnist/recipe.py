"""AMR and its rivals on MNIST (AMR section 3's protocol; MNIST is that of its appendix 5.3): `<system>_mnist`.

Run by `kerasinterp train amr_mnist`, or side by side by `kerasinterp compare mnist ARAE ACAI AMR --output DIR`.
"""

from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, Target, of_systems

ABSOLUTE = {"reconstruction_loss": "absolute"}  # released code
BASE = Recipe(
    name="mnist",
    summary="MNIST digits, 32 x 32",
    data=Data(
        source="mnist",
        image_size=32,  # ACAI's, which AMR took over; they pad MNIST's 28, here it is enlarged
        channels=1,
    ),
    objective_options=ABSOLUTE | {"weights": {"reconstruction": 10.0, "consistency": 1.0}},  # lambda 10 on MNIST
    mixing="linear",  # AMR eq. 3
    backbone=Backbone(
        module="resnet",  # AMR section 3
        width=8,  # ours: an eighth of the released code's maps, for a CPU
        latent_size=32,  # ours
    ),
    optimizers={
        "all": Optimizer(
            rate=2e-4,  # AMR 5.1
            betas=(0.5, 0.99),  # released code; the paper's appendix says (0.0, 0.99)
        )
    },
    schedule=Schedule(
        batch_size=64,  # released code
        images_per_epoch=60_000,
        epochs=100,
        snapshot_every=1,
    ),
    target=Target(yardstick="classes", target_split="test"),
)
RECIPES = of_systems(
    BASE,
    {
        "AMR": {},
        "AMR_bernoulli": {"mixing": "bernoulli"},  # AMR eq. 4
        "ARAE": {"objective_options": ABSOLUTE | {"weights": {"reconstruction": 10.0}}},
        "ACAI": {"objective_options": {}, "backbone": {"module": "acai"}},  # the critic is ACAI's own
    },
)
SMOKES = tuple(one.change(width=4, images_per_epoch=1_280, epochs=2) for one in RECIPES)
