"""What a comparison says, in plain sentences: which model keeps more, and what cannot be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from onnxmem.findings.numbers import listed
from onnxmem.records import RELATIVE
from onnxmem.records.comparability import CLOSE
from onnxmem.report.words import key_title, leading, number, tensor_name
from onnxmem.text import capitalized, printable

if TYPE_CHECKING:
    from onnxmem.records import Cell, Comparison, Report, Row

APART = "the 95 % interval of the difference to the first model leaves out 0"
_MOST = 6
"""Names of layers that one sentence lists."""


def findings(comparison: Comparison) -> list[str]:
    """Return for every score and every model but the first how it stands to the first."""
    return [
        _finding(comparison, key, place)
        for key in comparison.summary
        for place in range(1, len(comparison.models))
    ]


def _finding(comparison: Comparison, key: str, place: int) -> str:
    first, other = comparison.models[0], comparison.models[place]
    cell = comparison.summary[key][place]
    title = key_title(key)
    if cell is None or cell.difference is None:
        return (
            f"{title}: {other} and {first} cannot be compared; they share no layer that was "
            "measured and can be read in both."
        )
    if number(abs(cell.difference)) == number(0.0):
        lead = f"{title}: {other} and {first} keep the same accuracy"
    else:
        more, less = (other, first) if cell.difference > 0 else (first, other)
        lead = f"{title}: {more} keeps more accuracy than {less}"
    means = _means(comparison, key, place)
    size = f"apart by {number(abs(cell.difference))}{_bounds(cell)}"
    return f"{lead}{means}, {size}, {_weight(cell)}."


def _means(comparison: Comparison, key: str, place: int) -> str:
    """Return both means where they are over the layers of the difference, else say which those are.

    The model with the higher mean comes first, as in the sentence.
    """
    cells = comparison.summary[key][0], comparison.summary[key][place]
    counts = [comparison.reports[at].summary[key].layers_scored for at in (0, place)]
    layers = cells[1].layers if cells[1] is not None else 0
    aucs = [cell.auc for cell in cells if cell is not None and cell.auc is not None]
    if counts == [layers, layers] and len(aucs) == 2:
        return f": {number(max(aucs))} against {number(min(aucs))}"
    return f": on average over the {_count(layers)} that both have and that can be read in both"


def _bounds(cell: Cell) -> str:
    if cell.difference_low is None or cell.difference_high is None:
        return ""
    low, high = cell.difference_low, cell.difference_high
    if (cell.difference or 0.0) < 0:
        low, high = -high, -low
    return f" (95 % interval {number(low)} to {number(high)})"


def _weight(cell: Cell) -> str:
    if cell.apart is None:
        return "with no interval, since the reports do not tell whether their samples are the same"
    if cell.apart:
        return "more than the choice of samples explains: the interval leaves out 0"
    return "no more than the choice of samples may explain: the interval holds 0"


def limits(comparison: Comparison) -> list[str]:
    """Return what cannot be compared, or only with care, one sentence each."""
    return [
        *_refused(comparison),
        *unequal_accuracies(comparison.models, comparison.reports),
        *_partners(comparison),
        *_saturated(comparison),
        *(f"{capitalized(printable(note, 300)).rstrip('.')}." for note in comparison.notes),
    ]


def _refused(comparison: Comparison) -> Iterator[str]:
    for name, report in zip(comparison.models, comparison.reports, strict=True):
        if not report.measured:
            yield f"{name} was not measured: {printable(report.reason, 400).rstrip('.')}."


def unequal_accuracies(names: Sequence[str], reports: Sequence[Report]) -> Iterator[str]:
    """Yield a warning where untouched models of different accuracy stand side by side."""
    pairs = [
        (name, report.baseline.value)
        for name, report in zip(names, reports, strict=True)
        if report.baseline.value is not None
    ]
    values = [value for _, value in pairs]
    if max(values, default=0.0) - min(values, default=0.0) > CLOSE:
        accuracies = ", ".join(f"{name} {number(value)}" for name, value in pairs)
        yield (
            f"The untouched models differ in accuracy, which moves every AuC: {accuracies}. "
            f"Compare what is relative to that{_relative(names, reports)}."
        )


def _relative(names: Sequence[str], reports: Sequence[Report]) -> str:
    """Return the leading score of each model over its accuracy, where all have one."""
    key = leading(list(dict.fromkeys(key for report in reports for key in report.summary)))
    found = [None if key is None else report.value(key + RELATIVE) for report in reports]
    pairs = [(name, one.value) for name, one in zip(names, found, strict=True) if one is not None]
    if key is None or len(pairs) < len(names):
        return ""
    scores = ", ".join(f"{name} {number(value)}" for name, value in pairs)
    return f" ({key}{RELATIVE}: {scores})"


def _partners(comparison: Comparison) -> Iterator[str]:
    """Say which layers have no counterpart, and which were not measured."""
    for place, name in enumerate(comparison.models):
        others = comparison.models[1:] if place == 0 else comparison.models[:1]
        rows = [row for row in comparison.layers if row.tensors[place] is not None]
        for other in others:
            at = comparison.models.index(other)
            alone = [row for row in rows if row.tensors[at] is None]
            if alone:
                yield (
                    f"{name} has {_count(len(alone))} with no counterpart of the same kind and "
                    f"width in {other}, left out of every difference: {_names(alone, place)}."
                )
        bare = [row for row in rows if all(cells[place] is None for cells in row.scores.values())]
        if bare:
            yield f"{name} has {_count(len(bare))} without a score: {_names(bare, place)}."


def _saturated(comparison: Comparison) -> Iterator[str]:
    """Say which layers cannot be read in one of two models, so that they have no difference.

    Models in which the same layers can, or cannot, be read share a sentence.
    """
    for key in comparison.summary:
        alike: dict[tuple[bool, tuple[int, ...]], list[int]] = {}
        for place in range(1, len(comparison.models)):
            for in_first in (False, True):
                pair = (0, place) if in_first else (place, 0)
                if layers := _unread_alone(comparison, key, *pair):
                    alike.setdefault((in_first, layers), []).append(place)
        for (in_first, layers), places in alike.items():
            unread, read = ([0], places) if in_first else (places, [0])
            yield _left_out(comparison, key, layers, unread, read)


def _unread_alone(comparison: Comparison, key: str, unread: int, read: int) -> tuple[int, ...]:
    """Return the layers that both models have, and that can be read in one of them alone."""
    cells = [(row.scores[key][unread], row.scores[key][read]) for row in comparison.layers]
    return tuple(
        place
        for place, (one, two) in enumerate(cells)
        if one and two and two.scored and not one.scored
    )


def _left_out(
    comparison: Comparison, key: str, layers: Sequence[int], unread: list[int], read: list[int]
) -> str:
    rows = [comparison.layers[place] for place in layers]
    states = [_unread(rows, key, at) for at in unread]
    without, having = (listed([comparison.models[at] for at in some]) for some in (unread, read))
    differences = "difference" if len(unread) == len(read) else "differences"
    return (
        f"{key_title(key)}: {_count(len(rows))} {max(states, key=len)} in {without} and not in "
        f"{having}, left out of their {differences}: {_names(rows, unread[0])}."
    )


def _unread(rows: Sequence[Row], key: str, at: int) -> str:
    """Return what keeps the curves of some rows from being read."""
    cells = [cell for row in rows if (cell := row.scores[key][at]) is not None]
    words = ["saturated"] * any(one.saturated for one in cells)
    words += ["above the baseline"] * any(one.above for one in cells)
    return " or ".join(words)


def _names(rows: Sequence[Row], place: int) -> str:
    names = [_with_width(row, place) for row in rows[:_MOST]]
    more = len(rows) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _with_width(row: Row, place: int) -> str:
    name = tensor_name(row.tensors[place] or "", 60)
    return name if row.width is None else f"{name} ({row.width} features)"


def _count(layers: int) -> str:
    return f"{layers} layer" if layers == 1 else f"{layers} layers"


def row_name(row: Row, length: int = 80) -> str:
    """Return the tensor of the first model that has the layer, made harmless."""
    return tensor_name(next(name for name in row.tensors if name is not None), length)


def cell_text(cell: Cell | None) -> str:
    """Return a score, and its difference to the first model with a star where it is apart."""
    if cell is None:
        return "–"
    if not cell.scored:
        return "above" if cell.above else "saturated"
    if cell.auc is None:
        return "none"
    if cell.difference is None:
        return number(cell.auc)
    difference = f"{cell.difference:+.3f}".replace("-", "−")
    return f"{number(cell.auc)} ({difference}){'*' if cell.apart else ''}"


def relative_scores(comparison: Comparison) -> dict[str, list[str]]:
    """Return for each score its mean over the accuracy of each untouched model, in words."""
    return {
        key: [
            "–" if cell is None or cell.auc_relative is None else number(cell.auc_relative)
            for cell in cells
        ]
        for key, cells in comparison.summary.items()
    }


def starred(comparison: Comparison) -> bool:
    """Tell whether any score has a star, which then needs an explanation."""
    return any(
        cell is not None and bool(cell.apart) and cell.scored
        for cells in _all_cells(comparison)
        for cell in cells
    )


def _all_cells(comparison: Comparison) -> Iterable[tuple[Cell | None, ...]]:
    yield from comparison.summary.values()
    for row in comparison.layers:
        yield from row.scores.values()
