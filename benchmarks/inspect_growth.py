"""How the cost of `onnxmem inspect` grows with the nodes of a model.

    python benchmarks/inspect_growth.py [NODES ...]

Networks of one form each, from 2,000 nodes on. Times are processor time, one process for each
inspection, imports apart; `exponent` is the growth from the size before, as a power of the nodes
that the file holds. Memory is the maximum resident set. Prints a table and writes it to
benchmarks/results/.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from machine import describe
from onnx import helper, numpy_helper

RESULT = Path(__file__).parent / "results" / "inspect_growth.md"
SIZES = (2_000, 8_000, 32_000, 64_000, 200_000)
WIDTH = 4
FLOAT = onnx.TensorProto.FLOAT


class Graph:
    """Nodes and weights, put together one by one."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.functions: list[onnx.FunctionProto] = []

    def add(self, op: str, *inputs: str, **attributes: object) -> str:
        """Append a node of one output; return its name."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"n{name}", **attributes))
        return name

    def weight(self, *shape: int) -> str:
        """Append an initializer of ones; return its name."""
        name = f"w{len(self.weights)}"
        array = np.full(shape, 0.5, np.float32)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def dense(self, x: str) -> str:
        """Append a Gemm and a ReLU."""
        return self.add("Relu", self.add("Gemm", x, self.weight(WIDTH, WIDTH), self.weight(WIDTH)))

    def save(self, path: Path, outputs: list[str], sizes: tuple[int, ...] = (WIDTH,)) -> None:
        """Write the model that makes `outputs` of an input x."""
        shape = ["n", *sizes]
        graph = helper.make_graph(
            self.nodes, "network",
            [helper.make_tensor_value_info("x", FLOAT, shape)],
            [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
            self.weights,
        )  # fmt: skip
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
        model = helper.make_model(
            graph, ir_version=8, opset_imports=opsets, functions=self.functions
        )
        path.write_bytes(model.SerializeToString())


def chain(g: Graph, count: int) -> list[str]:
    """Gemm and ReLU in turn."""
    x = "x"
    for _ in range(count // 2):
        x = g.dense(x)
    return [g.dense(x)]


def convolutions(g: Graph, count: int) -> list[str]:
    """Conv, BatchNormalization and ReLU in turn."""
    x = "x"
    for _ in range(count // 3):
        made = g.add("Conv", x, g.weight(WIDTH, WIDTH, 3, 3), pads=[1, 1, 1, 1])
        made = g.add("BatchNormalization", made, *(g.weight(WIDTH) for _ in range(4)))
        x = g.add("Relu", made)
    return [x]


def residual(g: Graph, count: int) -> list[str]:
    """Blocks of two layers with a way around them."""
    x = "x"
    for _ in range(count // 5):
        made = g.add("Gemm", g.dense(x), g.weight(WIDTH, WIDTH), g.weight(WIDTH))
        x = g.add("Relu", g.add("Add", made, x))
    return [x]


def stream(g: Graph, count: int) -> list[str]:
    """Blocks that add to one stream, as transformers do, with GELU taken apart."""
    x, numbers = "x", [g.weight() for _ in range(3)]
    for _ in range(count // 8):
        made = g.add("Gemm", x, g.weight(WIDTH, WIDTH), g.weight(WIDTH))
        bent = g.add("Add", g.add("Erf", g.add("Div", made, numbers[0])), numbers[1])
        made = g.add("Mul", g.add("Mul", made, bent), numbers[2])
        x = g.add("Add", x, g.add("MatMul", made, g.weight(WIDTH, WIDTH)))
    return [x]


def arithmetic(g: Graph, count: int) -> list[str]:
    """Add and Mul in turn, after one Tanh."""
    x, numbers = g.add("Tanh", g.dense("x")), [g.weight(WIDTH), g.weight()]
    for _ in range(count // 2):
        x = g.add("Mul", g.add("Add", x, numbers[0]), numbers[1])
    return [g.dense(x)]


def doubled(g: Graph, count: int) -> list[str]:
    """Add of a tensor and itself bent: as many ways through it as there are numbers."""
    x = g.dense("x")
    for _ in range(count // 2):
        x = g.add("Add", x, g.add("Sigmoid", x))
    return [g.dense(x)]


def dense_blocks(g: Graph, count: int) -> list[str]:
    """Concatenations of all that is before, 16 layers in a block."""
    x = "x"
    while len(g.nodes) < count:
        for layer in range(16):
            size = WIDTH * (layer + 1)
            made = g.add("Relu", g.add("MatMul", x, g.weight(size, WIDTH)))
            x = g.add("Concat", x, made, axis=1)
        x = g.add("MatMul", x, g.weight(WIDTH * 17, WIDTH))
    return [x]


def constants(g: Graph, count: int) -> list[str]:
    """Constant nodes, each added to what is before."""
    x = g.dense("x")
    for _ in range(count // 2):
        value = numpy_helper.from_array(np.full(WIDTH, 0.5, np.float32))
        x = g.add("Add", x, g.add("Constant", value=value))
    return [g.dense(x)]


def sizes(g: Graph, count: int) -> list[str]:
    """Reshapes to sizes that are read from what is before."""
    end = g.add("Constant", value=numpy_helper.from_array(np.array([WIDTH])))
    x, zero = "x", g.add("Constant", value=numpy_helper.from_array(np.array([0])))
    for _ in range(count // 6):
        made = g.dense(x)
        first = g.add("Gather", g.add("Shape", made), zero)
        x = g.add("Reshape", made, g.add("Concat", first, end, axis=0))
    return [x]


def function(g: Graph, count: int) -> list[str]:
    """One function of four nodes, called again and again."""
    body = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["b"]),
        helper.make_node("Add", ["b", "x"], ["y"]),
    ]
    opsets = [helper.make_opsetid("", 17)]
    g.functions.append(helper.make_function("local", "Block", ["x", "w"], ["y"], body, opsets))
    x, weight = "x", g.weight(WIDTH, WIDTH)
    for _ in range(count // 4):
        x = g.add("Block", x, weight, domain="local")
    return [x]


def body(g: Graph, count: int) -> list[str]:
    """An If whose branches hold the chain, behind a condition that is not known."""
    condition = g.add("Greater", g.add("ReduceSum", "x", keepdims=0), g.weight())
    source = g.dense("x")
    branches = []
    for name in ("then", "else"):
        inner = Graph()
        inner.nodes, inner.weights = [], g.weights
        x = source
        for number in range(count // 4):
            made = f"{name}{number}"
            inner.nodes.append(helper.make_node("Gemm", [x, g.weight(WIDTH, WIDTH)], [f"{made}a"]))
            inner.nodes.append(helper.make_node("Relu", [f"{made}a"], [made]))
            x = made
        out = helper.make_tensor_value_info(x, FLOAT, None)
        branches.append(helper.make_graph(inner.nodes, name, [], [out]))
    made = g.add("If", condition, then_branch=branches[0], else_branch=branches[1])
    return [g.dense(made)]


def loops(g: Graph, count: int) -> list[str]:
    """A Loop whose body holds the chain."""
    turns = g.add("Constant", value=numpy_helper.from_array(np.array(3)))
    nodes, x = [helper.make_node("Identity", ["c"], ["d"])], "p"
    for number in range(count // 2):
        nodes.append(helper.make_node("Gemm", [x, g.weight(WIDTH, WIDTH)], [f"b{number}"]))
        nodes.append(helper.make_node("Relu", [f"b{number}"], [f"r{number}"]))
        x = f"r{number}"
    info = helper.make_tensor_value_info
    inner = helper.make_graph(
        nodes, "body",
        [info("i", 7, []), info("c", 9, []), info("p", FLOAT, ["n", WIDTH])],
        [info("d", 9, []), info(x, FLOAT, ["n", WIDTH])],
    )  # fmt: skip
    return [g.dense(g.add("Loop", turns, "", g.dense("x"), body=inner))]


def gathered(g: Graph, count: int) -> list[str]:
    """A chain of which every layer is read at the end, so that all cross every cut."""
    x, layers = "x", []
    for _ in range(count // 2):
        x = g.dense(x)
        layers.append(x)
    return [g.add("Concat", *layers, axis=1)]


def ends(g: Graph, count: int) -> list[str]:
    """A chain of which every layer is an output."""
    x, layers = "x", []
    for _ in range(count // 2):
        x = g.dense(x)
        layers.append(x)
    return layers


FORMS: dict[str, tuple[Callable[[Graph, int], list[str]], tuple[int, ...]]] = {
    "chain": (chain, (WIDTH,)), "convolutions": (convolutions, (WIDTH, 3, 3)),
    "residual": (residual, (WIDTH,)), "stream": (stream, (WIDTH,)),
    "arithmetic": (arithmetic, (WIDTH,)), "doubled": (doubled, (WIDTH,)),
    "dense blocks": (dense_blocks, (WIDTH,)), "constants": (constants, (WIDTH,)),
    "sizes": (sizes, (WIDTH,)), "function": (function, (WIDTH,)), "body of If": (body, (WIDTH,)),
    "body of Loop": (loops, (WIDTH,)), "gathered": (gathered, (WIDTH,)),
    "outputs": (ends, (WIDTH,)),
}  # fmt: skip


def make(form: str, count: int, path: Path) -> None:
    """Write a network of about `count` nodes."""
    graph, (build, shape) = Graph(), FORMS[form]
    graph.save(path, build(graph, count), shape)


def inspect(form: str, count: int) -> dict[str, float]:
    """Inspect one network in this process."""
    import onnxmem

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        make("chain", 8, path)
        onnxmem.inspect(path)
        make(form, count, path)
        begin = time.process_time()
        inspection = onnxmem.inspect(path)
        seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mib": peak, "sites": len(inspection.sites)}


def measure(form: str, count: int) -> dict[str, float]:
    """Inspect one network in a process of its own."""
    run = [sys.executable, __file__, form, str(count)]
    result: dict[str, float] = json.loads(subprocess.check_output(run, text=True))
    return result


def main() -> None:
    """Measure every form, or one of them in this process."""
    if len(sys.argv) == 3 and sys.argv[1] in FORMS:
        print(json.dumps(inspect(sys.argv[1], int(sys.argv[2]))))
        return
    wanted = [int(word) for word in sys.argv[1:]] or list(SIZES)
    lines = ["| network | nodes | sites | seconds | exponent | peak MiB |", "|---" * 6 + "|"]
    print(*lines, sep="\n", flush=True)
    for form in FORMS:
        before: tuple[int, float] | None = None
        for count in wanted:
            found = measure(form, count)
            power = ""
            if before is not None:
                power = (
                    f"{math.log(found['seconds'] / before[1]) / math.log(count / before[0]):.2f}"
                )
            before = count, found["seconds"]
            lines.append(
                f"| {form} | {count:,} | {found['sites']:,} | {found['seconds']:.2f} | {power} "
                f"| {found['peak_mib']:.0f} |"
            )
            print(lines[-1], flush=True)
        _write(lines)


def _write(lines: list[str]) -> None:
    told = ", ".join(f"{key} {value}" for key, value in describe().items())
    heading = ["# Cost of `onnxmem inspect`", "", "`python benchmarks/inspect_growth.py`", ""]
    RESULT.write_text("\n".join([*heading, *lines, "", told]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
