import errno
import os

import pytest

from kerasinterp.errors import InputError
from kerasinterp.files import read_text, regular, write_rows, written_whole


def test_the_file_is_the_old_one_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "new" / "table.json"
    with written_whole(path) as partial:
        assert partial.parent == path.parent and partial.suffix == path.suffix
        partial.write_text("first")
        assert not path.exists()
    with written_whole(path) as partial:
        partial.write_text("second")
        assert path.read_text() == "first"
    assert path.read_text() == "second" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "table.json"
    path.write_text("first")
    with pytest.raises(type(error)) as caught, written_whole(path) as partial:
        partial.write_text("sec")
        raise error
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]
    if isinstance(error, OSError):
        assert caught.value.filename == str(path)


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "table.json"
    path.mkdir()
    with pytest.raises(OSError) as caught, written_whole(path) as partial:
        partial.touch()
    assert caught.value.filename == str(path) and list(tmp_path.iterdir()) == [path]


def test_a_copy_that_does_not_fit_is_told_of_by_its_own_name(tmp_path):
    """`shutil.copyfile` names what it reads first."""
    path, source = tmp_path / "a.png", tmp_path / "mine.png"
    with pytest.raises(OSError) as caught, written_whole(path) as partial:
        raise OSError(errno.ENOSPC, "No space left on device", str(source), None, str(partial))
    assert str(caught.value) == f"[Errno {errno.ENOSPC}] No space left on device: {str(path)!r}"
    with pytest.raises(OSError) as caught, written_whole(path):
        raise OSError(errno.EACCES, "Permission denied", str(source))
    assert caught.value.filename == str(source)


def test_an_error_without_a_number_keeps_its_text(tmp_path):
    with pytest.raises(OSError, match="write failed: No space left on device"), written_whole(tmp_path / "a.png"):
        raise OSError("write failed: No space left on device")


def test_a_trial_leaves_nothing(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("first")
    with written_whole(path, trial=True) as partial:
        partial.write_text("second")
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


def test_only_what_can_be_read_at_once_is_read(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes("é".encode())
    (tmp_path / "link").symlink_to(path)
    assert read_text(tmp_path / "link") == "é" and regular(str(path)) == path
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe is a pipe or device, not a file"):
        read_text(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a folder, not a file"):
        regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        regular(tmp_path / "none")


def test_rows_are_comma_separated_and_quoted_where_they_must_be(tmp_path):
    write_rows(tmp_path / "new" / "table.csv", [["model", "fid"], ["AE, seed 0", 1.5], ["VAE", ""]])
    assert (tmp_path / "new" / "table.csv").read_bytes() == b'model,fid\n"AE, seed 0",1.5\nVAE,\n'
