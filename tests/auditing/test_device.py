"""The CUDA path from one end to the other, on a device that is none."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sample_networks import Sample
from text_networks import write

import onnxmem
from onnxmem.auditing.plan import plan_audit
from onnxmem.auditing.settings import Settings
from onnxmem.doctor import diagnose
from onnxmem.errors import UsageError
from onnxmem.inspecting import inspection
from onnxmem.inspecting.records import Trial
from onnxmem.network import layer_run
from onnxmem.runtime import select_device


@pytest.mark.parametrize(
    ("name", "layer", "compress"),
    [("mlp", "relu*", ["nmf", "pca", "ablation"]), ("cnn", "inner", ["pca", "ablation"])],
)
def test_an_audit_on_a_device_equals_that_on_the_cpu(
    request: pytest.FixtureRequest, name: str, layer: str, compress: list[str]
) -> None:
    sample: Sample = request.getfixturevalue(name)
    given = (sample.path, sample.x, sample.y)
    settings = {"layers": [layer], "compress": compress, "ranks": [1, 4], "batch": ["mixed"]}
    on_cpu = onnxmem.audit(*given, **settings, device="cpu")
    request.getfixturevalue("fake_gpu")
    on_cuda = onnxmem.audit(*given, **settings, device="cuda")
    assert on_cuda.environment["provider"] == "CUDAExecutionProvider"
    assert on_cuda.environment["kernel"] == "cuda"
    for one, other in zip(on_cpu.layers, on_cuda.layers, strict=True):
        assert (other.status, other.reason) == (one.status, one.reason)
        for expected, found in zip(one.curves, other.curves, strict=True):
            assert found.auc == pytest.approx(expected.auc, abs=0.005)
            assert found.error == pytest.approx(expected.error, abs=0.005)


@pytest.mark.usefixtures("fake_gpu")
def test_an_audit_on_a_device_is_planned(mlp: Sample) -> None:
    settings = Settings(device="cuda", ranks=(1, 4), layers=("relu2",))
    plan = plan_audit(mlp.path, {"x": mlp.x, "y": mlp.y}, settings)
    assert plan.device == "cuda:0"
    assert not plan.layers[0].reason


def test_more_batches_share_a_run_on_a_device(
    mlp: Sample, fake_gpu: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    largest = layer_run.largest_stack

    def listening(on_gpu: bool) -> int:
        asked.append(on_gpu)
        return largest(on_gpu)

    monkeypatch.setattr(layer_run, "largest_stack", listening)
    onnxmem.audit(mlp.path, mlp.x, mlp.y, compress=["pca"], layers=["relu1"], device="cuda")
    assert asked == [True]


def test_cuts_run_on_a_device(cnn: Sample, fake_gpu: ModuleType) -> None:
    found = inspection.inspect(cnn.path, trial=Trial({"x": cnn.x}, "cuda", False))
    assert found.verified.device == "cuda:0"
    assert {site.status for site in found.sites} == {"ok"}


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_booleans_enter_and_cross_a_cut(tmp_path: Path, fake_gpu: ModuleType, device: str) -> None:
    text = """(float[N,8] x, bool[N,8] keep) => (float[N,8] y) {
        zero = Constant <value_float = 0.0> ()  high = Greater(x, zero)  kept = And(high, keep)
        a = MatMul(x, w)  r = Relu(a)  y = Where(kept, r, a)
    }"""
    path = write(tmp_path / "booleans.onnx", text, w=(8, 8))
    rng = np.random.default_rng(0)
    x, keep = rng.normal(size=(12, 8)).astype(np.float32), rng.random((12, 8)) < 0.5
    found = inspection.inspect(path, trial=Trial({"x": x, "keep": keep}, device, False))
    assert [(site.tensor, site.status) for site in found.sites] == [("r", "ok")]
    assert "kept" in found.sites[0].crossing


@pytest.mark.usefixtures("fake_gpu")
def test_inputs_of_text_are_refused_on_a_device(tmp_path: Path) -> None:
    text = "(float[N,8] x, string[N] names) => (float[N,8] r) { r = Relu(x) }"
    trial = Trial(device="cuda")
    with pytest.raises(UsageError, match="run on the CPU only"):
        inspection.inspect(write(tmp_path / "text.onnx", text), trial=trial)


def test_a_device_is_found_and_named(
    fake_gpu: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert select_device("auto").reason == "CUDA works here"
    diagnosis = diagnose()
    assert diagnosis.device == "cuda:0"
    (check,) = (check for check in diagnosis.checks if check.name == "CUDAExecutionProvider")
    assert check.detail.startswith("a device that is none")
    assert capsys.readouterr() == ("", "")
