"""Figures 10 and 11: reconstruction error, and the curves themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnxmem.figures import charts
from onnxmem.figures.bench import Bench, curves
from onnxmem.figures.figure import Drawn, Figure, verdict_of
from onnxmem.figures.statistics import signed, spearman
from onnxmem.figures.subjects import Subject
from onnxmem.report import vega

_RISES = 0.8


def draw_errors(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw the relative error of NMF in every layer, mean over the ranks."""
    rows: list[charts.Row] = []
    for one in subjects:
        report = bench.audit(one, batch=("mixed",))
        rows += [
            {"network": one.name, "p": one.noise, "layer": place,
             "error": float(np.mean(curve.error))}
            for place, curve in curves(report, "nmf.mixed")
        ]  # fmt: skip
    y = vega.channel("error:Q", title="relative error, mean over the ranks")
    chart = charts.lines(rows, charts.depth(), y)
    layers = sorted({row["layer"] for row in rows})
    rhos = [
        spearman(*zip(*[(r["p"], r["error"]) for r in rows if r["layer"] == layer], strict=True))
        for layer in layers
    ]
    known = [rho for rho in rhos if rho is not None]
    if not known:
        return Drawn(chart, "cannot be judged", "fewer than three p are there.")
    means = [np.mean([r["error"] for r in rows if r["network"] == one.name]) for one in subjects]
    found = (
        f"ρ of the error with p, layer by layer: {', '.join(map(signed, rhos))}. Mean errors: "
        + ", ".join(f"{one.name} {mean:.3f}" for one, mean in zip(subjects, means, strict=True))
        + "."
    )
    strong = [rho > _RISES for rho in known]
    return Drawn(chart, verdict_of(strong), found)


def draw_curves(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw accuracy against rank of every layer, and see where networks lie above each other."""
    rows: list[charts.Row] = []
    for one in subjects:
        report = bench.audit(one, batch=("mixed",))
        rows += [
            {"network": one.name, "p": one.noise, "layer": f"layer {place}", "rank": rank,
             "accuracy": accuracy}
            for place, curve in curves(report, "nmf.mixed")
            for rank, accuracy in zip(curve.x, curve.accuracy, strict=True)
        ]  # fmt: skip
    panels = []
    pairs = []
    for layer in charts.names_of(rows, "layer"):
        own = [row for row in rows if row["layer"] == layer]
        panel = charts.lines(own, charts.rank(), charts.share("accuracy", "accuracy"))
        panels.append(charts.titled(panel, f"{layer}, mixed batches"))
        for rank in (2, 4, 8):
            at = [row for row in own if row["rank"] == rank]
            rho = spearman([row["p"] for row in at], [row["accuracy"] for row in at])
            pairs.append((layer, rank, rho))
    known = [rho for _, _, rho in pairs if rho is not None]
    if not known:
        return Drawn(charts.beside(*panels), "cannot be judged", "fewer than three p are there.")
    said = ", ".join(f"{layer} k = {rank} {signed(rho)}" for layer, rank, rho in pairs)
    found = f"ρ of accuracy at rank k with p: {said}."
    falls = [rho < -_RISES for rho in known]
    return Drawn(charts.beside(*panels), verdict_of(falls), found)


FIGURES = (
    Figure(
        name="fig10",
        title="Reconstruction error",
        claim="the reconstruction error of a layer rises with p.",
        made="Drawn: relative Frobenius error of NMF on mixed batches, mean over the ranks, by "
        f"depth; judged by Spearman's ρ with p in each layer; it holds where all exceed {_RISES}.",
        networks=("vowels-mlp",),
        draw=draw_errors,
    ),
    Figure(
        name="fig11",
        title="Accuracy against rank, layer by layer",
        claim="accuracy at a low rank falls as p rises.",
        made="Drawn: accuracy against the rank of NMF in every layer, mixed batches. This is what "
        "reports hold beside figure 10; the layout and the claim of the paper's own figure 11 "
        "were not at hand. Judged by Spearman's ρ with p at ranks 2, 4 and 8; it holds where all "
        f"are below −{_RISES}.",
        networks=("vowels-mlp",),
        draw=draw_curves,
    ),
)
