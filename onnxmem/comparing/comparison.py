"""Puts reports side by side: layers matched, and scores with their paired differences.

Models that were audited on the same batches share their samples, so that most of what moves one
score from resample to resample moves the other as well. A difference is therefore resampled as
one number: every draw weighs the samples of both models alike.

Source: Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 2.4 (percentile
interval) and 3.8 (batches, then samples inside of them); Efron & Tibshirani (1993), section 8.3,
for pairs as the units of resampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from onnxmem.comparing.matching import Matched, match_layers
from onnxmem.compression import curve
from onnxmem.errors import UsageError
from onnxmem.records import (
    COMPARISON_SCHEMA,
    Cell,
    Comparison,
    Curve,
    Layer,
    Report,
    Row,
    model_names,
)
from onnxmem.records.comparability import differing

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
            f"the reports cannot be compared: {', '.join(differ)} differ; "
            f"{_mended(differ, reports[0])}"
        )
    keys = list(dict.fromkeys(key for report in reports for key in report.summary))
    matched = match_layers([report.layers for report in reports])
    apart = own_data and bool(differing(reports, same_data=same_data))
    seed = None if apart else _seed(reports)
    return Comparison(
        schema=COMPARISON_SCHEMA,
        models=model_names(reports),
        summary={key: _means(reports, matched, key, seed) for key in keys},
        layers=tuple(_row(layers, keys, seed) for layers in matched),
        notes=(*notes, *([OWN_DATA] if apart else [])),
        reports=tuple(reports),
    )


def _mended(differ: Sequence[str], report: Report) -> str:
    """Return what to do about reports, of which this is one, that differ in this."""
    if list(differ) == ["batches"] and report.baseline.metric == "fidelity":
        return (
            "without labels each model's own predictions group its samples; compare the models "
            "themselves, which share the groups of the first"
        )
    own = "; --own-data compares each on its own samples and labels" if "data" in differ else ""
    return f"audit all models with the same data and settings{own}"


def _seed(reports: Sequence[Report]) -> int | None:
    """Return the seed of the resamples, None where the batches are not known to be the same."""
    seed = reports[0].settings.get("seed")
    known = all(report.data.batches for report in reports if report.measured)
    return seed if known and isinstance(seed, int) and seed >= 0 else None


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
    saturated = score.auc is None and score.layers_saturated > 0
    return Cell(score.auc, score.auc_low, score.auc_high, saturated)


def _shared(matched: Sequence[Matched], place: int, key: str) -> list[_Pair]:
    """Return the curves that the first model and another one have and that are not saturated."""
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
    return Cell(found.auc, found.auc_low, found.auc_high, found.saturated)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The same curve of the first model and of another one."""

    first: Curve
    other: Curve

    @property
    def difference(self) -> float:
        return self.other.auc - self.first.auc

    @property
    def slack(self) -> float:
        """How far the difference may be off for the ranks that were left out."""
        return self.other.auc_bound + self.first.auc_bound

    def resampled(self, seed: int) -> np.ndarray | None:
        """Return the difference in each resample (draws,), None where samples are not known."""
        first, other = _samples(self.first), _samples(self.other)
        sizes = tuple(group.samples for group in self.first.groups)
        if first is None or other is None or len(first) != len(other):
            return None
        drawn: np.ndarray = _weights(sizes, seed) @ (other - first)
        return drawn


def _pair(first: Layer | None, other: Layer | None, key: str) -> _Pair | None:
    if first is None or other is None:
        return None
    one, two = first.curve(key), other.curve(key)
    if one is None or two is None or one.saturated or two.saturated:
        return None
    return _Pair(one, two)


def _samples(one: Curve) -> np.ndarray | None:
    """Return what each sample adds to an AuC (samples,), None where the report does not say."""
    try:
        shares = curve.unpack(one.sample_auc)
    except ValueError:
        return None
    return shares if len(shares) == sum(group.samples for group in one.groups) > 0 else None


@lru_cache(maxsize=4)
def _weights(sizes: tuple[int, ...], seed: int) -> np.ndarray:
    """Return the bootstrap weights (draws, samples) of batches of `sizes`, one after the other."""
    edges = np.cumsum([0, *sizes])
    groups = [np.arange(low, high) for low, high in pairwise(edges)]
    return curve.resample(groups, seed)


def _against(cell: Cell, pairs: Sequence[_Pair], seed: int | None) -> Cell:
    """Return the cell with the mean difference of `pairs`, and its interval where it is known."""
    if not pairs:
        return cell
    difference = float(np.mean([pair.difference for pair in pairs]))
    cell = replace(cell, difference=difference, layers=len(pairs))
    drawn = [None if seed is None else pair.resampled(seed) for pair in pairs]
    known = [one for one in drawn if one is not None]
    if len(known) < len(pairs):
        return cell
    low, high = curve.interval(np.mean(known, axis=0))
    slack = float(np.mean([pair.slack for pair in pairs]))
    low, high = min(low, difference) - slack, max(high, difference) + slack
    return replace(cell, difference_low=low, difference_high=high, apart=bool(low > 0 or high < 0))
