import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import SHAPE, linear_networks, triplet_batch
from objective_test_case import run_objective_test, run_slow_objective_test

from kerasinterp.errors import InputError
from kerasinterp.objectives import AE, AugIntAE, IntAE, PlainAE
from kerasinterp.ops.mixing import Linear, Spherical


def make(cls=AugIntAE, **options):
    return networks.make(cls, normalised=True, **options)


@pytest.mark.parametrize("cls", [PlainAE, AE, IntAE, AugIntAE])
def test_contract(cls, tmp_path):
    run_objective_test(lambda: make(cls), networks.batch_for(cls), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("cls", [PlainAE, AE, IntAE, AugIntAE])
def test_contract_compiled(cls):
    run_slow_objective_test(lambda: make(cls), networks.batch_for(cls))


# The equations in NumPy, float64, written from the paper.


def encode(model, images):
    codes = networks.apply(model.encoder, images)
    return codes / np.linalg.norm(codes, axis=1, keepdims=True)


def slerp(a, b, t):
    angle = np.arccos(np.sum(a * b, axis=1, keepdims=True))
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


def decode(model, codes):
    return networks.apply(model.decoder, codes)


def score(model, images):
    return networks.apply(model.discriminator, images)[:, 0]


def mixed_codes(model, batch):
    """What each system decodes, and how many of them have a target (section 4, section 5, A.1)."""
    alpha = batch["alpha"][:, None].astype(float)
    if isinstance(model, AugIntAE):  # G(alpha E(A) + (1 - alpha) E(B)) by SLERP, weight alpha on A
        return slerp(encode(model, batch["a"]), encode(model, batch["b"]), 1 - alpha)
    codes = encode(model, batch["c"])
    if isinstance(model, IntAE):
        return np.concatenate([codes, slerp(codes, codes[::-1], 1 - alpha)])
    return codes


@pytest.mark.parametrize("cls", [AE, IntAE, AugIntAE])
@pytest.mark.parametrize("options", [{}, {"fake_label": 0.0, "joint": False}])
def test_one_step_follows_the_paper(cls, options):
    """Losses, the balanced gradient (eq. 2-3), LSGAN's updates and k (eq. 4-6), over one step of plain descent."""
    model, batch, rate = make(cls, **options), triplet_batch(), 0.5
    fake_label = options.get("fake_label", -1.0)
    k = 0.7
    model.k.assign(k)
    codes = mixed_codes(model, batch)
    decoded, real = decode(model, codes), batch["c"].astype(float)
    count, pixels = len(real), np.prod(SHAPE)
    real_score, fake_score = score(model, real), score(model, decoded)
    decoder, discriminator = model.decoder.weights[0], model.discriminator.weights[0]
    decoder_before, discriminator_before = decoder.numpy().astype(float), discriminator.numpy().astype(float)

    difference = decoded[:count] - real
    gradient = np.zeros_like(decoded)
    gradient[:count] = np.sign(difference) / pixels / count
    adversarial = ((fake_score - 1) / len(decoded))[:, None, None, None] * discriminator_before.reshape(1, *SHAPE)
    norms = np.sqrt(np.sum(gradient**2, axis=(1, 2, 3)))
    norms[count:] = norms[:count].mean()
    norms *= count / len(decoded)  # the two losses weigh the same in sum
    gamma = norms / np.sqrt(np.sum(adversarial**2, axis=(1, 2, 3)))
    gradient += k * gamma[:, None, None, None] * adversarial
    decoder_after = decoder_before - rate * codes.T @ gradient.reshape(len(decoded), -1)
    push = ((real_score - 1) / count) @ real.reshape(count, -1) + (
        (fake_score - fake_label) / len(decoded)
    ) @ decoded.reshape(len(decoded), -1)
    discriminator_after = discriminator_before[:, 0] - rate * push

    # The encoder, at which the images' gradient arrives: along a random direction, by a central difference.
    encoder, direction = model.encoder.weights[0], np.random.default_rng(3).normal(size=model.encoder.weights[0].shape)
    encoder_before, sides = encoder.numpy(), []
    for side in (1e-2, -1e-2):
        encoder.assign(encoder_before + side * direction)
        sides.append(np.sum(gradient * decode(model, mixed_codes(model, batch))))
    encoder.assign(encoder_before)
    slope = (sides[0] - sides[1]) / 2e-2

    model.compile(keras.optimizers.SGD(rate), run_eagerly=True)
    logs = model.train_on_batch(batch, return_dict=True)
    expected = {
        "reconstruction": np.abs(difference).mean(),
        "adversarial": 0.5 * np.mean((fake_score - 1) ** 2),
        "real": 0.5 * np.mean((real_score - 1) ** 2),
        "fake": 0.5 * np.mean((fake_score - fake_label) ** 2),
        "real_score": real_score.mean(),
        "fake_score": fake_score.mean(),
        "k": k,
    }
    expected["loss"] = expected["reconstruction"] + expected["adversarial"]
    assert logs == pytest.approx(expected, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(decoder.numpy(), decoder_after, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(discriminator.numpy()[:, 0], discriminator_after, rtol=1e-4, atol=1e-6)
    moved = np.sum((encoder.numpy().astype(float) - encoder_before) * direction)
    np.testing.assert_allclose(moved, -rate * slope, rtol=1e-2)
    margin = real_score.mean() - fake_score.mean()
    assert float(model.k) == pytest.approx(np.clip(k - 0.001 * (1 - margin), 0, 1), abs=1e-6)


@pytest.mark.parametrize(("start", "score_bias", "expected"), [(0.0, -5.0, 0.0), (1.0, 5.0, 1.0)])
def test_k_stays_between_0_and_1(start, score_bias, expected):
    model = make()
    model.k.assign(start)
    margin = tf.constant(score_bias)
    model.after_update({"real_score": margin, "fake_score": tf.zeros(())})
    assert float(model.k) == expected


def test_k_starts_at_1():
    assert float(make().k) == 1.0


def test_nothing_is_computed_twice():
    """One encoder call, one decoder call, one discriminator call on real and decoded images, in a whole step."""
    for cls in (AE, IntAE, AugIntAE):
        model, counted = make(cls), {}
        for name in ("encoder", "decoder", "discriminator"):
            network = getattr(model, name)

            def call(*args, _name=name, _call=network.call, _counted=counted, **kwargs):
                _counted[_name] = _counted.get(_name, 0) + 1
                return _call(*args, **kwargs)

            network.call = call
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        model.train_on_batch(triplet_batch())
        assert counted == {"encoder": 1, "decoder": 1, "discriminator": 1}, cls.__name__


def test_mixing_is_kept():
    assert AugIntAE.from_config(make(mixing=Linear()).get_config()).mixing == Linear()
    assert AugIntAE.from_config(make().get_config()).mixing == Spherical()


def test_augintae_needs_triplets():
    model = make()
    model.compile("adam")
    with pytest.raises(InputError, match="triplets"):
        model.train_on_batch(triplet_batch()["c"])


def test_plain_images_train_the_others():
    for cls in (PlainAE, AE, IntAE):
        model = make(cls)
        model.compile("adam", run_eagerly=True)
        assert np.isfinite(model.train_on_batch(triplet_batch()["c"], return_dict=True)["reconstruction"])


def test_wrong_parts_are_refused():
    parts = {name: linear_networks()[name] for name in AE.network_names()}
    other = keras.Sequential([keras.Input((5,)), keras.layers.Dense(64), keras.layers.Reshape(SHAPE)])
    with pytest.raises(InputError, match="latent_size"):
        AE(**parts | {"decoder": other})
    model = make()
    with pytest.raises(InputError, match="discriminator"):
        model.compile({"autoencoder": "adam"})
    with pytest.raises(InputError, match="own losses"):
        model.compile("adam", loss="mse")
