"""Names of splits: which samples a network was trained on, and which it was not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onnxmem.data.columns import Column, whole
from onnxmem.data.labels import as_text
from onnxmem.data.shapes import in_words
from onnxmem.errors import DataError

TRAIN = frozenset({"train", "training"})
"""Splits that a network was trained on, as `plain_name` returns them."""

HELD_OUT = frozenset(
    {"test", "testing", "validation", "val", "valid", "dev", "eval", "evaluation", "heldout",
     "holdout"}
)  # fmt: skip
"""Splits whose samples a network was not trained on, as `plain_name` returns them."""

SPLITS = TRAIN | HELD_OUT


def plain_name(name: str) -> str:
    """Return the name of a split in lower case, without marks between words and without "set"."""
    plain = "".join(character for character in name.casefold() if character.isalnum())
    shorter = plain.removesuffix("set")
    return shorter if shorter in SPLITS else plain


def split_names(columns: Mapping[str, Column]) -> frozenset[str]:
    """Return the plain names of all splits; none where there is no such column."""
    splits = read_splits(columns)
    return frozenset() if splits is None else frozenset(map(plain_name, splits.tolist()))


def read_splits(columns: Mapping[str, Column]) -> np.ndarray | None:
    """Return the name of each sample's split as text, None where there is no column of them.

    Raises:
        DataError: it holds no names.
    """
    return as_text(whole(columns["split"]), "split") if "split" in columns else None


def rows_of_split(
    splits: np.ndarray | None, wanted: str | None, count: int
) -> tuple[np.ndarray, str]:
    """Return the positions of the samples to use, and what there is to say about the choice.

    Args:
        splits: (count,) the name of each sample's split, None where there are none.
        wanted: which to take; None: those that a network is trained on, if there are any.
        count: of all samples.

    Raises:
        DataError: there is no such split, or a name is missing.
    """
    if splits is None:
        if wanted is not None:
            raise DataError(f"the data have no array 'split' to take {wanted!r} from")
        return np.arange(count), ""
    if splits.shape != (count,):
        raise DataError(f"array 'split' has shape {in_words(splits.shape)}; it needs ({count},)")
    known = dict.fromkeys(sorted(splits.tolist()))
    if wanted in known:
        return np.flatnonzero(splits == wanted), ""
    names = TRAIN if wanted is None else {plain_name(wanted)}
    chosen = np.array([plain_name(name) in names for name in splits.tolist()], bool)
    if chosen.any():
        return np.flatnonzero(chosen), ""
    if wanted is None:
        return np.arange(count), (
            f"no split is called 'train', so all samples were used; there are {', '.join(known)}: "
            "choose with --split"
        )
    raise DataError(f"there is no split {wanted!r} in the data; there are {', '.join(known)}")
