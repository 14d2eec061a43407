"""How alike several models are on held-out inputs: the tables and charts of page and picture.

The charts name their data `likeness` and `matrix`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnxmem.findings import (
    LAYER_TITLES,
    PAIR_TITLES,
    layer_rows,
    likeness_rows,
    matrices,
    short_names,
)
from onnxmem.findings.numbers import signed
from onnxmem.report import vega
from onnxmem.report.look import MODEL_COLORS, Drawing
from onnxmem.report.rows import Row
from onnxmem.report.words import tensor_name

if TYPE_CHECKING:
    from onnxmem.records import Comparison

OUTPUT = "logits"
_MOST_PAIRS = len(MODEL_COLORS)
"""Pairs of models that the chart of layers draws."""


def tables(comparison: Comparison) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """Return heading, titles and rows of each table."""
    return [
        ("Pairs of models", PAIR_TITLES, likeness_rows(comparison)),
        ("Layers that correspond", LAYER_TITLES, layer_rows(comparison)),
    ]


def charts(comparison: Comparison) -> dict[str, Drawing]:
    """Return the charts by name: along the layers, and for several models a map of each number."""
    if not comparison.similarity:
        return {}
    drawn = {"alike": along_layers(comparison)}
    if len(comparison.models) > 2:
        names = short_names(comparison.models)
        drawn |= {name: pair_map(names, title) for name, title in map_names(comparison).items()}
    return drawn


def map_names(comparison: Comparison) -> dict[str, str]:
    """Return what each map shows by the name of its chart; nothing for two models."""
    if len(comparison.models) < 3:
        return {}
    return {f"map-{number}": title for number, title in enumerate(matrices(comparison))}


def datasets(comparison: Comparison) -> dict[str, list[Row]]:
    """Return the rows of the charts by the names of their data."""
    return {"likeness": _layer_rows(comparison), "matrix": _matrix_rows(comparison)}


def _layer_rows(comparison: Comparison) -> list[Row]:
    pairs = [(one.a, one.b) for one in comparison.predictions][:_MOST_PAIRS]
    named, found = [row[0] for row in likeness_rows(comparison)], list[Row]()
    for pair, models in zip(named, pairs, strict=False):
        own = [one for one in comparison.similarity if (one.a, one.b) == models]
        for place, one in enumerate(own):
            name = OUTPUT if one.kind == "output" else tensor_name(one.layer, 40)
            found.append(
                {"pair": pair, "place": place, "layer": name, "cka": one.cka,
                 "overlap": round(one.neighbour_overlap, 4)}
            )  # fmt: skip
    return found


def _matrix_rows(comparison: Comparison) -> list[Row]:
    names = short_names(comparison.models)
    return [
        {"what": title, "a": one, "b": other, "value": value, "text": signed(value, 2)}
        for title, matrix in matrices(comparison).items()
        for one, row in zip(names, matrix, strict=True)
        for other, value in zip(names, row, strict=True)
        if value is not None
    ]


def along_layers(comparison: Comparison) -> Drawing:
    """CKA of every pair of models along the layers that correspond, the logits last."""
    pairs = list(dict.fromkeys(row["pair"] for row in _layer_rows(comparison)))
    base = vega.Chart.of(vega.named("likeness")).encode(
        x=vega.channel(
            "place:O",
            title="layers that correspond, the logits last",
            axis=vega.axis(labels=False, ticks=False, grid=False),
        ),
        y=vega.channel("cka:Q", title="CKA", scale=vega.scale(domain=[0, 1], clamp=True)),
        color=vega.channel(
            "pair:N",
            title=None,
            scale=vega.scale(domain=pairs, range=list(MODEL_COLORS)),
            legend=vega.legend(labelLimit=420, columns=1),
        ),
        tooltip=[
            vega.channel("pair:N", title="models"),
            vega.channel("layer:N"),
            vega.channel("cka:Q", format=".2f", title="CKA"),
            vega.channel("overlap:Q", format=".0%", title="neighbours in common"),
        ],
    )
    line = base.mark("line", strokeWidth=2, aria=False)
    points = base.mark("point", filled=True, size=50, opacity=1)
    return vega.layer(line, points).properties(
        height=220,
        description="CKA of pairs of models at the layers that correspond, from the first to the "
        "logits. The table of layers holds the same numbers.",
    )


def pair_map(names: list[str], title: str) -> Drawing:
    """One number of every pair of models as a map."""
    base = (
        vega.Chart.of(vega.named("matrix"))
        .filtered(vega.equal("what", title))
        .encode(
            x=vega.channel("b:N", sort=names, title=None, axis=_axis(-40)),
            y=vega.channel("a:N", sort=names, title=None, axis=_axis(0)),
        )
    )
    squares = base.mark("rect").encode(
        color=vega.channel(
            "value:Q", title=None, scale=vega.scale(scheme="blues", domain=[0, 1], clamp=True)
        ),
        tooltip=[vega.channel("a:N"), vega.channel("b:N"), vega.channel("value:Q", format=".3f")],
    )
    numbers = base.mark("text", fontSize=11).encode(
        text="text:N",
        color=vega.condition("(datum.value > 0.55)", vega.value("white"), vega.value("#1c2430")),
    )
    return vega.layer(squares, numbers).properties(
        height=max(80, 34 * len(names)),
        description=f"{title} of every pair of models. The table of pairs holds the same numbers.",
    )


def _axis(angle: float) -> Any:
    return vega.axis(labelAngle=angle, labelLimit=140, ticks=False, domain=False, grid=False)
