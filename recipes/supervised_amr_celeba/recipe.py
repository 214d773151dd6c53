"""SupervisedAMR on Celeb-A's faces and three of their attributes (AMR section 3.1)."""

from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, Target

RECIPE = Recipe(
    name="supervised_amr_celeba",
    summary="SupervisedAMR on Celeb-A faces and three of their attributes, 64 x 64 (AMR section 3.1)",
    data=Data(
        source="celeb_a",
        attributes=("Male", "Heavy_Makeup", "Wearing_Lipstick"),  # AMR 3.1
        image_size=64,  # AMR section 3
        channels=3,
    ),
    objective="SupervisedAMR",
    objective_options={
        "weights": {"reconstruction": 50.0, "consistency": 50.0},  # table 1; figure 9's faces
        "reconstruction_loss": "absolute",  # released code
    },
    mixing="bernoulli",
    backbone=Backbone(
        module="resnet",  # AMR section 3
        width=64,  # released code
        latent_size=512,  # AMR figure 11: 512 maps
    ),
    optimizers={
        "all": Optimizer(
            rate=2e-4,  # AMR 5.1
            betas=(0.5, 0.99),  # released code; the paper's appendix says (0.0, 0.99)
        )
    },
    schedule=Schedule(
        batch_size=64,  # released code
        images_per_epoch=162_770,  # one pass
        epochs=20,  # ours: the paper gives none
        snapshot_every=1,
    ),
    target=Target(yardstick="classes", target_split="test"),
)
SMOKE = RECIPE.change(width=4, latent_size=16, images_per_epoch=640, epochs=2)
