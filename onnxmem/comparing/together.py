"""Several models on the same samples: audited in the same batches, and likened to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from onnxmem import graph
from onnxmem.auditing.evidence import SAME_DATA, HeldOutSource
from onnxmem.auditing.progress import Listener
from onnxmem.auditing.run import run_audit
from onnxmem.auditing.settings import Settings, check_complete
from onnxmem.cache import NOWHERE, Store
from onnxmem.comparing.comparison import compare
from onnxmem.comparing.similarity import Asked, add_similarity
from onnxmem.data import IN_MEMORY, Column, Samples, Source, make_samples
from onnxmem.data.columns import RESERVED
from onnxmem.errors import DataError, InconclusiveError, UsageError
from onnxmem.network.classifier import Classifier
from onnxmem.network.opening import load_model, open_network
from onnxmem.records import Comparison, Report

Watch = Callable[[str], AbstractContextManager[Listener]]
"""Gives, for the path of a model, who is told about the progress of its audit."""


@dataclass(frozen=True, slots=True)
class Together:
    """The reports of several models, and how they came about.

    Attributes:
        reports: one for each model.
        notes: how the data were given to each, one line a change.
        networks: what each was asked with.
    """

    reports: tuple[Report, ...]
    notes: tuple[str, ...]
    networks: tuple[Asked, ...]


def compare_models(
    paths: Sequence[str | Path],
    arrays: Mapping[str, Column],
    settings: Settings,
    *,
    source: Source = IN_MEMORY,
    held_out: HeldOutSource = SAME_DATA,
    baseline: Report | None = None,
    store: Store = NOWHERE,
    watch: Watch = lambda path: nullcontext(lambda progress: None),
) -> Comparison:
    """Audit every model at `paths`, and liken them to each other, pair by pair.

    For the arguments see `audit_together`.

    Raises:
        OnnxmemError: see `onnxmem.errors`.
    """
    together = audit_together(
        paths,
        arrays,
        settings,
        source=source,
        held_out=held_out,
        baseline=baseline,
        store=store,
        watch=watch,
    )
    found = compare(together.reports, notes=together.notes, same_data=True)
    with watch("likeness") as listen:
        return add_similarity(found, together.networks, listen)


def compare_apart(
    paths: Sequence[str | Path],
    arrays: Sequence[Mapping[str, Column]],
    settings: Settings,
    *,
    sources: Sequence[Source],
    held_out: Sequence[HeldOutSource],
    baseline: Report | None = None,
    store: Store = NOWHERE,
    watch: Watch = lambda path: nullcontext(lambda progress: None),
) -> Comparison:
    """Audit every model at `paths` on samples and labels of its own, and liken them to each other.

    For the arguments see `audit_together`; of data there is one for each model.

    Raises:
        OnnxmemError: see `onnxmem.errors`.
    """
    reports, networks = [], []
    for path, own, source, held in zip(paths, arrays, sources, held_out, strict=True):
        with watch(str(path)) as listen:
            report = run_audit(
                path,
                own,
                settings,
                source=source,
                held_out=held,
                baseline=baseline,
                store=store,
                listen=listen,
            )
        reports.append(report)
        networks.append(Asked(path, own, settings, held))
    with watch("likeness") as listen:
        return add_similarity(compare(reports, own_data=True), networks, listen)


def audit_together(
    paths: Sequence[str | Path],
    arrays: Mapping[str, Column],
    settings: Settings,
    *,
    source: Source = IN_MEMORY,
    held_out: HeldOutSource = SAME_DATA,
    baseline: Report | None = None,
    store: Store = NOWHERE,
    watch: Watch = lambda path: nullcontext(lambda progress: None),
) -> Together:
    """Audit every model at `paths`, after a look at all of them.

    Samples are chosen and batched by what the first model takes, so that all get the same ones
    even where a model has an array of its own. Data without labels are grouped by what the first
    model that can be audited predicts, and every model is measured by its fidelity to its own
    predictions. A model that cannot be audited is no obstacle: its report says why.

    Args:
        paths: two or more ONNX files.
        arrays: the inputs of all models by name, labels in `y`; see `onnxmem.data.make_samples`.
        settings: of every audit.
        source: where the arrays come from, for the reports.
        held_out: where samples come from that the models were not trained on.
        baseline: an earlier report that every model is held against.
        store: layers that it knows are not measured again.
        watch: told about progress.

    Raises:
        OnnxmemError: see `onnxmem.errors`; nothing was measured where a model or the data are
            at fault.
    """
    check_complete(settings, arrays, baseline)
    models = [load_model(path, settings)[0] for path in paths]
    arrays, notes = _named(arrays, models)
    if held_out.arrays is not None:
        held_out = replace(held_out, arrays=_named(held_out.arrays, models)[0])
    own = _outputs(models, settings)
    if "y" not in arrays:
        labels, told = _labels(paths, arrays, own)
        arrays |= labels
        own = [replace(one, metric="fidelity") for one in own]
        notes += told
    samples = []
    for path, model in zip(paths, models, strict=True):
        with _names_model(path):
            samples.append(make_samples(arrays, model.inputs, settings.split))
    _check_counts(models, samples)
    notes += [
        f"{model.path.name}: {note}"
        for model, one in zip(models, samples, strict=True)
        for note in one.notes
    ]
    digests = samples[0].digests
    del models, samples
    reports = []
    for path, chosen in zip(paths, own, strict=True):
        with watch(str(path)) as listen, _names_model(path):
            report = run_audit(
                path,
                arrays,
                chosen,
                source=source,
                held_out=held_out,
                baseline=baseline,
                store=store,
                listen=listen,
                digests=digests,
            )
        reports.append(report)
    networks = (Asked(path, arrays, one, held_out) for path, one in zip(paths, own, strict=True))
    return Together(tuple(reports), tuple(notes), tuple(networks))


@contextmanager
def _names_model(path: str | Path) -> Iterator[None]:
    """Let errors of data name the model that they do not fit."""
    try:
        yield
    except DataError as error:
        if str(path) in str(error):
            raise
        raise DataError(f"{path}: {error}") from error


def _named(
    arrays: Mapping[str, Column], models: Sequence[graph.Model]
) -> tuple[dict[str, Column], list[str]]:
    """Return the arrays with one for every model whose only input has a name of its own.

    Exporters name inputs as they like. A model with one input takes the array of that name, or
    `x`, or else the array that another model with one input takes by its name.
    """
    only = [model.inputs[0].name if len(model.inputs) == 1 else None for model in models]
    found = next((name for name in only if name in arrays and name not in RESERVED), None)
    named, notes = dict(arrays), []
    for model, name in zip(models, only, strict=True):
        if name is None or found is None or name in arrays or "x" in arrays:
            continue
        named[name] = arrays[found]
        notes.append(f"{model.path.name}: input {name!r} took the array {found!r} of the data")
    return named, notes


def _outputs(models: Sequence[graph.Model], settings: Settings) -> list[Settings]:
    """Return the settings of each model: a model without the output of that name uses its own.

    Raises:
        UsageError: no model has it.
    """
    name = settings.output_name
    has = [name is None or name in (spec.name for spec in model.outputs) for model in models]
    if not any(has):
        raise UsageError(f"none of the models has an output {name!r}")
    return [settings if own else replace(settings, output_name=None) for own in has]


def _labels(
    paths: Sequence[str | Path], arrays: Mapping[str, Column], settings: Sequence[Settings]
) -> tuple[dict[str, Column], list[str]]:
    """Return as `y` what the first model that can be audited predicts, and a note on it.

    There is neither where none can.
    """
    for path, own in zip(paths, settings, strict=True):
        with suppress(InconclusiveError):
            labels = _predicted(path, arrays, own)
            note = (
                f"no labels 'y' were given, so the predictions of {Path(path).name} group the "
                "samples, and what is measured is the fidelity of each model to its own"
            )
            return {"y": labels}, [note]
    return {}, []


def _predicted(path: str | Path, arrays: Mapping[str, Column], settings: Settings) -> np.ndarray:
    """Return what a model predicts for all samples (samples,), of every split."""
    everything = {name: array for name, array in arrays.items() if name != "split"}
    with open_network(path, everything, replace(settings, split=None)) as opened:
        shared = opened.network.feeds(opened.samples.shared)
        return Classifier(opened.network, shared).predict(opened.samples.inputs)


def _check_counts(models: Sequence[graph.Model], samples: Sequence[Samples]) -> None:
    counts = [len(one) for one in samples]
    if len(set(counts)) > 1:
        listed = ", ".join(
            f"{model.path.name} {count}" for model, count in zip(models, counts, strict=True)
        )
        raise DataError(f"the models get different numbers of samples from the data: {listed}")
