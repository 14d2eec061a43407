"""Checks named columns against what a network takes, and gives samples an identity of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from onnxmem.data.channels import fit_axes
from onnxmem.data.columns import (
    CLASS_NAMES,
    RESERVED,
    Column,
    InputSpec,
    Lazy,
    Unread,
    View,
    blocks,
    convert,
    misnamed_labels,
    target_dtype,
    whole,
)
from onnxmem.data.labels import as_text, check_labels
from onnxmem.data.shapes import Sizes, fits, in_words, misfit
from onnxmem.data.splits import HELD_OUT, plain_name, read_splits, rows_of_split
from onnxmem.errors import DataError
from onnxmem.text import listed


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples that a network takes.

    Attributes:
        inputs: for each input a column (samples, ...); a slice or positions give arrays.
        shared: inputs that are the same for all samples, fed as they are.
        labels: (samples,) int64, None where there are none.
        digests: (samples,) hexadecimal, a hash of each sample and its label as the data hold
            them, numbers rounded to float32, whatever order of axes the network takes.
        contents: (samples,) the same of the inputs alone; equal where a sample is there twice.
        ids: (samples,) what the data call each sample, None where they do not.
        names: what the labels 0, 1, ... were called, where labels are names.
        class_names: what classes are called, by their number, wherever that is said.
        notes: what was assumed of the data, and changed so that the network takes them.
        recipe: what else decides the values, such as how images are prepared.
        libraries: distributions whose versions may decide the values, such as a decoder of images.
    """

    inputs: Mapping[str, Column]
    shared: Mapping[str, np.ndarray]
    labels: np.ndarray | None
    digests: np.ndarray
    contents: np.ndarray
    ids: np.ndarray | None = None
    names: tuple[str, ...] = ()
    class_names: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    recipe: str = ""
    libraries: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.digests)

    def called(self, rows: np.ndarray) -> tuple[str, ...]:
        """Return what some samples are called in messages: their ids, or their rows."""
        if self.ids is None:
            return tuple(f"row {row}" for row in rows.tolist())
        return tuple(map(str, self.ids[rows].tolist()))

    @property
    def sha256(self) -> str:
        """A hash of all samples and labels that does not depend on their order."""
        whole = hashlib.sha256(b"".join(np.sort(self.digests).tolist()))
        for name, array in sorted(self.shared.items()):
            whole.update(name.encode() + _plain(array))
        whole.update(self.recipe.encode())
        return whole.hexdigest()


def make_samples(
    columns: Mapping[str, Column], specs: Sequence[InputSpec], split: str | None = None
) -> Samples:
    """Check `columns` against the inputs of a network.

    A column belongs to the input of its name; `x` is the input of a network that has only one.
    `y` are the labels. Where there is a column `split`, only the samples of `split` are used, by
    default those called `train` if there are any (`onnxmem.data.splits`). Channels are moved to
    the front or the end where the shapes fit in no other way (`onnxmem.data.channels`). What lies
    in files stays there, but is looked at once, block by block.

    Raises:
        DataError: a column is missing, or has the wrong shape, type, length or values.
    """
    named = _by_input(columns, specs)
    pairs = {spec.name: _fit(named[spec.name], spec) for spec in specs}
    fitted = {name: column for name, (column, _) in pairs.items()}
    y = _given(columns, "y")
    count = _count(fitted, y, specs)
    shared = {
        spec.name: convert(whole(column), target_dtype(column.dtype, spec), spec.name)
        for spec in specs
        if (column := fitted[spec.name]).ndim == 0 or len(column) != count
    }
    labels, names = (None, ()) if y is None else check_labels(y, count)
    rows, note = rows_of_split(read_splits(columns), split, count)
    ids = None if "id" in fitted else _ids(_given(columns, "id"), count)
    inputs = {
        spec.name: _take(fitted[spec.name], rows, spec) for spec in specs if spec.name not in shared
    }
    labels = None if labels is None else labels[rows]
    sources = [column for column in fitted.values() if isinstance(column, Lazy)]
    notes = [*(one.note for one in sources), *(change for _, change in pairs.values()), note]
    if y is None:
        hint = misnamed_labels(name for name in columns if name not in fitted)
        notes += [] if any(hint in said for said in notes) else [hint]
    names_of_rows = [f"row {row}" for row in rows.tolist()] if ids is None else ids[rows].tolist()
    digests, contents = _digests(
        {name: named[name] for name in inputs}, rows, labels, inputs, names_of_rows
    )
    return Samples(
        inputs,
        shared,
        labels,
        digests,
        contents,
        ids=None if ids is None else ids[rows],
        names=names,
        class_names=_class_names(columns, names),
        notes=tuple(filter(None, dict.fromkeys(notes))),
        recipe="\n".join(filter(None, (source.recipe for source in sources))),
        libraries=tuple(sorted({source.library for source in sources} - {""})),
    )


def split_rows(columns: Mapping[str, Column], split: str | None, count: int) -> np.ndarray:
    """Return which of all `count` rows of `columns` those samples are that `make_samples` takes."""
    return rows_of_split(_given(columns, "split"), split, count)[0]


def held_out_samples(
    columns: Mapping[str, Column], specs: Sequence[InputSpec], names: frozenset[str] = HELD_OUT
) -> Samples | None:
    """Return the samples that the network was not trained on, None where none are marked so.

    Args:
        columns: as `make_samples` takes them.
        specs: the inputs of a network.
        names: of the splits that hold them, as `onnxmem.data.splits.plain_name` returns them.

    Raises:
        DataError: as `make_samples`.
    """
    splits = read_splits(columns)
    if splits is None:
        return None
    held = np.array([plain_name(name) in names for name in splits.tolist()], bool)
    if not held.any():
        return None
    marked = {**columns, "split": np.where(held, "held-out", "")}
    return make_samples(marked, specs, "held-out")


def _given(columns: Mapping[str, Column], name: str) -> np.ndarray | None:
    return whole(columns[name]) if name in columns else None


def _by_input(columns: Mapping[str, Column], specs: Sequence[InputSpec]) -> dict[str, Column]:
    """Return the column of each input, in the form that the input takes."""
    named = {name: column for name, column in columns.items() if name not in RESERVED}
    if len(specs) == 1 and specs[0].name not in columns and "x" in named:
        named[specs[0].name] = named["x"]
    for spec in specs:
        if spec.name in columns:
            named[spec.name] = columns[spec.name]
    missing = [spec.name for spec in specs if spec.name not in named]
    if missing:
        have = listed(list(map(repr, sorted(columns))), most=20) or "nothing"
        alias = " (or 'x')" if len(specs) == 1 and specs[0].name != "x" else ""
        wanted = listed(list(map(repr, missing)))
        noun = "input" if len(missing) == 1 else "inputs"
        unread = [column.hint for column in columns.values() if isinstance(column, Unread)]
        lacking = f"the data lack the {noun} {wanted}{alias}; they hold {have}"
        raise DataError("; ".join((lacking, *unread[:3])))
    return {spec.name: _in_form(named[spec.name], spec) for spec in specs}


def _in_form(column: Column, spec: InputSpec) -> Column:
    return column.fit(spec) if isinstance(column, Lazy) else column


def _fit(column: Column, spec: InputSpec) -> tuple[Column, str]:
    """Return a column whose shape is that of the input, and what was changed."""
    if spec.shape == () and column.shape in ((), (1,)):
        return whole(column).reshape(()), ""
    column, moved = fit_axes(column, spec.shape or ())
    if spec.shape is not None and not fits(column.shape, spec.shape):
        raise DataError(_misfit(column, spec, spec.shape))
    raw = ""
    if column.dtype == np.uint8 and target_dtype(column.dtype, spec).kind == "f":
        raw = "values of uint8 are taken as they are, not divided by 255"
    changes = ", ".join(filter(None, (moved, raw)))
    return column, f"input {spec.name!r}: {changes}" if changes else ""


def _misfit(column: Column, spec: InputSpec, wanted: Sizes) -> str:
    text = f"input {spec.name!r} takes {in_words(wanted)}, the data have {in_words(column.shape)}"
    if column.ndim == len(wanted):
        axis = misfit(column.shape, wanted)
        text += "" if axis is None else f": axis {axis} must be {wanted[axis]}"
    one = f"it is one value for all samples: give that, or --bind {spec.name}=VALUE"
    hints = (
        one if tuple(wanted) == () else _rearranged(column.shape, wanted),
        getattr(column, "hint", ""),
    )
    return "; ".join(filter(None, (text, *hints)))


def _rearranged(shape: tuple[int, ...], wanted: Sizes) -> str:
    """Return what would make the shape fit, or an empty string."""
    if fits((*shape[:1], 1, *shape[1:]), wanted):
        return "they fit after x[:, None]"
    if fits((*shape, 1), wanted):
        return "they fit after x[..., None]"
    flat = (*shape[:1], int(np.prod(shape[1:])))
    if fits(flat, wanted):
        return "they fit after x.reshape(len(x), -1)"
    sizes = [size for size in wanted[1:] if isinstance(size, int)]
    if len(shape) == 2 and len(sizes) == len(wanted) - 1 and prod(sizes) == shape[1]:
        return f"they fit after x.reshape(len(x), {', '.join(map(str, sizes))})"
    return ""


def _count(inputs: Mapping[str, Column], y: np.ndarray | None, specs: Sequence[InputSpec]) -> int:
    """Return the number of samples; an input may differ only where its whole shape is fixed."""
    first = next(iter(inputs))
    lengths = {name: len(array) for name, array in inputs.items() if array.ndim}
    if not lengths:
        raise DataError(f"array {first!r} has no axis of samples; its shape is ()")
    fixed = {spec.name: spec.shape[0] for spec in specs if spec.shape}
    free = [name for name in lengths if not isinstance(fixed.get(name), int)]
    count = lengths[free[0] if free else next(iter(lengths))]
    for name, length in lengths.items():
        if length != count and (len(specs) == 1 or fixed.get(name) != length):
            raise DataError(f"the inputs differ in their number of samples: {lengths}")
    if y is not None and y.ndim == 1 and len(y) != count:
        raise DataError(f"there are {count} samples and {len(y)} labels in 'y'")
    if count == 0:
        raise DataError(f"there are no samples: input {first!r} is empty")
    return count


def _class_names(columns: Mapping[str, Column], names: Sequence[str]) -> dict[int, str]:
    """Return what classes are called: labels themselves, or the column that says so."""
    given = _given(columns, CLASS_NAMES)
    if names or given is None:
        return dict(enumerate(names))
    if given.ndim != 1:
        raise DataError(f"array {CLASS_NAMES!r} has shape {in_words(given.shape)}; list the names")
    texts = as_text(given, CLASS_NAMES).tolist()
    return {number: name for number, name in enumerate(texts) if name}


def _ids(column: np.ndarray | None, count: int) -> np.ndarray | None:
    """Return what samples are called, as text."""
    if column is None:
        return None
    if column.shape != (count,):
        raise DataError(f"array 'id' has shape {in_words(column.shape)}; it needs ({count},)")
    return as_text(column, "id")


def _take(column: Column, rows: np.ndarray, spec: InputSpec) -> Column:
    """Return the samples `rows` in the type of the input; lazy ones are read when they are used."""
    if isinstance(column, Lazy):
        return View(column, rows, spec)
    chosen = column if len(rows) == len(column) else column[rows]
    return convert(chosen, target_dtype(column.dtype, spec), spec.name)


def _digests(
    columns: Mapping[str, Column],
    rows: np.ndarray,
    labels: np.ndarray | None,
    inputs: Mapping[str, Column],
    called: Sequence[str],
) -> tuple[np.ndarray, np.ndarray]:
    """Return a hash of each of the samples `rows` with its label, and one without.

    What `inputs` will hold is checked on the way; messages name samples as they are `called`.

    Raises:
        DataError: values are not finite, or not in the type that the network takes.
    """
    names = sorted(columns)
    digests, contents = [], []
    bad: dict[str, list[int]] = {name: [] for name in names}
    for block in blocks(columns.values(), len(rows)):
        hashes = [hashlib.blake2b(digest_size=16) for _ in rows[block]]
        for name in names:
            found = _fingerprints(columns[name], rows[block])
            if found is None:
                values = columns[name][rows[block]]
                lost = _bad_rows(convert(values, inputs[name].dtype, name))
                bad[name] += (block.start + lost).tolist()
                found = map(_plain, values)
            for one, content in zip(hashes, found, strict=True):
                one.update(content)
        contents += [one.hexdigest().encode() for one in hashes]
        if labels is not None:
            for one, label in zip(hashes, labels[block], strict=True):
                one.update(label.tobytes())
        digests += [one.hexdigest().encode() for one in hashes]
    for name, places in bad.items():
        if places:
            shown = listed([called[place] for place in places])
            noun = "sample" if len(places) == 1 else "samples"
            raise DataError(
                f"input {name!r} holds values that are NaN or infinite in {len(places)} {noun}: "
                f"{shown}"
            )
    return np.array(digests, dtype="S32"), np.array(contents, dtype="S32")


def _fingerprints(column: Column, rows: np.ndarray) -> Iterator[bytes] | None:
    return column.fingerprints(rows) if isinstance(column, Lazy) else None


def _plain(row: Any) -> bytes:
    """Return the bytes of a sample: numbers as float32, which is what most networks take."""
    sample: np.ndarray = np.asarray(row)
    if sample.dtype.kind not in "fiub":
        return repr(sample.tolist()).encode()
    with np.errstate(over="ignore"):
        return repr(sample.shape).encode() + sample.astype(np.float32).tobytes()


def _bad_rows(values: np.ndarray) -> np.ndarray:
    """Return the samples that hold a value which is not finite."""
    if values.dtype.kind != "f":
        return np.empty(0, np.int64)
    return np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
