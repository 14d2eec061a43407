"""Batches share a run of the tail only where each then gets what it gets by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_networks import Sample
from text_networks import write, write_residual

import onnxmem
from onnxmem import graph
from onnxmem.errors import ModelRefusedError, OutOfMemoryError
from onnxmem.network import layer_run
from onnxmem.network.activations import Activations, Piece
from onnxmem.network.network import prepare
from onnxmem.network.settings import RunSettings
from onnxmem.network.split_network import SplitNetwork
from onnxmem.network.stacking import Stacker, find_stacker, stack_up
from onnxmem.runtime import select_device

BEFORE = "(float[N,8] x) => (float[N,4] y) { a = MatMul(x, w1)  r = Relu(a) "


@contextmanager
def captured(
    path: Path,
    site: str,
    sizes: tuple[int, ...] = (5, 3, 5),
    shared: Mapping[str, np.ndarray] = {},
) -> Iterator[tuple[SplitNetwork, list[Activations]]]:
    """Cut the network at `site`; give what runs it, and batches of so many samples."""
    x = np.random.default_rng(0).normal(size=(sum(sizes), 8)).astype(np.float32)
    with prepare(
        graph.load(path), {"x": x}, shared, select_device("cpu"), RunSettings()
    ) as network:
        runner = SplitNetwork(network, graph.split(network.model, site, "y"), {"x": x}, shared)
        rows = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
        yield runner, [runner.capture(chosen, 1, len(chosen)) for chosen in rows]


@given(sizes=st.lists(st.integers(1, 40)), limit=st.integers(0, 100))
def test_stacks_hold_every_batch_in_its_order_and_no_more_than_the_limit(
    sizes: list[int], limit: int
) -> None:
    stacks = [sizes[part] for part in stack_up(sizes, limit)]
    assert [size for stack in stacks for size in stack] == sizes
    assert all(sum(stack) <= limit or len(stack) == 1 for stack in stacks)
    for stack, following in pairwise(stacks):
        assert sum(stack) + following[0] > limit


def test_stacked_batches_get_the_outputs_that_they_get_alone(tmp_path: Path) -> None:
    with captured(write_residual(tmp_path / "net.onnx"), "r2") as (runner, captures):
        assert runner.cut.crossing == ("r1",)
        asked = [captures[number] for number in (0, 1, 2, 1)]
        matrices = [capture.matrix() / (1 + place) for place, capture in enumerate(asked)]
        together = Stacker(runner, frozenset({"r1"})).outputs(asked, matrices)
        for capture, matrix, outputs in zip(asked, matrices, together, strict=True):
            (alone,) = runner.outputs(capture, capture.tensors(matrix))
            np.testing.assert_allclose(outputs[0], alone, atol=1e-6)
        assert find_stacker(runner, captures)


def test_tensors_that_all_batches_share_are_passed_once(tmp_path: Path) -> None:
    shape = "z = Shape <start = 1> (x)  f = Cast <to = 1> (z)  s = Mul(r, f)  y = MatMul(s, w2) }"
    path = write(tmp_path / "net.onnx", BEFORE + shape, w1=(8, 8), w2=(8, 4))
    with captured(path, "r") as (runner, captures):
        (common,) = (captures[0].pieces[0].others[name] for name in runner.cut.crossing)
        assert common.shape == (1,)
        stacker = find_stacker(runner, captures)
        assert stacker is not None and not stacker.along


COUPLED = {
    "by their mean": "m = ReduceMean <axes = [0], keepdims = 1> (r)  s = Sub(r, m)",
    "by their number": "n = Shape <end = 1> (r)  f = Cast <to = 1> (n)  s = Mul(r, f)",
    "by a shape": "n = Shape <end = 1> (x)  e = Constant <value = int64[1] {8}> ()"
    "  c = Concat <axis = 0> (n, e)  s = Reshape(r, c)",
    "by those before": "z = Constant <value = int64 {0}> ()  s = CumSum(r, z)",
    "by those behind": "z = Constant <value = int64 {0}> ()  s = CumSum <reverse = 1> (r, z)",
    "by their range": "m = ReduceMax <keepdims = 0> (r)  l = Constant <value = float {3}> ()"
    "  t = Div(m, l)  d = Div(r, t)  q = Round(d)"
    "  g = Constant <value = float {99}> ()  s = Mul(q, g)",
}
"""Tails in which samples of a batch depend on one another."""

CROSSING = {
    "in a row": "m = ReduceMax <axes = [0], keepdims = 1> (x)  s = Sub(r, m)",
    "in a matrix": "t = Transpose(x)  u = MatMul(t, x)  s = MatMul(r, u)",
}
"""What crosses the cut knows all samples of a batch."""


@pytest.mark.parametrize(
    ("sizes", "middle"),
    [((5, 3, 5), one) for one in (COUPLED | CROSSING).values()]
    + [((8, 8, 8), one) for one in (COUPLED | CROSSING).values()]
    + [((9,), one) for one in COUPLED.values()],
)
def test_tails_that_see_the_batch_are_not_stacked(
    tmp_path: Path, middle: str, sizes: tuple[int, ...]
) -> None:
    text = BEFORE + middle + "  p = MatMul(s, w2)  y = Softmax(p) }"
    path = write(tmp_path / "net.onnx", text, w1=(8, 8), w2=(8, 4))
    with captured(path, "r", sizes) as (runner, captures):
        assert not find_stacker(runner, captures)


def test_what_crosses_must_be_the_same_in_every_batch(tmp_path: Path) -> None:
    shape = "z = Shape <start = 1> (x)  f = Cast <to = 1> (z)  s = Mul(r, f)  y = MatMul(s, w2) }"
    path = write(tmp_path / "net.onnx", BEFORE + shape, w1=(8, 8), w2=(8, 4))
    with captured(path, "r") as (runner, (first, second, third)):
        (piece,) = second.pieces
        others = {name: array + 1 for name, array in piece.others.items()}
        other = replace(second, pieces=(replace(piece, others=others),))
        assert not find_stacker(runner, [first, other, third])


def test_inputs_that_all_samples_share_are_passed_once(tmp_path: Path) -> None:
    text = "(float[N,8] x, float[N,8] c) => (float[N,4] y) {" + BEFORE.partition("{")[2]
    path = write(tmp_path / "net.onnx", text + "s = MatMul(r, c)  y = MatMul(s, w2) }",
                 w1=(8, 8), w2=(8, 4))  # fmt: skip
    shared = {"c": np.random.default_rng(1).normal(size=(8, 8)).astype(np.float32)}
    with captured(path, "r", (8, 8), shared) as (runner, captures):
        assert runner.cut.direct == ("c",)
        assert find_stacker(runner, captures)


def test_tail_that_loses_samples_is_refused(tmp_path: Path) -> None:
    after = (
        "a0 = Constant <value = int64[1] {0}> ()  a1 = Constant <value = int64[1] {12}> ()"
        "  s = Slice(r, a0, a1)  y = MatMul(s, w2) }"
    )
    path = write(tmp_path / "net.onnx", BEFORE + after, w1=(8, 8), w2=(8, 4))
    with captured(path, "r") as (runner, captures):
        stacker = find_stacker(runner, captures)
        assert stacker is not None
        with pytest.raises(ModelRefusedError, match="loses samples"):
            stacker.outputs(captures, [capture.matrix() for capture in captures])


@pytest.mark.parametrize("ranks", ["auto", [1, 2, 4, 8]])
@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_an_audit_finds_the_same_in_fewer_runs(
    name: str, ranks: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample: Sample = request.getfixturevalue(name)
    runs: list[str] = []
    run_tail = SplitNetwork._run_tail

    def counted(runner: SplitNetwork, *rest: Any) -> Any:
        runs.append(runner.cut.tensor)
        return run_tail(runner, *rest)

    monkeypatch.setattr(SplitNetwork, "_run_tail", counted)
    together = onnxmem.audit(sample.path, sample.x, sample.y, ranks=ranks)
    few = len(runs)
    monkeypatch.setattr(layer_run, "largest_stack", lambda on_gpu: 0)
    apart = onnxmem.audit(sample.path, sample.x, sample.y, ranks=ranks)
    assert together.layers == apart.layers
    assert few < (len(runs) - few) / 2


def test_random_masks_hold_for_both_kinds_of_batches(mlp: Sample) -> None:
    (first, *_) = onnxmem.audit(mlp.path, mlp.x, mlp.y, compress=["ablation"]).layers
    one, other = first.curves
    assert one.accuracy == other.accuracy
    assert min(one.accuracy) < max(one.accuracy)


def test_an_audit_whose_tails_cannot_be_stacked_finds_the_same(
    mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = onnxmem.audit(mlp.path, mlp.x, mlp.y)
    monkeypatch.setattr(layer_run, "find_stacker", lambda runner, captures: None)
    assert onnxmem.audit(mlp.path, mlp.x, mlp.y).layers == together.layers


@pytest.mark.parametrize("error", [ModelRefusedError, OutOfMemoryError])
def test_batches_run_alone_where_the_tail_does_not_take_so_many(
    error: type[Exception], mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = onnxmem.audit(mlp.path, mlp.x, mlp.y)
    output, failed = SplitNetwork.output, []

    def picky(runner: SplitNetwork, piece: Piece) -> Any:
        if piece.samples > 60:
            failed.append(piece.samples)
            raise error("too many")
        return output(runner, piece)

    monkeypatch.setattr(SplitNetwork, "output", picky)
    assert onnxmem.audit(mlp.path, mlp.x, mlp.y).layers == together.layers
    assert len(failed) == len(together.layers)
