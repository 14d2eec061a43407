"""Which samples are memorized: the evidence of a network alone, without curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from onnxmem._version import __version__
from onnxmem.auditing.evidence import SAME_DATA, HeldOutSource, find_evidence, take_held_out
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.cache import NOWHERE, Store
from onnxmem.data import IN_MEMORY, Column, Source
from onnxmem.data.columns import describe
from onnxmem.data.pictures import draw
from onnxmem.errors import DataError
from onnxmem.evidence.gather import Asked
from onnxmem.evidence.settings import EvidenceSettings
from onnxmem.network.classifier import Classifier
from onnxmem.network.clock import Clock
from onnxmem.network.identity import environment
from onnxmem.network.independence import check_independent
from onnxmem.network.opening import Opened, RefusedError, open_network
from onnxmem.records import SAMPLES_SCHEMA, DataInfo, Evidence, ModelInfo, SamplesReport, Tool
from onnxmem.sandbox import noted

_PICTURE_CHARACTERS = 1_000_000
"""Of all pictures together, so that a page stays small."""


def find_samples(
    path: str | Path,
    arrays: Mapping[str, Column],
    settings: EvidenceSettings,
    *,
    held_out: HeldOutSource = SAME_DATA,
    source: Source = IN_MEMORY,
    pictures: bool = False,
    store: Store = NOWHERE,
    listen: Listener = lambda progress: None,
) -> SamplesReport:
    """Tell which training samples of the model at `path` are memorized.

    Args:
        path: the ONNX file.
        arrays: all of its training samples: inputs by name, labels in `y`.
        settings: how it is run.
        held_out: where samples come from that it was not trained on.
        source: where the arrays come from, for the report.
        pictures: draw samples that stand out, and their neighbours.
        store: neighbours that it knows are not looked for again.
        listen: told about progress.

    Returns:
        The report. Where neighbours tell nothing its `network` is None, and `reason` says why.

    Raises:
        OnnxmemError: see `onnxmem.errors`; none of those that are inconclusive.
    """
    clock = Clock()
    if "y" not in arrays:
        raise DataError(
            "neighbours are held against labels: give an array 'y' with those that the network "
            f"was trained on; {describe(arrays)}"
        )
    listen(Progress("loading the model", 0, 0))
    try:
        with open_network(path, arrays, settings) as opened:
            classifier = Classifier(opened.network, opened.network.feeds(opened.samples.shared))
            check_independent(classifier, opened.samples.inputs)
            machine = environment(opened)
            asked = Asked(settings.pool, settings.seed, settings.influences, machine)
            others = take_held_out(opened, arrays, held_out)
            evidence = find_evidence(opened, others, asked, store=store, clock=clock, listen=listen)
            found = _report(opened, opened.info, evidence, settings, source, clock)
            return replace(found, pictures=_draw(opened, evidence)) if pictures else found
    except RefusedError as refusal:
        evidence = Evidence(None, (), (), str(refusal))
        return _report(refusal.opened, refusal.info, evidence, settings, source, clock)


def _draw(opened: Opened, evidence: Evidence) -> dict[str, str]:
    """Return pictures by row: of all samples that stand out first, then of their neighbours."""
    shown = sorted((one for one in evidence.samples if one.neighbours), key=lambda one: -one.margin)
    near = [row for one in shown for row in one.neighbours]
    drawn = draw(opened.samples.inputs, [*(one.row for one in shown), *near], _PICTURE_CHARACTERS)
    return {str(row): picture for row, picture in drawn.items()}


def _report(
    opened: Opened | None,
    info: ModelInfo,
    evidence: Evidence,
    settings: EvidenceSettings,
    source: Source,
    clock: Clock,
) -> SamplesReport:
    samples = None if opened is None else opened.samples
    labels = None if samples is None else samples.labels
    return SamplesReport(
        schema=SAMPLES_SCHEMA,
        tool=Tool("onnxmem", __version__),
        model=info,
        data=DataInfo(
            path=source.path,
            sha256="" if samples is None else samples.sha256,
            samples=len(evidence.samples),
            classes=0 if labels is None else len(set(labels.tolist())),
            samples_given=0 if samples is None else len(samples),
            notes=() if samples is None else samples.notes,
            options=dict(source.options),
        ),
        settings=settings.resolved(
            settings.output_name if opened is None else opened.network.output
        ),
        environment=noted(environment(opened)),
        network=evidence.network,
        layers=evidence.layers,
        samples=evidence.samples,
        reason=evidence.reason,
        notes=evidence.notes,
        names=evidence.names,
        timings=clock.split(),
    )
