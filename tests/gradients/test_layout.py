"""Where samples lie is told by gradients, however exporters turn and fold axes."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given
from onnx import numpy_helper, parser
from operator_gradients import HERE, apart, loaded

from onnxmem.errors import InconclusiveError
from onnxmem.gradients import Gradients
from onnxmem.gradients.layout import Layout, any_layout, find_layout


@st.composite
def tensors(draw: st.DrawFn) -> tuple[np.ndarray, Layout, int]:
    """Draw a tensor that holds in each place the number of its sample, and how it lies."""
    samples, shared = draw(st.integers(2, 5)), draw(st.integers(1, 3))
    rest = draw(st.lists(st.integers(2, 4), max_size=2))
    outer = draw(st.booleans()) or shared == 1
    axis = draw(st.integers(0, len(rest)))
    numbers = np.repeat(np.arange(samples), shared) if outer else np.tile(range(samples), shared)
    shape = [*rest[:axis], samples * shared, *rest[axis:]]
    spread = numbers.reshape([-1 if at == axis else 1 for at in range(len(shape))])
    return np.broadcast_to(spread, shape).copy(), Layout(axis, outer), samples


@given(drawn=tensors())
def test_samples_come_first(drawn: tuple[np.ndarray, Layout, int]) -> None:
    array, layout, samples = drawn
    first = layout.first(array, samples)
    assert first.size == array.size and first.shape[0] == samples
    for at in range(samples):
        assert (first[at] == at).all()


@given(drawn=tensors(), seed=st.integers(0, 99))
def test_what_only_some_samples_ask_for_tells_the_layout(
    drawn: tuple[np.ndarray, Layout, int], seed: int
) -> None:
    array, _, samples = drawn
    split = samples // 2
    values = np.random.default_rng(seed).normal(size=array.shape)
    found = find_layout(values * (array < split), values * (array >= split), samples, split)
    assert found is not None
    apart_again = found.first(array, samples)
    assert ((apart_again < split) == (np.arange(samples) < split).reshape(
        [-1] + [1] * (apart_again.ndim - 1)
    )).all()  # fmt: skip


@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=3), samples=st.integers(2, 4))
def test_what_mixes_samples_has_no_layout(shape: list[int], samples: int) -> None:
    assume(np.prod(shape) > 1)
    full = np.ones(shape)
    assert find_layout(full, full, samples, samples // 2) is None


def test_one_sample_lies_along_the_first_axis_of_one() -> None:
    assert any_layout((7, 1, 3), 1) == Layout(1)
    assert any_layout((7, 3), 1) == Layout(0)
    with pytest.raises(InconclusiveError):
        any_layout((5, 3), 2)


TURNED = """(float[N,7,4] x) => (float[N,3] y) {
    a = MatMul(x, w1)  steps = Transpose<perm = [1, 0, 2]>(a)  r = Relu(steps)
    f = Reshape(r, folded)  b = MatMul(f, w2)  q = Relu(b)  u = Reshape(q, unfolded)
    m = ReduceSum<keepdims = 0>(u, first)  y = MatMul(m, w3)
}"""


@pytest.mark.parametrize("samples", [2, 5, 7])
def test_attention_may_turn_samples_and_steps(samples: int) -> None:
    """Also where there are as many of the ones as of the others."""
    proto = parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> net {TURNED}')
    weights = {
        "w1": apart(4, 5, gap=0.05), "w2": apart(5, 6, seed=1, gap=0.05),
        "w3": apart(6, 3, seed=2), "folded": np.array([-1, 5]),
        "unfolded": np.array([7, -1, 6]), "first": np.array([0]),
    }  # fmt: skip
    for name, array in weights.items():
        proto.graph.initializer.append(numpy_helper.from_array(array, name))
    made = Gradients(loaded(proto), HERE, ["y"], wrt=["x", "r", "q"], weights=["w1", "w2", "w3"])
    x, seed = apart(samples, 7, 4, gap=0.05), apart(samples, 3, seed=3)
    together = made.run({"x": x}).backward(seed)
    assert together.gradient("r").shape == (samples, 7, 5)
    assert together.gradient("q").shape == (samples, 7, 6)
    for at in range(samples):
        row = slice(at, at + 1)
        alone = made.run({"x": x[row]}).backward(seed[row])
        for name in ("x", "r", "q"):
            ours, theirs = alone.gradient(name)[0], together.gradient(name)[at]
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
        for name in ("w1", "w2", "w3"):
            ours, theirs = alone.weight(name).each()[0], together.weight(name).each()[at]
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_rows_that_attend_to_each_other_are_no_samples() -> None:
    proto = parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> net (float[N,4] x) => (float[N,3] y) '
        "{ t = Transpose(x)  s = MatMul(x, t)  m = MatMul(s, x)  y = MatMul(m, w) }"
    )
    proto.graph.initializer.append(numpy_helper.from_array(apart(4, 3), "w"))
    made = Gradients(loaded(proto), HERE, ["y"], wrt=["x"], weights=["w"])
    backward = made.run({"x": apart(5, 4)}).backward(apart(5, 3, seed=1))
    with pytest.raises(InconclusiveError, match="'x' does not keep the samples of a batch apart"):
        backward.gradient("x")
    assert backward.weight("w").each().shape == (5, 4, 3)
