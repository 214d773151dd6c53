import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import LATENT, SHAPE, apply, cross_entropy, squared
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.errors import InputError
from kerasinterp.nn.batch_normalization import BatchNormalization
from kerasinterp.objectives import AEAI
from kerasinterp.ops.mixing import Spherical


@pytest.mark.parametrize("points", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_contract(points, tmp_path):
    run_objective_test(lambda: networks.make(AEAI, points=points), networks.image_batch(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("points", [None, 2])
def test_contract_compiled(points):
    run_slow_objective_test(lambda: networks.make(AEAI, points=points), networks.image_batch())


@pytest.mark.parametrize("count", [6, 7])
@pytest.mark.parametrize("points", [None, 1, 4])
def test_terms_follow_the_paper(points, count):
    """AEAI eq. 1; the derivative by a finite difference of the linear decoder, which is exact."""
    model, batch = networks.make(AEAI, points=points), networks.image_batch(count)
    pairs = (count + 1) // 2
    drawn = np.random.default_rng(1).uniform(size=pairs)
    model.uniform = lambda *shape: tf.constant(drawn, tf.float32)
    x = batch["c"]
    z = apply(model.encoder, x)
    z_i, z_j = z[:pairs], z[-pairs:]
    values = [drawn[:, None]] if points is None else [np.full((pairs, 1), n / points) for n in range(points + 1)]
    mixed = np.concatenate([(1 - a) * z_i + a * z_j for a in values])
    decoded = apply(model.decoder, mixed)
    slope = np.concatenate([apply(model.decoder, z_j - z_i) for _ in values])
    fake = apply(model.discriminator, decoded)
    expected = {
        "reconstruction": squared(x - apply(model.decoder, z)),
        "adversarial": cross_entropy(fake, 1.0),
        "cycle": squared(mixed - apply(model.encoder, decoded)),
        "smoothness": squared(slope),
        "real": cross_entropy(apply(model.discriminator, x), 1.0),
        "fake": cross_entropy(fake, 0.0),
    }
    found = model.terms({"c": tf.constant(x)}, training=True)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def test_the_derivative_is_that_of_a_curved_decoder():
    """Against a central difference, through the mixing (here spherical) and the decoder."""
    latent = keras.Input((LATENT,))
    x = keras.layers.Dense(32, activation="tanh", kernel_initializer=keras.initializers.RandomNormal(seed=1))(latent)
    x = keras.layers.Dense(64, activation="tanh", kernel_initializer=keras.initializers.RandomNormal(seed=2))(x)
    decoder = keras.Model(latent, keras.layers.Reshape(SHAPE)(x))
    parts = {name: networks.linear_networks()[name] for name in ("encoder", "discriminator")}
    model = AEAI(**parts, decoder=decoder, mixing=Spherical())
    alpha, images = tf.constant([0.2, 0.5, 0.9]), networks.image_batch()["c"]
    model.uniform = lambda *shape: alpha
    z_i, z_j = tf.split(model.encoder(images), 2)
    h = 1e-2
    ahead, behind = (model.decoder(model.mixing(z_i, z_j, alpha + s * h)).numpy() for s in (1, -1))
    found = model.terms({"c": tf.constant(images)}, training=True)["smoothness"]
    np.testing.assert_allclose(found, squared((ahead - behind) / (2 * h)), rtol=1e-2)


def test_a_loss_that_is_switched_off_moves_nothing():
    """Appendix B: without the cycle term the encoder's and decoder's step is that of the other three."""

    def step(**options):
        model = networks.make(AEAI, points=2, **options)
        model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
        before = model.decoder.weights[0].numpy()
        logs = model.train_on_batch(networks.image_batch(), return_dict=True)
        return model.decoder.weights[0].numpy() - before, logs

    alone = [
        step(weights={"reconstruction": 0.0, "adversarial": 0.0, "cycle": 0.0, "smoothness": 0.0} | {term: weight})[0]
        for term, weight in (("reconstruction", 2.0), ("adversarial", 1e-2), ("smoothness", 1e-1))
    ]
    without, logs = step(weights={"cycle": 0.0})
    np.testing.assert_allclose(without, sum(alone), rtol=1e-3, atol=1e-6)
    assert logs["cycle"] > 0  # still logged


def test_perceptual_reconstruction(tmp_path):
    features = networks.linear(SHAPE, (5,), seed=77)
    model = networks.make(AEAI, perceptual=features)
    x = networks.image_batch()["c"]
    decoded = apply(model.decoder, apply(model.encoder, x))
    expected = squared(apply(features, x) - apply(features, decoded))
    found = model.terms({"c": tf.constant(x)}, training=True)["reconstruction"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    model.compile("adam")
    before = features.weights[0].numpy()
    model.train_on_batch({"c": x})
    np.testing.assert_array_equal(features.weights[0].numpy(), before)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.perceptual.weights[0].numpy(), before)


def test_the_features_teach_the_decoder():
    """The slope of L_R in a decoded image, along a line, against finite differences."""
    model = networks.make(AEAI, perceptual=networks.linear(SHAPE, (5,), seed=77))
    rng = np.random.default_rng(5)
    target, image, step = (tf.constant(rng.uniform(-1, 1, (3, *SHAPE)), tf.float32) for _ in range(3))
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = tf.reduce_sum(model.reconstruction_error(target, image))
    found = float(tf.reduce_sum(tape.gradient(total, image) * step))
    ahead, behind = (tf.reduce_sum(model.reconstruction_error(target, image + e * step)) for e in (1e-2, -1e-2))
    assert found == pytest.approx(float(ahead - behind) / 2e-2, rel=0.02) and abs(found) > 1e-3


def test_a_perceptual_network_of_another_shape_is_refused():
    with pytest.raises(InputError, match="The perceptual network takes shape"):
        networks.make(AEAI, perceptual=networks.linear((8, 8, 3), (5,), seed=77))


def test_fit_takes_any_number_of_images():
    model = networks.make(AEAI, points=2)
    model.compile("adam", run_eagerly=True)
    history = model.fit(networks.image_batch(7)["c"], batch_size=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())


def test_points_start_at_1():
    with pytest.raises(InputError, match="M of the paper"):
        networks.make(AEAI, points=0)


@pytest.mark.parametrize(("points", "calls"), [(None, 2), (3, 1)])
def test_nothing_is_decoded_twice(points, calls):
    """The seeds are the ends of the path; with one random point they are decoded besides it. D sees each image once."""
    model, decoded, judged = networks.make(AEAI, points=points), [], []
    for network, kept in ((model.decoder, decoded), (model.discriminator, judged)):

        def call(x, *args, _call=network.call, _kept=kept, **kwargs):
            _kept.append(x.shape[0])
            return _call(x, *args, **kwargs)

        network.call = call
    model.compile("adam", run_eagerly=True)
    model.train_on_batch(networks.image_batch())
    assert (len(decoded), sum(decoded)) == (calls, 6 + 3 if points is None else 3 * 4)
    assert sum(judged) == 6 + (3 if points is None else 3 * 4)


@pytest.mark.parametrize("layer", [keras.layers.BatchNormalization, BatchNormalization])
def test_a_decoder_that_cannot_be_differentiated_twice_is_refused(layer):
    latent = keras.Input((LATENT,))
    decoder = keras.Model(latent, keras.layers.Reshape(SHAPE)(layer()(keras.layers.Dense(64)(latent))))
    parts = {name: networks.linear_networks()[name] for name in ("encoder", "discriminator")}
    for one in (decoder, keras.Model(latent, decoder(latent))):
        with pytest.raises(InputError, match="differentiates twice"):
            AEAI(**parts, decoder=one)
    AEAI(**parts, decoder=decoder, weights={"smoothness": 0.0})
