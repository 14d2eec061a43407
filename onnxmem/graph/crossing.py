"""What the cuts at many tensors need, without a walk over the whole graph for each of them.

Behind a cut every tensor that varies depends on the cut tensor, but for those that come of what
lived beside it: tensors made before it and read behind it. So only the readers of these are looked
at, in the order of the graph, each once for a cut.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence

import onnx_ir as ir

from onnxmem.errors import UsageError
from onnxmem.graph.cut import cut_needs
from onnxmem.graph.flow import Flow
from onnxmem.graph.ops import WHOLE_BATCH_OPS
from onnxmem.graph.records import Model, Needs
from onnxmem.graph.soundness import blames_model

MOST_LOOKED_AT = 1_000_000
"""Tensors beside cuts, over all cuts, after which no further cut is looked at."""


@blames_model
def all_needs(
    model: Model, tensors: Collection[str], output: str | None = None
) -> dict[str, Needs | None]:
    """Return what `cut_needs` returns, for each of `tensors`; None where it raises an error.

    Where so much lives beside the cuts that telling it would take the square of the nodes, the last
    tensors are left out.
    """
    if any(node.op_type in WHOLE_BATCH_OPS for node in model.ir.graph.all_nodes()):
        most = MOST_LOOKED_AT // (len(model.flow.nodes) + 1) + 1
        return {tensor: _alone(model, tensor, output) for tensor in list(tensors)[:most]}
    finder = _Finder(model, output)
    wanted = {
        value: name
        for name in tensors
        if (value := model.flow.values.get(name)) in model.flow.varying and value is not None
    }
    found = {t: _alone(model, t, output) for t in set(tensors) - set(wanted.values())}
    looked_at = 0
    for value, beside in finder.living(wanted):
        looked_at += len(beside)
        if looked_at > MOST_LOOKED_AT:
            break
        found[wanted[value]] = finder.needs(value, beside)
    return found


def _alone(model: Model, tensor: str, output: str | None) -> Needs | None:
    try:
        return cut_needs(model, tensor, output)
    except UsageError:
        return None


class _Finder:
    def __init__(self, model: Model, output: str | None) -> None:
        self.flow: Flow = model.flow
        ends = [v for v in model.ir.graph.outputs if output is None or v.name == output]
        self.leads = self.flow.marked(dict.fromkeys(ends, 1))
        self.order = {value: at for at, value in enumerate(self.flow.values.values())}
        self.readers: dict[ir.Value, list[int]] = {}
        self.reads: list[list[ir.Value]] = []
        self.sources: list[ir.Value] = []
        for place, node in enumerate(self.flow.nodes):
            reads = [value for value in self.flow.reads[node] if value in self.flow.varying]
            self.reads.append(reads)
            for value in reads:
                self.readers.setdefault(value, []).append(place)
            if not reads:
                self.sources += [value for value in node.outputs if value in self.flow.varying]

    def living(self, wanted: Collection[ir.Value]) -> Iterator[tuple[ir.Value, list[ir.Value]]]:
        """Yield each tensor of `wanted` with the other varying ones that are read behind it."""
        alive = dict.fromkeys(v for v in self.flow.graph.inputs if v in self.readers)
        alive |= dict.fromkeys(v for v in self.sources if v in self.readers)
        for place, node in enumerate(self.flow.nodes):
            for value in self.reads[place]:
                if self.readers[value][-1] == place:
                    alive.pop(value, None)
            alive |= dict.fromkeys(value for value in node.outputs if value in self.readers)
            for value in node.outputs:
                if value in wanted:
                    yield value, [one for one in alive if one is not value]

    def needs(self, target: ir.Value, beside: Sequence[ir.Value]) -> Needs | None:
        """Return what a cut needs; None where the output does not depend on the tensor."""
        if not self.leads.get(target):
            return None
        maker = target.producer()
        assert maker is not None
        independent, borders = set(beside), set[ir.Value]()
        pending = [p for value in beside for p in self._behind(value, self.flow.position[maker])]
        heapq.heapify(pending)
        last = -1
        while pending:
            place = heapq.heappop(pending)
            if place == last:
                continue
            last, node = place, self.flow.nodes[place]
            crossing = [value for value in self.reads[place] if value in independent]
            if len(crossing) < len(self.reads[place]):
                if any(self.leads.get(value) for value in node.outputs):
                    borders.update(crossing)
                continue
            for value in node.outputs:
                independent.add(value)
                for reader in self.readers.get(value, ()):
                    heapq.heappush(pending, reader)
        found = sorted(borders, key=self.order.__getitem__)
        inputs = set(self.flow.graph.inputs)
        return Needs(
            crossing=tuple(value.name or "" for value in found if value not in inputs),
            direct=tuple(value.name or "" for value in found if value in inputs),
            whole_batch=(),
        )

    def _behind(self, value: ir.Value, place: int) -> list[int]:
        return [reader for reader in self.readers[value] if reader > place]
