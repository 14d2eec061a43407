"""Models that mean harm: what is huge, deep, endless, elsewhere, or no model at all.

Each maker writes a model to a path, of a size that a random generator draws.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from tests.fuzz.models import changed  # noqa: E402 - from the tree, not from what is installed

HEAD = '<ir_version: 8, opset_import: ["": 17]> network '

Bomb = Callable[[Path, random.Random], None]


def save(path: Path, text: str, **weights: object) -> None:
    model = onnx.parser.parse_model(HEAD + text)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()
    )
    path.write_bytes(model.SerializeToString())


def classifier(path: Path, way: str, **weights: object) -> None:
    """Write a classifier of six numbers with something on the way that gives a number `z`."""
    text = (
        "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w) r = Relu(a) "
        f"{way} m = ReduceMax<keepdims = 0>(u) q = MatMul(r, v) y = Add(q, m) }}"
    )
    save(path, text, w=np.ones((6, 8), np.float32), v=np.ones((8, 3), np.float32), **weights)


def huge_constant(path: Path, rng: random.Random) -> None:
    classifier(path, "u = ConstantOfShape(s)", s=[1 << rng.randrange(28, 46)])


def expanded(path: Path, rng: random.Random) -> None:
    sizes = [1 << rng.randrange(10, 20) for _ in range(rng.randrange(2, 4))]
    classifier(path, "u = Expand(o, s)", o=np.float32(0), s=sizes)


def tiled(path: Path, rng: random.Random) -> None:
    classifier(path, "u = Tile(r, s)", s=[1, 1 << rng.randrange(20, 40)])


def ranged(path: Path, rng: random.Random) -> None:
    way = "i = Range(o, s, e) u = Cast<to = 1>(i)"
    classifier(path, way, o=np.int64(0), s=np.int64(1 << rng.randrange(27, 50)), e=np.int64(1))


def of_samples(path: Path, rng: random.Random) -> None:
    """A size that no graph tells, since it follows from the values of samples."""
    way = (
        "t = ReduceMax<keepdims = 0>(x) c = Mul(t, f) i = Cast<to = 7>(c) "
        "k = Reshape(i, one) j = Max(k, few) u = ConstantOfShape(j)"
    )
    many = np.float32(1 << rng.randrange(28, 40))
    classifier(path, way, f=many, one=[1], few=[1 << rng.randrange(28, 36)])


def endless(path: Path, rng: random.Random) -> None:
    text = (
        "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w) r = Relu(a) l = Loop(turns, go, r)"
        " <body = b (int64 i, bool c, float[n,8] p) => (bool d, float[n,8] q) {"
        " d = Identity(c) q = Relu(p) }> y = MatMul(l, v) }"
    )
    weights = {"w": np.ones((6, 8), np.float32), "v": np.ones((8, 3), np.float32)}
    save(path, text, turns=np.int64(1 << rng.randrange(33, 62)), go=np.array(True), **weights)


def deep(path: Path, rng: random.Random) -> None:
    count = rng.choice((2_000, 20_000, 60_000))
    nodes = [helper.make_node("Relu", [f"t{k}"], [f"t{k + 1}"]) for k in range(count)]
    _written(path, [*nodes, helper.make_node("MatMul", [f"t{count}", "w"], ["y"])], "t0")


def nested(path: Path, rng: random.Random) -> None:
    leaf = helper.make_graph([helper.make_node("Relu", ["x"], ["o"])], "g", [], [_info("o")])
    body = leaf
    for _ in range(rng.choice((5, 15, 22))):
        node = helper.make_node("If", ["go"], ["o"], then_branch=body, else_branch=leaf)
        body = helper.make_graph([node], "g", [], [_info("o")])
    nodes = [helper.make_node("If", ["go"], ["i"], then_branch=body, else_branch=body)]
    _written(path, [*nodes, helper.make_node("MatMul", ["i", "w"], ["y"])], "x", go=True)


def wide(path: Path, rng: random.Random) -> None:
    count = rng.choice((5_000, 30_000))
    nodes = [helper.make_node("Relu", ["x"], [f"r{k}"]) for k in range(count)]
    names = [f"r{k}" for k in range(count)]
    nodes += [helper.make_node("Sum", names, ["s"]), helper.make_node("MatMul", ["s", "w"], ["y"])]
    _written(path, nodes, "x")


def elsewhere(path: Path, rng: random.Random) -> None:
    """Weights that lie where nothing of a model may."""
    save(path, "(float[n,6] x) => (float[n,3] y) { r = Relu(x) y = MatMul(r, w) }")
    model = onnx.load(path)
    tensor = TensorProto(name="w", data_type=1, dims=[6, 3], data_location=TensorProto.EXTERNAL)
    place = rng.choice(
        ("../../../../etc/passwd", "/etc/shadow", "/proc/self/mem", "/dev/zero", "", ".", "link",
         "../../../../proc/self/environ", "m\0n", "/dev/stdin", "C:\\x", "~/.ssh/id_rsa")
    )  # fmt: skip
    if place == "link":
        (path.parent / "link").symlink_to("/etc/passwd")
    tensor.external_data.add(key="location", value=place)
    tensor.external_data.add(key="offset", value=str(rng.choice((0, 8, -8, 1 << 62))))
    model.graph.initializer.append(tensor)
    path.write_bytes(model.SerializeToString())


def claiming(path: Path, rng: random.Random) -> None:
    """Weights that claim to be larger than they are."""
    save(path, "(float[n,6] x) => (float[n,3] y) { r = Relu(x) y = MatMul(r, w) }")
    model = onnx.load(path)
    dims = [6, rng.choice((3, -3, 1 << 33, (1 << 63) - 1))]
    kind = rng.choice((1, 7, 8, 10, 99))
    model.graph.initializer.append(TensorProto(name="w", data_type=kind, dims=dims, raw_data=b"x"))
    path.write_bytes(model.SerializeToString())


def giant_output(path: Path, rng: random.Random) -> None:
    many = 1 << rng.randrange(26, 34)
    save(
        path,
        f"(float[n,6] x) => (float[n,{many}] y) {{ a = Relu(x) m = ReduceMean<axes = [1],"
        " keepdims = 1>(a) y = Expand(m, s) }",
        s=[1, many],
    )


def inflated(path: Path, rng: random.Random) -> None:
    """Convolutions and resizes that make a small picture a huge one."""
    save(
        path,
        "(float[n,6] x) => (float[n,3] y) { i = Reshape(x, p) b = Resize(i, none, f)"
        " r = Relu(b) g = GlobalAveragePool(r) t = Flatten(g) y = MatMul(t, w) }",
        p=[-1, 1, 2, 3], none=np.zeros(0, np.float32),
        f=np.array([1, 1, 1 << rng.randrange(8, 20), 1 << rng.randrange(8, 20)], np.float32),
        w=np.ones((1, 3), np.float32),
    )  # fmt: skip


def garbage(path: Path, rng: random.Random) -> None:
    kind = rng.randrange(4)
    if kind == 0:
        path.write_bytes(rng.randbytes(rng.choice((0, 1, 1000, 1 << 22))))
    elif kind == 1:  # messages within messages
        content = b""
        for _ in range(rng.choice((50, 99, 101, 20_000))):
            content = b"\x32" + _varint(len(content)) + content
        path.write_bytes(b"\x3a" + _varint(len(content)) + content)
    elif kind == 2:  # a length beyond the end
        path.write_bytes(b"\x3a" + _varint(1 << 62) + b"x")
    else:
        path.write_bytes(b"\x0a\x02" * rng.choice((10, 1 << 20)))


def named_oddly(path: Path, rng: random.Random) -> None:
    odd = rng.choice(("\x1b[2J", "a" * (1 << 20), "\u202e", "\n" * 1000, "../x", "<script>"))
    nodes = [helper.make_node("Relu", ["x"], [odd]), helper.make_node("MatMul", [odd, "w"], ["y"])]
    _written(path, nodes, "x")


def mutated(path: Path, rng: random.Random) -> None:
    path.write_bytes(changed(rng))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _info(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, 1, ["n", 6])


def _written(path: Path, nodes: list[onnx.NodeProto], given: str, **constants: object) -> None:
    weights = {"w": np.ones((6, 3), np.float32), **constants}
    output = helper.make_tensor_value_info("y", 1, ["n", 3])
    tensors = [numpy_helper.from_array(np.asarray(one), name) for name, one in weights.items()]
    graph = helper.make_graph(nodes, "network", [_info(given)], [output], tensors)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    path.write_bytes(model.SerializeToString())


BOMBS: tuple[Bomb, ...] = (
    huge_constant, expanded, tiled, ranged, of_samples, endless, deep, nested, wide, elsewhere,
    claiming, giant_output, inflated, garbage, named_oddly, mutated,
)  # fmt: skip
