"""Checks named arrays against what a network takes, and gives them an identity of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from onnxmem.data.channels import fit_axes
from onnxmem.errors import DataError

RESERVED = frozenset({"y", "y_true", "id", "split"})
"""Names in the data that are no inputs of a network."""


class InputSpec(Protocol):
    """Name, NumPy dtype name and shape of an input; sizes that are no int are free."""

    @property
    def name(self) -> str:
        """Name of the input."""
        ...

    @property
    def dtype(self) -> str | None:
        """NumPy's name of the element type; None where it is not known."""
        ...

    @property
    def shape(self) -> tuple[int | str | None, ...] | None:
        """Sizes; None where even the number of axes is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples that a network takes.

    Attributes:
        inputs: for each input an array (samples, ...).
        shared: inputs that are the same for all samples, fed as they are.
        labels: (samples,) int64, None where there are none.
        digests: (samples,) hexadecimal, a hash of each sample and its label as the data hold
            them, whatever number format and order of axes the network takes.
        changes: what was done to the data so that the network takes them, one line each.
    """

    inputs: Mapping[str, np.ndarray]
    shared: Mapping[str, np.ndarray]
    labels: np.ndarray | None
    digests: np.ndarray
    changes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.digests)

    @property
    def sha256(self) -> str:
        """A hash of all samples and labels that does not depend on their order."""
        whole = hashlib.sha256(b"".join(np.sort(self.digests).tolist()))
        for name in sorted(self.shared):
            whole.update(self.shared[name].tobytes())
        return whole.hexdigest()


def make_samples(
    arrays: Mapping[str, np.ndarray], specs: Sequence[InputSpec], split: str | None = None
) -> Samples:
    """Check `arrays` against the inputs of a network.

    An array belongs to the input of its name; `x` is the input of a network that has only one.
    `y` are the labels. Where there is an array `split`, only the samples of `split` are used, by
    default those called `train` if there are any. Channels are moved to the front or the end
    where the shapes fit in no other way (`onnxmem.data.channels`).

    Raises:
        DataError: an array is missing, or has the wrong shape, type, length or values.
    """
    named = _by_input(arrays, specs)
    fitted = {spec.name: fit_axes(named[spec.name], spec.shape or ()) for spec in specs}
    checked = {spec.name: _check_input(fitted[spec.name][0], spec) for spec in specs}
    count = _count(checked, arrays.get("y"), specs)
    shared = {name: array for name, array in checked.items() if len(array) != count}
    inputs = {name: array for name, array in checked.items() if name not in shared}
    labels = _check_labels(arrays["y"], count) if "y" in arrays else None
    rows = _rows_of_split(arrays.get("split"), split, count)
    inputs = {name: array[rows] for name, array in inputs.items()}
    for name, array in inputs.items():
        _check_finite(name, array)
    labels = None if labels is None else labels[rows]
    changes = tuple(f"input {name!r}: {text}" for name, (_, text) in fitted.items() if text)
    given = {name: named[name][rows] for name in inputs}
    return Samples(inputs, shared, labels, _digests(given, labels), changes)


def _by_input(
    arrays: Mapping[str, np.ndarray], specs: Sequence[InputSpec]
) -> dict[str, np.ndarray]:
    named = {name: array for name, array in arrays.items() if name not in RESERVED}
    if len(specs) == 1 and specs[0].name not in arrays and "x" in named:
        named[specs[0].name] = named["x"]
    for spec in specs:
        if spec.name in arrays:
            named[spec.name] = arrays[spec.name]
    missing = [spec.name for spec in specs if spec.name not in named]
    if missing:
        have = ", ".join(map(repr, sorted(arrays))) or "nothing"
        alias = " (or 'x')" if len(specs) == 1 and specs[0].name != "x" else ""
        wanted = ", ".join(map(repr, missing))
        raise DataError(f"the data lack the input {wanted}{alias}; they hold {have}")
    return named


def _check_input(array: np.ndarray, spec: InputSpec) -> np.ndarray:
    if spec.shape is not None and array.ndim != len(spec.shape):
        raise DataError(
            f"input {spec.name!r} takes {_text(spec.shape)}, the data have {_text(array.shape)}"
        )
    for axis, size in enumerate(spec.shape or ()):
        if axis and isinstance(size, int) and size > 0 and array.shape[axis] != size:
            raise DataError(
                f"input {spec.name!r} takes {_text(spec.shape or ())}, the data have "
                f"{_text(array.shape)}: axis {axis} must be {size}"
            )
    if array.ndim == 0:
        raise DataError(f"array {spec.name!r} has no axis of samples; its shape is ()")
    return _cast(array, spec)


def _cast(array: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Convert between floats, and from integers to what holds them; nothing else."""
    if spec.dtype is None or array.dtype.name == spec.dtype:
        return np.ascontiguousarray(array)
    if spec.dtype == "str" and array.dtype.kind in "UO":
        return array.astype(object)
    try:
        wanted = np.dtype(spec.dtype)
    except TypeError as error:
        raise DataError(
            f"input {spec.name!r} takes {spec.dtype}, which no array can hold"
        ) from error
    both_real = array.dtype.kind in "fiub" and wanted.kind == "f"
    integers = array.dtype.kind in "iu" and wanted.kind in "iu" and _fits(array, wanted)
    if not (both_real or integers):
        raise DataError(
            f"input {spec.name!r} takes {wanted.name}, the data have {array.dtype.name}"
        )
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=wanted)


def _fits(array: np.ndarray, wanted: np.dtype) -> bool:
    limits = np.iinfo(wanted)
    return array.size == 0 or (array.min() >= limits.min and array.max() <= limits.max)


def _count(
    inputs: Mapping[str, np.ndarray], y: np.ndarray | None, specs: Sequence[InputSpec]
) -> int:
    """Return the number of samples; an input may differ only where its whole shape is fixed."""
    first = next(iter(inputs))
    fixed = {spec.name: spec.shape[0] for spec in specs if spec.shape}
    free = [name for name in inputs if not isinstance(fixed.get(name), int)]
    count = len(inputs[free[0] if free else first])
    lengths = {name: len(array) for name, array in inputs.items()}
    for name, length in lengths.items():
        if length != count and (len(specs) == 1 or fixed.get(name) != length):
            raise DataError(f"the inputs differ in their number of samples: {lengths}")
    if y is not None and y.ndim == 1 and len(y) != count:
        raise DataError(f"there are {count} samples and {len(y)} labels in 'y'")
    if count == 0:
        raise DataError(f"there are no samples: input {first!r} is empty")
    return count


def _check_labels(y: np.ndarray, count: int) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.shape != (count,):
        raise DataError(f"labels 'y' have shape {_text(y.shape)}; {count} samples need ({count},)")
    if y.dtype.kind not in "iu":
        raise DataError(
            f"labels 'y' must be integers, they are {y.dtype.name}; convert them with y.astype(int)"
        )
    if y.min() < 0:
        raise DataError(f"labels 'y' must not be negative, there is {y.min()}")
    if not _fits(y, np.dtype(np.int64)):
        raise DataError(f"label {y.max()} in 'y' is out of range: it needs more than 63 bits")
    return y.astype(np.int64)


def _rows_of_split(column: np.ndarray | None, wanted: str | None, count: int) -> np.ndarray:
    if column is None:
        if wanted is not None:
            raise DataError(f"the data have no array 'split' to take {wanted!r} from")
        return np.arange(count)
    if column.shape != (count,):
        raise DataError(f"array 'split' has shape {_text(column.shape)}; it needs ({count},)")
    names = column.astype(str)
    known = sorted(set(names.tolist()))
    if wanted is None:
        wanted = "train" if "train" in known else None
    elif wanted not in known:
        raise DataError(f"there is no split {wanted!r} in the data; there are {', '.join(known)}")
    return np.arange(count) if wanted is None else np.flatnonzero(names == wanted)


def _check_finite(name: str, array: np.ndarray) -> None:
    if array.dtype.kind != "f":
        return
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise DataError(f"input {name!r} holds {bad} values that are NaN or infinite")


def _digests(inputs: Mapping[str, np.ndarray], labels: np.ndarray | None) -> np.ndarray:
    """Hash each sample: numbers as float32, which is what most networks take, words as they are."""
    count = len(next(iter(inputs.values())))
    digests = np.empty(count, dtype="S32")
    for row in range(count):
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(inputs):
            digest.update(_plain(np.asarray(inputs[name][row])))
        if labels is not None:
            digest.update(labels[row].tobytes())
        digests[row] = digest.hexdigest().encode()
    return digests


def _plain(sample: np.ndarray) -> bytes:
    if sample.dtype.kind not in "fiub":
        return repr(sample.tolist()).encode()
    with np.errstate(over="ignore"):
        return repr(sample.shape).encode() + sample.astype(np.float32).tobytes()


def _text(shape: tuple[object, ...]) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"
