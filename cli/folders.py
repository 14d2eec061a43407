"""Keeps outputs from replacing inputs, and writes files that belong together all or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from onnxmem.cache.scratch import unfinished_name
from onnxmem.errors import OutputError, UsageError


def check_keeps(inputs: Iterable[str], output: str, *, models: Iterable[str] = ()) -> None:
    """Check that `output` is none of the files that a command reads, nor in a folder of them.

    Args:
        inputs: files that are read.
        output: what would be written; `-` is stdout.
        models: those of `inputs` that may keep weights in other files, which count as well.

    Raises:
        UsageError: it is.
    """
    if output == "-":
        return
    target = Path(os.path.realpath(output))
    read = {Path(os.path.realpath(path)) for path in inputs}
    if target.exists():
        read |= {Path(os.path.realpath(file)) for model in models for file in _weights(model)}
    inside = target.is_file() and any(one.is_dir() and one in target.parents for one in read)
    if target in read or inside:
        raise UsageError(f"{output} would overwrite what is read; give another FILE")


def _weights(model: str) -> Iterable[Path]:
    """Return the files beside `model` that its weights are in."""
    from onnxmem import graph

    return graph.data_files(model)


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Give a new folder beside `target`; what is still in it at the end is removed.

    Raises:
        OutputError: it cannot be made.
    """
    folder = target.parent / unfinished_name()
    try:
        folder.mkdir()
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_free(target: Path) -> None:
    """Check that a folder can take the place of `target`: there is none, or an empty one.

    Raises:
        UsageError: something is there.
    """
    if target.is_dir():
        if any(target.iterdir()):
            raise UsageError(f"the folder {target} is not empty; give another one")
    elif target.exists():
        raise UsageError(f"{target} is a file; give a folder")


def publish_folder(folder: Path, target: Path) -> None:
    """Let `folder` take the place of `target`.

    Raises:
        OutputError: it cannot.
    """
    try:
        if target.is_dir():
            target.rmdir()
        folder.rename(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error


def publish_files(folder: Path, target: Path) -> None:
    """Move the files of `folder` to that of `target`, which is one of them and comes last.

    Raises:
        OutputError: one cannot be moved.
    """
    names = sorted((path.name for path in folder.iterdir()), key=lambda name: name == target.name)
    try:
        for name in names:
            os.replace(folder / name, target.parent / name)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
