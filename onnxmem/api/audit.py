"""One call for one audit."""

from __future__ import annotations

import operator
from collections.abc import Callable, ItemsView, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from onnxmem.api.results import Report
from onnxmem.auditing import Progress, Settings, run_audit
from onnxmem.cache import NOWHERE, Store, default_store
from onnxmem.compression.settings import BATCHES, parse_ranks
from onnxmem.data import Column, Lazy, Source, load
from onnxmem.errors import DataError, UsageError
from onnxmem.factorize import COMPRESSORS


def audit(
    model: str | Path,
    x: ArrayLike | Mapping[str, ArrayLike | Column] | str | Path,
    y: ArrayLike | None = None,
    *,
    layers: Sequence[str] = (),
    kind: Sequence[str] = ("auto",),
    compress: Sequence[str] = COMPRESSORS,
    batch: Sequence[str] = BATCHES,
    per_class: int = 30,
    ranks: Sequence[int] | Literal["auto"] = "auto",
    metric: Literal["top1", "fidelity"] | None = None,
    output_name: str | None = None,
    bind: Mapping[str, Any] | None = None,
    split: str | None = None,
    device: str = "auto",
    exact: bool = False,
    memory: int | None = None,
    seed: int = 0,
    fail_under: Mapping[str, float] | None = None,
    min_accuracy: float | None = None,
    cache: bool | str | Path = False,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Score every layer of an ONNX network by how well it survives compression.

    Args:
        model: path of the ONNX file.
        x: the samples, preprocessed as the network takes them: an array (samples, ...), or one
            for each input name; or a path, or what `onnxmem.data.load` returned for one.
        y: (samples,) the integer labels that the network was trained on; None takes `y` from `x`
            if it is there, else groups the samples by the network's own predictions and measures
            fidelity to them.
        layers: glob patterns of tensor names; none takes every site.
        kind: "auto", which takes ReLUs where there are any, else what activations there are; or
            groups ("any", "signed", "nonnegative") and names of kinds, see `onnxmem.graph.KINDS`.
        compress: of "nmf", "pca" and "ablation".
        batch: of "class" and "mixed".
        per_class: samples of each class.
        ranks: "auto" chooses ranks until the AuC is known to 0.005, if accuracy does not fall with
            rank; or the ranks to measure, each of them once.
        metric: "top1" or "fidelity"; None takes top1 where there are labels.
        output_name: the output that classifies, if there are several.
        bind: values of inputs that are fixed for good.
        split: where `x` has an array `split`, the samples to take; None takes those called
            "train", if there are any.
        device: "auto", "cpu", "cuda" or "cuda:N".
        exact: leave out the optimizations of onnxruntime that round.
        memory: bytes that activations may take; None is half of what is free.
        seed: of every random choice.
        fail_under: smallest score for keys of the summary, such as {"nmf.mixed": 0.5}.
        min_accuracy: baseline accuracy below which the report is inconclusive.
        cache: keep the results of layers, and take from there what was measured before: True for
            the folder that the command line uses, or a folder. Equal results, in less time.
        progress: called while the audit runs.

    Returns:
        The report; `report.summary["nmf.mixed"].auc` is the score, 0 to 1. A network that cannot
        be audited (no activation, samples that influence each other, no classifier, ...) has a
        report as well: `report.verdict` is "inconclusive", `report.reason` says why,
        `report.measured` is False and every score None.

    Raises:
        OnnxmemError: one of the classes of `onnxmem.errors` whose exit code is 2 or 4, with a
            message of one line.

    Source: Collins, Bigdeli, Süsstrunk (2018), arXiv:1810.03372.
    """
    arrays = _columns(x, y)
    settings = Settings(
        layers=_words("layers", layers),
        kind=_words("kind", kind),
        compress=_words("compress", compress),
        batch=_words("batch", batch),
        per_class=_plain(per_class),
        ranks=_ranks(ranks),
        metric=metric,
        output_name=output_name,
        bind={name: np.asarray(value).tolist() for name, value in _pairs("bind", bind)},
        split=split,
        device=device,
        exact=_plain(exact),
        memory=_plain(memory),
        seed=_plain(seed),
        fail_under={key: _plain(value) for key, value in _pairs("fail_under", fail_under)},
        min_accuracy=_plain(min_accuracy),
    )
    report = run_audit(
        model,
        arrays,
        settings,
        source=Source(str(x) if isinstance(x, (str, Path)) else ""),
        store=_store(cache),
        listen=progress or (lambda event: None),
    )
    return Report.of(report)


def _store(cache: bool | str | Path) -> Store:
    if isinstance(cache, bool):
        return default_store() if cache else NOWHERE
    if not isinstance(cache, (str, Path)):
        raise UsageError(f"cache={cache!r}: give True, False or a folder")
    return default_store(cache)


def _columns(
    x: ArrayLike | Mapping[str, ArrayLike | Column] | str | Path, y: ArrayLike | None
) -> dict[str, Column]:
    given: dict[str, Any] = {"x": x}
    if isinstance(x, (str, Path)):
        given = dict(load(x))
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


def _words(name: str, values: Sequence[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise UsageError(f"{name}={values!r} is one word; give a list: {name}=[{values!r}]")
    try:
        return tuple(values)
    except TypeError as error:
        raise UsageError(f"{name}={values!r}: give a list of words") from error


def _pairs(name: str, values: Mapping[str, Any] | None) -> ItemsView[str, Any]:
    if not isinstance(values, Mapping | None):
        raise UsageError(f"{name}={values!r}: give a dictionary")
    return ({} if values is None else values).items()


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python, anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _ranks(values: Sequence[int] | Literal["auto"]) -> tuple[int, ...] | Literal["auto"]:
    if isinstance(values, str):
        return parse_ranks(values)
    try:
        return tuple(sorted({operator.index(value) for value in values}))
    except TypeError as error:
        raise UsageError(f"ranks={values!r}: give integers from 1 on, or 'auto'") from error
