"""A feed-forward network as plain arrays, read from an ONNX file: what every builder starts from.

Convolutions are 3 x 3 with zero padding, pooling takes the maximum of 2 x 2. Weights are those of
PyTorch: (out, in, 3, 3) and (out, in).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import numpy_helper

Kind = Literal["conv", "relu", "pool", "flatten", "dense"]
KINDS: dict[str, Kind] = {
    "Conv": "conv",
    "Relu": "relu",
    "MaxPool": "pool",
    "Flatten": "flatten",
    "Gemm": "dense",
}


@dataclass(frozen=True)
class Step:
    """One step of a network; `weight` and `bias` are empty where it has none."""

    kind: Kind
    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Network:
    """The steps of a network, the shape of one sample, and that of its last map of channels."""

    shape: tuple[int, ...]
    steps: tuple[Step, ...]

    @property
    def is_dense(self) -> bool:
        """Whether it has no convolution."""
        return all(step.kind in ("dense", "relu") for step in self.steps)

    def dense_for_last_channels(self, weight: np.ndarray) -> np.ndarray:
        """Return the first dense weight (out, in) for features flattened with channels last."""
        channels = next(len(s.bias) for s in reversed(self.steps) if s.kind == "conv")
        side = round((weight.shape[1] / channels) ** 0.5)
        maps = weight.reshape(-1, channels, side, side)
        return maps.transpose(0, 2, 3, 1).reshape(weight.shape)


def read(path: str | Path) -> Network:
    """Read a network whose nodes form one chain."""
    graph = onnx.load(path).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    none = np.zeros(0, np.float32)
    steps = []
    for node in graph.node:
        weight, bias = ([arrays[name] for name in node.input[1:]] + [none, none])[:2]
        steps.append(Step(KINDS[node.op_type], weight, bias))
    dims = graph.input[0].type.tensor_type.shape.dim[1:]
    return Network(tuple(dim.dim_value for dim in dims), tuple(steps))


def save(model: onnx.ModelProto, path: Path, makers: str) -> None:
    """Write an export with its makers' names in place of notes about their machine."""
    model.doc_string = makers
    del model.metadata_props[:]
    graphs = [model.graph, *model.functions]
    for graph in graphs:
        graph.doc_string = ""
        del graph.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        value.doc_string = ""
        del value.metadata_props[:]
    onnx.checker.check_model(model)
    onnx.save(model, path)
