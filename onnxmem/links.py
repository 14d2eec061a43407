"""Which files a model may keep its weights in, where these lie in another place as well.

A link can make any file of this machine the weights of a model that a stranger packed, and what is
computed or written then holds its content. But package managers and hubs lay files out with links.
So a link counts where somebody vouches for it who cannot have been the one that packed the model:

- The cache of Hugging Face's hub: `snapshots/REVISION/...` holds symbolic links to `blobs/NAME`.
- uv, pip and conda: the record of the package states the hash of the file, and the file has it. Who
  could state the hash of a file that is not theirs knows its content already.
- Nix, OSTree and what root installed: model and weights belong to root, and we are somebody else.

Everything else takes `trusting_links`: hard links of DVC, of backups, of a folder made by hand.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "ONNXMEM_TRUST_LINKS"
"""Of the environment, so that processes which a command starts trust what it does."""

MOST_RECORDS = 64 << 20
"""Bytes of the longest record that is read."""


@contextmanager
def trusting_links(trust: bool = True) -> Iterator[None]:
    """Take weights from whatever their links lead to, where `trust` is true."""
    before = os.environ.get(VARIABLE)
    if trust:
        os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        if trust and before is None:
            os.environ.pop(VARIABLE, None)


def are_trusted() -> bool:
    """Tell whether links are followed wherever they lead."""
    return os.environ.get(VARIABLE) == "1"


def may_lead_to(model: Path, target: Path) -> bool:
    """Tell whether weights of `model` may lie at `target`, outside of its folder."""
    return are_trusted() or _is_blob(model, target)


def may_have_links(model: Path, file: Path) -> bool:
    """Tell whether weights of `model` may lie in `file`, which has more than one hard link."""
    return are_trusted() or _is_of_root(model, file) or _is_recorded(file)


def _is_blob(model: Path, target: Path) -> bool:
    """Tell whether both are of one repository in the cache of Hugging Face's hub."""
    home = next((one.parent for one in model.absolute().parents if one.name == "snapshots"), None)
    return home is not None and target.parent == home.resolve() / "blobs"


def _is_of_root(model: Path, file: Path) -> bool:
    own = os.geteuid() if hasattr(os, "geteuid") else 0
    return own != 0 and model.stat().st_uid == file.stat().st_uid == 0


def _is_recorded(file: Path) -> bool:
    """Tell whether the record of an installed package states the hash that `file` has."""
    stated = set(_stated(file.absolute()))
    return bool(stated) and _hash(file) in stated


def _stated(file: Path) -> Iterator[str]:
    """Yield the hashes, in hexadecimal digits, that records above `file` state for it."""
    for folder in file.parents:
        name = file.relative_to(folder).as_posix()
        for record in sorted(folder.glob("*.dist-info/RECORD")):
            for row in csv.reader(_text(record).splitlines()):
                if len(row) > 1 and row[0] == name and row[1].startswith("sha256="):
                    yield _hexadecimal(row[1].removeprefix("sha256="))
        for record in sorted(folder.glob("conda-meta/*.json")):
            yield from _of_conda(_text(record), name)


def _of_conda(text: str, name: str) -> Iterator[str]:
    try:
        paths = json.loads(text)["paths_data"]["paths"]
        yield from (one["sha256"] for one in paths if one["_path"] == name)
    except (ValueError, LookupError, TypeError, RecursionError):
        return


def _text(record: Path) -> str:
    try:
        fits = record.is_file() and record.stat().st_size <= MOST_RECORDS
        return record.read_text("utf-8") if fits else ""
    except (OSError, ValueError):
        return ""


def _hexadecimal(text: str) -> str:
    """Return a digest as digits that a record states in base 64 without its padding."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()
    except ValueError:
        return ""


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
