"""Transformers of well-known shapes with random weights, and samples whose classes they tell apart.

As in `network_shapes`, the last layer is fitted to the samples by least squares; everything else
is drawn at random. GELUs are written with Erf, as PyTorch exports them, and padded positions are
masked by adding a large negative number to the attention's scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import network_shapes
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Shape:
    """Depth, width, heads and classes of an encoder; `hidden` is the width behind the GELU."""

    depth: int
    width: int
    heads: int
    classes: int

    @property
    def hidden(self) -> int:
        return 4 * self.width


class Encoder(network_shapes.Builder):
    """Adds the layers of a transformer's encoder."""

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add an initializer."""
        self.weights[name] = value
        return name

    def project(self, x: str, name: str, inputs: int, outputs: int) -> str:
        """Add a fully connected layer for every token."""
        scale = np.float32(1 / np.sqrt(inputs))
        w = self.constant(f"{name}.w", self.rng.standard_normal((inputs, outputs), "f4") * scale)
        b = self.constant(f"{name}.b", np.zeros(outputs, np.float32))
        return self.add("Add", [self.add("MatMul", [x, w], f"{name}.product"), b], name)

    def normalise(self, x: str, name: str, width: int) -> str:
        """Add a layer normalisation."""
        scale = self.constant(f"{name}.scale", np.ones(width, np.float32))
        shift = self.constant(f"{name}.shift", np.zeros(width, np.float32))
        return self.add("LayerNormalization", [x, scale, shift], name, axis=-1)

    def gelu(self, x: str, name: str) -> str:
        """Add x · (1 + erf(x / √2)) / 2."""
        root = self.constant(f"{name}.root", np.float32(np.sqrt(2)))
        one, half = self.constant(f"{name}.one", np.float32(1)), f"{name}.half"
        self.constant(half, np.float32(0.5))
        bent = self.add("Erf", [self.add("Div", [x, root], f"{name}.scaled")], f"{name}.erf")
        raised = self.add(
            "Mul", [x, self.add("Add", [bent, one], f"{name}.raised")], f"{name}.twice"
        )
        return self.add("Mul", [raised, half], name)

    def attend(self, x: str, name: str, shape: Shape, mask: str | None) -> str:
        """Add self-attention of all tokens, but for those that `mask` takes out."""
        size = shape.width // shape.heads
        apart = self.constant(f"{name}.apart", np.array([0, 0, shape.heads, size], np.int64))
        together = self.constant(f"{name}.together", np.array([0, 0, shape.width], np.int64))
        root = self.constant(f"{name}.root", np.float32(np.sqrt(size)))
        orders = {"q": (0, 2, 1, 3), "k": (0, 2, 3, 1), "v": (0, 2, 1, 3)}
        q, k, v = (
            self.add(
                "Transpose",
                [self.add("Reshape", [self.project(x, f"{name}.{one}", shape.width, shape.width),
                                      apart], f"{name}.{one}.heads")],
                f"{name}.{one}.turned",
                perm=orders[one],
            )
            for one in orders
        )  # fmt: skip
        scores = self.add("Div", [self.add("MatMul", [q, k], f"{name}.qk"), root], f"{name}.scores")
        if mask is not None:
            scores = self.add("Add", [scores, mask], f"{name}.masked")
        weights = self.add("Softmax", [scores], f"{name}.weights", axis=-1)
        mixed = self.add("MatMul", [weights, v], f"{name}.mixed")
        back = self.add("Transpose", [mixed], f"{name}.back", perm=(0, 2, 1, 3))
        return self.project(
            self.add("Reshape", [back, together], f"{name}.joined"), f"{name}.out",
            shape.width, shape.width,
        )  # fmt: skip

    def block(self, x: str, name: str, shape: Shape, mask: str | None) -> str:
        """Add one layer, normalised before its attention and its GELU."""
        y = self.attend(
            self.normalise(x, f"{name}.n1", shape.width), f"{name}.attention", shape, mask
        )
        x = self.add("Add", [x, y], f"{name}.attended")
        y = self.normalise(x, f"{name}.n2", shape.width)
        y = self.gelu(self.project(y, f"{name}.up", shape.width, shape.hidden), f"{name}.gelu")
        y = self.project(y, f"{name}.down", shape.hidden, shape.width)
        return self.add("Add", [x, y], f"{name}.out")

    def encode(self, x: str, shape: Shape, mask: str | None = None) -> str:
        """Add all layers; return the first token's features (samples, width)."""
        for number in range(shape.depth):
            x = self.block(x, f"layer{number}", shape, mask)
        first = self.constant("first", np.array(0, np.int64))
        return self.add("Gather", [self.normalise(x, "norm", shape.width), first], "class", axis=1)

    def transformer(
        self, inputs: dict[str, tuple[int, list[object]]], output: str
    ) -> onnx.ModelProto:
        """Return the model from `inputs`, name to type and shape, to `output`."""
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info(name, *info) for name, info in inputs.items()],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            [
                numpy_helper.from_array(np.asarray(array), name)
                for name, array in self.weights.items()
            ],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def bert(path: Path, shape: Shape, per_class: int, length: int = 64, words: int = 2000) -> Arrays:
    """Write a classifier of texts to `path`; return its samples.

    The samples are `input_ids` and `attention_mask` (samples, length), padded behind texts of at
    least a quarter of `length`, and labels `y`.
    """
    b = Encoder(np.random.default_rng(1))
    table = b.constant("words", b.rng.standard_normal((words, shape.width), "f4"))
    places = b.constant("places", 0.1 * b.rng.standard_normal((length, shape.width), "f4"))
    x = b.add("Gather", [table, "input_ids"], "embedded")
    x = b.add("Add", [x, places], "placed")
    axes = b.constant("axes", np.array([1, 2], np.int64))
    shown = b.add("Cast", ["attention_mask"], "shown", to=TensorProto.FLOAT)
    hidden = b.add("Sub", [b.constant("one", np.float32(1)), shown], "hidden")
    low = b.add("Mul", [hidden, b.constant("low", np.float32(-1e4))], "low_scores")
    mask = b.add("Unsqueeze", [low, axes], "mask")
    data = texts(shape.classes, per_class, length, words)
    info = (TensorProto.INT64, ["batch", length])
    return finish(
        b, b.encode(x, shape, mask), {"input_ids": info, "attention_mask": info}, data, path
    )


def vit(path: Path, shape: Shape, per_class: int, side: int = 224, patch: int = 16) -> Arrays:
    """Write a vision transformer to `path`; return its samples, `x` (n, 3, side, side) and `y`."""
    b = Encoder(np.random.default_rng(1))
    tokens = (side // patch) ** 2
    patches = b.draw("patches.w", shape.width, 3, patch, patch)
    x = b.add("Conv", ["x", patches], "patches", strides=[patch] * 2, kernel_shape=[patch] * 2)
    rows = b.constant("rows", np.array([0, shape.width, tokens], np.int64))
    x = b.add("Transpose", [b.add("Reshape", [x, rows], "flat")], "tokens", perm=(0, 2, 1))
    mean = b.add("ReduceMean", [x], "mean", axes=[1])
    x = b.add("Concat", [mean, x], "with_class", axis=1)
    places = b.constant("places", 0.1 * b.rng.standard_normal((tokens + 1, shape.width), "f4"))
    x = b.add("Add", [x, places], "placed")
    images, y = network_shapes.images(shape.classes, per_class, side)
    info = {"x": (TensorProto.FLOAT, ["batch", 3, side, side])}
    return finish(b, b.encode(x, shape), info, {"x": images, "y": y}, path)


def texts(classes: int, per_class: int, length: int, words: int, seed: int = 0) -> Arrays:
    """Return texts of random words, a third of them from their class's own, padded by word 0."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(classes), per_class)
    own = rng.integers(1, words, (classes, 40))
    ids = rng.integers(1, words, (len(y), length))
    of_class = own[y[:, None], rng.integers(0, 40, ids.shape)]
    ids = np.where(rng.random(ids.shape) < 1 / 3, of_class, ids)
    mask = np.arange(length) < rng.integers(length // 4, length + 1, len(y))[:, None]
    return {"input_ids": ids * mask, "attention_mask": mask.astype(np.int64), "y": y}


def finish(
    b: Encoder, features: str, inputs: dict[str, tuple[int, list[object]]], data: Arrays, path: Path
) -> Arrays:
    """Fit the last layer to the samples' labels and write the model."""
    session = onnxruntime.InferenceSession(b.transformer(inputs, features).SerializeToString())
    given = {name: data[name] for name in inputs}
    parts = [
        session.run([features], {name: array[i : i + 16] for name, array in given.items()})[0]
        for i in range(0, len(data["y"]), 16)
    ]
    found = np.concatenate(parts)
    mean = found.mean(axis=0)
    targets = np.eye(int(data["y"].max()) + 1, dtype=np.float32)[data["y"]]
    centred = found - mean
    gram = centred.T @ centred
    ridge = 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram + ridge, centred.T @ targets).astype(np.float32)
    w, c = b.constant("head.w", weights), b.constant("head.b", -(mean @ weights))
    b.add("Gemm", [features, w, c], "logits")
    onnx.save(b.transformer(inputs, "logits"), path)
    return data
