"""Long features become short ones whose angles are nearly theirs."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from onnxmem.neighbours import Projection, projection


def drawn(rows: int, length: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, length)).astype(np.float32)


def cosines(features: np.ndarray) -> np.ndarray:
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return unit @ unit.T


def test_short_features_stay_as_they_are() -> None:
    features = drawn(3, projection.LONGEST)
    np.testing.assert_array_equal(Projection(0, 2**30)(features), features)


@pytest.mark.parametrize("length", [projection.LONGEST + 1, 5000, 20_000])
def test_angles_of_long_ones_are_kept(length: int) -> None:
    features = drawn(20, length)
    features[1] = features[0] + 0.5 * features[1]
    short = Projection(0, 2**30)(features)
    assert short.shape == (20, projection.width(length)) == (20, projection.SHORT)
    assert short.dtype == np.float32
    assert np.abs(cosines(short) - cosines(features)).max() < 0.3
    assert cosines(short)[0, 1] > 0.8


def test_what_is_kept_of_the_drawing_changes_nothing() -> None:
    features = drawn(4, 20_000)
    kept, forgotten = Projection(0, 2**30), Projection(0, 0)
    np.testing.assert_array_equal(kept(features), forgotten(features))
    np.testing.assert_array_equal(kept(features), kept(features))


def test_another_seed_is_another_projection() -> None:
    features = drawn(4, 1000)
    assert not np.array_equal(Projection(0, 2**30)(features), Projection(1, 2**30)(features))


def test_the_end_of_long_features_counts() -> None:
    features = drawn(2, 9000)
    changed = features.copy()
    changed[:, -1] += 100
    assert not np.allclose(Projection(0, 0)(features), Projection(0, 0)(changed))


def test_both_libraries_project_alike(xp: ModuleType) -> None:
    features = drawn(5, 9000)
    found = Projection(0, 2**30)(xp.asarray(features))
    np.testing.assert_allclose(
        np.asarray(found.get() if xp is not np else found), Projection(0, 0)(features), rtol=1e-3
    )
