"""Figures 5 and 8: the AuC beside held-out accuracy, of networks and of single classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnxmem.figures import charts
from onnxmem.figures.bench import Bench, curves, mean_auc
from onnxmem.figures.figure import Drawn, Figure, verdict_of
from onnxmem.figures.statistics import pearson, signed
from onnxmem.figures.subjects import Subject
from onnxmem.report import vega

_STRONG = 0.5
"""A correlation of this size counts."""

_FEWEST = 4
"""Networks of one p that a correlation needs."""


def draw_error(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw the mean AuC of networks against their generalization error."""
    rows: list[charts.Row] = []
    for one in subjects:
        report = bench.audit(one, batch=("mixed",))
        error = bench.error(one)
        auc = mean_auc(report, "nmf.mixed")
        rows.append({"network": one.name, "p": one.noise, "error": error, "AuC": auc})
    x = vega.channel("error:Q", title="held-out error", scale=vega.scale(domain=[0, 1]))
    chart = charts.points(rows, x, charts.share("AuC", "mean AuC of NMF, mixed batches"))
    told = []
    for p in dict.fromkeys(row["p"] for row in rows):
        own = [row for row in rows if row["p"] == p]
        if len(own) >= _FEWEST:
            told.append((p, len(own), _r(own)))
    said = [f"r = {signed(r)} over {count} networks of p = {p:g}" for p, count, r in told]
    said.append(f"r = {signed(_r(rows))} over all {len(rows)}, whatever their p")
    clean = [r for p, _, r in told if not p]
    if not clean:
        said.append(f"fewer than {_FEWEST} networks of p = 0, which the claim is about")
        return Drawn(chart, "cannot be judged", "; ".join(said) + ".")
    agree = [r is not None and r < -_STRONG for r in clean]
    return Drawn(chart, verdict_of(agree), "; ".join(said) + ".")


def _r(rows: Sequence[charts.Row]) -> float | None:
    return pearson([row["AuC"] for row in rows], [row["error"] for row in rows])


def draw_classes(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw the AuC of each class against the held-out accuracy of that class."""
    rows: list[charts.Row] = []
    rs: list[tuple[Subject, float | None]] = []
    for one in subjects:
        predicted, labels = bench.held_out(one)
        aucs = _by_class(bench, one)
        own: list[charts.Row] = [
            {"network": one.name, "class": str(label), "AuC": aucs[label],
             "accuracy": float((predicted == labels)[labels == label].mean())}
            for label in sorted(aucs)
            if (labels == label).any()
        ]  # fmt: skip
        rows += own
        r = pearson([row["AuC"] for row in own], [row["accuracy"] for row in own])
        rs.append((one, r))
    x = vega.channel(
        "AuC:Q", title="AuC of the class, mean over the layers", scale=vega.scale(zero=False)
    )
    chart = charts.points(rows, x, charts.share("accuracy", "held-out accuracy of the class"))
    known = [r for _, r in rs if r is not None]
    said = ", ".join(f"{one.name} {signed(r)}" for one, r in rs)
    fewest = min(int((labels == label).sum()) for label in np.unique(labels))
    found = f"r over the classes: {said}; the smallest class has {fewest} held-out samples."
    if not known:
        return Drawn(chart, "cannot be judged", found)
    strong = [r > _STRONG for r in known]
    return Drawn(chart, verdict_of(strong), f"mean r = {np.mean(known):+.2f}; {found}")


def _by_class(bench: Bench, subject: Subject) -> dict[int, float]:
    """Return the AuC of each class, mean over the layers."""
    report = bench.audit(subject, batch=("class",))
    found: dict[int, list[float]] = {}
    for _, curve in curves(report, "nmf.class"):
        for group in curve.groups:
            found.setdefault(group.label, []).append(group.auc)
    return {label: float(np.mean(values)) for label, values in found.items()}


FIGURES = (
    Figure(
        name="fig5",
        title="AuC against generalization error",
        claim="among networks trained on true labels the AuC falls as the generalization error "
        "rises (r = −.82).",
        made="Drawn: mean AuC of NMF on mixed batches against held-out error, a point for each "
        f"network; judged by Pearson's r among networks of p = 0, of which {_FEWEST} are needed; "
        f"it holds below −{_STRONG}. Drawn of what ships are six trainings on labels of p = .4.",
        networks=("mnist-mlp",),
        draw=draw_error,
    ),
    Figure(
        name="fig8",
        title="Single classes",
        claim="classes with a higher AuC have a higher held-out accuracy.",
        made="Drawn: AuC of NMF on the single-class batch, mean over the layers, against held-out "
        "accuracy of that class; judged by Pearson's r over the classes of each network; it holds "
        f"where all are above {_STRONG}.",
        networks=("mnist1d-mlp-p00", "mnist1d-mlp-p20", "mnist1d-mlp-p40"),
        draw=draw_classes,
    ),
)
