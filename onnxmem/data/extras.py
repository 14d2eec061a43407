"""Libraries that only some formats need: imported when they are, or the line that installs them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from onnxmem.errors import UsageError


@dataclass(frozen=True, slots=True)
class Extra:
    """An optional dependency: the extra's name, its distribution, and what it is for."""

    name: str
    distribution: str
    purpose: str

    @property
    def install(self) -> str:
        """The line that installs it."""
        return f"pip install 'onnxmem[{self.name}]'"


EXTRAS = (
    Extra("images", "pillow", "folders of images as data"),
    Extra("arrow", "pyarrow", "Parquet and Arrow files as data"),
)


def need(module: str, name: str) -> Any:
    """Import a module of the extra called `name`.

    Raises:
        UsageError: it is not installed; the message holds the line that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        extra = next(one for one in EXTRAS if one.name == name)
        raise UsageError(
            f"{extra.purpose} need {extra.distribution}, which cannot be imported ({error}); "
            f"install it with: {extra.install}"
        ) from error
