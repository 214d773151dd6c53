"""What TensorFlow says of itself stays off the terminal, unless it is asked for."""

import os
import subprocess
import sys

import pytest

from kerasinterp import quiet

_SCRIPT = """
from kerasinterp import quiet
quiet.import_tensorflow()
import tensorflow as tf
step = tf.function(lambda x: x + 1.0)
for size in range(8):
    step(tf.zeros([size]))  # traced anew each time, which TensorFlow would warn of
"""


@pytest.mark.slow
@pytest.mark.parametrize(("level", "silent"), [("", True), ("0", False)])
def test_a_script_is_not_drowned(level, silent):
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": level} if level else {}
    done = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True, check=True)
    assert (done.stderr == "") == silent


def test_the_standard_error_comes_back(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with pytest.raises(KeyError), quiet.importing():
        os.write(2, b"within")
        raise KeyError
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with quiet.importing():
        os.write(2, b"wanted")
    assert capfd.readouterr().err == "wanted"
