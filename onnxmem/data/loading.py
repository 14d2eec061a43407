"""Which reader a path belongs to: what a file begins with decides, not its name."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from onnxmem.data import arrow, images, npy, npz
from onnxmem.data.budget import Budget, take_budget
from onnxmem.data.columns import Column, whole
from onnxmem.data.files import begin, damaged, regular_files
from onnxmem.data.labels import named_classes, read_class_names, renumber
from onnxmem.data.preprocess import read_preprocess
from onnxmem.data.recipe import Given
from onnxmem.errors import DataError, UsageError


def load(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    label_column: str = "y",
    class_names: str | Path | None = None,
    preprocess: str | Path | Sequence[str] = (),
    memory: int | None = None,
) -> dict[str, Column]:
    """Read labelled samples: named columns, as `onnxmem.audit` takes them.

    A file may be a `.npz` archive, a `.npy` array, a Parquet, Feather or Arrow file; a folder may
    hold `.npy` files, Parquet or Arrow files of one schema, or images in one subfolder for each
    class. Large files stay where they are and are read as far as they are used.

    Args:
        path: the file or folder.
        labels: a `.npy` file with the labels, where the data have none.
        label_column: the array or column that holds the labels, instead of `y`.
        class_names: a file that says which class each name stands for, where labels are names;
            see `onnxmem.data.labels.read_class_names`.
        preprocess: of images: `preprocessor_config.json` of transformers, `config.json` of timm,
            or words such as "size=256", "crop=224", "mean=0.485,0.456,0.406".
        memory: bytes that may be read into memory at once; None is half of what is free.

    Returns:
        Columns by name: inputs of a network (or `x`), labels in `y`, optional `id`, `split` and
        `class_names`.

    Raises:
        DataError: there is no such file, it cannot be read, or it is larger than `memory`; nothing
            is ever unpickled.
        UsageError: a word that is not known, or a library is missing.
    """
    path, budget = Path(path), take_budget(memory)
    words = [str(preprocess)] if isinstance(preprocess, (str, Path)) else list(preprocess)
    classes = None if class_names is None else read_class_names(class_names)
    given, source = read_preprocess(words), str(class_names)
    if path.is_dir():
        columns, of_images = _folder(path, label_column, given, classes, source, budget)
    else:
        columns, of_images = _file(path, label_column, budget), False
    if words and not of_images:
        raise UsageError(f"--preprocess is for images, which {path} does not hold; leave it out")
    columns = _labelled(columns, path, labels, label_column, budget)
    if classes is not None and not of_images:
        if "y" not in columns:
            raise DataError(f"--class-names is for labels, which {path} does not hold")
        columns["y"] = renumber(whole(columns["y"]), classes, source)
        columns |= named_classes(classes)
    return columns


def _folder(
    path: Path,
    label_column: str,
    given: Given,
    classes: dict[str, int] | None,
    source: str,
    budget: Budget,
) -> tuple[dict[str, Column], bool]:
    """Return the columns in a folder, and whether they are images."""
    if columns := npy.load_folder(path, budget):
        return columns, False
    found = (file for ending in arrow.ENDINGS for file in path.glob(f"*{ending}"))
    tables = regular_files(found, "data file")
    if tables:
        return arrow.load_table(tables, label_column, budget), False
    return images.load_folder(path, given, classes, source, budget), True


def _file(path: Path, label_column: str, budget: Budget) -> dict[str, Column]:
    magic = begin(path, "data file")
    if magic.startswith(npy.MAGIC):
        return npy.load_file(path)
    if zipfile.is_zipfile(path):
        return dict(npz.load(path, budget))
    if magic.startswith(npz.MAGIC):
        raise damaged(path, "its end is missing")
    if magic.startswith(arrow.MAGICS) or path.suffix in arrow.ENDINGS:
        return arrow.load_table([path], label_column, budget)
    raise DataError(
        f"{path} is no .npz archive, and no .npy, Parquet or Arrow file either; "
        "write an archive with numpy.savez(path, x=..., y=...)"
    )


def _labelled(
    columns: dict[str, Column],
    path: Path,
    labels: str | Path | None,
    label_column: str,
    budget: Budget,
) -> dict[str, Column]:
    """Return the columns with the labels in `y`, wherever they come from."""
    if label_column != "y":
        if label_column not in columns:
            have = ", ".join(map(repr, sorted(columns))) or "nothing"
            raise DataError(f"{path} has no labels {label_column!r}; it holds {have}")
        if "y" in columns:
            raise DataError(
                f"{path} holds labels in 'y' and in {label_column!r}; "
                "leave --label-column out, or give data without 'y'"
            )
        columns["y"] = columns.pop(label_column)
    if labels is not None:
        if "y" in columns:
            raise UsageError(f"{path} holds labels of its own; leave --labels out")
        columns["y"] = npy.load_labels(labels, budget)
    return columns
