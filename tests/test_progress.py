"""Of long steps: a bar on a terminal, lines in a log file, nothing of what is quick."""

import io

import pytest

from kerasinterp import progress
from kerasinterp.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass as the test says."""
    time = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: time[0])
    return time


def test_a_log_file_gets_a_line_a_minute(clock, capsys):
    with Progress("Decoding", 1000) as shown:
        for _ in range(100):
            clock[0] += 3.0
            shown.update(5)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Decoding: 100 of 1,000 images, 1.67 a second, 09:00 left"
    assert len(lines) == 5


def test_without_a_known_end(clock, capsys):
    with Progress("Decoding", None, "files") as shown:
        clock[0] += 61.0
        shown.update(122)
    assert capsys.readouterr().err == "Decoding: 122 files, 2 a second\n"


def test_nothing_of_what_is_quick(capsys):
    with Progress("Decoding", 10) as shown:
        shown.update(10)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("patience", [0.0, 100.0])
def test_a_bar_on_a_terminal(patience, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    with Progress("Decoding", 10) as shown:
        for _ in range(10):
            shown.update()
    assert ("10.0/10.0" in terminal.getvalue() and "images/s" in terminal.getvalue()) == (patience == 0.0)
