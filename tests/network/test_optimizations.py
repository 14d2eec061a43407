"""Networks that onnxruntime's optimizations change are noticed, and weights of few bits are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import sample_networks
from onnx import TensorProto, helper, numpy_helper
from sample_networks import Sample

import onnxmem
from onnxmem.inspecting import Trial, inspect
from onnxmem.network import optimizations

QUICK: dict[str, Any] = {
    "compress": ["pca"], "batch": ["mixed"], "ranks": [1, 2, 4], "per_class": 10, "cache": False,
    "device": "cpu",
}  # fmt: skip


@pytest.fixture
def dropped(mlp: Sample, tmp_path: Path) -> Sample:
    """Give a network whose first ReLU is followed by a quantiser that has negatives."""
    model = onnx.load(mlp.path)
    model.ir_version = 10
    model.opset_import[0].version = 21
    place = next(i for i, node in enumerate(model.graph.node) if node.output[0] == "relu1")
    model.graph.node[place + 1].input[0] = "again"
    model.graph.node.insert(
        place + 1, helper.make_node("QuantizeLinear", ["relu1", "scale", "zero"], ["quantized"])
    )
    model.graph.node.insert(
        place + 2, helper.make_node("DequantizeLinear", ["quantized", "scale", "zero"], ["again"])
    )
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.02), "scale"))
    model.graph.initializer.append(helper.make_tensor("zero", TensorProto.FLOAT8E4M3FN, [], [0]))
    return sample_networks.store(tmp_path, "dropped", model, mlp.x, mlp.y)


def test_a_relu_that_is_optimized_away_is_no_baseline(dropped: Sample) -> None:
    report = onnxmem.audit(dropped.path, dropped.x, dropped.y, **QUICK)
    assert report.verdict == "inconclusive"
    assert "optimizations change the class of" in report.reason
    assert "--exact leaves them out" in report.reason
    exact = onnxmem.audit(dropped.path, dropped.x, dropped.y, exact=True, **QUICK)
    assert (exact.baseline.value or 0) > 0.9
    assert exact.layers[0].status == "scored"


def test_a_few_samples_that_change_are_a_note(
    dropped: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimizations, "MOST_CHANGED", 1.0)
    report = onnxmem.audit(dropped.path, dropped.x, dropped.y, **QUICK)
    assert any("optimizations change the class" in note for note in report.model.notes)


def test_networks_that_stay_what_they_are_get_no_note(mlp: Sample) -> None:
    report = onnxmem.audit(mlp.path, mlp.x, mlp.y, **QUICK)
    assert not report.model.notes


def test_inspection_notices_it_too(dropped: Sample) -> None:
    found = inspect(dropped.path, trial=Trial(device="cpu"))
    assert any("optimizations change an output" in note for note in found.notes)
    exact = inspect(dropped.path, trial=Trial(device="cpu", exact=True))
    assert not any("optimizations" in note for note in exact.notes)
    assert {site.status for site in exact.sites} == {"ok"}


@pytest.mark.parametrize("bits", [4, 8])
def test_inspection_and_audit_agree_on_weights_of_few_bits(
    mlp: Sample, tmp_path: Path, bits: int
) -> None:
    model = onnx.load(mlp.path)
    model.ir_version = 10
    model.opset_import[0].version = 21
    graph, nodes = model.graph, []
    for node in list(graph.node):
        if node.op_type != "Gemm":
            nodes.append(node)
            continue
        source, weight, bias = node.input
        array = next(numpy_helper.to_array(one) for one in graph.initializer if one.name == weight)
        array = array.T if any(one.name == "transB" and one.i for one in node.attribute) else array
        scale = np.abs(array).max(axis=0) / (2 ** (bits - 1) - 1)
        held = helper.make_tensor(
            f"{weight}_q", TensorProto.INT8 if bits == 8 else TensorProto.INT4, array.shape,
            np.rint(array / scale).astype(np.int8).ravel().tolist(),
        )  # fmt: skip
        graph.initializer.extend([held, numpy_helper.from_array(scale, f"{weight}_s")])
        nodes += [
            helper.make_node(
                "DequantizeLinear", [f"{weight}_q", f"{weight}_s"], [f"{weight}_d"], axis=1
            ),
            helper.make_node("MatMul", [source, f"{weight}_d"], [f"{node.output[0]}_m"]),
            helper.make_node("Add", [f"{node.output[0]}_m", bias], [node.output[0]]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
    sample = sample_networks.store(tmp_path, "few-bits", model, mlp.x, mlp.y)
    found = inspect(sample.path, trial=Trial(device="cpu"))
    report = onnxmem.audit(sample.path, sample.x, sample.y, **QUICK)
    assert {site.status for site in found.sites} == {"ok"}
    assert {layer.status for layer in report.layers} <= {"scored", "saturated"}
    assert not found.notes
