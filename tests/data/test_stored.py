import os

import numpy as np
import pytest

from kerasinterp.data import Examples, Stored
from kerasinterp.data.stored import OpenFile, blocks
from kerasinterp.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 4, 5, 3), np.uint8)


@pytest.fixture
def stored(tmp_path):
    (tmp_path / "images").write_bytes(b"before" + IMAGES.tobytes() + b"behind")
    return Stored(OpenFile(tmp_path / "images"), 6, IMAGES.shape)


@pytest.mark.parametrize("system", ["preadv", "none"])
def test_indexed_like_an_array(stored, system, monkeypatch):
    if system == "none":
        monkeypatch.delattr(os, "preadv", raising=False)
    assert (stored.shape, len(stored), stored.nbytes, stored.dtype) == (IMAGES.shape, 9, IMAGES.nbytes, np.uint8)
    mask = np.arange(9) % 2 == 0
    for chosen in (3, -1, slice(None), slice(2, 7), slice(None, None, -2), [5, 1, 1], mask, [[0, 1], [8, 7]], []):
        chosen = np.array(chosen, int) if isinstance(chosen, list) else chosen
        np.testing.assert_array_equal(stored[chosen], IMAGES[chosen])
    np.testing.assert_array_equal(np.asarray(stored), IMAGES)
    assert stored.__array__(np.float32).dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(list(blocks(stored))), IMAGES)
    with pytest.raises(IndexError):
        stored[9]


def test_chosen_without_reading(stored, monkeypatch):
    some = stored.select(np.array([7, 2, 3, 2]))
    others = some.select(np.array([True, False, True, True]))
    np.testing.assert_array_equal(some, IMAGES[[7, 2, 3, 2]])
    np.testing.assert_array_equal(others[1:], IMAGES[[3, 2]])
    monkeypatch.setattr(Stored, "read", None)
    assert others.select(np.array([2])).shape == (1, 4, 5, 3)
    with pytest.raises(IndexError):
        some.select(np.array([4]))


def test_large_reads_are_parted(stored, monkeypatch):
    monkeypatch.setattr("kerasinterp.data.stored._LARGEST", 7)
    np.testing.assert_array_equal(stored[:], IMAGES)


def test_examples_of_a_file(stored):
    examples = Examples(stored, np.arange(9) % 3, "abc")
    whole = Examples(IMAGES, np.arange(9) % 3, "abc")
    assert examples.fingerprint == whole.fingerprint and examples.shape == (4, 5, 3)
    for chosen in ([4, 0], examples.labels == 1):
        some, same = examples.select(chosen), whole.select(chosen)
        assert isinstance(some.images, Stored)
        np.testing.assert_array_equal(some.images, same.images)
        np.testing.assert_array_equal(some.labels, same.labels)
        assert some.fingerprint == same.fingerprint
    with pytest.raises(InputError, match="indices end at 8"):
        examples.select([9])
    with pytest.raises(InputError, match="at least one"):
        examples.select(np.zeros(9, bool))


def test_masks_in_a_file_are_told(tmp_path):
    dark = IMAGES % 2
    for images, told in ((dark, True), (np.concatenate([dark, dark, 9 * dark[:1]]), False)):
        (tmp_path / "images").write_bytes(images.tobytes())
        file = OpenFile(tmp_path / "images")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("kerasinterp.data.examples._FEW", 2)
            if told:
                with pytest.raises(InputError, match="0 and 1 only"):
                    Examples(Stored(file, 0, images.shape))
            else:
                Examples(Stored(file, 0, images.shape))


def test_a_file_that_was_cut_off_is_one_sentence(stored):
    os.truncate(stored.path, 100)
    with pytest.raises(InputError, match="was cut off while it was in use"):
        stored[5]
