import shutil

import pytest

import kerasinterp
from kerasinterp import generation, objectives, presets
from kerasinterp.errors import InputError
from kerasinterp.presets import finding


@pytest.fixture
def shelf(preset, monkeypatch):
    """The package's folder of presets, with `letters` in it, and a working directory beside it."""
    shelf = preset.parent / "shelf"
    shelf.mkdir()
    shutil.move(preset, shelf / "letters")
    (shelf / "__pycache__").mkdir()
    monkeypatch.setattr(finding, "_SHELF", shelf)
    here = preset.parent / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return shelf


def test_a_folder_is_all_that_a_shipped_preset_needs(shelf):
    assert presets.shipped() == {"letters": shelf / "letters"}
    assert type(kerasinterp.from_preset("letters")) is objectives.AugIntAE
    assert type(generation.load_model("letters")) is objectives.AugIntAE


def test_a_file_or_folder_of_that_name_comes_first(shelf, tmp_path):
    own = tmp_path / "here" / "letters"
    own.write_text("no model")
    assert presets.folder_of("letters") is None
    with pytest.raises(InputError, match="letters is a file, and a preset is a folder or a name"):
        kerasinterp.from_preset("letters")
    with pytest.raises(InputError, match="letters is not a"):
        generation.load_model("letters")
    own.unlink()
    own.mkdir()
    with pytest.raises(InputError, match="letters is no preset's folder: it has no"):
        kerasinterp.from_preset("letters")
    with pytest.raises(InputError, match="letters is a directory"):
        generation.load_model("letters")
    shutil.copytree(shelf / "letters", own, dirs_exist_ok=True)
    assert presets.find("letters").resolve() == own.resolve()


@pytest.mark.parametrize(
    ("load", "wanted"), [(kerasinterp.from_preset, "preset"), (generation.load_model, "model file or preset")]
)
def test_a_name_that_is_none_is_answered_by_a_suggestion(shelf, load, wanted):
    with pytest.raises(InputError, match=rf"no {wanted} leters: the presets are letters. Did you mean 'letters'\?"):
        load("leters")


@pytest.mark.parametrize("path", ["runs/letters", "letters.keras", "../shelf/leters"])
def test_a_mistyped_path_is_none_of_the_names(shelf, path):
    with pytest.raises(InputError, match=rf"^there is no model file {path}.$"):
        generation.load_model(path)


def test_without_presets_a_path_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(finding, "_SHELF", tmp_path)
    with pytest.raises(
        InputError, match="there is no preset letters: no presets came with this package, so give a path"
    ):
        kerasinterp.from_preset("letters")


def test_a_name_leads_nowhere_else(shelf):
    with pytest.raises(InputError, match=r"there is no preset \.\./here/letters"):
        kerasinterp.from_preset("../here/letters")
