import functools

import numpy as np
import pytest

from kerasinterp.data import Examples, pairs, sets, to_float
from kerasinterp.errors import InputError

# Each image is its own number; classes of 4, 3 and 5 images, mixed, whose numbers leave gaps.
LABELS = np.array([7, 2, 9, 7, 9, 2, 9, 7, 2, 9, 9, 7])
IMAGES = np.tile(np.arange(12, dtype=np.uint8)[:, None, None, None], (1, 2, 3, 1))


def drawn(dataset):
    return [{key: value.numpy() for key, value in batch.items()} for batch in dataset]


def numbers(images):
    return np.rint(255 * (images[..., 0, 0, 0] + 1) / 2).astype(int)


def test_sets_are_different_images_of_one_class():
    found = drawn(sets(IMAGES, 4, 3, labels=LABELS, seed=1, steps=30))
    for batch in found:
        assert batch["c"].shape == (4, 3, 2, 3, 1) and batch["c"].dtype == np.float32
        assert batch["labels"].shape == (4,) and batch["labels"].dtype == np.int64
        chosen = numbers(batch["c"])
        assert (LABELS[chosen] == batch["labels"][:, None]).all()
        assert all(len(set(row)) == 3 for row in chosen)
    leads = np.concatenate([numbers(batch["c"][:, 0]) for batch in found]).reshape(10, 12)
    np.testing.assert_array_equal(np.sort(leads, axis=1), [np.arange(12)] * 10)
    assert not np.array_equal(leads[0], leads[1])
    np.testing.assert_array_equal(found[0]["c"], to_float(IMAGES)[numbers(found[0]["c"])])


def test_the_others_are_drawn_evenly():
    """Of class 9, whose images are 2, 4, 6, 9 and 10: each of the four others a quarter of the time, in each place."""
    found = drawn(sets(IMAGES, 240, 3, labels=LABELS, steps=10))
    chosen = np.concatenate([numbers(batch["c"]) for batch in found])
    of_six = chosen[chosen[:, 0] == 6]
    assert len(of_six) == 200
    for place in (1, 2):
        others, times = np.unique(of_six[:, place], return_counts=True)
        np.testing.assert_array_equal(others, [2, 4, 9, 10])
        assert np.abs(times - 50).max() < 25  # four standard deviations


def test_sets_of_a_whole_class_and_of_one_image():
    found = np.concatenate([numbers(b["c"]) for b in drawn(sets(IMAGES[LABELS == 2], 3, 3, labels=[0, 0, 0], steps=4))])
    np.testing.assert_array_equal(np.sort(found, axis=1), [[1, 5, 8]] * 12)
    (single,) = drawn(sets(IMAGES, 12, 1, labels=LABELS, steps=1))
    assert single["c"].shape == (12, 1, 2, 3, 1)
    np.testing.assert_array_equal(np.sort(numbers(single["c"])[:, 0]), np.arange(12))


def test_pairs_are_two_images_of_a_class():
    found = drawn(pairs(Examples(IMAGES, LABELS), 6, seed=4, steps=100))
    partners = set()
    for batch in found:
        first, second = numbers(batch["c"]), numbers(batch["other"])
        assert (LABELS[first] == batch["labels"]).all() and (LABELS[second] == batch["labels"]).all()
        assert (first != second).all()
        partners |= {*zip(first.tolist(), second.tolist(), strict=True)}
    assert len(partners) == 4 * 3 + 3 * 2 + 5 * 4  # all
    np.testing.assert_array_equal(found[0]["c"], to_float(IMAGES)[numbers(found[0]["c"])])
    np.testing.assert_array_equal(found[0]["other"], to_float(IMAGES)[numbers(found[0]["other"])])


@pytest.mark.parametrize("form", [pairs, functools.partial(sets, size=3)])
def test_a_batch_is_a_function_of_seed_and_step(form):
    first = drawn(form(IMAGES, 5, labels=LABELS, seed=2, steps=6))
    later = drawn(form(IMAGES, 5, labels=LABELS, seed=2, start_step=4, steps=2))
    other = drawn(form(IMAGES, 5, labels=LABELS, seed=3, steps=6))
    assert len(first) == 6 and len(later) == 2
    for one, same in zip(first[4:], later, strict=True):
        assert all(np.array_equal(one[key], same[key]) for key in one)
    assert not any(np.array_equal(one["c"], another["c"]) for one, another in zip(first, other, strict=True))


def test_points_have_sets_too():
    points = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
    (batch,) = drawn(sets(points, 4, 2, labels=LABELS, steps=1))
    assert batch["c"].shape == (4, 2, 2)
    assert {tuple(point) for point in batch["c"].reshape(-1, 2)} <= {tuple(point) for point in points}


@pytest.mark.parametrize("form", [pairs, functools.partial(sets, size=2)])
@pytest.mark.parametrize(
    ("what", "options", "message"),
    [
        (IMAGES, {}, "give integer labels"),
        (IMAGES, {"labels": np.eye(12)}, "give integer labels"),
        (Examples(IMAGES, np.eye(12)), {}, "give integer labels"),
        (IMAGES[:5], {"labels": LABELS[:5]}, "fewer: 2"),
        (Examples(IMAGES[:3], [0, 1, 1], ("cat", "dog")), {}, "fewer: 'cat'"),
        (IMAGES, {"labels": np.arange(12)}, "fewer: 0, 1, 2 and 9 more"),
        (Examples(IMAGES, LABELS), {"labels": LABELS}, "labels of their own"),
        (IMAGES.astype(float), {"labels": LABELS}, "uint8 images"),
        (IMAGES, {"labels": LABELS, "batch_size": 0}, "batch_size"),
        (IMAGES, {"labels": LABELS, "start_step": -1}, "start_step"),
        (IMAGES, {"labels": LABELS, "steps": 1.5}, "steps"),
    ],
)
def test_bad_input(form, what, options, message):
    with pytest.raises(InputError, match=message):
        form(what, **{"batch_size": 4, **options})


@pytest.mark.parametrize("size", [0, 2.0])
def test_impossible_sets(size):
    with pytest.raises(InputError, match="size"):
        sets(IMAGES, 4, size, labels=LABELS)
    with pytest.raises(InputError, match=r"Sets of 6 .* fewer: 2, 7, 9"):
        sets(IMAGES, 4, 6, labels=LABELS)
