"""A network with one segment taken from a checkpoint of it: what does that undo?

Segment k is every node between the earlier sites and site k, a function of those sites and of the
inputs. The network runs, but its site k is what the segment of the checkpoint makes of what the
network itself gives before it; then the network goes on from there. The last segment ends at the
output. Where the accuracy on suspects falls and that on other samples stays, what was learned
since the checkpoint to answer the suspects lies in that segment.

Source: Maini et al. (2023), who rewind weights by their names; here nodes are spliced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array
from onnxmem.errors import UsageError
from onnxmem.locating.crowd import Crowd, Feeder, Pieces
from onnxmem.locating.matching import Pair
from onnxmem.network.features import INPUT
from onnxmem.network.network import Network
from onnxmem.network.opening import Opened
from onnxmem.network.outputs import TOLERANCE, deviation
from onnxmem.records import Accuracies, Rewinding, Segment
from onnxmem.runtime import Session

Advance = Callable[[int, int], None]
"""Told how many of how many segments are done."""


def rewind(
    own: Opened, other: Opened, pairs: Sequence[Pair], crowd: Crowd, advance: Advance
) -> Rewinding:
    """Return how accurate a network stays with each segment of a checkpoint, on the given labels.

    Args:
        own: the network.
        other: the checkpoint.
        pairs: their sites.
        crowd: suspects and other samples.
        advance: told about progress.

    Raises:
        UsageError: they take batches of different sizes.
    """
    splicer = Splicer(own, other, pairs, crowd.rows)
    whole = [Accuracies(*crowd.means(one == crowd.labels)) for one in splicer.untouched()]
    segments = []
    for number in range(splicer.segments):
        advance(number, splicer.segments)
        segments.append(_segment(splicer, number, crowd))
    return Rewinding(
        checkpoint=other.info,
        clean_samples=int((~crowd.suspect).sum()),
        suspect_samples=int(crowd.suspect.sum()),
        network=whole[0],
        rewound=whole[1],
        segments=tuple(segments),
        lowest=_lowest(segments, whole[0]),
        notes=tuple(_notes(own.network, other.network)),
    )


def _segment(splicer: Splicer, number: int, crowd: Crowd) -> Segment:
    spliced = splicer.splice(number)
    known = spliced.relative_error <= TOLERANCE
    clean, suspect = crowd.means(spliced.predictions == crowd.labels) if known else (None, None)
    reason = f"its parts are {spliced.relative_error:.1e} away from the whole network"
    return Segment(
        from_=splicer.start(number),
        to=splicer.end(number),
        tensors=spliced.reads,
        clean_accuracy=clean,
        suspect_accuracy=suspect,
        relative_error=spliced.relative_error if np.isfinite(spliced.relative_error) else None,
        reason="" if known else reason,
    )


def _lowest(segments: Sequence[Segment], network: Accuracies) -> str | None:
    """Return where the segment ends that lowers the accuracy on suspects most, None without one."""
    known = [one for one in segments if one.suspect_accuracy is not None]
    found = min(known, key=lambda one: one.suspect_accuracy or 0.0, default=None)
    if found is None or (found.suspect_accuracy or 0.0) >= (network.suspect or 0.0):
        return None
    return found.to


def _notes(own: Network, other: Network) -> list[str]:
    if own.form == other.form:
        return []
    words = {"softmax": "probabilities", "sigmoid": "probabilities", "linear": "logits"}
    one, two = (words.get(network.form, network.form) for network in (own, other))
    return [f"outputs of the network are {one}, those of the checkpoint {two}"]


@dataclass(frozen=True, slots=True)
class Spliced:
    """A network with one segment of another.

    Attributes:
        predictions: (n,) what it answers.
        reads: the tensors of the network that the segment reads.
        relative_error: how far the network taken apart in the same way is from the whole one.
    """

    predictions: np.ndarray
    reads: tuple[str, ...]
    relative_error: float


class Splicer:
    """Two networks of one architecture, of which one can lend a segment to the other.

    Both run without the optimizations that round, so that parts give what the whole gives.
    """

    def __init__(self, own: Opened, other: Opened, pairs: Sequence[Pair], rows: np.ndarray) -> None:
        """Feed both with the samples `rows`.

        Raises:
            UsageError: they take batches of different sizes.
        """
        self.own, self.other = (replace(one.network, exact=True) for one in (own, other))
        self.feeds = Feeder.of(own), Feeder.of(other)
        self.pieces = Pieces(rows, _size(self.own, self.other, len(rows)))
        outputs = Pair(self.own.output, self.other.output)
        ends_at_site = any(pair.own == outputs.own for pair in pairs)
        self.pairs = (*pairs,) if ends_at_site else (*pairs, outputs)
        self._whole = [
            network.session(graph.expose(network.model, [])) for network in (self.own, self.other)
        ]

    @property
    def segments(self) -> int:
        """How many segments there are, that of the output among them."""
        return len(self.pairs)

    def start(self, number: int) -> str:
        """Return the site that a segment begins behind, or what stands for the inputs."""
        return self.pairs[number - 1].own if number else INPUT

    def end(self, number: int) -> str:
        """Return the tensor that a segment ends with."""
        return self.pairs[number].own

    def untouched(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what both networks predict by themselves, (n,) each."""

        def predict(which: int) -> np.ndarray:
            network, feed, session = (
                (self.own, self.other)[which],
                self.feeds[which],
                self._whole[which],
            )

            def run(rows: np.ndarray) -> np.ndarray:
                return network.predict(session.run(feed(rows), [network.output])[0])

            return self._over_all(run)

        return predict(0), predict(1)

    def untouched_output(self, rows: np.ndarray) -> Array:
        """Return the output of the network itself for the samples `rows`."""
        return self._whole[0].run(self.feeds[0](rows), [self.own.output])[0]

    def lend(self, number: int) -> Lent:
        """Return a segment of both networks, ready to run."""
        return Lent(self, number)

    def splice(self, number: int) -> Spliced:
        """Return what the network predicts with a segment of the other one."""
        lent = self.lend(number)
        rows = self.pieces.rows_of(0)
        before = lent.before(rows)
        output = lent.after(lent.own_segment(rows, before), before, rows)
        expected = self.untouched_output(rows)
        lent.after(lent.other_segment(rows, before), before, rows)  # compiles what threads share

        def run(rows: np.ndarray) -> np.ndarray:
            before = lent.before(rows)
            return lent.predict(lent.other_segment(rows, before), before, rows)

        return Spliced(self._over_all(run), lent.reads, deviation(output, expected))

    def _over_all(self, run: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the predictions (n,) for all samples, piece by piece."""
        found = np.empty(len(self.pieces.rows), np.int64)

        def fill(number: int) -> None:
            place, skipped = self.pieces.place(number)
            count = place.stop - place.start
            found[place] = run(self.pieces.rows_of(number))[skipped : skipped + count]

        at_once = self.own.at_once(self.pieces.size, self.own.workers.count)
        self.own.workers.map(fill, range(len(self.pieces)), at_once)
        return found


class Lent:
    """One segment of both networks, compiled, and the parts of the network around it."""

    def __init__(self, splicer: Splicer, number: int) -> None:
        """Compile what comes before the segment; the rest is compiled when it first runs."""
        self.own, self.other, self.feeds = splicer.own, splicer.other, splicer.feeds
        self.pair, earlier = splicer.pairs[number], splicer.pairs[:number]
        self.partners = {pair.other: pair for pair in earlier}
        self.segments = (
            graph.segment(self.own.model, [pair.own for pair in earlier], self.pair.own),
            graph.segment(self.other.model, [pair.other for pair in earlier], self.pair.other),
        )
        at_end = self.pair.own == self.own.output
        self.cut = None if at_end else graph.split(self.own.model, self.pair.own, self.own.output)
        crossing = () if self.cut is None else self.cut.crossing
        lent = [self.partners[name].own for name in self.segments[1].reads]
        names = dict.fromkeys((*self.segments[0].reads, *lent, *crossing))
        self.needed = tuple(names)
        self.head = (
            self.own.session(graph.compute(self.own.model, self.needed)) if self.needed else None
        )
        self.reads = (*dict.fromkeys((*lent, *self.segments[1].direct)),)
        self._sessions: dict[str, Session] = {}

    def before(self, rows: np.ndarray) -> dict[str, Array]:
        """Return what the network gives before the segment, by name, and its inputs."""
        feeds = self.feeds[0](rows)
        if self.head is None:
            return feeds
        given = {spec.name: feeds[spec.name] for spec in self.head.inputs}
        return feeds | dict(zip(self.needed, self.head.run(given, self.needed), strict=True))

    def own_segment(self, rows: np.ndarray, before: Mapping[str, Array]) -> Array:
        """Return what the network itself makes of what comes before."""
        segment = self.segments[0]
        feeds = {name: before[name] for name in (*segment.reads, *segment.direct)}
        return self._run("own", self.own, segment.part, feeds, len(rows), segment.tensor)

    def other_segment(self, rows: np.ndarray, before: Mapping[str, Array]) -> Array:
        """Return what the other network makes of it, as it would lie in the network itself."""
        segment = self.segments[1]
        feeds = {
            name: self.partners[name].to_other(before[self.partners[name].own])
            for name in segment.reads
        }
        if segment.direct:
            inputs = self.feeds[1](rows)
            feeds |= {name: inputs[name] for name in segment.direct}
        made = self._run("other", self.other, segment.part, feeds, len(rows), segment.tensor)
        return made if self.cut is None else self.pair.to_own(made)

    def after(self, tensor: Array, before: Mapping[str, Array], rows: np.ndarray) -> Array:
        """Return the output of the network behind a segment that gave `tensor`."""
        if self.cut is None:
            return tensor
        feeds = {name: before[name] for name in (*self.cut.crossing, *self.cut.direct)}
        feeds[self.cut.tensor] = tensor
        return self._run("tail", self.own, self.cut.tail, feeds, len(rows), self.own.output)

    def predict(self, tensor: Array, before: Mapping[str, Array], rows: np.ndarray) -> np.ndarray:
        """Return the classes behind a segment of the other network."""
        network = self.other if self.cut is None else self.own
        return network.predict(self.after(tensor, before, rows))

    def _run(
        self,
        which: str,
        network: Network,
        part: graph.Part,
        feeds: Mapping[str, Array],
        samples: int,
        wanted: str,
    ) -> Array:
        if which not in self._sessions:
            self._sessions[which] = network.session_for(part, feeds, samples)
        return self._sessions[which].run(feeds, [wanted])[0]


def _size(own: Network, other: Network, samples: int) -> int:
    """Return how many samples run together.

    Raises:
        UsageError: the networks take batches of different sizes.
    """
    if own.batch is not None and other.batch is not None and own.batch != other.batch:
        raise UsageError(
            f"the network takes batches of {own.batch}, the checkpoint of {other.batch}: export "
            "both with a free batch axis"
        )
    return own.batch or other.batch or min(own.together(samples), other.together(samples))
