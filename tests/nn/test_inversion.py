import keras
import numpy as np
import pytest

from kerasinterp.errors import InputError, SizeError
from kerasinterp.nn import inversion
from kerasinterp.nn.backbone import Backbone, Facts, backbones, encoders
from kerasinterp.nn.net import Net
from tests.nn.architecture import check_initial_weights, described


def test_layers_are_those_of_table_4():
    network = inversion.encoder((64, 128, 3), 5, normalised=False)
    expected = []
    for maps in (32, 64, 128, 256, 512, 1024):
        expected += [("Conv2D", maps, 4, 2, False), ("BatchNormalization", 0.9, 1e-5), ("ELU",)]
    assert described(network) == [*expected, ("Flatten",), ("Dense", 5, True), ("linear", "float32")]
    assert inversion.encoder.__defaults__[:3] == ((512, 512, 3), 512, 32)


def test_latents_have_length_1_unless_told():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 64, 64, 1)).astype(np.float32)
    unit, plain = (inversion.encoder((64, 64, 1), 5, 2, normalised=one)(images) for one in (True, False))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1.0, atol=1e-5)
    assert not np.allclose(np.linalg.norm(plain, axis=1), 1.0, atol=1e-2)


def test_initial_weights():
    check_initial_weights(lambda seed: inversion.encoder((64, 64, 1), 5, 4, seed=seed), lambda kernel: 0.02)


def test_other_sizes_are_refused():
    with pytest.raises(SizeError, match=r"divisible by 64, got 96 x 130 pixels: 128 x 128 is the nearest"):
        inversion.encoder((96, 130, 3))


def test_a_recipe_names_it_for_the_encoder_alone():
    both = Backbone("dcgan", 2, 5, networks={"encoder": {"module": "inversion", "width": 3}})
    facts = Facts((64, 64, 3), unit_latents=True)
    encoder, decoder = (both.build(Net(kind), kind, 0, facts) for kind in ("encoder", "decoder"))
    assert any(isinstance(layer, keras.layers.ELU) for layer in encoder.layers)
    assert encoder.output_shape == decoder.input_shape == (None, 5)
    with pytest.raises(InputError, match="The backbone inversion builds no decoder: choose of acai, "):
        Backbone("inversion").build(Net("decoder"), "decoder", 0, facts)
    assert "inversion" in encoders() and "inversion" not in backbones()
