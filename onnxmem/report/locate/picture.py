"""Which layer, as one PNG or SVG picture: all charts side by side, a row for each layer."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from onnxmem.report import look, vega
from onnxmem.report.locate.charts import TITLES, chart
from onnxmem.report.locate.rows import chart_rows
from onnxmem.report.locate.words import findings, heading
from onnxmem.report.picture import draw

if TYPE_CHECKING:
    from onnxmem.records import LocateReport

WIDTH = 250


def render(report: LocateReport, kind: str) -> bytes:
    """Return the picture as PNG bytes (two pixels a point) or as SVG text in UTF-8.

    Raises:
        UsageError: `kind` is neither png nor svg.
    """
    return draw(spec(report), kind)


def spec(report: LocateReport) -> dict[str, Any]:
    """Return the Vega-Lite specification of the picture, data included."""
    rows = chart_rows(report)
    title = vega.title(
        f"onnxmem: {heading(report)}",
        subtitle=[line for one in findings(report) for line in textwrap.wrap(one, 150)],
        subtitlePadding=6,
        offset=14,
    )
    panels = [chart(report, name).properties(width=WIDTH, title=TITLES[name]) for name in rows] or [
        vega.Chart.of(vega.inline([{}])).mark("text", text="nothing was measured")
    ]
    together = vega.beside(*panels, spacing=24, title=title)
    found: dict[str, Any] = together.independent("color").to_dict()
    found["config"] = look.config("#1c2430") | {"background": "white"}
    found["padding"] = 20
    found["datasets"] = found.get("datasets", {}) | rows
    return found
