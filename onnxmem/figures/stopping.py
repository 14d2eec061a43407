"""Figures 6 and 9, and table 2: when to stop a training, told by few training samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnxmem.figures import charts
from onnxmem.figures.bench import Bench, curves, mean_auc
from onnxmem.figures.figure import Drawn, Figure, verdict_of
from onnxmem.figures.subjects import Subject
from onnxmem.findings.track import checkpoint_names
from onnxmem.records import TrackReport
from onnxmem.report import vega

_CLOSE = 0.02
"""Held-out accuracy that a good choice of a checkpoint may lose."""

_FEW = (5, 10, 20)
"""Samples of each class of table 2."""

_COUNT = 10
"""Samples of each class elsewhere."""


@dataclass(frozen=True, slots=True)
class Course:
    """Checkpoints, their names, and their held-out accuracy (checkpoints,)."""

    report: TrackReport
    names: tuple[str, ...]
    accuracy: np.ndarray

    @classmethod
    def of(cls, report: TrackReport) -> Course:
        """Return the course that a report tells of."""
        held = [one.held_out_accuracy or 0.0 for one in report.checkpoints]
        return cls(report, tuple(checkpoint_names(report)), np.array(held))

    def lost(self, place: int) -> float:
        """Return by how much the best held-out accuracy exceeds that of a checkpoint."""
        return float(self.accuracy.max() - self.accuracy[place])

    def chosen(self) -> int:
        """Return the checkpoint that agrees most with neighbours."""
        return [one.path for one in self.report.checkpoints].index(str(self.report.chosen))


def rank_one(bench: Bench, subject: Subject, count: int) -> float:
    """Return the accuracy at k = 1 on single-class batches of so many, mean over the layers."""
    report = bench.audit(subject, batch=("class",), ranks=(1,), per_class=count)
    return float(np.mean([c.accuracy[c.x.index(1)] for _, c in curves(report, "nmf.class")]))


def draw_turn(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw AuCs beside held-out accuracy along a course of training."""
    course = Course.of(bench.course(subjects))
    reports = [bench.audit(one, per_class=_COUNT, ranks=(1, 2, 4, 8, 16)) for one in subjects]
    aucs = {kind: [mean_auc(r, f"nmf.{kind}") for r in reports] for kind in ("class", "mixed")}
    training = [one.train_accuracy for one in course.report.checkpoints]
    series = {
        "held-out accuracy": course.accuracy.tolist(),
        "training accuracy": training,
        "AuC, single-class": aucs["class"],
        "AuC, mixed": aucs["mixed"],
        "agreement with neighbours": [o.agreement_mean for o in course.report.checkpoints],
    }
    chart = _drawn(course, series)
    places = {kind: int(np.argmax(values)) for kind, values in aucs.items()}
    lost = {kind: course.lost(place) for kind, place in places.items()}
    best = int(course.accuracy.argmax())
    said = "; ".join(
        f"{title} is highest at {course.names[places[kind]]}, {lost[kind]:.3f} below the best"
        for kind, title in (("class", "AuC on single-class batches"), ("mixed", "on mixed ones"))
    )
    found = (
        f"held-out accuracy turns at {course.names[best]} ({course.accuracy[best]:.3f}); {said}; "
        f"agreement with neighbours chooses {course.names[course.chosen()]}, "
        f"{course.lost(course.chosen()):.3f} below; the last loses {course.lost(-1):.3f}."
    )
    close = [value <= _CLOSE for value in lost.values()]
    if course.lost(-1) <= _CLOSE:
        return Drawn(chart, "cannot be judged", found)
    return Drawn(chart, verdict_of(close), found)


def _drawn(course: Course, series: dict[str, list[float]]) -> Any:
    rows = [
        {"checkpoint": name, "what": what, "value": value}
        for what, values in series.items()
        for name, value in zip(course.names, values, strict=True)
    ]
    return charts.lines(rows, charts.along(), charts.share("value", "share"), field="what")


def draw_signs(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw accuracy at k = 1 beside held-out accuracy, and count equal signs of their changes."""
    course = Course.of(bench.course(subjects))
    few = [rank_one(bench, one, _COUNT) for one in subjects]
    series = {"held-out accuracy": course.accuracy.tolist(), "accuracy at k = 1": few}
    chart = _drawn(course, series)
    held, ones = np.diff(course.accuracy), np.diff(few)
    equal = int((np.sign(held) == np.sign(ones)).sum())
    falls = held < 0
    found = (
        f"the change of accuracy at k = 1 has the sign of that of held-out accuracy in {equal} of "
        f"{len(held)} steps; held-out accuracy falls in {int(falls.sum())} of them, and accuracy "
        f"at k = 1 falls in {int((ones[falls] < 0).sum())} of those."
    )
    if not falls.any():
        return Drawn(chart, "cannot be judged", found)
    return Drawn(chart, verdict_of((np.sign(held) == np.sign(ones)).tolist()), found)


def first_fall(values: Sequence[float]) -> int:
    """Return the place before the first fall of `values`; the last where they never fall."""
    falls = np.flatnonzero(np.diff(values) < 0)
    return int(falls[0]) if len(falls) else len(values) - 1


def draw_table(bench: Bench, subjects: Sequence[Subject]) -> Drawn:
    """Draw which checkpoint each rule chooses, and its held-out accuracy."""
    course = Course.of(bench.course(subjects))
    rules = {}
    for count in _FEW:
        rules[f"{count} samples a class, k = 1, before its first fall"] = first_fall(
            [rank_one(bench, one, count) for one in subjects]
        )
    few = dict(rules)
    rules["agreement with neighbours"] = course.chosen()
    rules["the last checkpoint"] = len(course.names) - 1
    rules["the best by held-out accuracy"] = int(course.accuracy.argmax())
    rows = [
        {"rule": rule, "text": f"{course.names[p]}: {course.accuracy[p]:.3f}",
         "accuracy": float(course.accuracy[p])}
        for rule, p in rules.items()
    ]  # fmt: skip
    base = vega.Chart.of(vega.inline(rows)).encode(
        y=vega.channel("rule:N", title=None, sort=None, axis=vega.axis(labelLimit=340)),
        x=vega.channel("accuracy:Q", title="held-out accuracy", scale=vega.scale(domain=[0, 1.15])),
    )
    bars = base.mark("bar", color="#3b82d6", height=14)
    said = base.mark("text", align="left", dx=5).encode(text="text:N")
    chart = vega.layer(bars, said).properties(width=charts.WIDTH)
    found = "; ".join(
        f"{rule}: {course.names[place]}, {course.lost(place):.3f} below the best"
        for rule, place in rules.items()
        if rule != "the best by held-out accuracy"
    )
    close = [course.lost(place) <= _CLOSE for place in few.values()]
    verdict = "cannot be judged" if course.lost(-1) <= _CLOSE else verdict_of(close)
    return Drawn(chart, verdict, f"{found}.")


FIGURES = (
    Figure(
        name="fig6",
        title="Where AuC and held-out accuracy turn",
        claim="along a training the AuC turns where the test loss turns, so it tells when to stop.",
        made="Drawn: AuC of NMF on training samples, accuracies, and agreement with neighbours at "
        f"each checkpoint; it holds where the checkpoint of the highest AuC loses at most {_CLOSE} "
        "of the best held-out accuracy. Accuracy stands for the loss.",
        networks=("mnist-course",),
        draw=draw_turn,
    ),
    Figure(
        name="fig9",
        title="Few samples, one component",
        claim="with few samples, the accuracy at k = 1 rises and falls as test accuracy does.",
        made=f"Drawn: accuracy at k = 1 on single-class batches of {_COUNT}, mean over the layers, "
        "beside held-out accuracy; it holds where their changes from one checkpoint to the next "
        "have equal signs, in part where most have.",
        networks=("mnist-course",),
        draw=draw_signs,
    ),
    Figure(
        name="table2",
        title="Stopping early with few samples",
        claim="accuracy at k = 1 of few training samples tells when to stop.",
        made="Drawn: the checkpoint that each rule chooses, and its held-out accuracy; it holds "
        f"where the rules of few samples lose at most {_CLOSE} of the best. Our reading of the "
        "rule: stop before accuracy at k = 1 falls first.",
        networks=("mnist-course",),
        draw=draw_table,
    ),
)
