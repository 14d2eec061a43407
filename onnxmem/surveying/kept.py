"""The folder of a survey: a record for each model, and whether it still holds.

`records/NAME.json` is written last of a model's files, so a model without one is audited again.
Several processes may share the folder: each writes what is its own, whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from onnxmem.errors import OutputError, UsageError
from onnxmem.report import write_all
from onnxmem.report.own import is_ours
from onnxmem.surveying.inputs import unchanged
from onnxmem.surveying.tasks import Kept
from onnxmem.text import json_text, printable

RECORDS = "records"
ENDINGS = (".json", ".html")


def prepare(out: Path, files: Iterable[str]) -> None:
    """Make the folder, and check that what will be written there replaces no file of others.

    Raises:
        OutputError: it cannot be made.
        UsageError: a file of others is in the way.
    """
    try:
        (out / RECORDS).mkdir(parents=True, exist_ok=True)
        for path in map(out.joinpath, files):
            if path.exists() and not is_ours(path):
                raise UsageError(
                    f"{printable(str(path), 200)} is no report of onnxmem and would be "
                    "overwritten; give another --out"
                )
    except UsageError:
        raise
    except OSError as error:
        shown = printable(str(out), 200)
        raise OutputError(f"cannot write {shown}: {error.strerror or error}") from error


def keep(out: Path, kept: Kept, files: dict[str, str | bytes]) -> None:
    """Write the files of a model, then its record.

    Raises:
        OutputError: one cannot be written.
    """
    write_all({str(out / name): text for name, text in files.items()})
    record = json_text(msgspec.to_builtins(kept))
    write_all({str(_record(out, kept.model.name)): record})


def recall(out: Path, name: str) -> Kept | None:
    """Return the record of a model, None where there is none that can be read."""
    try:
        return msgspec.json.decode(_record(out, name).read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None


def holds(out: Path, kept: Kept | None, digest: str, path: str, data: str) -> bool:
    """Tell whether a model need not be audited again.

    Its reports are there, and its inputs, settings and versions are what they were.
    """
    if kept is None or not kept.model.report or not kept.inputs:
        return False
    row = kept.model
    same = (row.path, row.data, kept.digest) == (path, data, digest)
    there = all((out / f"{row.name}{end}").is_file() for end in ENDINGS)
    return same and there and unchanged(kept.inputs)


def _record(out: Path, name: str) -> Path:
    return out / RECORDS / f"{name}.json"
