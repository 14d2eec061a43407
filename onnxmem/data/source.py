"""Where samples come from, for the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where samples come from: a path, and what was said about reading it."""

    path: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


IN_MEMORY = Source()
"""Samples that were read from no file."""
