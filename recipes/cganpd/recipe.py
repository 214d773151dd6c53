"""CGAN-PD on small labelled samples, COLA's adversarial rival (section 4.2), plain and with DiffAugment.

Run as a script, or by `kerasinterp train cganpd_cifar10_small`; of five images a class with DiffAugment by
`cganpd_diffaugment_cifar10_small_5`.
"""

import dataclasses

from kerasinterp import processor, quiet

if __name__ == "__main__":
    processor.prepare()
    quiet.import_tensorflow()

from kerasinterp.recipes.scola import recipe as scola

from kerasinterp.recipe import Backbone, Optimizer, Recipe

_SLICE, _STEPS = 64, 1000


def rivals(recipe: Recipe) -> tuple[Recipe, Recipe]:
    """The recipe of SCOLA as CGAN-PD's on the same sample, plain and with DiffAugment."""
    name = recipe.name.removeprefix("scola_")
    optimizers = {"all": Optimizer(rate=2e-4, betas=(0.0, 0.9), to_zero=True)}  # mimicry
    plain = dataclasses.replace(recipe, optimizers=optimizers).change(
        name=f"cganpd_{name}",
        summary=recipe.summary.replace("SCOLA", "CGAN-PD"),
        objective="CGANPD",
        objective_options={},
        form_options={},
        backbone=Backbone(module="sngan", width=128, latent_size=128),  # mimicry
        batch_size=5 * _SLICE,  # five slices, the generator on the last (mimicry: n_dis 5, batches of 64)
        images_per_epoch=5 * _SLICE * _STEPS,  # ours
        epochs=100,  # mimicry: 100,000 steps of the generator
        snapshot_every=10,
    )
    augmented = plain.change(
        name=f"cganpd_diffaugment_{name}",
        summary=plain.summary.replace("CGAN-PD", "CGAN-PD with DiffAugment"),
        objective_options={"augmentation": ["color", "translation", "cutout"]},  # Zhao et al. (2020), CIFAR-10 at 10%
    )
    return plain, augmented


_SAMPLES = [one for one in scola.RECIPES if one.data.per_class and one.data.channels == 3]
RECIPES = tuple(rival for one in _SAMPLES for rival in rivals(one))
SMOKES = tuple(map(scola.smoke, RECIPES))

if __name__ == "__main__":
    from kerasinterp.compare import train_and_report

    for one in RECIPES:
        train_and_report(one, f"runs/{one.name}")
