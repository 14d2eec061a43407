"""Every small change of a JSON value: what a schema and the records must agree on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

OTHERS: tuple[Any, ...] = (None, True, 7, 0.5, "other", [], {})
"""One value of each type."""


def mutations(whole: dict[str, Any]) -> Iterator[str]:
    """Change `whole` in one place after the other, and say where and how it is changed just now.

    Each value gives way to one of every type, and each key is left out once. Of the entries of a
    list, which are alike, the first alone is changed.
    """
    for holder, key, path in list(_places(whole, "")):
        old = holder[key]
        for other in OTHERS:
            holder[key] = other
            yield f"{path} is {other!r}"
        if isinstance(holder, dict):
            del holder[key]
            yield f"{path} is left out"
        holder[key] = old


def _places(value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    """Return what holds each value, where in it, and the path to it."""
    keys: list[Any] = list(value) if isinstance(value, dict) else [0] if value else []
    for key in keys if isinstance(value, dict | list) else []:
        yield value, key, f"{path}.{key}"
        yield from _places(value[key], f"{path}.{key}")
