"""From a file to a ModelProto: reading, hashing, and every way in which a file can be wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import onnx
import onnx_ir as ir

from onnxmem.errors import ModelFileError

LARGEST = 2**31
"""Bytes beyond which protobuf reads no message."""


def read_proto(path: Path) -> onnx.ModelProto:
    """Parse the file at `path`, leaving its external data where they are.

    Raises:
        ModelFileError: The file is missing, empty, truncated or not an ONNX model.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ModelFileError(
                f"the model {path} is larger than 2 GiB, which no ONNX file can be; "
                "export it with external data"
            )
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"cannot read the model {path}: {error.strerror or error}; check the path"
        ) from error
    if not content:
        raise ModelFileError(f"the model {path} is empty; export or download it again")
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(content)
    except Exception as error:
        raise ModelFileError(
            f"{path} is not an ONNX model, or it is truncated; export or download it again"
        ) from error
    _require_complete(proto, path)
    return proto


def _require_complete(proto: onnx.ModelProto, path: Path) -> None:
    missing = [
        what
        for what, there in (
            ("IR version", proto.ir_version),
            ("graph", proto.HasField("graph")),
            ("opset", proto.opset_import),
            ("graph output", proto.graph.output),
        )
        if not there
    ]
    if missing:
        raise ModelFileError(
            f"{path} is not a complete ONNX model: it has no {' and no '.join(missing)}; "
            "export or download it again"
        )
    if proto.graph.sparse_initializer:
        raise ModelFileError(
            f"{path} holds sparse initializers, which are not supported; export dense weights"
        )


def external_tensors(model: ir.Model) -> Iterator[ir.ExternalTensor]:
    """Yield every tensor of `model`, bodies included, whose data are in another file."""
    for graph in model.graphs():
        for value in graph.initializers.values():
            if isinstance(value.const_value, ir.ExternalTensor):
                yield value.const_value
        for node in graph:
            for attribute in node.attributes.values():
                if isinstance(attribute.value, ir.ExternalTensor):
                    yield attribute.value


def attach_external(model: ir.Model, path: Path) -> tuple[Path, ...]:
    """Point the external tensors of `model` at the folder of `path` and return their files.

    Raises:
        ModelFileError: A file is missing, too short, or outside the folder of the model.
    """
    folder = path.parent.absolute()
    files: dict[str, Path] = {}
    for tensor in external_tensors(model):
        tensor.base_dir = str(folder)
        location = str(tensor.location)
        if location not in files:
            files[location] = _external_file(folder, location, path)
        end = (tensor.offset or 0) + tensor.nbytes
        fits = tensor.length in (None, tensor.nbytes)
        if not fits or end > files[location].stat().st_size:
            raise ModelFileError(
                f"the external data file {location} of {path} is truncated at tensor "
                f"{tensor.name!r}; download it again"
            )
    return tuple(files[location] for location in sorted(files))


def _external_file(folder: Path, location: str, path: Path) -> Path:
    file = folder / location
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ModelFileError(
            f"{path} keeps weights in {location!r}, outside its own folder; "
            "put them beside the model"
        )
    if not file.is_file():
        raise ModelFileError(
            f"the external data file {location} of {path} is missing; put it beside the model"
        )
    return file


def sha256(files: tuple[Path, ...]) -> str:
    """Return the hexadecimal SHA-256 of the bytes of `files`, one after another."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
