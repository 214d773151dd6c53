"""What a model offers, in float32 and within the range of pixels."""

import types

import keras
import numpy as np
import pytest
from trained_networks import LATENT, SHAPE, TrainedModel, generator, trained

from kerasinterp.errors import InputError
from kerasinterp.exporting.networks import Networks
from kerasinterp.nn import infogan
from kerasinterp.ops.mixing import Linear


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_rebuilt_in_float32(model, batch, policy):
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        mixed = TrainedModel(infogan.encoder(SHAPE, LATENT, width=8), infogan.decoder(SHAPE, LATENT, width=8))
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    mixed.encoder.set_weights(model.encoder.get_weights())
    mixed.decoder.set_weights(model.decoder.get_weights())
    assert np.abs(mixed.encoder(batch["a"]) - batch["latent_a"]).max() > 1e-4
    networks = Networks.of(mixed)
    np.testing.assert_allclose(networks.encode(batch["a"]), batch["latent_a"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(networks.decode(batch["latent_a"]), batch["decoded"], rtol=0, atol=1e-6)
    of_generator = Networks.of(types.SimpleNamespace(generator=mixed.decoder, image_shape=SHAPE))
    np.testing.assert_allclose(of_generator.decode(batch["latent_a"]), batch["decoded"], rtol=0, atol=1e-6)


def test_float32_networks_are_not_copied(model):
    assert Networks.of(model).encoder is model.encoder


def test_values_beyond_the_range_are_no_pixels():
    model = trained("acai", (16, 24, 3), Linear(), 4)
    codes = np.random.default_rng(0).normal(scale=9, size=(3, 4, 6, 4)).astype(np.float32)
    raw = model.decoder(codes, training=False).numpy()
    assert raw.min() < -1.2 and raw.max() > 1.2
    np.testing.assert_array_equal(Networks.of(model).decode(codes), np.clip(raw, -1, 1))


def test_what_a_model_does_not_offer_it_does_not_have(model):
    of_generator = Networks.of(generator())
    assert (of_generator.encoder, of_generator.mixing) == (None, None)
    assert (of_generator.image_shape, of_generator.latent_shape) == (SHAPE, (LATENT,))
    alone = Networks.of(types.SimpleNamespace(encoder=model.encoder, mixing=Linear(), image_shape=SHAPE))
    assert (alone.decoder, alone.mixing, alone.latent_shape) == (None, None, (LATENT,))


def test_models_that_cannot_be_exported_are_named(model):
    with pytest.raises(InputError, match="Functional cannot be exported, it has no encoder, decoder or generator"):
        Networks.of(model.encoder)
    for offered in ({"encoder": model.encoder, "decoder": model.decoder}, {"image_shape": SHAPE}):  # half of it
        with pytest.raises(InputError, match="SimpleNamespace cannot be exported, it has no encoder"):
            Networks.of(types.SimpleNamespace(**offered))
    latent, labels = keras.Input((LATENT,)), keras.Input((3,))
    conditional = keras.Model([latent, labels], keras.layers.Concatenate()([latent, labels]))
    with pytest.raises(InputError, match="The decoder of SimpleNamespace takes 2 tensors and gives 1"):
        Networks.of(types.SimpleNamespace(generator=conditional, image_shape=SHAPE))
    wider = keras.Model(wide := keras.Input((2 * LATENT,)), keras.layers.Dense(3)(wide))
    with pytest.raises(InputError, match="SimpleNamespace decodes more than a code, so it cannot be exported"):
        Networks.of(types.SimpleNamespace(encoder=model.encoder, decoder=wider, image_shape=SHAPE))
    of_two = keras.Model(model.encoder.input, [model.encoder.output] * 2)
    with pytest.raises(InputError, match="The encoder of SimpleNamespace takes 1 tensors and gives 2"):
        Networks.of(types.SimpleNamespace(encoder=of_two, decoder=model.decoder, image_shape=SHAPE))
