"""How far scores are below those of a baseline report, layer by layer, and whether that is too far.

Where both were measured on the same samples the difference is one of pairs; where they were not,
the intervals of both are put together, and the gate says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from onnxmem.errors import UsageError
from onnxmem.pairing import (
    Difference,
    Matched,
    Pair,
    apart,
    match_layers,
    paired,
    paired_by_batches,
    shared_seed,
)
from onnxmem.records import Gate, Layer, Report
from onnxmem.records.comparability import CLOSE
from onnxmem.text import listed, printable

_MOST = 4
"""Layers that a message names."""


def check_layers(layers: Sequence[Layer], baseline: Report) -> list[Matched]:
    """Return which layers of a baseline report and of another one correspond.

    Raises:
        UsageError: some have no counterpart; the message names them.
    """
    matched = match_layers([baseline.layers, layers])
    gone = [one for one, other in matched if one is not None and other is None]
    new = [other for one, other in matched if one is None and other is not None]
    if not gone and not new:
        return matched
    told = [f"{_named(gone)} there"] * bool(gone) + [f"{_named(new)} here"] * bool(new)
    raise UsageError(
        f"the baseline report is of another network: without a counterpart are "
        f"{', and '.join(told)}; layers correspond by order, width and kind of map, as in compare"
    )


def _named(layers: Sequence[Layer]) -> str:
    return listed([f"{printable(layer.tensor, 60)!r} ({_form(layer)})" for layer in layers], _MOST)


def _form(layer: Layer) -> str:
    sizes = "×".join("?" if size is None else str(size) for size in layer.shape or ())
    return f"{printable(layer.op, 20)} {sizes}".strip()


def judge_drops(report: Report, baseline: Report, max_drop: float) -> tuple[Gate, ...]:
    """Compare the score of each key with that of the baseline report.

    A gate `KEY:drop` is the mean over the layers that correspond and have a score in one report at
    least. It fails where the whole interval of that mean lies above `max_drop`. It is undecided
    where there is no score any more. There is none where neither report has one.

    Raises:
        UsageError: layers have no counterpart.
    """
    if not report.measured:
        known = [key for key in report.summary if _has_score(baseline, key)]
        return tuple(Gate(f"{key}:drop", max_drop, None, None) for key in known)
    matched = check_layers(report.layers, baseline)
    made = (_drop(report, baseline, matched, key, max_drop) for key in report.summary)
    return tuple(gate for gate in made if gate is not None)


def _has_score(report: Report, key: str) -> bool:
    score = report.summary.get(key)
    return score is not None and score.auc is not None


def _drop(
    report: Report, baseline: Report, matched: Sequence[Matched], key: str, max_drop: float
) -> Gate | None:
    if key not in baseline.summary:
        return None
    pairs = [pair for layers in matched if (pair := _pair(layers, key)) is not None]
    if not _has_score(report, key):
        return Gate(f"{key}:drop", max_drop, None, None) if _has_score(baseline, key) else None
    if not pairs:
        return Gate(f"{key}:drop", max_drop, None, None)
    found, note = _difference(pairs, report, baseline)
    note = "; ".join(filter(None, (note, _accuracies(report, baseline))))
    least = -found.high
    return Gate(f"{key}:drop", max_drop, -found.value, bool(least <= max_drop), least, note)


def _pair(layers: Matched, key: str) -> Pair | None:
    """Return the curves of both, None where one has none, or neither can be read."""
    before, now = (None if layer is None else layer.curve(key) for layer in layers)
    if before is None or now is None or not (before.scored or now.scored):
        return None
    return Pair(before, now)


def _difference(pairs: Sequence[Pair], report: Report, baseline: Report) -> tuple[Difference, str]:
    """Return the mean of the pairs, and a note where they are none of the same samples."""
    seed = shared_seed([report, baseline])
    if found := paired(pairs, seed):
        return found, ""
    seed = seed if seed is not None else _same_seed(report, baseline)
    if seed is not None and (found := paired_by_batches(pairs, seed)):
        return found, "paired by batches: the reports do not tell what each sample adds"
    return apart(pairs), f"not paired: {_unpaired(report, baseline)}"


def _same_seed(report: Report, baseline: Report) -> int | None:
    """Return the seed that drew the same batches from the same data, where hashes do not tell."""
    if report.data.batches and baseline.data.batches:
        return None
    facts = [
        (one.data.sha256, one.data.samples, one.settings.get("seed"), one.settings.get("per_class"))
        for one in (report, baseline)
    ]
    seed = facts[0][2]
    return seed if facts[0] == facts[1] and isinstance(seed, int) and seed >= 0 else None


def _unpaired(report: Report, baseline: Report) -> str:
    if report.data.sha256 != baseline.data.sha256:
        return "the baseline was measured on other data"
    if report.settings.get("seed") != baseline.settings.get("seed"):
        return "the baseline was measured with another seed, on other samples of these data"
    return "the reports do not tell whether their samples are the same"


def _accuracies(report: Report, baseline: Report) -> str:
    """Say so where the untouched networks differ in accuracy, which moves every score."""
    now, before = report.baseline.value or 0.0, baseline.baseline.value or 0.0
    if abs(now - before) <= CLOSE:
        return ""
    return f"the accuracy of the untouched network was {before:.3f} there and is {now:.3f} here"
