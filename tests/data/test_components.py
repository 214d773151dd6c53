import numpy as np
import pytest

from kerasinterp.data import components
from kerasinterp.data.components import principal_components


def reference(images: np.ndarray, count: int) -> np.ndarray:
    rows = images.reshape(len(images), -1) / 127.5 - 1
    rows = rows - rows.mean(axis=0)
    _, _, directions = np.linalg.svd(rows, full_matrices=False)
    return rows @ directions[:count].T


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(4, 6, 5, 3)) * np.array([60, 30, 15, 8]).reshape(4, 1, 1, 1)
    weights = rng.normal(size=(40, 4))
    return np.clip(128 + np.tensordot(weights, basis, 1) / 4, 0, 255).astype(np.uint8)


def test_they_are_those_of_a_singular_value_decomposition_but_for_signs(images):
    found, expected = principal_components(images, 3), reference(images, 3)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-4)
    assert found.dtype == np.float32


def test_of_many_images_some_tell_the_directions_and_all_have_places(images, monkeypatch):
    monkeypatch.setattr(components, "_MOST", 20)
    found = principal_components(images, 2)
    some = images[np.unique(np.linspace(0, 39, 20).astype(int))]
    np.testing.assert_allclose(
        found[np.unique(np.linspace(0, 39, 20).astype(int))], principal_components(some, 2), atol=1e-5
    )
    assert found.shape == (40, 2)


def test_directions_that_are_not_there_are_0(images):
    found = principal_components(images[:3], 5)
    assert np.abs(found[:, :2]).min() > 1e-3 and not found[:, 2:].any()
    assert not principal_components(np.full((2, 2, 2, 1), 9, np.uint8), 2).any()
