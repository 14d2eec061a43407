"""The samples that a network is evaluated on, in batches, with what it says to them untouched."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from onnxmem.arrays import Array, to_host
from onnxmem.data import Batch, Selection, draw
from onnxmem.network.classifier import Classifier
from onnxmem.network.clock import Clock
from onnxmem.network.guessing import chance_accuracy
from onnxmem.network.independence import check_independent
from onnxmem.network.labelling import Labelling, read_labels
from onnxmem.network.network import Network
from onnxmem.network.opening import Opened
from onnxmem.network.outputs import TOLERANCE, deviation
from onnxmem.network.padding import Padding
from onnxmem.records import Baseline, Metric


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which samples are drawn, how they are grouped, and what counts as correct.

    Attributes:
        per_class: samples of each class.
        kinds: of batches, of class and mixed.
        metric: top1, fidelity, or None: top1 where there are labels.
        seed: of the choice.
    """

    per_class: int
    kinds: tuple[str, ...]
    metric: Metric | None
    seed: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Samples of a network in batches, and the network's own answers.

    Attributes:
        network: the prepared model.
        inputs, shared: the selected samples on the device, and inputs common to all of them.
        padding: what tells which of their positions are real, None where all are.
        called: what the selected samples are called in messages.
        kinds: of batches.
        selection: which samples form which batch.
        labelling: which class counts as correct, and what was assumed of the labels.
        reference: kind of batch -> the model's own output for each batch.
        separable: whether samples may run in any grouping.
        independent: whether no output of the model depends on the other samples of its batch.
        baseline: accuracy of the untouched model.
        clock: adds up the seconds of each stage.
        correct: (samples,) whether the untouched model is right about each.
        classes: how many the output tells apart, None where it gives labels and does not say.
    """

    network: Network
    inputs: Mapping[str, Array]
    shared: Mapping[str, Array]
    kinds: tuple[str, ...]
    selection: Selection
    labelling: Labelling
    reference: Mapping[str, tuple[Array, ...]]
    separable: bool
    independent: bool
    baseline: Baseline
    clock: Clock
    padding: Padding | None = None
    correct: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    classes: int | None = None
    called: Sequence[str] = ()

    @property
    def truth(self) -> np.ndarray:
        """The class that counts as correct (samples,)."""
        return self.labelling.truth

    @property
    def accuracy(self) -> float:
        """The accuracy of the untouched model."""
        return self.baseline.value or 0.0

    def batches(self, kind: str) -> tuple[Batch, ...]:
        """Return the batches of a kind: `class` or `mixed`."""
        return self.selection.batches(kind)

    def contents(self) -> np.ndarray:
        """Return a hash of what the model takes of each sample (samples,); equal for copies."""
        hashes = [hashlib.blake2b(digest_size=16) for _ in self.selection.rows]
        for _, array in sorted(self.inputs.items()):
            for one, row in zip(hashes, to_host(array), strict=True):
                one.update(repr(row.tolist()).encode() if row.dtype == object else row.tobytes())
        return np.array([one.digest() for one in hashes], dtype=object)


def select(
    opened: Opened, digests: np.ndarray, grouping: Grouping
) -> tuple[Classifier, Selection, dict[str, Array]]:
    """Compile the untouched model, choose samples, and bring them to the device.

    Raises:
        DataError: there are too few samples.
        InconclusiveError: the output is none that classifies, or depends on other samples.
    """
    network, samples = opened.network, opened.samples
    classifier = Classifier(network, network.feeds(samples.shared))
    check_independent(classifier, samples.inputs)
    labels = samples.labels
    if labels is None:
        labels = classifier.predict(samples.inputs)
    selection = draw(
        labels, digests, grouping.per_class, grouping.seed, multiple=network.batch or 1
    )
    inputs = network.feeds({name: array[selection.rows] for name, array in samples.inputs.items()})
    return classifier, selection, inputs


def evaluate(opened: Opened, digests: np.ndarray, grouping: Grouping, clock: Clock) -> Evaluation:
    """Run the untouched model: group the samples, and measure what it knows of them.

    Args:
        opened: the network, and all samples that were given.
        digests: (samples,) what samples are chosen by.
        grouping: how.
        clock: adds up the seconds of the model's runs.

    Raises:
        DataError: there are too few samples, or labels that are no class of the network.
        InconclusiveError: the output is none that classifies, or depends on other samples.
    """
    network, samples = opened.network, opened.samples
    with clock.stage("reference"):
        classifier, selection, inputs = select(opened, digests, grouping)
        separable = classifier.is_separable(inputs, len(selection.rows))
        reference = _reference(classifier, selection, inputs, separable, grouping.kinds)
    predicted = np.empty(len(selection.rows), np.int64)
    for batch, output in zip(selection.single, reference["class"], strict=True):
        predicted[batch.rows] = network.predict(output)
    width = int(np.prod(reference["class"][0].shape[1:]))
    labelling = read_labels(network, samples, selection.labels, predicted, width)
    metric: Metric = grouping.metric or ("fidelity" if samples.labels is None else "top1")
    if metric == "fidelity":
        labelling = replace(labelling, truth=predicted)
    correct = predicted == labelling.truth
    return Evaluation(
        network=network,
        inputs=inputs,
        shared=classifier.shared,
        kinds=grouping.kinds,
        selection=selection,
        labelling=labelling,
        reference=reference,
        separable=separable,
        independent=_independent(selection, reference),
        baseline=Baseline(metric, float(correct.mean()), chance_accuracy(labelling.truth)),
        clock=clock,
        padding=opened.padding,
        correct=correct,
        classes=None if network.form == "labels" else max(2, width),
        called=samples.called(selection.rows),
    )


def _reference(
    classifier: Classifier,
    selection: Selection,
    inputs: Mapping[str, Array],
    separable: bool,
    kinds: Sequence[str],
) -> dict[str, tuple[Array, ...]]:
    """Return the model's own output for each batch, by the kind of batch."""
    team = classifier.network.workers
    largest = max(len(batch.rows) for batch in (*selection.single, *selection.mixed))
    at_once = classifier.network.at_once(classifier.step(separable, largest), team.count)
    output = partial(classifier.output, inputs, separable)
    return {
        kind: tuple(team.map(output, [batch.rows for batch in selection.batches(kind)], at_once))
        for kind in dict.fromkeys(("class", *kinds))
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
