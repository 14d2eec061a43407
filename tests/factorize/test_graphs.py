"""Small problems on a device: kernels of their own, and iterations recorded as graphs."""

from __future__ import annotations

import gc
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onnxmem.arrays import to_host
from onnxmem.factorize import device, graphs, iteration, launch, nmf_sweep, refine, seeds
from onnxmem.factorize.refine import Effort, Pairs
from onnxmem.factorize.target import Spectrum, Target

EFFORT = Effort(1e-3, 0.07, 20)


@pytest.fixture(params=["fake", pytest.param("cupy", marks=pytest.mark.gpu)])
def gpu(request: pytest.FixtureRequest) -> ModuleType:
    """Give a CuPy without a GPU, and with one where there is one."""
    if request.param == "fake":
        module: ModuleType = request.getfixturevalue("fake")
        return module
    cupy: Any = pytest.importorskip("cupy")
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"no CUDA device: {error}")
    real: ModuleType = cupy
    return real


@pytest.fixture
def matrices(activations: Any) -> np.ndarray:
    """Give two (24, 36) matrices."""
    return np.stack([activations(24, 36), activations(24, 36)[::-1] ** 2])


def start(xp: ModuleType, k: int, a: np.ndarray) -> tuple[Any, Any]:
    rng = np.random.default_rng(k)
    p, m, q = a.shape
    return xp.asarray(rng.random((p, k, m), "f")), xp.asarray(rng.random((p, k, q), "f"))


def compressed(a: Any, components: int) -> Target:
    return Spectrum(Target.whole(a), 0).compressed(components)


def refined(xp: ModuleType, a: np.ndarray, ranks: list[int], components: int = 10) -> list[Pairs]:
    target = compressed(xp.asarray(a), components)
    return [device.refine(target, *start(xp, k, a), EFFORT) for k in ranks]


def assert_same_bits(ours: list[Pairs], theirs: list[Pairs]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        for name in ("w", "h", "loss"):
            assert to_host(getattr(one, name)).tobytes() == to_host(getattr(other, name)).tobytes()


def check_product(xp: ModuleType, p: int, k: int, n: int, c: int, room: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((p, k, n), "f"), rng.standard_normal((p, n, c), "f")
    out, gram = xp.full((p, k, c), np.nan, np.float32), xp.full((p, k, k), np.nan, np.float32)
    rank = xp.full(1, k, np.int32)
    launch.product(room, xp.asarray(left), xp.asarray(right), out, rank, gram)
    alone = xp.full((p, k, c), np.nan, np.float32)
    launch.product(room, xp.asarray(left), xp.asarray(right), alone, rank)
    exact = left.astype(np.float64)
    near = {"rtol": 1e-4, "atol": 1e-5 * n}
    assert np.allclose(to_host(out), exact @ right, **near)
    assert np.allclose(to_host(gram), exact @ exact.swapaxes(1, 2), **near)
    assert to_host(alone).tobytes() == to_host(out).tobytes()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    p=st.integers(1, 3),
    k=st.integers(1, 11),
    n=st.integers(1, 35),
    c=st.integers(1, 19),
    more=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_the_product_is_that_of_numpy(
    fake: ModuleType, p: int, k: int, n: int, c: int, more: int, seed: int
) -> None:
    check_product(fake, p, k, n, c, k + more, seed)


@pytest.mark.parametrize("shape", [(1, 50, 627, 64), (2, 1, 1, 1), (3, 17, 129, 15), (1, 70, 5, 9)])
def test_the_product_of_a_layer_is_that_of_numpy(gpu: ModuleType, shape: tuple[int, ...]) -> None:
    check_product(gpu, *shape, room=launch.room_for(shape[1]), seed=0)


@pytest.mark.parametrize("components", [5, 36])
def test_a_recorded_iteration_gives_the_bits_of_a_plain_one(
    gpu: ModuleType, matrices: np.ndarray, monkeypatch: pytest.MonkeyPatch, components: int
) -> None:
    record, made = graphs.record, []
    monkeypatch.setattr(graphs, "record", lambda *given: made.append(record(*given)) or made[-1])
    recorded = refined(gpu, matrices, [1, 3, 3, 8], components)
    assert made
    assert None not in made, graphs._refusals
    monkeypatch.setattr(graphs, "record", lambda *_: None)
    assert_same_bits(recorded, refined(gpu, matrices, [1, 3, 3, 8], components))


def test_streams_do_not_share_what_was_recorded(gpu: ModuleType, matrices: np.ndarray) -> None:
    target = compressed(gpu.asarray(matrices), 5)
    given = start(gpu, 3, matrices)
    here = device.refine(target, *given, EFFORT)
    to_host(here.loss)
    with gpu.cuda.Stream(non_blocking=True):
        assert_same_bits([device.refine(target, *given, EFFORT)], [here])
    assert len(iteration._KEPT[id(target.left_t)]) == 2


def test_ranks_of_one_build_share_a_graph(
    fake: ModuleType, matrices: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    end = fake.cuda.Stream.end_capture
    monkeypatch.setattr(
        fake.cuda.Stream, "end_capture", lambda self: (ends.append(1), end(self))[1]
    )
    refined(fake, matrices, [1, 2, 8, 3, 9, 10])
    assert len(ends) == 2


@pytest.mark.parametrize("k", [0, 1, 6])
@pytest.mark.parametrize("components", [5, 36])
def test_one_launch_grows_by_the_component_that_the_host_finds(
    gpu: ModuleType, matrices: np.ndarray, k: int, components: int
) -> None:
    ours = [np.zeros((2, 0, size), np.float32) for size in matrices.shape[1:]]
    if k:
        solved = refine.refine(compressed(matrices, components), *start(np, k, matrices), EFFORT)
        ours = [solved.w, solved.h]
    theirs = [gpu.asarray(factor) for factor in ours]
    expected = seeds.grow(compressed(matrices, components), *ours, k + 1, 0)
    found = seeds.grow(compressed(gpu.asarray(matrices), components), *theirs, k + 1, 0)
    for one, other in zip(expected, found, strict=True):
        assert one.shape == other.shape
        assert np.allclose(one, to_host(other), atol=2e-3 * one.max())


def test_where_nothing_is_left_a_component_of_zeros_grows(gpu: ModuleType) -> None:
    a = np.zeros((1, 16, 24), np.float32)
    none = [gpu.zeros((1, 0, size), np.float32) for size in a.shape[1:]]
    w, h = seeds.grow(Target.whole(gpu.asarray(a)), *none, 1, 0)
    assert not to_host(w).any()
    assert not to_host(h).any()


def test_own_products_change_nothing_but_rounding(
    gpu: ModuleType, matrices: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = refined(gpu, matrices, [1, 4])
    monkeypatch.setattr(iteration, "_SMALL", 0)
    for one, other in zip(own, refined(gpu, matrices, [1, 4]), strict=True):
        assert np.allclose(to_host(one.loss), to_host(other.loss), rtol=2e-3)


@pytest.mark.parametrize("where", ["begin_capture", "end_capture"])
@pytest.mark.parametrize("kind", [NotImplementedError, RuntimeError])
def test_where_nothing_can_be_recorded_launches_are_plain(
    fake: ModuleType,
    matrices: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    kind: type[Exception],
) -> None:
    expected = refined(fake, matrices, [2, 4])
    tried = []

    def refuse(stream: Any) -> None:
        tried.append(1)
        stream.recorded = None
        raise kind("not supported here")

    monkeypatch.setattr(fake.cuda.Stream, where, refuse)
    assert_same_bits(expected, refined(fake, matrices, [2, 4]))
    assert tried == [1]
    assert graphs._refusals == ["not supported here"]


def test_what_cannot_be_recorded_ends_the_recording(
    fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = fake.asarray(np.ones((1, 2, 2), np.float32))
    assert graphs.record(fake, lambda: a @ a) is None
    assert fake.cuda.get_current_stream().ptr == 0
    monkeypatch.setattr(graphs, "_refusals", [])
    assert graphs.record(fake, lambda: None) is not None


def test_what_was_recorded_is_kept_no_longer_than_its_target(
    fake: ModuleType, matrices: np.ndarray
) -> None:
    before = set(iteration._KEPT)
    target = compressed(fake.asarray(matrices), 5)
    device.refine(target, *start(fake, 3, matrices), EFFORT)
    assert len(set(iteration._KEPT) - before) == 1
    del target
    gc.collect()
    assert set(iteration._KEPT) <= before


def test_small_problems_give_the_error_curve_of_the_host(gpu: ModuleType, activations: Any) -> None:
    a, ranks = activations(40, 50), [1, 2, 3, 5, 9, 17]
    theirs = [found.error for found in nmf_sweep(gpu.asarray(a), ranks)]
    assert np.allclose([found.error for found in nmf_sweep(a, ranks)], theirs, rtol=5e-3)
