"""How alike several networks are on inputs that none of them was trained on, pair by pair.

On training inputs networks that memorized look alike as well: all of them say the labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from onnxmem.auditing.evidence import HeldOutSource, take_held_out
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.auditing.settings import Settings
from onnxmem.comparing.likeness import (
    FEWEST,
    kappa,
    linear_cka,
    nearest_others,
    neighbour_overlap,
)
from onnxmem.data import Column, Samples
from onnxmem.errors import DataError, InconclusiveError
from onnxmem.evidence.contents import Contents
from onnxmem.neighbours import Nearest
from onnxmem.neighbours.projection import SHORT
from onnxmem.network.classifier import Classifier
from onnxmem.network.features import OUTPUT, Place, collect
from onnxmem.network.independence import check_independent
from onnxmem.network.opening import Opened, open_network
from onnxmem.network.workers import workers
from onnxmem.pairing.matching import align
from onnxmem.records import Comparison, Layer, Predictions, Similarity
from onnxmem.runtime import Device

_SHARE = 0.25
"""Of the memory, for the features of all networks together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One of the networks that are likened to each other.

    Attributes:
        path: its file.
        arrays: the data, as it takes them.
        settings: how it is run.
        held_out: where inputs come from that it was not trained on.
    """

    path: str | Path
    arrays: Mapping[str, Column]
    settings: Settings
    held_out: HeldOutSource


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a network makes of the inputs.

    Attributes:
        name: what it is called beside the others.
        output: its output that classifies.
        layers: those that the audit found.
        features: tensor -> (inputs, features).
        nearest: tensor -> the nearest others of each input.
        shortened: tensors whose features were projected.
        predictions: (inputs,) its answers.
        contents: (inputs,) hashes of the inputs as its data hold them.
        device: where it ran.
    """

    name: str
    output: str
    layers: Sequence[Layer]
    features: Mapping[str, np.ndarray]
    nearest: Mapping[str, Nearest]
    shortened: frozenset[str]
    predictions: np.ndarray
    contents: np.ndarray
    device: Device


def add_similarity(
    comparison: Comparison,
    networks: Sequence[Asked],
    listen: Listener = lambda progress: None,
) -> Comparison:
    """Return a comparison of networks with how alike they are on held-out inputs.

    Networks that were not measured take no part. Without held-out inputs nothing is added.

    Args:
        comparison: of the networks.
        networks: the same, in the same order.
        listen: told about progress.

    Raises:
        DataError: the inputs do not fit a network, or fit another number of them in each.
    """
    measured = [place for place, one in enumerate(comparison.reports) if one.measured]
    one_source = all(one.arrays is networks[0].arrays for one in networks)
    seen: list[_Seen] = []
    notes: list[str] = []
    with ExitStack() as stack:
        for done, place in enumerate(measured):
            listen(Progress("held-out inputs", done, len(measured), unit="models"))
            try:
                share = _SHARE / len(measured)
                found = _see(comparison, place, networks[place], share, stack, one_source)
            except InconclusiveError as error:
                notes.append(f"{comparison.models[place]} is not likened to others: {error}")
                continue
            if found is None:
                return comparison
            if not one_source and seen and not _same(seen[0], found):
                notes.append(f"{found.name} and {seen[0].name} have different held-out inputs")
                seen = []
                break
            _check_count(seen, found)
            seen.append(found)
        found_pairs = _with_pairs(comparison, seen, networks[0].settings.seed)
    return replace(found_pairs, notes=(*comparison.notes, *notes))


def _same(one: _Seen, other: _Seen) -> bool:
    return np.array_equal(one.contents, other.contents)


def _check_count(seen: Sequence[_Seen], found: _Seen) -> None:
    if seen and len(seen[0].predictions) != len(found.predictions):
        counts = f"{seen[0].name} {len(seen[0].predictions)}, {found.name} {len(found.predictions)}"
        raise DataError(f"the models get different numbers of held-out inputs: {counts}")


def _see(
    comparison: Comparison,
    place: int,
    asked: Asked,
    share: float,
    stack: ExitStack,
    one_source: bool,
) -> _Seen | None:
    """Run held-out inputs through a network; what is kept of them lives as long as `stack`.

    Raises:
        InconclusiveError: the network gives no classes.
        _UnlikeError: there are no held-out inputs, or too few.
    """
    layers = comparison.reports[place].layers
    with open_network(asked.path, asked.arrays, asked.settings) as opened:
        held_out = take_held_out(opened, asked.arrays, asked.held_out)
        if held_out is None or not len(held_out):
            return None
        rows, network = _rows(held_out, in_order=one_source), opened.network
        shared = network.feeds(held_out.shared)
        check_independent(Classifier(network, shared), held_out.inputs)
        features = stack.enter_context(
            collect(
                network,
                held_out.inputs,
                shared,
                rows,
                _places(opened),
                pool=asked.settings.pool,
                padding=opened.padding,
                seed=asked.settings.seed,
                share=share,
            )
        )
        xp, at_once = network.device.namespace, network.workers.count
        nearest = {
            tensor: nearest_others(
                xp.asarray(one),
                lambda function, items: network.workers.map(function, items, at_once),
            )
            for tensor, one in features.layers.items()
        }
        return _Seen(
            name=comparison.models[place],
            output=network.output,
            layers=[one for one in layers if one.tensor in features.layers],
            features=features.layers,
            nearest=nearest,
            shortened=features.shortened,
            predictions=features.predictions,
            contents=held_out.contents[rows],
            device=network.device,
        )


def _rows(held_out: Samples, *, in_order: bool) -> np.ndarray:
    """Return the first of each of the different inputs, in the order of the data or of hashes.

    That of the data is the same for networks that take the same samples in different forms, that of
    hashes for networks with data of their own.
    """
    rows = Contents.among(held_out).rows
    rows = np.sort(rows) if in_order else rows
    if len(rows) < FEWEST:
        raise InconclusiveError(f"{len(rows)} different held-out inputs are fewer than {FEWEST}")
    return rows


def _places(opened: Opened) -> tuple[Place, ...]:
    sites = [site for site in opened.sites if site.status == "ok"]
    return *(Place(site.tensor, site.feature_axis) for site in sites), Place(OUTPUT)


def _with_pairs(comparison: Comparison, seen: Sequence[_Seen], seed: int) -> Comparison:
    """Return the comparison with what is told of every pair of networks."""
    if len(seen) < 2:
        return comparison
    device = seen[0].device
    with device.scope(), workers(device):
        pairs = list(combinations(seen, 2))
        similarity = [found for one, other in pairs for found in _alike(one, other)]
    return replace(
        comparison,
        similarity=tuple(similarity),
        predictions=tuple(_agreement(one, other, seed) for one, other in pairs),
        held_out_samples=len(seen[0].predictions),
    )


def _alike(one: _Seen, other: _Seen) -> Iterator[Similarity]:
    """Yield how alike two networks are at layers that correspond, and at their output."""
    for first, second in align(one.layers, other.layers):
        tensors = one.layers[first].tensor, other.layers[second].tensor
        yield _likeness(one, other, tensors, tensors, "site")
    if OUTPUT in one.features and OUTPUT in other.features:
        yield _likeness(one, other, (OUTPUT, OUTPUT), (one.output, other.output), "output")


def _likeness(
    one: _Seen, other: _Seen, at: tuple[str, str], names: tuple[str, str], kind: str
) -> Similarity:
    xp = one.device.namespace
    first, second = (xp.asarray(seen.features[t]) for seen, t in zip((one, other), at, strict=True))
    projected = (SHORT * (at[0] in one.shortened), SHORT * (at[1] in other.shortened))
    return Similarity(
        a=one.name,
        b=other.name,
        layer=names[0],
        counterpart=names[1],
        kind="output" if kind == "output" else "site",
        cka=linear_cka(first, second, projected),
        neighbour_overlap=neighbour_overlap(one.nearest[at[0]], other.nearest[at[1]]),
    )


def _agreement(one: _Seen, other: _Seen, seed: int) -> Predictions:
    found = kappa(one.predictions, other.predictions, seed)
    return Predictions(
        a=one.name,
        b=other.name,
        agreement=float((one.predictions == other.predictions).mean()),
        kappa=None if found is None else found.value,
        kappa_low=None if found is None else found.low,
        kappa_high=None if found is None else found.high,
    )
