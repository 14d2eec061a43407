"""Numbers of bytes as people write them."""

from __future__ import annotations

import re

from onnxmem.errors import UsageError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)i?B?", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_NAMES = ("KiB", "MiB", "GiB", "TiB")


def parse_size(text: str, name: str = "--memory") -> int:
    """Read a number of bytes, for instance `512M` or `2GiB`; units are powers of 1024.

    Raises:
        UsageError: it is no such number; the message calls it `name`.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise UsageError(f"{name} {text!r}: give a size such as 512M or 2G")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def size_text(size: int) -> str:
    """Return a number of bytes in the largest unit of which it holds one, KiB at least."""
    power = min(max(1, (size.bit_length() - 1) // 10), len(_NAMES))
    return f"{size / 2 ** (10 * power):.1f} {_NAMES[power - 1]}"
