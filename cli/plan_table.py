"""What an audit would cost, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onnxmem.report.rows import numbered
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.auditing import Plan
    from onnxmem.auditing.cost import Cost


def plan_table(plan: Plan) -> RenderableType:
    """Return a row for each layer, then the sums in sentences."""
    table = Table(box=SIMPLE, header_style="bold")
    for title in ("layer", "matrix", "ranks", "head runs", "tail runs", "fits", "MiB", "seconds"):
        table.add_column(title, justify="left" if title == "layer" else "right")
    names = numbered([layer.tensor for layer in plan.layers])
    for name, layer in zip(names, plan.layers, strict=True):
        if layer.reason or layer.matrix is None:
            continue
        table.add_row(
            Text(name),
            "×".join(map(str, layer.matrix)),
            str(len(layer.ranks)),
            _range(layer.least.head_runs, layer.most.head_runs),
            _range(layer.least.tail_runs, layer.most.tail_runs),
            str(layer.most.factorizations),
            f"{layer.memory / 2**20:.0f}",
            _range(layer.least.seconds, layer.most.seconds),
        )
    known = sum(layer.known for layer in plan.layers)
    cached = [Text(f"{known} of {len(plan.layers)} layers are in the cache.")] if known else []
    skipped = [
        Text(f"{printable(layer.tensor, 48)}: {printable(layer.reason, 300)}", "yellow")
        for layer in plan.layers
        if layer.reason
    ]
    return Group(table, *skipped, *cached, *map(Text, _sums(plan)))


def _sums(plan: Plan) -> tuple[str, ...]:
    least, most = plan.least, plan.most
    return (
        f"{plan.samples} samples in {plan.batches} batches, {plan.workers} at once on "
        f"{plan.device}; a run takes one batch through a part of the model.",
        f"{_range(least.head_runs, most.head_runs)} head and "
        f"{_range(least.tail_runs, most.tail_runs)} tail runs, {most.factorizations} fits, "
        f"{plan.sessions} sessions.",
        *_evidence(plan.evidence),
        f"Memory: about {plan.peak_memory / 2**20:.0f} MiB. "
        f"Time: about {_number(plan.expected.seconds)} seconds, "
        f"{_range(least.seconds, most.seconds)} as ranks are chosen.",
    )


def _evidence(cost: Cost) -> tuple[str, ...]:
    """Return what the neighbours of all samples cost, nothing where they are left out."""
    if not cost.seconds:
        return ()
    return (f"Neighbours of all samples: {_number(cost.seconds)} seconds of these.",)


def _range(least: float, most: float) -> str:
    low, high = map(_number, (least, most))
    return low if low == high else f"{low}–{high}"


def _number(value: float) -> str:
    return f"{value:.1f}" if isinstance(value, float) and value < 100 else f"{value:.0f}"
