import hashlib
import io
import json
import os

import keras
import numpy as np
import pytest
from networks import SHAPE, make

import kerasinterp
from kerasinterp import generation, objectives
from kerasinterp.errors import InputError
from kerasinterp.presets import storing

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, *SHAPE)).astype(np.float32)


@pytest.mark.parametrize("name", objectives.OBJECTIVES)
def test_every_system_comes_back(tmp_path, name):
    cls = objectives.OBJECTIVES[name]
    model = make(cls, normalised=True)
    model.step.assign(100_003)  # more than float16 counts to
    model.save_to_preset(tmp_path)
    loaded = cls.from_preset(tmp_path)
    assert type(loaded) is cls and int(loaded.step) == 100_003
    before, after = keras.tree.map_structure(np.array, (model.get_weights(), loaded.get_weights()))
    for one, other in zip(before, after, strict=True):
        assert other.dtype == one.dtype
        np.testing.assert_allclose(other, one, rtol=2**-11, atol=2**-25)  # half of float16's last place


def test_a_preset_makes_nearly_the_same_images(trained, preset):
    loaded = kerasinterp.from_preset(preset)
    assert type(loaded) is objectives.AugIntAE
    for make_images in (generation.reconstruct, lambda model, seeds: generation.few_shot(model, seeds, 8, seed=0)):
        before, after = make_images(trained, IMAGES), make_images(loaded, IMAGES)
        assert 0 < np.abs(after - before).max() < 5e-3  # images are in [-1, 1]
    again = generation.load_model(preset)
    assert generation.reconstruct(again, IMAGES).tobytes() == generation.reconstruct(loaded, IMAGES).tobytes()


def test_a_preset_is_trained_on(preset):
    model = objectives.AugIntAE.from_preset(preset)
    model.compile("adam", run_eagerly=True)
    batch = {"a": IMAGES, "b": IMAGES, "c": IMAGES, "alpha": np.full(6, 0.5, np.float32)}
    model.fit(batch, batch_size=6, verbose=0)
    assert int(model.step) == 1


def test_optimizers_stay_behind(tmp_path):
    model = make(objectives.PlainAE)
    model.compile("adam")
    model.save_to_preset(tmp_path)
    assert "Adam" not in (tmp_path / "config.json").read_text()
    assert not kerasinterp.from_preset(tmp_path).compiled


def test_the_class_that_is_asked_for(preset):
    assert type(objectives.Autoencoder.from_preset(preset)) is objectives.AugIntAE
    with pytest.raises(InputError, match=r"is a preset of AugIntAE, not of IntAE: call AugIntAE.from_preset"):
        objectives.IntAE.from_preset(preset)


def test_the_card_says_what_the_model_is(trained, preset):
    card = json.loads((preset / "card.json").read_text())
    assert card["name"] == "letters" and card["class"] == "AugIntAE" and card["image_shape"] == list(SHAPE)
    assert card["parameters"] == trained.count_params()
    assert (preset / "README.md").read_text().startswith("# letters\n")


def test_a_preset_takes_the_place_of_an_earlier_one(tmp_path):
    make(objectives.AugIntAE).save_to_preset(tmp_path)
    make(objectives.PlainAE).save_to_preset(tmp_path)
    assert type(kerasinterp.from_preset(tmp_path)) is objectives.PlainAE


# Refused at saving


def test_a_folder_with_other_files_is_left_alone(trained, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds other files"):
        trained.save_to_preset(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        trained.save_to_preset(tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(("value", "message"), [(np.nan, "not finite"), (7e4, "beyond 65,504"), (6e4, None)])
def test_weights_that_float16_cannot_hold(tmp_path, value, message):
    model = make(objectives.PlainAE)
    model.decoder.weights[0].assign(np.full(model.decoder.weights[0].shape, value))
    if message is None:
        model.save_to_preset(tmp_path / "preset")
        return
    with pytest.raises(InputError, match=message):
        model.save_to_preset(tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


def test_a_model_too_large_for_a_preset(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(storing, "LARGEST", 500)
    with pytest.raises(InputError, match=r"at most 0.0005 MB: use model.save"):
        trained.save_to_preset(tmp_path / "preset")


# Refused at loading


def change(folder, **changes):
    """Changes entries of config.json, at any depth: `model__module`."""
    config = json.loads((folder / "config.json").read_text())
    for key, value in changes.items():
        *path, last = key.split("__")
        group = config
        for part in path:
            group = group[part]
        group[last] = value
    (folder / "config.json").write_text(json.dumps(config))


def reweigh(folder, change_arrays, checksum: bool = True):
    """Writes other weights, with their checksum."""
    with np.load(folder / "weights.npz") as file:
        arrays = change_arrays(dict(file))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    (folder / "weights.npz").write_bytes(buffer.getvalue())
    if checksum:
        change(folder, weights_sha256=hashlib.sha256(buffer.getvalue()).hexdigest())


def rubbish(folder):
    (folder / "weights.npz").write_bytes(b"no archive")
    change(folder, weights_sha256=hashlib.sha256(b"no archive").hexdigest())


def lambda_encoder(folder):
    unsafe = keras.Sequential([keras.Input(SHAPE), keras.layers.Lambda(lambda x: x)])
    change(folder, model__config__encoder=keras.saving.serialize_keras_object(unsafe))


def of_keras(folder):
    change(folder, model__class_name="Sequential", model__registered_name="Sequential", model__module="keras")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "it has no config.json"),
        (lambda folder: (folder / "weights.npz").unlink(), "is incomplete: it has no weights.npz"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json, it is not JSON"),
        (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe{}"), "config.json, it is not JSON"),
        (lambda folder: (folder / "config.json").write_text("[" * 100_000), "config.json, it is not JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "it is no preset's"),
        (lambda folder: change(folder, format="1"), "it is no preset's"),
        (
            lambda folder: change(folder, format=2, kerasinterp="9.1.0"),
            "of format 2, of kerasinterp 9.1.0, and this is",
        ),
        (lambda folder: change(folder, model=None), "parts of it are missing"),
        (lambda folder: change(folder, model__config=None), "parts of it are missing"),
        (lambda folder: change(folder, model__registered_name=3), "parts of it are missing"),
        (
            lambda folder: change(folder, model__registered_name="x>COLA", model__class_name="COLA"),
            "holds a COLA, which",
        ),
        (of_keras, "holds a Sequential, which is not known"),
        (lambda folder: change(folder, model__registered_name="kerasinterp>Linear"), "it is no model of kerasinterp"),
        (lambda folder: change(folder, model__config__weights={"novelty": 1.0}), "There is no term 'novelty'"),
        (lambda folder: change(folder, model__config__encoder=None), "cannot be"),
        (
            lambda folder: change(folder, keras="99.1", model__config__mixing__config__novelty=1),
            "by Keras 99.1, and this",
        ),
        (lambda_encoder, "safe mode refuses"),
        (rubbish, "parts cannot be read"),
        (lambda folder: (folder / "weights.npz").write_bytes(b""), "is not the file that was written"),
        (lambda folder: reweigh(folder, lambda old: old, checksum=False), None),
        (
            lambda folder: reweigh(folder, lambda old: {k: v + v for k, v in old.items()}, checksum=False),
            "is not the file that was written",
        ),
        (
            lambda folder: reweigh(folder, lambda old: {k: v.reshape(-1) for k, v in old.items()}),
            "other names or shapes",
        ),
        (lambda folder: reweigh(folder, lambda old: dict(list(old.items())[1:])), "other names or shapes"),
        (lambda folder: reweigh(folder, lambda old: {k: v * np.nan for k, v in old.items()}), "not finite"),
        (lambda folder: reweigh(folder, lambda old: {k: v.astype("U9") for k, v in old.items()}), "not finite"),
        (lambda folder: reweigh(folder, lambda old: {k: v.astype(object) for k, v in old.items()}), "cannot be read"),
        (lambda folder: reweigh(folder, lambda old: old | {"x": np.zeros(6_000_000, np.uint8)}), "larger than 5 MB"),
        (lambda folder: (folder / "weights.npz").unlink() or os.mkfifo(folder / "weights.npz"), "is a pipe"),
    ],
)
def test_every_damage_is_a_sentence(preset, damage, message):
    damage(preset)
    if message is None:  # the same weights again are the same file
        kerasinterp.from_preset(preset)
        return
    with pytest.raises(InputError, match=message) as caught:
        kerasinterp.from_preset(preset)
    assert str(preset) in str(caught.value) and "\n" not in str(caught.value)


def test_weights_that_unpack_to_more_than_a_preset_has_are_never_unpacked(preset, monkeypatch):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, zeros=np.zeros(10_000_000, np.uint8))
    (preset / "weights.npz").write_bytes(buffer.getvalue())
    change(preset, weights_sha256=hashlib.sha256(buffer.getvalue()).hexdigest())
    monkeypatch.setattr(np, "load", None)
    with pytest.raises(InputError, match="parts cannot be read"):
        kerasinterp.from_preset(preset)


def test_a_config_of_another_version_of_the_same_format_is_read(preset):
    change(preset, kerasinterp="0.9.0")
    assert type(kerasinterp.from_preset(preset)) is objectives.AugIntAE
