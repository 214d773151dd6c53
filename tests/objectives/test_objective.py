"""What the base offers every system."""

import dataclasses

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import LATENT, SHAPE, linear

from kerasinterp import objectives
from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
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
    "GLO": {"generator": {"reconstruction": 1.0}, "latents": {"reconstruction": 1.0}},
    "Inversion": {"encoder": {"code": 1.0}},
    "MMDC": {"clusters": {"assignment": 1.0}, "orientations": {"orientation": 1.0}},
    "NeuralStatistician": {
        "statistician": {"reconstruction": 1.0, "context_divergence": 1.0, "latent_divergence": 1.0}
    },
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
PLAYERS |= dict.fromkeys(("SCOLA", "COLA"), PLAYERS["GLO"])
PLAYERS |= dict.fromkeys(("IntAE", "AugIntAE"), PLAYERS["AE"])


def test_every_system_is_found():
    expected = "AAE ACAI AE AEAI AMR ARAE AugIntAE BetaVAE DAGAN DenoisingAE GAIA GLO IntAE Inversion"
    expected += " NeuralStatistician PlainAE SupervisedAMR VAE WGANGP"
    assert set(expected.split()) <= set(OBJECTIVES)  # and those that are new
    assert list(OBJECTIVES) == sorted(OBJECTIVES)


def test_a_system_of_somebody_else_s_is_not_of_the_package():
    class Theirs(PlainAE):
        pass

    assert objectives._systems() == objectives.OBJECTIVES


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
    assert lengths.pop("objective.py") <= 380
    assert max(lengths.values()) <= 120, lengths


def step(**options):
    model = networks.make(ACAI, **options)
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    before = model.decoder.weights[0].numpy()
    model.train_on_batch(networks.image_batch())
    return model.decoder.weights[0].numpy() - before


def test_weights_multiply_a_term():
    alone = step(weights={"fooling": 0.0})
    for weight in (3.0, 0.25):
        found = step(weights={"fooling": 0.0, "reconstruction": weight})
        np.testing.assert_allclose(found, weight * alone, rtol=1e-4, atol=1e-6)
    fooling = step(weights={"fooling": 0.1, "reconstruction": 0.0})
    assert np.abs(fooling).max() > 1e-4
    both = step(weights={"fooling": 0.1, "reconstruction": 0.25})
    np.testing.assert_allclose(both, 0.25 * alone + fooling, rtol=1e-4, atol=1e-6)


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
    model.compile("adam", run_eagerly=True)
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
        model.compile("adam", run_eagerly=True)
        assert np.isfinite(list(model.train_on_batch(networks.image_batch(), return_dict=True).values())).all()


@keras.saving.register_keras_serializable("tests")
class Recording(ACAI):
    """Keeps what `terms` was given."""

    def terms(self, batch, training):
        self.seen = [*getattr(self, "seen", []), {key: np.asarray(value) for key, value in batch.items()}]
        return super().terms(batch, training)


def recording(**options):
    model = networks.make(Recording, **options)
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    return model


def test_labels_arrive_where_they_are_read():
    images, labels = networks.image_batch()["c"], np.arange(6)
    model = recording()
    for call in (model.fit, model.evaluate):
        with pytest.raises(InputError, match="leave y out"):
            call(images, labels, verbose=0)
        with pytest.raises(InputError, match="leave y out"):
            call(tf.data.Dataset.from_tensors((images, labels)), verbose=0)
    assert not hasattr(model, "seen")
    model.reads_labels = True
    model.train_on_batch(images, labels)
    np.testing.assert_array_equal(model.seen[0]["labels"], labels)
    np.testing.assert_array_equal(model.seen[0]["c"], images)
    model.train_on_batch(images)
    assert set(model.seen[1]) == {"c"}


def test_weights_of_images_are_refused():
    images, model = networks.image_batch()["c"], recording()
    model.reads_labels = True
    for options in ({"sample_weight": np.ones(6)}, {"y": np.zeros(6, int), "class_weight": {0: 2.0}}):
        with pytest.raises(InputError, match="leave sample_weight and class_weight out"):
            model.fit(images, verbose=0, **options)
    with pytest.raises(InputError, match="leave sample_weight and class_weight out"):
        model.evaluate(images, sample_weight=np.ones(6), verbose=0)
    with pytest.raises(InputError, match="leave sample_weight and class_weight out"):
        model.fit(tf.data.Dataset.from_tensors((images, np.zeros(6), np.ones(6))), verbose=0)
    assert not hasattr(model, "seen")


@pytest.mark.parametrize("every", [{"autoencoder": 3}, {"critic": 3}, {"autoencoder": 6, "critic": 2}, {}])
def test_a_player_acts_on_every_nth_slice(every):
    """The last of each n; everybody on the last of the batch, of which the logs are."""
    batch, count = networks.image_batch(6), max(every.values(), default=1)
    model = recording(every=every)
    acted = []
    for player in model.players:
        own = model.optimizer_of(player)

        def apply(*args, _name=player.name, _apply=own.apply, **kwargs):
            acted.append((_name, len(model.seen)))
            return _apply(*args, **kwargs)

        own.apply = apply
    logs = model.train_on_batch(batch, return_dict=True)
    slices = np.split(batch["c"], count)
    assert len(model.seen) == count
    for seen, images in zip(model.seen, slices, strict=True):
        np.testing.assert_array_equal(seen["c"], images)
    for player in model.players:
        number = every.get(player.name, 1)
        expected = [n for n in range(1, count + 1) if n % number == 0]
        assert [at for name, at in acted if name == player.name] == expected
        assert model.updates_per_step(player) == len(expected) == int(model.optimizer_of(player).iterations)
    assert int(model.step) == 1
    last = networks.apply(model.decoder, networks.apply(model.encoder, slices[-1])) - slices[-1]
    assert logs["reconstruction"] == pytest.approx(networks.squared(last).mean(), rel=1e-4)
    model.train_on_batch(batch)
    assert int(model.step) == 2


@pytest.mark.parametrize("every", [{"autoencoder": 2}, {"critic": 3}])
def test_players_act_at_the_rate_that_their_system_states(every):
    players = tuple(dataclasses.replace(p, every=every.get(p.name, 1)) for p in ACAI.players)
    cls = type("Stated", (ACAI,), {"players": players})
    assert networks.make(cls).every == {"autoencoder": 1, "critic": 1} | every
    assert networks.make(cls, every={"critic": 2, "autoencoder": 2}).every == {"autoencoder": 2, "critic": 2}


def test_logs_are_means_over_all_images_of_an_epoch():
    """Not over batches, of which the last one is smaller; `loss` is the first player's weighted sum."""
    images = networks.image_batch(5)["c"]
    model = networks.make(ACAI, weights={"reconstruction": 0.25, "fooling": 0.5})
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    history = {key: values[0] for key, values in model.fit(images, batch_size=4, verbose=0).history.items()}
    error = networks.squared(networks.apply(model.decoder, networks.apply(model.encoder, images)) - images)
    assert history["reconstruction"] == pytest.approx(error.mean(), rel=1e-4)
    assert history["loss"] == pytest.approx(0.25 * history["reconstruction"] + 0.5 * history["fooling"], rel=1e-5)
    evaluated = model.evaluate(images, batch_size=4, verbose=0, return_dict=True)
    assert evaluated["reconstruction"] == pytest.approx(error.mean(), rel=1e-4)


def regular(model_of, regulariser, seed, activity=False):
    """A linear network whose matrix, or whose results, are to be small."""
    given = keras.Input(model_of[0])
    key = "activity_regularizer" if activity else "kernel_regularizer"
    dense = keras.layers.Dense(
        int(np.prod(model_of[1])),
        use_bias=False,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.3, seed=seed),
        **{key: regulariser},
    )
    return keras.Model(given, keras.layers.Reshape(model_of[1])(dense(keras.layers.Flatten()(given))))


@pytest.mark.parametrize("activity", [False, True])
def test_regularisers_of_networks_are_minimised(activity):
    """By the player whose network has it, over two steps of plain descent; NumPy beside it."""
    images, rate, strength = networks.image_batch()["c"], 0.1, 0.03
    options = {
        "encoder": regular((SHAPE, (LATENT,)), keras.regularizers.L2(strength), 1, activity),
        "critic": regular((SHAPE, (1,)), keras.regularizers.L2(2 * strength), 2),
    }
    weights = {"fooling": 0.0, "coefficient": 0.0, "blend": 1e-9}
    model, plain = networks.make(ACAI, **options, weights=weights), networks.make(ACAI, weights=weights)
    plain.set_weights(model.get_weights())
    for one in (model, plain):
        one.compile(keras.optimizers.SGD(rate), run_eagerly=True)
    for _ in range(2):
        plain.set_weights(model.get_weights())
        encoder, critic = (network.weights[0].numpy() for network in (model.encoder, model.critic))
        flat = images.reshape(len(images), -1)
        penalty = strength * ((flat @ encoder / 6**0.5 if activity else encoder) ** 2).sum()  # Keras: of an image
        slope = 2 * strength * (flat.T @ flat @ encoder / 6 if activity else encoder)
        logs, plain_logs = (one.train_on_batch(images, return_dict=True) for one in (model, plain))
        assert logs["loss"] == pytest.approx(plain_logs["loss"] + penalty, rel=1e-5)
        np.testing.assert_allclose(model.encoder.weights[0], plain.encoder.weights[0] - rate * slope, atol=1e-5)
        np.testing.assert_allclose(model.critic.weights[0], (1 - 4 * rate * strength) * critic, atol=1e-6)
        model.reset_metrics(), plain.reset_metrics()
    penalty = (
        strength
        * (
            (flat @ model.encoder.weights[0].numpy() / 6**0.5 if activity else model.encoder.weights[0].numpy()) ** 2
        ).sum()
    )
    evaluated = model.evaluate(images, verbose=0, return_dict=True)
    assert evaluated["loss"] == pytest.approx(evaluated["reconstruction"] + penalty, rel=1e-4)


def test_balanced_systems_minimise_regularisers_too():
    moved = []
    for strength in (0.0, 0.05):
        model = networks.make(AE, encoder=regular((SHAPE, (LATENT,)), keras.regularizers.L2(strength), 1))
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        before = model.encoder.weights[0].numpy()
        model.train_on_batch(networks.image_batch())
        moved.append(model.encoder.weights[0].numpy() - before)
    np.testing.assert_allclose(moved[1] - moved[0], -0.1 * 2 * 0.05 * before, atol=1e-6)


def test_training_ends_at_what_is_no_number():
    images = networks.image_batch(6)["c"]
    model = networks.make(PlainAE)
    model.compile(keras.optimizers.SGD(1e30), run_eagerly=True)
    model.fit(images, batch_size=1, epochs=3, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert int(model.step) < 6


def test_predict_and_export_take_what_fit_takes(tmp_path):
    model = networks.make(PlainAE)
    model.compile("sgd")
    batch = networks.triplet_batch()
    expected = networks.apply(model.decoder, networks.apply(model.encoder, batch["c"]))
    for data in (batch["c"], tf.data.Dataset.from_tensors(batch)):
        np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-3, atol=1e-5)
    model.export(str(tmp_path / "saved"), verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(exported.serve(tf.constant(batch["c"])), expected, rtol=1e-3, atol=1e-5)


class Subclassed(keras.Model):
    def call(self, x):
        return keras.ops.reshape(x, (-1, 64))[:, :LATENT]


def test_an_encoder_or_decoder_without_a_shape_is_refused():
    unbuilt = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(LATENT)])
    images = keras.Input((None, None, 1))
    open_sides = keras.Model(images, keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(LATENT, 3)(images)))
    for options in ({"encoder": Subclassed()}, {"encoder": unbuilt}, {"encoder": open_sides}, {"decoder": unbuilt}):
        with pytest.raises(
            InputError, match=rf"^The {next(iter(options))} states no full shape: build it with keras.Input"
        ):
            networks.make(PlainAE, **options)


def test_a_file_of_version_0_1_is_loaded(tmp_path, monkeypatch):
    """Its own variables were numbered, and there was no step."""
    model = networks.make(AE)
    model.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
    model.train_on_batch(networks.image_batch())
    model.k.assign(0.25)

    def save_own_variables(self, store):
        store["0"] = self.k.numpy()
        store["seed_state"] = self.seed_generator.state.numpy()

    monkeypatch.setattr(Objective, "save_own_variables", save_own_variables)
    model.save(tmp_path / "old.keras")
    monkeypatch.undo()
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    assert (float(loaded.k), int(loaded.step)) == (0.25, 0)
    np.testing.assert_array_equal(loaded.seed_generator.state, model.seed_generator.state)
    for mine, theirs in zip(model.trainable_variables, loaded.trainable_variables, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    assert int(loaded.autoencoder_optimizer.iterations) == 1


def test_fixed_networks_stand_still():
    @keras.saving.register_keras_serializable("tests")
    class Guided(PlainAE):
        networks = {"guide": Net("encoder")}
        fixed = ("guide",)

        def terms(self, batch, training):
            images = self(batch["c"], training=training)
            return {"reconstruction": tf.reduce_mean(tf.square(self.guide(images) - self.guide(batch["c"])), axis=1)}

    model = networks.make(Guided)
    assert Guided.network_names() == ["encoder", "decoder", "guide"]
    assert not model.guide.trainable_variables
    model.compile("adam", run_eagerly=True)
    before = model.guide.weights[0].numpy()
    model.train_on_batch(networks.image_batch())
    np.testing.assert_array_equal(model.guide.weights[0].numpy(), before)
    assert not Guided.from_config(model.get_config()).guide.trainable_variables


def test_missing_networks_and_players_are_refused():
    with pytest.raises(InputError, match="ACAI needs the networks encoder, decoder, critic; got encoder"):
        ACAI(encoder=networks.linear_networks()["encoder"])
    model = networks.make(ACAI)
    for optimizers in ({"autoencoder": "adam"}, {"autoencoder": "adam", "critic": "adam", "judge": "adam"}):
        with pytest.raises(InputError, match="Give an optimizer to each of the players autoencoder, critic"):
            model.compile(optimizers)
    for kwargs in ({"loss": "mse"}, {"metrics": ["mse"]}, {"weighted_metrics": ["mse"]}, {"loss_weights": [1.0]}):
        with pytest.raises(InputError, match="its own losses and metrics"):
            model.compile("adam", **kwargs)
    with pytest.raises(InputError, match="takes over nothing"):
        model.take_over(networks.make(ACAI))


def test_each_player_has_an_optimizer_of_its_own():
    given = keras.optimizers.Adam(1e-3, beta_1=0.5)
    model = networks.make(ACAI)
    model.compile(given)
    first, second = (model.optimizer_of(player) for player in model.players)
    assert first is not second and given not in (first, second)
    assert first.beta_1 == second.beta_1 == 0.5
    assert model.optimizer is first
    copy = ACAI.from_config(model.get_config())
    copy.compile_from_config(model.get_compile_config())
    assert [copy.optimizer_of(player).beta_1 for player in copy.players] == [0.5, 0.5]
    assert networks.make(ACAI).get_compile_config() is None


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
