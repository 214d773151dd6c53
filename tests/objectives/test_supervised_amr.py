import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import LABELS, LATENT, SHAPE, apply, cross_entropy, euclidean, linear
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.errors import InputError
from kerasinterp.objectives import SupervisedAMR
from kerasinterp.ops.mixing import Bernoulli


def make(**options):
    parts = {name: networks.linear_networks(normalised=False)[name] for name in ("encoder", "decoder")}
    images, labels = keras.Input(SHAPE), keras.Input((LABELS,))
    score, classes = linear(SHAPE, (1,), 31), linear(SHAPE, (LABELS,), 32)
    discriminator = keras.Model(images, [score(images), classes(images)])
    mixer = keras.Model(labels, keras.layers.Activation("sigmoid")(linear((LABELS,), (LATENT,), 33)(labels)))
    return SupervisedAMR(**parts, **{"discriminator": discriminator, "mixer": mixer} | options)


def labelled_batch():
    labels = np.random.default_rng(2).integers(0, 2, (6, LABELS)).astype(np.float32)
    return networks.image_batch() | {"labels": labels}


@pytest.mark.parametrize("soft", [pytest.param(False, marks=pytest.mark.slow), True])
def test_contract(soft, tmp_path):
    run_objective_test(lambda: make(soft=soft), labelled_batch(), tmp_path, held="" if soft else "stop_gradient")


@pytest.mark.slow
def test_contract_compiled():
    run_slow_objective_test(make, labelled_batch())


@pytest.mark.parametrize("soft", [False, True])
def test_terms_follow_the_paper(soft, monkeypatch):
    """AMR eq. 5 and 6, for given draws."""
    model, batch = make(soft=soft), labelled_batch()
    x, y = batch["c"], batch["labels"]
    rng = np.random.default_rng(1)
    alpha, draws = rng.uniform(size=(6, 1)), rng.uniform(size=(6, LATENT))
    model.uniform = lambda *shape: tf.constant(alpha if shape[-1] == 1 else draws, tf.float32)
    monkeypatch.setattr(Bernoulli, "draw", lambda self, latents, _: latents[::-1])
    z = apply(model.encoder, x)
    y_mixed = alpha * y + (1 - alpha) * y[::-1]
    p = 1 / (1 + np.exp(-y_mixed @ model.mixer.weights[0].numpy()))
    m = p if soft else (draws < p).astype(float)
    by_labels = m * z + (1 - m) * z[::-1]
    reconstruction, mix, labelled = (apply(model.decoder, h) for h in (z, z[::-1], by_labels))

    def judge(images):
        score, classes = (weight.numpy() for weight in model.discriminator.weights)
        flat = images.reshape(6, -1)
        return flat @ score, flat @ classes

    fake, fake_mix, fake_class = judge(reconstruction)[0], judge(mix)[0], judge(labelled)[0]
    norm = np.linalg.norm
    expected = {
        "reconstruction": euclidean(x - reconstruction),
        "fooling": cross_entropy(fake, 1.0),
        "fooling_mix": cross_entropy(fake_mix, 1.0),
        "fooling_class": cross_entropy(fake_class, 1.0),
        "class_of_mix": cross_entropy(judge(labelled)[1], y_mixed),
        "consistency": norm(z[::-1] - apply(model.encoder, mix), axis=1)
        + norm(by_labels - apply(model.encoder, labelled), axis=1),
        "real": cross_entropy(judge(x)[0], 1.0),
        "fake": cross_entropy(fake, 0.0),
        "fake_mix": cross_entropy(fake_mix, 0.0),
        "fake_class": cross_entropy(fake_class, 0.0),
        "class": cross_entropy(judge(x)[1], y),
    }
    found = model.terms({key: tf.constant(value) for key, value in batch.items()}, training=True)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5, err_msg=name)


def test_unlabelled_or_unsuitable_parts_are_refused():
    model = make()
    model.compile("adam", run_eagerly=True)
    with pytest.raises(InputError, match="attributes"):
        model.train_on_batch(networks.image_batch())
    for labels in (np.zeros(6, np.int64), np.zeros((6, LABELS + 1), np.float32)):
        with pytest.raises(InputError, match=rf"attributes are \(B, {LABELS}\)"):
            model.train_on_batch(networks.image_batch() | {"labels": labels})
    with pytest.raises(InputError, match="classes=k"):
        make(discriminator=linear(SHAPE, (1,), 1))
    with pytest.raises(InputError, match="4 features"):
        make(mixer=linear((LABELS,), (7,), 1))
