import keras
import numpy as np
import pytest
import tensorflow as tf
from stand_in import SHAPE, Generator, images

from kerasinterp.errors import InputError
from kerasinterp.generation import encode, first_codes, inversion, load_generator, refine

LATENT = 3


def linear(seed: int = 0, activation: str = "linear") -> keras.Model:
    codes = keras.Input((LATENT,))
    initializer = keras.initializers.RandomNormal(stddev=0.5, seed=seed)
    x = keras.layers.Dense(16, activation, kernel_initializer=initializer)(codes)
    return keras.Model(codes, keras.layers.Reshape(SHAPE)(x))


def descended(matrix, target, code, steps, rate):
    """A.2 by hand: z <- z - rate d/dz mean |z W - x|, of one image in float64."""
    errors = [np.abs(code @ matrix - target).mean()]
    for _ in range(steps):
        code = code - rate * matrix @ np.sign(code @ matrix - target) / target.size
        errors.append(np.abs(code @ matrix - target).mean())
    return code, errors


@pytest.mark.parametrize("steps", [7, 50, 120])
def test_steps_are_those_of_subgradient_descent(steps):
    network = linear()
    matrix = network.weights[0].numpy().astype(float)
    rng = np.random.default_rng(1)
    codes, targets = rng.normal(size=(20, LATENT)).astype(np.float32), images(20, seed=2)
    found = refine(network, targets, codes, steps=steps, rate=0.02)
    assert found.errors.shape == (steps + 1, 20) and found.codes.dtype == np.float32
    for n in range(20):
        code, errors = descended(matrix, targets[n].ravel().astype(float), codes[n], steps, 0.02)
        np.testing.assert_allclose(found.errors[:, n], errors, atol=2e-3)
        np.testing.assert_allclose(found.codes[n], code, atol=2e-2)
    assert (found.errors[-1] < found.errors[0]).all()


def test_the_papers_constants_are_the_defaults():
    network, codes = linear(), np.ones((2, LATENT))
    whole = refine(network, images(2), codes)
    assert len(whole.errors) == 1001
    np.testing.assert_array_equal(whole.codes, refine(network, images(2), codes, steps=1000, rate=0.01).codes)


def small_network() -> keras.Model:
    """Convolutions and normalisation, as generators have them."""
    keras.utils.set_random_seed(0)
    codes = keras.Input((LATENT,))
    x = keras.layers.Dense(4 * 4 * 5)(codes)
    x = keras.layers.Reshape((4, 4, 5))(keras.layers.BatchNormalization()(x))
    return keras.Model(codes, keras.layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh")(x))


def test_each_image_goes_its_own_way_to_the_bit():
    network, given = small_network(), images(37, seed=3, shape=(8, 8, 1))
    whole = refine(network, given, steps=60, rate=0.5, seed=2)
    again = refine(small_network(), given, steps=60, rate=0.5, seed=2)
    order = np.random.default_rng(0).permutation(37)
    shuffled = refine(network, given[order], steps=60, rate=0.5, seed=2)
    for mine, theirs in zip(whole, again, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(shuffled.codes, whole.codes[order])
    np.testing.assert_array_equal(shuffled.errors, whole.errors[:, order])
    for n in (0, 16, 36):
        alone = refine(network, given[n], steps=60, rate=0.5, seed=2)
        np.testing.assert_array_equal(alone.codes[0], whole.codes[n])
        np.testing.assert_array_equal(alone.errors[:, 0], whole.errors[:, n])


def test_an_encoders_codes_come_first(model):
    given = images(3)
    np.testing.assert_allclose(first_codes(model, given), encode(model, given), atol=1e-6)
    errors = np.abs(given - encode(model, given).reshape(given.shape)).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(refine(model, given, steps=5).errors[0], errors, atol=1e-6)


def test_without_an_encoder_the_nearest_draw_comes_first():
    given, model = images(4), Generator()
    draws = model.prior(1024, 5).numpy()
    expected = [draws[np.abs(draws - one.ravel()).mean(axis=1).argmin()] for one in given]
    np.testing.assert_array_equal(first_codes(model, given, seed=5), expected)
    assert not np.array_equal(first_codes(model, given, seed=6), expected)


def test_a_keras_model_of_high_resolution_is_taken(tmp_path):
    """A PGAN's 512 x 512, on two layers."""
    codes = keras.Input((LATENT,))
    x = keras.layers.Reshape((4, 4, 3))(keras.layers.Dense(48)(codes))
    network = keras.Model(codes, keras.layers.UpSampling2D(128)(x))
    network.save(tmp_path / "generator.keras")
    loaded = load_generator(tmp_path / "generator.keras")
    target = np.asarray(network(np.full((1, LATENT), 0.1, np.float32)))
    found = refine(loaded, target, np.zeros((1, LATENT)), steps=20)
    assert found.errors[-1, 0] < found.errors[0, 0]
    assert inversion._batch_size((512, 512, 3)) == 1 and inversion._batch_size((28, 28, 1)) == 16


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": 0}, "steps is 0: give 1 to 1,000,000"),
        ({"steps": 10**6 + 1}, "steps is 1000001"),
        ({"rate": 0.0}, "rate is 0.0: give a step size above 0"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"images": images(1, shape=(5, 4, 1))}, "images are 5x4x1, but the model takes 4x4x1"),
        ({"codes": np.zeros((2, LATENT))}, r"codes have shape \(2, 3\): give 1 of shape \(3,\)"),
        ({"codes": np.zeros((1, 4))}, r"codes have shape \(1, 4\)"),
        ({"model": keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])}, "Sequential has no decoder to make"),
        ({"rate": 1e39, "steps": 9}, "the codes are no longer finite after 9 steps at rate 1e"),
    ],
)
def test_what_cannot_be_is_refused(change, sentence):
    asked = {"model": linear(activation="elu"), "images": images(1), "codes": None} | change
    with pytest.raises(InputError, match=sentence):
        refine(asked.pop("model"), asked.pop("images"), asked.pop("codes"), **asked)


def test_a_seed_out_of_range_is_refused():
    with pytest.raises(InputError, match="seed is -1"):
        first_codes(linear(), images(1), seed=-1)


def test_other_files_are_no_generators(tmp_path):
    classifier = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(3)])
    classifier.save(tmp_path / "classifier.keras")
    with pytest.raises(InputError, match="Sequential has no decoder to make images"):
        load_generator(tmp_path / "classifier.keras")
    of_any_size = keras.Sequential([keras.Input((None, None, LATENT)), keras.layers.UpSampling2D()])
    of_any_size.save(tmp_path / "any.keras")
    with pytest.raises(InputError, match=r"takes shape \(None, None, 3\) .*: build it with all sides"):
        load_generator(tmp_path / "any.keras")


def test_gradients_pass_no_weights():
    """The network stays as it is."""
    network = linear()
    before = [tf.identity(weight) for weight in network.weights]
    refine(network, images(2), steps=3)
    for weight, start in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(weight, start)
