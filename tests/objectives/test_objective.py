"""What the base offers every system."""

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import LATENT, SHAPE, linear

from kerasinterp.errors import InputError
from kerasinterp.objectives import AAE, ACAI, AE, AEAI, AMR, GAIA, OBJECTIVES, AugIntAE, IntAE, Objective, PlainAE
from kerasinterp.ops.adam import Adam
from kerasinterp.ops.mixing import Bernoulli, Dirichlet, Linear, PerFeature, Spherical

# Who minimises what, at which weight, as the papers write it; a new system brings its own row, or none.
PLAYERS = {
    "AAE": {
        "autoencoder": {"reconstruction": 1.0, "fooling": 1.0},
        "latent_discriminator": {"prior": 1.0, "code": 1.0},
    },
    "ACAI": {
        "autoencoder": {"reconstruction": 1.0, "fooling": 0.5},
        "critic": {"coefficient": 1.0, "blend": 1.0},
    },
    "AE": {"autoencoder": {"reconstruction": 1.0, "adversarial": 1.0}, "discriminator": {"real": 1.0, "fake": 1.0}},
    "AEAI": {
        "autoencoder": {"reconstruction": 2.0, "adversarial": 1e-2, "cycle": 1e-2, "smoothness": 1e-1},
        "discriminator": {"real": 1.0, "fake": 1.0},
    },
    "AMR": {
        "autoencoder": {"reconstruction": 10.0, "fooling": 1.0, "fooling_mix": 1.0, "consistency": 1.0},
        "discriminator": {"real": 1.0, "fake": 1.0, "fake_mix": 1.0},
    },
    "ARAE": {"autoencoder": {"reconstruction": 10.0, "fooling": 1.0}, "discriminator": {"real": 1.0, "fake": 1.0}},
    "BetaVAE": {"autoencoder": {"reconstruction": 0.5, "divergence": 4.0}},
    "DenoisingAE": {"autoencoder": {"reconstruction": 1.0}},
    "GAIA": {"autoencoder": {"generation": 1.0, "distances": 5e-5}, "discriminator": {"judgement": 1.0}},
    "PlainAE": {"autoencoder": {"reconstruction": 1.0}},
    "SupervisedAMR": {
        "autoencoder": {
            "reconstruction": 10.0,
            "fooling": 1.0,
            "fooling_mix": 1.0,
            "fooling_class": 1.0,
            "class_of_mix": 1.0,
            "consistency": 1.0,
        },
        "discriminator": {"real": 1.0, "fake": 1.0, "fake_mix": 1.0, "fake_class": 1.0, "class": 1.0},
    },
    "VAE": {"autoencoder": {"reconstruction": 0.5, "divergence": 1.0}},
}
PLAYERS |= dict.fromkeys(("IntAE", "AugIntAE"), PLAYERS["AE"])


def test_every_system_is_found():
    expected = "AAE ACAI AE AEAI AMR ARAE AugIntAE BetaVAE DenoisingAE GAIA IntAE PlainAE SupervisedAMR VAE"
    assert set(expected.split()) <= set(OBJECTIVES)  # and those that are new
    assert list(OBJECTIVES) == sorted(OBJECTIVES)


@pytest.mark.parametrize("name", PLAYERS)
def test_players_minimise_what_the_papers_say(name):
    cls = OBJECTIVES[name]
    weights = {player.name: {t: cls.weights_of_terms.get(t, 1.0) for t in player.terms} for player in cls.players}
    assert weights == PLAYERS[name]
    assert set(cls.weights_of_terms) <= set(cls.term_names())


def test_files_stay_short():
    import pathlib

    import kerasinterp.objectives

    folder = pathlib.Path(kerasinterp.objectives.__file__).parent
    lengths = {path.name: len(path.read_text().splitlines()) for path in folder.glob("*.py")}
    del lengths["objective.py"]
    assert max(lengths.values()) <= 120, lengths


def step(**options):
    model = networks.make(ACAI, **options)
    model.compile(keras.optimizers.SGD(1.0))
    before = model.decoder.weights[0].numpy()
    model.train_on_batch(networks.image_batch())
    return model.decoder.weights[0].numpy() - before


def test_weights_multiply_a_term():
    alone = step(weights={"fooling": 0.0})
    np.testing.assert_allclose(step(weights={"fooling": 0.0, "reconstruction": 3.0}), 3 * alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("optimizer", [keras.optimizers.Adam, Adam])
def test_fit_ends_with_averages_where_optimizers_keep_them(optimizer):
    model, plain = networks.make(ACAI), networks.make(ACAI)
    model.compile({"autoencoder": optimizer(0.01, use_ema=True, ema_momentum=0.75), "critic": optimizer(0.01)})
    plain.compile(optimizer(0.01))
    batch = networks.image_batch()
    expected = None
    for _ in range(3):
        plain.train_on_batch(batch)
        now = [variable.numpy() for variable in plain.variables_of(plain.players[0])]
        expected = [0.75 * old + 0.25 * new for old, new in zip(expected or now, now, strict=True)]
    model.fit(tf.data.Dataset.from_tensors(batch).repeat(3), verbose=0, shuffle=False)
    for variable, average in zip(model.variables_of(model.players[0]), expected, strict=True):
        np.testing.assert_allclose(variable, average, rtol=1e-5, atol=1e-7)
    for mine, last in zip(model.critic.weights, plain.critic.weights, strict=True):
        np.testing.assert_allclose(mine, last, rtol=1e-5, atol=1e-7)


def test_unknown_or_useless_settings_are_refused():
    for options, said in (
        ({"weights": {"fooolin": 1.0}}, "fooling"),
        ({"weights": {"fooling": -1.0}}, "0 or more"),
        ({"weights": {"coefficient": 0.0, "blend": 0.0}}, "Every term of player 'critic'"),
        ({"every": {"criticc": 2}}, "critic"),
        ({"every": {"critic": 2, "autoencoder": 3}}, "multiple"),
        ({"reconstruction_loss": "l7"}, "absolute or squared or euclidean"),
    ):
        with pytest.raises(InputError, match=said):
            networks.make(ACAI, **options)
    with pytest.raises(InputError, match="balanced"):
        networks.make(AE, weights={"reconstruction": 2.0})


def test_a_batch_that_cannot_be_sliced_is_refused():
    model = networks.make(AMR, every={"autoencoder": 4})
    model.compile("adam")
    with pytest.raises(InputError, match="4 equal slices"):
        model.train_on_batch(networks.image_batch(6))


def test_unsuitable_mixing_is_refused():
    maps = {"encoder": linear(SHAPE, (2, 2, 3), 1), "decoder": linear((2, 2, 3), SHAPE, 2)}
    assert PlainAE(**maps).latent_shape == (2, 2, 3)
    assert PlainAE(**maps, mixing=Bernoulli()).mixing == Bernoulli()
    with pytest.raises(InputError, match="maps of shape"):
        PlainAE(**maps, mixing=Spherical())
    for cls in (ACAI, AEAI, GAIA, IntAE, AugIntAE):
        for mixing in (Bernoulli(), PerFeature(), Dirichlet(3)):
            with pytest.raises(InputError, match=f"{cls.__name__} mixes at weights that it chooses"):
                networks.make(cls, mixing=mixing)
        assert networks.make(cls, mixing=Spherical()).mixing == Spherical()
    single = {"encoder": linear(SHAPE, (1,), 1), "decoder": linear((1,), SHAPE, 2)}
    for mixing in (Bernoulli(), PerFeature()):
        with pytest.raises(InputError, match="have one"):
            PlainAE(**single, mixing=mixing)
    assert PlainAE(**single).mixing == Linear()


@pytest.mark.parametrize(
    ("cls", "name", "shapes", "said"),
    [
        (ACAI, "critic", ((9, 8, 1), (1,)), "The critic takes shape"),
        (ACAI, "critic", (SHAPE, (3,)), "3 scores"),
        (AEAI, "discriminator", ((8, 8, 3), (1,)), "The discriminator takes shape"),
        (AAE, "latent_discriminator", ((LATENT + 1,), (1,)), "The latent_discriminator takes shape"),
        (GAIA, "judge_encoder", ((9, 8, 1), (LATENT,)), "The judge_encoder takes shape"),
        (GAIA, "judge_decoder", ((LATENT,), (9, 8, 1)), "The judge_decoder makes images of shape"),
        (PlainAE, "decoder", ((LATENT,), (9, 8, 1)), "The decoder makes images of shape"),
        (PlainAE, "decoder", ((LATENT + 1,), SHAPE), "The decoder takes shape"),
    ],
)
def test_networks_that_do_not_fit_are_refused(cls, name, shapes, said):
    parts = {key: networks.linear_networks()[key] for key in cls.network_names()}
    with pytest.raises(InputError, match=said):
        cls(**parts | {name: linear(*shapes, 1)})


def test_networks_that_say_no_shapes_or_give_flat_scores_are_taken():
    @keras.saving.register_keras_serializable("tests")
    class Critic(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(1)

        def call(self, images):
            return self.dense(keras.ops.reshape(images, (-1, 64)))

    subclassed = Critic()
    subclassed(np.zeros((1, *SHAPE), np.float32))
    images = keras.Input(SHAPE)
    flat = keras.Model(images, keras.layers.Reshape(())(linear(SHAPE, (1,), 1)(images)))
    for cls, critic in ((ACAI, subclassed), (AMR, flat)):
        name = "critic" if cls is ACAI else "discriminator"
        model = cls(**{key: networks.linear_networks()[key] for key in ("encoder", "decoder")}, **{name: critic})
        model.compile("adam")
        assert np.isfinite(list(model.train_on_batch(networks.image_batch(), return_dict=True).values())).all()


def test_labels_arrive():
    seen = []

    class Labelled(PlainAE):
        def terms(self, batch, training):
            seen.append(sorted(batch))
            return super().terms(batch, training)

    model = networks.make(Labelled)
    model.compile("adam", run_eagerly=True)
    images = networks.image_batch()["c"]
    model.train_on_batch(images, np.zeros(6))
    model.train_on_batch(images)
    assert seen == [["c", "labels"], ["c"]]


def test_a_term_that_reaches_a_variable_is_needed():
    @keras.saving.register_keras_serializable("tests")
    class Idle(Objective):
        players = PlainAE.players

        def terms(self, batch, training):
            return {"reconstruction": tf.reduce_mean(self.encoder(batch["c"]), axis=1)}

    model = networks.make(Idle)
    model.compile("adam")
    with pytest.raises(ValueError, match="No term of player 'autoencoder' depends on"):
        model.train_on_batch(networks.image_batch())
