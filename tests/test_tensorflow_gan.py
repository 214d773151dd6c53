"""The adapter: light to import, usable where training uses it, and no trace left in `sys.modules`."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp import _tensorflow_gan as gan

NONE = {"reduction": tf.compat.v1.losses.Reduction.NONE, "loss_collection": None}


def test_nothing_needs_probability_or_hub_and_no_stand_in_stays_behind():
    code = (
        "import sys; from kerasinterp import _tensorflow_gan as gan; assert 'tensorflow' not in sys.modules;"
        "[getattr(gan, name) for name in gan.__all__];"
        "print([m for m in ('tensorflow_probability', 'tensorflow_hub', 'tf_keras', 'tensorflow_gan',"
        "'tensorflow_gan.python') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_least_squares_losses_equal_their_equations():
    """Mao et al. (2017), equation 2 with the labels of AugIntAE: real 1, fake 0."""
    generator = np.random.default_rng(0)
    real, fake = generator.normal(size=(2, 6, 1)).astype(np.float32)
    np.testing.assert_allclose(gan.least_squares_generator_loss(fake, **NONE), (fake - 1) ** 2 / 2, rtol=1e-6)
    np.testing.assert_allclose(
        gan.least_squares_discriminator_loss(tf.constant(real), tf.constant(fake), **NONE),
        (real - 1) ** 2 / 2 + fake**2 / 2,
        rtol=1e-6,
    )


def test_generator_loss_in_a_function_under_mirrored_strategy():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    variable = tf.Variable([[0.5], [2.0]])

    @tf.function
    def gradient():
        def step():
            with tf.GradientTape() as tape:
                loss = gan.least_squares_generator_loss(variable, **NONE)
            return loss, tape.gradient(loss, variable)

        return strategy.run(step)

    loss, slope = gradient()
    np.testing.assert_allclose(loss, [[0.125], [0.5]])
    np.testing.assert_allclose(slope, [[-0.5], [1.0]])


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="wasserstein_generator_losses"):
        getattr(gan, "wasserstein_generator_losses")  # noqa: B009
