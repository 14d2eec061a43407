"""Networks of well-known shapes with random weights, and images whose classes they tell apart.

Batch normalisation is folded into the convolutions, as exporters leave it. The last layer is
fitted to the images by least squares on the features below it, so that the classifier spreads its
predictions over all classes; everything else is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OUTPUTS = 1000


@dataclass
class Builder:
    """Adds layers to a graph, each to what it is given by name; returns the name of its result."""

    rng: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    shapes: list[onnx.ValueInfoProto] = field(default_factory=list)

    def add(self, op: str, inputs: list[str], name: str, **attributes: object) -> str:
        """Add one node."""
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def draw(self, name: str, *shape: int, gain: float = 1.0) -> str:
        """Draw weights (outputs, inputs, ...) as He et al. (2015) do, times `gain`."""
        scale = np.float32(gain * np.sqrt(2 / np.prod(shape[1:])))
        self.weights[name] = self.rng.standard_normal(shape, np.float32) * scale
        return name

    def conv(
        self,
        x: str,
        name: str,
        size: tuple[int, int],
        kernel: int,
        stride: int = 1,
        gain: float = 1,
    ) -> str:
        """Add a convolution to `size[1]` channels from `size[0]`."""
        inputs, outputs = size
        weights = self.draw(f"{name}.w", outputs, inputs, kernel, kernel, gain=gain)
        self.weights[f"{name}.b"] = np.zeros(outputs, np.float32)
        pads, strides = [kernel // 2] * 4, [stride, stride]
        return self.add("Conv", [x, weights, f"{name}.b"], name, pads=pads, strides=strides)

    def relu(self, x: str) -> str:
        """Add a ReLU."""
        return self.add("Relu", [x], f"{x}.relu")

    def dense(self, x: str, name: str, inputs: int, outputs: int) -> str:
        """Add a fully connected layer."""
        weights = self.draw(f"{name}.w", outputs, inputs)
        self.weights[f"{name}.b"] = np.zeros(outputs, np.float32)
        return self.add("Gemm", [x, weights, f"{name}.b"], name, transB=1)

    def model(self, output: str, side: int) -> onnx.ModelProto:
        """Return the model from `x` (batch, 3, side, side) to `output`."""
        shape = ["batch", 3, side, side]
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(array, name) for name, array in self.weights.items()],
        )
        opsets = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def vgg19(b: Builder, width: int = 64, side: int = 224) -> tuple[str, int]:
    """Add the layers of VGG-19 (Simonyan & Zisserman 2015) but the last; return it and its size."""
    return _vgg(b, (2, 2, 4, 4, 4), width, side)


def vgg16(b: Builder, width: int = 64, side: int = 224) -> tuple[str, int]:
    """Add those of VGG-16."""
    return _vgg(b, (2, 2, 3, 3, 3), width, side)


def _vgg(b: Builder, counts: tuple[int, ...], width: int, side: int) -> tuple[str, int]:
    x, channels = "x", 3
    for stage, count in enumerate(counts, 1):
        outputs = width * min(2 ** (stage - 1), 8)
        for number in range(1, count + 1):
            x = b.relu(b.conv(x, f"conv{stage}_{number}", (channels, outputs), 3))
            channels = outputs
        x = b.add("MaxPool", [x], f"pool{stage}", kernel_shape=[2, 2], strides=[2, 2])
    x = b.add("Flatten", [x], "flat")
    size, hidden = channels * (side // 32) ** 2, 64 * width
    x = b.relu(b.dense(x, "fc6", size, hidden))
    return b.relu(b.dense(x, "fc7", hidden, hidden)), hidden


def resnet50(b: Builder, width: int = 64, side: int = 224) -> tuple[str, int]:
    """Add the layers of ResNet-50 (He et al. 2016) but the last; return it and its size."""
    x = b.relu(b.conv("x", "stem", (3, width), 7, 2))
    x = b.add("MaxPool", [x], "pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = width
    for stage, count in enumerate((3, 4, 6, 3), 1):
        inner = width * 2 ** (stage - 1)
        for number in range(1, count + 1):
            stride = 2 if number == 1 and stage > 1 else 1
            x = _bottleneck(b, x, f"block{stage}_{number}", (channels, inner), stride)
            channels = 4 * inner
    x = b.add("GlobalAveragePool", [x], "mean")
    return b.add("Flatten", [x], "flat"), channels


def _bottleneck(b: Builder, x: str, name: str, size: tuple[int, int], stride: int) -> str:
    """Add a residual block; its branch is damped, as batch normalisation would do."""
    channels, inner = size
    y = b.relu(b.conv(x, f"{name}.1", (channels, inner), 1))
    y = b.relu(b.conv(y, f"{name}.2", (inner, inner), 3, stride))
    y = b.conv(y, f"{name}.3", (inner, 4 * inner), 1, gain=0.3)
    if channels != 4 * inner:
        x = b.conv(x, f"{name}.skip", (channels, 4 * inner), 1, stride)
    return b.relu(b.add("Add", [y, x], f"{name}.sum"))


def resnet18(b: Builder, width: int = 64, side: int = 64) -> tuple[str, int]:
    """Add the layers of ResNet-18 (He et al. 2016) but the last; return it and its size."""
    x = b.relu(b.conv("x", "stem", (3, width), 7, 2))
    x = b.add("MaxPool", [x], "pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = width
    for stage in range(1, 5):
        outputs = width * 2 ** (stage - 1)
        for number in (1, 2):
            stride = 2 if number == 1 and stage > 1 else 1
            x = _basic(b, x, f"block{stage}_{number}", (channels, outputs), stride)
            channels = outputs
    x = b.add("GlobalAveragePool", [x], "mean")
    return b.add("Flatten", [x], "flat"), channels


def _basic(b: Builder, x: str, name: str, size: tuple[int, int], stride: int) -> str:
    """Add a residual block of two convolutions; its branch is damped."""
    channels, outputs = size
    y = b.relu(b.conv(x, f"{name}.1", size, 3, stride))
    y = b.conv(y, f"{name}.2", (outputs, outputs), 3, gain=0.3)
    if channels != outputs:
        x = b.conv(x, f"{name}.skip", size, 1, stride)
    return b.relu(b.add("Add", [y, x], f"{name}.sum"))


def small_cnn(b: Builder, width: int = 8, side: int = 28) -> tuple[str, int]:
    """Add convolutions of `width` to 8 `width` channels but the last layer; return it and its size.

    Activations are of 14 x 14 to 3 x 3 positions where `side` is 28.
    """
    x, channels = "x", 3
    for number in range(1, 5):
        outputs = width * 2 ** (number - 1)
        x = b.relu(b.conv(x, f"conv{number}", (channels, outputs), 3, 2 if number < 4 else 1))
        x = b.relu(b.conv(x, f"conv{number}b", (outputs, outputs), 3))
        channels = outputs
    x = b.add("Flatten", [x], "flat")
    return x, channels * (-(-side // 8)) ** 2


def images(classes: int, per_class: int, side: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 3, side, side), noise around one smooth picture per class, and labels."""
    rng = np.random.default_rng(seed)
    coarse = rng.standard_normal((classes, 3, 7, 7), np.float32)
    times = -(-side // 7)
    pictures = coarse.repeat(times, axis=2).repeat(times, axis=3)[:, :, :side, :side]
    y = np.repeat(np.arange(classes), per_class)
    noise = rng.standard_normal((len(y), 3, side, side), np.float32)
    return pictures[y] + np.float32(0.5) * noise, y


Layers = Callable[[Builder, int, int], tuple[str, int]]


def make(layers: Layers, path: Path, x: np.ndarray, y: np.ndarray, width: int = 64) -> None:
    """Write a classifier to `path` whose last layer is fitted to the images `x` and labels `y`."""
    side = x.shape[-1]
    b = Builder(np.random.default_rng(1))
    below, size = layers(b, width, side)
    features = _features(b.model(below, side), below, x)
    centred = features - features.mean(axis=0)
    targets = np.eye(OUTPUTS, dtype=np.float32)[y]
    ridge = 1e-3 * np.trace(centred @ centred.T) / len(x)
    dual = np.linalg.solve(centred @ centred.T + ridge * np.eye(len(x)), targets)
    weights = (centred.T @ dual).astype(np.float32)
    b.weights |= {"head.w": weights, "head.b": -(features.mean(axis=0) @ weights)}
    assert weights.shape == (size, OUTPUTS)
    b.add("Gemm", [below, "head.w", "head.b"], "logits")
    onnx.save(b.model("logits", side), path)


def _features(model: onnx.ModelProto, name: str, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    parts = [session.run([name], {"x": x[i : i + 4]})[0] for i in range(0, len(x), 4)]
    return np.concatenate(parts)
