"""What is known before the first cut: the batches of samples, and the model's own answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from onnxmem import curve
from onnxmem.arrays import Array, to_host
from onnxmem.auditing.clock import Clock
from onnxmem.auditing.context import Context
from onnxmem.auditing.guessing import chance_accuracy
from onnxmem.auditing.independence import check_independent
from onnxmem.auditing.labelling import Labelling, read_labels
from onnxmem.auditing.open_model import OpenModel
from onnxmem.auditing.outputs import TOLERANCE, deviation
from onnxmem.auditing.predictions import predictions
from onnxmem.auditing.settings import Settings
from onnxmem.auditing.whole_model import WholeModel
from onnxmem.auditing.workers import Workers
from onnxmem.data import Samples, Selection, draw
from onnxmem.records import Baseline, DataInfo


@dataclass(frozen=True, slots=True)
class Source:
    """Where samples come from, for the report: a path, and what was said about reading it."""

    path: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


IN_MEMORY = Source()
"""Samples that were read from no file."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An audit before its first cut.

    Attributes:
        context: what every layer is measured with.
        baseline: the accuracy of the untouched model.
        labelling: what the labels mean to it.
    """

    context: Context
    baseline: Baseline
    labelling: Labelling


def select(
    ready: OpenModel, digests: np.ndarray, settings: Settings
) -> tuple[WholeModel, Selection, dict[str, Array]]:
    """Compile the untouched model, choose the samples of the audit, and bring them to the device.

    Raises:
        DataError: there are too few samples.
        InconclusiveError: the output is none that classifies, or depends on other samples.
    """
    network, samples = ready.network, ready.samples
    whole = WholeModel(network, network.feeds(samples.shared))
    labels = samples.labels
    check_independent(network, whole.session, samples.inputs, whole.shared)
    if labels is None:
        labels = predictions(network, whole.session, samples.inputs, whole.shared, ready.team)
    selection = draw(
        labels, digests, settings.per_class, settings.seed, multiple=network.batch or 1
    )
    inputs = network.feeds({name: array[selection.rows] for name, array in samples.inputs.items()})
    return whole, selection, inputs


def set_up(ready: OpenModel, digests: np.ndarray, settings: Settings, clock: Clock) -> Prepared:
    """Run the untouched model: group the samples, and measure what it knows of them.

    Args:
        ready: the model, and all samples that were given.
        digests: (samples,) what samples are chosen by.
        settings: of the audit.
        clock: adds up the seconds of the model's runs.

    Raises:
        DataError: there are too few samples, or labels that are no class of the network.
        InconclusiveError: the output is none that classifies, or depends on other samples.
    """
    network, samples = ready.network, ready.samples
    with clock.stage("reference"):
        whole, selection, inputs = select(ready, digests, settings)
        separable = whole.is_separable(inputs, len(selection.rows))
        reference = _reference(whole, selection, inputs, separable, settings, ready.team)
    predicted = np.empty(len(selection.rows), np.int64)
    for batch, output in zip(selection.single, reference["class"], strict=True):
        predicted[batch.rows] = network.predict(output)
    width = int(np.prod(reference["class"][0].shape[1:]))
    labelling = read_labels(network, samples, selection.labels, predicted, width)
    metric = settings.metric or ("fidelity" if samples.labels is None else "top1")
    truth = labelling.truth if metric == "top1" else predicted
    accuracy = float((predicted == truth).mean())
    context = Context(
        network=network,
        inputs=inputs,
        shared=whole.shared,
        selection=selection,
        truth=truth,
        reference=reference,
        separable=separable,
        independent=_independent(selection, reference),
        baseline=accuracy,
        weights=bootstrap_weights(selection, settings),
        settings=settings,
        workers=ready.team,
        clock=clock,
    )
    baseline = Baseline(metric, accuracy, chance_accuracy(truth))
    return Prepared(context, baseline, labelling)


def bootstrap_weights(selection: Selection, settings: Settings) -> dict[str, np.ndarray]:
    """Return the weights (draws, samples) that curves are resampled with, by kind of batch."""
    return {
        kind: curve.resample([batch.rows for batch in selection.batches(kind)], settings.seed)
        for kind in settings.batch
    }


def _reference(
    whole: WholeModel,
    selection: Selection,
    inputs: Mapping[str, Array],
    separable: bool,
    settings: Settings,
    team: Workers,
) -> dict[str, tuple[Array, ...]]:
    """Return the model's own output for each batch, by the kind of batch."""
    largest = max(len(batch.rows) for batch in (*selection.single, *selection.mixed))
    at_once = whole.network.at_once(whole.step(separable, largest), team.count)
    output = partial(whole.output, inputs, separable)
    return {
        kind: tuple(team.map(output, [batch.rows for batch in selection.batches(kind)], at_once))
        for kind in dict.fromkeys(("class", *settings.batch))
    }


def _independent(selection: Selection, reference: Mapping[str, Sequence[Array]]) -> bool:
    """Tell whether each sample gets the same output in its single-class and its mixed batch.

    Where only one of them is measured that is not known, and of no use.
    """
    if len(reference) < 2:
        return False
    ordered = {}
    for kind, outputs in reference.items():
        rows = np.concatenate([batch.rows for batch in selection.batches(kind)])
        values = np.concatenate([to_host(output) for output in outputs])
        ordered[kind] = values[np.argsort(rows)]
    return deviation(ordered["mixed"], ordered["class"]) <= TOLERANCE


def describe(samples: Samples, digests: np.ndarray, prepared: Prepared, source: Source) -> DataInfo:
    """Return what a report says of the data; see `set_up` for samples and digests."""
    selection = prepared.context.selection
    few = _few(selection, prepared.context.settings.per_class)
    return DataInfo(
        path=source.path,
        sha256=samples.sha256,
        samples=len(selection.rows),
        classes=len(selection.single),
        samples_given=len(samples),
        left_out=selection.left_out,
        batches=selection.fingerprint(digests),
        notes=tuple(filter(None, (*samples.notes, prepared.labelling.note, few))),
        options=dict(source.options),
    )


def _few(selection: Selection, per_class: int) -> str:
    """Say so where classes have fewer samples than were asked for."""
    sizes = [len(batch.rows) for batch in selection.single if len(batch.rows) < per_class]
    if not sizes:
        return ""
    return (
        f"{len(sizes)} of {len(selection.single)} classes have fewer than {per_class} samples, the "
        f"least {min(sizes)}; compare only with audits of as many"
    )
