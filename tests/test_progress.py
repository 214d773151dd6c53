"""Progress: lines in a log, a bar on a terminal, nothing of what is soon done."""

import io

import pytest

from kerasinterp import progress


@pytest.fixture(autouse=True)
def bars_end_at_their_totals():
    """Of these tests' bars some end anywhere."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    for name in ("_EVERY", "_FIRST", "_SOON"):
        monkeypatch.setattr(progress, name, 0.0)


def test_a_log_gets_lines():
    log = io.StringIO()
    with progress.bar(40_000, "AE", "images", done=10_000, file=log) as bar:
        bar.set_postfix({"error": "0.12"}, refresh=False)
        bar.update(10_000)
        bar.update(20_000)
    lines = log.getvalue().splitlines()
    assert "\r" not in log.getvalue() and "\x1b" not in log.getvalue()
    assert all(line.startswith("AE: ") and " left" in line for line in lines)
    assert lines[-1].startswith("AE: 40.0k of 40.0k images (100%), ") and lines[-1].endswith(", error=0.12")
    assert " images/s" in lines[-1] and len({line.partition("%")[0] for line in lines}) == len(lines)


def test_of_what_has_no_known_end_the_rate_is_told():
    log = io.StringIO()
    with progress.bar(None, "decoding", "images", file=log) as bar:
        bar.update(300)
    last = log.getvalue().splitlines()[-1]
    assert last.startswith("decoding: 300 images, ") and last.endswith(" images/s") and "left" not in last


def test_what_takes_seconds_each_is_told_so():
    log = io.StringIO()
    with progress.bar(4, "measuring", "models", file=log) as bar:
        bar.start_t = bar.last_print_t = bar.start_t - 20  # as if it had begun so long ago
        bar.update(2)
    assert "s/models" in log.getvalue() and "2 of 4 models (50%)" in log.getvalue()


def test_a_log_gets_few_lines(monkeypatch):
    monkeypatch.setattr(progress, "_EVERY", 60.0)
    log = io.StringIO()
    with progress.bar(1000, "AE", "images", file=log) as bar:
        for _ in range(1000):
            bar.update()
        assert bar.mininterval == bar.maxinterval == 60.0
    assert len(log.getvalue().splitlines()) <= 3  # the first, perhaps at nothing, and the last


def test_steps_within_a_step_are_lines_too():
    log = io.StringIO()
    with progress.bar(2, "measuring", "models", file=log) as outer:
        for _ in range(2):
            with progress.bar(2, "classifier", "steps", file=log) as inner:
                inner.update(2)
            outer.update()
    assert "\x1b" not in log.getvalue() and "\r" not in log.getvalue()
    assert {line.partition(":")[0] for line in log.getvalue().splitlines()} == {"measuring", "classifier"}


def test_a_terminal_gets_a_bar():
    terminal = Terminal()
    with progress.bar(3, "measuring", "models", file=terminal) as bar:
        bar.update(3)
    assert "\rmeasuring: 100%" in terminal.getvalue() and "3/3" in terminal.getvalue()


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_nothing_is_told_of_what_is_soon_done(kind, monkeypatch):
    for name in ("_FIRST", "_SOON"):
        monkeypatch.setattr(progress, name, 60.0)
    file = kind()
    with progress.bar(3, "measuring", "models", file=file) as bar:
        bar.update(3)
    assert file.getvalue() == ""


def test_the_standard_error_is_where_it_goes(capsys):
    with progress.bar(2, "AE", "images") as bar:
        bar.update(2)
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("AE: ")
