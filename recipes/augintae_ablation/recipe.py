"""What makes AugIntAE faithful, one change at a time from `base`: the recommended variant without its `ends`.

Printed digits in, Greek and Cyrillic letters out, which no other report uses: this is where choices are made
(README.md has the table). Run by `kerasinterp train augintae_ablation_blocks_1`, say.
"""

from kerasinterp.recipes.augintae_maps import recipe as maps

from kerasinterp.recipe import Backbone, Data, Optimizer, Recipe, Schedule, Target

MOVED = {"rotation": 20.0, "translation": 4.0, "scale": 0.2, "shear": 6.0}  # AugIntAE A.1
BASE = maps.RECIPES[0].change(
    data=Data(
        source="glyphs",
        split="digits+more_digits",
        form="triplets",
        form_options=MOVED,
    ),
    schedule=Schedule(batch_size=32, images_per_epoch=8_192, epochs=4, snapshot_every=1),
    target=Target(
        target="glyphs_scripts",
        target_split="scripts",
        target_options={"where": {"script": ["greek", "cyrillic"]}},
        judge_steps=1000,
        samples=2000,
    ),
)
VECTOR = {"backbone": Backbone("infogan", 32, 32), "mixing": "spherical"}
VARIANTS: dict[str, dict] = {
    "base": {},
    "AE": {"objective": "AE"},
    "IntAE": {"objective": "IntAE"},
    # Triplets: how often C is A
    "ends_0.25": {"data": {"form_options": {**MOVED, "ends": 0.25}}},
    "ends_0.5": {"data": {"form_options": {**MOVED, "ends": 0.5}}},  # recommended (`augintae_maps`)
    # Networks
    "vector_32": VECTOR,  # the paper's networks at half their width
    "paper": VECTOR | {"objective_options": {}, "batch_size": 128, "optimizers": {"all": Optimizer(1e-3)}},
    "vector_128": {"backbone": Backbone("infogan", 32, 128)},
    "acai": {"backbone": {"module": "acai", "width": 16, "options": {"scales": 2}}},
    "maps_2": {"latent_size": 2},
    "maps_16": {"latent_size": 16},
    "blocks_0": {"backbone": {"options": {"blocks": 0}}},
    "blocks_1": {"backbone": {"options": {"blocks": 1}}},
    "blocks_3": {"backbone": {"options": {"blocks": 3}}},
    # The adversary
    "paper_adversary": {"objective_options": {}},  # one batch of real and fake, labels -1 and 1
    # Steps
    "batch_16": {"batch_size": 16},
    "batch_64": {"batch_size": 64},
    "batch_128": {"batch_size": 128},
    "paper_rate": {"optimizers": {"all": Optimizer(1e-3)}},  # A.1's, constant
    "averaged": {"optimizers": {"all": Optimizer(4e-3, averaging=0.99)}},
    # Sources
    "digits_alone": {"split": "digits"},
}

RECIPES = tuple(
    BASE.change(
        name=f"augintae_ablation_{name}",
        summary=f"printed digits -> Greek and Cyrillic letters: {name.replace('_', ' ')}",
        **changes,
    )
    for name, changes in VARIANTS.items()
)


def smoke(recipe: Recipe) -> Recipe:
    return maps.smoke(recipe).change(split=recipe.data.split, epochs=1, samples=200)


SMOKES = tuple(map(smoke, RECIPES))
