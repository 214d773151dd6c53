import itertools
import unittest.mock

import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from networks import apply, squared
from objective_test_case import run_objective_test

from kerasinterp import training
from kerasinterp.data import Examples, batches
from kerasinterp.errors import InputError
from kerasinterp.nn.net import ORIENTATIONS
from kerasinterp.objectives import MMDC
from kerasinterp.ops import assignment
from kerasinterp.ops.views import Views
from kerasinterp.recipe import Optimizer, find

N, K = networks.COUNT, networks.LATENT
AS_THEY_ARE = {"crops": (1.0,)}
IMAGES = np.random.default_rng(0).integers(0, 256, (N, *networks.SHAPE), np.uint8)


def make(**options):
    return networks.make(MMDC, **options)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def codes_of(model, images):
    return unit(apply(model.code_head, apply(model.trunk, images)))


def tensors(batch):
    return {key: tf.constant(value) for key, value in batch.items()}


def fitted(model, epochs, batch_size=3, initial=0):
    data = batches(IMAGES, batch_size, places=True, start_step=initial * (N // batch_size))
    options = {"epochs": epochs, "initial_epoch": initial, "steps_per_epoch": N // batch_size}
    return model.fit(data, verbose=0, shuffle=False, **options).history


def test_contract(tmp_path):
    run_objective_test(make, networks.batch_for(MMDC), tmp_path)


def test_terms_follow_the_paper():
    """Eq. 3.2 over all permutations, then eq. 3.1 as a mean over K; RotNet's eq. 2 and 3 (Gidaris et al., 2018)."""
    model, batch = make(views=AS_THEY_ARE), networks.batch_for(MMDC)
    batch["place"] = np.array([3, 1, 5, 0, 2, 4], np.int32)
    found = model.terms(tensors(batch), training=True)
    codes, given = codes_of(model, batch["c"]), model.targets.numpy()[batch["place"]]
    costs = {
        order: np.linalg.norm(codes - given[list(order)], axis=1).sum() for order in itertools.permutations(range(N))
    }
    targets = given[list(min(costs, key=costs.get))]
    assert not np.array_equal(targets, given)
    np.testing.assert_allclose(found["targets"], targets, atol=1e-6)
    np.testing.assert_allclose(found["assignment"], squared(codes - targets), rtol=1e-4)

    expected = 0.0
    for quarters in range(4):
        logits = apply(model.orientation_head, apply(model.trunk, np.rot90(batch["c"], quarters, (1, 2))))
        expected = expected - (logits[:, quarters] - np.log(np.exp(logits).sum(axis=1))) / 4
    np.testing.assert_allclose(found["orientation"], expected, rtol=1e-4)


def test_the_plain_view_is_assigned_and_the_random_one_learns():
    model, batch = make(), tensors(networks.batch_for(MMDC))
    views = Views(crops=(20 / 32,), flip=True)
    random = np.random.default_rng(1).uniform(-1, 1, batch["c"].shape).astype(np.float32)
    with unittest.mock.patch.object(Views, "varied", lambda self, images, draws: tf.constant(random)):
        found = model.terms(batch, training=True)
    assert model.views == views
    plain = codes_of(model, views.plain(batch["c"]).numpy())
    np.testing.assert_allclose(found["codes"], plain, atol=1e-5)
    given = model.targets.numpy()
    np.testing.assert_allclose(found["targets"], assignment.nearest(plain, given, np.arange(N)), atol=1e-6)
    expected = squared(codes_of(model, random) - found["targets"].numpy())
    np.testing.assert_allclose(found["assignment"], expected, rtol=1e-4)


def test_what_is_assigned_stays_with_the_images():
    model = make(views=AS_THEY_ARE)
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    before = model.targets.numpy()
    batch = {key: value[:3] for key, value in networks.batch_for(MMDC).items()} | {"place": np.array([4, 0, 2])}
    model.train_on_batch(batch)
    expected = before.copy()
    expected[[4, 0, 2]] = assignment.nearest(codes_of(model, batch["c"]), before[[4, 0, 2]], np.arange(3))
    np.testing.assert_array_equal(model.targets.numpy(), expected)
    np.testing.assert_allclose(model.codes.numpy()[[4, 0, 2]], codes_of(model, batch["c"]), atol=1e-5)
    assert not model.codes.numpy()[[1, 3, 5]].any()
    model.evaluate(networks.batch_for(MMDC), verbose=0)
    np.testing.assert_array_equal(model.targets.numpy(), expected)


def test_targets_keep_their_numbers_though_a_batch_spans_two_passes():
    model = make(seed=2)
    model.compile(keras.optimizers.SGD(0.5))
    before = model.targets.numpy()
    model.fit(batches(IMAGES, 4, places=True), epochs=6, steps_per_epoch=5, verbose=0, shuffle=False)
    after = model.targets.numpy()
    assert not np.array_equal(after, before)
    np.testing.assert_array_equal(sorted(map(tuple, after)), sorted(map(tuple, before)))


def test_epochs_in_turn_compute_their_own_terms_alone():
    """A step of clustering sees each image in two views, one of RotNet in four orientations."""
    model, seen, whole = make(), [], keras.Model.__call__
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)

    def call(self, images, **kwargs):
        if self is model.trunk:
            seen.append(images.shape[0])
        return whole(self, images, **kwargs)

    heads = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: heads.append([getattr(model, f"{kind}_head").get_weights()[0] for kind in KINDS])
    )
    before = [getattr(model, f"{kind}_head").get_weights()[0] for kind in KINDS]
    with unittest.mock.patch.object(keras.Model, "__call__", call):
        history = model.fit(
            batches(IMAGES, N, places=True), epochs=4, steps_per_epoch=1, verbose=0, shuffle=False, callbacks=[look]
        ).history
    assert seen == [ORIENTATIONS * N, N, N] * 2
    assert {key: len(values) for key, values in history.items()} == {"loss": 4, "orientation": 2, "assignment": 2}
    assert history["loss"] == [*itertools.chain(*zip(history["orientation"], history["assignment"], strict=True))]
    moved = [
        [not np.array_equal(*pair) for pair in zip(*both, strict=True)] for both in itertools.pairwise([before, *heads])
    ]
    assert moved == [[False, True], [True, False]] * 2


KINDS = ("code", "orientation")


def test_two_devices_assign_the_whole_batch(two_devices):
    def trained():
        model = make(views=AS_THEY_ARE)
        model.compile(keras.optimizers.SGD(0.5), run_eagerly=True)
        fitted(model, 4, batch_size=6)
        return model

    one = trained()
    with two_devices.scope():
        two = trained()
    np.testing.assert_array_equal(two.targets.numpy(), one.targets.numpy())
    np.testing.assert_allclose(two.codes.numpy(), one.codes.numpy(), atol=1e-5)
    assert not np.array_equal(one.targets.numpy(), make().targets.numpy())
    for left, right in zip(two.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


def test_goes_on_to_the_bit(tmp_path):
    def compiled():
        model = make(refined_after=1)
        model.compile(keras.optimizers.SGD(0.5, momentum=0.9))
        return model

    whole, first = compiled(), compiled()
    fitted(whole, 4)
    fitted(first, 2)
    first.save(tmp_path / "model.keras")
    second = keras.saving.load_model(tmp_path / "model.keras")
    fitted(second, 4, initial=2)
    assert int(second.rounds) == int(whole.rounds) == 2
    for one, other in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_refined_targets_are_the_clusters_of_k_means():
    model = make(refined_after=1, views=AS_THEY_ARE)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    fitted(model, 1)  # RotNet's
    assert not model.refines()
    before = model.targets.numpy()
    with unittest.mock.patch.object(MMDC, "after_epoch"):
        fitted(model, 2, initial=1)
    codes, matched = model.codes.numpy(), model.targets.numpy()
    assert not np.array_equal(matched, before)
    model.after_epoch()
    assert model.refines() and int(model.rounds) == 1
    expected = assignment.refined(codes, matched)
    np.testing.assert_array_equal(model.targets.numpy(), expected)
    model.train_on_batch({"c": IMAGES[::-1], "place": np.arange(N)})  # other codes, that would be assigned otherwise
    np.testing.assert_array_equal(model.targets.numpy(), expected)


def test_clusters_of_images_are_the_nearest_axes_of_plain_views():
    model, images = make(), networks.batch_for(MMDC)["c"]
    codes = codes_of(model, Views(crops=(20 / 32,)).plain(images).numpy())
    distances = np.linalg.norm(codes[:, np.newaxis] - np.eye(K), axis=2)
    np.testing.assert_array_equal(model.clusters_of(images), distances.argmin(axis=1))
    np.testing.assert_allclose(model.predict(images, verbose=0), codes, atol=1e-5)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="MMDC is for 6 images, and here are 5: build it with their count"):
        make().begin(Examples(IMAGES[:5]))
    make().begin(Examples(IMAGES))
    with pytest.raises(InputError, match="deviation and refined_after are 0 or more"):
        make(deviation=-0.1)
    with pytest.raises(InputError, match="views has no setting 'crop'"):
        make(views={"crop": 0.5})
    with pytest.raises(InputError, match="XLA cannot compile a step of MMDC: leave jit_compile out"):
        make().compile("adam", jit_compile=True)
    model = make()
    model.compile("adam", run_eagerly=True)
    with pytest.raises(InputError, match=r"MMDC learns something for each image.*places=True"):
        model.train_on_batch(networks.image_batch())
    wide = {"trunk": networks.linear((8, 6, 1), (K,), 0, name="trunk")}
    with pytest.raises(InputError, match=r"give square ones, not \(8, 6, 1\)"):
        make(**wide)


def recipe():
    base = training.with_objective(find("augintae_mnist"), "MMDC")
    return base.change(width=2, latent_size=5, image_size=16, epochs=4, images_per_epoch=6, batch_size=6)


def test_a_recipe_s_model_has_a_target_for_each_image_and_cuts_for_its_turns():
    own = recipe().change(optimizers={"all": Optimizer(0.1, kind="sgd", cuts=(0.5,))}, batch_size=2)
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 1), np.uint8)
    model = training.build(own, Examples(images))
    assert model.targets.shape == (6, 5) and model.orientation_head.output_shape == (None, ORIENTATIONS)
    assert own.data.form_options == {"places": True}
    assert own.schedule.steps == 12
    for player in model.players:  # each acts in 6 of the 12
        rate = model.optimizer_of(player)._learning_rate
        assert [float(rate(step)) for step in (3, 4)] == pytest.approx([0.1, 0.01])
