"""Bring any model into the one form that the other rooms work on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx
import onnx_ir as ir
from onnx_ir.passes import common

from onnxmem.errors import ModelFileError, OnnxmemError
from onnxmem.graph import passes
from onnxmem.graph.constants import SMALL
from onnxmem.graph.soundness import every_node, require_sound
from onnxmem.hazards import see

logging.getLogger("onnx_ir").addHandler(logging.NullHandler())

INITIALIZERS_APART = 4
"""The first IR version in which an initializer need not be a graph input as well."""


HIGHEST_RANK = 64
"""Axes that a tensor has at most, as far as sizes are followed."""


def check(proto: onnx.ModelProto, path: Path) -> None:
    """Check what every later step takes for granted of the model in `proto`.

    Raises:
        ModelFileError: something does not hold.
    """
    with _blames_file(path):
        _open_negative_sizes(proto)
        require_sound(proto)


def normalise(
    proto: onnx.ModelProto, path: Path, bind: Mapping[str, passes.Bound]
) -> tuple[ir.Model, tuple[str, ...]]:
    """Return the network in `proto`, which was checked, in normal form, and what was changed.

    In normal form there are no functions, no Constant nodes, no initializers inside bodies or
    among the inputs, no If whose branch is known, no Loop of one turn, no ZipMap; nodes are sorted.

    Raises:
        ModelFileError: The model contradicts itself.
        UsageError: `bind` does not fit the inputs.
    """
    with _blames_file(path):
        return _normalise(proto, bind)


@contextmanager
def _blames_file(path: Path) -> Iterator[None]:
    try:
        yield
    except OnnxmemError:
        raise
    except Exception as error:
        cause = error
        while cause.__cause__ is not None:
            cause = cause.__cause__  # type: ignore[assignment]
        if isinstance(cause, OnnxmemError):
            raise cause from error
        raise ModelFileError(
            f"{path} is not a valid ONNX model: {cause}{see('refused')}"
        ) from error


def _normalise(
    proto: onnx.ModelProto, bind: Mapping[str, passes.Bound]
) -> tuple[ir.Model, tuple[str, ...]]:
    _forget_placement(proto)
    zipmaps = passes.replace_zipmaps(proto)
    network = passes.inline_functions(proto)
    _require_sources(network)
    for step in (
        common.RemoveInitializersFromInputsPass(),
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.LiftSubgraphInitializersToMainGraphPass(),
        passes.BindInputs(bind),
        passes.UnwrapOptionals(),
        common.TopologicalSortPass(),
    ):
        network = step(network).model
    network.ir_version = max(network.ir_version, INITIALIZERS_APART)
    switched = passes.InferenceMode()(network).modified
    branches, loops = _lift_bodies(network)
    passes.DequantizeActivations()(network)
    passes.UnblockActivations()(network)
    notes = {
        "class probabilities are given as a tensor instead of a ZipMap": zipmaps > 0,
        "Dropout or BatchNormalization in training mode switched to inference": switched,
        "If nodes replaced by the branch that they always take": branches,
        "Loop nodes of one turn replaced by their body": loops,
    }
    return network, tuple(note for note, true in notes.items() if true)


def _forget_placement(proto: onnx.ModelProto) -> None:
    """Drop what the model says about the devices that it was distributed over."""
    proto.ClearField("configuration")
    for node in (*every_node(proto), *(n for f in proto.functions for n in f.node)):
        node.ClearField("device_configurations")


def _lift_bodies(network: ir.Model) -> tuple[bool, bool]:
    """Infer types and sizes, and lift bodies, until neither finds anything new.

    Returns:
        Whether branches were lifted, and whether loops were.
    """
    branches = loops = False
    while True:
        infer_types(network)
        lifted = passes.LiftBranches()(network).modified
        unrolled = passes.UnrollLoops()(network).modified
        branches, loops = branches or lifted, loops or unrolled
        if not lifted and not unrolled:
            return branches, loops


def infer_types(network: ir.Model) -> None:
    """Fill in types and shapes where ONNX can infer them; leave the rest alone.

    Initializers take no part but for the small ones, so this is cheap for a model of any size.
    """
    small = _stays_small(network)
    with _texts_aside(network.graph):
        common.ShapeInferencePass(check_type=False, strict_mode=False, data_prop=small)(network)
    passes.TypeSequences()(network)


def _open_negative_sizes(proto: onnx.ModelProto) -> None:
    """Leave open the sizes that are below zero, which is how some exporters say so."""
    for info in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        for dim in info.type.tensor_type.shape.dim:
            if dim.dim_value < 0:
                dim.Clear()


@contextmanager
def _texts_aside(graph: ir.Graph) -> Iterator[None]:
    """Take initializers of text out for a while: onnx_ir's inference cannot tell their size."""
    texts = {
        value: value.const_value
        for value in graph.initializers.values()
        if value.const_value is not None and value.const_value.dtype == ir.DataType.STRING
    }
    for value in texts:
        graph.initializers.pop(value.name or "")
        value.const_value = None
    try:
        yield
    finally:
        for value, content in texts.items():
            value.const_value = content
            graph.register_initializer(value)


def _stays_small(network: ir.Model) -> bool:
    """Tell whether no list of numbers becomes long when inference follows what tensors hold."""
    held: dict[ir.Value, int] = {}
    for node in network.graph.all_nodes():
        known = [_numbers(value, held) for value in node.inputs if value is not None]
        count = sum(known) if node.op_type == "Concat" else max(known, default=0)
        if node.op_type == "Shape":
            count = HIGHEST_RANK
        if count > SMALL:
            return False
        held.update(dict.fromkeys(node.outputs, count))
    return True


def _numbers(value: ir.Value, held: dict[ir.Value, int]) -> int:
    if value.const_value is None:
        return held.get(value, 0)
    size = int(value.const_value.size)
    return size if size <= SMALL else 0


def _require_sources(network: ir.Model) -> None:
    for node in network.graph.all_nodes():
        for value in node.inputs:
            if value is not None and value.graph is None:
                raise ValueError(
                    f"{node.op_type} node {node.name!r} reads {value.name!r}, "
                    "which nothing produces"
                )
