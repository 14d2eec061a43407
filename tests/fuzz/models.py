"""Models to begin from, and changes of their structure beyond those of `model_mutations`."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import onnx
from model_mutations import damaged
from onnx import numpy_helper

HEAD = '<ir_version: 8, opset_import: ["": 17]> network '

TEXTS = {
    "mlp": "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w1) r = Relu(a) y = MatMul(r, w2) }",
    "skip": "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w1) r = Relu(a) b = MatMul(r, w3)"
    " s = Add(b, r) t = Relu(s) y = MatMul(t, w2) }",
    "shape": "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w1) s = Shape(a) f = Gather(s, zero)"
    " g = Concat<axis = 0>(f, rest) h = Reshape(a, g) r = Relu(h) k = Reshape(r, s)"
    " y = MatMul(k, w2) }",
    "loop": "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w1) l = Loop(turns, go, a)"
    " <body = b (int64 i, bool c, float[n,8] p) => (bool d, float[n,8] q) {"
    " d = Identity(c) q = Relu(p) }> y = MatMul(l, w2) }",
    "branch": "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w1) l = If(go)"
    " <then_branch = t () => (float[n,8] p) { p = Relu(a) },"
    " else_branch = e () => (float[n,8] q) { q = Tanh(a) }> r = Relu(l) y = MatMul(r, w2) }",
    "gate": "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w1) g = Sigmoid(a) s = Mul(a, g)"
    " y = MatMul(s, w2) }",
    "clip": "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w1) r = Clip(a, low, six)"
    " e = ReduceMean<axes = [1], keepdims = 1>(r) q = Sub(r, e) m = Max(q, low)"
    " y = MatMul(m, w2) }",
    "image": "(float[n,6] x) => (float[n,3] y) { i = Reshape(x, plane) c = Conv<pads = [1,1,1,1]>"
    "(i, k) r = Relu(c) p = GlobalAveragePool(r) f = Flatten(p) y = MatMul(f, w4) }",
    "fixed": "(float[2,6] x) => (float[2,3] y) { a = MatMul(x, w1) h = Reshape(a, two)"
    " r = Relu(h) y = MatMul(r, w2) }",
}
WEIGHTS = {
    "w1": (6, 8), "w2": (8, 3), "w3": (8, 8), "k": (4, 1, 3, 3), "w4": (4, 3),
}  # fmt: skip
NUMBERS = {
    "zero": [0], "rest": [2, -1], "plane": [-1, 1, 2, 3], "two": [2, 8],
    "turns": np.array(3), "go": np.array(True), "low": np.float32(0), "six": np.float32(6),
}  # fmt: skip

OPS = ("Abs", "Add", "Cast", "Clip", "Concat", "ConstantOfShape", "Dropout", "Expand", "Gather",
       "Gemm", "Identity", "If", "Loop", "Max", "MatMul", "Mul", "QuantizeLinear", "Range",
       "ReduceMean", "Relu", "Reshape", "Resize", "Scan", "Shape", "Sigmoid", "Slice", "Softmax",
       "Split", "Squeeze", "Tile", "TopK", "Transpose", "Unsqueeze", "Where", "ZipMap")  # fmt: skip
SIZES = (0, 1, 2, 3, 7, 1 << 16, 1 << 31, 1 << 40, -1)


def sample(rng: random.Random) -> onnx.ModelProto:
    """Return a small classifier of six numbers, that onnxruntime runs."""
    model = onnx.parser.parse_model(HEAD + TEXTS[rng.choice(sorted(TEXTS))])
    read = {name for node in model.graph.node for name in node.input}
    draw = np.random.default_rng(rng.randrange(100))
    arrays = {name: draw.normal(size=shape).astype(np.float32) for name, shape in WEIGHTS.items()}
    arrays |= {name: np.asarray(value) for name, value in NUMBERS.items()}
    model.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in arrays.items() if name in read
    )
    return model


def changed(rng: random.Random) -> bytes:
    """Return the file of a sample with something changed, now and then with nothing."""
    model = sample(rng)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        rng.choice(CHANGES)(model.graph, rng)
    content = model.SerializeToString()
    return damaged(content, rng.randrange(1 << 30)) if rng.random() < 0.5 else content


def _another_operator(graph: onnx.GraphProto, rng: random.Random) -> None:
    rng.choice(graph.node).op_type = rng.choice(OPS)


def _another_input(graph: onnx.GraphProto, rng: random.Random) -> None:
    node = rng.choice(graph.node)
    names = [name for one in graph.node for name in (*one.input, *one.output)] + [
        "",
        "x",
        "nowhere",
    ]
    if node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(names)


def _one_more(graph: onnx.GraphProto, rng: random.Random) -> None:
    """Put a node between a tensor and one of its readers."""
    node = rng.choice(graph.node)
    if node.input:
        place, name = rng.randrange(len(node.input)), f"new{len(graph.node)}"
        inputs = [node.input[place], *rng.sample(["x", "w1", "zero"], rng.choice((0, 0, 1)))]
        graph.node.insert(0, onnx.helper.make_node(rng.choice(OPS), inputs, [name]))
        node.input[place] = name


def _one_less(graph: onnx.GraphProto, rng: random.Random) -> None:
    del graph.node[rng.randrange(len(graph.node))]
    if not graph.node:
        graph.node.add(op_type="Relu", input=["x"], output=["y"])


def _another_size(graph: onnx.GraphProto, rng: random.Random) -> None:
    info = rng.choice([*graph.input, *graph.output])
    for dim in info.type.tensor_type.shape.dim:
        if rng.random() < 0.5:
            dim.dim_value = rng.choice(SIZES)


def _another_content(graph: onnx.GraphProto, rng: random.Random) -> None:
    held = [one for one in graph.initializer if one.data_location != onnx.TensorProto.EXTERNAL]
    if held:
        tensor = rng.choice(held)
        array = numpy_helper.to_array(tensor).copy()
        if array.size:
            array.flat[rng.randrange(array.size)] = rng.choice((0, 1, 2, 100))
        if array.dtype == np.float32 and rng.random() < 0.5:
            array = array * np.float32(rng.choice((0, np.nan, np.inf, 1e30)))
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def _in_another_file(graph: onnx.GraphProto, rng: random.Random) -> None:
    if graph.initializer:
        tensor = rng.choice(graph.initializer)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        place = rng.choice(("weights.bin", "../weights.bin", "/etc/passwd", "fifo", "", "link"))
        tensor.external_data.add(key="location", value=place)
        tensor.external_data.add(key="offset", value=rng.choice(("0", "8", "-1", "99999999999")))


def _one_more_output(graph: onnx.GraphProto, rng: random.Random) -> None:
    names = [name for node in graph.node for name in node.output]
    graph.output.add(name=rng.choice(names))


CHANGES: tuple[Callable[[onnx.GraphProto, random.Random], None], ...] = (
    _another_operator, _another_input, _one_more, _one_less, _another_size, _another_content,
    _in_another_file, _one_more_output,
)  # fmt: skip
