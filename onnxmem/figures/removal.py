"""Figure 7: what is lost when directions are taken out of a layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnxmem.figures import charts
from onnxmem.figures.bench import Bench, curves
from onnxmem.figures.figure import Drawn, Figure, verdict_of
from onnxmem.figures.subjects import Subject
from onnxmem.report.words import COMPRESSORS

_REMOVED = ("nmf_removed", "pca_removed", "random_removed")
_RANKS = (1, 2, 4, 8, 16)


def draw(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw accuracy against how many directions are taken out."""
    rows: list[charts.Row] = []
    aucs: dict[tuple[str, str], list[float]] = {}
    for one in subjects:
        report = bench.audit(one, compress=_REMOVED, batch=("mixed",), ranks=_RANKS, per_class=10)
        for name in _REMOVED:
            own = curves(report, f"{name}.mixed")
            aucs[one.name, name] = [curve.auc for _, curve in own]
            for place, rank in enumerate(own[0][1].x):
                mean = float(np.mean([c.accuracy[place] for _, c in own if len(c.x) > place]))
                rows.append(
                    {"network": one.name, "rank": rank, "accuracy": mean, "compressor": name}
                )
    panels = []
    for name in _REMOVED:
        chosen = [row for row in rows if row["compressor"] == name]
        panel = charts.lines(chosen, charts.rank(), charts.share("accuracy", "accuracy"))
        panels.append(charts.titled(panel, f"{COMPRESSORS[name]}, mean over the layers"))
    low, high = (pick(subjects, key=lambda one: one.noise) for pick in (min, max))
    if low.noise == high.noise:
        same = "the networks do not differ in p, so there is nothing to judge by."
        return Drawn(charts.beside(*panels), "cannot be judged", same)
    hurt = {
        name: [a < b for a, b in zip(aucs[low.name, name], aucs[high.name, name], strict=True)]
        for name in _REMOVED
    }
    told = ", ".join(f"{sum(h)} of {len(h)} ({COMPRESSORS[n]})" for n, h in hurt.items())
    means = "; ".join(
        f"{one.name} " + ", ".join(f"{np.mean(aucs[one.name, n]):.2f}" for n in _REMOVED)
        for one in subjects
    )
    found = (
        f"{low.name} loses more than {high.name} in so many layers: {told}. Mean area under the "
        f"accuracy, in the same order: {means}."
    )
    judged = [lost for name in _REMOVED[:2] for lost in hurt[name]]
    return Drawn(charts.beside(*panels), verdict_of(judged), found)


FIGURES = (
    Figure(
        name="fig7",
        title="Directions taken out",
        claim="taking the directions of NMF or PCA out hurts networks that generalize more.",
        made="Drawn: accuracy on mixed batches without the first k directions of NMF, of PCA, and "
        "without k drawn ones, mean over the layers; it holds where the area is smaller in every "
        "layer for the network of the lowest p than for that of the highest.",
        networks=("mnist-cnn-p00", "mnist-cnn-p100"),
        draw=draw,
    ),
)
