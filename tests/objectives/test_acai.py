import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import apply, squared
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.objectives import ACAI


def test_contract(tmp_path):
    run_objective_test(lambda: networks.make(ACAI), networks.image_batch(), tmp_path)


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(lambda: networks.make(ACAI), networks.image_batch())


def test_terms_follow_the_paper():
    """Berthelot et al., eq. 2-3, with the official code's gamma, folding of alpha and reversed batch."""
    model, batch = networks.make(ACAI, gamma=0.3), networks.image_batch()
    draws = np.random.default_rng(1).uniform(size=6)
    model.uniform = lambda *shape: tf.constant(draws, tf.float32)
    x, alpha = batch["c"].astype(float), 0.5 * draws[:, None]
    z = apply(model.encoder, x)
    reconstruction = apply(model.decoder, z)
    interpolated = apply(model.decoder, alpha * z + (1 - alpha) * z[::-1])
    predicted = apply(model.critic, interpolated)
    expected = {
        "reconstruction": squared(x - reconstruction),
        "fooling": squared(predicted),
        "coefficient": squared(predicted - alpha),
        "blend": squared(apply(model.critic, reconstruction + 0.3 * (x - reconstruction))),
    }
    found = model.terms({"c": tf.constant(batch["c"])}, training=True)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-6, err_msg=name)


def test_weights_are_the_official_ones():
    model = networks.make(ACAI)
    assert model.term_weights == {"reconstruction": 1.0, "fooling": 0.5, "coefficient": 1.0, "blend": 1.0}
