"""Features become directions from their mean, whatever their scale."""

from __future__ import annotations

import numpy as np
import pytest

from onnxmem.neighbours import Directions


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e30])
def test_directions_do_not_depend_on_the_scale(scale: float) -> None:
    features = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32) + 3
    scaled = (features * np.float32(scale)).astype(np.float32)
    found = Directions.of(scaled)(scaled)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found, Directions.of(features)(features), atol=1e-3)


def test_they_start_at_the_mean_of_those_they_were_learned_from() -> None:
    learned = np.array([[0, 0], [2, 2]], np.float32)
    found = Directions.of(learned)(np.array([[3, 1], [1, 4]], np.float32))
    np.testing.assert_allclose(found, [[1, 0], [0, 1]], atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 7.0, 1e20])
def test_features_that_never_change_have_no_direction(value: float) -> None:
    features = np.full((10, 4), value, np.float32)
    assert not Directions.of(features)(features).any()


def test_the_features_themselves_are_left_alone() -> None:
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    Directions.of(features)(features)
    np.testing.assert_array_equal(features, np.arange(6, dtype=np.float32).reshape(3, 2))
