"""What a few steps and an evaluation make of every system, on linear networks, as `trained.json` has it.

The papers' equations are tested one by one beside this; here no number of training changes unseen.
`PYTHONPATH=tests/objectives python -m tests.objectives.test_trained` writes the file anew after a change that is meant.
"""

import pathlib
from typing import Any

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.objectives import OBJECTIVES
from tests import held

PATH = pathlib.Path(__file__).with_name("trained.json")
STEPS = 4


def trained(name: str) -> dict[str, Any]:
    cls = OBJECTIVES[name]
    model = networks.make_with_statistics(cls)
    model.compile({player.name: keras.optimizers.SGD(0.02) for player in model.players}, run_eagerly=True)
    slices = max(player.every for player in model.players)
    count = -(-8 // slices) * slices
    steps = [model.train_on_batch(networks.batch_for(cls, count, seed), return_dict=True) for seed in range(STEPS)]
    found = {f"step {number}": logs for number, logs in enumerate(steps)}
    found["evaluated"] = model.evaluate(
        tf.data.Dataset.from_tensors(networks.batch_for(cls, count, 7)), verbose=0, return_dict=True
    )
    found["weights"] = {
        one: sum(np.abs(value).sum() for value in getattr(model, one).get_weights()) for one in model.network_names()
    }
    return found


@pytest.mark.parametrize("name", OBJECTIVES)
def test_systems_train_as_they_did(name):
    held.check_numbers(PATH, name, trained(name))


if __name__ == "__main__":
    held.write(PATH, {name: held.flat(trained(name)) for name in OBJECTIVES})
