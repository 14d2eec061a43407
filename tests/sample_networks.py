"""Small classifiers that are made in code: random features below, least squares on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CLASSES = 4
PER_CLASS = 24
UNITS = 12


@dataclass(frozen=True)
class Sample:
    """A network in a file, and the samples that it knows, in arrays and in a file."""

    path: Path
    data: Path
    x: np.ndarray
    y: np.ndarray


def blobs(*shape: int, spread: float = 0.4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw samples around one centre for each class; those of all classes are interleaved."""
    rng = np.random.default_rng(seed)
    y = np.tile(np.arange(CLASSES), PER_CLASS)
    centres = rng.normal(size=(CLASSES, *shape))
    x = centres[y] + spread * rng.normal(size=(len(y), *shape))
    return x.astype(np.float32), y


def build(
    nodes: Sequence[onnx.NodeProto],
    weights: Mapping[str, np.ndarray],
    shape: Sequence[int | str],
    output: str,
    inputs: Sequence[str] = ("x",),
    domain: str = "",
) -> onnx.ModelProto:
    """Put nodes together to a model with float32 inputs of one shape."""
    opsets = [helper.make_opsetid(name, 17 if not name else 1) for name in {"", domain}]
    graph = helper.make_graph(
        list(nodes),
        "sample",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def run(model: onnx.ModelProto, **feeds: np.ndarray) -> np.ndarray:
    """Return the first output of `model`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    result: np.ndarray = session.run(None, feeds)[0]
    return result


def draw(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw weights, the first axis being that of the outputs."""
    scale = np.sqrt(2 / np.prod(shape[1:]))
    return (scale * rng.normal(size=shape)).astype(np.float32)


def with_readout(
    nodes: list[onnx.NodeProto],
    weights: dict[str, np.ndarray],
    shape: Sequence[int | str],
    feeds: Mapping[str, np.ndarray],
    y: np.ndarray,
) -> onnx.ModelProto:
    """Add `logits`, fitted to the labels by least squares on the tensor `features`."""
    below = build(nodes, weights, shape, "features", list(feeds))
    features = run(below, **feeds)
    columns = np.column_stack([features, np.ones(len(features))])
    solution = np.linalg.lstsq(columns, np.eye(CLASSES)[y], rcond=None)[0].astype(np.float32)
    top = helper.make_node("Gemm", ["features", "w_out", "b_out"], ["logits"])
    weights = weights | {"w_out": solution[:-1], "b_out": solution[-1]}
    return build([*nodes, top], weights, shape, "logits", list(feeds))


def mlp_parts(width: int) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray]]:
    """Return two hidden layers, `relu1` and `relu2`, on the input `x`."""
    rng = np.random.default_rng(1)
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["sum1"], transB=1),
        helper.make_node("Relu", ["sum1"], ["relu1"]),
        helper.make_node("Gemm", ["relu1", "w2", "b2"], ["sum2"], transB=1),
        helper.make_node("Relu", ["sum2"], ["relu2"]),
        helper.make_node("Identity", ["relu2"], ["features"]),
    ]
    weights = {"w1": draw(rng, UNITS, width), "w2": draw(rng, UNITS, UNITS)}
    return nodes, weights | {"b1": draw(rng, UNITS), "b2": draw(rng, UNITS)}


def cnn_parts() -> tuple[list[onnx.NodeProto], dict[str, np.ndarray]]:
    """Return a convolution `stem`, and a residual block with `inner` and `joined`."""
    rng = np.random.default_rng(2)
    nodes = [
        helper.make_node("Conv", ["x", "k1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["stem"]),
        helper.make_node("Conv", ["stem", "k2"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["inner"]),
        helper.make_node("Conv", ["inner", "k3"], ["c3"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c3", "stem"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["joined"]),
        helper.make_node(
            "AveragePool", ["joined"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]
        ),
        helper.make_node("Flatten", ["pooled"], ["features"]),
    ]
    return nodes, {"k1": draw(rng, 6, 1, 3, 3), "k2": draw(rng, 6, 6, 3, 3)} | {
        "k3": draw(rng, 6, 6, 3, 3)
    }


def store(folder: Path, name: str, model: onnx.ModelProto, x: np.ndarray, y: np.ndarray) -> Sample:
    """Write model and samples."""
    sample = Sample(folder / f"{name}.onnx", folder / f"{name}.npz", x, y)
    onnx.save(model, sample.path)
    np.savez(sample.data, x=x, y=y)
    return sample


def make_mlp(folder: Path, batch: int | str = "n") -> Sample:
    """Write a network of two hidden layers that takes batches of `batch`."""
    x, y = blobs(10)
    nodes, weights = mlp_parts(10)
    free = with_readout(nodes, weights, ["n", 10], {"x": x}, y)
    free.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 10]))
    return store(folder, f"mlp-{batch}", free, x, y)


def make_cnn(folder: Path) -> Sample:
    """Write a residual network on images of 6 x 6."""
    x, y = blobs(1, 6, 6)
    nodes, weights = cnn_parts()
    return store(folder, "cnn", with_readout(nodes, weights, ["n", 1, 6, 6], {"x": x}, y), x, y)
