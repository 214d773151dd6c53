import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import apply
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp import generation
from kerasinterp.errors import InputError
from kerasinterp.nn import infogan
from kerasinterp.objectives import DAGAN, WGANGP

COUNT = 10  # in five slices


def batch():
    return networks.batch_for(WGANGP)


def test_contract(tmp_path):
    run_objective_test(lambda: networks.make(WGANGP), batch(), tmp_path)


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(lambda: networks.make(WGANGP), batch())


def fixed(monkeypatch, model, **draws):
    """Lets the model draw what is given: arrays by `normal` and `uniform`."""
    for name, value in draws.items():
        monkeypatch.setattr(model, name, lambda *shape, _value=value: tf.constant(_value, tf.float32))


def test_terms_follow_the_paper(monkeypatch):
    """Gulrajani et al., algorithm 1, with AugIntAE A.1's latents; the slope of a linear critic is its matrix."""
    model, rng = networks.make(WGANGP), np.random.default_rng(5)
    images, noise, epsilon = batch()["c"], rng.normal(size=(COUNT, networks.LATENT)), rng.uniform(size=COUNT)
    fixed(monkeypatch, model, normal=noise, uniform=epsilon)
    found = model.terms({"c": tf.constant(images)}, training=True)
    assert set(found) == {"penalty", "difference", "fooling", "wasserstein"}
    latents = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    real, fake = (apply(model.critic, x)[:, 0] for x in (images, apply(model.generator, latents)))
    slope = np.linalg.norm(model.critic.weights[0].numpy().astype(float))
    np.testing.assert_allclose(found["penalty"], np.full(COUNT, (slope - 1.0) ** 2), rtol=1e-4)
    np.testing.assert_allclose(found["difference"], fake - real, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["fooling"], -fake, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["wasserstein"], np.mean(real - fake), rtol=1e-4)
    assert model.term_weights == {"penalty": 10.0, "difference": 1.0, "fooling": 1.0}


def test_the_penalty_is_taken_between_real_and_fake_images_at_a_place_of_each(monkeypatch):
    """A critic whose slope at x is x: the penalty tells where it was taken."""
    given = keras.Input(networks.SHAPE)
    flat = keras.layers.Flatten()(given)
    square = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)(keras.layers.Multiply()([flat, flat]))
    halved = keras.layers.Rescaling(0.5)(square)
    model, rng = networks.make(WGANGP, critic=keras.Model(given, halved)), np.random.default_rng(6)
    images, noise, epsilon = batch()["c"], rng.normal(size=(COUNT, networks.LATENT)), rng.uniform(size=COUNT)
    fixed(monkeypatch, model, normal=noise, uniform=epsilon)
    found = model.terms({"c": tf.constant(images)}, training=True)["penalty"]
    fake = apply(model.generator, noise / np.linalg.norm(noise, axis=1, keepdims=True))
    between = [e * real + (1.0 - e) * made for e, real, made in zip(epsilon, images, fake, strict=True)]
    expected = [(np.linalg.norm(x) - 1.0) ** 2 for x in between]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_five_critic_steps_to_one_of_the_generator():
    model = networks.make(WGANGP)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    logs = model.train_on_batch(batch(), return_dict=True)
    assert (int(model.critic_optimizer.iterations), int(model.generator_optimizer.iterations)) == (5, 1)
    expected = 10.0 * logs["penalty"] + logs["difference"]
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)  # the critic's
    with pytest.raises(InputError, match="A batch of 6 cannot be cut into 5 equal slices"):
        model.train_on_batch(networks.batch_for(WGANGP, 6))


def test_new_latents_lie_on_the_sphere_in_every_direction():
    model = networks.make(WGANGP)
    drawn = model.prior(20_000, seed=3).numpy()
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(networks.LATENT) / networks.LATENT, atol=0.02)
    made = generation.sample(model, 5, seed=1)
    assert made.shape == (5, *networks.SHAPE)
    np.testing.assert_array_equal(made, generation.sample(model, 5, seed=1))
    with pytest.raises(InputError, match="WGANGP has no encoder to take images: it makes images from its prior alone"):
        generation.few_shot(model, batch()["c"], 2)


@pytest.mark.parametrize(
    "layer", [keras.layers.BatchNormalization(), keras.layers.GroupNormalization(1)], ids=lambda layer: layer.name
)
@pytest.mark.parametrize("cls", [WGANGP, DAGAN])
def test_a_critic_that_normalises_over_images_is_refused(cls, layer):
    channels = networks.SHAPE[2] * cls.nets()["critic"].images
    given = keras.Input((*networks.SHAPE[:2], channels))
    inner = keras.Model(given, type(layer).from_config(layer.get_config())(given))
    critic = keras.Model(given, keras.layers.Dense(1)(keras.layers.Flatten()(inner(given))))
    with pytest.raises(InputError, match="normalises over a batch or group: build it by the critic of nn"):
        networks.make(cls, critic=critic)


def test_discriminators_are_refused_and_critics_taken():
    common = {"generator": infogan.decoder(width=2, latent_size=3)}
    WGANGP(critic=infogan.critic(width=2), **common)
    with pytest.raises(InputError, match="over a batch"):
        WGANGP(critic=infogan.discriminator(width=2), **common)
