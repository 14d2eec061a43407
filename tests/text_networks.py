"""Networks written as text, for what the sample networks do not show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper, parser

RESIDUAL = """(float[N,8] x) => (float[N,4] y) {
    a = MatMul(x, w1)  r1 = Relu(a)  b = MatMul(r1, w2)  r2 = Relu(b)
    s = Add(r1, r2)  y = MatMul(s, w3)
}"""
"""A ReLU that another one must be told of: r1 crosses the cut at r2."""

IN_A_BODY = """(float[N,8] x, bool flag) => (float[N,8] y) {
    a = MatMul(x, w1)  r1 = Relu(a)  b = MatMul(r1, w1)
    y = If(flag) <
        then_branch = yes () => (float[N,8] p) { p = Relu(b) },
        else_branch = no () => (float[N,8] q) { q = Identity(b) }
    >
}"""

UNTYPED = """(float[N,8] x) => (float[N,8] y) {
    a = MatMul(x, w1)  g = com.microsoft.Gelu(a)  r = Relu(g)
    h = com.microsoft.Gelu(g)  y = Add(r, h)
}"""
"""An operator that ONNX has no types for makes the crossing tensor."""


def write(
    path: Path, text: str, *, domains: Mapping[str, int] = {}, **weights: tuple[int, ...]
) -> Path:
    """Write the network to `path`; weights of these shapes are drawn."""
    imports = ", ".join(f'"{name}": {version}' for name, version in {"": 17, **domains}.items())
    model = parser.parse_model(f"<ir_version: 8, opset_import: [{imports}]> network {text}")
    rng = np.random.default_rng(3)
    for name, shape in weights.items():
        array = (rng.normal(size=shape) / 3).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    onnx.save(model, path)
    return path


def write_residual(path: Path) -> Path:
    """Write the residual network."""
    return write(path, RESIDUAL, w1=(8, 8), w2=(8, 8), w3=(8, 4))


def write_untyped(path: Path) -> Path:
    """Write the network whose crossing tensor has no type in the file."""
    return write(path, UNTYPED, domains={"com.microsoft": 1}, w1=(8, 8))


def store_outside(model: Path, path: Path) -> Path:
    """Write `model` to `path` with its weights in a file beside it."""
    onnx.save_model(
        onnx.load(model),
        path,
        save_as_external_data=True,
        location=f"{path.stem}.data",
        size_threshold=0,
    )
    return path


def channels_last(source: Path, path: Path) -> Path:
    """Write a model of images to `path` that takes them as `pixels`, channels at the end."""
    model = onnx.load(source)
    (images,) = model.graph.input
    name, dims = images.name, images.type.tensor_type.shape.dim
    sizes = [dim.dim_param or dim.dim_value for dim in (dims[0], dims[2], dims[3], dims[1])]
    images.CopyFrom(onnx.helper.make_tensor_value_info("pixels", 1, sizes))
    turn = onnx.helper.make_node("Transpose", ["pixels"], [name], perm=[0, 3, 1, 2])
    model.graph.node.insert(0, turn)
    onnx.save(model, path)
    return path


def run(path: Path, feeds: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Run a model file as a stranger would, without optimizations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    wanted = {item.name: feeds[item.name] for item in session.get_inputs()}
    return dict(zip(names, session.run(names, wanted), strict=True))
