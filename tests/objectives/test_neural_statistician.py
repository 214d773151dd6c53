import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import SET, apply
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp import generation
from kerasinterp.data import sets
from kerasinterp.errors import InputError
from kerasinterp.objectives import NeuralStatistician
from kerasinterp.ops.parts import in_parts


def make():
    return networks.make(NeuralStatistician)


def test_contract(tmp_path):
    run_objective_test(make, networks.set_batch(), tmp_path)


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(make, networks.set_batch())


def halves(statistics):
    return np.split(statistics, 2, axis=-1)


def kl(mean, log_variance, other=0.0, log_other=0.0):
    """Of Gaussians, in closed form, feature by feature."""
    variance, of = np.exp(log_variance), np.exp(log_other)
    return 0.5 * (log_other - log_variance - 1 + (variance + (mean - other) ** 2) / of)


@pytest.mark.parametrize("emphasis", [1.0, 0.25, 0.0])
def test_terms_follow_the_paper(monkeypatch, emphasis):
    """Edwards and Storkey, equation 8 and section 4; the official code's division by sets and images."""

    def normal(shape, *_, **__):
        return np.random.default_rng(5).normal(size=tuple(int(n) for n in shape)).astype(np.float32)

    monkeypatch.setattr(keras.random, "normal", lambda shape, *_, **__: tf.constant(normal(shape)))
    model, batch = make(), networks.set_batch()
    model.emphasis.assign(emphasis)
    found = model.terms({"c": tf.constant(batch["c"])}, training=True)
    count = len(batch["c"])
    noise_of_c, noise_of_z = normal((count, networks.CONTEXT)), normal((count * SET, networks.LATENT))
    noise_of_z = noise_of_z.reshape(count, SET, -1)
    expected = {"reconstruction": [], "context_divergence": [], "latent_divergence": [], "bound": []}
    for one, images in enumerate(batch["c"]):  # a set
        h = apply(model.image_encoder, images)
        mean, log_variance = halves(apply(model.statistic_network, h.mean(axis=0, keepdims=True))[0])
        c = mean + np.exp(log_variance / 2) * noise_of_c[one]
        of_context = kl(mean, log_variance).sum()
        prior = halves(apply(model.latent_decoder, c[np.newaxis])[0])
        errors, divergences = [], []
        for x, h_i, noise in zip(images, h, noise_of_z[one], strict=True):
            q = halves(apply(model.inference_network, np.concatenate([h_i, c])[np.newaxis])[0])
            z = q[0] + np.exp(q[1] / 2) * noise
            p = 1 / (1 + np.exp(-apply(model.observation_decoder, np.concatenate([z, c])[np.newaxis])[0]))
            ink = (x + 1) / 2
            errors.append(-(ink * np.log(p) + (1 - ink) * np.log(1 - p)).sum())
            divergences.append(kl(*q, *prior).sum())
        expected["reconstruction"].append((1 + emphasis) * np.sum(errors) / SET)
        expected["context_divergence"].append(of_context / (1 + emphasis) / SET)
        expected["latent_divergence"].append(np.sum(divergences) / (1 + emphasis) / SET)
        expected["bound"].append((np.sum(errors) + of_context + np.sum(divergences)) / SET)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)


def test_the_emphasis_is_halved_after_each_epoch():
    model = make()
    model.compile("adam", run_eagerly=True)
    data = tf.data.Dataset.from_tensors(networks.set_batch()).repeat(2)
    assert float(model.emphasis) == 1.0
    model.fit(data, epochs=3, verbose=0)
    assert float(model.emphasis) == 0.125
    model.fit(data, epochs=1, verbose=0, callbacks=[Stop()])  # an epoch that is not whole
    assert float(model.emphasis) == 0.125


class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = True


def test_a_resumed_run_is_equal_to_the_bit(tmp_path):
    data = tf.data.Dataset.from_tensors(networks.set_batch()).repeat(2)
    whole, part = make(), make()
    for model, epochs in ((whole, 3), (part, 1)):
        model.compile(keras.optimizers.Adam(0.01, clipvalue=0.5), run_eagerly=True)
        model.fit(data, epochs=epochs, verbose=0)
    part.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert float(again.emphasis) == 0.5
    again.run_eagerly = True
    again.fit(data, initial_epoch=1, epochs=3, verbose=0)
    assert float(again.emphasis) == float(whole.emphasis) == 0.125
    for one, other in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


# New images


@pytest.mark.parametrize("count", [1, 2, 7])
def test_new_images_are_the_pixels_means_given_the_seeds(count):
    """c is the mean of q(c|seeds), and z is drawn from p(z|c)."""
    model = make()
    seeds = np.random.default_rng(1).uniform(-1, 1, (count, *networks.SHAPE)).astype(np.float32)
    made = model.few_shot(seeds, 5, seed=3)
    assert made.shape == (5, *networks.SHAPE) and made.dtype == np.float32
    h = apply(model.image_encoder, seeds).mean(axis=0, keepdims=True)
    c = halves(apply(model.statistic_network, h))[0]
    mean, log_variance = halves(apply(model.latent_decoder, c))
    z = mean + np.exp(log_variance / 2) * np.random.default_rng(3).standard_normal((5, networks.LATENT))
    logits = apply(model.observation_decoder, np.concatenate([z, np.repeat(c, 5, 0)], 1))
    np.testing.assert_allclose(made, 2 / (1 + np.exp(-logits)) - 1, rtol=1e-3, atol=1e-5)


def test_the_same_seed_gives_the_same_images_of_any_number(monkeypatch):
    model = make()
    seeds = np.random.default_rng(1).uniform(-1, 1, (4, *networks.SHAPE)).astype(np.float32)
    made = generation.few_shot(model, seeds, 6, seed=2)
    assert made.tobytes() == generation.few_shot(model, seeds, 6, seed=2).tobytes()
    assert np.abs(made - generation.few_shot(model, seeds, 6, seed=4)).max() > 1e-3
    np.testing.assert_allclose(generation.few_shot(model, seeds, 2, seed=2), made[:2], atol=1e-5)
    monkeypatch.setattr(in_parts, "__kwdefaults__", {"size": 4})
    np.testing.assert_allclose(generation.few_shot(model, seeds, 6, seed=2), made, atol=1e-5)
    assert (model.image_shape, model.latent_shape) == (networks.SHAPE, (networks.LATENT,))


def test_a_saved_model_makes_the_same_images(tmp_path):
    model = make()
    seeds = np.random.default_rng(1).uniform(-1, 1, (4, *networks.SHAPE)).astype(np.float32)
    model.save(tmp_path / "model.keras")
    again = generation.load_model(tmp_path / "model.keras")
    assert again.few_shot(seeds, 3, 1).tobytes() == model.few_shot(seeds, 3, 1).tobytes()
    with pytest.raises(InputError, match="NeuralStatistician has no prior to draw codes from"):
        generation.sample(again, 3)


# What is refused


def test_single_images_are_refused():
    model = make()
    model.compile("adam", run_eagerly=True)
    with pytest.raises(
        InputError, match=r"learns from sets of a class, and was given single images: pass .*data\.sets"
    ):
        model.train_on_batch(networks.image_batch())


def test_sets_of_uint8_are_trained_on():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, *networks.SHAPE), np.uint8)
    model = make()
    model.compile("adam", run_eagerly=True)
    model.fit(sets(images, 2, 3, labels=np.arange(8) % 2, steps=2), verbose=0)
    assert int(model.step) == 2


def test_networks_that_do_not_fit_are_refused():
    wide = keras.Input((networks.CONTEXT + 1,))
    with pytest.raises(InputError, match=r"The latent_decoder takes shape .*, where the statistic_network has"):
        networks.make(NeuralStatistician, latent_decoder=keras.Model(wide, keras.layers.Dense(2 * 4)(wide)))
    sets_of = keras.Input((None, networks.EMBEDDING + 1))
    pooled = keras.layers.Dense(2 * networks.CONTEXT)(keras.layers.GlobalAveragePooling1D()(sets_of))
    with pytest.raises(InputError, match=r"The statistic_network takes shape \(6,\), where the image_encoder has \(5,"):
        networks.make(NeuralStatistician, statistic_network=keras.Model(sets_of, pooled))
