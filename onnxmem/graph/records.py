"""What this package hands out: frozen descriptions of models, sites, cuts and their parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnx_ir as ir

from onnxmem.graph.flow import Flow
from onnxmem.graph.pieces import Pieces

Dim = int | str | None
"""One dimension: a size, the name of a symbolic size, or None where nothing is known."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, element type (NumPy's name, else ONNX's) and shape (None: unknown rank)."""

    name: str
    dtype: str | None
    shape: tuple[Dim, ...] | None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Model:
    """A network in the one form that the rest of the package works on.

    Attributes:
        path: The file that it was read from.
        sha256: Hash of the bytes of that file, followed by those of its external data files.
        ir_version, opset, producer: As the file states them (opset of the default domain).
        inputs, outputs: What is fed and what comes out; initializers are no inputs.
        ir: The normalised graph. Treat it as frozen: passes work on clones.
        flow: Who reads what in that graph.
        pieces: That graph, serialised node by node.
        weights: The folder of the external data, None where the weights are in the model.
        shapes: Shapes by tensor name, as far as the file or inference tells.
        notes: What was changed or is unusual, one line each.
    """

    path: Path
    sha256: str
    ir_version: int
    opset: int
    producer: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    ir: ir.Model = field(repr=False)
    flow: Flow = field(repr=False)
    pieces: Pieces = field(default_factory=Pieces, repr=False)
    weights: Path | None = None
    shapes: Mapping[str, tuple[Dim, ...]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """One tensor at which the network can be cut.

    Attributes:
        tensor: The name of the tensor.
        op: What it was found as: "Relu", "Clip", "Max", "Where", "FusedConv", "QuantizeLinear"...
        index: Position among the sites of the model, in topological order.
        feature_axis: The axis that counts features, None where undecided; -1 is the last.
        axis_from: How that was decided, for people.
        status: "ok" or "unsupported".
        reason: Why it is unsupported, one line; empty where it is ok.
        shape: Shape as far as the file or inference tells, else None.
        reaches: The outputs of the model that depend on the tensor.
        node: Name of the node that makes the tensor, for people.
        kind: The kind of activation, of `onnxmem.graph.KINDS`.
        signed: Whether it can go below zero.
    """

    tensor: str
    op: str
    index: int
    feature_axis: int | None
    axis_from: str
    status: str
    reason: str
    shape: tuple[Dim, ...] | None
    reaches: tuple[str, ...]
    node: str
    kind: str
    signed: bool

    @property
    def sizes(self) -> tuple[int | None, ...] | None:
        """The shape with None in place of symbolic sizes; None where the rank is not known."""
        if self.shape is None:
            return None
        return tuple(size if isinstance(size, int) else None for size in self.shape)


@dataclass(frozen=True, slots=True)
class Part:
    """A model made from a piece of another.

    Attributes:
        proto: The serialised ModelProto.
        inputs, outputs: Names, in the order of the graph.
        weights: The folder that external data of `proto` are relative to, None without any.
        source: What it is, for messages: the model's file, or the side of a cut.
    """

    proto: bytes = field(repr=False)
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: Path | None = None
    source: str = "the model"


@dataclass(frozen=True, slots=True)
class Needs:
    """What the tail of a cut needs beside its tensor; the fields are those of `Cut`."""

    crossing: tuple[str, ...]
    direct: tuple[str, ...]
    whole_batch: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """The nodes on either side of a cut, by the tensors that they make.

    Attributes:
        needs: What the tail needs beside the tensor.
        head, tail: The names on either side; a node that both sides need is on both.
    """

    needs: Needs
    head: frozenset[str]
    tail: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cut:
    """A tensor, the tensors that cross the cut beside it, and the model on either side.

    `tail(tensor, crossing, direct)` computes what the whole model computes.

    Attributes:
        tensor: Where the model is cut.
        crossing: Tensors computed before the cut that the tail reads as well; the head returns
            them after `tensor`.
        direct: Inputs of the model that the tail reads; they need no capturing.
        outputs: The outputs of the model that the tail computes.
        head: From the model's inputs to `tensor` and `crossing`.
        tail: From `tensor`, `crossing` and `direct` to the outputs.
        whole_batch: Operators of the tail whose result for one sample depends on the other
            samples; such a tail must see the very batch that was captured.
    """

    tensor: str
    crossing: tuple[str, ...]
    direct: tuple[str, ...]
    outputs: tuple[str, ...]
    head: Part
    tail: Part
    whole_batch: tuple[str, ...] = ()
