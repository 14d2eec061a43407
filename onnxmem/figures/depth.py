"""Figures 2 and 3: the AuC by depth, and which compressor tells networks apart best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnxmem.figures import charts
from onnxmem.figures.bench import Bench, curves, mean_auc
from onnxmem.figures.figure import Drawn, Figure, verdict_of
from onnxmem.figures.statistics import signed, spearman
from onnxmem.figures.subjects import Subject
from onnxmem.report import vega
from onnxmem.report.words import COMPRESSORS

_BATCHES = {"class": "single-class", "mixed": "mixed"}
_FALLS = -0.8
"""A correlation below this counts as one that separates."""


def draw_depth(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw the AuC of every layer of networks, on single-class and on mixed batches."""
    rows: list[charts.Row] = []
    for one in subjects:
        report = bench.audit(one, per_class=10)
        for kind, title in _BATCHES.items():
            rows += [
                {"network": one.name, "p": one.noise, "layer": place, "AuC": curve.auc,
                 "batch": title, "saturated": curve.saturated}
                for place, curve in curves(report, f"nmf.{kind}")
            ]  # fmt: skip
    panels = []
    for title in _BATCHES.values():
        chosen = [row for row in rows if row["batch"] == title]
        panel = charts.lines(chosen, charts.depth(), charts.share("AuC", "AuC of NMF"))
        panels.append(charts.titled(panel, f"{title} batches"))
    single = [row for row in rows if row["batch"] == "single-class"]
    depth = max(row["layer"] for row in rows)
    deepest = [row for row in single if row["layer"] == depth]
    deep = spearman([row["p"] for row in deepest], [row["AuC"] for row in deepest])
    by_kind = {title: _rho(rows, title) for title in _BATCHES.values()}
    saturated = sum(row["saturated"] for row in deepest)
    separates = [rho is not None and rho < _FALLS for rho in (*by_kind.values(), deep)]
    found = (
        "ρ of the mean AuC with p is "
        + ", ".join(f"{signed(rho)} on {title} batches" for title, rho in by_kind.items())
        + f"; in the deepest layer alone {signed(deep)} on single-class batches, where "
        f"{saturated} of {len(deepest)} networks are saturated."
    )
    if all(rho is None for rho in by_kind.values()):
        return Drawn(charts.beside(*panels), "cannot be judged", found)
    return Drawn(charts.beside(*panels), verdict_of(separates), found)


def _rho(rows: Sequence[charts.Row], title: str) -> float | None:
    """Return the correlation of p with the mean AuC over the layers."""
    chosen = [row for row in rows if row["batch"] == title]
    names = charts.names_of(chosen, "network")
    own = [[row for row in chosen if row["network"] == name] for name in names]
    return spearman(
        [rows[0]["p"] for rows in own], [float(np.mean([r["AuC"] for r in rows])) for rows in own]
    )


def draw_compressors(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw the mean AuC of NMF, PCA and ablation against p."""
    names = ("nmf", "pca", "ablation")
    rows: list[charts.Row] = []
    for one in subjects:
        report = bench.audit(one, per_class=10, compress=names)
        rows += [
            {"compressor": COMPRESSORS[name], "p": one.noise, "network": one.name,
             "AuC": mean_auc(report, f"{name}.{kind}"), "batch": title}
            for name in names
            for kind, title in _BATCHES.items()
        ]  # fmt: skip
    panels, rhos = [], {}
    x = vega.channel("p:Q", title="p, share of labels replaced at random")
    for title in _BATCHES.values():
        chosen = [row for row in rows if row["batch"] == title]
        panel = charts.lines(chosen, x, charts.share("AuC", "mean AuC"), field="compressor")
        panels.append(charts.titled(panel, f"{title} batches"))
        for name in names:
            own = [row for row in chosen if row["compressor"] == COMPRESSORS[name]]
            rhos[title, name] = spearman([r["p"] for r in own], [r["AuC"] for r in own])
    said = "; ".join(
        f"{title}: " + ", ".join(f"{COMPRESSORS[n]} {signed(rhos[title, n])}" for n in names)
        for title in _BATCHES.values()
    )
    found = f"ρ of the mean AuC with p, {said}."
    if None in rhos.values():
        return Drawn(charts.beside(*panels), "cannot be judged", found)
    best = [
        all(abs(rhos[title, "nmf"] or 0) > abs(rhos[title, n] or 0) for n in names[1:])
        for title in _BATCHES.values()
    ]
    return Drawn(charts.beside(*panels), verdict_of(best), found)


FIGURES = (
    Figure(
        name="fig2",
        title="AuC of every layer",
        claim="deep layers of networks that memorize have a lower AuC on single-class batches.",
        made="Drawn: AuC of NMF by depth, a line for each network; judged by Spearman's ρ of p "
        "with the AuC, mean over all layers and in the deepest one. It holds where all are below "
        f"{_FALLS}.",
        networks=("mnist-cnn-p00", "mnist-cnn-p40", "mnist-cnn-p80", "mnist-cnn-p100"),
        draw=draw_depth,
    ),
    Figure(
        name="fig3",
        title="NMF beside its baselines",
        claim="NMF separates networks that memorize better than PCA and random ablation do.",
        made="Drawn: mean AuC over the layers against p for each compressor; it holds where "
        "|ρ| of NMF with p is the largest.",
        networks=("vowels-mlp",),
        draw=draw_compressors,
    ),
)
