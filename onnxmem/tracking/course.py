"""The whole of it: each checkpoint asked in turn, the choice among them, a report out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnxmem._version import __version__
from onnxmem.auditing.evidence import SAME_DATA, HeldOutSource, take_held_out
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.auditing.suspects import given_suspects
from onnxmem.cache import NOWHERE, Store
from onnxmem.cache.scratch import scratch_folder
from onnxmem.data import IN_MEMORY, Column, Samples, Source, Suspects
from onnxmem.errors import DataError, InconclusiveError, UsageError
from onnxmem.evidence.gather import Asked, Gathered, gather
from onnxmem.evidence.settings import EvidenceSettings
from onnxmem.network.classifier import Classifier
from onnxmem.network.clock import Clock
from onnxmem.network.guessing import at_chance, chance_accuracy
from onnxmem.network.identity import environment
from onnxmem.network.independence import check_independent
from onnxmem.network.opening import Opened, open_network
from onnxmem.records import (
    TRACK_SCHEMA,
    Checkpoint,
    DataInfo,
    Estimate,
    Tool,
    TrackReport,
)
from onnxmem.sandbox import noted
from onnxmem.text import file_name
from onnxmem.tracking.checkpoints import check_alike, find_checkpoints
from onnxmem.tracking.choice import choose
from onnxmem.tracking.fitting import describe, mean_margin, share_fitted, suspects
from onnxmem.tracking.standing import Standing, stand

_KEPT_BYTES = 2**30
"""What neighbours that checkpoints have in common may take on disk while a course is tracked."""

NO_CHOICE = "no checkpoint is chosen without held-out inputs; give some with --held-out"


def track(
    places: Sequence[str | Path],
    arrays: Mapping[str, Column],
    settings: EvidenceSettings,
    *,
    held_out: HeldOutSource = SAME_DATA,
    given: Suspects | None = None,
    source: Source = IN_MEMORY,
    store: Store = NOWHERE,
    listen: Listener = lambda progress: None,
) -> TrackReport:
    """Look at all checkpoints of a course of training, and tell which to keep.

    Args:
        places: the checkpoints in the order of training, see `find_checkpoints`.
        arrays: all training samples: inputs by name, labels in `y`.
        settings: how the networks are run.
        held_out: where inputs come from that they were not trained on; their labels decide nothing.
        given: which samples count as noisy; None: those whose neighbours have another label.
        source: where the arrays come from, for the report.
        store: neighbours that it knows are not looked for again.
        listen: told about progress.

    Raises:
        UsageError: the checkpoints are not of one architecture.
        InconclusiveError: one of them cannot be asked; the message names it.
        OnnxmemError: see `onnxmem.errors`.
    """
    if "y" not in arrays:
        raise DataError(
            "a course is tracked by labels: give an array 'y' with those that the network was "
            f"trained on; the data hold {', '.join(map(repr, sorted(arrays))) or 'nothing'}"
        )
    paths, clock = find_checkpoints(places), Clock()
    course: list[Standing] = []
    listen(Progress("loading the models", 0, len(paths), unit="checkpoints"))
    check_alike(paths, settings)
    with _kept(store) as kept, clock.stage("neighbours"):
        for place, path in enumerate(paths):
            look = _Look(path, place, len(paths), listen)
            found = look.at(arrays, settings, held_out, given, kept)
            _check_same(course, found.standing)
            course.append(found.standing)
    listen(Progress("done", len(paths), len(paths), unit="checkpoints"))
    if all(_is_lost(one, found.gathered) for one in course):
        hint = found.gathered.labelling.suspicion or "check the preprocessing and the labels"
        raise InconclusiveError(f"every checkpoint is at chance on the training samples; {hint}")
    return _report(course, found, settings, source, clock)


@contextmanager
def _kept(store: Store) -> Iterator[Store]:
    """Give the store, or where it keeps nothing one that lasts as long as the course."""
    if store.limit:
        yield store
        return
    with scratch_folder() as folder:
        yield Store(Path(folder), _KEPT_BYTES)


@dataclass(frozen=True, slots=True)
class _Found:
    """A checkpoint, and what all have in common."""

    standing: Standing
    gathered: Gathered
    samples: Samples
    environment: dict[str, Any]
    output: str
    suspect: np.ndarray | None


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at one checkpoint of several."""

    path: str
    place: int
    count: int
    listen: Listener

    def at(
        self,
        arrays: Mapping[str, Column],
        settings: EvidenceSettings,
        held_out: HeldOutSource,
        given: Suspects | None,
        store: Store,
    ) -> _Found:
        """Return what is found of the checkpoint.

        Raises:
            InconclusiveError: it cannot be asked.
        """
        self._advance("loading", 0, 0)
        try:
            with open_network(self.path, arrays, settings) as opened:
                network = opened.network
                classifier = Classifier(network, network.feeds(opened.samples.shared))
                check_independent(classifier, opened.samples.inputs)
                others = take_held_out(opened, arrays, held_out)
                machine = environment(opened)
                asked = Asked(settings.pool, settings.seed, settings.influences, machine)
                gathered = gather(opened, others, asked, store, self._advance)
                found = None
                if given is not None:
                    flags = given_suspects(opened, arrays, settings.split, given)
                    found = flags[gathered.contents.order]
                return self._found(opened, gathered, machine, found)
        except InconclusiveError as error:
            raise InconclusiveError(f"{file_name(self.path)}: {error}") from error

    def _found(
        self,
        opened: Opened,
        gathered: Gathered,
        machine: dict[str, Any],
        suspect: np.ndarray | None,
    ) -> _Found:
        standing = stand(self.path, opened.info.sha256, gathered.facts)
        output = opened.network.output
        return _Found(standing, gathered, opened.samples, machine, output, suspect)

    def _advance(self, stage: str, done: int, total: int) -> None:
        name = f"{file_name(self.path)}: {stage}"
        self.listen(Progress(name, self.place, self.count, unit="checkpoints"))


def _check_same(course: Sequence[Standing], found: Standing) -> None:
    """Check that a checkpoint has as many layers as those before, now that they are known."""
    first = course[0].held_out if course else None
    if first is None or found.held_out is None:
        return
    if len(first.by_layer) != len(found.held_out.by_layer):
        raise UsageError(
            f"{file_name(found.path)} has {len(found.held_out.by_layer)} layers with features, "
            f"{file_name(course[0].path)} has {len(first.by_layer)}: no checkpoints of one course"
        )


def _is_lost(one: Standing, gathered: Gathered) -> bool:
    labels = gathered.facts.labels
    return at_chance(float(one.fitted.mean()), chance_accuracy(labels), len(labels))


def _report(
    course: Sequence[Standing],
    last: _Found,
    settings: EvidenceSettings,
    source: Source,
    clock: Clock,
) -> TrackReport:
    choice, agreements = choose(course, settings.seed)
    suspect = suspects(mean_margin(course)) if last.suspect is None else last.suspect
    samples, gathered = last.samples, last.gathered
    held = gathered.facts.held_out
    layers = () if course[0].held_out is None else tuple(course[0].held_out.by_layer)
    return TrackReport(
        schema=TRACK_SCHEMA,
        tool=Tool("onnxmem", __version__),
        data=DataInfo(
            path=source.path,
            sha256=samples.sha256,
            samples=len(samples),
            classes=len(gathered.classes),
            samples_given=len(samples),
            notes=samples.notes,
            options=dict(source.options),
        ),
        settings=settings.resolved(last.output),
        environment=noted(last.environment),
        layers=layers,
        checkpoints=tuple(
            _checkpoint(one, suspect, agreements[place] if agreements else None)
            for place, one in enumerate(course)
        ),
        chosen=None if choice is None else choice.path,
        choice=choice,
        held_out_samples=0 if held is None else len(held.predictions),
        suspects_from="margin" if last.suspect is None else "file",
        samples=describe(course, gathered, samples, suspect),
        reason=NO_CHOICE if choice is None else "",
        notes=(*gathered.notes, *filter(None, [gathered.labelling.note])),
        names={str(number): name for number, name in enumerate(samples.names)},
        timings=clock.split(),
    )


def _checkpoint(one: Standing, suspect: np.ndarray, agreement: Estimate | None) -> Checkpoint:
    held = one.held_out
    right = None if held is None or held.right is None else float(held.right.mean())
    return Checkpoint(
        path=one.path,
        sha256=one.sha256,
        train_accuracy=float(one.fitted.mean()),
        memorized_share=one.memorized_share,
        others_fitted=share_fitted(one.fitted, ~suspect),
        suspects_fitted=share_fitted(one.fitted, suspect),
        agreement=() if held is None else tuple(held.by_layer.values()),
        agreement_mean=None if agreement is None else agreement.value,
        agreement_low=None if agreement is None else agreement.low,
        agreement_high=None if agreement is None else agreement.high,
        held_out_accuracy=right,
    )
