"""NMF of parts: what can be negative is factorized as its two parts, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnxmem.arrays import to_host
from onnxmem.errors import FactorizationError
from onnxmem.factorize import compressor, default_ranks, relative_error
from onnxmem.factorize.nmf import Components, side_by_side

PARTS = compressor("nmf", signed=True)
SMALL = settings(max_examples=25, deadline=None)


def signed_layer(m: int, q: int, seed: int = 0) -> np.ndarray:
    """Return a (m, q) matrix of both signs, approximately of low rank."""
    rng = np.random.default_rng(seed)
    low = rng.standard_normal((m, 5)) @ rng.standard_normal((5, q))
    return (low + 0.2 * rng.standard_normal((m, q))).astype(np.float32)


def errors(method: Any, a: Any, ranks: tuple[int, ...]) -> list[float]:
    fitted = method.fit(a, ranks, 0)
    return [relative_error(a, fitted.approximate(a, rank)) for rank in ranks]


def test_a_matrix_with_negatives_is_refused_where_they_are_not_expected(xp: Any) -> None:
    with pytest.raises(FactorizationError, match=">= 0"):
        compressor("nmf").fit(xp.asarray(signed_layer(9, 4)), (1,), 0)


def test_error_falls_to_nothing_where_the_parts_are_exact(xp: Any) -> None:
    a = xp.asarray(signed_layer(40, 12))
    ranks = default_ranks(24)  # live columns of both halves
    curve = errors(PARTS, a, ranks)
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] == 0 < curve[-2]


def test_parts_of_what_is_never_negative_are_the_ordinary_factorization(
    xp: Any, activations: Any
) -> None:
    a = xp.asarray(activations(60, 40))
    ranks = (1, 2, 5, 16)
    ordinary, parts = compressor("nmf").fit(a, ranks, 0), PARTS.fit(a, ranks, 0)
    for rank in ranks:
        one, other = (to_host(found.approximate(a, rank)) for found in (ordinary, parts))
        np.testing.assert_array_equal(one, other)


def test_the_halves_are_those_of_a_non_negative_factorization(xp: Any) -> None:
    a = signed_layer(50, 9)
    halves = to_host(side_by_side(xp.asarray(a)))
    np.testing.assert_array_equal(halves[:, :9] - halves[:, 9:], a)
    assert halves.min() == 0
    assert not (halves[:, :9] * halves[:, 9:]).any()
    ordinary = to_host(compressor("nmf").fit(xp.asarray(halves), (3,), 0).approximate(halves, 3))
    parts = to_host(PARTS.fit(xp.asarray(a), (3,), 0).approximate(a, 3))
    np.testing.assert_allclose(parts, ordinary[:, :9] - ordinary[:, 9:], atol=1e-6)


def test_rows_outside_the_sample_are_approximated_as_well() -> None:
    a, ranks = signed_layer(5000, 6), (1, 3, 6)
    parts, ordinary = PARTS.fit(a, ranks, 0), compressor("nmf").fit(side_by_side(a), ranks, 0)
    assert isinstance(parts, Components) and parts.sampled
    for rank in ranks:
        halves = ordinary.approximate(side_by_side(a), rank)
        np.testing.assert_array_equal(parts.approximate(a, rank), halves[:, :6] - halves[:, 6:])


@SMALL
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 8), st.integers(1, 8))
def test_no_approximation_is_worse_than_none(seed: int, m: int, q: int, rank: int) -> None:
    a = np.random.default_rng(seed).normal(size=(m, q)).astype(np.float32)
    (error,) = errors(PARTS, a, (rank,))
    assert error <= 1 + 1e-6


def test_more_bytes_are_held_for_parts() -> None:
    shape, ranks = (100, 50), (1.0, 4.0)
    assert PARTS.held_bytes(shape, ranks) > compressor("nmf").held_bytes(shape, ranks)
    assert [compressor(name, signed=True).parts for name in ("nmf", "pca", "ablation")] == [
        True, False, False,
    ]  # fmt: skip
