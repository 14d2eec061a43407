"""Laws of every compressor, and of each one."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnxmem.arrays import to_host
from onnxmem.errors import FactorizationError
from onnxmem.factorize import (
    DEFAULT_FRACTIONS,
    compressor,
    default_ranks,
    nmf_sweep,
    relative_error,
)

NAMES = ["nmf", "pca", "ablation"]


def levels(name: str, limit: int) -> tuple[float, ...]:
    return default_ranks(limit) if compressor(name).x_name == "rank" else DEFAULT_FRACTIONS


def errors(name: str, a: Any, at: tuple[float, ...], seed: int = 0) -> list[float]:
    fitted = compressor(name).fit(a, at, seed)
    return [relative_error(a, fitted.approximate(a, x)) for x in at]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(60, 40), (20, 50), (1, 6), (6, 1)])
def test_error_falls_to_nothing_at_the_last_level(
    xp: Any, activations: Any, name: str, shape: tuple[int, int]
) -> None:
    curve = errors(name, xp.asarray(activations(*shape) + 0.1), levels(name, min(shape)))
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] < 1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_an_approximation_is_float32_of_the_same_shape(
    xp: Any, activations: Any, name: str, dtype: str
) -> None:
    a = xp.asarray(activations(20, 12).astype(dtype))
    fitted = compressor(name).fit(a, levels(name, 12), 0)
    for x in levels(name, 12):
        for draw in range(fitted.draws(x)):
            approximation = fitted.approximate(a, x, draw)
            assert approximation.shape == a.shape
            assert approximation.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
def test_the_matrix_is_not_modified(xp: Any, activations: Any, name: str) -> None:
    a = activations(20, 12)
    a.setflags(write=False)
    before = a.copy()
    errors(name, xp.asarray(a), levels(name, 12))
    assert (a == before).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_fixes_the_result(layer: Any, name: str) -> None:
    at = levels(name, 40)
    assert errors(name, layer, at, 3) == errors(name, layer, at, 3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "a",
    [np.zeros((5, 4)), np.full((5, 4), 2.0), np.eye(5, 4) * 1e-30, np.tri(5, 4) * 2.0**118],
)
def test_degenerate_matrices_have_finite_approximations(xp: Any, name: str, a: Any) -> None:
    fitted = compressor(name).fit(xp.asarray(a), levels(name, 4), 0)
    for x in levels(name, 4):
        assert np.isfinite(to_host(fitted.approximate(xp.asarray(a), x))).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e36])
def test_values_that_no_approximation_could_hold_are_refused(
    xp: Any, name: str, bad: float
) -> None:
    with pytest.raises(FactorizationError, match="NaN"):
        compressor(name).fit(xp.asarray([[1.0, bad]], xp.float32), (1,), 0)


@pytest.mark.parametrize(("name", "level"), [("nmf", 0), ("pca", 0), ("pca", 1.5), ("ablation", 2)])
def test_a_level_that_is_none_is_refused(layer: Any, name: str, level: float) -> None:
    with pytest.raises(FactorizationError):
        compressor(name).fit(layer, (level,), 0)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(FactorizationError, match="nmf, pca, ablation"):
        compressor("svd")


def test_nmf_is_the_sweep(layer: Any) -> None:
    ranks = (1, 3, 8)
    assert errors("nmf", layer, ranks) == pytest.approx(
        [f.error for f in nmf_sweep(layer, ranks, preset="fast")], rel=1e-4
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shapes", [[(30, 20)] * 3, [(30, 20), (200, 90), (31, 17), (1, 5)]])
def test_many_matrices_get_what_each_gets_alone(
    xp: Any, activations: Any, name: str, shapes: list[tuple[int, int]]
) -> None:
    matrices = [xp.asarray(activations(*shape) * (n + 1)) for n, shape in enumerate(shapes)]
    at = levels(name, 12)
    together = compressor(name).fit_many(matrices, at, 0)
    for a, fitted in zip(matrices, together, strict=True):
        alone = compressor(name).fit(a, at, 0)
        for x in at:
            one, other = (to_host(each.approximate(a, x)) for each in (fitted, alone))
            assert np.allclose(one, other, atol=1e-4 if xp is not np else 0, rtol=0)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(1, 25), st.integers(1, 25), st.floats(0, 1)), max_size=6))
def test_any_stack_gets_the_bits_that_its_matrices_get_alone(
    shapes: list[tuple[int, int, float]],
) -> None:
    rng = np.random.default_rng(len(shapes))
    matrices = [rng.random((m, q), np.float32) * (rng.random((m, q)) >= z) for m, q, z in shapes]
    nmf, ranks = compressor("nmf"), (1, 2, 4, 7, 40)
    for a, fitted in zip(matrices, nmf.fit_many(matrices, ranks, 0), strict=True):
        alone = nmf.fit(a, ranks, 0)
        assert all((fitted.approximate(a, k) == alone.approximate(a, k)).all() for k in ranks)


def test_the_runner_of_many_matrices_is_used(activations: Any) -> None:
    sizes = []

    def run(function: Any, items: Any) -> list[Any]:
        given = list(items)
        sizes.append(len(given))
        return [function(item) for item in given]

    matrices = [activations(300, 90), activations(30, 20), activations(30, 20)]
    compressor("nmf").fit_many(matrices, (1, 2), 0, run)
    assert sizes == [2]


@pytest.mark.parametrize("dead", [0, 9000])
def test_nmf_finds_w_for_rows_it_never_saw(fast_xp: Any, activations: Any, dead: int) -> None:
    a = np.concatenate([np.zeros((dead, 20), np.float32), activations(9000, 20)])
    ranks = (1, 4, 10, 19, 20)
    sampled = errors("nmf", fast_xp.asarray(a), ranks)
    swept = [f.error for f in nmf_sweep(fast_xp.asarray(a[dead:]), ranks, preset="fast")]
    assert sampled == pytest.approx(swept, rel=0.05)


def test_nmf_is_exact_from_the_live_rank_on(xp: Any, activations: Any) -> None:
    a = activations(40, 30)
    a[:, 10:] = 0
    assert errors("nmf", xp.asarray(a), (9, 10, 25))[1:] == [0, 0]


@pytest.mark.parametrize("shape", [(60, 40), (20, 50)])
def test_pca_is_the_truncated_svd_of_the_centred_matrix(
    xp: Any, activations: Any, shape: tuple[int, int]
) -> None:
    a = activations(*shape).astype(np.float64)
    mean = a.mean(axis=0)
    u, s, v = np.linalg.svd(a - mean, full_matrices=False)
    fitted = compressor("pca").fit(xp.asarray(a), (1, 3, 10), 0)
    for k in (1, 3, 10):
        expected = mean + (u[:, :k] * s[:k]) @ v[:k]
        assert np.allclose(to_host(fitted.approximate(xp.asarray(a), k)), expected, atol=1e-4)


def test_ablation_keeps_the_share_and_zeroes_the_rest(layer: Any) -> None:
    fitted = compressor("ablation").fit(layer, DEFAULT_FRACTIONS, 0)
    a = to_host(layer)
    for fraction in DEFAULT_FRACTIONS:
        for draw in range(fitted.draws(fraction)):
            b = to_host(fitted.approximate(layer, fraction, draw))
            kept = (b == a).all(axis=0)
            assert kept.sum() == round(fraction * a.shape[1])
            assert not b[:, ~kept].any()


def test_ablation_masks_differ_between_draws_and_are_nested_within_one(layer: Any) -> None:
    fitted = compressor("ablation").fit(layer, (0.25, 0.5), 0)
    half, other = (to_host(fitted.approximate(layer, 0.5, d)).any(axis=0) for d in (0, 1))
    quarter = to_host(fitted.approximate(layer, 0.25, 0)).any(axis=0)
    assert (half != other).any()
    assert half[quarter].all()


def test_only_a_proper_fraction_has_several_draws(layer: Any) -> None:
    fitted = compressor("ablation").fit(layer, DEFAULT_FRACTIONS, 0)
    assert [fitted.draws(f) for f in (0, 0.5, 1)] == [1, 3, 1]


def test_default_ranks_end_at_the_limit() -> None:
    assert default_ranks(1) == (1,)
    assert default_ranks(30) == (1, 2, 3, 4, 6, 8, 12, 16, 24, 30)
    assert default_ranks(48) == (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_relative_error_does_not_depend_on_the_scale(xp: Any, scale: float) -> None:
    a = xp.asarray(np.float32([[3, 4]]) * np.float32(scale))
    b = xp.asarray(np.float32([[3, 0]]) * np.float32(scale))
    assert relative_error(a, b) == pytest.approx(0.8)
    assert relative_error(a * 0, a * 0) == 0


def most_held(name: str, a: Any, at: tuple[float, ...]) -> int:
    """Return the bytes that are held between levels at most, beside `a`."""
    method = compressor(name)
    method.fit(a[:20], at[:2], 0).approximate(a[:20], at[1])
    tracemalloc.start()
    fitted = method.fit(a, at, 0)
    held = [tracemalloc.get_traced_memory()[0]]
    for level in at:
        fitted.approximate(a, level)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return max(held)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(300, 256), (40, 600), (2000, 16), (20_000, 16)])
def test_what_is_held_between_levels_is_about_what_was_said(
    activations: Any, name: str, shape: tuple[int, int]
) -> None:
    at = levels(name, min(shape))
    said = compressor(name).held_bytes(shape, at)
    held = most_held(name, activations(*shape) + np.float32(0.1), at)
    assert 0.5 * said <= held <= 1.3 * said + 4096


def test_gram_matrix_for_the_ranks_to_come_is_among_what_is_held(activations: Any) -> None:
    at = (2, 8, 16)
    said = compressor("nmf").held_bytes((700, 700), at)
    held = most_held("nmf", activations(700, 700) + np.float32(0.1), at)
    assert 0.9 * said <= held <= 1.3 * said
