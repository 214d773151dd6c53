import dataclasses

import numpy as np
import pytest

from kerasinterp.data import Examples
from kerasinterp.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.uint8)


def test_what_they_tell():
    found = Examples(IMAGES, LABELS, ["a", "b", "c"])
    assert (len(found), found.shape, found.classes) == (6, (4, 5, 3), ("a", "b", "c"))
    assert found.labels.dtype == np.int64
    attributes = Examples(IMAGES, np.eye(6, 2, dtype=bool), ("Male", "Young"))
    assert attributes.labels.dtype == np.float32 and attributes.labels.shape == (6, 2)
    points = Examples(np.zeros((3, 7), np.float32))
    assert (points.shape, points.labels, points.classes) == ((7,), None, ())


def test_a_mask_or_indices_choose():
    found = Examples(IMAGES, LABELS, "abc")
    masked, indexed = found.select(LABELS == 1), found.select([4, 1])
    np.testing.assert_array_equal(masked.images, IMAGES[[1, 4]])
    np.testing.assert_array_equal(indexed.images, IMAGES[[4, 1]])
    np.testing.assert_array_equal(indexed.labels, [1, 1])
    assert indexed.classes == ("a", "b", "c")
    assert Examples(IMAGES).select([0]).labels is None


@pytest.mark.parametrize(
    "chosen", [[], np.zeros(6, bool), np.ones(5, bool), [6], [0.5], 3, [[0, 1]], np.ones((6, 1), bool)]
)
def test_impossible_choices(chosen):
    with pytest.raises(InputError, match=r"[Cc]hoose|indices end at 5"):
        Examples(IMAGES).select(chosen)


def test_the_fingerprint_tells_any_difference():
    found = Examples(IMAGES, LABELS, "abc")
    assert len(found.fingerprint) == 16 and int(found.fingerprint, 16) >= 0
    assert found.fingerprint == Examples(np.asfortranarray(IMAGES), LABELS.copy(), ("a", "b", "c")).fingerprint
    other = IMAGES.copy()
    other[-1, -1, -1, -1] ^= 1
    differing = [
        Examples(other, LABELS, "abc"),
        Examples(IMAGES[::-1], LABELS, "abc"),
        Examples(IMAGES.reshape(6, 5, 4, 3), LABELS, "abc"),
        Examples(IMAGES, LABELS[::-1], "abc"),
        Examples(IMAGES, LABELS, "abd"),
        Examples(IMAGES, LABELS),
        Examples(IMAGES),
    ]
    assert len({one.fingerprint for one in (found, *differing)}) == 8


def test_large_and_mapped_images_are_digested_in_blocks(tmp_path, monkeypatch):
    whole = Examples(IMAGES).fingerprint
    monkeypatch.setattr("kerasinterp.data.stored._BLOCK", 100)
    mapped = np.memmap(tmp_path / "images", np.uint8, "w+", shape=IMAGES.shape)
    mapped[:] = IMAGES
    assert Examples(mapped).fingerprint == whole


def test_dark_images_are_no_masks(monkeypatch):
    """The first few tell, or all of them where they do not."""
    monkeypatch.setattr("kerasinterp.data.examples._FEW", 2)
    dark = IMAGES % 2
    dark[5, 0, 0, 0] = 2
    Examples(dark)
    Examples(0 * dark)
    with pytest.raises(InputError, match="0 and 1 only"):
        Examples(dark[:5])
    with pytest.raises(InputError, match="0 and 1 only"):
        Examples(np.concatenate([0 * dark, dark[:1]]))


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Examples(IMAGES).images = IMAGES


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((IMAGES.astype(np.float32),), "uint8 images"),
        ((IMAGES[0],), "uint8 images"),
        ((IMAGES[:0],), "uint8 images"),
        ((np.zeros((3, 2)),), "float32 points"),
        (([[1, 2]],), "uint8 images"),
        ((IMAGES % 2,), "0 and 1 only"),
        ((IMAGES, LABELS[:5]), r"integers \(6,\)"),
        ((IMAGES, LABELS / 2), "labels are float64"),
        ((IMAGES, None, "abc"), "give labels too"),
        ((IMAGES, LABELS, "ab"), "do not fit 2 classes"),
        ((IMAGES, LABELS.astype(int) - 1, "abc"), "do not fit 3 classes"),
        ((IMAGES, np.eye(6, 2), "abc"), "do not fit 3 classes"),
    ],
)
def test_what_does_not_fit(arguments, message):
    with pytest.raises(InputError, match=message):
        Examples(*arguments)
