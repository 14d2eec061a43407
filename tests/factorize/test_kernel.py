"""The coordinate sweeps solve the least squares problem that they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import nnls

from onnxmem.arrays import to_host
from onnxmem.factorize.kernel import sweep


def problem(k: int = 5, m: int = 7, q: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((k, q), np.float32), rng.random((m, q), np.float32)


def test_many_sweeps_reach_the_non_negative_least_squares_solution(xp: Any) -> None:
    h, a = problem()
    w = xp.zeros((5, 7), np.float32)
    for _ in range(300):
        sweep(w, xp.asarray(h @ h.T), xp.asarray(h @ a.T), 4)
    expected = np.array([nnls(h.T.astype(float), row)[0] for row in a]).T
    assert np.allclose(to_host(w), expected, atol=1e-3)


def test_one_sweep_sets_each_row_to_its_minimizer_in_turn(xp: Any) -> None:
    h, a = problem()
    w = xp.ones((5, 7), np.float32)
    sweep(w, xp.asarray(h @ h.T), xp.asarray(h @ a.T), 1)
    expected = np.ones((5, 7))
    for j in range(5):
        others = a - expected.T @ h + np.outer(expected[j], h[j])
        expected[j] = np.maximum(others @ h[j] / (h[j] @ h[j]), 0)
    assert np.allclose(to_host(w), expected, rtol=1e-3, atol=1e-4)


def test_a_component_of_zeros_gets_zeros(xp: Any) -> None:
    h, a = problem()
    h[2] = 0
    w = xp.ones((5, 7), np.float32)
    sweep(w, xp.asarray(h @ h.T), xp.asarray(h @ a.T), 2)
    assert not w[2].any()
    assert np.isfinite(to_host(w)).all()
