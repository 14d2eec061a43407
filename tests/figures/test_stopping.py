"""The rule of early stopping stops before the first fall."""

from __future__ import annotations

import pytest

from onnxmem.figures.stopping import first_fall


@pytest.mark.parametrize(
    ("values", "place"), [([1, 2, 1, 3], 1), ([1, 1, 2], 2), ([3, 2], 0), ([5], 0)]
)
def test_it_stops_before_the_first_fall(values: list[float], place: int) -> None:
    assert first_fall(values) == place
