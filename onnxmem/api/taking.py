"""What callers give in place of files and options: arrays, paths, words."""

from __future__ import annotations

import operator
from collections.abc import ItemsView, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from onnxmem.auditing.evidence import SAME_DATA, HeldOutSource
from onnxmem.auditing.locate_settings import FLAGGED
from onnxmem.cache import NOWHERE, Store, default_store
from onnxmem.compression.settings import parse_ranks
from onnxmem.data import Column, Lazy, Source, Suspects, as_flags, load, plain_name, read_suspects
from onnxmem.errors import DataError, UsageError
from onnxmem.records import Waiver, make_waiver

Inputs = ArrayLike | Mapping[str, ArrayLike | Column] | str | Path
"""Samples: one array, or one for each input, or a path."""


def take_store(cache: bool | str | Path) -> Store:
    """Return where results are kept."""
    if isinstance(cache, bool):
        return default_store() if cache else NOWHERE
    if not isinstance(cache, (str, Path)):
        raise UsageError(f"cache={cache!r}: give True, False or a folder")
    return default_store(cache)


def take_source(x: Inputs) -> Source:
    """Return where samples come from."""
    return Source(str(x) if isinstance(x, (str, Path)) else "")


def take_columns(
    x: Inputs, y: ArrayLike | None = None, memory: int | None = None
) -> dict[str, Column]:
    """Return samples as named columns, labels in `y`.

    Raises:
        DataError: they cannot be read, or are no arrays, or hold labels of their own.
    """
    given: dict[str, Any] = {"x": x}
    if isinstance(x, (str, Path)):
        given = dict(load(x, memory=memory))
    elif isinstance(x, Mapping):
        given = dict(x)
    if y is not None and "y" in given:
        raise DataError("there are labels among the inputs already; leave y out, or those")
    given |= {} if y is None else {"y": y}
    return {name: _column(name, values) for name, values in given.items()}


def _column(name: str, values: ArrayLike | Column) -> Column:
    if isinstance(values, Lazy):
        return values
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(f"{name!r} is no array: {error}") from error


def take_held_out(given: Inputs | Sequence[str] | None) -> HeldOutSource:
    """Return where held-out samples come from: other data, or splits of the same."""
    if given is None:
        return SAME_DATA
    if isinstance(given, (list, tuple, set, frozenset)) and all(isinstance(n, str) for n in given):
        return HeldOutSource(splits=frozenset(map(plain_name, given)))
    return HeldOutSource(take_columns(given))


def take_words(name: str, values: Sequence[str], separator: str | None = ",") -> tuple[str, ...]:
    """Return words that were given as a list, or as one text with a separator between them.

    Without a separator a text is one word.

    Raises:
        UsageError: they are neither.
    """
    if isinstance(values, str):
        return tuple(word.strip() for word in values.split(separator)) if separator else (values,)
    try:
        return tuple(values)
    except TypeError as error:
        raise UsageError(f"{name}={values!r}: give a list of words") from error


def take_pairs(name: str, values: Mapping[str, Any] | None) -> ItemsView[str, Any]:
    """Return the items of a dictionary, which may be left out.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(values, Mapping | None):
        raise UsageError(f"{name}={values!r}: give a dictionary")
    return ({} if values is None else values).items()


def take_bind(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return values of inputs that are fixed for good, as plain lists and numbers."""
    return {name: np.asarray(value).tolist() for name, value in take_pairs("bind", values)}


def take_limits(name: str, values: Mapping[str, float] | None) -> dict[str, Any]:
    """Return thresholds by their key."""
    return {key: plain(value) for key, value in take_pairs(name, values)}


def take_waivers(values: Sequence[Mapping[str, str] | Waiver]) -> tuple[Waiver, ...]:
    """Return waivers, of which some are given as dictionaries.

    Raises:
        UsageError: one has a field that there is not, or is no waiver.
    """
    if isinstance(values, (str, Mapping)) or not all(
        isinstance(one, (Mapping, Waiver)) for one in values
    ):
        raise UsageError(f"waivers={values!r}: give a list of dictionaries with gate and reason")
    return tuple(one if isinstance(one, Waiver) else make_waiver(one) for one in values)


def take_ranks(values: Sequence[int] | Literal["auto"]) -> tuple[int, ...] | Literal["auto"]:
    """Return ranks in rising order, each once.

    Raises:
        UsageError: they are neither integers nor "auto".
    """
    if isinstance(values, str):
        return parse_ranks(values)
    try:
        return tuple(sorted({operator.index(value) for value in values}))
    except TypeError as error:
        raise UsageError(f"ranks={values!r}: give integers from 1 on, or 'auto'") from error


def plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def take_suspects(given: str | Path | ArrayLike | None) -> tuple[Suspects | None, str | None]:
    """Return the suspects that were given, and what settings say of them."""
    if given is None or (isinstance(given, str) and given == FLAGGED):
        return None, given
    if isinstance(given, (str, Path)):
        return read_suspects(given), str(given)
    return Suspects("the array suspects", as_flags(np.asarray(given), "the array suspects")), None
