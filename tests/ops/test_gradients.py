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
