"""What the processor offers, and the environment variables with which TensorFlow is fastest on it.

TensorFlow reads these variables once, when it is imported: `prepare` comes before that, and imports none of it.
"""

import os
import pathlib
import platform
import sys

from kerasinterp.errors import InputError

# What the kernels of oneDNN and Eigen are chosen by, as Linux names it.
_FEATURES = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
# Values of ONEDNN_MAX_CPU_ISA that leave AVX2 alone, and that leave bfloat16 without instructions of its own.
_AVX2 = ("AVX2", "AVX2_VNNI", "AVX2_VNNI_2")
_WITHOUT_BFLOAT16 = ("SSE41", "AVX", *_AVX2, "AVX512_CORE", "AVX512_CORE_VNNI")
_VARIABLES = ("TF_ENABLE_ONEDNN_OPTS",)
_VALUES = {"1": True, "true": True, "0": False, "false": False}  # as TensorFlow reads them
_OURS = "KERASINTERP_SETTINGS"  # names what `prepare` set, so that a process started by ours does not take it for yours


def features() -> tuple[str, ...]:
    """The vector extensions that matter here, such as avx2 and avx512_bf16; empty where Linux does not tell."""
    flags = _cpuinfo("flags").split()
    return tuple(name for name in _FEATURES if name in flags)


def fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself (and ONEDNN_MAX_CPU_ISA lets it)."""
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in _WITHOUT_BFLOAT16:
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(features()))


def avx2_alone() -> bool:
    """Whether AVX2 is the widest that kernels are chosen by (or ONEDNN_MAX_CPU_ISA lets them be)."""
    lowered = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in _AVX2
    return "avx2" in features() and ("avx512f" not in features() or lowered)


def describe() -> str:
    """The processor in one line: model, cores, features."""
    name = _cpuinfo("model name") or platform.processor() or platform.machine()
    extensions = f", {' '.join(features())}" if features() else ""
    return f"{name}, {os.cpu_count()} cores{extensions}"


def settings() -> dict[str, str]:
    """Environment variables with which training is fastest on this processor.

    TensorFlow turns oneDNN on by itself only where there is AVX512-VNNI. With AVX2 alone (Zen 2, measured) a training
    step takes three quarters of the processor time with it.
    """
    return {"TF_ENABLE_ONEDNN_OPTS": "1"} if "avx2" in features() else {}


def prepare(kept: dict[str, str] | None = None) -> dict[str, str]:
    """Sets what is fastest, where you have set nothing yourself; call it before TensorFlow is imported.

    Args:
        kept: what an earlier call returned and the run recorded: a resumed run goes on with that. Its results are then
            those of a run that was never interrupted, byte for byte. Empty: nothing was set.

    Returns:
        The variables in force, to be recorded. Once TensorFlow is imported nothing is set any more.

    Raises:
        InputError: if `kept` holds anything but these variables, or you have set one of them to another value.
    """
    chosen = settings() if kept is None else _checked(kept)
    if "tensorflow" not in sys.modules:
        ours = set(os.environ.get(_OURS, "").split())
        for name in _VARIABLES:
            if name in os.environ and name not in ours:
                _agree(name, os.environ[name], kept)
                continue
            ours.add(name)
            os.environ.pop(name, None)
            if name in chosen:
                os.environ[name] = chosen[name]
        os.environ[_OURS] = " ".join(sorted(ours))
    return {name: os.environ[name] for name in _VARIABLES if name in os.environ}


def _agree(name: str, own: str, kept: dict[str, str] | None) -> None:
    if kept is None or (name in kept and _VALUES.get(own.lower()) == _VALUES[kept[name].lower()]):
        return
    began = f"with {name}={kept[name]}" if name in kept else f"without {name}"
    raise InputError(
        f"This run was begun {began} and would not go on as it was with {name}={own}: set it as it was, or unset it."
    )


def _checked(kept: dict[str, str]) -> dict[str, str]:
    """`kept`, which comes from a file, if it holds nothing but the variables that may be set here."""
    known = isinstance(kept, dict) and all(
        name in _VARIABLES and isinstance(value, str) and value.lower() in _VALUES for name, value in kept.items()
    )
    if not known:
        raise InputError(f"The run's settings are {kept!r}; only {', '.join(_VARIABLES)} can be set, to 0 or 1.")
    return kept


def _cpuinfo(field: str) -> str:
    """A field of the first processor in /proc/cpuinfo, or an empty string."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == field), "")
