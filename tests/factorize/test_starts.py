"""A rank starts from the solutions of other ranks, in every build."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernel_builds import BUILDS, choose

from onnxmem.arrays import to_host
from onnxmem.factorize import starts
from onnxmem.factorize.refine import Effort, refine
from onnxmem.factorize.target import Target

EFFORT = Effort(1e-3, 0.1, 60)


def parts(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return non-negative w (1, count, 40) and h (1, count, 30) without common directions."""
    w = rng.random((1, count, 40), np.float32) * (rng.random((1, count, 40)) < 0.4)
    h = rng.random((1, count, 30), np.float32) * (rng.random((1, count, 30)) < 0.4)
    return w.astype(np.float32), h.astype(np.float32)


def product(w: Any, h: Any) -> np.ndarray:
    """Return wᵀ h, (p, m, q), on the host."""
    return np.asarray(to_host(w).swapaxes(1, 2) @ to_host(h))


def test_exact_factors_are_exact(xp: Any, activations: Any) -> None:
    for shape in [(20, 30), (30, 20)]:
        a = activations(*shape)[None]
        w, h = starts.exact(xp.asarray(a))
        assert w.shape == (1, 20, shape[0])
        np.testing.assert_array_equal(product(w, h), a)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("rank", [1, 3, 9, 17, 19])
def test_merging_leaves_as_many_components_as_asked_for(
    activations: Any, monkeypatch: pytest.MonkeyPatch, build: str, rank: int
) -> None:
    choose(build, monkeypatch)
    a = activations(40, 20)[None]
    w, h = starts.from_above(Target.whole(a), *starts.exact(a), rank, EFFORT)
    assert w.shape == (1, rank, 40)
    assert h.shape == (1, rank, 20)
    assert min(w.min(), h.min()) >= 0


def test_many_components_are_merged_by_and_by(
    activations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge, ranks, iterated = starts.merge, [], []
    monkeypatch.setattr(starts, "merge", lambda *given: ranks.append(given[2]) or merge(*given))
    monkeypatch.setattr(
        starts, "refine", lambda *given: iterated.append(given[1].shape[1]) or refine(*given)
    )
    a = activations(60, 48)[None]
    for rank, expected in [(8, [28, 18, 13, 10, 9, 8]), (32, [40, 36, 32]), (47, [47])]:
        ranks.clear()
        iterated.clear()
        starts.from_above(Target.whole(a), *starts.exact(a), rank, EFFORT)
        assert ranks == expected
        assert iterated == expected[:-1]


@pytest.mark.parametrize("build", BUILDS)
def test_exchange_finds_the_component_that_is_missing_sooner_than_iterating(
    monkeypatch: pytest.MonkeyPatch, build: str
) -> None:
    choose(build, monkeypatch)
    w, h = parts(np.random.default_rng(0), 5)
    target = Target.whole(product(w, h))
    doubled = [0, 0, 1, 2, 3]  # the first one twice, the last one not at all
    lacking = refine(target, w[:, doubled], h[:, doubled], EFFORT.with_iterations(1))
    start = starts.exchanged(target, lacking, 0, EFFORT)
    assert start[0].shape == w.shape
    assert start[1].shape == h.shape
    exchanged = refine(target, *start, EFFORT.with_iterations(1))
    without = refine(target, lacking.w, lacking.h, EFFORT.with_iterations(4))
    assert float(exchanged.loss[0]) < 0.5 * float(without.loss[0])
