"""The nodes of a network as plain records, and models of one operator.

For who runs or retraces a network node by node, and needs no ONNX for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx_ir as ir
from onnx import helper

from onnxmem.graph.model import dtype_name
from onnxmem.graph.ops import DEFAULT_DOMAINS
from onnxmem.graph.records import Model, Part
from onnxmem.graph.soundness import blames_model

IR_VERSION, PLAIN_OPSET = 8, 17


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """What a node computes.

    Attributes:
        op: The name of the operator.
        version: The version of its operator set.
        domain: The set; empty for ONNX's own.
        attributes: Numbers, texts, tuples of them, and arrays; bodies are left out.
    """

    op: str
    version: int
    domain: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One node.

    Attributes:
        operator: What it computes.
        inputs, outputs: Names of tensors; empty where one is left out.
        dtypes: The element types of the outputs (NumPy's names), None where nothing tells them.
        captured: What bodies of the node read beside its inputs.
        name: The name of the node, for people.
    """

    operator: Operator
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dtypes: tuple[str | None, ...] = ()
    captured: tuple[str, ...] = ()
    name: str = ""


@blames_model
def steps(model: Model) -> tuple[Step, ...]:
    """Return the nodes of `model` in an order in which they can run."""
    return tuple(_step(model, node) for node in model.flow.nodes)


@blames_model
def constants(model: Model) -> frozenset[str]:
    """Return the tensors that no run of `model` changes: initializers and what is made of them."""
    varying = model.flow.varying
    return frozenset(name for name, value in model.flow.values.items() if value not in varying)


@blames_model
def constant(model: Model, name: str) -> np.ndarray | None:
    """Return the content of the initializer `name`, None where there is none of that name."""
    value = model.flow.values.get(name)
    content = value.const_value if value is not None else None
    return None if content is None else content.numpy()


def operator_part(operator: Operator, inputs: Sequence[str | None], outputs: int) -> Part:
    """Return a model of one operator.

    Args:
        operator: What it computes.
        inputs: The element type of each input (NumPy's name), None where one is left out; their
            sizes are left open. They are called `i0`, `i1`, ...
        outputs: How many outputs it has.
    """
    names = ["" if dtype is None else f"i{at}" for at, dtype in enumerate(inputs)]
    results = [f"o{at}" for at in range(outputs)]
    node = helper.make_node(
        operator.op, names, results, domain=operator.domain, **operator.attributes
    )
    graph = helper.make_graph(
        [node],
        operator.op,
        [
            helper.make_tensor_value_info(name, int(ir.DataType.from_numpy(np.dtype(dtype))), None)
            for name, dtype in zip(names, inputs, strict=True)
            if dtype is not None
        ],
        [helper.make_empty_tensor_value_info(name) for name in results],
    )
    opsets = {"": PLAIN_OPSET, operator.domain: operator.version}
    proto = helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid(*opset) for opset in opsets.items()],
    )
    fed = tuple(name for name in names if name)
    return Part(
        proto=proto.SerializeToString(deterministic=True),
        inputs=fed,
        outputs=tuple(results),
        source=f"the operator {operator.op}",
    )


def _step(model: Model, node: ir.Node) -> Step:
    domain = "" if node.domain in DEFAULT_DOMAINS else node.domain
    imports = model.ir.opset_imports
    version = model.opset if not domain else imports.get(domain, 1)
    read = set(node.inputs)
    return Step(
        operator=Operator(
            op=node.op_type,
            version=version or imports.get("ai.onnx", 1),
            domain=domain,
            attributes={
                name: plain
                for name, attribute in node.attributes.items()
                if (plain := _plain(attribute)) is not None
            },
        ),
        inputs=tuple("" if value is None else value.name or "" for value in node.inputs),
        outputs=tuple(value.name or "" for value in node.outputs),
        dtypes=tuple(dtype_name(value) for value in node.outputs),
        captured=tuple(v.name or "" for v in model.flow.reads[node] if v not in read),
        name=node.name or "",
    )


def _plain(attribute: ir.Attr) -> Any:
    kind = ir.AttributeType
    if attribute.type in (kind.INT, kind.FLOAT, kind.STRING):
        return attribute.value
    if attribute.type in (kind.INTS, kind.FLOATS, kind.STRINGS):
        return tuple(attribute.value)
    if attribute.type == kind.TENSOR:
        return attribute.as_tensor().numpy()
    return None
