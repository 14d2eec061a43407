"""Test cases beside a model: `input_0.pb`, ... and `output_0.pb`, ... in folders `test_data_set_0`.

Source: onnx/docs/OnnxBackendTest.md, where the files stand in the order of the graph's inputs and
outputs and each holds one serialised TensorProto.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from onnxmem.errors import DataError
from onnxmem.graph.records import Model, TensorSpec

_FOLDER = re.compile(r"test_data_set_(\d+)")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One test case.

    Attributes:
        path: the folder.
        inputs: what the model is fed, by name.
        outputs: what it should give, by name; those that are no tensors are left out.
    """

    path: Path
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]


def recorded_folders(path: str | Path) -> tuple[Path, ...]:
    """Return the folders of test cases at `path`: itself, or those in it; none if it is neither."""
    path = Path(path)
    if (path / "input_0.pb").is_file():
        return (path,)
    found = {folder: _FOLDER.fullmatch(folder.name) for folder in path.glob("test_data_set_*")}
    numbered = {folder: int(match[1]) for folder, match in found.items() if match}
    return tuple(sorted(numbered, key=lambda folder: (numbered[folder], folder)))


def load_recorded(folder: Path, model: Model) -> Recorded:
    """Read a test case of `model`.

    Raises:
        DataError: a file cannot be read, or the inputs are not those of the model.
    """
    inputs = _tensors(folder, "input")
    for number, (_, array) in enumerate(inputs):
        if array is None:
            raise DataError(f"{folder / f'input_{number}.pb'} holds no dense tensor")
    named = _by_name(inputs, model.inputs)
    if named is None:
        wanted = ", ".join(spec.name for spec in model.inputs)
        raise DataError(
            f"{folder} holds {len(inputs)} inputs, {model.path} takes {len(model.inputs)}: {wanted}"
        )
    return Recorded(folder, named, _by_name(_tensors(folder, "output"), model.outputs) or {})


Tensor = tuple[str, np.ndarray | None]
"""Its name in the file, often empty, and its values."""


def _by_name(
    tensors: Sequence[Tensor], specs: Sequence[TensorSpec]
) -> dict[str, np.ndarray] | None:
    """Return tensors by the names of `specs`: in their order, or else by the names they have."""
    if len(tensors) != len(specs):
        known = dict(tensors)
        if len(known) < len(tensors) or not all(spec.name in known for spec in specs):
            return None
        tensors = [(spec.name, known[spec.name]) for spec in specs]
    pairs = zip(specs, tensors, strict=True)
    return {spec.name: array for spec, (_, array) in pairs if array is not None}


def _tensors(folder: Path, kind: str) -> list[Tensor]:
    """Return the tensors of `kind`_0.pb, `kind`_1.pb, ..."""
    tensors: list[Tensor] = []
    while (file := folder / f"{kind}_{len(tensors)}.pb").is_file():
        tensors.append(_read(file))
    return tensors


def _read(file: Path) -> Tensor:
    """Read one tensor; its values are None where the file holds something else."""
    proto = onnx.TensorProto()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror or error}") from error
    try:
        proto.ParseFromString(content)
        if proto.data_location == onnx.TensorProto.EXTERNAL:
            raise DataError(f"{file} keeps its values in another file; store them in the tensor")
        array = numpy_helper.to_array(proto)
    except DataError:
        raise
    except Exception:  # noqa: BLE001 - protobuf's errors have no common class
        return "", None
    if array.dtype == object:
        array = np.array([_text(one) for one in array.ravel()], object).reshape(array.shape)
    return proto.name, array


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
