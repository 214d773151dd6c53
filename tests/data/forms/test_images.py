import numpy as np
import pytest

from kerasinterp.data import Examples, Transformations, batches, spiral, to_float, to_uint8, triplets
from kerasinterp.errors import InputError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (10, 6, 5, 3), dtype=np.uint8)


def drawn(*arguments, count=5, **options):
    return [
        {key: value.numpy() for key, value in batch.items()} for batch in batches(*arguments, **options).take(count)
    ]


def test_each_pass_sees_every_image_once_in_its_own_order():
    seen = np.concatenate([batch["c"] for batch in drawn(IMAGES, 4)])
    known = to_float(IMAGES)
    chosen = [next(n for n in range(10) if np.array_equal(image, known[n])) for image in seen]
    passes = np.reshape(chosen, (2, 10))
    np.testing.assert_array_equal(np.sort(passes, axis=1), [np.arange(10)] * 2)
    assert not np.array_equal(*passes)


def test_the_same_images_as_triplets():
    for one, other in zip(
        batches(IMAGES, 4, seed=7, steps=6),
        triplets(IMAGES, 4, transformations=Transformations(), seed=7),
        strict=False,
    ):
        np.testing.assert_array_equal(one["c"], other["c"])


def test_a_batch_is_a_function_of_seed_and_step():
    first = drawn(IMAGES, 4, seed=1, count=6)
    for one, other in zip(first[4:], drawn(IMAGES, 4, seed=1, start_step=4, count=2), strict=True):
        np.testing.assert_array_equal(one["c"], other["c"])
    assert not np.array_equal(first[0]["c"], drawn(IMAGES, 4, seed=2)[0]["c"])
    assert len(list(batches(IMAGES, 4, start_step=5, steps=3))) == 3
    assert drawn(IMAGES, 4, seed=2**40)[0]["c"].shape == (4, 6, 5, 3)


def test_labels_stay_with_their_images():
    numbers = np.arange(10, dtype=np.uint8)
    attributes = numbers[:, None] // [1, 2, 3] % 2 == 0
    marked = numbers[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)
    for labels, kind in ((numbers, np.int64), (attributes, np.float32)):
        for batch in drawn(marked, 3, labels=labels):
            chosen = np.rint((batch["c"][:, 0, 0, 0] + 1) * 127.5).astype(int)
            np.testing.assert_array_equal(batch["labels"], labels[chosen])
            assert batch["labels"].dtype == kind


def test_examples_bring_their_labels():
    labels = np.arange(10) % 3
    for one, other in zip(drawn(Examples(IMAGES, labels), 4), drawn(IMAGES, 4, labels=labels), strict=True):
        assert one.keys() == other.keys() == {"c", "labels"}
        assert all(np.array_equal(one[key], other[key]) for key in one)
    assert drawn(Examples(IMAGES), 4)[0].keys() == {"c"}


def test_only_batches_leave_the_processor():
    from kerasinterp.data.forms.numbered import on_host

    assert "CPU:0" in on_host(IMAGES).device


def test_no_tuning_thread_holds_up_the_end_of_fit():
    assert batches(IMAGES, batch_size=4).options().autotune.enabled is False


def test_points_stay_as_they_are():
    points = spiral.points(12)
    seen = np.concatenate([batch["c"] for batch in drawn(points, 4, count=3)])
    np.testing.assert_array_equal(np.sort(seen, axis=0), np.sort(points, axis=0))


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (IMAGES.astype(np.float32), {}, "uint8 images"),
        (IMAGES[:0], {}, "uint8 images"),
        (IMAGES[..., 0], {}, "uint8 images"),
        (np.zeros((4, 2)), {}, "float32 points"),
        (IMAGES.tolist(), {}, "uint8 images"),
        (IMAGES, {"batch_size": 0}, "batch_size"),
        (IMAGES, {"batch_size": 2.5}, "batch_size"),
        (IMAGES, {"batch_size": 2**31}, "batch_size"),
        (IMAGES, {"seed": 2**63}, "seed"),
        (IMAGES, {"start_step": -1}, "start_step"),
        (IMAGES, {"steps": -1}, "steps"),
        (Examples(IMAGES), {"labels": np.arange(10)}, "labels of their own"),
        (np.zeros((), np.uint8), {}, "uint8 images"),
        (IMAGES, {"labels": np.arange(9)}, r"integers \(10,\)"),
        (IMAGES, {"labels": np.zeros(10)}, "labels are float64"),
    ],
)
def test_bad_input(images, options, message):
    with pytest.raises(InputError, match=message):
        batches(images, **{"batch_size": 4, **options})


def test_places_are_those_of_the_images():
    images = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 1), np.uint8)
    for batch in batches(images, 5, places=True, steps=3).as_numpy_iterator():
        np.testing.assert_array_equal(to_uint8(batch["c"]), images[batch["place"]])
    assert "place" not in next(batches(images, 5).as_numpy_iterator())
