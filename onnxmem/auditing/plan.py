"""What an audit will cost, before it starts: runs, factorizations, sessions, memory and time.

The network runs once with a few samples, and onnxruntime tells how long each node takes; one short
factorization tells how fast this machine is. Layers that are cheap are cut, and one batch of each
is timed in the head, the factorization and the tail; of the others all of that is told from the
profile. The rest is counted. Where ranks are chosen while the audit runs, the least is what a few
of them cost and the most what all of them do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path

from onnxmem import graph
from onnxmem.arrays import resident_memory
from onnxmem.auditing.cost import SCHEMA, Cost, LayerPlan, Plan
from onnxmem.auditing.identity import Trace
from onnxmem.auditing.layer_cache import known_compressors
from onnxmem.auditing.plan_evidence import plan_evidence
from onnxmem.auditing.plan_layer import Pieces, plan_layer
from onnxmem.auditing.plan_pieces import site_matrix, timed_pieces, told_pieces
from onnxmem.auditing.plan_profile import Profile, profile
from onnxmem.auditing.plan_rates import Rates, measure_rates
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.auditing.settings import Settings, check_complete
from onnxmem.cache import NOWHERE, Store
from onnxmem.compression.experiment import Experiment
from onnxmem.data import Column, draw
from onnxmem.errors import ModelRefusedError, OutOfMemoryError, UsageError
from onnxmem.factorize import compressor, first_use
from onnxmem.network.classifier import PROBED, Classifier
from onnxmem.network.clock import Clock
from onnxmem.network.evaluation import Evaluation
from onnxmem.network.independence import check_independent
from onnxmem.network.labelling import Labelling
from onnxmem.network.layer_run import SkipError
from onnxmem.network.opening import Opened, open_network
from onnxmem.records import Baseline, Report

_BUDGET = 2.0
"""Seconds for what a plan may try, and for all layers that it times."""

_REFUSED = (SkipError, ModelRefusedError, OutOfMemoryError, UsageError)


def plan_audit(
    path: str | Path,
    arrays: Mapping[str, Column],
    settings: Settings,
    *,
    baseline: Report | None = None,
    store: Store = NOWHERE,
    listen: Listener = lambda progress: None,
) -> Plan:
    """Return what `run_audit` would cost with the same arguments; `listen` is told about progress.

    What lies in the store costs nothing.

    Raises:
        OnnxmemError: whatever would keep the audit from starting, as far as that shows in seconds.
    """
    begin = time.process_time()
    check_complete(settings, arrays, baseline)
    listen(Progress("loading the model", 0, 0))
    with open_network(path, arrays, settings, tried=False) as opened:
        opening = Cost(seconds=time.process_time() - begin)
        if said := first_use(opened.network.device.is_cuda):
            listen(Progress("compiling kernels", 0, 0, said))
        listen(Progress("running the model", 0, 0))
        experiment, profiled = _experiment(opened, settings)
        reference = _reference(experiment.evaluation, profiled)
        trace = Trace.of(opened, experiment.evaluation.selection, settings)
        known = _Known(store, trace.identity(store))
        layers = _plan_layers(opened, known, experiment, profiled, listen)
        listen(Progress("timing neighbours", 0, 0))
        wanted = settings.samples and not trace.knows_evidence(store)
        evidence = plan_evidence(opened, profiled.each) if wanted else Cost()
        before = resident_memory()
        evaluation, network = experiment.evaluation, opened.network
        batches = sum(len(evaluation.batches(kind)) for kind in settings.batch)
    used = [layer for layer in layers if not layer.reason and not layer.known]
    least, expected, most = (
        sum((getattr(layer, which) for layer in used), opening + reference + evidence)
        for which in ("least", "expected", "most")
    )
    return Plan(
        schema=SCHEMA,
        model=str(path),
        device=network.device.name,
        samples=len(evaluation.truth),
        batches=batches,
        workers=network.workers.count,
        sessions=2 * len(used) + 1,
        peak_memory=max((layer.resident + layer.memory for layer in used), default=before),
        evidence=evidence,
        least=least,
        expected=expected,
        most=most,
        layers=tuple(layers),
    )


def _experiment(opened: Opened, settings: Settings) -> tuple[Experiment, Profile]:
    """Return one without answers of the untouched model, and the profile of a few samples."""
    network, samples = opened.network, opened.samples
    classifier = Classifier(network, network.feeds(samples.shared))
    labels = samples.labels
    if labels is None:
        labels = classifier.predict(samples.inputs)
    selection = draw(
        labels, samples.digests, settings.per_class, settings.seed, multiple=network.batch or 1
    )
    rows = selection.rows
    inputs = network.feeds({name: array[rows] for name, array in samples.inputs.items()})
    largest = max(len(batch.rows) for batch in (*selection.single, *selection.mixed))
    profiled = profile(opened, inputs, largest)
    separable = True
    if 5 * PROBED * profiled.each < _BUDGET:
        check_independent(classifier, samples.inputs)
        separable = classifier.is_separable(inputs, len(rows))
    evaluation = Evaluation(
        network=network,
        inputs=inputs,
        shared=classifier.shared,
        kinds=settings.batch,
        selection=selection,
        labelling=Labelling(selection.labels),
        reference={},
        separable=separable,
        independent=separable,
        baseline=Baseline("top1", None, None),
        clock=Clock(),
        padding=opened.padding,
    )
    return Experiment(evaluation, settings.curves, {}), profiled


def _reference(evaluation: Evaluation, profiled: Profile) -> Cost:
    """Return what the answers of the untouched model cost."""
    kinds = {"class", *evaluation.kinds}
    count = sum(len(evaluation.batches(kind)) for kind in kinds)
    seconds = profiled.each * len(evaluation.truth) * len(kinds)
    return Cost(head_runs=count, seconds=seconds / min(evaluation.network.workers.count, count))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store holds of layers; `identity` is theirs, None where nothing is known."""

    store: Store
    identity: str | None

    def missing(self, site: graph.Site, experiment: Experiment) -> Experiment | None:
        """Return what is still to be measured of a site, None where nothing is."""
        asked = experiment.settings.compress
        if self.identity is None:
            return experiment
        known = known_compressors(self.store, self.identity, site, asked)
        missing = tuple(name for name in asked if name not in known)
        if not missing:
            return None
        return replace(experiment, settings=replace(experiment.settings, compress=missing))


def _plan_layers(
    opened: Opened, known: _Known, experiment: Experiment, profiled: Profile, listen: Listener
) -> list[LayerPlan]:
    """Plan all layers, those first that take least, as long as there is time to time them."""
    sites = {site.tensor: site for site in opened.sites}
    plans = {one.tensor: LayerPlan(one.tensor, one.reason) for one in sites.values()}
    sound = [site for site in sites.values() if site.status == "ok"]
    todo = {site.tensor: known.missing(site, experiment) for site in sound}
    plans |= {name: LayerPlan(name, known=True) for name, asked in todo.items() if not asked}
    wanted = {name: asked for name, asked in todo.items() if asked}
    rates = _rates([sites[name] for name in wanted], experiment, profiled)

    def plan(name: str, pieces: Callable[[graph.Site, Experiment], Pieces]) -> LayerPlan:
        try:
            return plan_layer(pieces(sites[name], wanted[name]), wanted[name])
        except _REFUSED as cause:
            return LayerPlan(name, str(cause))

    plans |= {name: plan(name, partial(told_pieces, profiled, rates)) for name in wanted}
    left = inf if opened.network.device.is_cuda else _BUDGET
    batches = len(experiment.evaluation.batches(experiment.settings.batch[0]))
    cheap_first = sorted(wanted, key=lambda name: plans[name].most.seconds)
    for number, name in enumerate(cheap_first):
        listen(Progress(f"timing {name}", number, len(wanted), unit="layers"))
        begin = time.perf_counter()
        if not plans[name].reason and _trial(plans[name], profiled, batches) < left:
            plans[name] = plan(name, timed_pieces)
            left -= time.perf_counter() - begin
    return list(plans.values())


def _trial(layer: LayerPlan, profiled: Profile, batches: int) -> float:
    """Return about how many seconds it takes to time a layer, each piece of it twice."""
    return 2 * (profiled.compiling + layer.most.seconds / batches)


def _rates(
    sites: Sequence[graph.Site], experiment: Experiment, profiled: Profile
) -> dict[str, Rates]:
    """Return how fast each compressor is with the largest layer that can be factorized."""
    matrices = []
    for site in sites:
        try:
            matrices.append((site_matrix(site, profiled.tensors[site.tensor]), site.signed))
        except SkipError:
            continue
    if not matrices:
        return {}
    matrix, signed = max(matrices, key=lambda pair: pair[0].size)
    on_device, settings = experiment.evaluation.network.device.is_cuda, experiment.settings
    return {
        name: measure_rates(compressor(name, signed=signed), matrix, settings, on_device)
        for name in settings.compress
    }
