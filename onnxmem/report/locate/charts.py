"""The charts of layers, for the page and for pictures: one below the other layer, first to last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnxmem.report import look, vega
from onnxmem.report.locate.rows import (
    CHECKPOINT,
    CLEAN,
    NETWORK,
    PERMUTED,
    SUSPECTS,
    chart_rows,
    labels,
    places,
)

if TYPE_CHECKING:
    from onnxmem.records import LocateReport

TITLES = {
    "rewinding": "Accuracy with this segment of the checkpoint",
    "depth": "Neighbours agree with the label",
    "probes": "A linear probe reads the label",
    "ratio": "Gradient of suspects over that of others",
    "cosine": "Cosine between the two gradients",
}

DESCRIPTIONS = {
    "rewinding": "Accuracy of the network on suspects and on other samples, with one segment after "
    "the other taken from the checkpoint.",
    "depth": "Share of samples whose nearest neighbours have the label that the sample came with, "
    "from the input to the last layer: of all samples and of suspects.",
    "probes": "Share of samples whose label a linear probe reads off a layer, each left out once: "
    "of other samples and of suspects, and with permuted labels.",
    "ratio": "Norm of the mean gradient of suspects over that of other samples, by segment.",
    "cosine": "Cosine between the mean gradients of suspects and of other samples, by segment.",
}

_COLORS = {
    CLEAN: look.COLORS[0],
    "all": look.COLORS[0],
    SUSPECTS: look.COLORS[1],
    NETWORK: look.COLORS[2],
    CHECKPOINT: look.MODEL_COLORS[3],
    PERMUTED: look.MODEL_COLORS[6],
}


def chart(report: LocateReport, name: str) -> Any:
    """Return the chart of one part; it reads the rows of that name."""
    names = list(labels(report, 28).values())
    y = vega.channel(
        "layer:N",
        title=None,
        scale=vega.scale(domain=names),
        axis=vega.axis(labelLimit=190, grid=True, ticks=False, domain=False),
    )
    series = [one for one in _COLORS if one in {row["series"] for row in chart_rows(report)[name]}]
    color = vega.channel(
        "series:N",
        title=None,
        sort=series,
        scale=vega.scale(domain=series, range=[_COLORS[one] for one in series]),
    )
    tooltip = [vega.channel("layer:N"), vega.channel("series:N"),
               vega.channel("value:Q", format=".3f")]  # fmt: skip
    base = vega.Chart.of(vega.named(name)).encode(x=_x(name), y=y, color=color, tooltip=tooltip)
    line = base.mark("line", strokeWidth=1.5, opacity=0.7, aria=False).encode(order="number:Q")
    return vega.layer(line, base.mark("point", filled=True, size=50)).properties(
        height=max(60, 22 * len(places(report))), description=DESCRIPTIONS[name]
    )


def _x(name: str) -> vega.Spec:
    if name == "ratio":
        return vega.channel("value:Q", title=None, scale=vega.scale(type="log", nice=False))
    if name == "cosine":
        return vega.channel("value:Q", title=None, scale=vega.scale(domain=[-1, 1]))
    return vega.channel(
        "value:Q", title=None, scale=vega.scale(domain=[0, 1]), axis=vega.axis(format="%")
    )
