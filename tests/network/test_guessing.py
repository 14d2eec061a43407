"""Guessing names the most frequent class; noise around that is no knowledge."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem.network.guessing import at_chance, chance_accuracy


@pytest.mark.parametrize(
    ("value", "samples", "guessing"),
    [(0.1, 300, True), (0.13, 300, True), (0.15, 300, False), (0.3, 20, False), (0.2, 20, True)],
)
def test_chance_allows_for_noise(value: float, samples: int, guessing: bool) -> None:
    assert at_chance(value, 0.1, samples) is guessing


def test_chance_is_the_share_of_the_largest_class() -> None:
    assert chance_accuracy(np.array([0, 0, 0, 1])) == 0.75
