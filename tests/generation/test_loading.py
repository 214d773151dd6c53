import zipfile

import keras
import numpy as np
import pytest

from kerasinterp import objectives
from kerasinterp.errors import InputError
from kerasinterp.generation import load_model, reconstruct


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
        (foreign, "without encoder and decoder"),
        (unsafe, "safe mode refuses"),
        (damaged, "damaged"),
        (other_archive, "cannot be loaded"),
        (lambda path: path.write_text("text"), "not a .keras file"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: None, "no model file"),
    ],
)
def test_other_files_get_a_sentence(tmp_path, make, message):
    path = tmp_path / "model.keras"
    make(path)
    with pytest.raises(InputError, match=message) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
