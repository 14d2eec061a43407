"""Gradients by segment, held against those of a dense network by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import layered_networks as layered
import numpy as np
import onnx
import pytest
from onnx import helper

from onnxmem.locating.accounting import account
from onnxmem.locating.crowd import Crowd
from onnxmem.network.opening import open_network
from onnxmem.network.settings import RunSettings
from onnxmem.records import GradientAccount


def by_hand(
    network: layered.Dense, x: np.ndarray, y: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the gradient of each weight for each sample, and the losses."""
    read, signs = [x], []
    for weight, bias in zip(network.weights[:-1], network.biases[:-1], strict=True):
        made = read[-1] @ weight.T + bias
        signs.append(made > 0)
        read.append(np.maximum(made, 0))
    logits = network.logits(x)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    share = odds / odds.sum(axis=1, keepdims=True)
    back, found = share - np.eye(logits.shape[1])[y], []
    for at in reversed(range(len(network.weights))):
        found.append(back[:, :, None] * read[at][:, None, :])
        if at:
            back = (back @ network.weights[at]) * signs[at - 1]
    return found[::-1], -np.log(share[np.arange(len(y)), y])


def accounted(path: Path, x: np.ndarray, crowd: Crowd, **changed: object) -> GradientAccount:
    arrays = {"x": x, "features": x, "y": np.zeros(len(x), np.int64)}
    with open_network(path, arrays, RunSettings(device="cpu")) as opened:
        network = replace(opened.network, **changed)  # type: ignore[arg-type]
        opened = replace(opened, network=network)
        return account(opened, crowd, lambda done, total: None)


@pytest.mark.parametrize(
    ("style", "softmax", "changed"),
    [
        ("gemm", False, {}),
        ("matmul", False, {}),
        ("gemm", True, {}),
        ("gemm", False, {"memory": 60_000}),
        ("gemm", False, {"batch": 7}),
    ],
)
def test_norms_and_cosines_are_those_of_mean_gradients(
    style: str, softmax: bool, changed: dict[str, object], tmp_path: Path
) -> None:
    x, y = layered.samples()
    network = layered.dense(1)
    suspect = np.arange(len(y)) % 3 == 0
    given = np.where(suspect, (y + 1) % 4, y)
    path = layered.write(tmp_path / "a.onnx", network, style, softmax=softmax)
    crowd = Crowd(np.arange(len(y)), suspect, given)
    found = accounted(path, x, crowd, **changed)
    gradients, losses = by_hand(network, x, given)
    assert found.clean_loss == pytest.approx(losses[~suspect].mean(), rel=1e-4)
    assert found.suspect_loss == pytest.approx(losses[suspect].mean(), rel=1e-4)
    for layer, each in zip(found.layers, gradients, strict=True):
        clean, noisy = each[~suspect].mean(axis=0), each[suspect].mean(axis=0)
        assert layer.clean_norm == pytest.approx(np.linalg.norm(clean), rel=1e-4)
        assert layer.suspect_norm == pytest.approx(np.linalg.norm(noisy), rel=1e-4)
        assert layer.ratio == pytest.approx(layer.suspect_norm / layer.clean_norm)
        cosine = (clean * noisy).sum() / np.linalg.norm(clean) / np.linalg.norm(noisy)
        assert layer.cosine == pytest.approx(cosine, rel=1e-3)
        assert len(layer.weights) == 1
    assert [one.from_ for one in found.layers] == ["input", f"{style}_relu1", f"{style}_relu2"]


def test_what_has_no_gradient_is_named_and_the_rest_is_told(tmp_path: Path) -> None:
    x, y = layered.samples()
    path = layered.write(tmp_path / "a.onnx", layered.dense(1))
    model = onnx.load(path)
    for node in model.graph.node:
        node.input[:] = ["rounded" if name == "gemm_relu1" else name for name in node.input]
    model.graph.node.insert(2, helper.make_node("Round", ["gemm_relu1"], ["rounded"]))
    onnx.save(model, path)
    found = accounted(path, x, Crowd(np.arange(len(y)), y == 0, y))
    assert [bool(one.reason) for one in found.layers] == [True, False, False]
    assert "1 weights are left out: " in found.notes[0]
    assert "Round" in found.notes[0]


def test_an_output_of_labels_is_a_reason(tmp_path: Path) -> None:
    x, y = layered.samples()
    path = layered.write(tmp_path / "a.onnx", layered.dense(1))
    model = onnx.load(path)
    model.graph.node.append(helper.make_node("ArgMax", ["gemm_2"], ["label"], axis=1, keepdims=0))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("label", onnx.TensorProto.INT64, ["n"]))
    onnx.save(model, path)
    found = accounted(path, x, Crowd(np.arange(len(y)), y == 0, y))
    assert found.layers == ()
    assert "'label' holds labels" in found.reason
