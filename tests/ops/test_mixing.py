import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.ops import mixing


def reference(a, b, t):
    """SLERP in float64 with lengths interpolated linearly."""
    a, b = a.astype(float), b.astype(float)
    length_a, length_b = np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(b, axis=1, keepdims=True)
    a, b = a / length_a, b / length_b
    angle = np.arccos(np.clip(np.sum(a * b, axis=1, keepdims=True), -1, 1))
    direction = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return direction * ((1 - t) * length_a + t * length_b)


def test_slerp_against_float64():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 500, 32)).astype(np.float32)
    t = rng.uniform(size=(500, 1))
    np.testing.assert_allclose(mixing.slerp(tf.constant(a), tf.constant(b), t[:, 0]), reference(a, b, t), atol=5e-6)


def test_slerp_of_near_latents():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(50, 32))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    for distance in (1e-2, 1e-3, 1e-5):
        b = a + distance * np.roll(a, 1, axis=1)
        b /= np.linalg.norm(b, axis=1, keepdims=True)
        found = mixing.slerp(tf.constant(a, tf.float32), tf.constant(b, tf.float32), 0.3)
        np.testing.assert_allclose(found, reference(a, b, 0.3), atol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_ends_and_degenerate_pairs_are_finite(t):
    a = tf.constant([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 0.0]])
    for b in (a, -a, tf.zeros_like(a)):
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            mixed = mixing.slerp(a, b, t)
        gradients = tape.gradient(mixed, [a, b])
        assert np.isfinite(mixed).all()
        assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_the_weight_is_the_second_latents():
    a, b = tf.constant([[1.0, 0.0]]), tf.constant([[0.0, 1.0]])
    for mix in (mixing.Linear(), mixing.Spherical()):
        np.testing.assert_allclose(mix(a, b, 0.0), a, atol=1e-6)
        np.testing.assert_allclose(mix(a, b, tf.constant([1.0])), b, atol=1e-6)
    np.testing.assert_allclose(mixing.slerp(a, b, 0.5), [[0.5**0.5, 0.5**0.5]], atol=1e-6)
    np.testing.assert_allclose(mixing.lerp(a, b, 0.25), [[0.75, 0.25]], atol=1e-6)


# What each kind draws, followed by hand from the uniform numbers that it gets.

MAPS = (6, 2, 2, 5)


@pytest.fixture
def draws(monkeypatch):
    """Every uniform number drawn, in float64, an array a call."""
    seen, rng = [], np.random.default_rng(3)

    def uniform(shape, minval=0.0, maxval=1.0, seed=None):
        seen.append(rng.uniform(minval, maxval, [int(size) for size in shape]))
        return tf.constant(seen[-1], tf.float32)

    monkeypatch.setattr(keras.random, "uniform", uniform)
    return seen


@pytest.mark.parametrize("shape", [(6, 5), MAPS])
@pytest.mark.parametrize("kind", [mixing.Linear(), mixing.PerFeature(), mixing.Bernoulli(), mixing.Dirichlet(3)])
def test_draws_follow_the_paper(kind, shape, draws):
    """AMR eq. 3 and 4, and its code's two others: which latents meet, and at what weights."""
    h = np.random.default_rng(4).normal(size=shape).astype(np.float32)
    found = kind.draw(tf.constant(h), keras.random.SeedGenerator(0)).numpy()
    ones = [1] * (len(shape) - 1)
    match kind:
        case mixing.Linear():  # a = one number an example, the weight of its own latent
            a = draws[0].reshape(6, *ones)
            expected = a * h + (1 - a) * h[::-1]
        case mixing.PerFeature():
            assert draws[0].shape == (6, *ones[1:], 5)
            expected = draws[0] * h + (1 - draws[0]) * h[::-1]
        case mixing.Bernoulli():  # p an example, then a number a feature
            p, numbers = draws
            assert p.shape == (6, *ones) and numbers.shape == (6, *ones[1:], 5)
            expected = np.where(numbers < p, h, h[::-1])
        case mixing.Dirichlet():
            weights = -np.log(draws[0]) / -np.log(draws[0]).sum(axis=0)
            np.testing.assert_allclose(weights.sum(axis=0), 1.0)
            expected = sum(weights[n].reshape(6, *ones) * np.roll(h, n, axis=0) for n in range(3))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_dirichlet_weights_have_their_law():
    """Of Dirichlet(1, 1, 1) each weight has mean 1/3 and variance 1/18; within five standard errors of 3,000 draws."""
    one_hot = tf.reshape(tf.tile(tf.eye(3), [1000, 1]), [3000, 3])  # rolled, the three are all kinds: weights show
    weights = mixing.Dirichlet(3).draw(one_hot, keras.random.SeedGenerator(0)).numpy()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(weights.mean(axis=0), 1 / 3, atol=5 * np.sqrt(1 / 18 / 3000))
    np.testing.assert_allclose(weights.var(axis=0), 1 / 18, rtol=0.15)


@pytest.mark.parametrize("shape", [(4, 40), (4, 3, 2, 40)])
def test_a_bernoulli_path_moves_its_features_from_the_first_to_the_second(shape):
    """AMR eq. 4: each feature is one latent's or the other's, the same one at all positions and on all paths."""
    a, b = tf.zeros(shape), tf.ones(shape)
    mix = mixing.Bernoulli()
    np.testing.assert_array_equal(mix(a, b, 0.0), a)
    np.testing.assert_array_equal(mix(a, b, 1.0), b)
    before = np.zeros(40)
    for t in (0.2, 0.5, 0.8):
        found = mix(a, b, t).numpy().reshape(-1, 40)
        np.testing.assert_array_equal(found, np.broadcast_to(found[0], found.shape))
        assert set(found[0]) <= {0.0, 1.0} and (found[0] >= before).all()  # none goes back
        assert found[0].mean() == pytest.approx(t, abs=0.25)
        before = found[0]
    np.testing.assert_array_equal(mix(a, b, 0.8).numpy().reshape(-1, 40)[0], before)
    ends = mix(a, b, tf.constant([0.0, 1.0, 0.0, 1.0])).numpy().reshape(4, -1)
    np.testing.assert_array_equal(ends, np.broadcast_to([[0.0], [1.0], [0.0], [1.0]], ends.shape))


def test_maps_mix_linearly_at_a_weight_an_example():
    a, b = np.random.default_rng(0).normal(size=(2, 3, 2, 2, 4)).astype(np.float32)
    t = np.array([0.0, 0.25, 1.0], np.float32)
    expected = [(1 - weight) * x + weight * y for weight, x, y in zip(t, a, b, strict=True)]
    for mix in (mixing.lerp, mixing.Linear(), mixing.PerFeature(), mixing.Dirichlet()):
        np.testing.assert_allclose(mix(tf.constant(a), tf.constant(b), t), expected, rtol=1e-5, atol=1e-6)


def test_slerp_ends_at_its_latents_whatever_the_other_is():
    a = tf.constant([[3.0, 0.0, -4.0]])
    for other in (a, -a, 1e3 * a, tf.zeros_like(a)):
        np.testing.assert_allclose(mixing.slerp(a, other, 0.0), a, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(mixing.slerp(other, a, 1.0), a, rtol=1e-4, atol=1e-4)


def test_slerp_of_half_precision_is_computed_in_float32():
    a, b = tf.constant([[1.0, 0.5]], tf.float16), tf.constant([[0.25, 2.0]], tf.float16)
    found = mixing.slerp(a, b, tf.constant(0.3, tf.float16))
    assert found.dtype == tf.float32
    t = float(np.float16(0.3))
    np.testing.assert_allclose(found, reference(np.array([[1.0, 0.5]]), np.array([[0.25, 2.0]]), t), atol=1e-5)


def test_vectors_shorter_than_a_thousandth_count_as_of_that_length():
    """So their direction fades out, and the gradient stays below 1,000."""
    tiny, b = tf.constant([[1e-6, 0.0]]), tf.constant([[0.0, 1.0]])
    with tf.GradientTape() as tape:
        tape.watch(tiny)
        mixed = mixing.slerp(tiny, b, 0.5)
    assert 0 < np.linalg.norm(tape.gradient(mixed, tiny)) < 1000
    expected = (1e-3 * np.array([1.0, 0.0]) * np.sin(np.pi / 4) + np.array([0.0, 1.0]) * np.sin(np.pi / 4)) * 0.5005
    np.testing.assert_allclose(mixed[0], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", mixing.BY_NAME)
def test_the_kinds_are_frozen_values_that_configurations_keep(name):
    kind = mixing.BY_NAME[name]
    assert type(kind).__name__ == name.title().replace("_", "")
    assert type(kind).from_config(kind.get_config()) == kind
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(kind)) == kind
    assert kind.at_any_weight == (name in ("linear", "spherical"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind.k = 5


def test_dirichlet_mixes_three_unless_told_otherwise():
    assert mixing.Dirichlet().get_config() == {"k": 3}
    assert mixing.Dirichlet(2).draw(tf.ones((4, 3)), keras.random.SeedGenerator(0)).shape == (4, 3)
    with pytest.raises(InputError, match="k = 2"):
        mixing.Dirichlet(1)


def test_dirichlet_draws_from_all_of_0_to_1(monkeypatch):
    """Uniform numbers above 0, so that no logarithm is infinite, and near enough to it to be Dirichlet's."""
    asked = []
    uniform = keras.random.uniform
    monkeypatch.setattr(keras.random, "uniform", lambda *a, **k: asked.append(a) or uniform(*a, **k))
    mixing.Dirichlet().draw(tf.ones((4, 3)), keras.random.SeedGenerator(0))
    ((_, low, high),) = asked
    assert 0 < low <= 1e-6 and high == 1.0


@pytest.mark.parametrize(
    ("kind", "suited", "unsuited", "said"),
    [
        (mixing.Spherical(), (8,), (4, 4, 8), "for latent vectors"),
        (mixing.PerFeature(), (4, 4, 2), (4, 4, 1), "these latents have one"),
        (mixing.Bernoulli(), (2,), (1,), "these latents have one"),
    ],
)
def test_latents_that_cannot_be_mixed_so(kind, suited, unsuited, said):
    kind.check(suited)
    with pytest.raises(InputError, match=said):
        kind.check(unsuited)
    mixing.Linear().check(unsuited)
