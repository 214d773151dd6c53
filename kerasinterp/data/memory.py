"""How much memory there is, and sizes as people write them."""

import os
import pathlib
import re

from kerasinterp.errors import InputError

_UNITS = {"": 1} | {
    f"{letter}{kind}": base**power
    for power, letter in enumerate("kmgt", 1)
    for kind, base in (("", 1000), ("b", 1000), ("ib", 1024))
}
_GUESS = 8 * 10**9  # bytes: of a machine that does not say
# What a container may use, by the two versions of Linux's control groups.
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_memory() -> int | None:
    """Bytes that this process may use at most; None where the system does not say."""
    if not hasattr(os, "sysconf"):  # Windows
        return None
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _LIMITS:
        try:
            found = min(found, int(pathlib.Path(path).read_text()))
        except (OSError, ValueError):  # there is none, or it is "max"
            continue
    return found


def for_images() -> int:
    """Bytes that training images may hold unless the user says otherwise: a quarter of the machine's memory."""
    return (machine_memory() or _GUESS) // 4


def bytes_of(size: int | str, name: str = "memory") -> int:
    """`2GB`, `1.5 GiB` or `500MB` as a number of bytes; a whole number is one already.

    Args:
        name: of the setting, for an error.

    Raises:
        InputError: it is no such size.
    """
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", size, re.ASCII) if isinstance(size, str) else None
    if match and match[2].lower() in _UNITS and (found := int(float(match[1]) * _UNITS[match[2].lower()])) > 0:
        return found
    raise InputError(f"{name} is a size such as 2GB, 500MB or 1.5GiB, not {size!r}.")


def told(size: int) -> str:
    """A number of bytes as people write it: `2.46 GB`."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 999.5:
            break
        size, unit = size / 1000, "TB"
    return f"{size:.3g} {unit}"
