"""Puts reports side by side: layers matched, and scores with their paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onnxmem.errors import UsageError
from onnxmem.pairing import Matched, Pair, match_layers, paired, shared_seed
from onnxmem.records import (
    COMPARISON_SCHEMA,
    RELATIVE,
    Cell,
    Comparison,
    Layer,
    Report,
    Row,
    model_names,
)
from onnxmem.records.comparability import differing
from onnxmem.text import listed

OWN_DATA = "each model was judged on its own samples and labels, so differences are not paired"


def compare(
    reports: Sequence[Report],
    *,
    notes: Sequence[str] = (),
    same_data: bool = False,
    own_data: bool = False,
) -> Comparison:
    """Put reports side by side; the first is what the others differ from.

    Args:
        reports: two or more.
        notes: how the data were given to models that take them in different forms.
        same_data: the caller has seen to it that all models got the same samples, even where
            each took them from an array of its own.
        own_data: each model is judged on data of its own, as networks that were trained on
            different labels are. Where data differ there are no intervals of differences, since
            nothing is left to pair.

    Raises:
        UsageError: there are fewer than two, or they measured different things; the message says
            which.
    """
    if len(reports) < 2:
        raise UsageError("there is nothing to compare; give two reports at least")
    if differ := differing(reports, same_data=same_data, own_data=own_data):
        raise UsageError(
            f"the reports {_apart(reports, same_data=same_data)}cannot be compared: "
            f"{', '.join(differ)} differ; {_mended(differ, reports[0])}"
        )
    keys = list(dict.fromkeys(key for report in reports for key in report.summary))
    matched = match_layers([report.layers for report in reports])
    apart = own_data and bool(differing(reports, same_data=same_data))
    seed = None if apart else shared_seed(reports)
    return Comparison(
        schema=COMPARISON_SCHEMA,
        models=model_names(reports),
        summary={key: _means(reports, matched, key, seed) for key in keys},
        layers=tuple(_row(layers, keys, seed) for layers in matched),
        notes=(*notes, *([OWN_DATA] if apart else [])),
        reports=tuple(reports),
    )


def _apart(reports: Sequence[Report], *, same_data: bool) -> str:
    """Return which models measured something else than the first that measured anything."""
    named = zip(model_names(reports), reports, strict=True)
    (first, one), *others = [(name, report) for name, report in named if report.measured]
    apart = [name for name, other in others if differing([one, other], same_data=same_data)]
    return f"of {first} and {listed(apart)} " if apart else ""


def _mended(differ: Sequence[str], report: Report) -> str:
    """Return what to do about reports, of which this is one, that differ in this."""
    if list(differ) == ["batches"] and report.baseline.metric == "fidelity":
        return (
            "without labels each model's own predictions group its samples; compare the models "
            "themselves, which share the groups of the first"
        )
    own = "; --own-data compares each on its own samples and labels" if "data" in differ else ""
    return f"audit all models with the same data and settings{own}"


def _means(
    reports: Sequence[Report], matched: Sequence[Matched], key: str, seed: int | None
) -> tuple[Cell | None, ...]:
    cells = [_mean(report, key) for report in reports]
    return tuple(
        cell if cell is None or place == 0 else _against(cell, _shared(matched, place, key), seed)
        for place, cell in enumerate(cells)
    )


def _mean(report: Report, key: str) -> Cell | None:
    score = report.summary.get(key)
    if score is None:
        return None
    none = score.auc is None
    above = none and score.layers_above > 0
    saturated = none and not above and score.layers_saturated > 0
    relative = report.value(key + RELATIVE)
    return Cell(
        score.auc,
        score.auc_low,
        score.auc_high,
        saturated,
        above=above,
        auc_relative=None if relative is None else relative.value,
    )


def _shared(matched: Sequence[Matched], place: int, key: str) -> list[Pair]:
    """Return the curves that the first model and another one have and that can be read in both."""
    pairs = [_pair(layers[0], layers[place], key) for layers in matched]
    return [pair for pair in pairs if pair is not None]


def _row(layers: Matched, keys: Sequence[str], seed: int | None) -> Row:
    widths = (layer.width for layer in layers if layer is not None)
    return Row(
        width=next((found for found in widths if found is not None), None),
        tensors=tuple(None if layer is None else layer.tensor for layer in layers),
        scores={key: _scores(layers, key, seed) for key in keys},
    )


def _scores(layers: Matched, key: str, seed: int | None) -> tuple[Cell | None, ...]:
    cells = [_score(layer, key) for layer in layers]
    pairs = [_pair(layers[0], layer, key) for layer in layers]
    return tuple(
        cell if cell is None or place == 0 or pair is None else _against(cell, [pair], seed)
        for place, (cell, pair) in enumerate(zip(cells, pairs, strict=True))
    )


def _score(layer: Layer | None, key: str) -> Cell | None:
    found = None if layer is None else layer.curve(key)
    if found is None:
        return None
    return Cell(
        found.auc,
        found.auc_low,
        found.auc_high,
        found.saturated,
        above=found.above,
        auc_relative=found.auc_relative,
    )


def _pair(first: Layer | None, other: Layer | None, key: str) -> Pair | None:
    if first is None or other is None:
        return None
    one, two = first.curve(key), other.curve(key)
    if one is None or two is None or not (one.scored and two.scored):
        return None
    return Pair(one, two)


def _against(cell: Cell, pairs: Sequence[Pair], seed: int | None) -> Cell:
    """Return the cell with the mean difference of `pairs`, and its interval where it is known."""
    if not pairs:
        return cell
    value = float(np.mean([pair.difference for pair in pairs]))
    cell = replace(cell, difference=value, layers=len(pairs))
    if (found := paired(pairs, seed)) is None:
        return cell
    low, high = found.low, found.high
    return replace(cell, difference_low=low, difference_high=high, apart=bool(low > 0 or high < 0))
