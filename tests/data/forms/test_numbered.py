"""Batches by their number."""

import time

import pytest
import tensorflow as tf

from kerasinterp.data.forms.numbered import check_numbers, numbered
from kerasinterp.errors import InputError

ENDS = {"batch_size": (1, 2**31 - 1), "seed": (-(2**63), 2**63 - 1), "start_step": (0, 2**40), "steps": (0, 2**40)}


@pytest.mark.parametrize("name", ENDS)
def test_numbers_may_be_what_tensorflow_counts_in(name):
    usual = {"batch_size": 4, "seed": 0, "start_step": 0, "steps": None}
    for end, beyond in zip(ENDS[name], (-1, 1), strict=True):
        check_numbers(**usual | {name: end})
        with pytest.raises(InputError, match=f"{name} is a whole number from {ENDS[name][0]} to {ENDS[name][1]}, not"):
            check_numbers(**usual | {name: end + beyond})


def test_batches_come_in_order_however_long_one_takes():
    def slowly(step):
        if step == 3:
            time.sleep(0.4)
        return step

    def batch(step):
        return {"step": tf.ensure_shape(tf.py_function(slowly, [step], tf.int64), [])}

    several = tf.data.Options()
    several.threading.private_threadpool_size = 4  # on one processor too
    assert [int(one["step"]) for one in numbered(batch, 3, 5).with_options(several)] == [3, 4, 5, 6, 7]
