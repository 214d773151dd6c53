"""AEAI and its rivals on one object of COIL-100: `<system>_coil100` (AEAI section 4).

Run by `kerasinterp train aeai_coil100`, or side by side by `kerasinterp compare coil100 AEAI ACAI AMR --output DIR`.
"""

import dataclasses

from kerasinterp.recipes.pole import recipe as pole

from kerasinterp.recipe import of_systems

BASE = pole.BASE.change(
    name="coil100",
    summary="one object of COIL-100 on its turntable, 16 x 16 (AEAI section 4.1)",
    data={
        "source": "coil100",
        "source_options": {"where": {"object_id": "obj1"}},  # one object a model, AEAI 4.1; ours: the first
    },
)
# Ours, chosen on the third object: there are a tenth of the pole's images, and a heavier adversary blurs.
RECIPES = of_systems(
    BASE,
    pole.systems(dataclasses.replace(pole.AVERAGED, rate=5e-4), adversarial=1e-3, cycle=1e-3, smoothness=1e-3),
)
SMOKES = tuple(map(pole.smoke, RECIPES))
