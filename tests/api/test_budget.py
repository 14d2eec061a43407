"""Every call holds data against the memory that it was given, before they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sample_networks import Sample

import onnxmem
from onnxmem.errors import OutOfMemoryError, UsageError

CALLS: dict[str, Callable[..., Any]] = {
    "audit": lambda one, **how: onnxmem.audit(one.path, one.data, **how),
    "samples": lambda one, **how: onnxmem.samples(one.path, one.data, **how),
    "locate": lambda one, **how: onnxmem.locate(one.path, one.data, **how),
    "track": lambda one, **how: onnxmem.track([one.path] * 2, one.data, **how),
    "compare": lambda one, **how: onnxmem.compare([one.path] * 2, one.data, **how),
}


@pytest.mark.parametrize("name", CALLS)
def test_data_above_the_memory_are_refused(name: str, mlp: Sample) -> None:
    with pytest.raises(OutOfMemoryError, match=r"takes .* of memory, the budget is"):
        CALLS[name](mlp, memory=1000)


@pytest.mark.parametrize("name", CALLS)
def test_a_pattern_of_layers_is_no_list_with_commas(name: str, mlp: Sample) -> None:
    with pytest.raises(UsageError, match="relu1,relu2"):
        CALLS[name](mlp, layers="relu1,relu2")
