import ast
import configparser
import os
import pathlib
import subprocess
import sys

import pytest

import kerasinterp


def python(code: str, *arguments: object, **variables: str) -> str:
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from kerasinterp import objectives
    from kerasinterp.nn import mlp

    path = tmp_path_factory.mktemp("model") / "model.keras"
    objectives.PlainAE(encoder=mlp.encoder((2,), 3, 4), decoder=mlp.decoder((2,), 3, 4)).save(path)
    return path


def test_every_public_module_is_there_after_a_bare_import():
    folder = pathlib.Path(kerasinterp.__file__).parent
    modules = {path.stem for path in folder.glob("[a-z]*.py")} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }
    assert {"errors", "generation", "recipe", "training"} <= modules <= set(dir(kerasinterp))
    ours = {path.stem for path in folder.glob("_[a-z]*.py")}
    assert not ours & set(python("import kerasinterp; print(*dir(kerasinterp))").split())
    for name in modules:
        assert getattr(kerasinterp, name).__name__ == f"kerasinterp.{name}"


def test_every_package_is_installed():
    root = pathlib.Path(kerasinterp.__file__).parent.parent
    listed = configparser.ConfigParser()
    listed.read(root / "setup.cfg")
    folders = {".".join(path.parent.relative_to(root).parts) for path in root.glob("kerasinterp/**/__init__.py")}
    assert set(listed["options"]["packages"].split()) == folders | {"kerasinterp.recipes"}


def test_every_file_of_a_preset_is_installed():
    from kerasinterp.presets.finding import CARD, CONFIG, TEXT, WEIGHTS

    listed = configparser.ConfigParser()
    listed.read(pathlib.Path(kerasinterp.__file__).parent.parent / "setup.cfg")
    installed = listed["options.package_data"]["kerasinterp.presets"].split(", ")
    assert set(installed) == {f"*/{name}" for name in (CARD, CONFIG, TEXT, WEIGHTS)}


def test_a_bare_import_is_light_and_gives_modules():
    code = (
        "import sys, kerasinterp; kerasinterp.errors.InputError, kerasinterp.processor.prepare; "
        "print(sorted({'tensorflow', 'keras', 'numpy'} & set(sys.modules)))"
    )
    assert python(code) == "[]"


def test_what_is_not_there_is_said():
    with pytest.raises(AttributeError, match="'kerasinterp' has no attribute 'genration'"):
        kerasinterp.genration  # noqa: B018
    assert not hasattr(kerasinterp, "_no_such_thing")


def test_a_fault_within_a_module_is_not_taken_for_a_missing_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "kerasinterp.missing", None)  # as if it imported what is not installed
    monkeypatch.setattr(kerasinterp.importlib, "import_module", _needs_torch)
    with pytest.raises(ModuleNotFoundError, match="torch"):
        kerasinterp.missing  # noqa: B018


def _needs_torch(name: str) -> None:
    raise ModuleNotFoundError("No module named 'torch'", name="torch")


@pytest.mark.parametrize(
    "imports",
    [
        "import kerasinterp, keras",
        pytest.param("import keras, kerasinterp", marks=pytest.mark.slow),
        pytest.param("import kerasinterp, tensorflow, keras", marks=pytest.mark.slow),
        pytest.param("import tensorflow, kerasinterp, keras", marks=pytest.mark.slow),
        # The first that imports Keras may be one of the modules that the objectives need.
        pytest.param("import kerasinterp.nn.infogan, keras", marks=pytest.mark.slow),
        pytest.param("import kerasinterp.ops.mixing, keras", marks=pytest.mark.slow),
        pytest.param("import kerasinterp.data, keras", marks=pytest.mark.slow),
        pytest.param("import kerasinterp.objectives.plain_ae, keras", marks=pytest.mark.slow),
    ],
)
def test_keras_loads_our_models_in_a_new_process(model, imports):
    code = f"import sys; {imports}; print(type(keras.models.load_model(sys.argv[1])).__name__)"
    assert python(code, model) == "PlainAE"


def test_every_layer_that_models_may_hold_is_registered_with_the_objectives():
    """A new process loads a model before it builds any network."""
    folder = pathlib.Path(kerasinterp.__file__).parent
    layers = {path.stem for path in folder.glob("nn/*.py") if "@keras.saving.register" in path.read_text()}
    lines = ast.parse((folder / "objectives" / "__init__.py").read_text()).body
    imported = {alias.name for line in lines if getattr(line, "module", "") == "kerasinterp.nn" for alias in line.names}
    assert "latent_table" in layers <= imported


def test_keras_is_found_by_others_as_if_we_were_not_there():
    code = (
        "import importlib.util, sys; found = importlib.util.find_spec('keras').origin; import kerasinterp; "
        "print(importlib.util.find_spec('keras').origin == found, 'keras' in sys.modules)"
    )
    assert python(code) == "True False"


def test_another_backend_is_kept_from_our_modules_alone(tmp_path):
    """Keras works with torch after `import kerasinterp`; what needs TensorFlow says so."""
    (tmp_path / "keras.py").write_text(  # a stand-in: another backend may not be installed
        "class config: backend, image_data_format, floatx = lambda: 'torch', lambda: 'channels_last', lambda: 'float32'"
    )
    code = (
        "import kerasinterp, keras; print(keras.config.backend())\n"
        "try: kerasinterp.nn\n"
        "except kerasinterp.errors.InputError as error: print(error)"
    )
    printed = python(code, PYTHONPATH=str(tmp_path), KERAS_BACKEND="torch", KERAS_HOME=str(tmp_path))
    assert printed.startswith("torch\n") and "needs Keras" in printed


def test_what_keras_is_set_to_when_it_is_imported_already(monkeypatch):
    import keras

    from kerasinterp import _keras
    from kerasinterp.errors import InputError

    _keras.check({"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}, "here")
    _keras.check({}, "here")
    with pytest.raises(InputError, match="image_data_format 'channels_last', not 'channels_first': change it in here"):
        _keras.check({"image_data_format": "channels_first"}, "here")
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    monkeypatch.delitem(sys.modules, "kerasinterp._keras")
    with pytest.raises(InputError, match="backend 'tensorflow', not 'torch'"):
        kerasinterp.importlib.import_module("kerasinterp._keras")
