"""The learner: its interval, and that a run is the same whatever was learned before."""

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp import data
from kerasinterp.data.forms.triplets import HANDWRITTEN, transformed_at_random
from kerasinterp.evaluation.learner import Learner, interval, transformed_for_learning
from kerasinterp.nn import conv4
from tests.evaluation import toys


def test_an_interval_is_students():
    """Three values, mean 2, standard error 1 / sqrt 3, and t of 2 degrees of freedom at 97.5%: 4.3027."""
    found, half = interval("x", np.array([1.0, 2.0, 3.0])), 4.30265 / 3**0.5
    assert found == pytest.approx({"x": 2.0, "x_low": 2 - half, "x_high": 2 + half}, abs=1e-4)


def test_a_quarter_of_what_is_learned_from_stays_as_it_is():
    """So that images which no interpolation softened are known too; which, is drawn by the seed."""
    images = tf.constant(data.to_float(np.random.default_rng(0).integers(0, 256, (2000, 12, 12, 1), np.uint8)))

    def made(*seed: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = transformed_for_learning(images, HANDWRITTEN, tf.constant(seed, tf.int64)).numpy()
        kept = (drawn == images.numpy()).all(axis=(1, 2, 3))
        moved = transformed_at_random(images, HANDWRITTEN, tf.constant(seed, tf.int64)).numpy()
        np.testing.assert_array_equal(drawn[~kept], moved[~kept])
        return kept, drawn

    (kept, drawn), (others, _) = made(3, 5), made(3, 6)
    assert kept.mean() == pytest.approx(0.25, abs=0.03) and others.mean() == pytest.approx(0.25, abs=0.03)
    assert (kept & others).mean() == pytest.approx(0.0625, abs=0.02)
    np.testing.assert_array_equal(drawn, made(3, 5)[1])
    # Not by the numbers that say how each is transformed.
    assert not np.array_equal(kept, tf.random.stateless_uniform([2000], tf.constant([3, 5], tf.int64)) < 0.25)


def test_a_run_draws_anew_what_is_dropped():
    """A dropout's state is none of the weights: a run is the same whatever ran before, as after a restart."""
    images, labels = toys.images(0, 40)
    batches = tf.data.Dataset.from_tensors((data.to_float(images), labels)).repeat(3)
    found = []
    for before in ((), (1,)):
        learner = Learner((12, 12, 1), 2, 3, 4, conv4.classifier)
        for number in (*before, 0):
            learner.learn(batches, number)
        found.append(learner._model.get_weights())
    for first, again in zip(*found, strict=True):
        np.testing.assert_array_equal(first, again)


@pytest.mark.slow
def test_a_run_starts_anew_from_the_weights_of_its_number():
    images, labels = toys.images(0, 40)
    batch = data.to_float(images), labels
    batches = tf.data.Dataset.from_tensors(batch).repeat(120)
    learner = Learner((12, 12, 1), 2, 120, 4)
    found = []
    for number in (0, 1, 0):
        learner.learn(batches, number)
        found.append(learner._model.get_weights())
        assert (learner.verdicts(batch[0]) == labels).all()
        assert int(learner._optimizer.iterations) == 120
    assert all(np.array_equal(first, again) for first, again in zip(found[0], found[2], strict=True))
    assert not np.array_equal(found[0][0], found[1][0])
