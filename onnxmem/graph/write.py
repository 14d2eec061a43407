"""From a graph to bytes and files: building parts, sharing weights, saving."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
from onnx_ir.serde import serialize_value

from onnxmem.errors import OutputError
from onnxmem.graph.file import external_tensors
from onnxmem.graph.model import revise
from onnxmem.graph.pieces import rank_only
from onnxmem.graph.records import Dim, Model, Part
from onnxmem.graph.soundness import blames_model

EXTERNAL_FROM = 1024
"""Initializers of at least so many bytes go to a weights file; smaller ones may be shapes."""

WHOLE_LIMIT = 1_800_000_000
"""Bytes of weights above which a file must not hold them itself (protobuf ends at 2 GiB)."""

WEIGHTS_FILE = "weights.bin"


def build(
    model: Model,
    inputs: Sequence[ir.Value],
    outputs: Sequence[ir.Value],
    nodes: Sequence[ir.Node],
    initializers: Sequence[ir.Value],
    *,
    source: str,
    sizes_of: Collection[ir.Value] = (),
) -> Part:
    """Serialise a piece of `model` as a model of its own.

    Of tensors other than `sizes_of` only element types and ranks are kept, so that no stale size
    contradicts a batch of another size.
    """
    graph = model.pieces.graph(
        model.ir.graph.name or "graph",
        nodes,
        initializers,
        (
            [serialize_value(v) if v in sizes_of else rank_only(v) for v in inputs],
            [serialize_value(v) if v in sizes_of else rank_only(v) for v in outputs],
        ),
    )
    proto = onnx.ModelProto(ir_version=model.ir.ir_version, graph=graph)
    proto.producer_name = model.ir.producer_name or ""
    for domain, version in sorted(model.ir.opset_imports.items()):
        proto.opset_import.add(domain=domain, version=version)
    return _part(proto, model.weights, source)


def _part(proto: onnx.ModelProto, weights: Path | None, source: str) -> Part:
    return Part(
        proto=proto.SerializeToString(deterministic=True),
        inputs=tuple(info.name for info in proto.graph.input),
        outputs=tuple(info.name for info in proto.graph.output),
        weights=weights,
        source=source,
    )


def with_input_types(part: Part, types: Mapping[str, tuple[str, tuple[Dim, ...] | None]]) -> Part:
    """Return `part` with types given to inputs.

    Args:
        part: The part.
        types: By name of the input, the element type (NumPy's name) and the shape, in which None
            leaves a dimension as it is and a shape of None leaves even the rank open. Names that
            are no inputs are passed over.
    """
    return _typed(part, {name: types[name] for name in part.inputs if name in types})


def with_types(part: Part, types: Mapping[str, tuple[str, tuple[Dim, ...] | None]]) -> Part:
    """Return `part` with types given to inputs and outputs, as in `with_input_types`."""
    return _typed(part, types)


def with_named_nodes(part: Part) -> Part:
    """Return `part` with every node called as the first tensor that it makes."""
    model = onnx.ModelProto.FromString(part.proto)
    for node in model.graph.node:
        node.name = next(filter(None, node.output), node.name)
    return replace(part, proto=model.SerializeToString())


def untyped(part: Part) -> tuple[str, ...]:
    """Return the inputs and outputs of `part` whose element type or rank is not known."""
    graph = onnx.ModelProto.FromString(part.proto).graph
    return tuple(
        info.name
        for info in (*graph.input, *graph.output)
        if info.type.WhichOneof("value") in (None, "tensor_type")
        and not (info.type.tensor_type.elem_type and info.type.tensor_type.HasField("shape"))
    )


def _typed(part: Part, types: Mapping[str, tuple[str, tuple[Dim, ...] | None]]) -> Part:
    proto = onnx.ModelProto.FromString(part.proto)
    for info in (*proto.graph.input, *proto.graph.output):
        if info.name in types:
            dtype, shape = types[info.name]
            if shape is not None:
                shape = _with_known(shape, info.type.tensor_type.shape.dim)
            info.type.CopyFrom(onnx.helper.make_tensor_type_proto(_element(dtype), shape))
    return _part(proto, part.weights, part.source)


def _with_known(
    shape: tuple[Dim, ...], known: Sequence[onnx.TensorShapeProto.Dimension]
) -> tuple[Dim, ...]:
    """Return sizes with those that are known in place of free ones."""
    if len(shape) != len(known):
        return shape
    return tuple(
        (one.dim_value or None) if size is None else size
        for size, one in zip(shape, known, strict=True)
    )


def _element(dtype: str) -> int:
    """Return ONNX's number of an element type; every kind of text is a string."""
    numpy_dtype = np.dtype(dtype)
    if numpy_dtype.kind in "OUST":
        return int(ir.DataType.STRING)
    return int(ir.DataType.from_numpy(numpy_dtype))


@blames_model
def share_weights(model: Model, folder: str | Path) -> Model:
    """Return `model` with its larger initializers in one file in `folder`.

    All parts made from the result refer to that file and are small themselves; to run them takes
    the name of the folder (`Part.weights`). A model whose weights are in external data already is
    returned as it is.

    Raises:
        OutputError: The file cannot be written.
    """
    if model.weights is not None and _bytes_inside(model.ir) < EXTERNAL_FROM * 1024:
        return model
    folder = Path(folder).absolute()
    network = model.ir.clone()
    _move_out(network, folder, WEIGHTS_FILE)
    return revise(model, network, weights=folder)


def _bytes_inside(network: ir.Model) -> int:
    """Return how many bytes of weights the model itself holds."""
    tensors = (value.const_value for value in network.graph.initializers.values())
    return sum(
        tensor.nbytes
        for tensor in tensors
        if tensor is not None
        and tensor.dtype != ir.DataType.STRING
        and not isinstance(tensor, ir.ExternalTensor)
    )


def _move_out(network: ir.Model, folder: Path, name: str) -> None:
    """Write the larger initializers of `network` to the file `name` and let it refer to them.

    Wider elements come first, so that every tensor is aligned to its elements. Smaller ones that
    were in another file are taken in.
    """
    small = [
        (value, value.const_value)
        for value in network.graph.initializers.values()
        if isinstance(value.const_value, ir.ExternalTensor)
        and value.const_value.nbytes < EXTERNAL_FROM
    ]
    large = [
        (value, value.const_value)
        for value in network.graph.initializers.values()
        if value.const_value is not None
        and value.const_value.dtype != ir.DataType.STRING
        and value.const_value.nbytes >= EXTERNAL_FROM
    ]
    large.sort(key=lambda pair: (-pair[1].dtype.itemsize, pair[0].name or ""))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        inside = ir.external_data.convert_tensors_from_external([tensor for _, tensor in small])
        tensors = [tensor for _, tensor in large]
        moved = (
            ir.external_data.convert_tensors_to_external(tensors, folder, name) if tensors else []
        )
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write the weights {folder / name}: {error}") from error
    for (value, _), tensor in zip((*small, *large), (*inside, *moved), strict=True):
        value.const_value = tensor


def save(what: Part | Model, path: str | Path) -> None:
    """Write a part or a whole model to `path`, by way of a temporary file beside it.

    Weights stay inside unless they were outside before or are too many: then they go to a file
    beside the model, named after it with ".data" appended.

    Raises:
        OutputError: A file cannot be written.
    """
    path = Path(path)
    if what.weights is None and isinstance(what, Part):
        _write(path, what.proto)
        return
    network = _network(what)
    if any(external_tensors(network)) or _bytes_inside(network) > WHOLE_LIMIT:
        _move_out(network, path.parent.absolute(), f"{path.name}.data")
    _write(path, ir.to_proto(network).SerializeToString(deterministic=True))


def _network(what: Part | Model) -> ir.Model:
    """Return the graph of `what`, safe to be changed."""
    if isinstance(what, Model):
        return what.ir.clone()
    network: ir.Model = ir.from_proto(onnx.ModelProto.FromString(what.proto))
    for tensor in external_tensors(network):
        tensor.base_dir = str(what.weights)
    return network


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
