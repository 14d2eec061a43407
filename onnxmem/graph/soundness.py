"""What must hold of a model before any of it is believed, and what is wrong where something fails.

A file that parses may still be anything: lists that lack entries, sizes that no machine holds,
functions that call themselves. `require_sound` refuses, in words, what would lead later steps
astray, at a cost of one look at every node; the whole of the standard is left to onnx.checker,
which is asked only to explain a failure (`blames_model`).
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import onnx
import onnx_ir as ir
from onnx import AttributeProto, TensorProto

from onnxmem.errors import ModelFileError, OnnxmemError
from onnxmem.graph.file import read_proto
from onnxmem.graph.ops import DEFAULT_DOMAINS

MOST_NODES = 1_000_000
"""More nodes, bodies and functions written out, than any network has."""

HELD_IN: dict[int, str] = {
    AttributeProto.TENSOR: "t",
    AttributeProto.GRAPH: "g",
    AttributeProto.TYPE_PROTO: "tp",
}
"""The field of an attribute that must be there, by the attribute's type."""

COUNTED: dict[int, str] = {
    TensorProto.FLOAT: "float_data", TensorProto.DOUBLE: "double_data",
    TensorProto.INT64: "int64_data", TensorProto.UINT64: "uint64_data",
    TensorProto.STRING: "string_data",
    **dict.fromkeys(
        (TensorProto.INT32, TensorProto.INT16, TensorProto.INT8, TensorProto.UINT16,
         TensorProto.UINT8, TensorProto.BOOL, TensorProto.FLOAT16, TensorProto.BFLOAT16),
        "int32_data",
    ),
}  # fmt: skip
"""The field that holds one entry for each element, by element type."""


def require_sound(proto: onnx.ModelProto) -> None:
    """Check everything that later steps take for granted.

    Raises:
        ValueError: something does not hold; the message names the node or the tensor.
    """
    _require_text(proto)
    opsets = {opset.domain or "": opset.version for opset in proto.opset_import}
    local = {(function.domain, function.name) for function in proto.functions}
    _require_size(proto)
    for graph in _graphs(proto.graph):
        _require_nodes(graph.node, opsets, local)
        _require_names(graph)
        for tensor in graph.initializer:
            _require_tensor(tensor)
    made = {name for node in proto.graph.node for name in node.output}
    made |= {item.name for item in (*proto.graph.input, *proto.graph.initializer)}
    for info in (*proto.graph.input, *proto.graph.output):
        if info.type.HasField("map_type"):
            raise ValueError(f"{info.name!r} holds a map, not a tensor; export it as a tensor")
    for output in proto.graph.output:
        if output.name not in made:
            raise ValueError(f"nothing makes its output {output.name!r}")
    for function in proto.functions:
        own = {opset.domain or "": opset.version for opset in function.opset_import}
        _require_nodes(function.node, own or opsets, local)


def _require_text(proto: onnx.ModelProto) -> None:
    """Refuse names that are not UTF-8; protobuf hands such strings out as bytes."""
    for text in _texts(proto):
        if not isinstance(text, str):
            raise ValueError(f"the name {text!r} is not UTF-8")


def _texts(message: Any) -> Iterator[str | bytes]:
    """Yield every string of `message` except those that are content of tensors."""
    if isinstance(message, TensorProto):
        yield message.name
        yield message.doc_string
        for entry in message.external_data:
            yield entry.key
            yield entry.value
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            yield from value if field.is_repeated else (value,)
        elif field.type == field.TYPE_MESSAGE:
            for inner in value if field.is_repeated else (value,):
                yield from _texts(inner)


def every_node(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes of the main graph and of the bodies in it."""
    for graph in _graphs(proto.graph):
        yield from graph.node


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield `graph` and the bodies in it."""
    yield graph
    for node in graph.node:
        for body in _bodies(node):
            yield from _graphs(body)


def _bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _require_nodes(
    nodes: Sequence[onnx.NodeProto],
    opsets: dict[str, int],
    local: set[tuple[str, str]],
) -> None:
    for node in nodes:
        schema = None if (node.domain, node.op_type) in local else _schema(node, opsets)
        if schema is not None:
            _require_arity(node, schema)
        for attribute in node.attribute:
            _require_attribute(attribute, node, schema)


@functools.cache
def _known_schema(op: str, version: int) -> onnx.defs.OpSchema | None:
    try:
        return onnx.defs.get_schema(op, version)
    except onnx.defs.SchemaError:
        return None


def _schema(node: onnx.NodeProto, opsets: dict[str, int]) -> onnx.defs.OpSchema | None:
    if node.domain not in DEFAULT_DOMAINS:
        return None
    version = opsets.get("", opsets.get("ai.onnx", 0))
    return _known_schema(node.op_type, version) if 0 < version < 2**31 else None


def _require_arity(node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> None:
    for what, count, low, high in (
        ("inputs", len(node.input), schema.min_input, schema.max_input),
        ("outputs", len(node.output), schema.min_output, schema.max_output),
    ):
        if not low <= count <= high:
            allowed = f"{low}" if low == high else f"{low} to {high}"
            raise ValueError(f"{_named(node)} has {count} {what}, it takes {allowed}")


def _require_attribute(
    attribute: AttributeProto, node: onnx.NodeProto, schema: onnx.defs.OpSchema | None
) -> None:
    if attribute.ref_attr_name:
        return
    if not attribute.name or attribute.type == AttributeProto.UNDEFINED:
        raise ValueError(f"{_named(node)} has an attribute {attribute.name!r} without name or type")
    field = HELD_IN.get(attribute.type)
    if field is not None and not attribute.HasField(field):
        raise ValueError(f"{_named(node)} has an attribute {attribute.name!r} without content")
    if schema is not None and attribute.name in schema.attributes:
        expected: Any = schema.attributes[attribute.name].type
        if attribute.type != expected.value:
            raise ValueError(f"{_named(node)} has an attribute {attribute.name!r} of a wrong type")
    for tensor in ([attribute.t] if attribute.HasField("t") else []) + list(attribute.tensors):
        _require_tensor(tensor)


def _require_names(graph: onnx.GraphProto) -> None:
    """Check that every tensor comes from one place only."""
    inputs = Counter(info.name for info in graph.input)
    weights = Counter(tensor.name for tensor in graph.initializer)
    made = Counter(name for node in graph.node for name in node.output if name)
    for what, names in (("inputs", inputs), ("initializers", weights), ("results", made)):
        twice = next((name for name, count in names.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"two {what} have the name {twice!r}")
    for name in made:
        if name in inputs or name in weights:
            raise ValueError(f"a node makes {name!r}, which is an input or initializer already")


def _require_tensor(tensor: TensorProto) -> None:
    if any(size < 0 for size in tensor.dims):
        raise ValueError(f"tensor {tensor.name!r} has a negative size: {list(tensor.dims)}")
    try:
        dtype = ir.DataType(tensor.data_type)
    except ValueError:
        dtype = ir.DataType.UNDEFINED
    if dtype == ir.DataType.UNDEFINED:
        raise ValueError(f"tensor {tensor.name!r} has no element type that is known")
    count = math.prod(tensor.dims)
    if tensor.data_location == TensorProto.EXTERNAL:
        _require_external(tensor)
    elif tensor.HasField("raw_data") and dtype != ir.DataType.STRING:
        held, wanted = len(tensor.raw_data), math.ceil(count * dtype.bitwidth / 8)
        if held != wanted:
            raise ValueError(
                f"tensor {tensor.name!r} of {list(tensor.dims)} needs {wanted} bytes, "
                f"the file has {held}"
            )
    elif tensor.data_type in COUNTED:
        held = len(getattr(tensor, COUNTED[tensor.data_type]))
        if held != count:
            raise ValueError(
                f"tensor {tensor.name!r} of {list(tensor.dims)} needs {count} elements, "
                f"the file has {held}"
            )


def _require_external(tensor: TensorProto) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    if not entries.get("location"):
        raise ValueError(f"tensor {tensor.name!r} has external data without a location")
    if "\0" in entries["location"]:
        raise ValueError(f"tensor {tensor.name!r} has external data in {entries['location']!r}")
    for key in ("offset", "length"):
        text = entries.get(key, "0")
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"tensor {tensor.name!r} has external data with {key} {text!r}")


def _require_size(proto: onnx.ModelProto) -> None:
    """Check that the model stays finite when its functions are written out."""
    functions = {(item.domain, item.name, item.overload): item.node for item in proto.functions}
    counted: dict[tuple[str, str, str], int] = {}
    pending: list[tuple[str, str, str]] = []

    def count(nodes: Sequence[onnx.NodeProto]) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type, node.overload)
            total += count_function(key) if key in functions else 1
            total += sum(count(body.node) for body in _bodies(node))
        return min(total, MOST_NODES + 1)

    def count_function(key: tuple[str, str, str]) -> int:
        if key in pending:
            raise ValueError(f"its function {key[1]!r} calls itself")
        if key not in counted:
            pending.append(key)
            counted[key] = count(functions[key])
            pending.pop()
        return counted[key]

    if count(proto.graph.node) > MOST_NODES:
        raise ValueError(f"it has more than {MOST_NODES:,} nodes, functions written out")


def _named(node: onnx.NodeProto) -> str:
    name = node.name or next(iter(node.output), "")
    return f"the {node.op_type} node {name!r}"


class _FromFile(Protocol):
    @property
    def path(self) -> Path: ...


M = TypeVar("M", bound=_FromFile)
P = ParamSpec("P")
R = TypeVar("R")


def blames_model(
    function: Callable[Concatenate[M, P], R],
) -> Callable[Concatenate[M, P], R]:
    """Let a failure of `function` be the fault of its model where onnx.checker says so.

    Raises:
        ModelFileError: the function failed, and the model breaks the standard.
    """

    @functools.wraps(function)
    def wrapped(model: M, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(model, *args, **kwargs)
        except (OnnxmemError, MemoryError):
            raise
        except Exception as error:
            fault = fault_of(model.path)
            if fault is None:
                raise
            raise ModelFileError(f"{model.path} is not a valid ONNX model: {fault}") from error

    return wrapped


def fault_of(path: Path) -> str | None:
    """Return the first fault that onnx.checker finds, weights apart, None where it finds none."""
    proto = read_proto(path)
    weights = list(proto.graph.initializer)
    del proto.graph.initializer[:]
    given = {info.name for info in proto.graph.input}
    for tensor in weights:
        if tensor.name not in given:
            info = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            proto.graph.input.append(info)
    try:
        onnx.checker.check_model(proto)
    except Exception as fault:  # noqa: BLE001 - whatever stops the checker is a fault as well
        return str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
    return None
