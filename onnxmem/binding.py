"""Whose fault it is when a model fails with inputs that were fixed for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from onnxmem.errors import ModelRefusedError, UsageError


@contextmanager
def blames_bind(bind: Mapping[str, Any]) -> Iterator[None]:
    """Let onnxruntime's refusal of a model with inputs in `bind` be wrong usage.

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
