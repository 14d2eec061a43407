"""Figures 1 and 4: which units are above zero, and how linear a layer is on a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onnxmem.figures import charts
from onnxmem.figures.bench import Bench, Support, curves
from onnxmem.figures.figure import Drawn, Figure, verdict_of
from onnxmem.figures.subjects import Subject
from onnxmem.report import vega

_SHOWN = 60
"""Units of a bitmap."""

_BATCHES = {"class": "single-class", "mixed": "mixed"}


def draw_support(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw the support of a layer on one single-class batch, and the shares of units of one sign.

    The layer is the one in the middle.
    """
    panels, rows, shares = [], [], []
    for one in subjects:
        supports = [found for found in bench.supports(one) if found.kind == "class"]
        middle = supports[len(supports) // 2]
        panels.append(_bitmap(middle, f"{one.name}, layer {len(supports) // 2 + 1}, first class"))
        rows += [
            {"network": one.name, "layer": place, "share": found.one_sign}
            for place, found in enumerate(supports, start=1)
        ]
        shares.append((one, float(np.mean([found.one_sign for found in supports]))))
    by_layer = charts.lines(rows, charts.depth(), charts.share("share", "units of one sign"))
    panels.append(charts.titled(by_layer, "Units of one sign, mean over the classes"))
    said = ", ".join(f"{one.name} {share:.2f}" for one, share in shares)
    found = f"share of units of one sign on single-class batches, mean over the layers: {said}."
    least, most = (pick(shares, key=lambda pair: pair[0].noise) for pick in (min, max))
    if least[0].noise == most[0].noise:
        return Drawn(charts.beside(*panels), "cannot be judged", found)
    pairs = [
        [row["share"] for row in rows if row["network"] == one.name] for one, _ in (least, most)
    ]
    larger = [low > high for low, high in zip(*pairs, strict=True)]
    found = f"{found[:-1]}; larger for {least[0].name} in {sum(larger)} of {len(larger)} layers."
    return Drawn(charts.beside(*panels), "holds" if least[1] > most[1] else "does not hold", found)


def _bitmap(support: Support, title: str) -> Any:
    active = support.active[0]
    units = np.linspace(0, active.shape[1] - 1, min(_SHOWN, active.shape[1])).astype(int)
    rows = [
        {"sample": i, "unit": int(unit), "sign": "above zero" if active[i, unit] else "zero"}
        for i in range(len(active))
        for unit in units
    ]
    drawn = vega.Chart.of(vega.inline(rows)).mark("rect")
    scale = vega.scale(domain=["above zero", "zero"], range=["#1c2430", "#e8ebef"])
    return drawn.encode(
        x=vega.channel("unit:O", title="unit", axis=vega.axis(labels=False, ticks=False)),
        y=vega.channel("sample:O", title="sample", axis=vega.axis(labels=False, ticks=False)),
        color=vega.channel("sign:N", title=None, scale=scale),
    ).properties(width=charts.WIDTH, height=200, title=title)


def draw_linearity(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw shares of units of one sign, and AuCs, on single-class beside mixed batches."""
    signs: list[charts.Row] = []
    aucs: list[charts.Row] = []
    for one in subjects:
        known: charts.Row = {"network": one.name, "p": one.noise}
        counts = dict.fromkeys(_BATCHES, 0)
        for layer in bench.supports(one):
            counts[layer.kind] += 1
            own = {"layer": counts[layer.kind], "batch": _BATCHES[layer.kind]}
            signs.append(known | own | {"value": layer.one_sign})
        report = bench.audit(one, per_class=10)
        for kind, batch in _BATCHES.items():
            aucs += [
                known | {"layer": place, "batch": batch, "value": curve.auc}
                for place, curve in curves(report, f"nmf.{kind}")
            ]
    panels = [
        charts.titled(
            charts.lines(chosen, charts.depth(), charts.share("value", title), dash="batch"), title
        )
        for chosen, title in ((signs, "units of one sign"), (aucs, "AuC of NMF"))
    ]
    cleanest = min(subjects, key=lambda one: one.noise)
    pairs = [*_pairs(signs, cleanest.name), *_pairs(aucs, cleanest.name)]
    ahead_of = [single >= mixed for single, mixed in pairs]
    said = "; ".join(
        f"{one.name} {_mean(signs, one.name, 0):.2f} against {_mean(signs, one.name, 1):.2f}"
        for one in subjects
    )
    auc = "; ".join(
        f"{one.name} {_mean(aucs, one.name, 0):.2f} against {_mean(aucs, one.name, 1):.2f}"
        for one in subjects
    )
    found = (
        f"units of one sign on single-class against mixed batches: {said}. AuC: {auc}. Of "
        f"{cleanest.name} single-class batches are not behind in {sum(ahead_of)} of {len(pairs)} "
        "pairs."
    )
    return Drawn(charts.beside(*panels), verdict_of(ahead_of), found)


def _pairs(rows: Sequence[charts.Row], name: str) -> list[tuple[float, float]]:
    """Return the values of each layer on single-class and on mixed batches."""
    single, mixed = (
        [row["value"] for row in rows if row["network"] == name and row["batch"] == title]
        for title in _BATCHES.values()
    )
    return list(zip(single, mixed, strict=True))


def _mean(rows: Sequence[charts.Row], name: str, side: int) -> float:
    return float(np.mean([pair[side] for pair in _pairs(rows, name)]))


FIGURES = (
    Figure(
        name="fig1",
        title="The support of a layer on a single-class batch",
        claim="where all samples of a class share one support a layer is linear on them, and "
        "networks that generalize come closer to it.",
        made="Drawn: whether units (up to 60) of the layer in the middle are above zero, and the "
        "share of units of one sign in every layer; it holds where that share, mean over the "
        "layers, is larger for the network with the lower p.",
        networks=("mnist-cnn-p00", "mnist-cnn-p100"),
        draw=draw_support,
    ),
    Figure(
        name="fig4",
        title="Single-class beside mixed batches",
        claim="layers are more linear on single-class batches than on mixed ones.",
        made="Drawn: share of units of one sign, and AuC of NMF, in every layer on both kinds of "
        "batches of one size; it holds where single-class batches of the network with the lowest p "
        "are ahead in all layers.",
        networks=("mnist-cnn-p00", "mnist-cnn-p100"),
        draw=draw_linearity,
    ),
)
