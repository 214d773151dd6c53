"""What the processor can do, and the settings with which TensorFlow is fastest on it."""

import os
import pathlib
import sys

_FASTEST = {"TF_ENABLE_ONEDNN_OPTS": "1"}


def fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself."""
    try:
        flags = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def prepare(kept: dict[str, str] | None = None) -> dict[str, str]:
    """Sets what is fastest, where the user has set nothing and TensorFlow has not read it yet."""
    if "tensorflow" not in sys.modules:
        for name, value in (_FASTEST | (kept or {})).items():
            os.environ.setdefault(name, value)
    return in_force()


def in_force() -> dict[str, str]:
    """The settings of this process."""
    return {name: os.environ[name] for name in _FASTEST if name in os.environ}
