"""Load a model: read it, bring it into one form, describe it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx_ir as ir

from onnxmem.errors import UsageError
from onnxmem.graph import file
from onnxmem.graph.flow import Flow
from onnxmem.graph.normalise import check, normalise
from onnxmem.graph.passes import Bound
from onnxmem.graph.records import Dim, Model, TensorSpec


def load(path: str | Path, bind: Mapping[str, Bound] | None = None) -> Model:
    """Read the ONNX model at `path`.

    Args:
        path: The model file; external data are found beside it and stay on disk.
        bind: Values of inputs that are fixed for good, by name of the input.

    Raises:
        ModelFileError: The file or its external data are missing, truncated or not ONNX.
        UsageError: `path` is none, or `bind` names no input, or gives a value of the wrong type.
    """
    if not isinstance(path, (str, Path)):
        raise UsageError(f"a {type(path).__name__} is no model; give the path of an ONNX file")
    with uncollected():
        return _load(Path(path), bind or {})


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage: a graph is millions of objects, none of which is."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(path: Path, bind: Mapping[str, Bound]) -> Model:
    proto = file.read_proto(path)
    ir_version = proto.ir_version
    check(proto, path)
    producer = " ".join(filter(None, (proto.producer_name, proto.producer_version)))
    externals = file.take_in_small(proto, path)
    base = file.weights_folder(externals, path)
    network, notes = normalise(proto, path, bind)
    outside = file.attach_external(network, path, base)
    return describe(
        network,
        path=path,
        sha256=file.sha256((path, *externals)),
        ir_version=ir_version,
        producer=producer,
        weights=base if outside else None,
        notes=notes,
    )


def describe(
    network: ir.Model,
    *,
    path: Path,
    sha256: str,
    ir_version: int,
    producer: str,
    weights: Path | None,
    notes: tuple[str, ...],
) -> Model:
    """Wrap the normalised `network` into a record."""
    flow = Flow(network.graph)
    return Model(
        path=path,
        sha256=sha256,
        ir_version=ir_version,
        opset=network.opset_imports.get("", 0),
        producer=producer,
        inputs=tuple(spec(value) for value in network.graph.inputs),
        outputs=tuple(spec(value) for value in network.graph.outputs),
        ir=network,
        flow=flow,
        weights=weights,
        shapes={
            name: shape for name, value in flow.values.items() if (shape := dims(value)) is not None
        },
        notes=notes,
    )


def revise(
    model: Model,
    network: ir.Model,
    *,
    weights: Path | None = None,
    notes: tuple[str, ...] = (),
) -> Model:
    """Return `model` with the graph `network` in place of its own."""
    return describe(
        network,
        path=model.path,
        sha256=model.sha256,
        ir_version=model.ir_version,
        producer=model.producer,
        weights=weights or model.weights,
        notes=(*model.notes, *notes),
    )


def spec(value: ir.Value) -> TensorSpec:
    """Describe `value`."""
    return TensorSpec(name=value.name or "", dtype=dtype_name(value), shape=dims(value))


def dtype_name(value: ir.Value) -> str | None:
    """Return the element type as NumPy names it, as ONNX does where NumPy has none."""
    if value.type is None or value.dtype is None or value.dtype == ir.DataType.UNDEFINED:
        return None
    if not isinstance(value.type, ir.TensorType):
        return str(value.type)
    if value.dtype == ir.DataType.STRING:
        return "str"
    try:
        return str(value.dtype.numpy().name)
    except TypeError:
        return value.dtype.name


def dims(value: ir.Value) -> tuple[Dim, ...] | None:
    """Return the shape of `value` as plain integers, names and None."""
    if value.shape is None:
        return None
    return tuple(dim if isinstance(dim, int) else dim.value for dim in value.shape)
