"""Batches by their number."""

import time

import tensorflow as tf

from kerasinterp.data.forms.numbered import numbered


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
