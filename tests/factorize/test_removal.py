"""Taking directions out: what is left of a matrix, held against projections by hand."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from onnxmem.factorize import compressor

NAMES = ("nmf_removed", "pca_removed", "random_removed")


def low_rank(rank: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((40, rank)) @ rng.random((rank, 12))).astype(np.float32)


def left(xp: ModuleType, name: str, a: np.ndarray, rank: int, draw: int = 0) -> np.ndarray:
    matrix = xp.asarray(a)
    fitted = compressor(name, signed=bool((a < 0).any())).fit(matrix, (1, rank), 0)
    found = fitted.approximate(matrix, rank, draw)
    return np.asarray(found.get() if hasattr(found, "get") else found)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_left_has_lost_so_many_dimensions(xp: ModuleType, name: str) -> None:
    a = np.random.default_rng(1).random((40, 12)).astype(np.float32)
    found = left(xp, name, a, 5)
    lost = a - found
    assert np.linalg.matrix_rank(lost, tol=1e-3) == 5
    np.testing.assert_allclose((found * lost).sum(axis=1), 0, atol=1e-3)
    assert np.linalg.norm(found) < np.linalg.norm(a)


def test_the_components_of_a_matrix_of_low_rank_leave_nothing(xp: ModuleType) -> None:
    a = low_rank(3)
    assert np.linalg.norm(left(xp, "nmf_removed", a, 3)) < 0.02 * np.linalg.norm(a)
    assert np.linalg.norm(left(xp, "random_removed", a, 3)) > 0.3 * np.linalg.norm(a)


def test_principal_components_are_those_of_the_centred_matrix(xp: ModuleType) -> None:
    a = low_rank(6)
    centred = a - a.mean(axis=0)
    basis = np.linalg.svd(centred)[2][:4].T
    expected = a - a @ basis @ basis.T
    np.testing.assert_allclose(left(xp, "pca_removed", a, 4), expected, atol=1e-3)


@pytest.mark.parametrize("name", ["nmf_removed", "pca_removed"])
def test_all_directions_leave_nothing(xp: ModuleType, name: str) -> None:
    a = np.random.default_rng(1).random((40, 12)).astype(np.float32)
    assert np.abs(left(xp, name, a, 12)).max() < 1e-4


def test_components_of_parts_are_differences_of_their_halves(xp: ModuleType) -> None:
    rng = np.random.default_rng(2)
    sources = np.zeros((2, 12), np.float32)
    sources[0, :6], sources[1, 6:] = 1, -1
    a = (rng.random((40, 2)) @ sources).astype(np.float32)
    assert np.linalg.norm(left(xp, "nmf_removed", a, 2)) < 0.02 * np.linalg.norm(a)


def test_drawn_directions_are_nested_and_differ_by_draw(xp: ModuleType) -> None:
    a = np.eye(12, dtype=np.float32)
    fitted = compressor("random_removed").fit(xp.asarray(a), (1, 2, 6), 0)
    assert fitted.draws(2) == 3
    small, large = left(xp, "random_removed", a, 2), left(xp, "random_removed", a, 6)
    np.testing.assert_allclose(large @ small, large, atol=1e-5)
    assert np.abs(left(xp, "random_removed", a, 6, 1) - large).max() > 0.1
