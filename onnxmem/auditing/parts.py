"""An audit in parts: each measures one thing and leaves it in the store, where an audit finds it.

What a part leaves is what the audit itself would have left there, to the last byte. Parts may run
anywhere where the store is the same, at once and in any order. Nothing is judged here; `run_audit`
is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from onnxmem.auditing.data_info import describe
from onnxmem.auditing.evidence import HeldOutSource, take_held_out
from onnxmem.auditing.layer_cache import LayerCache
from onnxmem.auditing.progress import Listener, Progress
from onnxmem.auditing.run import ask, check_baseline, find_doubt, open_cache, resolve
from onnxmem.auditing.settings import Settings, check_complete
from onnxmem.cache import Store
from onnxmem.compression.experiment import grouping
from onnxmem.data import IN_MEMORY, Column
from onnxmem.errors import InconclusiveError
from onnxmem.evidence.gather import make_search
from onnxmem.evidence.neighbourhood import Block, Search
from onnxmem.network.clock import Clock
from onnxmem.network.evaluation import evaluate
from onnxmem.network.opening import Opened, RefusedError, open_network
from onnxmem.records import Report


@dataclass(frozen=True, slots=True)
class Part:
    """What one task measures.

    Attributes:
        tensors: the layers: one whose curves are measured, or some whose neighbours are looked for.
        compressor: of the curves; empty: neighbours.
        block, blocks: which of how many blocks of samples have their neighbours looked for.
    """

    tensors: tuple[str, ...]
    compressor: str = ""
    block: int = 0
    blocks: int = 1

    @property
    def name(self) -> str:
        """What it is called in a line of progress."""
        if self.compressor:
            return f"{self.tensors[0]} {self.compressor}"
        more = f" and {len(self.tensors) - 1} more" if len(self.tensors) > 1 else ""
        block = f", block {self.block + 1}/{self.blocks}" if self.blocks > 1 else ""
        return f"neighbours at {self.tensors[0]}{more}{block}"


@dataclass(frozen=True, slots=True)
class Work:
    """An audit that is made in parts; see `run_audit`.

    Attributes:
        path: the ONNX file.
        arrays: the inputs by name, labels in `y`.
        settings: of the audit.
        held_out: where samples come from that the network was not trained on.
        store: where parts leave what they measured.
        baseline: an earlier report that scores are held against.
    """

    path: str | Path
    arrays: Mapping[str, Column]
    settings: Settings
    held_out: HeldOutSource
    store: Store
    baseline: Report | None = None


def missing_parts(work: Work, at_once: int) -> tuple[Part, ...]:
    """Return what the store lacks, as parts that make sense where so many run at once.

    There are none where the audit has nothing to measure; it says why.

    Raises:
        OnnxmemError: what keeps the audit from starting.
    """
    settings = work.settings
    check_complete(settings, work.arrays, work.baseline)
    try:
        with open_network(work.path, work.arrays, settings) as opened:
            curves = tuple(_missing_curves(opened, work))
            return (*_missing_neighbours(opened, work, at_once), *curves)
    except RefusedError:
        return ()


def measure_part(work: Work, part: Part, listen: Listener = lambda progress: None) -> None:
    """Measure a part, and leave it in the store; `listen` is told about progress.

    Raises:
        OnnxmemError: what keeps it from being measured; the audit meets it again.
    """
    with open_network(work.path, work.arrays, work.settings) as opened:
        if not part.compressor:
            search = _search(opened, work, listen)
            search.find_block(part.tensors, Block(part.block, part.blocks))
            return
        site = next(one for one in opened.sites if one.tensor == part.tensors[0])
        cache = _open_cache(opened, work)
        assert cache is not None
        cache.measure(site, part.compressor, lambda done: listen(Progress(part.name, done, 0)))


def _missing_curves(opened: Opened, work: Work) -> Iterator[Part]:
    cache = _open_cache(opened, work)
    if cache is None:
        return
    for site in opened.sites:
        if site.status == "ok":
            known = cache.find(site)
            for name in work.settings.compress:
                if name not in known:
                    yield Part((site.tensor,), name)


def _open_cache(opened: Opened, work: Work) -> LayerCache | None:
    """Return the layers of the audit, None where the untouched model allows no conclusion."""
    settings, digests = work.settings, opened.samples.digests
    evaluation = evaluate(opened, digests, grouping(settings), Clock())
    data = describe(opened.samples, digests, evaluation, settings.per_class, IN_MEMORY)
    resolved = resolve(opened, evaluation, settings)
    if work.baseline is not None:
        check_baseline(opened, data, resolved, settings, work.baseline)
    if find_doubt(evaluation, data, settings):
        return None
    return open_cache(opened, evaluation, resolved, settings, work.store)


def _missing_neighbours(opened: Opened, work: Work, at_once: int) -> Iterator[Part]:
    """Yield parts of which each takes one pass of all samples: as few as keep all at work."""
    if not work.settings.samples or opened.samples.labels is None:
        return
    try:
        search = _search(opened, work, lambda progress: None)
    except InconclusiveError:
        return
    missing = search.missing()
    groups = min(len(missing), at_once)
    blocks = max(1, min(search.most_blocks, at_once // max(groups, 1)))
    for first in range(groups):
        for block in range(blocks):
            yield Part(missing[first::groups], block=block, blocks=blocks)


def _search(opened: Opened, work: Work, listen: Listener) -> Search:
    def advance(stage: str, done: int, total: int) -> None:
        listen(Progress(stage, done, total))

    others = take_held_out(opened, work.arrays, work.held_out)
    return make_search(opened, others, ask(opened, work.settings), work.store, advance)
