"""The nodes of a network as plain records, and models of one operator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onnxmem import graph
from onnxmem.errors import UsageError

NETWORK = """(float[N,4] x) => (float[N,3] y) {
    t = Transpose<perm = [1, 0]>(w)
    h = MatMul(x, t)
    c = Clip(h, , top)
    z = ConstantOfShape<value = float[1] {2.5}>(size)
    y = com.microsoft.QuickGelu<alpha = 1.5>(c)
}"""


@pytest.fixture
def model(network: Callable[..., Path]) -> graph.Model:
    path = network(
        NETWORK, domains={"com.microsoft": 1}, w=(3, 4), top=np.float32(0.5), size=np.array([2])
    )
    return graph.load(path)


def test_nodes_are_plain_records(model: graph.Model) -> None:
    found = {step.operator.op: step for step in graph.steps(model)}
    assert [*found] == ["Transpose", "MatMul", "Clip", "ConstantOfShape", "QuickGelu"]
    assert found["Transpose"].operator.attributes == {"perm": (1, 0)}
    assert found["Clip"].inputs == ("h", "", "top")
    assert found["MatMul"].outputs == ("h",) and found["MatMul"].dtypes == ("float32",)
    assert found["MatMul"].operator.version == 17
    gelu = found["QuickGelu"].operator
    assert (gelu.domain, gelu.version) == ("com.microsoft", 1)
    assert gelu.attributes == {"alpha": 1.5}
    np.testing.assert_array_equal(found["ConstantOfShape"].operator.attributes["value"], [2.5])


def test_what_a_body_reads_is_captured(network: Callable[..., Path]) -> None:
    text = (
        "(float[N,4] x, bool b) => (float[N,4] y) { h = Neg(x)  y = If(b) "
        "<then_branch = p () => (float[N,4] q) { q = Abs(h) }, "
        "else_branch = r () => (float[N,4] s) { s = Exp(x) }> }"
    )
    step = graph.steps(graph.load(network(text)))[-1]
    assert step.inputs == ("b",) and set(step.captured) == {"h", "x"}


def test_constants_are_what_no_run_changes(model: graph.Model) -> None:
    assert graph.constants(model) == {"w", "top", "size", "t", "z"}
    assert graph.constant(model, "top") == np.float32(0.5)
    assert graph.constant(model, "w").shape == (3, 4)
    assert graph.constant(model, "t") is None and graph.constant(model, "nowhere") is None


def test_a_part_computes_the_tensors_asked_for_and_no_more(model: graph.Model, run, draw) -> None:
    x = draw(2, 4)
    part = graph.compute(model, ["h", "c"])
    assert part.inputs == ("x",) and part.outputs == ("h", "c")
    found = run(part, {"x": x})
    np.testing.assert_allclose(found["h"], x @ graph.constant(model, "w").T, rtol=1e-5)
    np.testing.assert_array_equal(found["c"], np.minimum(found["h"], 0.5))
    fixed = graph.compute(model, ["t"])
    assert fixed.inputs == ()
    np.testing.assert_array_equal(run(fixed, {})["t"], graph.constant(model, "w").T)
    with pytest.raises(UsageError, match="'nowhere'"):
        graph.compute(model, ["nowhere"])


def test_one_operator_is_a_model(run) -> None:
    operator = graph.Operator("Gemm", 13, attributes={"transB": 1, "alpha": 0.5})
    part = graph.operator_part(operator, ["float32", "float32", None], 1)
    assert part.inputs == ("i0", "i1")
    a, b = np.ones((2, 3), np.float32), np.ones((4, 3), np.float32)
    np.testing.assert_array_equal(run(part, {"i0": a, "i1": b})["o0"], np.full((2, 4), 1.5))


def test_one_operator_of_another_set_is_a_model_too(run) -> None:
    operator = graph.Operator("QuickGelu", 1, "com.microsoft", {"alpha": 1.0})
    part = graph.operator_part(operator, ["float32"], 1)
    x = np.array([0.0, 2.0], np.float32)
    np.testing.assert_allclose(run(part, {"i0": x})["o0"], x / (1 + np.exp(-x)), rtol=1e-5)
