"""Images that do not fit in memory: decoded once into a file, whole or not at all, and the same to the byte."""

import contextlib
import errno
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from kerasinterp import data
from kerasinterp.data import Examples, Stored, cache
from kerasinterp.data.cache import VARIABLE, Origin, hold
from kerasinterp.errors import InputError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 4, 5, 3), np.uint8)
SHAPE = (4, 5, 3)
ORIGIN = Origin("the test", {"of": "test"}, lambda: "state 1")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def parts(asked=None, images=IMAGES, labels=None):
    """The images in parts of seven; `asked` gets a word when they are asked for."""
    if asked is not None:
        asked.append("asked")
    for start in range(0, len(images), 7):
        yield images[start : start + 7], None if labels is None else labels[start : start + 7]


def held(asked=None, origin=ORIGIN, memory=100, count=30, **options):
    return hold(parts(asked, **options), SHAPE, count, memory=memory, origin=lambda: origin)


def draw(folder: pathlib.Path, count: int = 20) -> pathlib.Path:
    """Folders of two classes."""
    for n in range(count):
        path = folder / "ab"[n % 2] / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (9, 8, 3), dtype=np.uint8)).save(path)
    return folder


def of_folder(folder, memory="1KB", **options):
    return data.load_examples(folder, image_size=(6, 5), channels=3, labels=True, memory=memory, **options)


def said(capsys) -> str:
    return capsys.readouterr().err


# The files


def test_decoded_once_and_read_from_then_on(place, capsys):
    asked = []
    for _ in range(3):
        found = held(asked, labels=np.arange(30))
        assert isinstance(found.images, Stored)
        np.testing.assert_array_equal(found.images, IMAGES)
        np.testing.assert_array_equal(found.labels, np.arange(30))
    assert asked == ["asked"]
    (file,) = place.iterdir()
    np.testing.assert_array_equal(np.load(file, mmap_mode="r"), IMAGES)
    lines = said(capsys).splitlines()
    assert len(lines) == 4 and all(str(file) in line and "1.8 KB" in line for line in lines)
    assert "Wrote 30 images" in lines[1] and VARIABLE in lines[1] and lines[2].startswith("Using 30 images")


@pytest.mark.parametrize(("memory", "count"), [(None, 30), (1800, 30), (1800, 31), (1800, None), (1801, None)])
def test_what_fits_stays_in_memory(memory, count, place):
    fits = memory is None or count != 31
    found = hold(parts(), SHAPE, count, exact=False, memory=memory, origin=lambda: ORIGIN)
    assert isinstance(found.images, np.ndarray)
    np.testing.assert_array_equal(found.images, IMAGES)
    assert place.exists() != fits  # what might not have fitted was decoded into a file first


@pytest.mark.parametrize("count", [None, 30, 100])
def test_what_does_not_fit_is_in_a_file(count, place):
    found = hold(parts(), SHAPE, count, exact=False, memory=900, origin=lambda: ORIGIN)
    assert isinstance(found.images, Stored)
    np.testing.assert_array_equal(found.images, IMAGES)


def test_what_was_decoded_is_not_decoded_again_though_it_fits(capsys):
    asked = []
    held(asked)
    for memory in (10_000, None):
        found = held(asked, memory=memory)
        assert isinstance(found.images, np.ndarray)
        np.testing.assert_array_equal(found.images, IMAGES)
    assert asked == ["asked", "asked"] and said(capsys).count("Using 30 images") == 1
    changed = Origin("the test", {"of": "test"}, lambda: "state 2")
    np.testing.assert_array_equal(held(origin=changed, memory=10_000, images=255 - IMAGES).images, 255 - IMAGES)


def test_what_fits_needs_no_cache(place, monkeypatch, capsys):
    place.write_text("a file")
    monkeypatch.setenv(VARIABLE, str(place / "within"))
    np.testing.assert_array_equal(held(memory=10_000).images, IMAGES)
    assert said(capsys) == ""


def test_more_than_were_announced():
    found = hold(parts(), SHAPE, 10)
    np.testing.assert_array_equal(found.images, IMAGES)


def test_no_images_leave_no_file(place):
    assert len(held(images=IMAGES[:0]).images) == 0
    assert list(place.iterdir()) == []


def test_where_the_files_are(monkeypatch, tmp_path):
    assert cache.folder() == tmp_path / "cache"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "kerasinterp"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "kerasinterp"

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(pathlib.Path, "home", homeless)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert cache.folder().parent == tmp_path and cache.folder().name.startswith("kerasinterp-")


def _overwrite(path, at, text=b"zz"):
    with path.open("r+b") as file:
        file.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
        file.write(text)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: os.truncate(path, 4096 + 900),
        lambda path: os.truncate(path, path.stat().st_size - 1),
        lambda path: _overwrite(path, 3),
        lambda path: _overwrite(path, 4096 + 1000),
        lambda path: _overwrite(path, -70),
        lambda path: _overwrite(path, -20),
        lambda path: path.write_bytes(path.read_bytes() + b"\0"),
        lambda path: path.write_bytes(os.urandom(5000)),
    ],
)
def test_a_damaged_file_is_made_anew_and_said(spoil, place, capsys):
    held()
    (file,) = place.iterdir()
    spoil(file)
    said(capsys)
    asked = []
    np.testing.assert_array_equal(held(asked).images, IMAGES)
    assert asked and said(capsys).count("is damaged (") == 1
    np.testing.assert_array_equal(held(asked).images, IMAGES)
    assert asked == ["asked"]


def test_another_file_in_its_place_is_not_used(place, capsys):
    held(origin=Origin("another", {"of": "another"}, str), images=255 - IMAGES)
    (other,) = place.iterdir()
    shutil.copy2(other, ORIGIN.path)
    np.testing.assert_array_equal(held().images, IMAGES)
    assert "of something else" in said(capsys)


def test_a_copy_is_looked_at_whole_and_used(place, capsys):
    """Its time tells nothing, its content does."""
    held()
    (file,) = place.iterdir()
    for _ in range(2):
        os.utime(file)
        asked = []
        np.testing.assert_array_equal(held(asked).images, IMAGES)
        assert not asked and file.stat().st_mtime_ns % 10**9 == 0


def test_what_changed_is_made_anew_and_said(place, capsys):
    before = held().images
    after = held(origin=Origin("the test", {"of": "test"}, lambda: "state 2"), images=255 - IMAGES).images
    assert "the test has changed since" in said(capsys)
    np.testing.assert_array_equal(after, 255 - IMAGES)
    np.testing.assert_array_equal(before, IMAGES)  # whoever has it open goes on with what it was
    assert len(list(place.iterdir())) == 1


def test_what_changes_while_it_is_decoded_is_decoded_anew():
    states = ["before", "after", "after"]
    origin = Origin("the test", {"of": "test"}, lambda: states.pop(0))
    asked = []
    held(asked, origin)
    held(asked, origin)
    assert asked == ["asked", "asked"]


def test_the_fingerprint_is_kept(place, monkeypatch):
    labels = np.arange(30) % 3
    whole = Examples(IMAGES, labels, "abc")
    known = [examples.fingerprint for examples in (whole, Examples(IMAGES), whole.select([3, 1]))]
    for again in (False, True):
        if again:
            monkeypatch.setattr(Stored, "read", None)  # nothing is read
            monkeypatch.setattr("kerasinterp.data.examples.check_images", lambda _: None)
        images = held().images
        found = Examples(images, labels, "abc")
        assert [one.fingerprint for one in (found, Examples(images), found.select([3, 1]))] == known
    assert Examples(images, labels, "abd") and json.loads(next(place.glob("*.json")).read_text())["made"]


@pytest.mark.parametrize("text", ["", "[]", '{"content": "other", "made": {}}', '{"made": 3}'])
def test_fingerprints_of_other_images_are_not_believed(text, place):
    images = held().images
    known = Examples(IMAGES).fingerprint
    assert Examples(images).fingerprint == known
    (beside,) = place.glob("*.json")
    kept = json.loads(beside.read_text())
    beside.write_text(text.replace('"made": {}', '"made": ' + json.dumps(dict.fromkeys(kept["made"], "wrong"))))
    assert Examples(images).fingerprint == known


# Disks that are full or read-only, kills, and several processes


def test_a_full_disk_is_one_sentence_before_anything_is_decoded(place, monkeypatch):
    usage = shutil.disk_usage(place.parent)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    asked = []
    with pytest.raises(
        InputError, match=rf"take 1\.8 KB, and {place} has 1 KB free: .*set {VARIABLE}.*--memory 0\.1GB"
    ):
        held(asked)
    assert not asked and list(place.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_is_one_sentence_and_nothing_is_left(number, place, monkeypatch):
    def full(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"take 1\.8 KB, and .* is full \(.*\): free some space"):
        held()
    assert list(place.iterdir()) == []


def test_a_limit_of_the_process_is_one_sentence_and_nothing_is_left(place):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(InputError, match=r"is full \(File too large\)"):
            held()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(place.iterdir()) == []


def test_a_read_only_disk_is_one_sentence(place, monkeypatch, capsys):
    place.mkdir()
    place.chmod(0o555)
    asked = []
    with pytest.raises(InputError, match=rf"{place}, cannot be used \(Permission denied\): set {VARIABLE} to one that"):
        held(asked)
    assert not asked
    place.chmod(0o755)
    held()
    place.chmod(0o555)
    np.testing.assert_array_equal(held(asked).images, IMAGES)  # what is there is used
    assert not asked
    place.chmod(0o755)
    (place.parent / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(place.parent / "file" / "within"))
    with pytest.raises(InputError, match="Not a directory"):
        held()


@pytest.mark.parametrize("error", [InputError("a bad image"), KeyboardInterrupt()])
def test_what_is_raised_while_decoding_leaves_nothing(error, place):
    def broken():
        yield IMAGES[:7], None
        raise error

    with pytest.raises(type(error)):
        hold(broken(), SHAPE, 30, memory=100, origin=lambda: ORIGIN)
    assert list(place.iterdir()) == []


def test_left_overs_of_a_kill_are_removed(place):
    place.mkdir()
    for name in (f".partial-{ORIGIN.path.name}", ".partial-images-0123456789abcdef.npy", ".partial-77-images-0.npy"):
        (place / name).write_bytes(b"cut off")
    np.testing.assert_array_equal(held().images, IMAGES)
    assert list(place.iterdir()) == [ORIGIN.path]


def test_two_at_once_decode_once(place, capsys):
    """The second waits; what the first writes, and nobody else, is what it reads."""
    begun, go_on, found, asked = threading.Event(), threading.Event(), {}, []

    def slow():
        for part in parts(asked):
            begun.set()
            assert go_on.wait(30)
            yield part

    def run(name, pieces):
        found[name] = hold(pieces, SHAPE, 30, memory=100, origin=lambda: ORIGIN).images

    first = threading.Thread(target=run, args=("first", slow()))
    second = threading.Thread(target=run, args=("second", parts(asked, 255 - IMAGES)))
    first.start()
    assert begun.wait(30)
    other = Origin("another", {"of": "another"}, str)
    held(origin=other)  # which removes what killed processes left, and nothing of the first
    second.start()
    while "waiting for it" not in (text := said(capsys)):
        assert second.is_alive(), text
        time.sleep(0.01)
    go_on.set()
    first.join(30), second.join(30)
    for images in found.values():
        np.testing.assert_array_equal(images, IMAGES)
    assert asked == ["asked"] and set(place.iterdir()) == {ORIGIN.path, other.path}


@pytest.mark.parametrize("system", ["Windows", "a file system without locks"])
def test_without_locks_each_writes_a_file_of_its_own(system, place, monkeypatch):
    if system == "Windows":
        monkeypatch.setattr(cache, "fcntl", None)
    else:

        def none(*_):
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr("fcntl.flock", none)
    place.mkdir()
    old, new = place / ".partial-1-images-0.npy", place / ".partial-2-images-0.npy"
    for path, age in ((old, 2 * 24 * 3600), (new, 3600)):
        path.write_bytes(b"cut off, or being written")
        os.utime(path, (time.time() - age,) * 2)
    np.testing.assert_array_equal(held().images, IMAGES)
    assert set(place.iterdir()) == {ORIGIN.path, new}


# What is decoded


def test_a_folder_gives_the_same_from_memory_and_cache(tmp_path, capsys):
    folder = draw(tmp_path / "drawn")
    (folder / "a" / "bad.png").write_bytes(b"no image")
    (folder / "a" / "odd.txt").write_text("")
    told = []
    for memory in (None, "1KB", "1KB"):
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            found = of_folder(folder, memory, skip_unreadable=True)
        told.append(([str(one.message) for one in given], found.labels.tolist(), found.classes, found.fingerprint))
        assert isinstance(found.images, Stored) == (memory is not None)
    assert told[0] == told[1] == told[2] and "bad.png" in told[0][0][0] and "odd.txt" in told[0][0][0]
    with pytest.raises(InputError, match=r"bad\.png is no image"):
        of_folder(folder)
    (folder / "a" / "bad.png").unlink()
    with pytest.warns(data.Note):
        assert of_folder(folder).fingerprint == told[0][-1]
    assert "has changed since" in said(capsys)


@pytest.mark.parametrize("change", ["content", "time", "added", "removed", "renamed", "its time put back"])
def test_a_changed_folder_is_decoded_anew(change, tmp_path, capsys):
    folder = draw(tmp_path / "drawn")
    before = of_folder(folder)
    file = folder / "a" / "4.png"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    if change in ("content", "its time put back"):
        size = file.stat().st_size
        Image.fromarray(np.zeros((9, 8, 3), np.uint8)).save(file)
        os.truncate(file, size)  # an image of as many bytes
        if change != "content":
            os.utime(file, ns=times)
    elif change == "time":
        os.utime(file)
    elif change == "added":
        shutil.copy(file, folder / "a" / "more.png")
    elif change == "removed":
        file.unlink()
    else:
        file.rename(folder / "b" / "4.png")
    said(capsys)
    after = of_folder(folder)
    assert f"the folder {folder} has changed since" in said(capsys)
    assert after.fingerprint == data.load_examples(folder, image_size=(6, 5), channels=3, labels=True).fingerprint
    assert (after.fingerprint == before.fingerprint) == (change == "time")


def test_each_setting_has_a_file_of_its_own(tmp_path, place):
    folder = draw(tmp_path / "drawn")
    common = {"image_size": 6, "channels": 3, "memory": 50}
    for options in ({}, {"invert": True}, {"channels": 1}, {"image_size": (6, 5)}):
        settings = common | options
        found = data.load_examples(folder, **settings)
        same = data.load_examples(folder, **settings | {"memory": None})
        np.testing.assert_array_equal(found.images, same.images)
    count = len(list(place.glob("*.npy")))
    assert count == 4
    labelled = data.load_examples(folder, labels=True, **common)
    assert labelled.classes == ("a", "b") and len(list(place.glob("*.npy"))) == count  # the images are the same


def test_lists_of_files(tmp_path, place):
    files = sorted(draw(tmp_path / "drawn").rglob("*.png"))
    for chosen in (files, files[::-1]):
        for _ in range(2):
            found = data.load_examples(chosen, image_size=6, memory=50)
            np.testing.assert_array_equal(found.images, data.images(chosen, image_size=6))
    assert len(list(place.glob("*.npy"))) == 2


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("uint8", {}),
        ("uint8", {"invert": True}),
        ("float32", {}),
        ("float32", {"image_size": 8}),
        ("mapped", {}),
        ("mapped", {"channels": 1}),
    ],
)
def test_arrays(kind, options, tmp_path, place):
    array = RNG.integers(0, 256, (12, 9, 7, 3), np.uint8)
    array[:4] //= 255  # parts that are dark are no masks
    if kind == "float32":
        array = data.to_float(array)
    if kind == "mapped":
        np.save(tmp_path / "array.npy", array)
        array = np.load(tmp_path / "array.npy", mmap_mode="r")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasinterp.data.stored._BLOCK", 3 * 9 * 7 * 3)
        found = data.load_examples(array, memory=100, **options)
        assert isinstance(found.images, Stored)
        data.load_examples(array, memory=100, **options)
        assert len(list(place.glob("*.npy"))) == 1
    np.testing.assert_array_equal(found.images, data.images(np.asarray(array), **options))


@contextlib.contextmanager
def mocked(count=20):
    def as_dataset(self, *_, **__):
        rng = np.random.default_rng(1)
        images = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
        return tf.data.Dataset.from_tensor_slices({"image": images, "label": np.arange(count) % 10})

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        yield


@pytest.mark.parametrize("options", [{"invert": True}, {"classes": [1, 2, 4]}])
def test_datasets(options, tmp_path, place, capsys):
    options = {"image_size": 8, "data_dir": tmp_path} | options
    with mocked():
        whole = data.load_examples("cifar10", labels=True, **options)
        for labels, same in ((False, Examples(whole.images)), (True, whole)):
            found = data.load_examples("cifar10", labels=labels, memory=200, **options)
            assert isinstance(found.images, Stored) and found.fingerprint == same.fingerprint
            assert found.classes == same.classes
    assert len(list(place.glob("*.npy"))) == 1  # with labels and without
    assert said(capsys).count("Decoding cifar10 (train)") == 1


def test_attributes_of_a_dataset(tmp_path):
    def as_dataset(self, *_, **__):
        attributes = {"Male": [True, False] * 5, "Young": [True, True] * 5}
        images = np.random.default_rng(0).integers(0, 256, (10, 218, 178, 3), np.uint8)
        return tf.data.Dataset.from_tensor_slices({"image": images, "attributes": attributes})

    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        options = {"labels": ("Young", "Male"), "image_size": 8, "data_dir": tmp_path}
        whole = data.load_examples("celeb_a", **options)
        found = [data.load_examples("celeb_a", memory="1KB", **options) for _ in range(2)]
    assert isinstance(found[1].images, Stored) and found[1].labels.dtype == np.float32
    assert [one.fingerprint for one in found] == [whole.fingerprint] * 2


# Batches


@pytest.mark.parametrize(
    "form",
    [
        lambda examples, **options: data.batches(examples, 8, places=True, **options),
        lambda examples, **options: data.triplets(examples, 8, transformations=data.NATURAL, **options),
        lambda examples, **options: data.pairs(examples, 8, **options),
        lambda examples, **options: data.sets(examples, 8, 3, **options),
    ],
)
def test_each_form_gives_the_same_batches(form):
    labels = np.arange(30) % 3
    whole = Examples(IMAGES, labels, "abc")
    mapped = Examples(held().images, labels, "abc")
    some = np.random.default_rng(2).permutation(30)[:20]
    drawn = (form(examples.select(some), seed=3, start_step=5, steps=6) for examples in (whole, mapped))
    for left, right in zip(*drawn, strict=True):
        assert left.keys() == right.keys()
        for key in left:
            np.testing.assert_array_equal(left[key], right[key], strict=True)


def test_batches_have_known_shapes():
    dataset = data.batches(Examples(held().images), 8)
    assert dataset.element_spec["c"].shape == (8, *SHAPE)


def test_notes_of_light_borders_are_the_same_from_memory_and_cache(monkeypatch):
    monkeypatch.setattr("kerasinterp.data.ink._ENOUGH", 5)
    light = np.full((30, 4, 5, 1), 250, np.uint8)
    light[1:] //= 1
    for images, told in ((light, True), (255 - light, False)):
        origin = Origin("x", {"told": told}, str)
        found = hold(parts(images=images), (4, 5, 1), 30, memory=100, origin=[origin].pop)
        assert [bool(data.ink_note(one)) for one in (images, found.images)] == [told, told]


# Kills


@pytest.mark.slow
def test_kill_9_while_the_cache_is_written(tmp_path, place):
    folder = draw(tmp_path / "drawn", 300)
    program = (
        "import sys, time; from kerasinterp import data; from kerasinterp.data import folder;"
        "read = folder._read;"
        "slow = lambda *arguments: (time.sleep(0.01), read(*arguments))[1];"
        "folder._read, folder._PIECE = slow, 1000;"
        "data.load_examples(sys.argv[1], image_size=(6, 5), channels=3, labels=True, memory='1KB')"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(folder)], stderr=subprocess.DEVNULL)
    while not (partial := [one for one in place.glob(".partial-*") if one.stat().st_size > 5000]):
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert partial[0].exists() and not list(place.glob("images-*"))
    found = of_folder(folder)
    assert found.fingerprint == of_folder(folder, None).fingerprint
    assert not list(place.glob(".partial-*"))


@pytest.mark.slow
def test_two_processes_at_once(tmp_path, place):
    folder = draw(tmp_path / "drawn", 300)
    program = (
        "import sys; from kerasinterp import data;"
        "print(data.load_examples(sys.argv[1], image_size=(6, 5), channels=3, labels=True, memory='1KB').fingerprint)"
    )
    command = [sys.executable, "-c", program, str(folder)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(2)]
    known = of_folder(folder, None).fingerprint
    assert [process.communicate()[0].strip() for process in both] == [known, known]
    assert len(list(place.glob("*.npy"))) == 1 and not list(place.glob(".partial-*"))
