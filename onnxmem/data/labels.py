"""Labels: numbers of classes, and the conventions by which names become such numbers."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onnxmem.data.columns import CLASS_NAMES, fits_type
from onnxmem.data.files import read_text
from onnxmem.data.shapes import in_words
from onnxmem.errors import DataError
from onnxmem.text import listed


def check_labels(y: np.ndarray, count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the labels as int64 (count,), and the names that they stand for.

    Text that consists of numbers is taken as these numbers. Other text is numbered in sorted
    order, as scikit-learn does; only then there are names.

    Raises:
        DataError: wrong shape or type, or out of range.
    """
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.shape != (count,):
        have, need = in_words(y.shape), in_words((count,))
        hint = "; of one-hot labels take y.argmax(axis=1)" if _is_one_hot(y, count) else ""
        raise DataError(f"labels 'y' have shape {have}; {count} samples need {need}{hint}")
    if y.dtype.kind in "USO":
        return _from_text(y)
    if y.dtype.kind not in "iu":
        raise DataError(f"labels 'y' must be integers, they are {y.dtype.name}; {_advice(y)}")
    if not fits_type(y, np.dtype(np.int64)):
        raise DataError(f"label {y.max()} in 'y' is out of range: it needs more than 63 bits")
    return y.astype(np.int64), ()


def _is_one_hot(y: np.ndarray, count: int) -> bool:
    numbers = y.ndim == 2 and len(y) == count and y.dtype.kind in "fiub"
    return numbers and bool(((y != 0).sum(axis=1) == 1).all())


def _advice(y: np.ndarray) -> str:
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        return "some of them are NaN or infinite"
    if y.dtype.kind == "f" and not np.array_equal(y, np.trunc(y)):
        return "a regression has no classes to audit"
    return "convert them with y.astype(int)"


def _from_text(y: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    texts = np.array([composed(text) for text in as_text(y).tolist()], str)
    numbers, by_number = number_names(set(texts.tolist()))
    labels = np.array([numbers[text] for text in texts.tolist()], np.int64)
    return labels, () if by_number else tuple(sorted(numbers, key=numbers.__getitem__))


def as_text(column: np.ndarray, name: str = "y") -> np.ndarray:
    """Return a column of any kind of text as str: bytes are UTF-8; names may be numbers.

    Args:
        column: what it holds.
        name: what it is called; labels (`y`) must be text here.

    Raises:
        DataError: an entry is no text.
    """
    if column.dtype.kind == "U" or (name != "y" and column.dtype.kind in "iubf"):
        return column.astype(str)
    if column.dtype.kind not in "SO":
        raise DataError(f"array {name!r} is {column.dtype.name}; it must hold text or integers")
    what = f"labels {name!r}" if name == "y" else f"array {name!r}"
    texts = [_one_text(entry, what, numbers=name != "y") for entry in column.ravel().tolist()]
    return np.array(texts, str).reshape(column.shape)


def _one_text(entry: Any, what: str, *, numbers: bool) -> str:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, bytes):
        try:
            return entry.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{what} hold bytes that are no text in UTF-8; store text") from error
    if numbers and isinstance(entry, int):
        return str(entry)
    kind = type(entry).__name__
    raise DataError(f"{what} must hold integers or text; there is a {kind} among them")


def composed(name: str) -> str:
    """Return a name in the normal form NFC; file systems keep some names in another."""
    return unicodedata.normalize("NFC", name)


def number_names(names: Iterable[str]) -> tuple[dict[str, int], bool]:
    """Return the class of each name, and whether the names are these numbers themselves.

    Where all names are different non-negative integers they say what they mean; otherwise they
    are numbered in sorted order, as torchvision's ImageFolder and scikit-learn do.
    """
    ordered = sorted(names)
    if ordered and all(name.isascii() and name.isdigit() and len(name) < 19 for name in ordered):
        numbers = {name: int(name) for name in ordered}
        if len(set(numbers.values())) == len(ordered):
            return numbers, True
    return {name: place for place, name in enumerate(ordered)}, False


def renumber(y: np.ndarray, classes: Mapping[str, int], source: str) -> np.ndarray:
    """Return the class of each label that is text.

    Raises:
        DataError: `classes`, read from the file `source`, lacks a label, or they are no text.
    """
    if y.dtype.kind not in "USO":
        raise DataError(
            f"labels 'y' are {y.dtype.name}; --class-names is for labels that are names"
        )
    texts = [composed(text) for text in as_text(y).ravel().tolist()]
    check_known(sorted(set(texts)), classes, source)
    return np.array([classes[text] for text in texts], np.int64).reshape(y.shape)


def check_known(names: Sequence[str], classes: Mapping[str, int], source: str) -> None:
    """Check that every name has a class.

    Raises:
        DataError: one has not; the message names some of both sides.
    """
    unknown = [name for name in names if name not in classes]
    if unknown:
        noun = "class" if len(unknown) == 1 else "classes"
        shown, known = (listed(list(map(repr, texts))) for texts in (unknown, classes))
        raise DataError(f"{source} does not name the {noun} {shown}; it has {known}")


def named_classes(classes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return the column of the names of classes: of each the first, "" where it has none.

    There is no column where the names are numbers, or the numbers too large for a list.
    """
    most = max(classes.values(), default=-1)
    if most >= MOST_NAMED or all(name == str(number) for name, number in classes.items()):
        return {}
    names = [""] * (most + 1)
    for name, number in reversed(list(classes.items())):
        names[number] = name
    return {CLASS_NAMES: np.array(names)}


MOST_NAMED = 100_000
"""Classes from which on names are not kept."""


def read_class_names(path: str | Path) -> dict[str, int]:
    """Read which class each name stands for.

    The file holds one name in each line, in the order of the classes; or JSON: a list of names,
    an object of name to number or of number to name(s), or a configuration with `label2id`,
    `id2label` or `label_names`.

    Raises:
        DataError: it cannot be read or is none of these.
    """
    text = read_text(Path(path), "file of class names")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    try:
        classes = _from_json(values) if isinstance(values, (dict, list)) else _from_lines(text)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path} holds no class names: {error}") from error
    if not classes:
        raise DataError(f"{path} holds no class names; write one in each line")
    return classes


def _from_lines(text: str) -> dict[str, int]:
    if text.lstrip().startswith(("{", "[")):
        raise ValueError("it starts like JSON and is none")
    return _numbered(line.strip() for line in text.rstrip().splitlines())


def _from_json(values: Any) -> dict[str, int]:
    if isinstance(values, list):
        return _numbered(values)
    for key in ("label2id", "id2label", "label_names"):
        if values.get(key):
            return _from_json(values[key])
    classes: dict[str, int] = {}
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values.values()):
        for name, number in values.items():
            _add(classes, name, _index(number))
        return classes
    for number, names in values.items():
        for name in names if isinstance(names, list) else [names]:
            _add(classes, name, _index(int(number)))
    return classes


def _numbered(names: Iterable[Any]) -> dict[str, int]:
    classes: dict[str, int] = {}
    for number, name in enumerate(names):
        _add(classes, name, number)
    return classes


def _add(classes: dict[str, int], name: Any, number: int) -> None:
    if not isinstance(name, str) or not name:
        raise TypeError(f"the name of class {number} is no text")
    name = composed(name)
    if classes.setdefault(name, number) != number:
        raise ValueError(f"{name!r} stands for two classes, {classes[name]} and {number}")


def _index(number: int) -> int:
    if not 0 <= number < 2**63:
        raise ValueError(f"{number} is no number of a class")
    return number
