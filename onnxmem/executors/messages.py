"""Messages through a pipe: their length in eight bytes, then what they say."""

from __future__ import annotations

import struct
from typing import IO, Any

import msgspec

_LENGTH = struct.Struct("<Q")
_LONGEST = 2**28
"""Bytes of an answer beyond which its sender is not to be trusted."""


class Answer(msgspec.Struct, frozen=True):
    """What a call came to: a value of plain types, or an error.

    Attributes:
        value: what the function returned.
        error: the name of the class of what it raised, empty where it returned.
        message: of the error.
    """

    value: Any = None
    error: str = ""
    message: str = ""


def write(stream: IO[bytes], content: bytes) -> None:
    """Send a message.

    Raises:
        OSError: nobody reads.
    """
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def read(stream: IO[bytes], longest: int | None = _LONGEST) -> bytes:
    """Return the next message.

    Raises:
        EOFError: the sender ended.
    """
    head = stream.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    if len(head) < _LENGTH.size or (longest is not None and length > longest):
        raise EOFError("the sender ended")
    content = stream.read(length)
    if len(content) < length:
        raise EOFError("the sender ended")
    return content
