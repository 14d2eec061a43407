"""Measures networks for figures: audits, answers, supports of layers, courses of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from onnxmem import graph, tracking
from onnxmem.arrays import take_rows, to_host
from onnxmem.auditing import Listener, Progress, Settings, run_audit
from onnxmem.cache import NOWHERE, Store
from onnxmem.data import Source
from onnxmem.errors import DataError, InconclusiveError
from onnxmem.evidence.settings import EvidenceSettings
from onnxmem.figures.subjects import Subject
from onnxmem.network.classifier import Classifier
from onnxmem.network.clock import Clock
from onnxmem.network.evaluation import Grouping, evaluate
from onnxmem.network.opening import Opened, open_network
from onnxmem.records import Curve, Report, TrackReport

RANKS = (1, 2, 4, 8, 16, 32)
"""Ranks of the curves; few, so that a figure takes a minute or two."""

PER_CLASS = 20
"""Samples of each class."""


def _unheard(progress: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Support:
    """Where a layer is above zero on batches.

    Attributes:
        tensor: the layer.
        kind: of batch, class or mixed.
        active: for each batch (samples, units), whether a unit is above zero.
    """

    tensor: str
    kind: str
    active: tuple[np.ndarray, ...]

    @property
    def one_sign(self) -> float:
        """The share of units that are above zero for all samples of a batch, or for none."""
        return float(np.mean([(one.all(axis=0) | ~one.any(axis=0)).mean() for one in self.active]))


@dataclass(frozen=True, slots=True)
class Bench:
    """Measures networks, and keeps what it measured in a store.

    Attributes:
        device: where to run.
        seed: of every random choice.
        store: layers that it knows are not measured again.
        listen: told about progress.
    """

    device: str = "auto"
    seed: int = 0
    store: Store = field(default_factory=lambda: NOWHERE)
    listen: Listener = _unheard

    def audit(self, subject: Subject, **asked: Any) -> Report:
        """Return the report of a network; `asked` are settings of the audit.

        Raises:
            InconclusiveError: nothing could be measured.
        """
        options: dict[str, Any] = {"per_class": PER_CLASS, "ranks": RANKS, "compress": ("nmf",)}
        options |= asked
        settings = Settings(device=self.device, seed=self.seed, samples=False, **options)
        report = run_audit(
            subject.path,
            subject.arrays(),
            settings,
            source=Source(subject.data),
            store=self.store,
            listen=self._heard(subject),
        )
        if not any(layer.curves for layer in report.layers):
            raise InconclusiveError(f"{subject.name}: {report.reason or 'no layer was measured'}")
        return report

    def held_out(self, subject: Subject) -> tuple[np.ndarray, np.ndarray]:
        """Return predictions and labels (samples,) of the samples that were held out.

        Raises:
            DataError: there are none with labels.
        """
        arrays = subject.arrays()
        names = {str(one) for one in np.unique(np.asarray(arrays.get("split", [])))} - {"train"}
        if not names or "y" not in arrays:
            raise DataError(
                f"{subject.data} has no held-out samples with labels; give an array 'split' that "
                "calls samples train or heldout"
            )
        settings = EvidenceSettings(device=self.device, seed=self.seed, split=min(names))
        with open_network(subject.path, arrays, settings) as opened:
            samples = opened.samples
            classifier = Classifier(opened.network, opened.network.feeds(samples.shared))
            assert samples.labels is not None
            return classifier.predict(samples.inputs), np.asarray(samples.labels)

    def error(self, subject: Subject) -> float:
        """Return the share of held-out samples that a network gets wrong."""
        predicted, labels = self.held_out(subject)
        return float((predicted != labels).mean())

    def supports(self, subject: Subject) -> list[Support]:
        """Return the support of every layer on single-class and on mixed batches of one size."""
        self._heard(subject)(Progress("supports", 0, 0))
        settings = EvidenceSettings(device=self.device, seed=self.seed)
        with open_network(subject.path, subject.arrays(), settings) as opened:
            return list(self._supports(opened))

    def _supports(self, opened: Opened) -> Iterator[Support]:
        grouping = Grouping(PER_CLASS, ("class", "mixed"), None, self.seed)
        evaluation = evaluate(opened, opened.samples.digests, grouping, Clock())
        names = [site.tensor for site in opened.sites if site.status == "ok"]
        session = opened.network.session(graph.expose(opened.network.model, names))
        shared = dict(evaluation.shared)
        for kind in evaluation.kinds:
            active: dict[str, list[np.ndarray]] = {name: [] for name in names}
            for batch in evaluation.batches(kind):
                feeds = {n: take_rows(a, batch.rows) for n, a in evaluation.inputs.items()}
                for name, value in zip(names, session.run(feeds | shared, names), strict=True):
                    active[name].append(to_host(value).reshape(len(batch.rows), -1) > 0)
            for name in names:
                yield Support(name, kind, tuple(active[name]))

    def course(self, subjects: Sequence[Subject]) -> TrackReport:
        """Return what is found of checkpoints, in the order of training.

        Raises:
            DataError: there are no held-out samples.
        """
        settings = EvidenceSettings(device=self.device, seed=self.seed)
        found = tracking.track(
            [one.path for one in subjects],
            subjects[0].arrays(),
            settings,
            source=Source(subjects[0].data),
            store=self.store,
            listen=self.listen,
        )
        if found.choice is None or found.checkpoints[0].held_out_accuracy is None:
            raise DataError(f"{subjects[0].data} has no held-out samples with labels")
        return found

    def _heard(self, subject: Subject) -> Listener:
        """Return what is told about progress, with the name of the network."""

        def hear(event: Progress) -> None:
            self.listen(replace(event, stage=f"{subject.name}: {event.stage}"))

        return hear


def curves(report: Report, key: str) -> list[tuple[int, Curve]]:
    """Return the depth and the curve of all layers that have one of that key."""
    found = [(place, layer.curve(key)) for place, layer in enumerate(report.layers, start=1)]
    return [(place, curve) for place, curve in found if curve is not None]


def mean_auc(report: Report, key: str) -> float:
    """Return the mean AuC over all layers, saturated ones too, as in the paper."""
    return float(np.mean([curve.auc for _, curve in curves(report, key)]))
