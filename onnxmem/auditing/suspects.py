"""Which samples count as noisy, and who says so: a file, true labels, or neighbours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onnxmem.auditing.locate_settings import FLAGGED, LocateSettings
from onnxmem.data import Column, Suspects, find_suspects, split_rows
from onnxmem.data.columns import whole
from onnxmem.errors import DataError, InconclusiveError, UsageError
from onnxmem.evidence.gather import Gathered
from onnxmem.evidence.memorization import memorized
from onnxmem.network.opening import Opened
from onnxmem.records import Suspected


def tell_suspects(
    opened: Opened,
    arrays: Mapping[str, Column],
    settings: LocateSettings,
    given: Suspects | None,
    gathered: Gathered | str,
) -> tuple[np.ndarray, Suspected]:
    """Return which samples are suspects (samples,), and who says so.

    Those that somebody gave come first, then those whose true label the data have, then those that
    are memorized by what neighbours say.

    Args:
        opened: the network and its samples.
        arrays: the data.
        settings: may ask for what neighbours say.
        given: suspects of a file.
        gathered: what neighbours tell, or why they tell nothing.

    Raises:
        DataError: those that were given are not among the samples.
        UsageError: all samples are suspects.
        InconclusiveError: no sample is one, or neighbours tell nothing and nobody else does.
    """
    found, who = None, "samples"
    rows = split_rows(arrays, settings.split, len(arrays["y"]))
    if given is not None:
        found, who = given_suspects(opened, arrays, settings.split, given), "file"
    elif settings.suspects != FLAGGED and "y_true" in arrays:
        found, who = _untrue(arrays, rows), "true labels"
    if found is None:
        found, who = _flagged(gathered), "samples"
    if not found.any():
        raise InconclusiveError("no sample is a suspect, so there is nothing to locate")
    if found.all():
        raise UsageError("all samples are suspects: nothing is left to hold them against")
    count = int(found.sum())
    path = "" if given is None else given.source
    return found, Suspected(who, path, count, len(found) - count)


def given_suspects(
    opened: Opened, arrays: Mapping[str, Column], split: str | None, given: Suspects
) -> np.ndarray:
    """Return which samples somebody holds for noisy, in the order of the data (samples,).

    Args:
        opened: the network and its samples.
        arrays: the data.
        split: that the samples are of, None for the usual one.
        given: what was said.

    Raises:
        DataError: those that were given are not among the samples.
    """
    rows = split_rows(arrays, split, len(arrays["y"]))
    ids = opened.samples.ids
    names = [str(one) for one in (range(len(rows)) if ids is None else ids.tolist())]
    others = () if ids is None else map(str, whole(arrays["id"]).tolist())
    return find_suspects(given, rows, len(arrays["y"]), names, dict.fromkeys(others))


def _untrue(arrays: Mapping[str, Column], rows: np.ndarray) -> np.ndarray | None:
    """Return which samples have another label than the true one, None where none has.

    Raises:
        DataError: there is not one true label for each row.
    """
    given, true = (whole(arrays[name]) for name in ("y", "y_true"))
    if true.shape != given.shape:
        raise DataError(f"array 'y_true' has shape {true.shape}, 'y' has {given.shape}")
    wrong = np.asarray(given != true)[rows]
    return wrong if wrong.any() else None


def _flagged(gathered: Gathered | str) -> np.ndarray:
    """Return which samples are memorized, in the order of the data.

    Raises:
        InconclusiveError: neighbours tell nothing.
    """
    if isinstance(gathered, str):
        raise InconclusiveError(gathered)
    facts, order = gathered.facts, gathered.contents.order
    found = np.zeros(len(order), bool)
    found[order] = memorized(facts, facts.all_votes)
    return found
