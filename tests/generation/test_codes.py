import numpy as np
import pytest
from stand_in import SHAPE, CountTraces, Generator, StandIn, images, slerp, unit

from kerasinterp.errors import InputError
from kerasinterp.generation import decode, encode, interpolate, mix, reconstruct
from kerasinterp.nn import mlp
from kerasinterp.objectives import PlainAE


def test_codes_are_those_of_the_model(model):
    codes = encode(model, images(3))
    np.testing.assert_allclose(codes, unit(images(3)), atol=1e-6)
    np.testing.assert_array_equal(encode(model, images(3)[0]), codes[:1])
    bytes_ = np.rint((images(3) + 1) * 127.5).astype(np.uint8)
    np.testing.assert_allclose(encode(model, bytes_), unit(bytes_ / 127.5 - 1), atol=1e-6)
    np.testing.assert_allclose(decode(model, codes), codes.reshape(3, *SHAPE), atol=1e-6)
    mixed = mix(model, codes[:2], codes[1:], [0.0, 0.25])
    np.testing.assert_allclose(mixed[:1], codes[:1], atol=1e-6)
    np.testing.assert_allclose(mixed[1:], slerp(codes[1:2], codes[2:], 0.25), atol=1e-6)


def test_images_are_checked(model):
    with pytest.raises(InputError, match="model takes 4x4x1"):
        encode(model, images(2, shape=(8, 8, 1)))
    with pytest.raises(InputError, match="scale them to"):
        encode(model, 255 * np.abs(images(2)))
    light = np.abs(images(2))
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        encode(model, light)
    np.testing.assert_allclose(encode(model, light, made=True), unit(light), atol=1e-6)


def test_an_unbounded_decoder_is_cut_unless_it_is_asked_not_to_be():
    model = StandIn()
    model.decoder.layers[-1].scale.assign(9.0)
    codes = unit(images(3))
    np.testing.assert_allclose(decode(model, codes, clip=False).reshape(3, -1), 9 * codes, atol=1e-5)
    np.testing.assert_allclose(decode(model, codes).reshape(3, -1), np.clip(9 * codes, -1, 1), atol=1e-5)


def test_points_are_never_cut():
    model = PlainAE(encoder=mlp.encoder((2,), 3, 4), decoder=mlp.decoder((2,), 3, 4))
    points = np.array([[5.0, -7.0], [0.5, 0.25]], np.float32)
    codes = encode(model, points)
    np.testing.assert_allclose(codes, model.encoder(points), atol=1e-6)
    far = 1000 * codes
    assert np.abs(decode(model, far)).max() > 1
    np.testing.assert_allclose(decode(model, far), model.decoder(far), rtol=1e-5)


def test_labels_go_with_their_codes():
    codes = images(600).reshape(600, -1)
    labels = np.arange(600) % 2
    made = decode(Generator(), codes, labels).reshape(600, -1)
    np.testing.assert_array_equal(made, np.where(labels[:, None], -codes, codes))
    np.testing.assert_array_equal(decode(Generator(), codes).reshape(600, -1), codes)


def test_what_a_model_does_not_offer_is_said(model):
    with pytest.raises(InputError, match="StandIn decodes without labels"):
        decode(model, unit(images(2)), [0, 1])
    with pytest.raises(InputError, match=r"Generator has no encoder to take images: it makes images from its prior"):
        encode(Generator(), images(2))
    with pytest.raises(InputError, match="Generator has no mixing"):
        mix(Generator(), images(2), images(2), [0.5, 0.5])
    with pytest.raises(InputError, match="object has no decoder"):
        decode(object(), images(2))


def test_many_images_are_batched_without_a_new_trace(model):
    reconstruct(model, images(2))
    before = CountTraces.traces
    for count in (1, 7, 513):
        np.testing.assert_allclose(reconstruct(model, images(count)).reshape(count, -1), unit(images(count)), atol=1e-6)
        interpolate(model, images(count), images(count, 1), [0.0, 0.5, 1.0])
    assert CountTraces.traces == before


def test_the_network_is_evaluated_as_it_is_now():
    model = StandIn()
    before = reconstruct(model, images(2))
    model.decoder.layers[-1].scale.assign(0.5)
    np.testing.assert_allclose(reconstruct(model, images(2)), 0.5 * before, atol=1e-6)
