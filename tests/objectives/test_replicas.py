"""Two devices train as one with the same batches, but for rounding: every system, with what it draws and normalises."""

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.objectives import OBJECTIVES
from kerasinterp.ops import mixing

COUNT, STEPS = 12, 2
QUICK = {"ACAI", "AE", "AugIntAE", "GLO", "VAE"}
DRAWING = {"AAE", "ACAI", "AEAI", "AMR", "BetaVAE", "DAGAN", "DenoisingAE", "GAIA", "IntAE", "Inversion", "MMDC"}
DRAWING |= {"CGANPD", "NeuralStatistician", "SupervisedAMR", "VAE", "WGANGP"}
UNDRAWN = {"AE", "ARAE", "AugIntAE", "COLA", "GLO", "PlainAE", "SCOLA"}
VARIANTS = [(name, {}) for name in OBJECTIVES]
VARIANTS += [("AMR", {"mixing": mixing.BY_NAME[kind]}) for kind in ("per_feature", "bernoulli", "dirichlet")]
VARIANTS += [
    ("AEAI", {"points": 2}),
    ("CGANPD", {"augmentation": ("color", "translation", "cutout")}),
    ("AMR", {"every": {"autoencoder": 3}}),
    ("GAIA", {"weights": {"distances": 10.0}}),
    ("IntAE", {"reconstruction_loss": "euclidean"}),  # images' gradients differ in length
]


def trained(name, options):
    """Logs, weights and seeds after some steps on the same batches."""
    model = networks.make_with_statistics(OBJECTIVES[name], **options)
    model.compile({p.name: keras.optimizers.SGD(0.1) for p in model.players}, run_eagerly=True)
    shares = 2 * max(player.every for player in model.players)
    count = -(-COUNT // shares) * shares
    batches = [networks.batch_for(OBJECTIVES[name], count, seed) for seed in range(STEPS)]
    data = tf.data.Dataset.from_tensor_slices({k: np.concatenate([b[k] for b in batches]) for k in batches[0]})
    history = model.fit(data.batch(count, drop_remainder=True), verbose=0, shuffle=False).history
    assert model.step.numpy() == STEPS
    logs, state = {key: values[0] for key, values in history.items()}, model.seed_generator.state.numpy()
    return logs, numbers(model), state


def numbers(model):
    return [np.asarray(weight, np.float64) for weight in model.get_weights()]  # one may be a truth value


@pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param(*one, marks=() if one[0] in QUICK and not one[1] else pytest.mark.slow) for one in VARIANTS],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_two_devices_train_as_one(name, options, two_devices):
    start = numbers(networks.make_with_statistics(OBJECTIVES[name], **options))
    logs, weights, state = trained(name, options)
    with two_devices.scope():
        logs_of_two, weights_of_two, state_of_two = trained(name, options)
    assert logs_of_two == pytest.approx(logs, rel=1e-4, abs=1e-6)
    assert max(np.abs(now - before).max() for now, before in zip(weights, start, strict=True)) > 1e-3
    for two, one in zip(weights_of_two, weights, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(state_of_two, state)


def test_dropout_differs_between_devices(two_devices):
    def dropping():
        images = keras.Input(networks.SHAPE)
        x = keras.layers.Dropout(0.5, seed=3)(keras.layers.Flatten()(images))
        return keras.Model(images, keras.layers.Dense(networks.LATENT)(x))

    ones = tf.ones((2, 64))
    with two_devices.scope():
        model = networks.make(OBJECTIVES["PlainAE"], encoder=dropping())
    dropout = model.encoder.layers[2]
    first, second = (
        np.asarray(x)
        for x in two_devices.experimental_local_results(two_devices.run(lambda: dropout(ones, training=True)))
    )
    assert 0.2 < np.mean(first != second) < 0.8
    alone = networks.make(OBJECTIVES["PlainAE"], encoder=dropping()).encoder.layers[2]
    keras_own = keras.layers.Dropout(0.5, seed=3)
    for _ in range(2):
        np.testing.assert_array_equal(alone(ones, training=True), keras_own(ones, training=True))


def test_unequal_shares_are_refused(two_devices):
    with two_devices.scope():
        model = networks.make(OBJECTIVES["ACAI"])
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    batch = networks.batch_for(OBJECTIVES["ACAI"], 5)
    with pytest.raises(InputError, match="unequal shares of a batch: batch with drop_remainder=True"):
        model.fit(tf.data.Dataset.from_tensors(batch), verbose=0, shuffle=False)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_system_draws_on_each_device_for_itself(name, two_devices):
    """Two devices that are given the same images have the same terms only if the system draws nothing."""
    with two_devices.scope():
        model = networks.make(OBJECTIVES[name])
    batch = {key: tf.constant(value) for key, value in networks.batch_for(type(model)).items()}
    state = model.seed_generator.state.numpy()

    def terms():
        outputs = model.terms(batch, training=True)
        return tf.concat([tf.reshape(outputs[term], [-1]) for term in model.term_names()], 0)

    first, second = map(np.asarray, two_devices.experimental_local_results(two_devices.run(terms)))
    draws = not np.array_equal(state, model.seed_generator.state.numpy())
    assert draws == (name in DRAWING) or name not in DRAWING | UNDRAWN  # a new system
    if name == "GAIA":  # its terms are of the whole batch
        assert first.size == second.size
    else:
        assert np.array_equal(first, second) != draws
