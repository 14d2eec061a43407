"""Where a network memorizes: suspects are told, then every part of `locating` is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from onnxmem import graph
from onnxmem._version import __version__
from onnxmem.auditing.evidence import all_layers, find_facts
from onnxmem.auditing.locate_settings import LocateSettings
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.auditing.suspects import tell_suspects
from onnxmem.cache import NOWHERE, Store
from onnxmem.data import IN_MEMORY, Column, Source, Suspects
from onnxmem.errors import DataError, InconclusiveError, UsageError
from onnxmem.evidence.gather import Asked, Gathered
from onnxmem.locating.accounting import account
from onnxmem.locating.crowd import Crowd, choose
from onnxmem.locating.matching import Pair, match_sites
from onnxmem.locating.probe import probe
from onnxmem.locating.rewind import rewind
from onnxmem.locating.units import flip_units
from onnxmem.network.classifier import Classifier
from onnxmem.network.clock import Clock
from onnxmem.network.identity import environment
from onnxmem.network.independence import check_independent
from onnxmem.network.labelling import read_labels
from onnxmem.network.opening import Opened, RefusedError, open_network
from onnxmem.records import (
    LOCATE_SCHEMA,
    Accuracies,
    DataInfo,
    Depth,
    GradientAccount,
    LocateReport,
    ModelInfo,
    Probes,
    Rewinding,
    Suspected,
    Tool,
    Units,
)
from onnxmem.sandbox import noted

_PROBED = 2
"""Samples that tell the shapes of activations."""


def locate(
    path: str | Path,
    arrays: Mapping[str, Column],
    settings: LocateSettings,
    *,
    checkpoint: str | Path | None = None,
    suspects: Suspects | None = None,
    source: Source = IN_MEMORY,
    store: Store = NOWHERE,
    listen: Listener = lambda progress: None,
) -> LocateReport:
    """Tell in which layers of the model at `path` samples are memorized.

    Args:
        path: the ONNX file.
        arrays: all of its training samples: inputs by name, labels in `y`.
        settings: how it is run.
        checkpoint: an earlier state of the network, to rewind its segments to.
        suspects: which samples count as noisy; None: see `LocateSettings.suspects`.
        source: where the arrays come from, for the report.
        store: neighbours that it knows are not looked for again.
        listen: told about progress.

    Returns:
        The report. A part that has nothing to tell says why.

    Raises:
        OnnxmemError: see `onnxmem.errors`; none of those that are inconclusive.
    """
    if "y" not in arrays:
        raise DataError(
            "accuracy is measured on the given labels: give an array 'y' with those that the "
            "network was trained on; the data hold "
            f"{', '.join(map(repr, sorted(arrays))) or 'nothing'}"
        )
    listen(Progress("loading the model", 0, 0))
    work = _Work(arrays, settings, source, store, Clock(), listen)
    try:
        with open_network(path, arrays, settings) as opened:
            return work.report(opened, work.parts(opened, checkpoint, suspects))
    except RefusedError as refusal:
        why = str(refusal)
        nothing = _Parts(None, Depth((), why), Probes((), why), reason=why)
        return work.report(refusal.opened, nothing, refusal.info)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a report holds beside what it was made with; the fields are those of the report."""

    suspected: Suspected | None
    depth: Depth
    probes: Probes
    gradients: tuple[GradientAccount, ...] = ()
    units: Units | None = None
    rewinding: Rewinding | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Work:
    """What one call was given."""

    arrays: Mapping[str, Column]
    settings: LocateSettings
    source: Source
    store: Store
    clock: Clock
    listen: Listener

    def parts(
        self, opened: Opened, checkpoint: str | Path | None, given: Suspects | None
    ) -> _Parts:
        """Return all parts of the report.

        Raises:
            InconclusiveError: nobody tells which samples are suspects.
        """
        classifier = Classifier(opened.network, opened.network.feeds(opened.samples.shared))
        check_independent(classifier, opened.samples.inputs)
        gathered = self._gather(opened)
        suspect, suspected = tell_suspects(opened, self.arrays, self.settings, given, gathered)
        crowd = choose(
            opened.samples, suspect, _labels(opened, classifier, gathered), self.settings.most
        )
        gradients = [self._account(opened, crowd)]
        rewinding = None
        if checkpoint is not None:
            rewinding, others = self._rewind(opened, checkpoint, crowd)
            gradients += others
        return _Parts(
            suspected=suspected,
            depth=_depth(opened, gathered, suspect),
            probes=self._probe(opened, crowd),
            gradients=tuple(gradients),
            units=self._flip(opened, crowd),
            rewinding=rewinding,
            notes=() if isinstance(gathered, str) else gathered.notes,
        )

    def _gather(self, opened: Opened) -> Gathered | str:
        """Return what neighbours tell, or why they tell nothing."""
        settings, machine = self.settings, environment(opened)
        asked = Asked(settings.pool, settings.seed, settings.influences, machine)
        try:
            return find_facts(
                opened, None, asked, store=self.store, clock=self.clock, listen=self.listen
            )
        except InconclusiveError as error:
            return str(error)

    def _advance(self, stage: str, unit: str) -> Callable[[int, int], None]:
        return lambda done, total: self.listen(Progress(stage, done, total, unit=unit))

    def _account(
        self, opened: Opened, crowd: Crowd, model: str = "network", pairs: Sequence[Pair] = ()
    ) -> GradientAccount:
        """Return how gradients of suspects stand to those of others."""
        advance = self._advance(f"gradients of the {model}", "pieces")
        called = {pair.other: pair.own for pair in pairs}
        with self.clock.stage("gradients"):
            return account(opened, crowd, advance, model=model, called=called)

    def _probe(self, opened: Opened, crowd: Crowd) -> Probes:
        settings = self.settings
        with self.clock.stage("probes"):
            advance = self._advance("linear probes", "samples")
            return probe(opened, crowd, settings.pool, settings.seed, advance)

    def _flip(self, opened: Opened, crowd: Crowd) -> Units | None:
        if not self.settings.units:
            return None
        with self.clock.stage("units"):
            advance = self._advance("units to flip", "samples")
            return flip_units(opened, crowd, self.settings.units, self.settings.seed, advance)

    def _rewind(
        self, opened: Opened, checkpoint: str | Path, crowd: Crowd
    ) -> tuple[Rewinding, list[GradientAccount]]:
        """Return what rewinding tells, and the gradients of the checkpoint."""
        path, settings = Path(checkpoint), self.settings
        specs = graph.load(path, dict(settings.bind)).outputs
        named = settings.output_name in {spec.name for spec in specs}
        settings = replace(settings, layers=(), output_name=settings.output_name if named else None)
        arrays = _renamed(self.arrays, opened, path)
        try:
            with open_network(path, arrays, settings) as other:
                probed = crowd.rows[: opened.network.batch or other.network.batch or _PROBED]
                pairs = match_sites(opened, other, settings.kind, probed)
                with self.clock.stage("rewinding"):
                    advance = self._advance("rewinding", "segments")
                    found = rewind(opened, other, pairs, crowd, advance)
                matched = {pair.other for pair in pairs}
                sites = tuple(site for site in other.sites if site.tensor in matched)
                ends = (*pairs, Pair(opened.network.output, other.network.output))
                same = replace(other, sites=sites)
                return found, [self._account(same, crowd, "checkpoint", ends)]
        except RefusedError as refusal:
            if refusal.opened is None:
                raise UsageError(f"the checkpoint is another network: {refusal}") from refusal
            none = Accuracies(None, None)
            return Rewinding(refusal.info, 0, 0, none, none, (), reason=str(refusal)), []

    def report(
        self, opened: Opened | None, parts: _Parts, info: ModelInfo | None = None
    ) -> LocateReport:
        """Put a report together."""
        samples = None if opened is None else opened.samples
        labels = None if samples is None else samples.labels
        settings = self.settings
        output = settings.output_name if opened is None else opened.network.output
        model = info if opened is None else opened.info
        assert model is not None
        return LocateReport(
            schema=LOCATE_SCHEMA,
            tool=Tool("onnxmem", __version__),
            model=model,
            data=DataInfo(
                path=self.source.path,
                sha256="" if samples is None else samples.sha256,
                samples=0 if samples is None else len(samples),
                classes=0 if labels is None else len(set(labels.tolist())),
                samples_given=0 if samples is None else len(samples),
                notes=() if samples is None else samples.notes,
                options=dict(self.source.options),
            ),
            settings=settings.resolved(output),
            environment=noted(environment(opened)),
            suspected=parts.suspected,
            depth=parts.depth,
            probes=parts.probes,
            gradients=parts.gradients,
            units=parts.units,
            rewinding=parts.rewinding,
            reason=parts.reason,
            notes=parts.notes,
            timings=self.clock.split(),
        )


def _labels(opened: Opened, classifier: Classifier, gathered: Gathered | str) -> np.ndarray:
    """Return the labels of all samples (samples,) as the network counts classes."""
    if isinstance(gathered, Gathered):
        return gathered.labelling.truth
    samples, network = opened.samples, opened.network
    assert samples.labels is not None
    predicted = classifier.predict(samples.inputs)
    few = np.arange(network.batch or 1)
    output = classifier.output(
        network.feeds({n: c[few] for n, c in samples.inputs.items()}), True, few
    )
    width = int(np.prod(output.shape[1:]))
    return read_labels(network, samples, samples.labels, predicted, width).truth


def _depth(opened: Opened, gathered: Gathered | str, suspect: np.ndarray) -> Depth:
    """Return where neighbours come to agree with labels, or why they do not tell."""
    if isinstance(gathered, str):
        return Depth((), gathered)
    return Depth(all_layers(gathered, opened, suspect[gathered.contents.order]))


def _renamed(
    arrays: Mapping[str, Column], opened: Opened, checkpoint: str | Path
) -> dict[str, Column]:
    """Return the data with the inputs under the names that they have in the checkpoint as well."""
    found = dict(arrays)
    own = opened.network.model.inputs
    for mine, theirs in zip(own, graph.load(checkpoint).inputs, strict=False):
        column = arrays.get(mine.name, arrays.get("x") if len(own) == 1 else None)
        if theirs.name not in found and column is not None:
            found[theirs.name] = column
    return found
