"""No model, however odd, gives a traceback, hangs, or takes the machine's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxmem.models as models
import pytest
from model_mutations import damaged
from onnx import TensorProto, helper, numpy_helper
from text_networks import IN_A_BODY, RESIDUAL, write

Command = Callable[..., Any]

WEIGHTS = numpy_helper.from_array(np.eye(4, dtype=np.float32), "w")
BELOW = (
    helper.make_node("MatMul", ["x", "w"], ["a"]),
    helper.make_node("Relu", ["a"], ["r"]),
)
ABOVE = helper.make_node("MatMul", ["r", "w"], ["y"])


def network(
    nodes: Sequence[onnx.NodeProto],
    *initializers: onnx.TensorProto,
    ir_version: int = 8,
    opset: int = 17,
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    """Put a model together without a look at whether it is one."""
    graph = helper.make_graph(
        list(nodes),
        "odd",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [WEIGHTS, *initializers],
    )
    opsets = [helper.make_opsetid(name, version) for name, version in (("", opset), ("f", 1))]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=ir_version, functions=list(functions)
    )


def sizes(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def function(number: int, *calls: int) -> onnx.FunctionProto:
    """Return a function that calls others one after another, or is a ReLU where it calls none."""
    names = ["a", *(f"t{place}" for place in range(len(calls) or 1))]
    nodes = [
        helper.make_node(f"F{call}", [names[place]], [names[place + 1]], domain="f")
        for place, call in enumerate(calls)
    ] or [helper.make_node("Relu", ["a"], ["t0"])]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    return helper.make_function("f", f"F{number}", ["a"], [names[-1]], nodes, opsets)


def doubled(op: str, first: str, count: int, **attributes: int) -> Iterator[onnx.NodeProto]:
    """Yield nodes that each read the result of the one before twice."""
    for number in range(count):
        before = f"d{number}" if number else first
        yield helper.make_node(op, [before, before], [f"d{number + 1}"], **attributes)


def resized(*shape: int) -> onnx.ModelProto:
    tensor = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=shape)
    tensor.raw_data = WEIGHTS.raw_data
    model = network((*BELOW, ABOVE))
    model.graph.initializer[0].CopyFrom(tensor)
    return model


def outside(**entries: str) -> onnx.ModelProto:
    tensor = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=(4, 4))
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    model = network((*BELOW, ABOVE))
    model.graph.initializer[0].CopyFrom(tensor)
    return model


def unnamed_bytes() -> bytes:
    return network((*BELOW, ABOVE)).SerializeToString().replace(b"\x04Relu", b"\x04Re\xff\xfe")


def unnamed_producer() -> bytes:
    model = network((*BELOW, ABOVE))
    model.producer_name, model.producer_version = "made", "v1.0"
    return model.SerializeToString().replace(b"v1.0", b"v\xff\xfe0")


BROKEN: dict[str, tuple[onnx.ModelProto | bytes, int, str]] = {
    "IR of the future": (network((*BELOW, ABOVE), ir_version=99), 4, "99"),
    "opset of the future": (network((*BELOW, ABOVE), opset=99), 4, "99"),
    "no opset": (network((*BELOW, ABOVE), opset=0), 4, "odd.onnx"),
    "operator nobody knows": (
        network((*BELOW, helper.make_node("Thing", ["r"], ["y"]))), 4, "Thing"),
    "domain nobody knows": (
        network((*BELOW, helper.make_node("Thing", ["r"], ["y"], domain="my.own"))), 4, "my.own"),
    "cycle": (
        network([helper.make_node("Add", ["x", "y"], ["r"]),
                 helper.make_node("Abs", ["r"], ["y"])]),
        2, "cycle"),
    "two of one name": (network((*BELOW, *BELOW, ABOVE)), 2, "name 'a'"),
    "two weights of one name": (network((*BELOW, ABOVE), WEIGHTS), 2, "name 'w'"),
    "reads nothing": (
        network((*BELOW, helper.make_node("Relu", ["z"], ["y"]))), 2, "reads 'z', which nothing"),
    "output nobody makes": (network(BELOW), 2, "nothing makes its output 'y'"),
    "too many inputs": (
        network((*BELOW, helper.make_node("Relu", ["r"] * 50, ["y"]))), 2, "has 50 inputs"),
    "not UTF-8": (unnamed_bytes(), 2, "not UTF-8"),
    "producer not UTF-8": (unnamed_producer(), 2, "not UTF-8"),
    "negative size": (resized(-4, -4), 2, "negative size"),
    "size beyond the data": (resized(2**40, 4), 2, "the file has 64"),
    "function that calls itself": (
        network([helper.make_node("F0", ["x"], ["y"], domain="f")], functions=[function(0, 0)]),
        2, "calls itself"),
    "functions of functions": (
        network([helper.make_node("F9", ["x"], ["y"], domain="f")],
                functions=[function(0), *(function(n, *[n - 1] * 10) for n in range(1, 10))]),
        2, "more than 1,000,000 nodes"),
    "external data nowhere": (outside(location="no.bin"), 2, "no.bin"),
    "external data above": (outside(location="../x.bin"), 2, "outside its own folder"),
    "external data elsewhere": (outside(location="/etc/passwd"), 2, "outside its own folder"),
    "external data before the start": (outside(location="w.bin", offset="-8"), 2, "'-8'"),
    "external data at a word": (outside(location="w.bin", offset="x"), 2, "offset 'x'"),
    "external data beyond the end": (outside(location="w.bin", offset="9" * 30), 2, "truncated"),
    "external data at no name": (outside(location="w\0.bin"), 2, "external data in"),
    "external data at a long name": (outside(location="a" * 5000), 2, "no file can have"),
    "external data without a place": (outside(), 2, "without a location"),
    "web page": (b"<!DOCTYPE html><html>", 2, "web page"),
    "zip": (b"PK\x03\x04" + bytes(90), 2, "zip archive"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", 2, "git lfs pull"),
    "nothing": (b"", 2, "empty"),
}  # fmt: skip


def arguments(command: str, path: Path) -> tuple[object, ...]:
    if command in ("audit", "compare"):
        np.savez("d.npz", x=np.ones((40, 4), np.float32), y=np.arange(40) % 2)
        again = [path] if command == "compare" else []
        return (command, path, *again, "--data", "d.npz", "--ranks", "1", "--compress", "nmf")
    if command == "inspect":
        return (command, path)
    return (command, path, "-o", "out", *(("--at", "r") if command == "split" else ()))


@pytest.fixture
def odd(folder: Path) -> Callable[[onnx.ModelProto | bytes], Path]:
    """Return the function that writes an odd model, beside a file of external data."""
    (folder / "w.bin").write_bytes(bytes(64))
    path = folder / "odd.onnx"

    def write(model: onnx.ModelProto | bytes) -> Path:
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        return path

    return write


@pytest.mark.parametrize("case", BROKEN)
def test_every_command_names_what_is_broken(
    command: Command, odd: Callable[..., Path], folder: Path, case: str
) -> None:
    model, code, words = BROKEN[case]
    path = odd(model)
    (folder / "d.npz").touch()
    for name in ("inspect", "expose", "split", "audit", "compare"):
        outcome = command(*arguments(name, path))
        assert outcome.code == code, (name, outcome)
        assert words in outcome.error
        assert "odd.onnx" in outcome.error
        assert "/onnxruntime_src" not in outcome.error


def test_a_pipe_is_not_waited_for(command: Command, folder: Path) -> None:
    os = pytest.importorskip("os")
    os.mkfifo(folder / "pipe.onnx")
    outcome = command("inspect", "pipe.onnx")
    assert outcome.code == 2
    assert "a device or a pipe" in outcome.error


BOMBS = {
    "constant of a huge shape": (
        helper.make_node("ConstantOfShape", ["s"], ["big"]), sizes("s", 10**6, 10**6)),
    "expansion": (helper.make_node("Expand", ["w", "s"], ["big"]), sizes("s", 10**9, 4, 4)),
    "range": (helper.make_node("Range", ["s", "e", "i"], ["big"]), sizes("s", 0)),
    "tile": (helper.make_node("Tile", ["w", "s"], ["big"]), sizes("s", 10**6, 10**6)),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_a_constant_would_hold_is_never_made(odd: Callable[..., Path], bomb: str) -> None:
    from onnxmem import graph

    node, shape = BOMBS[bomb]
    ends = [numpy_helper.from_array(np.int64(n), name) for n, name in ((10**13, "e"), (1, "i"))]
    clip = helper.make_node("Clip", ["a", "", "big"], ["r2"])
    use = helper.make_node("MatMul", ["r2", "w"], ["y"])
    path = odd(network((*BELOW, node, clip, use), shape, *ends))
    sites = graph.find_sites(graph.load(path))
    assert "r" in [site.tensor for site in sites]


@pytest.mark.parametrize("op", ["Add", "Mul", "Max", "Concat"])
def test_paths_that_double_are_walked_once(odd: Callable[..., Path], op: str) -> None:
    from onnxmem import graph

    axis = {"axis": 0} if op == "Concat" else {}
    clip = helper.make_node("Clip", ["d200", "zero"], ["c"])
    use = helper.make_node("MatMul", ["c", "w"], ["y"])
    zero = numpy_helper.from_array(np.float32(0), "zero")
    path = odd(network((*BELOW, *doubled(op, "r", 200, **axis), clip, use), zero))
    model = graph.load(path)
    assert graph.find_sites(model)[0].tensor == "r"
    graph.other_activations(model)


def test_a_list_of_sizes_that_doubles_is_not_followed(odd: Callable[..., Path]) -> None:
    from onnxmem import graph

    reshape = helper.make_node("Reshape", ["r", "d60"], ["y"])
    nodes = (*BELOW, *doubled("Concat", "s", 60, axis=0), reshape)
    model = graph.load(odd(network(nodes, sizes("s", 1))))
    assert [site.tensor for site in graph.find_sites(model)] == ["r"]


def test_inputs_too_large_for_memory_are_refused(
    command: Command, odd: Callable[..., Path]
) -> None:
    model = network((*BELOW, ABOVE))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 10**12
    outcome = command("inspect", odd(model), "--verify")
    assert outcome.code == 4
    assert "TiB, the budget is" in outcome.error


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Give the files of three small models."""
    place = tmp_path_factory.mktemp("originals")
    return [
        write(place / "a.onnx", RESIDUAL, w1=(8, 8), w2=(8, 8), w3=(8, 4)).read_bytes(),
        write(place / "b.onnx", IN_A_BODY, w1=(8, 8)).read_bytes(),
        models.network("vowels-mlp-p00").path.read_bytes(),
    ]


@pytest.mark.parametrize("seed", range(48))
def test_a_damaged_model_is_read_or_refused(
    command: Command, odd: Callable[..., Path], originals: list[bytes], seed: int
) -> None:
    path = odd(damaged(originals[seed % len(originals)], seed))
    verify = ["--verify"] if seed % 3 == 0 else []
    outcome = command("inspect", path, "--kind", "relu,exp,abs,softmax", *verify)
    assert outcome.code in (0, 2, 3, 4)
    assert "Traceback" not in outcome.err
    assert "internal error" not in outcome.err
    assert len(outcome.err.splitlines()) == 1
