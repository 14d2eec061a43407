"""A chain of ranks gives the same factors however far it is climbed, in every build."""

from __future__ import annotations

import contextlib
import gc
import weakref
from typing import Any

import numpy as np
import pytest
from kernel_builds import BUILDS, choose

from onnxmem.arrays import to_host
from onnxmem.factorize import default_ranks
from onnxmem.factorize.chain import EFFORTS, MARGIN, Chain, solve_chain
from onnxmem.factorize.refine import Effort, balanced, refine
from onnxmem.factorize.seeds import merge
from onnxmem.factorize.target import Spectrum, Target

FAST = EFFORTS["fast"]
GRID = default_ranks(39)[:-1]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the ranks that components are grown to."""
    from onnxmem.factorize import chain

    ranks, grow = [], chain.grow
    monkeypatch.setattr(chain, "grow", lambda *given: ranks.append(given[3]) or grow(*given))
    return ranks


def test_rank_needs_the_ranks_up_to_the_first_beyond_its_octave(activations: Any) -> None:
    a = activations(60, 40)[None]
    for last, needed in [(4, 6), (8, 12), (16, 24)]:
        low = list(solve_chain(Target.whole(a), [k for k in GRID if k <= needed], 0, FAST))
        for pairs, same in zip(low, solve_chain(Target.whole(a), GRID, 0, FAST), strict=False):
            if pairs.rank <= last:
                np.testing.assert_array_equal(pairs.w, same.w)
                np.testing.assert_array_equal(pairs.h, same.h)


def test_what_is_found_in_an_octave_depends_on_no_rank_beyond_the_next_two_svds(
    activations: Any,
) -> None:
    a = activations(900, 880)[None]
    spectrum = Spectrum(Target.whole(a), 0)
    assert spectrum.compressed(8 + MARGIN, 16 + MARGIN).right is not None
    assert not spectrum._grams
    low = list(solve_chain(Target.whole(a), default_ranks(16), 0, FAST))
    for pairs, same in zip(
        low[:4], solve_chain(Target.whole(a), default_ranks(64), 0, FAST), strict=False
    ):
        np.testing.assert_array_equal(pairs.w, same.w)
        np.testing.assert_array_equal(pairs.h, same.h)


def test_rank_outside_of_the_chain_is_no_key(activations: Any) -> None:
    found = Chain(activations(60, 40)[None], [1, 2, 4], 0, FAST)
    for rank in (3, 5):
        with pytest.raises(KeyError):
            found.at(rank)
    assert found.at(4).rank == 4


def test_chain_that_failed_fails_in_the_same_way_for_every_thread(
    activations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnxmem.factorize import chain

    def exhausted(*given: Any) -> None:
        raise MemoryError

    found = Chain(activations(60, 40)[None], GRID, 0, FAST)
    first = found.at(1)
    monkeypatch.setattr(chain, "grow", exhausted)
    for rank in (GRID[-1], GRID[-2]):
        with pytest.raises(MemoryError):
            found.at(rank)
    assert found.at(1) is first


def test_chain_that_failed_is_gone_with_its_last_user(
    activations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnxmem.factorize import chain

    def exhausted(*given: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(chain, "grow", exhausted)
    a = activations(60, 40)[None]
    found = Chain(a, GRID, 0, FAST)
    left = weakref.ref(a), weakref.ref(found)
    del a
    gc.disable()
    try:
        for _ in range(2):
            with contextlib.suppress(MemoryError):
                found.at(1)
        del found
        assert all(one() is None for one in left)
    finally:
        gc.enable()


def test_chain_is_climbed_no_further_than_it_is_asked(activations: Any, started: list[int]) -> None:
    found = Chain(activations(60, 40)[None], GRID, 0, FAST)
    assert not started
    assert found.at(3).rank == 3
    assert found.at(4).rank == 4
    assert list(dict.fromkeys(started)) == [1, 2, 3, 4, 6]
    assert found.at(32) is found.at(32)
    assert list(dict.fromkeys(started)) == list(GRID)


def test_ranks_that_may_be_trapped_exchange_components_unless_effort_is_low(
    activations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnxmem.factorize import chain

    ranks, exchanged = [], chain.exchanged
    monkeypatch.setattr(
        chain, "exchanged", lambda *given: ranks.append(given[1].rank) or exchanged(*given)
    )
    whole = Target.whole(activations(60, 40)[None])
    rough, better = (list(solve_chain(whole, GRID, 0, EFFORTS[n])) for n in ("fast", "default"))
    assert ranks == [16, 32, 24]
    assert [pairs.rank for pairs in rough] == [pairs.rank for pairs in better]


def test_exchange_that_pays_is_kept(activations: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnxmem.factorize import chain

    rng = np.random.default_rng(0)
    w, h = rng.random((1, 16, 60), np.float32), rng.random((1, 16, 40), np.float32)
    target = Target.whole(w.swapaxes(1, 2) @ h)
    monkeypatch.setattr(chain, "exchanged", lambda _, pairs, *given: (w, h))
    losses = {
        pairs.rank: float(pairs.loss[0] / target.square[0])
        for pairs in solve_chain(target, [8, 16, 24], 0, EFFORTS["default"])
    }
    assert losses[16] < 1e-6


def test_lone_ranks_are_polished_for_longer(
    activations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnxmem.factorize import chain

    whole, iterations = Target.whole(activations(300, 256)[None]), {}

    def recorded(target: Target, w: Any, h: Any, effort: Effort) -> Any:
        if target is whole:
            iterations[w.shape[1]] = effort.iterations
        return refine(target, w, h, effort)

    monkeypatch.setattr(chain, "refine", recorded)
    assert len(list(solve_chain(whole, [1, 2, 4, 5, 8], 0, FAST))) == 5
    assert iterations == {1: 1, 2: 2, 4: 1, 5: 2, 8: 2}


def test_looser_effort_differs_in_its_tolerance_alone() -> None:
    assert Effort(1e-3, 0.1, 30).looser(4) == Effort(4e-3, 0.1, 30)


def test_no_rank_is_worse_than_one_below(xp: Any, activations: Any) -> None:
    a = xp.asarray(np.stack([activations(60, 40), activations(60, 40) ** 3]))
    losses = np.stack(
        [to_host(pairs.loss) for pairs in solve_chain(Target.whole(a), GRID, 0, FAST)]
    )
    assert (np.diff(losses, axis=0) <= 0).all()


@pytest.mark.parametrize("shape", [(300, 150), (150, 300), (200, 200)])
@pytest.mark.parametrize("sizes", [[3], [3, 12, 40], [12, 40], [30, 40]])
def test_compressed_products_are_those_of_the_leading_singular_vectors(
    xp: Any, shape: tuple[int, int], sizes: list[int]
) -> None:
    rng = np.random.default_rng(0)
    u, v = (np.linalg.qr(rng.standard_normal((n, 60)))[0].T for n in shape)
    values = 1 / (1 + np.arange(60))
    a = ((u.T * values) @ v).astype(np.float32)
    spectrum = Spectrum(Target.whole(xp.asarray(a[None])), seed=0)
    for components in sizes:
        expected = (u.T[:, :components] * values[:components]) @ v[:components]
        compressed = spectrum.compressed(components)
        assert compressed.left.shape == (1, shape[0], components)
        product = to_host(compressed.left @ compressed.right)[0]
        best = np.linalg.norm(a - expected)
        assert np.linalg.norm(a - product) <= 1.05 * best
        h = rng.random((1, 4, shape[1]), np.float32)
        times = to_host(compressed.times(xp.asarray(h)))[0]
        assert np.allclose(times, h[0] @ product.T, atol=1e-4)


def test_gram_matrix_is_formed_where_this_size_and_the_next_pay_for_it_and_then_kept(
    activations: Any,
) -> None:
    whole = Target.whole(activations(400, 300)[None])
    spectrum = Spectrum(whole, seed=0)
    spectrum.compressed(10)
    assert not spectrum._grams
    spectrum.compressed(10, 20)
    (gram,) = spectrum._grams
    np.testing.assert_allclose(gram, whole.left[0].T @ whole.left[0], rtol=1e-4)
    gram[:] = 0  # from which follow unit vectors
    np.testing.assert_array_equal(abs(spectrum.compressed(30).right[0]), np.eye(30, 300))


def test_matrix_is_not_compressed_where_two_products_would_cost_more(xp: Any) -> None:
    whole = Target.whole(xp.ones((1, 50, 40), np.float32))
    assert Spectrum(whole, seed=0).compressed(15) is whole


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("iterations", [1, 7, 60])
@pytest.mark.parametrize("components", [4, 100])
def test_every_build_iterates_alike(
    activations: Any,
    monkeypatch: pytest.MonkeyPatch,
    build: str,
    iterations: int,
    components: int,
) -> None:
    rng = np.random.default_rng(0)
    target = Target.whole(np.stack([activations(64, 48), activations(64, 48)[::-1] ** 2]))
    target = Spectrum(target, seed=0).compressed(components)
    w, h = rng.random((2, 4, 64), np.float32), rng.random((2, 4, 48), np.float32)
    effort = Effort(1e-3, 0.07, iterations)
    choose("numpy", monkeypatch)
    expected = refine(target, w, h, effort)
    monkeypatch.undo()
    choose(build, monkeypatch)
    found = refine(target, w, h, effort)
    assert np.allclose(found.loss, expected.loss, rtol=2e-3)
    if iterations == 1:
        assert np.allclose(found.w, expected.w, rtol=1e-3, atol=1e-4)
        assert np.allclose(found.h, expected.h, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("build", BUILDS)
def test_best_pair_is_kept_whenever_iterating_ends(
    activations: Any, monkeypatch: pytest.MonkeyPatch, build: str
) -> None:
    choose(build, monkeypatch)
    rng, a = np.random.default_rng(0), activations(64, 48)[None]
    w, h = rng.random((1, 12, 64), np.float32), rng.random((1, 12, 48), np.float32)
    target, losses = Target.whole(a), []
    for iterations in range(1, 30):
        pairs = refine(target, w, h, Effort(0, 0.01, iterations, 4))
        distance = np.linalg.norm(a[0] - pairs.w[0].T @ pairs.h[0]) ** 2
        assert pairs.loss[0] == pytest.approx(distance, abs=1e-5 * float(target.square[0]))
        losses.append(pairs.loss[0])
    falls = np.diff(losses)
    assert (falls <= 0).all()
    assert (falls[:-1] + falls[1:] == 0).any(), "no rise that two iterations do not make up for"


def test_rank_below_the_exact_one_is_no_worse_than_the_exact_factors_merged(
    xp: Any, activations: Any
) -> None:
    a = activations(60, 12)
    merged_w, merged_h = merge(np.ascontiguousarray(a.T)[None], np.eye(12, dtype="f")[None], 11)
    merged = np.linalg.norm(a - merged_w[0].T @ merged_h[0])
    (pairs,) = solve_chain(Target.whole(xp.asarray(a[None])), [11], 0, FAST)
    found = np.linalg.norm(a - to_host(pairs.w)[0].T @ to_host(pairs.h)[0])
    assert 0 < found <= merged


@pytest.mark.parametrize("build", BUILDS)
def test_merged_pair_is_the_best_approximation_of_rank_one(
    monkeypatch: pytest.MonkeyPatch, build: str
) -> None:
    choose(build, monkeypatch)
    rng = np.random.default_rng(0)
    w, h = rng.random((1, 2, 30), np.float32), rng.random((1, 2, 20), np.float32)
    whole = w[0].T @ h[0]
    merged_w, merged_h = merge(w, h, 1)
    best = np.sqrt((np.linalg.svd(whole, compute_uv=False)[1:] ** 2).sum())
    assert np.linalg.norm(whole - merged_w[0].T @ merged_h[0]) == pytest.approx(best, rel=1e-3)


def test_way_down_starts_beyond_ranks_that_lie_close_and_are_far_from_exact(
    activations: Any, started: list[int]
) -> None:
    whole = Target.whole(activations(60, 40)[None])
    for ranks, beyond in [([14, 16], [18]), ([8, 16], []), ([16], []), ([22, 24], [])]:
        started.clear()
        assert [pairs.rank for pairs in solve_chain(whole, ranks, 0, FAST)] == ranks
        assert started == ranks + beyond


@pytest.mark.parametrize("build", BUILDS)
def test_scale_of_a_component_changes_nothing_but_its_sides_become_similar(
    activations: Any, monkeypatch: pytest.MonkeyPatch, build: str
) -> None:
    rng = np.random.default_rng(0)
    target = Target.whole(activations(64, 48)[None])
    w, h = rng.random((1, 4, 64), np.float32), rng.random((1, 4, 48), np.float32)
    scale = np.array([1, 2.0**30, 2.0**-40, 2.0**60], np.float32)[:, None]
    choose(build, monkeypatch)
    expected, found = (refine(target, *pair, FAST) for pair in [(w, h), (w * scale, h / scale)])
    np.testing.assert_array_equal(found.loss, expected.loss)
    products = [pairs.w.swapaxes(1, 2) @ pairs.h for pairs in (found, expected)]
    assert np.allclose(*products, rtol=1e-5)
    ratio = np.linalg.norm(found.w, axis=2) / np.linalg.norm(found.h, axis=2)
    assert 1e-3 < ratio.min() <= ratio.max() < 1e3


def test_sides_of_components_become_similar_where_they_are_as_far_apart_as_can_be(xp: Any) -> None:
    w, h = np.ones((1, 3, 4), np.float32), np.ones((1, 3, 5), np.float32)
    w[0, :, 0], h[0, :, 0] = [2.0**-120, 0, 2.0**120], [2.0**120, 1, 2.0**-120]
    w[0, :, 1:], h[0, :, 1:] = 0, 0
    found_w, found_h = map(to_host, balanced(xp.asarray(w), xp.asarray(h)))
    np.testing.assert_array_equal(found_w[0, :, 0], [2.0**-20, 0, 2.0**20])
    np.testing.assert_array_equal(found_h[0, [0, 2], 0], [2.0**20, 2.0**-20])
