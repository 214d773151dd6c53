import numpy as np
import tensorflow as tf

from kerasinterp.ops import gradients


def test_balance_is_equation_2_and_3():
    rng = np.random.default_rng(0)
    reconstruction, adversarial = rng.normal(size=(2, 5, 4, 4, 3)).astype(np.float32)
    adversarial *= np.array([1e-6, 1e-2, 1.0, 1e2, 1e6], np.float32).reshape(-1, 1, 1, 1)
    gamma = [np.linalg.norm(r) / np.linalg.norm(a) for r, a in zip(reconstruction, adversarial, strict=True)]
    expected = reconstruction + 0.3 * np.reshape(gamma, (-1, 1, 1, 1)) * adversarial
    np.testing.assert_allclose(
        gradients.balance(tf.constant(reconstruction), tf.constant(adversarial), 0.3), expected, rtol=1e-5, atol=1e-6
    )


def test_images_without_a_target_share_the_weight_of_those_that_have_one():
    reconstruction = np.zeros((3, 2, 1, 1), np.float32)
    reconstruction[0, 0], reconstruction[1, 0] = 1.0, 3.0
    adversarial = np.ones((3, 2, 1, 1), np.float32)
    balanced = gradients.balance(tf.constant(reconstruction), tf.constant(adversarial), 1.0).numpy()
    np.testing.assert_allclose(np.linalg.norm(balanced[2]), 2.0 * 2 / 3, rtol=1e-6)


def test_no_adversarial_gradient_is_no_division_by_zero():
    ones = np.ones((2, 2, 2, 1), np.float32)
    np.testing.assert_array_equal(gradients.balance(tf.constant(ones), tf.zeros_like(ones), 1.0), ones)


def test_norms_are_taken_over_each_image():
    gradient = np.random.default_rng(1).normal(size=(4, 3, 2, 5)).astype(np.float32)
    norms = gradients.image_norms(tf.constant(gradient))
    assert norms.shape == (4, 1, 1, 1)
    np.testing.assert_allclose(norms[:, 0, 0, 0], np.linalg.norm(gradient.reshape(4, -1), axis=1), rtol=1e-5)


def test_both_losses_weigh_the_same_in_sum_where_some_images_have_no_target():
    """k = 1: the norms of the adversarial parts add up to those of the reconstruction's, at any share of targets."""
    rng = np.random.default_rng(2)
    reconstruction, adversarial = rng.normal(size=(2, 6, 4, 4, 1)).astype(np.float32)
    reconstruction *= 1e-4  # as of a mean over pixels: however small, it is a target
    reconstruction[4:] = 0.0
    balanced = gradients.balance(tf.constant(reconstruction), tf.constant(adversarial), 1.0) - reconstruction
    of_reconstruction, of_adversarial = (
        np.linalg.norm(np.reshape(x, (6, -1)), axis=1) for x in (reconstruction, balanced)
    )
    np.testing.assert_allclose(of_adversarial[:4], 4 / 6 * of_reconstruction[:4], rtol=1e-5)
    np.testing.assert_allclose(of_adversarial[4:], 4 / 6 * of_reconstruction[:4].mean(), rtol=1e-5)
    np.testing.assert_allclose(of_adversarial.sum(), of_reconstruction.sum(), rtol=1e-5)


def test_no_target_at_all_leaves_no_gradient():
    zeros = np.zeros((2, 3, 3, 1), np.float32)
    np.testing.assert_array_equal(gradients.balance(tf.constant(zeros), tf.ones_like(zeros), 1.0), zeros)


def test_k_is_the_weight_of_the_adversarial_gradient():
    reconstruction, adversarial = tf.constant([[[[3.0]]]]), tf.constant([[[[-2.0]]]])
    for k in (0.0, 0.25, 1.0):
        np.testing.assert_allclose(gradients.balance(reconstruction, adversarial, k), [[[[3.0 - 3.0 * k]]]], rtol=1e-6)


def quadratic(seed=0):
    """A critic C(x) = a x + x A x / 2, whose slope is a + (A + A^T) x / 2, and these as arrays."""
    rng = np.random.default_rng(seed)
    a, matrix = rng.normal(size=(2 * 3 * 2,)), 0.3 * rng.normal(size=(2 * 3 * 2,) * 2)

    def critic(x):
        flat = tf.reshape(x, [-1, 12])
        return tf.reduce_sum(flat * a + 0.5 * flat * tf.matmul(flat, matrix, transpose_b=True), 1, keepdims=True)

    return critic, a, matrix


def test_the_penalty_is_algorithm_1s_at_a_point_of_its_own_for_each_pair():
    """Gulrajani et al. (2017), line 7, by the slope that the critic has in closed form."""
    critic, a, matrix = quadratic()
    rng = np.random.default_rng(1)
    real, fake, epsilon = *rng.normal(size=(2, 4, 2, 3, 2)), np.array([0.0, 1.0, 0.3, 0.8])
    found = gradients.penalty(critic, *map(tf.constant, (real, fake, epsilon)))
    x = np.stack([e * r + (1.0 - e) * f for e, r, f in zip(epsilon, real, fake, strict=True)]).reshape(4, -1)
    slopes = a + x @ (matrix + matrix.T) / 2.0
    assert found.shape == (4,)
    np.testing.assert_allclose(found, (np.linalg.norm(slopes, axis=1) - 1.0) ** 2, rtol=1e-5)


def test_the_penalty_of_points_and_at_no_slope_is_finite():
    weight = tf.Variable(tf.zeros((2, 1)))
    points = tf.random.stateless_normal((3, 2), [0, 0])
    with tf.GradientTape() as tape:
        found = gradients.penalty(lambda x: tf.matmul(x, weight), points, -points, tf.fill([3], 0.5))
    np.testing.assert_allclose(found, np.ones(3), rtol=1e-5)
    np.testing.assert_array_equal(tape.gradient(found, weight), np.zeros((2, 1)))
