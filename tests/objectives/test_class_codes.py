import networks
import numpy as np
import pytest

from kerasinterp.errors import InputError
from kerasinterp.objectives import SCOLA

K = 3
CLUSTERS = np.array([0, 2, 2, 0, 2, 0])


def make():
    """Three classes, of which one is not known."""
    model = networks.make(SCOLA, classes=K)
    model.latents.assign(np.random.default_rng(0).normal(size=(6, networks.LATENT)))
    model.clusters.assign(CLUSTERS)
    return model


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_another_class_s_part_is_the_mean_of_its_codes():
    """Appendix B; the variation stays, both parts are on their spheres."""
    model, classes = make(), np.array([2, 0, 2])
    z = model.latents.numpy()
    codes = 2.0 * z[[0, 1, 5]]
    expected = np.stack([z[one == CLUSTERS, :K].mean(axis=0) for one in classes])
    found = model.with_class(codes, classes).numpy()
    np.testing.assert_allclose(found[:, :K], unit(expected), rtol=1e-5)
    np.testing.assert_allclose(found[:, K:], unit(codes[:, K:]), rtol=1e-5)


def test_classes_are_those_of_which_there_are_codes():
    model = make()
    np.testing.assert_array_equal(model.known_classes, [0, 2])
    for refused in (lambda: model.with_class(model.latents[:1], [1]), lambda: model.prior_of([1])):
        with pytest.raises(InputError, match="knows no image of class 1: it has 0, 2"):
            refused()


def test_the_prior_is_of_known_classes_in_turn_at_any_spread():
    model = make()
    for spread in (1.0, 0.2):
        drawn = model.prior(5, 4, spread).numpy()
        np.testing.assert_array_equal(drawn, model.prior_of(np.array([0, 2, 0, 2, 0]), 4, spread).numpy())
    np.testing.assert_array_equal(model.prior(5, 4), model.prior(5, 4, 1.0))
