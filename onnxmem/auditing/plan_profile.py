"""One profiled run of a network: the time of its nodes, and the sizes of its tensors."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onnxmem import graph
from onnxmem.arrays import Array
from onnxmem.cache.scratch import scratch_folder
from onnxmem.network.classifier import check_classifies
from onnxmem.network.memory import piece_size
from onnxmem.network.opening import Opened
from onnxmem.runtime import node_seconds

_FEW = 2
_SECONDS = 0.5
"""Samples that run first, and the seconds that the profiled run may take after that."""

_RUNS = 2
"""Profiled runs, of which the quicker counts node by node."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a run told.

    Attributes:
        samples: that ran.
        nodes: seconds of each node for one sample, by its name; on a GPU, whose nodes run while
            others are launched, those of all together by none.
        compiling: seconds that it takes to make a session of the network.
        tensors: what the sites gave, and what crosses the cuts beside them, by name.
        sides: what lies before and after each site that can be cut.
    """

    samples: int
    nodes: dict[str, float]
    compiling: float
    tensors: dict[str, Array]
    sides: dict[str, graph.Sides]

    @property
    def each(self) -> float:
        """The seconds that a sample takes through the whole network."""
        return sum(self.nodes.values())

    def side(self, names: Iterable[str]) -> float:
        """Return the seconds of a sample in the nodes of these names."""
        chosen = frozenset(names)
        return sum(seconds for name, seconds in self.nodes.items() if name in chosen)


def profile(opened: Opened, inputs: Mapping[str, Array], most: int) -> Profile:
    """Run samples, at most so many and as many as half a second allows, with all cuts exposed.

    Args:
        opened: the network.
        inputs: the selected samples on the device.
        most: the samples of the largest batch.

    Raises:
        InconclusiveError: the output is none that classifies.
    """
    network = opened.network
    sides = {
        site.tensor: graph.cut_sides(network.model, site.tensor, network.output)
        for site in opened.sites
        if site.status == "ok"
    }
    crossing = (name for one in sides.values() for name in one.needs.crossing)
    needed = dict.fromkeys((network.output, *sides, *crossing))
    shared = network.feeds(opened.samples.shared)

    def run(samples: int) -> tuple[dict[str, Array], float]:
        feeds = {name: array[:samples] for name, array in inputs.items()}
        begin = time.perf_counter()
        values = session.run(feeds | shared, list(needed))
        seconds = time.perf_counter() - begin
        check_classifies(network, values[0], samples)
        return dict(zip(needed, values, strict=True)), max(seconds, 1e-6)

    with scratch_folder() as folder:
        part = graph.with_named_nodes(graph.expose(network.model, list(needed)[1:]))
        begin = time.thread_time()
        session = network.session(part, None if network.device.is_cuda else folder)
        compiling = time.thread_time() - begin
        few = network.batch or min(_FEW, most)
        seconds = min(run(few)[1] for _ in range(2))
        if network.batch is None:
            possible = min(int(few * _SECONDS / seconds), piece_size(network.largest, most))
            few = max(few, possible)
        tensors, _ = run(few)
        if network.device.is_cuda:
            return Profile(few, {"": run(few)[1] / few}, compiling, tensors, sides)
        feeds = {name: array[:few] for name, array in inputs.items()}
        nodes = node_seconds(session, feeds | shared, _RUNS)
    each = {name: seconds / few for name, seconds in nodes.items()}
    return Profile(few, each, compiling, tensors, sides)
