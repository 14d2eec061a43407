"""Which axis counts samples, and what becomes of models that mix them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

import onnxmem
from onnxmem.inspecting import Inspection, Trial, inspect
from onnxmem.network.independence import axis_that_follows, mixed_up

HEAD = "h = MatMul(x, w)  r = Relu(h)"
ATTENTION = f"""(float[N,6] x) => (float[N,4] y) {{
    {HEAD}  t = Transpose(r)  s = MatMul(r, t)  l = Mul(s, few)  a = Softmax(l)
    m = MatMul(a, r)  y = MatMul(m, v)
}}"""
TIME_FIRST = f"""(float[7,N,6] x) => (float[N,4] y) {{
    {HEAD}  c = CumSum(r, zero)  l = Gather<axis=0>(c, last)  y = MatMul(l, v)
}}"""
TIME_FIRST_FREE = TIME_FIRST.replace("float[7,N,6]", "float[T,N,6]")
NOISE = f"(float[N,6] x) => (float[N,4] y) {{ {HEAD}  n = RandomNormalLike(r)  y = MatMul(n, v) }}"
DYNAMIC = f"""(float[N,6] x) => (float[N,4] y) {{
    {HEAD}  q, s, z = DynamicQuantizeLinear(r)  d = DequantizeLinear(q, s, z)  y = MatMul(d, v)
}}"""


@pytest.fixture
def network(tmp_path: Path) -> object:
    """Return a function that writes a network and gives its path."""

    def write(text: str) -> Path:
        model = parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> network {text}')
        rng = np.random.default_rng(0)
        weights = {"w": rng.normal(size=(6, 8)), "v": rng.normal(size=(8, 4))}
        arrays = {name: array.astype(np.float32) for name, array in weights.items()}
        arrays["few"] = np.array(0.02, np.float32)
        arrays |= {"zero": np.array(0), "last": np.array(-1)}
        model.graph.initializer.extend(
            numpy_helper.from_array(array, name) for name, array in arrays.items() if name in text
        )
        onnx.save(model, tmp_path / "network.onnx")
        return tmp_path / "network.onnx"

    return write


def audit(path: Path, *shape: int) -> onnxmem.Report:
    """Audit on random samples and labels."""
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    y = np.arange(len(x)) % 2
    return onnxmem.audit(path, x, y, metric="fidelity", compress=["nmf"], ranks=[1], per_class=6)


def reason_to_refuse(path: Path, *shape: int) -> str:
    """Audit what cannot be audited, and return the reason."""
    report = audit(path, *shape)
    assert (report.verdict, report.measured) == ("inconclusive", False)
    assert {(layer.status, layer.reason) for layer in report.layers} == {("skipped", report.reason)}
    return report.reason


def look(path: Path) -> Inspection:
    """Run every cut."""
    return inspect(path, trial=Trial(device="cpu"))


@pytest.mark.parametrize("count", [2, 3, 7, 8])
def test_some_samples_are_repeated_and_none_stays(count: int) -> None:
    rows = mixed_up(count)
    assert len(set(rows.tolist())) < count
    assert ((rows >= 0) & (rows < count)).all()
    assert rows[0] == count - 1


def test_the_axis_that_follows() -> None:
    straight = np.random.default_rng(0).normal(size=(3, 4, 4))
    assert axis_that_follows(straight.take(mixed_up(4), 2), straight) == 2
    assert axis_that_follows(straight, straight) is None


def test_members_of_a_set_that_attend_to_each_other_are_no_samples(network) -> None:
    path = network(ATTENTION)
    assert "does not treat samples independently" in reason_to_refuse(path, 24, 6)
    result = look(path)
    assert result.verified is not None and result.verified.sample_axis is None
    assert [site.status for site in result.sites] == ["ok"]
    assert any("depend on the others" in note for note in result.notes)


@pytest.mark.parametrize("shape", [(24, 7, 6), (21, 21, 6)])
def test_time_is_no_axis_of_samples(network, shape: tuple[int, ...]) -> None:
    path = network(TIME_FIRST)
    assert "axis 1 of 'x' is free" in reason_to_refuse(path, *shape)


@pytest.mark.parametrize("text", [TIME_FIRST, TIME_FIRST_FREE])
def test_samples_along_the_second_axis_are_recognised(network, text: str) -> None:
    result = look(network(text))
    assert result.verified is not None
    assert (result.verified.sample_axis, result.verified.batch) == (1, None)
    assert [(site.batch_axis, site.status) for site in result.sites] == [(1, "ok")]
    assert any("along axis 1" in note for note in result.notes)


def test_the_refusal_names_the_axis_that_is_free(network) -> None:
    assert "axis 1 of 'x' is free" in reason_to_refuse(network(TIME_FIRST), 21, 7, 6)


def test_a_model_that_draws_at_random_is_refused(network) -> None:
    assert "something else in every run" in reason_to_refuse(network(NOISE), 24, 6)


def test_quantisation_by_the_range_of_the_batch_is_let_pass(network) -> None:
    assert [layer.status for layer in audit(network(DYNAMIC), 24, 6).layers] != ["skipped"]
    assert any("DynamicQuantizeLinear" in note for note in look(network(DYNAMIC)).notes)


def test_values_that_are_not_finite_are_named_as_such(network: Callable[[str], Path]) -> None:
    path = network(f"(float[N,6] x) => (float[N,4] y) {{ {HEAD}  z = Log(r)  y = MatMul(z, v) }}")
    assert "NaN or infinite in output 'y'" in reason_to_refuse(path, 12, 6)


EXP = f"(float[N,6] x) => (float[N,4] y) {{ {HEAD}  z = MatMul(r, v)  y = Exp(z) }}"
LOG = f"""(float[N,6] x) => (float[N,4] y) {{
    {HEAD}  z = MatMul(r, v)  p = Softmax(z)  y = Log(p)
}}"""


@pytest.mark.parametrize("y", [None, np.arange(40) % 2])
def test_scores_that_are_infinite_for_the_last_sample_alone_are_refused(
    network: Callable[[str], Path], y: np.ndarray | None
) -> None:
    x = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32)
    x[-1] *= 1e3
    report = onnxmem.audit(network(EXP), x, y, compress=["pca"], ranks=[1])
    assert not report.measured
    assert "NaN or infinite in output 'y'" in report.reason


def test_scores_of_minus_infinity_are_those_of_classes_that_are_ruled_out(
    network: Callable[[str], Path],
) -> None:
    path = network(LOG)
    x = 100 * np.random.default_rng(1).normal(size=(24, 6)).astype(np.float32)
    report = onnxmem.audit(path, x, compress=["ablation"], per_class=6)
    assert report.measured, report.reason
