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
from onnxmem.graph.flow import reads
from onnxmem.graph.inference import infer_types
from onnxmem.graph.soundness import every_node, require_sound
from onnxmem.hazards import see

logging.getLogger("onnx_ir").addHandler(logging.NullHandler())

INITIALIZERS_APART = 4
"""The first IR version in which an initializer need not be a graph input as well."""


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
    ):
        network = step(network).model
    if not all(map(_is_sorted, network.graphs())):
        network = common.TopologicalSortPass()(network).model
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


def _open_negative_sizes(proto: onnx.ModelProto) -> None:
    """Leave open the sizes that are below zero, which is how some exporters say so."""
    for info in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        for dim in info.type.tensor_type.shape.dim:
            if dim.dim_value < 0:
                dim.Clear()


def _is_sorted(graph: ir.Graph) -> bool:
    """Tell whether all nodes of a graph stand behind those that make what they read."""
    before = set[ir.Node]()
    for node in graph:
        for value in reads(node):
            maker = value.producer()
            if maker is not None and maker.graph is graph and maker not in before:
                return False
        before.add(node)
    return True


def _require_sources(network: ir.Model) -> None:
    for node in network.graph.all_nodes():
        for value in node.inputs:
            if value is not None and value.graph is None:
                raise ValueError(
                    f"{node.op_type} node {node.name!r} reads {value.name!r}, "
                    "which nothing produces"
                )
