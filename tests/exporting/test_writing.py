"""Outputs appear whole or not at all, and what stands in their way is told in a sentence."""

import contextlib
import pathlib
import resource

import pytest
from trained_networks import generator

from kerasinterp.errors import InputError
from kerasinterp.exporting import export_saved_model, export_serving, export_tflite

EXPORTS = [export_saved_model, export_tflite]


@pytest.fixture(scope="module")
def model():
    return generator()


def test_existing_output_is_kept(model, tmp_path):
    (tmp_path / "mine").write_text("precious")
    for export in EXPORTS:
        with pytest.raises(InputError, match="mine exists: remove it"):
            export(model, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize("export", [*EXPORTS, export_serving])
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("", "The output is '': give the path"),
        (None, "The output is None: give the path"),
        ("a\0b", "holds a zero byte"),
        ("a\udcff", r"'a\\udcff' is not UTF-8"),
    ],
)
def test_what_is_no_path(model, tmp_path, monkeypatch, export, path, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sentence):
        export(model, path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("export", EXPORTS)
def test_a_link_to_nothing(model, tmp_path, export):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="link is a link to what does not exist: remove it"):
        export(model, tmp_path / "link")
    with pytest.raises(OSError, match=r"out cannot be written \(.*link is no folder\): choose another place"):
        export(model, tmp_path / "link" / "out")


@contextlib.contextmanager
def files_limited_to(size):
    """Every write beyond `size` bytes fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("export", EXPORTS)
def test_a_full_disk_leaves_nothing(model, tmp_path, export):
    with (
        files_limited_to(50_000),
        pytest.raises(OSError, match=r"out cannot be written \([^\[{;]+\): free space or choose"),
    ):
        export(model, tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("export", EXPORTS)
def test_a_file_where_a_folder_should_be_is_named(model, tmp_path, export):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match=r"out cannot be written \(.*file is no folder\): choose another place"):
        export(model, tmp_path / "file" / "out")


def test_a_name_that_is_too_long(model, tmp_path):
    with pytest.raises(OSError, match=r"cannot be written \(File name too long\): choose another place"):
        export_tflite(model, tmp_path / ("n" * 300))


def test_a_failure_while_writing_leaves_nothing(model, tmp_path, monkeypatch):
    def fail(path, target):
        assert list(path.iterdir()), "written beside its place before the rename"
        raise KeyboardInterrupt

    monkeypatch.setattr(pathlib.Path, "rename", fail)
    with pytest.raises(KeyboardInterrupt):
        export_saved_model(model, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_an_error_of_the_model_is_not_told_as_one_of_the_disk(tmp_path):
    class Odd(type(generator().generator)):
        def call(self, *arguments, **options):
            raise NotImplementedError("of the model")

    odd = generator()
    odd.generator.__class__ = Odd
    with pytest.raises(NotImplementedError, match="of the model"):
        export_saved_model(odd, tmp_path / "out")
    assert not list(tmp_path.iterdir())
