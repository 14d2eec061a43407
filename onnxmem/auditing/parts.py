"""An audit in parts: each measures one thing and leaves it in the store, where an audit finds it.

What a part leaves is what the audit itself would have left there, to the last byte. Parts may run
anywhere where the store is the same, at once and in any order. Nothing is judged here; `run_audit`
is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
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
from onnxmem.network.opening import Opened, open_network
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


@contextmanager
def open_parts(work: Work) -> Iterator[Parts]:
    """Open the network of an audit for as long as parts of it are measured.

    Raises:
        RefusedError: there is nothing to measure, and the audit says why.
        OnnxmemError: what keeps the audit from starting.
    """
    check_complete(work.settings, work.arrays, work.baseline)
    with open_network(work.path, work.arrays, work.settings) as opened:
        yield Parts(opened, work)


class Parts:
    """The parts of one audit whose network is open."""

    def __init__(self, opened: Opened, work: Work) -> None:
        """Take what `open_parts` opened."""
        self._opened, self._work = opened, work
        self._listen: Listener = _say_nothing

    @property
    def trouble(self) -> str:
        """Why nothing can be left in the store, empty while all is well."""
        return self._work.store.trouble

    def missing(self, at_once: int) -> tuple[Part, ...]:
        """Return what the store lacks, as parts that make sense where so many run at once.

        Raises:
            OnnxmemError: what keeps the audit from starting.
        """
        return (*self._missing_neighbours(at_once), *self._missing_curves())

    def measure(self, part: Part, listen: Listener = lambda progress: None) -> None:
        """Measure a part, and leave it in the store; `listen` is told about progress.

        Raises:
            OnnxmemError: what keeps it from being measured; the audit meets it again.
        """
        self._listen = listen
        try:
            if part.compressor:
                self._measure_curves(part)
            else:
                self._search.find_block(part.tensors, Block(part.block, part.blocks))
        finally:
            self._listen = _say_nothing

    def _measure_curves(self, part: Part) -> None:
        assert self._cache is not None
        site = next(one for one in self._opened.sites if one.tensor == part.tensors[0])
        self._cache.measure(site, part.compressor, lambda done: self._tell(part.name, done))

    def _tell(self, stage: str, done: int, total: int = 0) -> None:
        self._listen(Progress(stage, done, total))

    def _missing_curves(self) -> Iterator[Part]:
        cache = self._cache
        if cache is None:
            return
        for site in self._opened.sites:
            known = cache.find(site) if site.status == "ok" else self._work.settings.compress
            for name in self._work.settings.compress:
                if name not in known:
                    yield Part((site.tensor,), name)

    def _missing_neighbours(self, at_once: int) -> Iterator[Part]:
        """Yield parts of which each takes one pass of all samples: as few as keep all at work."""
        if not self._work.settings.samples or self._opened.samples.labels is None:
            return
        try:
            search = self._search
        except InconclusiveError:
            return
        missing = search.missing()
        groups = min(len(missing), at_once)
        blocks = max(1, min(search.most_blocks, at_once // max(groups, 1)))
        for first in range(groups):
            for block in range(blocks):
                yield Part(missing[first::groups], block=block, blocks=blocks)

    @cached_property
    def _cache(self) -> LayerCache | None:
        """The layers of the audit, None where the untouched model allows no conclusion."""
        opened, settings, baseline = self._opened, self._work.settings, self._work.baseline
        digests = opened.samples.digests
        evaluation = evaluate(opened, digests, grouping(settings), Clock())
        data = describe(opened.samples, digests, evaluation, settings.per_class, IN_MEMORY)
        resolved = resolve(opened, evaluation, settings)
        if baseline is not None:
            check_baseline(opened, data, resolved, settings, baseline)
        if find_doubt(evaluation, data, settings):
            return None
        return open_cache(opened, evaluation, resolved, settings, self._work.store)

    @cached_property
    def _search(self) -> Search:
        """What is looked for among the samples.

        Raises:
            InconclusiveError: there are too few different ones.
        """
        opened, work = self._opened, self._work
        others = take_held_out(opened, work.arrays, work.held_out)
        return make_search(opened, others, ask(opened, work.settings), work.store, self._tell)


def _say_nothing(progress: Progress) -> None:
    """Tell nobody."""
