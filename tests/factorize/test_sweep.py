"""Laws of a rank sweep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import NMF

from onnxmem.arrays import is_cupy, to_host
from onnxmem.errors import FactorizationError
from onnxmem.factorize import nmf_sweep, relative_error

RANKS = [1, 2, 3, 5, 8, 13]


def error_of(factors: Iterable[Any]) -> np.ndarray:
    return np.array([f.error for f in factors])


@settings(max_examples=25)
@given(m=st.integers(1, 30), q=st.integers(1, 30), seed=st.integers(0, 1000), zeros=st.floats(0, 1))
def test_any_matrix_gives_finite_non_negative_factors_whose_error_falls(
    m: int, q: int, seed: int, zeros: float
) -> None:
    rng = np.random.default_rng(seed)
    a = rng.random((m, q), np.float32) * (rng.random((m, q)) >= zeros)
    sweep = list(nmf_sweep(a, [1, 2, 4, 7, 40], seed))
    for f in sweep:
        assert f.w.shape == (m, f.rank) and f.h.shape == (f.rank, q)
        assert f.w.min() >= 0 and f.h.min() >= 0
        assert np.isfinite(f.w).all() and np.isfinite(f.h).all()
        assert f.error == pytest.approx(relative_error(a, f.w @ f.h), abs=2e-6)
    assert sweep[-1].error == 0
    assert (np.diff(error_of(sweep)) <= 1e-3).all()


def test_error_falls_with_the_rank(fast_xp: Any, activations: Any) -> None:
    layer = fast_xp.asarray(activations(60, 40))
    assert (np.diff(error_of(nmf_sweep(layer, range(1, 41)))) < 0).all()


@pytest.mark.parametrize("columns", [3, 12, 30])
def test_error_never_rises_with_the_rank(xp: Any, activations: Any, columns: int) -> None:
    a = activations(40, 30)
    a[:, columns:] = a[:, :1]
    assert (np.diff(error_of(nmf_sweep(xp.asarray(a), range(1, 31, 2)))) <= 1e-4).all()


def test_ranks_come_ascending_and_once(layer: Any) -> None:
    assert [f.rank for f in nmf_sweep(layer, [5, 2, 5, 1])] == [1, 2, 5]


def test_no_rank_gives_nothing(layer: Any) -> None:
    assert list(nmf_sweep(layer, [])) == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_sweep_is_at_least_as_close_as_scikit_learn_on_average(layer: Any) -> None:
    a = to_host(layer)
    theirs = []
    for k in RANKS:
        model = NMF(k, init="nndsvda", solver="cd", max_iter=200, tol=1e-4, random_state=0)
        theirs.append(relative_error(a, model.fit_transform(a) @ model.components_))
    ratio = error_of(nmf_sweep(layer, RANKS)) / np.array(theirs)
    assert ratio.mean() < 1.003
    assert ratio.max() < 1.02


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(4))
def test_small_matrices_of_nearly_low_rank_are_as_close_as_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    product, noise = rng.random((30, 6)) @ rng.random((6, 20)), rng.random((30, 20))
    a = (product + 0.05 * noise).astype(np.float32)
    for factors in nmf_sweep(a, [6, 8, 12]):
        model = NMF(factors.rank, init="nndsvda", max_iter=200, random_state=0)
        theirs = relative_error(a, model.fit_transform(a) @ model.components_)
        assert factors.error < 1.02 * theirs


def test_quality_is_closer_to_a_stationary_point(layer: Any) -> None:
    default, quality = (
        np.array([(f.error, f.kkt) for f in nmf_sweep(layer, RANKS, preset=p)]).mean(axis=0)
        for p in ("default", "quality")
    )
    assert quality[0] < 1.002 * default[0]
    assert quality[1] < default[1] < 0.02


def test_an_exact_low_rank_matrix_is_found(xp: Any) -> None:
    rng = np.random.default_rng(3)
    a = xp.asarray(rng.random((50, 3), np.float32) @ rng.random((3, 30), np.float32))
    assert next(iter(nmf_sweep(a, [3], preset="quality"))).error < 0.01


def test_same_seed_gives_the_same_bits(layer: Any) -> None:
    for first, second in zip(nmf_sweep(layer, RANKS, 7), nmf_sweep(layer, RANKS, 7), strict=True):
        assert to_host(first.w).tobytes() == to_host(second.w).tobytes()
        assert to_host(first.h).tobytes() == to_host(second.h).tobytes()


def test_the_input_stays_as_it_is(layer: Any) -> None:
    before = to_host(layer).copy()
    if isinstance(layer, np.ndarray):
        layer.setflags(write=False)
    list(nmf_sweep(layer, [*RANKS, 40]))
    assert (to_host(layer) == before).all()


@pytest.mark.parametrize("exponent", [-100, -20, 3, 100])
def test_a_power_of_two_changes_nothing_but_the_scale(layer: Any, exponent: int) -> None:
    scaled = layer * np.float32(2) ** exponent
    for f, g in zip(nmf_sweep(layer, RANKS), nmf_sweep(scaled, RANKS), strict=True):
        assert f.error == g.error
        assert (to_host(f.w @ f.h) * np.float32(2) ** exponent == to_host(g.w @ g.h)).all()


def test_subnormal_values_are_factorized_as_well_as_others_or_are_zeros(layer: Any) -> None:
    subnormal = list(nmf_sweep(layer * np.float32(2) ** -130, RANKS))
    if is_cupy(layer):
        assert all(f.error == 0 and not f.w.any() and not f.h.any() for f in subnormal)
    else:
        expected = error_of(nmf_sweep(layer, RANKS))
        assert error_of(subnormal) == pytest.approx(expected, rel=1e-3)


def test_dead_rows_and_columns_change_nothing(xp: Any, activations: Any) -> None:
    a = activations(50, 30)
    padded = np.zeros((70, 45), np.float32)
    rows, columns = np.sort(np.random.default_rng(1).permutation(70)[:50]), np.arange(5, 35)
    padded[np.ix_(rows, columns)] = a
    alone, inside = (list(nmf_sweep(xp.asarray(x), [1, 4, 29, 30, 31])) for x in (a, padded))
    for f, g in zip(alone, inside, strict=True):
        assert f.error == g.error
        assert (to_host(g.w)[rows] == to_host(f.w)).all()
        assert (to_host(g.h)[:, columns] == to_host(f.h)).all()
        assert to_host(g.w).sum() == pytest.approx(to_host(f.w).sum(), rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8"])
def test_every_real_type_is_taken(xp: Any, activations: Any, dtype: str) -> None:
    a = xp.asarray((activations(30, 20) * 10).astype(dtype))
    f = next(iter(nmf_sweep(a, [6])))
    assert f.w.dtype == f.h.dtype == np.float32
    assert 0 < f.error < 0.5


@pytest.mark.parametrize("scale", [1e-60, 1e-72])
def test_float64_is_factorized_as_far_as_float32_holds_the_factors(
    layer: Any, scale: float
) -> None:
    small = layer.astype(np.float64) * scale
    (found,) = nmf_sweep(small, [3])
    w, h = (to_host(x).astype(np.float64) for x in (found.w, found.h))
    error = np.linalg.norm(to_host(small) / scale - w @ h / scale)
    assert found.error == pytest.approx(error / np.linalg.norm(to_host(layer)), rel=1e-4)
    with pytest.raises(FactorizationError, match=r"the largest value is .*; scale the matrix"):
        next(nmf_sweep(small * 1e-20, [3]))


@pytest.mark.parametrize("value", [1e-40, 1e-30, 1.0, 1e30, 3e38])
def test_a_constant_matrix_has_rank_one(xp: Any, value: float) -> None:
    for f in nmf_sweep(xp.full((9, 7), value, np.float32), [1, 2, 3, 7, 9]):
        product = to_host(f.w).astype(np.float64) @ to_host(f.h)
        assert np.allclose(product, np.float32(value), rtol=1e-4)


def test_one_live_column_is_exact_at_rank_one(xp: Any) -> None:
    a = np.zeros((8, 5), np.float32)
    a[:, 2] = np.arange(8)
    f = list(nmf_sweep(xp.asarray(a), [1, 3]))[1]
    assert f.error == 0
    assert (to_host(f.w @ f.h) == a).all()


def test_an_all_zero_matrix_gives_zeros(xp: Any) -> None:
    for f in nmf_sweep(xp.zeros((4, 6), np.float32), [1, 9]):
        assert f.w.shape == (4, f.rank) and f.h.shape == (f.rank, 6)
        assert not f.w.any() and not f.h.any()
        assert f.error == 0 and f.kkt == 0


def test_a_rank_beyond_the_matrix_is_exact_and_padded(layer: Any) -> None:
    f = next(iter(nmf_sweep(layer, [50])))
    assert f.w.shape == (60, 50) and f.h.shape == (50, 40)
    assert f.error == 0
    assert relative_error(layer, f.w @ f.h) < 1e-7


def test_a_tall_matrix_keeps_its_accuracy_though_rows_are_sampled(
    fast_xp: Any, activations: Any
) -> None:
    a = fast_xp.asarray(activations(6000, 24))
    whole = error_of(nmf_sweep(a[:2000], [2, 6, 10]))
    assert np.allclose(error_of(nmf_sweep(a, [2, 6, 10])), whole, rtol=0.03)


@pytest.mark.parametrize(
    "bad",
    [
        np.array([[1, np.nan]]),
        np.array([[1, np.inf]]),
        np.array([[1, -1e-9]]),
        np.array([[1e300]]),
        np.ones(3),
        np.ones((2, 2, 2)),
        np.ones((0, 3)),
        np.array([["a"]]),
        np.array([[1j]]),
        [[1.0, 2.0]],
        None,
    ],
)
def test_what_is_no_non_negative_matrix_is_refused_at_once(bad: Any) -> None:
    with pytest.raises(FactorizationError):
        nmf_sweep(bad, [1])


@pytest.mark.parametrize("ranks", [[0], [3, -1], [1.5], ["2"], [None], [float("nan")]])
def test_what_is_no_rank_is_refused_at_once(layer: Any, ranks: list[Any]) -> None:
    with pytest.raises(FactorizationError, match="rank"):
        nmf_sweep(layer, ranks)


def test_an_unknown_preset_names_the_known_ones(layer: Any) -> None:
    with pytest.raises(FactorizationError, match="default, quality"):
        nmf_sweep(layer, [1], preset="best")  # type: ignore[arg-type]
