"""From a network and all of its training samples to the facts that measures are told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnxmem.cache import Store
from onnxmem.data import Samples
from onnxmem.errors import InconclusiveError
from onnxmem.evidence.contents import Contents, draw_references
from onnxmem.evidence.facts import Facts, HeldOut, LayerFacts, early_layers, levels
from onnxmem.evidence.neighbourhood import Advance, Crowd, Neighbourhood, Search
from onnxmem.evidence.votes import NEIGHBOURS, Labels, count_votes, majority
from onnxmem.neighbours import Nearest
from onnxmem.network.features import INPUT, Place, Pool
from onnxmem.network.identity import identify, model_facts
from onnxmem.network.labelling import Labelling, read_labels
from onnxmem.network.opening import Opened
from onnxmem.network.words import find_words


@dataclass(frozen=True, slots=True)
class Gathered:
    """Facts, and what is needed to tell of single samples.

    Attributes:
        facts: samples stand in the order of `contents.order`.
        contents: which samples those are.
        classes: (classes,) the label that each place of a class stands for.
        predictions: (samples,) what the network predicts, as labels.
        nearest: of the contents, at every layer.
        references: (m,) which contents may be neighbours.
        refused: tensor -> why a layer tells nothing.
        labelling: what labels mean to the network.
        notes: what was left out or assumed.
    """

    facts: Facts
    contents: Contents
    classes: np.ndarray
    predictions: np.ndarray
    nearest: tuple[Nearest, ...]
    references: np.ndarray
    refused: Mapping[str, str]
    labelling: Labelling
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """How facts are gathered.

    Attributes:
        pool: how positions are taken together: all of them, or their mean.
        seed: of the projection and of ties.
        influences: what else results depend on, such as a memory budget that was asked for.
        environment: versions, as in a report.
    """

    pool: Pool
    seed: int
    influences: Mapping[str, Any]
    environment: Mapping[str, Any]


def gather(
    opened: Opened, held_out: Samples | None, asked: Asked, store: Store, advance: Advance
) -> Gathered:
    """Find the neighbours of all training samples at the input and at every site.

    Args:
        opened: the network and its training samples, which have labels.
        held_out: samples that it was not trained on.
        asked: how.
        store: neighbours that it knows are not looked for again.
        advance: told about progress.

    Raises:
        DataError: labels are no classes of the network, or there are too few samples to run it.
        InconclusiveError: there are too few different samples or classes, or the network gives no
            classes, or no layer has features.
    """
    search = make_search(opened, held_out, asked, store, advance)
    given, crowds, references = opened.samples, search.crowds, search.references
    assert given.labels is not None
    contents, found = crowds[0].contents, search.find()
    if not found.layers:
        raise InconclusiveError(f"no layer has features: {next(iter(found.refused.values()))}")
    predicted = np.empty(len(given), np.int64)
    predicted[contents.order] = found.predictions[0][contents.of]
    labelling = read_labels(opened.network, given, given.labels, predicted, found.width)
    classes = np.unique(labelling.truth)
    return Gathered(
        facts=_facts(found, crowds, labelling, classes, references, asked.seed),
        contents=contents,
        classes=classes,
        predictions=predicted[contents.order],
        nearest=tuple(pair[0] for pair in found.layers.values()),
        references=references,
        refused=found.refused,
        labelling=labelling,
        notes=tuple(_notes(crowds, references)),
    )


def make_search(
    opened: Opened, held_out: Samples | None, asked: Asked, store: Store, advance: Advance
) -> Search:
    """Return what is looked for; see `gather`.

    Raises:
        InconclusiveError: there are too few different samples or classes.
    """
    given, contents = opened.samples, Contents.among(opened.samples)
    assert given.labels is not None
    _check_enough(contents, given.labels)
    references = draw_references(given.labels[contents.rows])
    crowds = _crowds(given, contents, references, held_out)
    return Search(
        network=opened.network,
        shared=opened.network.feeds(given.shared),
        crowds=crowds,
        references=references,
        places=_places(opened),
        pool=asked.pool,
        padding=opened.padding,
        seed=asked.seed,
        identity=_identities(opened, crowds, asked),
        store=store,
        advance=advance,
    )


def _check_enough(contents: Contents, labels: np.ndarray) -> None:
    if len(contents.rows) <= NEIGHBOURS:
        raise InconclusiveError(
            f"{len(contents.rows)} different training samples are too few: each is held against "
            f"its {NEIGHBOURS} nearest others"
        )
    if len(np.unique(labels)) < 2:
        raise InconclusiveError("all samples have one label, so no neighbour can have another")


def _crowds(
    given: Samples, contents: Contents, references: np.ndarray, held_out: Samples | None
) -> tuple[Crowd, ...]:
    places = np.full(len(contents.rows), -1)
    places[references] = np.arange(len(references))
    trained = Crowd(given, contents, places, given.called(contents.rows))
    if held_out is None or not len(held_out):
        return (trained,)
    others = Contents.among(held_out)
    known = contents.places(others.hashes)
    own = np.where(known >= 0, places[known], -1)
    return trained, Crowd(held_out, others, own, held_out.called(others.rows))


def _places(opened: Opened) -> tuple[Place, ...]:
    sites = [site for site in opened.sites if site.status == "ok"]
    return Place(INPUT), *(Place(site.tensor, site.feature_axis) for site in sites)


def _identities(opened: Opened, crowds: Sequence[Crowd], asked: Asked) -> Callable[[str], str]:
    """Return what gives a hash of all that the neighbours at a layer depend on.

    Those at the input do not depend on the network, but for which inputs are words or padding.
    """
    network = opened.network
    data = [
        (
            hashlib.sha256(crowd.contents.hashes.tobytes()).hexdigest(),
            hashlib.sha256(crowd.own.astype("<i8").tobytes()).hexdigest(),
            crowd.samples.recipe,
            sorted((n, str(c.dtype), c.shape[1:]) for n, c in crowd.samples.inputs.items()),
        )
        for crowd in crowds
    ]
    shared = {name: array.tobytes().hex() for name, array in opened.samples.shared.items()}
    words = find_words(network.model, opened.samples.inputs)
    facts: dict[str, Any] = {
        "data": data,
        "words": None if words is None else (words.name, words.size),
        "padding": None if opened.padding is None else (opened.padding.name, opened.padding.real),
        "pool": asked.pool,
        "seed": asked.seed,
        "neighbours": NEIGHBOURS,
    }
    of_input = identify(network.device, asked.environment, facts)
    facts |= {"model": model_facts(network), "shared": shared, **asked.influences}
    of_layers = identify(network.device, asked.environment, facts)
    return lambda tensor: of_input if tensor == INPUT else of_layers


def _facts(
    found: Neighbourhood,
    crowds: Sequence[Crowd],
    labelling: Labelling,
    classes: np.ndarray,
    references: np.ndarray,
    seed: int,
) -> Facts:
    """Count the votes of all layers, one after the other."""
    contents = crowds[0].contents
    labels = np.searchsorted(classes, labelling.truth[contents.order])
    known = np.isin(contents.of, references)
    places = np.searchsorted(references, contents.of[known])
    of_references = Labels.of(places, labels[known], len(classes))
    layers, count = [], len(found.layers)
    sums = _Sums({"all": count, "early": early_layers(count), "first": 2, "input": 1})
    held_sums = _Sums({"all": count})
    for tensor, crowd in found.layers.items():
        votes = [count_votes(one, of_references) for one in crowd]
        mine, *others = (one[c.contents.of] for one, c in zip(votes, crowds, strict=True))
        sums.add(mine)
        for one in others:
            held_sums.add(one)
        layers.append(
            LayerFacts(
                tensor=tensor,
                favourite=mine.argmax(axis=1),
                level=levels(mine, labels, seed),
                held_out_favourite=others[0].argmax(axis=1) if others else None,
                held_out_majority=_majority(crowd, crowds, of_references),
            )
        )
    return Facts(
        labels=labels,
        predictions=_class_places(found.predictions[0][contents.of], classes),
        layers=tuple(layers),
        all_votes=sums.mean("all"),
        early_votes=sums.mean("early"),
        first_votes=sums.mean("first"),
        input_votes=sums.mean("input"),
        held_out=_held_out(found, crowds, labelling, classes, held_sums),
        seed=seed,
    )


def _majority(
    found: Sequence[Nearest], crowds: Sequence[Crowd], labels: Labels
) -> np.ndarray | None:
    """Return what most of the nearest of held-out samples say (samples,), None without any."""
    if len(found) < 2:
        return None
    return np.asarray(majority(found[1], labels)[crowds[1].contents.of])


class _Sums:
    """Sums of the votes of the first few layers, which come in their order."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        """Prepare sums by name, each of so many layers."""
        self._counts, self._seen = counts, 0
        self._sums: dict[str, np.ndarray] = {}

    def add(self, votes: np.ndarray) -> None:
        """Add the votes of the next layer."""
        for name, count in self._counts.items():
            if self._seen < count:
                before = self._sums.get(name)
                self._sums[name] = votes if before is None else before + votes
        self._seen += 1

    def mean(self, name: str) -> np.ndarray:
        """Return the mean over the layers of a sum."""
        return np.asarray(self._sums[name] / min(self._counts[name], self._seen), np.float32)


def _held_out(
    found: Neighbourhood,
    crowds: Sequence[Crowd],
    labelling: Labelling,
    classes: np.ndarray,
    sums: _Sums,
) -> HeldOut | None:
    if len(crowds) < 2:
        return None
    trained, held = crowds
    predictions = found.predictions[1][held.contents.of]
    given, labels = held.samples.labels, None
    same = trained.samples.labels is not None and (labelling.truth == trained.samples.labels).all()
    if given is not None and same:
        labels = _class_places(given[held.contents.order], classes)
    return HeldOut(_class_places(predictions, classes), sums.mean("all"), labels)


def _class_places(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the place of each label among the classes, -1 where it is none of them."""
    places = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    return np.where(classes[places] == labels, places, -1)


def _notes(crowds: Sequence[Crowd], references: np.ndarray) -> Iterator[str]:
    """Yield what is to be told of the samples."""
    trained, *others = (crowd.contents for crowd in crowds)
    if trained.copies:
        yield (
            f"{trained.copies} of {len(trained.order):,} training samples are copies of others; "
            "copies are no neighbours of each other"
        )
    if len(references) < len(trained.rows):
        yield (
            f"neighbours are among {len(references):,} of {len(trained.rows):,} different samples, "
            "an equal share of each class"
        )
    for one in others:
        if seen := int((trained.places(one.hashes) >= 0).sum()):
            yield f"{seen} of {len(one.rows):,} held-out samples are among the training samples"
