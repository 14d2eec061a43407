"""Manifests: TOML or CSV, or models themselves by patterns and folders, to entries."""

from __future__ import annotations

import csv
import glob
import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onnxmem.errors import DataError, UsageError
from onnxmem.surveying.options import FLAGS, REPEATABLE, placed, unified
from onnxmem.text import printable

_LONGEST = 1 << 28
"""Characters beyond which no manifest is read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A model to audit.

    Attributes:
        path: its file.
        options: of its audit, by the names of the command line's options, `data` among them.
        name: what its files shall be called, empty for a name after its path.
        where: what a message calls this entry.
    """

    path: str
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    where: str = ""


def read_entries(sources: Sequence[str | Path]) -> list[Entry]:
    """Return the models that manifests, patterns, folders or paths name, in their order.

    Raises:
        UsageError: a manifest names what no audit takes, or there is no model at all.
        DataError: a manifest cannot be read.
    """
    found = [entry for source in sources for entry in _read(str(source))]
    if not found:
        names = ", ".join(printable(str(source), 200) for source in sources)
        raise UsageError(f"{names}: there is no model; give a manifest, a pattern or a folder")
    return found


def make_entries(values: Iterable[Any], folder: Path, source: str) -> list[Entry]:
    """Return entries of dictionaries with a path, data, and options of an audit.

    Raises:
        UsageError: one is none, or has no path or a key that is no option.
    """
    return [_entry(one, folder, f"{source}, model {n}") for n, one in enumerate(values, 1)]


def _read(source: str) -> Iterator[Entry]:
    ending = Path(source).suffix.lower()
    if ending == ".toml":
        yield from _from_toml(source)
    elif ending == ".csv":
        yield from _from_csv(source)
    elif Path(source).is_dir():
        yield from map(_plain, sorted(map(str, Path(source).rglob("*.onnx"))))
    elif glob.has_magic(source) and not Path(source).exists():
        yield from map(_plain, sorted(glob.glob(source, recursive=True)))
    else:
        yield _plain(source)


def _plain(path: str) -> Entry:
    return Entry(path, where=printable(path, 200))


def _from_toml(source: str) -> list[Entry]:
    shown = printable(source, 200)
    try:
        values = tomllib.loads(_text(source))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{shown} is no TOML: {printable(str(error), 200)}") from error
    models = values.pop("model", [])
    if values:
        raise UsageError(
            f"{shown}: unknown key {printable(next(iter(values)))!r}; a manifest has [[model]] "
            "tables alone"
        )
    if not isinstance(models, list):
        raise UsageError(f"{shown}: write each model as a table of its own: [[model]]")
    return make_entries(models, Path(source).parent, shown)


def _from_csv(source: str) -> list[Entry]:
    shown = printable(source, 200)
    rows = csv.DictReader(io.StringIO(_text(source)), strict=True)
    try:
        values = [_cells(row, f"{shown}, line {rows.line_num}") for row in rows]
    except csv.Error as error:
        raise DataError(f"{shown} is no CSV: {error}") from error
    return make_entries(values, Path(source).parent, shown)


def _cells(row: Mapping[str | None, Any], where: str) -> dict[str, Any]:
    """Return the cells of a line that say something; several values stand between semicolons."""
    if None in row:
        raise DataError(f"{where} has more cells than there are columns")
    found: dict[str, Any] = {}
    for key, cell in row.items():
        name, text = str(key).strip(), (cell or "").strip()
        if text:
            several = name.replace("-", "_") in REPEATABLE
            found[name] = [one.strip() for one in text.split(";")] if several else text
            if name.replace("-", "_") in FLAGS:
                found[name] = text.lower()
    return found


def _entry(values: Any, folder: Path, where: str) -> Entry:
    if not isinstance(values, Mapping):
        raise UsageError(f"{where}: give a table with a path")
    rest = dict(values)
    path, name = rest.pop("path", None), rest.pop("name", "")
    if not isinstance(path, (str, Path)) or not str(path) or "\0" in str(path):
        raise UsageError(f"{where} has no path; give that of an ONNX file")
    if not isinstance(name, str):
        raise UsageError(f"{where}: a name is a text")
    return Entry(str(folder / path), placed(unified(rest, where), folder), name, where)


def _text(source: str) -> str:
    shown = printable(source, 200)
    try:
        with open(source, encoding="utf-8-sig") as stream:
            text = stream.read(_LONGEST)
    except OSError as error:
        raise DataError(f"cannot read the manifest {shown}: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{shown} is no manifest: it is not UTF-8 text") from error
    if len(text) == _LONGEST:
        raise DataError(f"{shown} is too long for a manifest")
    return text
