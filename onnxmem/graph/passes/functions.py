"""Inline the functions of a model, also those written for another opset than the model."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import onnx
import onnx.inliner
import onnx.shape_inference
import onnx_ir as ir
from onnx_ir.passes import common

DEFAULT = ("", "ai.onnx")
"""The two names of the default operator domain."""


def inline_functions(proto: onnx.ModelProto) -> ir.Model:
    """Return the network in `proto` with every model-local function inlined.

    Exporters give each function its own opset versions. Where the operators that a function
    uses mean the same in the model's version, the version is just aligned; where they do not,
    onnx converts them.
    """
    if not proto.functions:
        return ir.from_proto(proto)
    _name_results(proto)
    if any(not _same_meaning(proto, function) for function in proto.functions):
        _declare_initializers(proto)
        whole = _converted(proto)
        proto = whole if _each_made_once(whole.graph) else _one_call_after_another(proto)
    network = ir.from_proto(proto)
    for function in network.functions.values():
        for domain in function.opset_imports:
            version = network.opset_imports.setdefault(domain, function.opset_imports[domain])
            function.opset_imports[domain] = version
    inline = ir.passes.Sequential(common.InlinePass(), common.RemoveUnusedOpsetsPass())
    with _names_found_at_once():
        return inline(network).model


@contextmanager
def _names_found_at_once() -> Iterator[None]:
    """Let onnx_ir go on counting where it ended for a name, instead of from 2 at every call.

    The names are the same; else the time grows with the square of the calls of a function.
    """
    module = sys.modules[common.InlinePass.__module__]
    theirs = getattr(module, _MAKES_NAMES, None)
    last: dict[tuple[int, str], int] = {}

    def make(name: str, callstack: object, used: set[str]) -> str:
        number = last.get((id(used), name), 1)
        found = name if number == 1 else f"{name}_{number}"
        while found in used:
            number += 1
            found = f"{name}_{number}"
        used.add(found)
        last[id(used), name] = number
        return found

    if theirs is not None:
        setattr(module, _MAKES_NAMES, make)
    try:
        yield
    finally:
        if theirs is not None:
            setattr(module, _MAKES_NAMES, theirs)


_MAKES_NAMES = "_make_unique_name"
"""The function of onnx_ir's inliner that makes a name which is not taken."""


def _name_results(proto: onnx.ModelProto) -> None:
    """Name the results of functions that calls leave without a name."""
    called = {(function.domain, function.name) for function in proto.functions}
    bodies = [proto.graph, *proto.functions]
    for number, node in enumerate(node for body in bodies for node in _nodes(body)):
        if (node.domain, node.op_type) in called:
            for at, name in enumerate(node.output):
                node.output[at] = name or f"{node.op_type}_unnamed_{number}_{at}"


def _nodes(body: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes of a graph or of a function, and of the bodies in it."""
    for node in body.node:
        yield node
        for inner in _bodies(node):
            yield from _nodes(inner)


def _bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _converted(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with its functions inlined and brought to its own opset."""
    typed = onnx.shape_inference.infer_shapes(proto)
    return onnx.inliner.inline_local_functions(typed, convert_version=True)


def _each_made_once(graph: onnx.GraphProto) -> bool:
    made = Counter(name for node in _nodes(graph) for name in node.output if name)
    return max(made.values(), default=0) <= 1


def _one_call_after_another(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Do what `_converted` does, call by call.

    onnx gives what it makes for a conversion the same names at every call of one function.
    """
    functions = {(one.domain, one.name, one.overload): one for one in proto.functions}
    proto = _copy(proto)
    del proto.functions[:]
    for number in count(1):
        calls = ((node, _call(node)) for node in _nodes(proto.graph) if _call(node) in functions)
        node, key = next(calls, (None, ("", "", "")))
        if node is None:
            return proto
        once = proto.functions.add()
        once.CopyFrom(functions[key])
        node.op_type = once.name = f"{once.name}_call_{number}"
        known = _names(proto.graph)
        proto = _converted(proto)
        del proto.functions[:]
        _rename(proto.graph, known, f"_{number}")
    raise AssertionError


def _copy(proto: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    return copy


def _call(node: onnx.NodeProto) -> tuple[str, str, str]:
    return node.domain, node.op_type, node.overload


def _names(graph: onnx.GraphProto) -> set[str]:
    """Return the names of all tensors of a graph and of its bodies."""
    names = {name for node in _nodes(graph) for name in (*node.input, *node.output)}
    return names | {one.name for one in (*graph.input, *graph.output, *graph.initializer)}


def _rename(graph: onnx.GraphProto, known: set[str], ending: str) -> None:
    """Give an ending to the names of tensors that are not among those known."""
    for node in graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                names[at] = name if name in known or not name else name + ending
        for body in _bodies(node):
            _rename(body, known, ending)
    for info in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        info.name = info.name if info.name in known else info.name + ending


def _declare_initializers(proto: onnx.ModelProto) -> None:
    """State the types of the initializers, which the conversion asks for."""
    graph = proto.graph
    declared = {info.name for info in (*graph.input, *graph.value_info)}
    graph.value_info.extend(
        onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in graph.initializer
        if tensor.name not in declared
    )


def _same_meaning(proto: onnx.ModelProto, function: onnx.FunctionProto) -> bool:
    """Tell whether the default operators of `function` are the same in the model's opset."""
    inside, outside = (
        _default_opset(function.opset_import),
        _default_opset(proto.opset_import),
    )
    if inside == outside or not inside or not outside:
        return True
    return all(
        _since(node.op_type, inside) == _since(node.op_type, outside)
        for node in function.node
        if node.domain in DEFAULT
    )


def _default_opset(imports: object) -> int:
    return next((opset.version for opset in imports if opset.domain in DEFAULT), 0)  # type: ignore[attr-defined]


def _since(op: str, version: int) -> int | None:
    try:
        return int(onnx.defs.get_schema(op, version).since_version)
    except onnx.defs.SchemaError:
        return None
