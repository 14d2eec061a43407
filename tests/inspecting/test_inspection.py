"""Running every cut: which inputs are drawn, what follows the batch, and what fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser
from sample_networks import Sample, make_mlp

from onnxmem import graph
from onnxmem.errors import ModelRefusedError, UsageError
from onnxmem.inspecting import Inspected, Inspection, Trial, inspect, verification
from onnxmem.inspecting.feeds import find_inputs
from onnxmem.runtime import select_device

CPU = Trial(device="cpu")


def write(folder: Path, text: str, **weights: object) -> Path:
    """Write a network; weights are shapes to draw, or arrays."""
    text = f'<ir_version: 8, opset_import: ["": 17]> network {text}'
    model = parser.parse_model(text)
    rng = np.random.default_rng(1)
    for name, what in weights.items():
        array = rng.normal(size=what).astype(np.float32) if isinstance(what, tuple) else what
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


def only(result: Inspection) -> Inspected:
    """Return the only site."""
    (site,) = result.sites
    return site


def test_every_cut_of_a_residual_network_is_exact(cnn: Sample) -> None:
    result = inspect(cnn.path, trial=CPU)
    assert [site.status for site in result.sites] == ["ok"] * 3
    assert [site.crossing for site in result.sites] == [(), ("stem",), ()]
    assert all((site.relative_error or 0) <= 1e-4 for site in result.sites)
    assert result.exit_code == 0


@pytest.mark.parametrize("batch", [1, 3])
def test_a_fixed_batch_is_freed_or_kept(tmp_path: Path, batch: int) -> None:
    result = inspect(make_mlp(tmp_path, batch=batch).path, trial=CPU)
    assert {site.batch_axis for site in result.sites} == {0}
    assert result.verified is not None
    assert result.verified.batch is None
    assert result.verified.samples == 2 * batch
    assert result.sites[0].shape == (None, 12)


def test_a_batch_that_cannot_be_freed_is_kept(tmp_path: Path) -> None:
    text = "(float[4,8] x) => (float[4,8] y) { a = MatMul(x, w)  r = Relu(a)  y = MatMul(m, r) }"
    result = inspect(write(tmp_path, text, w=(8, 8), m=(4, 4)), trial=CPU)
    assert result.verified is not None
    assert (result.verified.batch, result.verified.samples) == (4, 4)
    site = only(result)
    assert (site.status, site.batch_axis, site.shape) == ("ok", 0, (4, 8))


def test_axis_0_that_is_time_is_not_taken_for_the_batch(tmp_path: Path) -> None:
    text = """(float[2,N,6] x) => (float[2,N,4] y) {
        t = Transpose<perm = [1, 0, 2]>(x)  a = MatMul(t, w)  r = Relu(a)
        u = Transpose<perm = [1, 0, 2]>(r)  y = MatMul(u, v)
    }"""
    site = only(inspect(write(tmp_path, text, w=(6, 8), v=(8, 4)), trial=CPU))
    assert (site.status, site.batch_axis) == ("ok", 1)


@pytest.mark.parametrize(
    "declared",
    [
        "int64[N,8] x",
        "double[N,8] x",
        "uint8[N,8] x",
        "bool[N,8] x",
        "float16[N,8] x",
        "float[N,8] x, string[N] names",
        "float[N,8] x, float scale",
        "float[N,8] x, float[3] per_channel",
    ],
)
def test_inputs_of_every_type_are_drawn(tmp_path: Path, declared: str) -> None:
    text = f"""({declared}) => (float[N,8] y) {{
        f = Cast<to = 1>(x)  a = MatMul(f, w)  r = Relu(a)  y = MatMul(r, w)
    }}"""
    site = only(inspect(write(tmp_path, text, w=(8, 8)), trial=CPU))
    assert (site.status, site.batch_axis) == ("ok", 0)


def test_sizes_that_do_not_fit_are_tried_in_turn(tmp_path: Path) -> None:
    text = "(float[N,L] x) => (float[N,4] y) { a = MatMul(x, w)  r = Relu(a)  y = Neg(r) }"
    assert only(inspect(write(tmp_path, text, w=(32, 4)), trial=CPU)).status == "ok"
    with pytest.raises(UsageError, match="--data"):
        inspect(write(tmp_path, text, w=(50, 4)), trial=CPU)


def test_sizes_that_were_made_up_are_not_reported(tmp_path: Path) -> None:
    text = """(float[N,3,H,W] x) => (float[N,5,1,1] y) {
        a = Conv(x, k)  r = Relu(a)  y = GlobalAveragePool(r)
    }"""
    path = write(tmp_path, text, k=(5, 3, 3, 3))
    assert only(inspect(path, trial=CPU)).shape == (None, 5, None, None)
    images = np.zeros((2, 3, 9, 10), np.float32)
    given = inspect(path, trial=Trial({"x": images}, "cpu"))
    assert only(given).shape == (None, 5, 7, 8)


def test_dimensions_of_one_name_have_one_size(tmp_path: Path) -> None:
    text = """(float[N,L] x, float[N,L] mask) => (float[N,L] y) {
        m = Mul(x, mask)  r = Relu(m)  y = Neg(r)
    }"""
    model = graph.load(write(tmp_path, text))
    inputs = find_inputs(model, None, select_device("cpu"))
    assert inputs.samples["x"].shape == inputs.samples["mask"].shape
    assert inputs.random and inputs.invented


def test_what_is_not_finite_may_stay_so(tmp_path: Path) -> None:
    text = """(float[N,8] x) => (float[N,8] y) {
        a = MatMul(x, w)  r = Relu(a)  l = Log(x)  y = Add(r, l)
    }"""
    site = only(inspect(write(tmp_path, text, w=(8, 8)), trial=CPU))
    assert (site.status, site.relative_error) == ("ok", 0)


def test_all_outputs_are_compared(tmp_path: Path) -> None:
    text = """(float[N,8] x) => (float[N,8] good, float[N,8] bad) {
        a = MatMul(x, w)  r = Relu(a)  good = Neg(r)  n = RandomNormalLike(r)  bad = Add(r, n)
    }"""
    path = write(tmp_path, text, w=(8, 8))
    assert only(inspect(path, trial=CPU)).status == "unsupported"
    assert only(inspect(path, output_name="good", trial=CPU)).status == "ok"


def test_an_output_that_does_not_depend_on_the_site(tmp_path: Path) -> None:
    text = """(float[N,8] x) => (float[N,8] y, float[N,8] z) {
        a = MatMul(x, w)  r = Relu(a)  y = Neg(r)  z = Neg(a)
    }"""
    path = write(tmp_path, text, w=(8, 8))
    for trial in (None, CPU):
        site = only(inspect(path, output_name="z", trial=trial))
        assert site.status == "unsupported"
        assert "does not depend" in site.reason


def test_a_cut_that_is_refused_is_a_reason(cnn: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise ModelRefusedError("onnxruntime refuses the model: no such kernel")

    monkeypatch.setattr(verification.SplitNetwork, "joined", refuse)
    result = inspect(cnn.path, trial=CPU)
    assert {site.reason for site in result.sites} == {
        "onnxruntime refuses the model: no such kernel"
    }
    assert result.verified is not None and result.verified.failed == 3
    assert result.exit_code == 3


def test_too_few_samples_for_a_fixed_batch(tmp_path: Path) -> None:
    path = make_mlp(tmp_path, batch=7).path
    with pytest.raises(UsageError, match="takes 7 samples"):
        inspect(path, trial=Trial({"x": np.zeros((3, 10), np.float32)}, "cpu"))


def test_exact_cuts_are_exact_to_the_last_bit(cnn: Sample, mlp: Sample) -> None:
    for sample in (cnn, mlp):
        result = inspect(sample.path, trial=Trial(device="cpu", exact=True))
        assert {(site.status, site.relative_error) for site in result.sites} == {("ok", 0.0)}


def test_a_state_that_goes_with_each_sample_along_another_axis(tmp_path: Path) -> None:
    text = """(float[N,8] x, float[2,N,8] state) => (float[N,8] y) {
        s = ReduceSum<keepdims = 0>(state, first)  a = Add(x, s)  r = Relu(a)  y = Neg(r)
    }"""
    result = inspect(write(tmp_path, text, first=np.array([0])), trial=CPU)
    assert result.verified is not None and result.verified.sample_axis == 0
    assert only(result).batch_axis == 0


def test_a_large_model_is_not_tried_and_that_is_said(
    cnn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxmem.inspecting.parts.MOST_NODES", 2)
    monkeypatch.setattr("onnxmem.inspecting.parts.Session", None)
    assert any("not tried whether onnxruntime takes" in note for note in inspect(cnn.path).notes)


def test_what_is_not_told_of_cuts_is_said(cnn: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxmem.graph.crossing.MOST_LOOKED_AT", 0)
    found = inspect(cnn.path)
    assert any("not told what crosses the last" in note for note in found.notes)
    assert all(site.status == "ok" for site in found.sites)
