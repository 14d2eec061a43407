"""The coordinate sweeps solve the least squares problem that they are given, in every build."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_builds import BUILDS, choose
from scipy.optimize import nnls

from onnxmem.arrays import to_host
from onnxmem.factorize import kernel, nmf_sweep
from onnxmem.factorize.kernel import advance, sweep


@pytest.fixture(params=BUILDS)
def build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the loops with NumPy, then compiled."""
    choose(request.param, monkeypatch)
    return str(request.param)


def problem(k: int = 5, m: int = 7, q: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((k, q), np.float32), rng.random((m, q), np.float32)


def products(xp: Any, *problems: tuple[np.ndarray, np.ndarray]) -> tuple[Any, Any]:
    gram, cross = zip(*((h @ h.T, h @ a.T) for h, a in problems), strict=True)
    return xp.asarray(np.stack(gram)), xp.asarray(np.stack(cross))


@pytest.mark.usefixtures("build")
def test_many_sweeps_reach_the_non_negative_least_squares_solution(xp: Any) -> None:
    h, a = problem()
    w = xp.zeros((1, 5, 7), np.float32)
    sweep(w, *products(xp, (h, a)), 1200)
    expected = np.array([nnls(h.T.astype(float), row)[0] for row in a]).T
    assert np.allclose(to_host(w)[0], expected, atol=1e-3)


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(("k", "m"), [(1, 3), (5, 7), (18, 600)])
def test_one_sweep_sets_each_row_to_its_minimizer_in_turn(xp: Any, k: int, m: int) -> None:
    h, a = problem(k, m)
    w = xp.ones((1, k, m), np.float32)
    sweep(w, *products(xp, (h, a)), 1)
    expected = np.ones((k, m))
    for j in range(k):
        others = a - expected.T @ h + np.outer(expected[j], h[j])
        expected[j] = np.maximum(others @ h[j] / (h[j] @ h[j]), 0)
    assert np.allclose(to_host(w)[0], expected, rtol=1e-3, atol=2e-4)


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("size", [0, 1e-21])
def test_a_component_without_a_norm_gets_zeros(xp: Any, size: float) -> None:
    h, a = problem()
    h[2] *= size
    w = xp.ones((1, 5, 7), np.float32)
    sweep(w, *products(xp, (h, a)), 2)
    assert not w[0, 2].any()
    assert np.isfinite(to_host(w)).all()


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(("k", "m"), [(5, 7), (12, 40), (33, 300)])
def test_a_problem_gets_the_same_bits_alone_and_in_a_stack(xp: Any, k: int, m: int) -> None:
    problems = [problem(k, m, seed=seed) for seed in range(3)]
    together = xp.ones((3, k, m), np.float32)
    sweep(together, *products(xp, *problems), 2)
    for number, one in enumerate(problems):
        alone = xp.ones((1, k, m), np.float32)
        sweep(alone, *products(xp, one), 2)
        assert (to_host(alone)[0] == to_host(together)[number]).all()


@pytest.mark.usefixtures("build")
def test_advance_pushes_each_problem_at_its_own_rate() -> None:
    rng = np.random.default_rng(0)
    new, old = rng.random((2, 3, 4, 5), np.float32)
    rate = np.array([0, 0.5, 2], np.float32)
    expected = np.maximum(new + rate[:, None, None] * (new - old), 0)
    ahead = advance(new, old, rate)
    assert np.allclose(ahead, expected, atol=1e-6)
    assert (ahead[0] == new[0]).all()


@settings(max_examples=40)
@given(
    k=st.integers(1, 40), m=st.integers(1, 700), sweeps=st.integers(1, 3), seed=st.integers(0, 99)
)
def test_both_builds_agree_up_to_rounding(k: int, m: int, sweeps: int, seed: int) -> None:
    if kernel.compiled() is None:
        pytest.skip("Numba is not installed")
    h, a = problem(k, m, max(30, 3 * k), seed)
    gram, cross = products(np, (h, a))
    ours, theirs = np.ones((2, 1, k, m), np.float32)
    kernel.compiled().sweep(ours, gram, cross, sweeps)
    kernel._sweep(theirs, gram, cross, sweeps)
    assert np.abs(ours - theirs).max() < 2e-3 * max(1.0, float(theirs.max()))


@pytest.mark.parametrize("shape", [(40, 64), (400, 24)])
def test_both_builds_give_the_same_error_curve(
    activations: Any, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    curves = []
    for one in BUILDS:
        with monkeypatch.context() as patch:
            choose(one, patch)
            curves.append([f.error for f in nmf_sweep(activations(*shape), [1, 2, 4, 8])])
    assert np.allclose(*curves, rtol=0, atol=1e-4)


def test_the_build_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel.kernel_name(on_device=True) == "cuda"
    choose("numpy", monkeypatch)
    assert kernel.kernel_name(on_device=False) == "numpy"


def test_the_compiled_build_is_named_with_its_versions() -> None:
    numba, scipy = map(pytest.importorskip, ("numba", "scipy"))
    expected = f"numba {numba.__version__}, scipy {scipy.__version__}"
    assert kernel.kernel_name(on_device=False) == expected


def test_without_a_place_to_keep_them_the_loops_are_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("numba")
    from onnxmem.factorize.compiled import jit

    def njit(cache: bool = False, **_: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(jit.numba, "njit", njit)
    assert jit.compiled(choose) is choose
