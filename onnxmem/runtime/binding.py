"""Turns a model's failure into wrong usage where inputs were fixed with --bind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from onnxmem.errors import ModelRefusedError, UsageError


@contextmanager
def blames_bind(bind: Mapping[str, Any]) -> Iterator[None]:
    """Raise a `UsageError` where onnxruntime refuses a model whose inputs in `bind` are fixed.

    Raises:
        UsageError: onnxruntime refused the model, and inputs are bound.
    """
    try:
        yield
    except ModelRefusedError as error:
        if not bind:
            raise
        names = ", ".join(map(repr, bind))
        raise UsageError(
            f"the model does not run with --bind of {names}; "
            f"check the values and how many there are ({error})"
        ) from error
