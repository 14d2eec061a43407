"""Networks of dense layers whose every number can be computed by hand, written in several ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sample_networks import CLASSES, blobs, draw

WIDTH, UNITS = 10, 12


@dataclass(frozen=True)
class Dense:
    """Two hidden layers and an output; `weights` are (outputs, inputs), `biases` beside them."""

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def changed(self, layer: int, other: Dense) -> Dense:
        """Return the network with one layer of another."""
        return replace(
            self,
            weights=(*self.weights[:layer], other.weights[layer], *self.weights[layer + 1 :]),
            biases=(*self.biases[:layer], other.biases[layer], *self.biases[layer + 1 :]),
        )

    def logits(self, x: np.ndarray, masks: Sequence[np.ndarray | float] = (1.0, 1.0)) -> np.ndarray:
        """Return the outputs (samples, classes), hidden units times their masks."""
        for weight, bias, mask in zip(self.weights[:-1], self.biases[:-1], masks, strict=True):
            x = np.maximum(x @ weight.T + bias, 0) * mask
        return np.asarray(x @ self.weights[-1].T + self.biases[-1])


def dense(seed: int) -> Dense:
    """Draw a network."""
    rng = np.random.default_rng(seed)
    sizes = ((UNITS, WIDTH), (UNITS, UNITS), (CLASSES, UNITS))
    return Dense(
        tuple(draw(rng, *size) for size in sizes),
        tuple(draw(rng, size[0]) for size in sizes),
    )


def samples() -> tuple[np.ndarray, np.ndarray]:
    """Return samples around one centre for each class, and their classes."""
    return blobs(WIDTH)


def write(
    path: Path,
    network: Dense,
    style: str = "gemm",
    *,
    softmax: bool = False,
    batch: int | str = "n",
) -> Path:
    """Write the network: with Gemm, or "matmul" with MatMul, Add and other names everywhere."""
    nodes, tensors, read = [], {}, "x" if style == "gemm" else "features"
    source = read
    for number, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        made, last = f"{style}_{number}", number + 1 == len(network.weights)
        if style == "gemm":
            tensors |= {f"w{number}": weight, f"b{number}": bias}
            nodes.append(
                helper.make_node("Gemm", [read, f"w{number}", f"b{number}"], [made], transB=1)
            )
        else:
            tensors |= {f"kernel{number}": weight.T.copy(), f"bias{number}": bias}
            nodes.append(helper.make_node("MatMul", [read, f"kernel{number}"], [f"p{number}"]))
            nodes.append(helper.make_node("Add", [f"bias{number}", f"p{number}"], [made]))
        read = made
        if not last:
            read = f"{style}_relu{number + 1}"
            nodes.append(helper.make_node("Relu", [made], [read]))
    if softmax:
        nodes.append(helper.make_node("Softmax", [read], ["probabilities"], axis=1))
        read = "probabilities"
    graph = helper.make_graph(
        nodes,
        style,
        [
            helper.make_tensor_value_info(
                source, TensorProto.FLOAT, [batch, network.weights[0].shape[1]]
            )
        ],
        [helper.make_tensor_value_info(read, TensorProto.FLOAT, [batch, len(network.biases[-1])])],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    opsets = [helper.make_opsetid("", 17 if style == "gemm" else 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path
