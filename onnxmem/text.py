"""Makes text of unknown origin safe to print on one line: names of tensors, paths, messages."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection
from itertools import islice
from pathlib import PurePath, PureWindowsPath
from typing import Any

NAME_LENGTH = 80
"""Characters of a name, where nothing else is asked for."""

_UNSEEN = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_MARKS = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]{2})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]+"
)


def json_text(value: Any) -> str:
    """Return JSON types as JSON text.

    What would steer a terminal or turn text around is escaped, as JSON can.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    text = _UNSEEN.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def printable(text: str, length: int = NAME_LENGTH) -> str:
    """Return `text` as one harmless line of at most `length` characters.

    Control, format and unassigned characters become their escapes, line breaks included; a long
    text keeps its beginning and its end.
    """
    if len(text) > 2 * length:
        text = text[:length] + text[-length:]
    shown = _MARKS.sub(r"\1", "".join(map(_visible, text)))
    return shown if len(shown) <= length else _middle_out(shown, length)


def file_name(path: str) -> str:
    """Return the last part of a path of either kind, made harmless."""
    name = PureWindowsPath(path).name if "\\" in path else PurePath(path).name
    return printable(name or path)


def listed(names: Collection[str], most: int = 5) -> str:
    """Return names as one enumeration, of long ones the beginning and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(islice(names, most)) + more


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def _middle_out(text: str, length: int) -> str:
    head = length // 2
    tail = length - head - 1
    return f"{text[:head]}…{text[len(text) - tail :]}"


def capitalized(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name (`net.onnx`, `p00`)."""
    word = text.split(" ", 1)[0].rstrip(".,:;")
    named = not word.replace("-", "").isalpha()
    return text if named else text[:1].upper() + text[1:]


def beside(value: float | None, limit: float, digits: int = 3) -> tuple[str, str]:
    """Return a value and the limit that it is held against, with digits enough to tell them apart.

    Both have at least `digits` digits behind the point; a value that is None is called unknown.
    """
    if value is None:
        return "unknown", f"{limit:.{digits}f}"
    while digits < 17 and value != limit and f"{value:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    return f"{value:.{digits}f}", f"{limit:.{digits}f}"
