"""From a file to a ModelProto: reading, hashing, and every way in which a file can be wrong."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
import onnx_ir as ir

from onnxmem import links
from onnxmem.errors import ModelFileError
from onnxmem.file_kinds import LFS_POINTER, mistaken
from onnxmem.hazards import see

LARGEST = 2**31
"""Bytes beyond which protobuf reads no message."""

SMALL = 1024
"""Bytes up to which a tensor may be more than a weight."""


LONGEST_PATH = 250
"""Bytes of a location above which no file is looked for."""

_ARCHIVE, _OBJECT = b"PK\x03\x04", b"{"
"""How files begin that are mistaken for a model, but may be data: a zip archive, and JSON."""


def read_proto(path: Path) -> onnx.ModelProto:
    """Parse the file at `path`, leaving its external data where they are.

    Raises:
        ModelFileError: The file is missing, empty, truncated or not an ONNX model.
    """
    try:
        if not path.is_file() and path.exists():
            what = "folder" if path.is_dir() else "device or a pipe"
            raise ModelFileError(f"cannot read the model {path}: it is a {what}; give the file")
        if path.stat().st_size > LARGEST:
            raise ModelFileError(
                f"the model {path} is larger than 2 GiB, which no ONNX file can be; "
                f"export it with external data{see('external-data')}"
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
        words = _something_else(content) or (
            "is not an ONNX model, or it is truncated; export or download it again"
        )
        raise ModelFileError(f"{path} {words}") from error
    _require_complete(proto, path, content)
    return proto


def _something_else(content: bytes) -> str:
    """Return what a file is that is certainly no ONNX model, and what to do about it."""
    if content.startswith(_ARCHIVE):
        return "is a zip archive, not an ONNX model; unpack it, or export to ONNX"
    if content.lstrip().startswith(_OBJECT):
        return "is text, not an ONNX model; export to ONNX"
    return mistaken(content, "an ONNX model", "export to ONNX")


def _require_complete(proto: onnx.ModelProto, path: Path, content: bytes) -> None:
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
    if missing and (words := _something_else(content)):
        raise ModelFileError(f"{path} {words}")
    if missing:
        raise ModelFileError(
            f"{path} is not a complete ONNX model: it has no {' and no '.join(missing)}; "
            "export or download it again"
        )
    if _is_sparse(proto):
        raise ModelFileError(
            f"{path} holds sparse tensors, which are not supported; export dense weights"
        )


def _is_sparse(proto: onnx.ModelProto) -> bool:
    """Tell whether an initializer or a constant is kept as its values that are not zero."""
    pending: list[onnx.GraphProto | onnx.FunctionProto] = [proto.graph, *proto.functions]
    while pending:
        body = pending.pop()
        if isinstance(body, onnx.GraphProto) and body.sparse_initializer:
            return True
        for attribute in (one for node in body.node for one in node.attribute):
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                return True
            pending += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
    return False


def take_in_small(proto: onnx.ModelProto, path: Path) -> tuple[Path, ...]:
    """Load what `proto` keeps in other files and is no weight but a shape, a bound, a number.

    onnxruntime and shape inference want the content of these, which may be outside as well. The
    rest is then said to lie where links lead to, see `weights_folder`.

    Returns:
        All files that `proto` keeps tensors in.

    Raises:
        ModelFileError: A file is missing, too short, or one that no weights may be in.
    """
    folder = path.parent.absolute()
    files: dict[str, Path] = {}
    outside = list(_outside(proto.graph))
    for tensor in outside:
        location = _places(tensor).get("location", "")
        if location not in files:
            files[location] = _external_file(folder, location, path)
    base = weights_folder(files.values(), path)
    for tensor in outside:
        place = _places(tensor)
        file, offset = files[place.get("location", "")], place.get("offset", "0")
        size = _bytes_of(tensor)
        if size is None or not 0 <= size <= SMALL or not offset.isdecimal():
            _move(tensor, file, base)
            continue
        if int(offset) + size > file.stat().st_size:
            raise _truncated(place["location"], path, tensor.name)
        with file.open("rb") as stream:
            stream.seek(int(offset))
            content = stream.read(size)
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
        tensor.raw_data = content
    return tuple(files[location] for location in sorted(files))


def weights_folder(files: Iterable[Path], path: Path) -> Path:
    """Return the folder that the weights of the model at `path` are under: its own, as a rule.

    Where links lead to files in another folder, it is that one; onnxruntime follows no link out of
    the folder that it is told.

    Raises:
        ModelFileError: There is no such folder.
    """
    folder = path.parent.absolute()
    if all(file.resolve().is_relative_to(folder.resolve()) for file in files):
        return folder
    homes = {file.resolve().parent for file in files}
    if len(homes) > 1:
        raise ModelFileError(
            f"{path} keeps weights behind links into {len(homes)} folders; put them into one"
            f"{see('external-data')}"
        )
    return homes.pop()


def _places(tensor: onnx.TensorProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in tensor.external_data}


def _outside(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    external = onnx.TensorProto.EXTERNAL
    return (one for one in _tensors(graph) if one.data_location == external)


def _move(tensor: onnx.TensorProto, file: Path, base: Path) -> None:
    """Let a tensor name its file as it is called in `base`, where that is another folder."""
    if file.is_relative_to(base):
        return
    for entry in tensor.external_data:
        if entry.key == "location":
            entry.value = file.resolve().name


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield the initializers and constants of `graph`, bodies included."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            for body in (attribute.g, *attribute.graphs):
                yield from _tensors(body)


def _bytes_of(tensor: onnx.TensorProto) -> int | None:
    """Return the size of `tensor`, None where its elements do not fill whole bytes."""
    try:
        bits = ir.DataType(tensor.data_type).bitwidth
    except (TypeError, ValueError):
        return None
    return math.prod(tensor.dims) * bits // 8 if bits % 8 == 0 else None


def _truncated(location: str, path: Path, tensor: str | None) -> ModelFileError:
    return ModelFileError(
        f"the external data file {location} of {path} is truncated at tensor "
        f"{tensor!r}; download it again{see('external-data')}"
    )


class Checked(ir.ExternalTensor):
    """A tensor in a file that was checked when the model was loaded.

    onnx_ir refuses every file with several hard links, those of packages that uv and conda install
    as well; here `links` says which may be read.
    """

    __slots__ = ()

    @classmethod
    def of(cls, tensor: ir.ExternalTensor) -> Checked:
        """Return `tensor` as one whose file was checked."""
        place = (tensor.location, tensor.offset, tensor.length, tensor.dtype)
        return cls(*place, shape=ir.Shape(tensor.shape), name=tensor.name or "")

    def _check_path_containment(self) -> None:
        """Leave it at the check before."""


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


def data_files(path: str | Path) -> tuple[Path, ...]:
    """Return the files beside `path` that the model in it says to keep weights in.

    There are none where it is no model; loading it raises the error.
    """
    try:
        proto = read_proto(Path(path))
    except ModelFileError:
        return ()
    locations = {
        entry.value
        for tensor in _tensors(proto.graph)
        for entry in tensor.external_data
        if entry.key == "location" and isinstance(entry.value, str)
    }
    return tuple(Path(path).parent / location for location in sorted(locations))


def attach_external(model: ir.Model, path: Path, base: Path) -> bool:
    """Point the external tensors of `model` at the folder `base`; tell whether there are any.

    Raises:
        ModelFileError: A file is too short.
    """
    sizes: dict[str, int] = {}
    for value in (one for graph in model.graphs() for one in graph.initializers.values()):
        if isinstance(value.const_value, ir.ExternalTensor):
            value.const_value = Checked.of(value.const_value)
    for tensor in external_tensors(model):
        tensor.base_dir = str(base)
        location = str(tensor.location)
        if location not in sizes:
            sizes[location] = (base / location).stat().st_size
        end = (tensor.offset or 0) + tensor.nbytes
        fits = tensor.length in (None, tensor.nbytes)
        if not fits or end > sizes[location]:
            raise _truncated(location, path, tensor.name)
    return bool(sizes)


def _external_file(folder: Path, location: str, path: Path) -> Path:
    file = folder / location
    if len(os.fsencode(location)) > LONGEST_PATH:
        raise ModelFileError(f"{path} keeps weights in a file with a name that no file can have")
    target = file.resolve()
    if not target.is_relative_to(folder.resolve()) and (
        not _is_beside(folder, location) or not links.may_lead_to(path, target)
    ):
        raise ModelFileError(
            f"{path} keeps weights in {location!r}, outside its own folder; put them beside the "
            f"model{', or trust the link: --trust-links' if file.is_symlink() else ''}"
            f"{see('external-data')}"
        )
    if not file.is_file():
        raise ModelFileError(
            f"the external data file {location} of {path} is missing; put it beside the model"
            f"{see('external-data')}"
        )
    if file.stat().st_nlink > 1 and not links.may_have_links(path, file):
        raise ModelFileError(
            f"the external data file {location} of {path} lies in another place as well (it has "
            f"{file.stat().st_nlink} hard links); copy it, or trust the link: --trust-links"
            f"{see('external-data')}"
        )
    with file.open("rb") as stream:
        if stream.read(len(LFS_POINTER)) == LFS_POINTER:
            raise ModelFileError(
                f"the external data file {location} of {path} is a Git LFS pointer; "
                f"fetch it: git lfs pull{see('external-data')}"
            )
    return file


def _is_beside(folder: Path, location: str) -> bool:
    """Tell whether a location stays in the folder by its words, wherever links then lead."""
    return Path(os.path.normpath(folder / location)).is_relative_to(folder)


def sha256(files: tuple[Path, ...]) -> str:
    """Return the hexadecimal SHA-256 of the bytes of `files`, one after another."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
