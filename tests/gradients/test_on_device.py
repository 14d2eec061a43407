"""Gradients on a device are those of the CPU, and never leave it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from operator_gradients import HERE, apart, loaded, model_of, positive

from onnxmem.arrays import to_host
from onnxmem.gradients import Gradients, cross_entropy, find_weights
from onnxmem.gradients.rules.activations import SLOPES
from onnxmem.runtime import CUDA, Device


@pytest.fixture(params=["fake", pytest.param("cupy", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> Device:
    """Give a device that is none, and a real one where there is one."""
    if request.param == "fake":
        request.getfixturevalue("fake_gpu")
    else:
        cupy: Any = pytest.importorskip("cupy")
        try:
            cupy.cuda.runtime.getDeviceCount()
        except cupy.cuda.runtime.CUDARuntimeError as error:
            pytest.skip(f"no CUDA device: {error}")
    return Device(CUDA, 0, "for tests")


def node(op: str, inputs: str, output: str, domain: str = "", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), output.split(), domain=domain, **attributes)


IMAGES = [
    node("Conv", "x k b3", "c", pads=[1, 1, 1, 1]), node("Relu", "c", "r"),
    node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
    node("MaxPool", "r", "q", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0]),
    node("AveragePool", "r", "a", kernel_shape=[2, 2], strides=[2, 2]),
    node("Concat", "p q a", "j", axis=1),
    node("BatchNormalization", "j s9 b9 b9 s9", "n"), node("LRN", "n", "l", size=3),
    node("InstanceNormalization", "l s9 b9", "i"),
    node("ConvTranspose", "i t", "u", strides=[2, 2]), node("Clip", "u low high", "v"),
    node("Resize", "v none scales", "w", mode="linear"), node("Pad", "w pads", "z", mode="edge"),
    node("GlobalAveragePool", "z", "ga"), node("GlobalMaxPool", "z", "gm"),
    node("LpPool", "z", "lp", kernel_shape=[2, 2], strides=[2, 2]),
    node("GlobalLpPool", "lp", "gl"), node("Sum", "ga gm gl", "g"),
    node("Flatten", "g", "f"), node("Gemm", "f head", "y", transB=1),
]  # fmt: skip
TOKENS = [
    node("LayerNormalization", "x s b", "n"), node("MatMul", "n w", "q"),
    node("Transpose", "n", "t", perm=[0, 2, 1]), node("MatMul", "q t", "a"),
    node("Softmax", "a", "p"), node("Trilu", "p", "l", upper=0), node("MatMul", "l n", "o"),
    node("Where", "mask o x", "h"), node("Split", "h", "h1 h2", axis=2, num_outputs=2),
    node("Max", "h1 h2", "m"), node("PRelu", "m half", "pr"), node("Slice", "x one four two", "sl"),
    node("Einsum", "pr sl", "e", equation="nij,nik->njk"), node("TopK", "e k", "tv ti", axis=2),
    node("Gather", "tv picked", "g", axis=1), node("Tile", "g repeats", "ti2"),
    node("ReduceMax", "ti2 axes", "rm"), node("ReduceL2", "ti2 axes", "rl"),
    node("ReduceProd", "g axes", "rp"), node("ReduceLogSumExp", "ti2 axes", "re"),
    node("Add", "rm rl", "r1"), node("Add", "re rp", "r2"), node("Mul", "r1 r2", "r3"),
    node("Squeeze", "r3 axes", "sq"), node("CumSum", "sq place", "cs"),
    node("Pow", "cs power", "pw"), node("LogSoftmax", "cs", "y"),
]  # fmt: skip


def images() -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    weights = {
        "k": apart(3, 2, 3, 3, gap=0.03), "b3": apart(3), "s9": positive(9), "b9": apart(9),
        "t": apart(9, 2, 2, 2, gap=0.02), "low": np.float32(-2), "high": np.float32(2),
        "none": np.zeros(0, np.float32), "scales": np.array([1, 1, 2, 1.5], np.float32),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 0]), "head": apart(3, 2),
    }  # fmt: skip
    feeds = {"x": apart(4, 2, 6, 6, gap=0.02)}
    return model_of(IMAGES, feeds, ["y"], weights), feeds


def tokens() -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    weights = {
        "s": positive(6), "b": apart(6), "w": apart(6, 6, gap=0.03), "half": np.float32(0.5),
        "mask": np.array([[True], [False], [True], [True]]), "one": np.array([0]),
        "four": np.array([4]), "two": np.array([1]), "k": np.array([4]),
        "picked": np.array([2, 0, 0]), "repeats": np.array([1, 2, 1]), "axes": np.array([1]),
        "place": np.array(1), "power": np.float32(2),
    }  # fmt: skip
    feeds = {"x": apart(5, 4, 6, gap=0.05)}
    return model_of(TOKENS, feeds, ["y"], weights, opset=18), feeds


def attention() -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    nodes = [
        node("MatMul", "x w", "q"), node("MatMul", "x v", "k"),
        node("Attention", "q k k mask", "a", q_num_heads=2, kv_num_heads=1, is_causal=1),
        node("Unsqueeze", "a one", "u"), node("RotaryEmbedding", "u angles angles places", "r"),
        node("ReduceSum", "r axes", "y", keepdims=0),
    ]  # fmt: skip
    weights = {
        "w": apart(6, 8, gap=0.03), "v": apart(6, 4, gap=0.03), "mask": apart(5, 5),
        "one": np.array([1]), "angles": apart(5, 4), "axes": np.array([1, 2]),
        "places": np.tile(np.arange(5), (3, 1)),
    }  # fmt: skip
    feeds = {"x": apart(3, 5, 6, gap=0.05)}
    return model_of(nodes, feeds, ["y"], weights, opset=23), feeds


def smooth() -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """All functions of one tensor, added up; sines keep each within its domain."""
    nodes = [node("Sin", "x", "s"), node("Mul", "s ninth", "i"), node("Add", "i two", "o")]
    far = {"Acosh", "Log", "Reciprocal", "Sqrt"}
    new = {"Gelu", "Swish"}
    ops = [op for op in SLOPES if op not in new]
    nodes += [node(op, "o" if op in far else "i", f"y_{op}") for op in ops]
    nodes.append(node("Gelu", "i", "y_g", domain="com.microsoft"))
    nodes.append(node("FastGelu", "i", "y_f", domain="com.microsoft"))
    nodes.append(node("QuickGelu", "i", "y_q", domain="com.microsoft"))
    nodes.append(node("Mean", " ".join(one.output[0] for one in nodes[3:]), "y"))
    weights = {"ninth": np.float32(0.9), "two": np.float32(2)}
    feeds = {"x": apart(3, 4, seed=1)}
    return model_of(nodes, feeds, ["y"], weights, opset=18, domains=["com.microsoft"]), feeds


def results(
    proto: onnx.ModelProto, feeds: dict[str, np.ndarray], device: Device
) -> dict[str, np.ndarray]:
    """Return all that gradients can tell, on the host."""
    model = loaded(proto)
    names = [weight.name for weight in find_weights(model)]
    with device.scope():
        xp = device.namespace
        made = Gradients(model, device, ["y"], wrt=["x"], weights=names)
        forward = made.run({name: xp.asarray(array) for name, array in feeds.items()})
        output = forward.outputs[0]
        loss = cross_entropy(output, xp.asarray(np.arange(len(output)) % output.shape[1]))
        backward = forward.backward(loss.gradient)
        found = {"x": backward.gradient("x"), "loss": loss.values}
        coefficients = np.array([np.ones(len(output)), np.arange(len(output)) % 2])
        for name in names:
            gradients = backward.weight(name)
            found |= {f"{name} norms": gradients.squared_norms(), name: gradients.each()}
            found[f"{name} sums"] = gradients.sums(coefficients)
        assert all(isinstance(one, xp.ndarray) for one in found.values())
        return {name: to_host(array) for name, array in found.items()}


@pytest.mark.parametrize("build", [attention, images, tokens, smooth])
def test_a_device_gives_what_the_cpu_gives(build: Any, device: Device) -> None:
    proto, feeds = build()
    ours, theirs = results(proto, feeds, device), results(proto, feeds, HERE)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        scale = np.abs(theirs[name]).max()
        assert scale > 0
        np.testing.assert_allclose(array, theirs[name], atol=1e-4 * scale, err_msg=name)
