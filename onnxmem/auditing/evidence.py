"""The evidence of a report: gathered, measured and put into records, or the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from onnxmem.auditing.progress import Listener, Progress
from onnxmem.cache import Store
from onnxmem.data import (
    Column,
    Samples,
    held_out_samples,
    load,
    make_samples,
    plain_name,
    split_names,
)
from onnxmem.errors import DataError, InconclusiveError
from onnxmem.evidence.gather import Asked, Gathered, gather
from onnxmem.evidence.layers import agreements
from onnxmem.evidence.measures import measure
from onnxmem.evidence.samples import describe_samples
from onnxmem.network.clock import Clock
from onnxmem.network.features import INPUT
from onnxmem.network.guessing import at_chance, chance_accuracy
from onnxmem.network.opening import Opened
from onnxmem.records import Evidence, LayerEvidence
from onnxmem.text import listed

SHOWN = 200
"""Samples that stand out of which the nearest neighbours are told."""


@dataclass(frozen=True, slots=True)
class HeldOutSource:
    """Where samples come from that the network was not trained on.

    Attributes:
        arrays: other data; None: the same data.
        splits: plain names of their splits; empty: the usual names, or all of other data.
    """

    arrays: Mapping[str, Column] | None = None
    splits: frozenset[str] = frozenset()


SAME_DATA = HeldOutSource()
"""The samples that the data themselves mark as held out, if they do."""


def name_held_out(
    given: str | None,
    columns: Mapping[str, Column],
    *,
    label_column: str = "y",
    class_names: str | None = None,
    preprocess: Sequence[str] = (),
    memory: int | None = None,
) -> HeldOutSource:
    """Return where held-out samples come from: a split of `columns`, or other data at a path.

    Raises:
        DataError: there is neither such a split nor such a file.
    """
    if given is None:
        return SAME_DATA
    if plain_name(given) in split_names(columns):
        return HeldOutSource(splits=frozenset({plain_name(given)}))
    read = partial(load, given, label_column=label_column, preprocess=preprocess, memory=memory)
    held_out = read()
    if class_names is not None and "y" in held_out:
        held_out = read(class_names=class_names)
    return HeldOutSource(held_out)


def take_held_out(
    opened: Opened, arrays: Mapping[str, Column], source: HeldOutSource
) -> Samples | None:
    """Return the held-out samples as the network takes them, None where there are none.

    Raises:
        DataError: they do not fit the network.
    """
    specs = opened.network.model.inputs
    if source.arrays is None:
        return held_out_samples(arrays, specs, *filter(None, [source.splits]))
    if not source.splits and "split" not in source.arrays:
        return _same_classes(make_samples(source.arrays, specs), opened.samples)
    others = {name: one for name, one in source.arrays.items() if name != "split"}
    marked = held_out_samples(source.arrays, specs, *filter(None, [source.splits]))
    found = make_samples(others, specs) if marked is None else marked
    return _same_classes(found, opened.samples)


def _same_classes(held_out: Samples, trained: Samples) -> Samples:
    """Return held-out samples with the classes counted as in the training data, by their names.

    Other data may hold other classes, which then have other numbers in sorted order.

    Raises:
        DataError: they hold a class of a name that the training data lack.
    """
    own, numbers = held_out.class_names, {name: at for at, name in trained.class_names.items()}
    if held_out.labels is None or not own or not numbers:
        return held_out
    used = sorted(set(held_out.labels.tolist()))
    if lacking := [own.get(label, str(label)) for label in used if own.get(label) not in numbers]:
        raise DataError(
            f"the held-out data have classes that the training data lack: {listed(lacking)}; "
            "number both with --class-names, or give held-out data without labels"
        )
    labels = [numbers[own[label]] for label in held_out.labels.tolist()]
    return replace(held_out, labels=np.array(labels, np.int64), class_names=trained.class_names)


def find_evidence(
    opened: Opened,
    held_out: Samples | None,
    asked: Asked,
    *,
    store: Store,
    clock: Clock,
    listen: Listener,
) -> Evidence:
    """Return what neighbours tell of the network and of all its training samples.

    Where they tell nothing the record says why.

    Args:
        opened: the network and its training samples.
        held_out: samples that it was not trained on.
        asked: how.
        store: neighbours that it knows are not looked for again.
        clock: adds up the seconds.
        listen: told about progress.

    Raises:
        DataError: labels are no classes of the network.
    """
    try:
        gathered = find_facts(opened, held_out, asked, store=store, clock=clock, listen=listen)
    except InconclusiveError as error:
        return Evidence(None, (), (), str(error))
    return Evidence(
        network=measure(gathered.facts),
        layers=all_layers(gathered, opened),
        samples=tuple(describe_samples(gathered, opened.samples, SHOWN)),
        notes=(*gathered.notes, *filter(None, [gathered.labelling.note])),
        names={str(number): name for number, name in opened.samples.class_names.items()},
    )


def find_facts(
    opened: Opened,
    held_out: Samples | None,
    asked: Asked,
    *,
    store: Store,
    clock: Clock,
    listen: Listener,
) -> Gathered:
    """Return what evidence is told by; see `find_evidence`.

    Raises:
        InconclusiveError: neighbours tell nothing; the message says why.
        DataError: labels are no classes of the network.
    """
    if opened.samples.labels is None:
        raise InconclusiveError("neighbours are held against labels, and none were given")

    def advance(stage: str, done: int, total: int) -> None:
        listen(Progress(stage, done, total, unit=_UNITS[stage]))

    with clock.stage("neighbours"):
        gathered = gather(opened, held_out, asked, store, advance)
    if doubt := _doubt(gathered):
        raise InconclusiveError(doubt)
    return gathered


_UNITS = {"features": "samples", "neighbours": "layers"}


def _doubt(gathered: Gathered) -> str:
    """Return why a network tells nothing that does not know its samples, or an empty string."""
    fitted, labels = gathered.facts.fitted, gathered.facts.labels
    accuracy, chance = float(fitted.mean()), chance_accuracy(labels)
    if not at_chance(accuracy, chance, len(labels)):
        return ""
    hint = gathered.labelling.suspicion or "check the preprocessing and the labels"
    return (
        f"the model is at chance on the training samples: accuracy {accuracy:.3f}, guessing gives "
        f"{chance:.3f}; {hint}"
    )


def all_layers(
    gathered: Gathered, opened: Opened, chosen: np.ndarray | None = None
) -> tuple[LayerEvidence, ...]:
    """Return all layers in the order of the network, and why some tell nothing.

    `chosen` are the suspects, in the order of the facts; None takes those that neighbours suspect.
    """
    known = {one.tensor: one for one in agreements(gathered.facts, chosen)}
    reasons = {site.tensor: site.reason for site in opened.sites if site.status != "ok"}
    reasons |= gathered.refused
    return tuple(
        known.get(tensor) or LayerEvidence(tensor, None, None, None, reasons.get(tensor, ""))
        for tensor in (INPUT, *(site.tensor for site in opened.sites))
    )
