"""augment: which images, mixes, weights and labels a batch holds, against NumPy; and that `fit` takes it."""

import math
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from stand_in import Generator, StandIn, slerp, unit

from kerasinterp.data import Examples, batches, load_examples, pairs, to_float, to_uint8
from kerasinterp.data.memory import for_images
from kerasinterp.errors import InputError
from kerasinterp.generation import augment

# Classes of 4, 3 and 5 images, mixed, whose numbers leave gaps.
LABELS = np.array([7, 2, 9, 7, 9, 2, 9, 7, 2, 9, 9, 7])
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 1), dtype=np.uint8)
FLOATS = np.linspace(-1, 1, IMAGES.size, dtype=np.float32).reshape(IMAGES.shape)


def drawn(dataset):
    return [(images.numpy(), labels.numpy()) for images, labels in dataset]


def the_same(one, other):
    return len(one) == len(other) and all(
        np.array_equal(left, right) for a, b in zip(one, other, strict=True) for left, right in zip(a, b, strict=True)
    )


def own_seed(seed):
    """Of the mixes' order."""
    return int(np.random.default_rng([seed, 13]).integers(2**32))


def the_pairs(seed, mixed, steps):
    """The two images and the labels of each mix, as `data.pairs` draws them."""
    return pairs(IMAGES, mixed, labels=LABELS, seed=own_seed(seed), steps=steps).as_numpy_iterator()


@pytest.mark.parametrize("way", ["pixels", None])
@pytest.mark.parametrize("alpha", [0.5, 0.25, (0.2, 0.7)])
def test_a_batch_is_images_and_then_blends_of_two_of_a_class(way, alpha):
    found = drawn(augment(IMAGES, LABELS, way, alpha, 0.4, batch_size=5, variants=None, seed=3, steps=6))
    originals = batches(IMAGES, 3, labels=LABELS, seed=3, steps=6).as_numpy_iterator()
    all_weights = []
    for step, ((images, labels), original, pair) in enumerate(zip(found, originals, the_pairs(3, 2, 6), strict=True)):
        assert images.dtype == np.float32 and labels.dtype == np.int64
        np.testing.assert_array_equal(images[:3], original["c"])
        np.testing.assert_array_equal(labels, np.concatenate([original["labels"], pair["labels"]]))
        if isinstance(alpha, tuple):
            weights = tf.random.stateless_uniform([2], [own_seed(3), step], *alpha).numpy().reshape(2, 1, 1, 1)
        else:
            weights = np.full((2, 1, 1, 1), alpha)
        all_weights += weights.reshape(-1).tolist()
        expected = (1 - weights) * pair["c"] + weights * pair["other"]
        np.testing.assert_allclose(images[3:], expected, atol=1e-6)
        assert (pair["c"] != pair["other"]).any(axis=(1, 2, 3)).all()
    low, high = alpha if isinstance(alpha, tuple) else (alpha, alpha)
    assert low <= min(all_weights) and max(all_weights) <= high
    assert (len(set(all_weights)) == 12) == isinstance(alpha, tuple)


def test_a_models_mixes_are_decoded_mixes_of_codes_rounded_as_images_are():
    """The stand-in's code is the image of length one, mixed along the sphere."""
    found = drawn(augment(IMAGES, LABELS, StandIn(), 0.3, batch_size=6, seed=1, steps=4))
    for (images, labels), pair in zip(found, the_pairs(1, 3, 4), strict=True):
        expected = slerp(unit(pair["c"]), unit(pair["other"]), 0.3).reshape(3, 4, 4, 1)
        np.testing.assert_allclose(images[3:], expected, atol=1 / 255 + 1e-6)
        np.testing.assert_array_equal(to_float(to_uint8(images[3:])), images[3:])
        np.testing.assert_array_equal(labels[3:], pair["labels"])


@pytest.mark.parametrize("way", ["pixels", StandIn()])
def test_a_batch_is_a_function_of_seed_and_step(way):
    options = {"alpha": (0.0, 1.0), "batch_size": 8, "variants": 2}
    first = drawn(augment(IMAGES, LABELS, way, seed=2, steps=14, **options))
    assert the_same(first, drawn(augment(IMAGES, LABELS, way, seed=2, steps=14, **options)))
    assert the_same(first[9:12], drawn(augment(IMAGES, LABELS, way, seed=2, start_step=9, steps=3, **options)))
    other = drawn(augment(IMAGES, LABELS, way, seed=3, steps=14, **options))
    assert not any(np.array_equal(one[0], another[0]) for one, another in zip(first, other, strict=True))
    # 12 images lead a mix each in 3 batches of 4: after 6 batches the mixes come again, the images do not.
    mixes = [images[4:] for images, _ in first]
    np.testing.assert_array_equal(mixes[:6], mixes[6:12])
    assert not np.array_equal(mixes[0], mixes[3])
    assert not the_same(first[:6], first[6:12])


def test_without_variants_no_mix_comes_again():
    found = drawn(augment(IMAGES, LABELS, "pixels", (0.0, 1.0), 1.0, batch_size=12, variants=None, steps=30))
    mixes = np.concatenate([images for images, _ in found]).reshape(360, -1)
    assert len(np.unique(mixes, axis=0)) == 360
    for _, labels in found:  # all of a batch are mixes, and each image leads one a pass
        np.testing.assert_array_equal(np.sort(labels), np.sort(LABELS))


def test_images_are_encoded_once_and_each_mix_is_decoded_once():
    model = StandIn()
    counted = {"encode": 0, "decode": 0}
    for name, method in (("encode", model.encode), ("decode", model.decode)):

        def count(given, name=name, method=method):
            tf.py_function(lambda n: counted.update({name: counted[name] + int(n)}), [tf.shape(given)[0]], [])
            return method(given)

        setattr(model, name, count)
    dataset = augment(IMAGES, LABELS, model, batch_size=8, variants=2, steps=40)
    assert counted == {"encode": 12, "decode": 1}  # one is looked at
    for _ in dataset:
        pass
    assert counted["encode"] == 12
    assert counted["decode"] <= 1 + 24 + 2 * 4  # two threads may make the same batch
    for _ in dataset:
        pass
    assert counted["decode"] <= 1 + 24 + 2 * 4


def test_a_model_that_cannot_decode_is_told_so_before_it_encodes():
    model = StandIn()
    alone = types.SimpleNamespace(image_shape=model.image_shape, encode=lambda images: pytest.fail("it encodes"))
    with pytest.raises(InputError, match="SimpleNamespace has no decoder"):
        augment(IMAGES, LABELS, alone)


def test_whatever_holds_the_images_the_batches_are_the_same(tmp_path, monkeypatch):
    expected = drawn(augment(IMAGES, LABELS, "pixels", batch_size=4, steps=5))
    floats = to_float(IMAGES)
    given = [
        (Examples(IMAGES, LABELS), None),
        (floats, LABELS.tolist()),
        (IMAGES[..., 0], LABELS),
        (tf.data.Dataset.from_tensor_slices((floats, LABELS)), None),
        (tf.data.Dataset.from_tensor_slices((IMAGES, LABELS.astype(np.int32))).batch(5), None),
    ]
    monkeypatch.setenv("KERASINTERP_CACHE", str(tmp_path))
    given.append((load_examples(IMAGES, memory=16).images, LABELS))  # in a file
    for images, labels in given:
        assert the_same(drawn(augment(images, labels, "pixels", batch_size=4, steps=5)), expected)


class OfSeeds:
    """Makes images of seeds in its own way: their mean, darker for every image."""

    image_shape = (4, 4, 1)

    def few_shot(self, seeds, n, seed):
        assert len(seeds) >= 2 and seeds.dtype == np.float32 and 0 <= seed < 2**32
        return seeds.mean(axis=0) * np.linspace(1.0, 0.5, n).reshape(n, 1, 1, 1)


def test_a_model_with_a_way_of_its_own_is_given_seeds_of_one_class():
    found = drawn(augment(IMAGES, LABELS, OfSeeds(), batch_size=8, steps=5))
    assert the_same(found, drawn(augment(IMAGES, LABELS, OfSeeds(), batch_size=8, steps=5)))
    for (images, labels), pair in zip(found, the_pairs(0, 4, 5), strict=True):
        np.testing.assert_array_equal(labels[4:], pair["labels"])
        for label in np.unique(labels[4:]):
            places = np.flatnonzero(labels[4:] == label)
            both = np.concatenate([pair["c"][places], pair["other"][places]])
            expected = OfSeeds().few_shot(np.unique(both, axis=0), len(places), 0)
            np.testing.assert_allclose(images[4:][places], expected, atol=1 / 255 + 1e-6)


def test_fit_takes_it():
    """Classes that are told apart by brightness: two epochs suffice, and the batches are those of the steps."""
    labels = np.arange(40) % 2
    images = np.random.default_rng(1).integers(0, 60, (40, 4, 4, 1), dtype=np.uint8)
    images[labels == 1] += 150
    classifier = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")])
    classifier.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = classifier.fit(
        augment(images, labels, StandIn(), batch_size=10), steps_per_epoch=8, epochs=2, verbose=0
    ).history
    assert history["accuracy"][-1] > 0.9
    assert int(classifier.optimizer.iterations) == 16


class NoMixing(StandIn):
    mixing = property()  # there is none


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 1.5}, "lie in .0, 1."),
        ({"alpha": (0.7, 0.2)}, "range .low, high."),
        ({"alpha": (0.1, 0.2, 0.3)}, "range .low, high."),
        ({"fraction": 0.0}, "fraction is 0.0"),
        ({"fraction": 1.1}, "fraction is 1.1"),
        ({"fraction": math.nan}, "fraction is nan"),
        ({"fraction": 0.01}, "no image of a batch of 8"),
        ({"variants": 0}, "variants is a whole number"),
        ({"variants": 1.5}, "variants is a whole number"),
        ({"batch_size": 0}, "batch_size is a whole number"),
        ({"labels": None}, "give integer labels"),
        ({"labels": LABELS[:5]}, r"labels are int64 \(5,\)"),
        ({"labels": np.eye(12)}, "give integer labels"),
        ({"labels": np.arange(12) // 2 + (np.arange(12) == 11)}, "fewer: 5, 6"),
        ({"images": Examples(IMAGES, LABELS)}, "labels of their own"),
        ({"images": np.zeros((12, 2), np.float32)}, "give .N, H, W."),
        ({"images": Examples(np.zeros((12, 2), np.float32), LABELS), "labels": None}, "not points"),
        ({"images": np.repeat(IMAGES, 2, axis=1)}, "8x4x1, but the model takes 4x4x1"),
        ({"images": np.repeat(IMAGES, 2, axis=1), "model": OfSeeds()}, "8x4x1, but the model takes 4x4x1"),
        ({"images": tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))}, "brings labels"),
        ({"images": tf.data.Dataset.from_tensor_slices(IMAGES), "labels": None}, "no labels"),
        ({"images": tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).repeat(), "labels": None}, "has no end"),
        ({"images": tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).take(0), "labels": None}, "no images"),
        ({"images": tf.data.Dataset.from_tensor_slices((FLOATS - 1.0, LABELS)), "labels": None}, "range from -2"),
        ({"images": tf.data.Dataset.from_tensor_slices((FLOATS + 1.0, LABELS)), "labels": None}, "range from 0 to 2"),
        ({"model": "augintae"}, "load_model"),
        ({"model": Generator()}, "no encoder"),
        ({"model": NoMixing()}, "no mixing of codes"),
        ({"model": OfSeeds(), "alpha": 0.3}, "in its own way, without alpha"),
    ],
)
def test_bad_input_gets_one_sentence(change, message):
    given = {"images": IMAGES, "labels": LABELS, "model": StandIn(), "batch_size": 8} | change
    with pytest.raises(InputError, match=message):
        augment(**given)


def test_a_model_that_gives_no_numbers_is_refused():
    model = StandIn()
    model.decoder.set_weights([np.float32(np.nan)])
    with pytest.raises(InputError, match="no numbers"):
        augment(IMAGES, LABELS, model)


def test_more_mixes_than_memory_has_are_refused(monkeypatch):
    variants = for_images() // IMAGES.nbytes + 1
    with pytest.raises(InputError, match="more than a quarter of the memory: give fewer variants, or None"):
        augment(IMAGES, LABELS, StandIn(), batch_size=8, variants=variants)
    augment(IMAGES, LABELS, "pixels", batch_size=8, variants=variants)  # of these none are kept
