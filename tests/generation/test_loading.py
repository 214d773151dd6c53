import errno
import json
import os
import zipfile

import keras
import numpy as np
import pytest

from kerasinterp import objectives
from kerasinterp.errors import InputError
from kerasinterp.generation import load_model, loading, reconstruct


def networks() -> dict[str, keras.Model]:
    images, code = keras.Input((4, 4, 1)), keras.Input((3,))
    flat = keras.layers.Flatten()(images)
    return {
        "encoder": keras.Model(images, keras.layers.UnitNormalization()(keras.layers.Dense(3)(flat)), name="encoder"),
        "decoder": keras.Model(
            code, keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16, "tanh")(code)), name="decoder"
        ),
        "discriminator": keras.Model(images, keras.layers.Dense(1)(flat), name="discriminator"),
    }


def test_a_trained_model_comes_back(tmp_path):
    model = objectives.AugIntAE(**networks())
    model.compile("adam")
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert type(loaded) is objectives.AugIntAE and loaded.image_shape == (4, 4, 1)
    images = np.random.default_rng(0).uniform(-1, 1, (5, 4, 4, 1)).astype(np.float32)
    assert reconstruct(loaded, images).tobytes() == reconstruct(model, images).tobytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "model.keras"
    objectives.AugIntAE(**networks()).save(path)
    return path


def packed(source, path, method=zipfile.ZIP_STORED, **changes):
    """A copy of a model file with each part packed by `method`, and changed by the function of its name."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", method) as new:
        for name in old.namelist():
            part = old.read(name)
            change = changes.get(name.split(".")[0])
            new.writestr(name, json.dumps(change(json.loads(part))) if change else part)
    return path


def foreign(path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)


def unsafe(path):
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]).save(path)


def damaged(path):
    foreign(path)
    path.write_bytes(path.read_bytes()[:-100])


def other_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "no model")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (foreign, "a Sequential, which has no codes"),
        (unsafe, "safe mode refuses"),
        (damaged, "damaged"),
        (other_archive, "cannot be loaded"),
        (lambda path: path.write_text("text"), "not a .keras file"),
        (lambda path: path.mkdir(), r"is a directory, and no preset's, for want of config\.json"),
        (os.mkfifo, "is a pipe or device"),
        (lambda path: None, "no model file"),
    ],
)
def test_other_files_get_a_sentence(tmp_path, make, message):
    path = tmp_path / "model.keras"
    make(path)
    with pytest.raises(InputError, match=message) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_a_file_packed_by_another_program_is_loaded(trained, tmp_path):
    path = packed(trained, tmp_path / "packed.keras", zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < trained.stat().st_size
    images = np.zeros((1, 4, 4, 1), np.float32)
    assert reconstruct(load_model(path), images).tobytes() == reconstruct(load_model(trained), images).tobytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"config": lambda config: config | {"class_name": "COLA", "registered_name": "x>COLA"}},
            "holds a COLA, which is",
        ),
        ({"metadata": lambda data: data | {"keras_version": "99.1.0"}, "config": lambda _: {}}, "by Keras 99.1.0, and"),
        (
            {"config": lambda config: config["config"]["mixing"]["config"].update(novelty=1) or config},
            r"\(TypeError: .*unexpected keyword argument 'novelty'\)",
        ),
        (
            {"config": lambda config: config | {"config": config["config"] | {"weights": {"novelty": 1.0}}}},
            r"cannot be used: There is no term 'novelty'",
        ),
    ],
)
def test_the_reason_is_told(trained, tmp_path, changes, message):
    path = packed(trained, tmp_path / "other.keras", **changes)
    with pytest.raises(InputError, match=message) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def declare(path, name: bytes, size: int):
    """Has the archive's directory say that the part is of that size."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(name) - 46  # the directory's record, of fixed length before the name
    assert content[entry : entry + 4] == b"PK\x01\x02"
    content[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "unpack to more than"),
        (lambda path: declare(path, b"model.weights.h5", 100), "unpack to more than"),
    ],
)
def test_a_file_that_unpacks_to_more_than_a_model_can_is_never_unpacked(trained, tmp_path, monkeypatch, make, message):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("metadata.json", "config.json"):
            archive.writestr(name, zipfile.ZipFile(trained).read(name))
        archive.writestr("model.weights.h5", bytes(2**22))
    make(path)
    monkeypatch.setattr(loading, "_SPARE", 2**20)
    monkeypatch.setattr(keras.saving, "load_model", None)
    with pytest.raises(InputError, match=message):
        load_model(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [100, 10**6])
def test_a_directory_of_other_sizes_is_damage(trained, tmp_path, monkeypatch, method, size):
    path = packed(trained, tmp_path / "lying.keras", method)
    declare(path, b"model.weights.h5", size)
    monkeypatch.setattr(keras.saving, "load_model", None)
    with pytest.raises(InputError, match="is damaged"):
        load_model(path)


def test_a_file_that_the_system_does_not_give_is_not_called_damaged(trained, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(trained))

    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        load_model(trained)


@pytest.mark.parametrize("place", range(0, 1000, 125))
def test_every_damage_is_a_sentence(trained, tmp_path, place):
    """Bits of the directory at the archive's end, and of a part's header at its beginning, are turned round."""
    content = bytearray(trained.read_bytes())
    at = len(content) - 1 - place // 4 if place % 2 else place // 8
    content[at] ^= 0xFF
    path = tmp_path / "damaged.keras"
    path.write_bytes(content)
    try:
        load_model(path)  # where nothing depends on the bits
    except InputError as error:
        assert str(path) in str(error) and "\n" not in str(error)


def test_a_packing_without_bound_is_refused(trained, tmp_path):
    path = packed(trained, tmp_path / "packed.keras", zipfile.ZIP_LZMA)
    with pytest.raises(InputError, match="is damaged"):
        load_model(path)


def test_a_model_is_loaded_by_what_it_offers(tmp_path):
    @keras.saving.register_keras_serializable("kerasinterp_tests")
    class Sampler(keras.Model):
        def prior(self, count, seed):
            return np.zeros((count, 2))

        def decode(self, latents):
            return latents

    model = Sampler()
    model.built = True  # Keras warns of others
    model.save(tmp_path / "model.keras")
    assert type(load_model(tmp_path / "model.keras")) is Sampler
