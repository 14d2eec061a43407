"""The chart of where labels and neighbours come to agree, the same for page and picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnxmem.report import look, vega
from onnxmem.report.samples.words import layer_name

if TYPE_CHECKING:
    from onnxmem.records import SamplesReport

DATASET = "agreement"
AGREEMENTS = {"own_agreement": "all", "suspects_agreement": "suspects",
              "held_out_agreement": "held-out"}  # fmt: skip


def agreement(report: SamplesReport) -> look.Drawing | None:
    """Return the chart, which draws `agreement_rows`; None without any layer."""
    if not agreement_rows(report):
        return None
    names = list(AGREEMENTS.values())
    base = vega.Chart.of(vega.named(DATASET)).encode(
        x=vega.channel("layer:O", title="layer, 0 is the input", axis=vega.axis(labelAngle=0)),
        y=vega.channel("share:Q", title="share that agrees", scale=vega.scale(domain=[0, 1]),
                axis=vega.axis(format="%")),
        color=vega.channel("samples:N", title=None, sort=names,
                        scale=vega.scale(domain=names, range=list(look.COLORS))),
        tooltip=[vega.channel("name:N", title="layer"), vega.channel("samples:N"),
                 vega.channel("share:Q", format=".1%")],
    )  # fmt: skip
    return vega.layer(base.mark("line"), base.mark("point", filled=True, size=45)).properties(
        height=220,
        description="Share of samples whose nearest neighbours have the label that the sample "
        "came with, from the input to the last layer: of all samples and of the suspects. The "
        "table of layers holds the same numbers.",
    )


def agreement_rows(report: SamplesReport) -> list[dict[str, Any]]:
    """Return a row for each layer and kind of samples."""
    return [
        {"layer": number, "name": layer_name(one.tensor), "samples": title, "share": value}
        for number, one in enumerate(report.layers)
        for field, title in AGREEMENTS.items()
        if (value := getattr(one, field)) is not None
    ]
