"""Backbones: every network that a system may state, their options, and the seeds that they start from."""

import re
import types

import numpy as np
import pytest

from kerasinterp import training
from kerasinterp.errors import InputError, SizeError
from kerasinterp.nn import backbone as backbone_module
from kerasinterp.nn.backbone import Backbone, Facts, backbones, decoders
from kerasinterp.nn.net import KINDS, Net
from kerasinterp.recipe import Data, Recipe

# Those of autoencoders, and of games of them.
BACKBONES = [name for name in backbones() if name != "statistician"]
OF_SETS = [kind for kind in KINDS if {"embeddings", "contexts"} & {*KINDS[kind]}]
OF_TRUNKS = [kind for kind in KINDS if "representations" in KINDS[kind]]  # of images alone
IMAGES, POINTS = Facts((16, 16, 1), count=7, labels=3), Facts((2,), count=7, labels=3)
OPTIONS = {"acai": {"scales": 2}, "resnet": {"scales": 2, "halvings": 2}}


def of(name: str, **settings: object) -> Backbone:
    return Backbone(name, width=2, latent_size=4, options=OPTIONS.get(name, {}), **settings)


def facts(name: str, **settings: object) -> Facts:
    shape = (2,) if name == "mlp" else (16, 16, 1)
    return Facts(shape, count=7, labels=3, **settings)


def built(name: str, net: Net, seed: int = 0, **settings: object):
    return of(name).build(net, net.kind, seed, facts(name, **settings))


@pytest.mark.parametrize("name", BACKBONES)
def test_every_kind_of_network_is_built(name):
    """Its ends have the shapes that `KINDS` names."""
    shape = facts(name).image_shape
    others = ("label_mixer", "projection_discriminator", *OF_SETS, *(OF_TRUNKS if name == "mlp" else ()))
    networks = {kind: built(name, Net(kind)) for kind in KINDS if kind not in others}
    latents = networks["encoder"].output_shape
    assert latents[-1] == 4
    assert networks["encoder"].input_shape == networks["decoder"].output_shape == (None, *shape)
    assert networks["decoder"].input_shape == networks["latent_discriminator"].input_shape == latents
    for kind in ("discriminator", "critic"):
        assert networks[kind].input_shape == (None, *shape)
    for kind in ("discriminator", "latent_discriminator"):
        assert networks[kind].output_shape[-1] == 1
    assert networks["latent_table"].output_shape == (None, 4)
    assert networks["latent_table"].count_params() == 7 * 4
    assert [network.name for network in networks.values()] == list(networks)
    for kind, network in networks.items():
        layers = [layer.name for layer in network.layers]
        assert all(re.fullmatch(r"[a-z]+(_([a-z]+|[1-9]\d?))*", layer) for layer in layers), (kind, layers)


def test_what_a_backbone_does_not_build_the_only_file_that_does_builds():
    """With the backbone's width and latents, and without its options, which are another file's."""
    assert len(OF_SETS) == 5
    for kind in OF_SETS:
        shapes = [
            (network.input_shape, network.output_shape, network.count_params())
            for network in (of(name).build(Net(kind), kind, 0, IMAGES) for name in ("acai", "statistician"))
        ]
        assert shapes[0] == shapes[1]
    own = Backbone("statistician", 2, 4, {"context_size": 6}, {"latent_decoder": {"latent_size": 3}})
    assert own.build(Net("statistic_network", outputs=2), "statistic_network", 0, IMAGES).output_shape == (None, 12)
    assert own.build(Net("latent_decoder", outputs=2), "latent_decoder", 0, IMAGES).output_shape == (None, 6)
    with pytest.raises(InputError, match="The backbone statistician is for images, and the data are points"):
        of("mlp").build(Net("image_encoder"), "image_encoder", 0, POINTS)


def test_a_backbone_without_an_encoder():
    """Its decoder knows how much of a code is the class; the discriminator is there for every other one too."""
    assert "sngan" in decoders() and "sngan" not in backbones()
    codes = Net("decoder", class_part=True)
    decoder = of("sngan").build(codes, "generator", 0, IMAGES)
    assert decoder.input_shape == (None, 3 + 4)
    assert "ConditionalBatchNormalization" in {type(layer).__name__ for layer in decoder.layers}
    plain = of("sngan", networks={"generator": {"options": {"conditional": False}}}).build(
        codes, "generator", 0, IMAGES
    )
    assert "ConditionalBatchNormalization" not in {type(layer).__name__ for layer in plain.layers}
    for name in ("sngan", "infogan"):
        judge = of(name).build(Net("projection_discriminator"), "discriminator", 0, IMAGES)
        assert judge.input_shape == [(None, 16, 16, 1), (None, 3)]
    assert of("infogan").build(codes, "generator", 0, IMAGES).input_shape == (None, 3 + 4)
    for net in (codes, Net("projection_discriminator")):
        with pytest.raises(InputError, match=f"kind {net.kind} learns with labels or attributes, and the data have no"):
            of("sngan").build(net, "x", 0, Facts((16, 16, 1)))
    with pytest.raises(InputError, match="The backbone sngan builds no encoder: choose of acai"):
        of("sngan").build(Net("encoder"), "encoder", 0, IMAGES)


@pytest.mark.parametrize("kind", ["encoder", "decoder", "discriminator", "critic"])
def test_what_several_other_files_build_is_refused(kind):
    built_as = kind.replace("critic", "discriminator")
    with pytest.raises(InputError, match=f"The backbone statistician builds no {built_as}: choose of acai, .*vgg"):
        of("statistician").build(Net(kind), kind, 0, IMAGES)


def test_kinds_of_networks_are_known():
    with pytest.raises(InputError, match="There is no network of kind 'transformer': choose of "):
        Net("transformer")


def test_a_label_mixer_is_as_wide_as_the_latents():
    mixer = built("resnet", Net("label_mixer"))
    assert (mixer.input_shape, mixer.output_shape[-1]) == ((None, 3), 4)
    with pytest.raises(InputError, match="A network of kind label_mixer learns with labels or attributes"):
        of("resnet").build(Net("label_mixer"), "mixer", 0, Facts((16, 16, 1)))


@pytest.mark.parametrize("name", BACKBONES)
def test_two_outputs_and_several_images(name):
    one, two = (built(name, Net("encoder", outputs=outputs)) for outputs in (1, 2))
    assert two.output_shape[-1] == 2 * one.output_shape[-1] == 8
    for kind in ("discriminator", "critic"):
        *sides, channels = facts(name).image_shape
        assert built(name, Net(kind, images=2)).input_shape == (None, *sides, 2 * channels)


@pytest.mark.parametrize("name", BACKBONES)
def test_latents_are_normalised_only_on_the_sphere(name):
    x = np.random.default_rng(0).uniform(-1, 1, (5, *facts(name).image_shape)).astype(np.float32)

    def lengths(outputs, unit_latents):
        network = built(name, Net("encoder", outputs=outputs), unit_latents=unit_latents)
        return np.linalg.norm(network.predict(x, verbose=0).reshape(5, -1), axis=1)

    can = name in ("dcgan", "infogan")
    assert np.allclose(lengths(1, True), 1.0, atol=1e-3) == can
    assert not np.allclose(lengths(1, False), 1.0, atol=1e-3)
    assert not np.allclose(lengths(2, True), 1.0, atol=1e-3)  # a mean and a log variance


def test_a_discriminator_that_classifies():
    network = built("resnet", Net("discriminator", classes=True))
    assert [end.shape for end in network.outputs][1] == (None, 3)
    assert len(built("resnet", Net("discriminator")).outputs) == 1
    for name in ("infogan", "mlp"):
        with pytest.raises(InputError, match=r"The discriminator also classifies: of the backbones resnet has such"):
            built(name, Net("discriminator", classes=True))
    with pytest.raises(InputError, match="learns with labels or attributes, and the data have none"):
        of("resnet").build(Net("discriminator", classes=True), "discriminator", 0, Facts((16, 16, 1)))


def test_a_critic_has_the_channels_of_the_latents():
    """ACAI's is its encoder; its last map is averaged."""
    sizes = [
        Backbone("acai", width=2, latent_size=size, options={"scales": 2}).build(Net("critic"), "critic", 0, IMAGES)
        for size in (4, 8)
    ]
    assert sizes[0].count_params() < sizes[1].count_params()


def test_weights_are_drawn_from_the_seed():
    def first(seed):
        return built("infogan", Net("encoder"), seed).get_weights()[0]

    np.testing.assert_array_equal(first(1), first(1))
    assert (first(1) != first(2)).any()
    assert first(2**32 * 10).shape == first(1).shape


def test_seeds_are_numbered_within_the_system(monkeypatch):
    seeds = {}
    build = Backbone.build

    def watched(self, net, name, seed, given):
        seeds[name] = seed
        return build(self, net, name, seed, given)

    monkeypatch.setattr(backbone_module.Backbone, "build", watched)
    recipe = Recipe("", "", Data("x"), objective="AugIntAE", backbone=Backbone(width=2), seed=3)
    training.build(recipe)
    assert seeds == {"encoder": 31, "decoder": 32, "discriminator": 33}


# Options


@pytest.mark.parametrize("name", BACKBONES)
def test_an_option_that_no_builder_takes_is_refused(name):
    for kind in ("encoder", "decoder", "discriminator", "critic"):
        with pytest.raises(InputError, match=f"The backbone {name} has no option 'nosuch': it "):
            Backbone(name, options={"nosuch": 1}).build(Net(kind), kind, 0, facts(name))
    for given in ("seed", "name", "image_shape", "normalised", "channels"):
        with pytest.raises(InputError, match=f"has no option {given!r}"):
            Backbone(name, options={given: 1}).build(Net("encoder"), "encoder", 0, facts(name))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"module": "resnt"}, r"Unknown backbone 'resnt': choose of .*Did you mean 'resnet'\?"),
        ({"module": "layers"}, "Unknown backbone 'layers'"),
        ({"module": "acai", "options": {"scales": "x"}}, "scales cannot be 'x'"),
        ({"module": "acai", "options": {"scales": 65}}, "scales is at most 64, not 65"),
        ({"module": "acai", "options": {"scales": 2**31}}, "scales is at most 64"),
        ({"module": "statistician", "options": {"context_size": 2**16 + 1}}, "context_size is at most 65,536, not"),
        (
            {"networks": {"decoder": {"widht": 4}}},
            "The backbone of decoder has no setting 'widht'. Did you mean 'width'",
        ),
        ({"networks": {"decoder": {"networks": {}}}}, "have no 'networks'"),
        ({"networks": {"decoder": {"width": "4"}}}, "width cannot be '4'"),
        ({"networks": {"decoder": {"options": 4}}}, "options cannot be 4"),
        ({"networks": {"decoder": {"options": {"nosuch": 4}}}}, "has no option 'nosuch'"),
        (
            {
                "module": "acai",
                "options": {"scales": 2},
                "networks": {"decoder": {"module": "infogan", "options": {"scales": 2}}},
            },
            "infogan has no option 'scales': it has none",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        Backbone(**settings).build(Net("decoder"), "decoder", 0, IMAGES)


def test_an_option_of_one_network_that_its_builder_does_not_take_is_refused():
    own = {"discriminator": {"options": {"activation": "tanh"}}}  # the decoder's
    with pytest.raises(InputError, match="option 'activation' has no effect on the discriminator: leave it out"):
        of("acai", networks=own).build(Net("discriminator"), "discriminator", 0, IMAGES)
    bounded = of("acai", networks={"decoder": {"options": {"activation": "tanh"}}})
    decoder = bounded.build(Net("decoder"), "decoder", 0, IMAGES)
    assert np.abs(decoder.predict(np.full((1, *decoder.input_shape[1:]), 1e3, np.float32), verbose=0)).max() <= 1.0


def test_settings_of_one_network_hold_for_it_alone():
    both = of("acai", networks={"critic": {"module": "resnet", "width": 3}})
    assert both.build(Net("critic"), "critic", 0, IMAGES).input_shape == (None, 16, 16, 1)  # without acai's options
    assert both.build(Net("encoder"), "encoder", 0, IMAGES).output_shape == (None, 4, 4, 4)
    deeper = of("acai", networks={"encoder": {"options": {"scales": 3}, "latent_size": 6}})
    assert deeper.build(Net("encoder"), "encoder", 0, IMAGES).output_shape == (None, 2, 2, 6)


@pytest.mark.parametrize(("name", "data"), [("mlp", IMAGES), ("infogan", POINTS)])
def test_points_and_images_are_told_apart(name, data):
    with pytest.raises(InputError, match=f"The backbone {name} is for .*, and the data are .*: choose another"):
        of(name).build(Net("encoder"), "encoder", 0, data)


def test_builders_that_do_not_fit_in_memory(monkeypatch):
    def huge(*_, **__):
        raise MemoryError

    monkeypatch.setattr(backbone_module, "_module", lambda name: types.SimpleNamespace(encoder=huge, decoder=huge))
    recipe = Recipe("", "", Data("x"), objective="PlainAE", backbone=Backbone(width=2))
    with pytest.raises(InputError, match="The networks do not fit in memory: choose a smaller width"):
        training.build(recipe)


# Sizes


@pytest.mark.parametrize("name", [name for name in BACKBONES if name != "mlp"])
@pytest.mark.parametrize("size", [(3, 200), (31, 33), (50, 70), (140, 127)])
def test_the_nearest_size_is_one_that_every_network_can_make(name, size):
    nets = {kind: Net(kind) for kind in ("encoder", "decoder", "discriminator")}
    with pytest.raises(SizeError, match=f"got {size[0]} x {size[1]} pixels: ") as refused:
        Backbone(name).check(nets, (*size, 3))
    nearest = refused.value.nearest
    assert all(abs(one - side) <= 32 for one, side in zip(nearest, size, strict=True))
    Backbone(name).check(nets, (*nearest, 3))


def test_the_nearest_size_of_known_networks():
    nets = {kind: Net(kind) for kind in ("encoder", "decoder", "discriminator")}
    for name, size, nearest in (
        ("infogan", (48, 66), (48, 68)),
        ("convolutional", (50, 50), (48, 48)),
        ("resnet", (40, 40), (48, 48)),  # a discriminator of four halvings, where the encoder has three
        ("dcgan", (140, 127), (128, 128)),
    ):
        with pytest.raises(SizeError) as refused:
            Backbone(name).check(nets, (*size, 1))
        assert refused.value.nearest == nearest, name


def test_what_a_backbone_can_make_is_built_small():
    Backbone("infogan", width=2**16, latent_size=2**16).check({"encoder": Net("encoder")}, (64, 64, 3))
    with pytest.raises(InputError, match="no option 'scales'"):
        Backbone("infogan", options={"scales": 2}).check({"encoder": Net("encoder")}, (63, 64, 3))


def test_the_narrowest_backbone_has_one_map_and_one_value():
    network = Backbone("infogan", 1, 1).build(Net("encoder"), "encoder", 0, IMAGES)
    assert network.output_shape == (None, 1)
    for field in ("width", "latent_size"):
        with pytest.raises(InputError, match=f"{field} is 1 or more"):
            Backbone("infogan", **{field: 0})
