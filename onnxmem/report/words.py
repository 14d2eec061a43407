"""Words and numbers for people: names made harmless, intervals, and the sentence of a report.

Tensor names, paths and settings are written by others. Whatever they hold, `printable` makes
one short line of them, without control characters and without marks that turn text around.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from onnxmem.findings import above_baseline, headline
from onnxmem.text import NAME_LENGTH, beside, file_name, printable

if TYPE_CHECKING:
    from onnxmem.records import Baseline, Cell, Curve, Gate, Layer, Report, Score

COMPRESSORS = {
    "nmf": "NMF",
    "pca": "PCA",
    "ablation": "Ablation",
    "nmf_removed": "NMF taken out",
    "pca_removed": "PCA taken out",
    "random_removed": "Random taken out",
}
X_NAMES = {name: "fraction" if name == "ablation" else "rank" for name in COMPRESSORS}
"""What the levels of each compressor are."""

BATCHES = {"class": "single-class", "mixed": "mixed"}
METRICS = {"top1": "top-1 accuracy", "fidelity": "fidelity to its own predictions"}
STATES = ("scored", "saturated", "above", "skipped")
KEYS = tuple(f"{compressor}.{batch}" for compressor in COMPRESSORS for batch in BATCHES)
LEADING_KEYS = ("nmf.mixed", "nmf.class", "pca.mixed", "pca.class", *KEYS)


def compressor_of(key: str) -> str:
    """Return the compressor of a key of curves."""
    return key.partition(".")[0]


def tensor_name(tensor: str, length: int = NAME_LENGTH) -> str:
    """Return the name of a tensor as one harmless line that is never empty."""
    return printable(tensor, length).strip() or "(no name)"


def number(value: float, digits: int = 3) -> str:
    """Return `value` with a fixed number of digits."""
    return f"{value:.{digits}f}"


def interval(low: float, high: float, digits: int = 3) -> str:
    """Return the bounds of an interval."""
    return f"{low:.{digits}f}–{high:.{digits}f}"


def shape(sizes: Sequence[int | None] | None) -> str:
    """Return a shape, with ? where a size, or even the number of axes, is not known."""
    if sizes is None:
        return "?"
    return "×".join("?" if size is None else str(size) for size in sizes) or "scalar"


def key_title(key: str) -> str:
    """Return a summary key in words, for instance `NMF, mixed`."""
    compressor, _, batch = key.partition(".")
    return f"{COMPRESSORS.get(compressor, printable(compressor))}, {BATCHES.get(batch, batch)}"


def levels_of(key: str) -> str:
    """Return what the curves of a key are drawn over: rank, or fraction."""
    return X_NAMES[key.partition(".")[0]]


def curve_keys(*reports: Report) -> tuple[str, ...]:
    """Return the keys of the curves that any of the reports holds, in the order of KEYS."""
    measured = {curve.key for one in reports for layer in one.layers for curve in layer.curves}
    return tuple(key for key in KEYS if key in measured)


def shown_keys(*reports: Report) -> tuple[str, ...]:
    """Return the keys that tables and pages show.

    Ablation treats each sample by itself, so that its AuC is the same for both kinds of batches:
    where both were measured it is shown once.
    """
    keys = curve_keys(*reports)
    twice = {"ablation.class", "ablation.mixed"} <= {*keys}
    return tuple(key for key in keys if not (twice and key == "ablation.class"))


def column_title(key: str, keys: Collection[str]) -> tuple[str, str]:
    """Return compressor and kind of batches of a column; nothing of batches where it has both."""
    compressor, _, batch = key.partition(".")
    both = compressor == "ablation" and "ablation.class" not in keys and len({*keys}) > 1
    return COMPRESSORS.get(compressor, printable(compressor)), "" if both else BATCHES[batch]


def batches(*reports: Report) -> list[str]:
    """Return the kinds of batches that any of the reports holds curves of."""
    measured = {curve.batch for one in reports for layer in one.layers for curve in layer.curves}
    return [batch for batch in BATCHES if batch in measured]


def leading_key(report: Report) -> str | None:
    """Return the key that layers are ordered by: NMF on mixed batches where it was measured."""
    return leading(curve_keys(report))


def leading(keys: Collection[str]) -> str | None:
    """Return that of `keys` which is shown first; None without any."""
    return next((key for key in LEADING_KEYS if key in keys), None)


def worst_first(report: Report) -> tuple[Layer, ...]:
    """Return the layers by rising AuC of the leading key; those that tell nothing come last."""
    key = leading_key(report)

    def order(layer: Layer) -> tuple[int, float]:
        curve = layer.curve(key)
        if curve is None or layer.status == "skipped":
            return 2, 0.0
        return int(not curve.scored), curve.auc

    return tuple(sorted(report.layers, key=order))


def accuracy(baseline: Baseline) -> str:
    """Return the accuracy of the untouched model, beside that of guessing."""
    if baseline.value is None or baseline.chance is None:
        return f"{METRICS[baseline.metric]} not measured"
    return (
        f"{METRICS[baseline.metric]} {number(baseline.value)}, guessing {number(baseline.chance)}"
    )


def score(value: Score) -> str:
    """Return a mean AuC with its interval, or say that there is none."""
    if value.auc is None:
        return "none"
    if value.auc_low is None or value.auc_high is None:
        return number(value.auc)
    return f"{number(value.auc)} (95 % interval {interval(value.auc_low, value.auc_high)})"


def score_layers(value: Score) -> str:
    """Return over how many layers a score is the mean, and how many it leaves out."""
    parts = (
        _count(value.layers_scored, "layer") if value.layers_scored else "",
        f"{value.layers_saturated} saturated" if value.layers_saturated else "",
        f"{value.layers_above} above the baseline" if value.layers_above else "",
    )
    return ", ".join(filter(None, parts)) or "0 layers"


def state(curve: Curve | Cell) -> str:
    """Return whether a curve can be read: scored, saturated, or above the baseline."""
    return "above" if curve.above else "saturated" if curve.saturated else "scored"


def relative(value: Score) -> str:
    """Return a mean AuC over the accuracy of the untouched model, an empty string without one."""
    if value.auc_relative is None:
        return ""
    return f"{number(value.auc_relative)} relative to the baseline"


def gate_values(gate: Gate) -> str:
    """Return what a gate compared, with digits enough to see how it came out."""
    threshold, value, bound = gate_numbers(gate)
    if gate.value is None:
        return f"no value against {threshold}"
    interval = "" if gate.bound is None else f" (bound of its interval {bound})"
    note = f"; {printable(gate.note, 200)}" if gate.note else ""
    return f"{value}{interval} against {threshold}{note}"


def gate_numbers(gate: Gate) -> tuple[str, str, str]:
    """Return the threshold, the value and the bound of a gate; what it has not is a dash.

    What was compared has digits enough to tell the two apart.
    """
    if gate.value is None:
        return f"{gate.threshold:.3f}", "–", "–"
    if gate.bound is None:
        value, threshold = beside(gate.value, gate.threshold)
        return threshold, value, "–"
    bound, threshold = beside(gate.bound, gate.threshold)
    return threshold, number(gate.value), bound


def gate_state(gate: Gate) -> str:
    """Return what came of a gate."""
    if gate.passed is None:
        return "not measurable" if gate.value is None else "undecided"
    return "passed" if gate.passed else "failed"


def sentence(report: Report, *, reasoned: bool = True) -> str:
    """Return one sentence that says what was measured and what came of it.

    `reasoned` adds the reason of the verdict, which need not be said where it is shown already.
    """
    data = report.data
    left_out = ", ".join(printable(data.class_name(label), 24) for label in data.left_out[:8])
    parts = (
        *_found(report),
        _audited(report),
        f"classes left out for too few samples: {left_out}" if left_out else "",
        *(printable(note, 400) for note in report.model.notes[:8]),
        *(printable(note, 400) for note in data.notes[:8] if note not in report.reason),
        _layers(report),
        above_baseline(report),
        _summary(report),
        _ranks(report),
        f"verdict: {report.verdict}{_because(report.reason) if reasoned else ''}",
    )
    return "; ".join(part for part in parts if part) + "."


def _found(report: Report) -> list[str]:
    """Return what neighbours tell, with the model as its subject; nothing without them."""
    if report.evidence is None or report.evidence.network is None:
        return []
    return [f"{file_name(report.model.path)} {headline(report.evidence)}"]


def _audited(report: Report) -> str:
    name, data = file_name(report.model.path), report.data
    if not report.measured:
        return f"{name} cannot be audited, nothing was measured"
    name = "it" if _found(report) else name
    return (
        f"{name} was audited on {_count(data.samples, 'sample')} of "
        f"{_count(data.classes, 'class', 'classes')} ({accuracy(report.baseline)})"
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _layers(report: Report) -> str:
    if not report.layers:
        return "it has no layer that was analyzed"
    noun = "ReLU layer" if report.settings.get("kind", ["relu"]) == ["relu"] else "layer"
    states = [layer.status for layer in report.layers]
    if len(set(states)) == 1:
        state = f"all {states[0]}" if len(states) > 1 else states[0]
        return f"{_count(len(states), noun)}, {state}"
    counts = [f"{states.count(state)} {state}" for state in STATES if state in states]
    return f"of {_count(len(states), noun)}, {', '.join(counts)}"


def _ranks(report: Report) -> str:
    """Say which part of the curve the AuC is of, where ranks were chosen by hand."""
    ranks = report.settings.get("ranks", "auto")
    measured = any(one.x_name == "rank" for layer in report.layers for one in layer.curves)
    if not isinstance(ranks, (list, tuple)) or not ranks or not measured:
        return ""
    low, high = min(ranks), max(ranks)
    span = f"rank {low}" if low == high else f"the ranks {low} to {high}"
    covered = f"the AuC over rank covers {span} alone (--ranks)"
    widths = [known for layer in report.layers if layer.curves and (known := layer.width)]
    if not widths:
        return covered
    least, most = min(widths), max(widths)
    wide = f"layers are {least} wide" if least == most else f"layers are {least} to {most} wide"
    beyond = ", and ranks beyond a layer's width raise its AuC" if high > least else ""
    return f"{covered}; {wide}{beyond}"


def _summary(report: Report) -> str:
    key = leading_key(report)
    value = report.summary.get(key) if key else None
    if key is None or value is None:
        return ""
    over = relative(value)
    return f"mean AuC ({key_title(key)}) {score(value)}{over and ', '}{over}"


def _because(reason: str) -> str:
    text = printable(reason, 400).rstrip(".")
    return f", {text}" if text else ""
