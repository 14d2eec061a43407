"""What the files of each model are called: after its file, and its folders where need be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

RESERVED = frozenset({"index", "records", "survey"})
"""Names that the files of the survey itself have."""

_LONGEST = 100
_DEEPEST = 4
"""Folders that tell files of one name apart, before numbers do."""


def safe(text: str) -> str:
    """Return a name that every file system takes, made of letters, digits, `.`, `_` and `-`."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:_LONGEST].strip(".-")
    return name or "model"


def file_names(given: Sequence[tuple[str, str]]) -> list[str]:
    """Return a name for each model, no two alike, even where upper and lower case are one.

    Args:
        given: for each model the name that it was given, or none, and its path.
    """
    names = [safe(name) if name else _at_depth(path, 1) for name, path in given]
    for depth in range(2, _DEEPEST + 1):
        counts = Counter(map(str.lower, names))
        names = [
            _at_depth(path, depth) if counts[name.lower()] > 1 and not own else name
            for name, (own, path) in zip(names, given, strict=True)
        ]
    return _numbered(names)


def _at_depth(path: str, depth: int) -> str:
    """Return a name of the last parts of a path, the ending left out."""
    pure = PurePath(path)
    folders = [part for part in pure.parts[:-1] if part not in (pure.anchor, "..")]
    return safe("-".join([*folders[max(0, len(folders) + 1 - depth) :], pure.stem]))


def _numbered(names: Sequence[str]) -> list[str]:
    taken, found = set(RESERVED), []
    for name in names:
        unique, number = name, 1
        while unique.lower() in taken:
            number += 1
            unique = f"{name}-{number}"
        taken.add(unique.lower())
        found.append(unique)
    return found
